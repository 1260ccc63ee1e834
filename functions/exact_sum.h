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

#include <string.h>

enum { EXACT_DIGITS = 70, EXACT_SAVED = 1 + 16 + 4 * EXACT_DIGITS };
enum { EXACT_LSB = -80, EXACT_MOST_SHIFT = 126 - 53 }; /* exponent of the least bit of `fixed`; of a mantissa that fits it */

enum { EXACT_NAN = 1, EXACT_INFINITY = 2, EXACT_MINUS_INFINITY = 4 };

struct exact_wide {
    int64_t digit[EXACT_DIGITS]; /* digit i counts 2^(32 i - 1074) */
    uint32_t adds;  /* since the last carry */
    uint32_t flags; /* EXACT_NAN, ... that were seen */
};

struct exact_sum {
    hr_int128 fixed;
    struct exact_wide *wide; /* NULL: nothing is in it */
    uint64_t rows;           /* how many were added: the caller's */
};

/* What `fixed` cannot take. */
void exact_add_wide(struct exact_sum *, struct hr_agg_memory *, double);

static inline void exact_add(struct exact_sum *s, struct hr_agg_memory *memory, double x) {
    uint64_t bits;
    memcpy(&bits, &x, 8);
    int shift = (int)(bits >> 52 & 0x7ff) - 1075 - EXACT_LSB;
    if (shift >= 0 && shift <= EXACT_MOST_SHIFT) {
        hr_int128 v = (hr_int128)((bits & ((1ull << 52) - 1)) | 1ull << 52) << shift, sum;
        if (!__builtin_add_overflow(s->fixed, bits >> 63 ? -v : v, &sum)) {
            s->fixed = sum;
            return;
        }
    }
    exact_add_wide(s, memory, x);
}

void exact_merge(struct exact_sum *, struct hr_agg_memory *, const struct exact_sum *);
/* The sum times 2^scale, rounded once: to nearest, ties to even. */
double exact_round(const struct exact_sum *, int scale);
void exact_save(const struct exact_sum *, struct hr_buffer *);
bool exact_load(struct exact_sum *, struct hr_agg_memory *, const char *p, size_t n);

#endif
