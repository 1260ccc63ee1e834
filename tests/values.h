/*
 * values.h: random values of every type, corners among them, and the order that SQL gives them, written
 * down once more without any of the program's own comparisons.
 */
#ifndef TESTS_VALUES_H
#define TESTS_VALUES_H
#include "core/data/value.h"
#include "tests/unit.h"

enum { EVERY_TYPE = 10 };
extern const struct hr_type every_type[EVERY_TYPE];

/* A value of the type to *out (16 bytes, aligned); the bytes of a string lie in the arena. */
void random_value(uint64_t *seed, struct hr_type, void *out, struct arena *);
/* < 0, 0, > 0. NaN is one value and the last, -0.0 equals 0.0, strings are compared as bytes. */
int value_order(struct hr_type, const void *a, const void *b);
/* The type from its name, a value of it from its text to *out: both must be good. */
struct hr_type type_of(const char *name);
void value_of(struct hr_type, const char *text, void *out, struct arena *);
/* As value_text() gives it, in the arena. */
const char *text_of(struct arena *, struct hr_type, const void *value);
#endif
