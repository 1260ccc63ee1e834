/*
 * expr.h: SQL expressions over a batch: text -> typed tree -> columns.
 * A compiled expression is immutable, lives in the arena given, and is shared by all lanes.
 */
#ifndef HR_EXPR_H
#define HR_EXPR_H

#include "core/data/value.h"

/* What the language takes from plug-ins. */
struct expr_catalog {
    const struct hr_function *(*function)(const char *name);   /* case-insensitive; NULL: none */
    const struct hr_aggregate *(*aggregate)(const char *name);
    const char *const *(*names)(void); /* of both, for "did you mean" */
};

struct expr_fault {
    size_t at, n;    /* bytes of the text that are at fault */
    char text[512];
};

/* Does a comment that begins with -- reach the end of the text? */
bool expr_comment_to_end(const char *text);

struct hr_expr;
/* NULL and *fault on a syntax or type fault. */
struct hr_expr *expr_compile(struct arena *, const struct expr_catalog *, const char *text,
                             const struct hr_schema *, struct expr_fault *);
struct hr_type expr_type(const struct hr_expr *);
void expr_need(const struct hr_expr *, uint8_t *in);
/* Evaluate rows of the batch. out->at/valid are in the lane's batch memory or the batch's own. */
bool expr_eval(const struct hr_expr *, struct hr_lane *, const struct hr_batch *, struct hr_column *out);

/* "sum(a - b)", "count(*)": fills agg (fn, args, arg, result, size) and *arg (NULL for count(*)). */
bool expr_compile_aggregate(struct arena *, const struct expr_catalog *, const char *text,
                            const struct hr_schema *, struct hr_agg *agg, struct hr_expr **arg,
                            struct expr_fault *);

/* ---- for Spark: spark.c, sql.c ---- */

/* What Spark makes of an expression: all in the arena. */
struct expr_spark {
    const char *unknown; /* a function that Spark has not, or NULL */
    int differences;
    const char **difference; /* what it does differently, a sentence each */
    int inserts;             /* by place: the casts that Spark wants to be told */
    struct expr_insert {
        size_t at; /* bytes of the text */
        bool ends;
        const char *text;
    } *insert;
};
void expr_for_spark(struct arena *, const struct hr_expr *, struct expr_spark *);
bool expr_spark_aggregates(const char *name); /* does Spark have this aggregate? */
/* The text of an expression or aggregate call that was compiled, as Spark 3.5 and later read it, with the inserts. */
const char *expr_sql(struct arena *, const char *text, const struct expr_insert *, int n);
#endif
