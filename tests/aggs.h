/*
 * aggs.h: the built-in aggregates outside of the program: their host, and uses of them by name.
 */
#ifndef TESTS_AGGS_H
#define TESTS_AGGS_H
#include "tests/values.h"

/* Give the aggregates their host. Before anything else. */
void aggs_init(void);
/* One use: "sum" of that type; args 0: count(*). Refused: the error is set and false comes back. */
bool agg_bind(const char *name, int args, struct hr_type arg, struct hr_agg *out, struct hr_error *err);
/* The same where it must not be refused. */
struct hr_agg agg_of(const char *name, int args, struct hr_type arg);
#endif
