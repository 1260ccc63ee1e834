/*
 * exact_sum.h: the correctly rounded sum of doubles, whatever their order.
 *
 * Two exact accumulators: a 128-bit fixed-point number with a least bit of 2^-80, which holds what most
 * data is made of, and, once a value or a sum does not fit, a superaccumulator over the whole range of
 * double (R. M. Neal, "Fast Exact Summation Using Small and Large Superaccumulators", 2015): digits of 32
 * bits in 64-bit words, carried only now and then. The digits belong to the aggregate's memory.
 */
#ifndef HR_EXACT_SUM_H
#define HR_EXACT_SUM_H

#include <headrace/plugin.h>

enum { EXACT_DIGITS = 70, EXACT_SAVED = 1 + 16 + 4 * EXACT_DIGITS };

enum { EXACT_NAN = 1, EXACT_INFINITY = 2, EXACT_MINUS_INFINITY = 4 };

struct exact_sum {
    hr_int128 fixed;
    int64_t *digit; /* EXACT_DIGITS of them, or NULL; digit i counts 2^(32 i - 1074) */
    uint32_t adds;  /* to digit, since the last carry */
    uint32_t flags; /* EXACT_NAN, ... that were seen */
};

void exact_add(struct exact_sum *, struct hr_agg_memory *, double);
void exact_merge(struct exact_sum *, struct hr_agg_memory *, const struct exact_sum *);
/* The sum times 2^scale, rounded once: to nearest, ties to even. */
double exact_round(const struct exact_sum *, int scale);
void exact_save(const struct exact_sum *, struct hr_buffer *);
bool exact_load(struct exact_sum *, struct hr_agg_memory *, const char *p, size_t n);

#endif
