/*
 * expr_fixture.h: what the expression tests stand on: a host, a few functions, a batch of every type.
 *
 * Texts and columns are memory of exactly their size, and null cells hold rubbish, so that a
 * sanitizer sees a byte read too many or a null row looked at.
 */
#ifndef TESTS_EXPR_FIXTURE_H
#define TESTS_EXPR_FIXTURE_H
#include "core/expr/expr.h"

#define T(id_) ((struct hr_type){.id = id_})
#define COUNT(a) (sizeof(a) / sizeof *(a))
#define ROWS 4
#define COLUMNS 9

extern struct arena arena;
extern struct hr_lane lane;
extern struct hr_error lane_error;       /* of the lane: what an evaluation failed of */
extern struct hr_schema schema;          /* b i l x s d t m `odd ``name`, one of each type */
extern struct hr_column column[COLUMNS]; /* the second row is null in each */
extern struct hr_batch batch;
extern const struct expr_catalog catalog; /* twice, pick, nulls, concat; sum, count */
extern const struct hr_aggregate sum, count;
extern uint32_t rows_seen;          /* by twice() */
extern char constant_seen[3][32];   /* by pick() */

void setup(void);
void teardown(void);
void *exact_alloc(size_t n); /* until teardown */
void fill_column(struct hr_column *c, struct hr_type type, const char *const *text, uint32_t n);

/* Compiled from a copy of `text` that is gone afterwards; NULL with `fault` when refused. */
struct hr_expr *compile(const char *text, struct expr_fault *fault);
/* The same, where it must not be refused. */
struct hr_expr *compiled(const char *text);

const char *shown(const struct hr_column *c, uint32_t i);
/* All rows that count, with '|' between them. */
const char *evaluated(const char *text);
/* `want` without '|' stands for the same in every row. */
void expect(const char *text, const char *want);
#endif
