/*
 * tree.h: the tree that text becomes, for the files of core/expr only.
 * Every node lives in the arena that the expression is compiled into; after typing it never changes.
 */
#ifndef HR_TREE_H
#define HR_TREE_H

#include "core/expr/expr.h"

#define TREE_DEPTH 1000 /* levels at most: bounds every recursion over a tree */

enum tree_kind {
    TREE_LITERAL,
    TREE_COLUMN,
    TREE_CAST,
    TREE_CALL,
    TREE_ADD, TREE_SUB, TREE_MUL, TREE_DIV, TREE_MOD, TREE_NEG,
    TREE_PLUS,    /* in front of a value: gone after typing */
    TREE_EQ, TREE_NE, TREE_LT, TREE_LE, TREE_GT, TREE_GE, /* in this order: see compare() */
    TREE_SAME,                                            /* <=> */
    TREE_AND, TREE_OR, TREE_NOT,
    TREE_IS_NULL,
    TREE_IN,      /* value, items... */
    TREE_BETWEEN, /* value, low, high */
    TREE_LIKE,    /* text, pattern */
    TREE_NULLIF,  /* value, what makes it null */
    TREE_CASE,    /* condition, value, ..., with has_else one more value; with keyed a value to compare first */
};

union tree_value {
    uint8_t b;
    int32_t i;
    int64_t l;
    double d;
    struct hr_text s;
    hr_int128 dec;
};

struct tree {
    enum tree_kind kind;
    int depth;
    size_t at, n;        /* its bytes in the text */
    struct hr_type type; /* HR_NONE until typed, and for a bare NULL */
    int args;
    struct tree **arg;

    bool null;                /* literal */
    union tree_value value;   /* literal */
    bool has_else, keyed;     /* CASE */
    bool was_cast;            /* literal: of a CAST, or behind a + */
    bool coerced;             /* literal: by type_coerce() */
    struct hr_type from;      /* literal: its type before either */
    struct hr_type *as;       /* BETWEEN, NULLIF, keyed CASE: what arg[0] is compared with arg[i] as */
    const char *name;         /* column, call */
    int column;               /* column: its index */
    const struct hr_function *function; /* call */
};

struct hr_expr {
    const struct tree *root;
};

/* ---- lexer.c ---- */

enum token_kind { TOKEN_END, TOKEN_NAME, TOKEN_QUOTED_NAME, TOKEN_NUMBER, TOKEN_STRING, TOKEN_SIGN, TOKEN_BAD };

struct token {
    enum token_kind kind;
    size_t at, n;
    struct hr_text text;   /* the bytes meant: of a string or quoted name without quotes and escapes */
    char sign[4];          /* of TOKEN_SIGN */
    const char *why;       /* of TOKEN_BAD */
};

/* The token that starts at or after byte `from`. */
struct token lexer_next(struct arena *, const char *text, size_t from);
/* The literal that a number stands for: INT, BIGINT, DECIMAL or DOUBLE. NULL, or why it is none. */
const char *lexer_number(struct hr_text, bool negative, struct hr_type *, union tree_value *);

/* ---- parser.c ---- */

/* NULL after a fault. Names are not looked up yet. */
struct tree *parse_expression(struct arena *, const char *text, struct expr_fault *);

/* "name(argument)": the name, and the argument or NULL for `*`. */
struct aggregate_call {
    const char *name;
    size_t at, n; /* of the name */
    struct tree *arg;
};
bool parse_aggregate(struct arena *, const char *text, struct aggregate_call *, struct expr_fault *);

/* ---- typing.c ---- */

struct typing {
    struct arena *arena;
    const char *text;
    const struct expr_catalog *catalog;
    const struct hr_schema *schema;
    struct expr_fault *fault;
};

/* Look up names, give every node its type and put in the casts that Spark would. */
bool type_tree(const struct typing *, struct tree *);
/* Make *t give `to`, by a cast or at once where it is a literal. */
void type_coerce(const struct typing *, struct tree **t, struct hr_type to);
bool type_fault(const struct typing *, size_t at, size_t n, const char *format, ...) HR_PRINTF(4, 5);
/* The name that stands at these bytes, or stars: it may be a piece of a secret. */
const char *type_shown(const struct typing *, size_t at, size_t n, const char *name);
/* "; did you mean 'x'?" or "". */
const char *type_suggestion(struct arena *, const char *name, const char *const *candidates);

/* Spark's rule (allowPrecisionLoss) for the type of an arithmetic operation on two decimals. */
struct hr_type decimal_result(enum tree_kind, struct hr_type a, struct hr_type b);

/* ---- spark.c ---- */

/* What Spark makes of a function. */
struct spark_function {
    const char *name;    /* NULL: it is as here */
    bool casts;          /* it takes its own types only: casts of its arguments are written out */
    const char *differs; /* in a sentence, or NULL */
};
/* NULL: Spark has none of that name. */
const struct spark_function *spark_function(const char *name);

/* ---- decimal.c: exact, through 512 bits where 128 are too few ---- */

/* False: no result (division by zero, does not fit). */
bool decimal_arithmetic(enum tree_kind, hr_int128 a, int a_scale, hr_int128 b, int b_scale, struct hr_type result,
                        hr_int128 *out);
int decimal_compare(hr_int128 a, int a_scale, hr_int128 b, int b_scale);

/* ---- kernels.c: one loop over columns each; `out` is made with room and an all-valid bitmap ---- */

void kernel_fill(const struct tree *literal, struct hr_rows, struct hr_column *out);
void kernel_arithmetic(enum tree_kind, const struct hr_column *a, const struct hr_column *b, struct hr_rows,
                       uint32_t size, struct hr_column *out);
void kernel_negate(const struct hr_column *a, struct hr_rows, uint32_t size, struct hr_column *out);
/* TREE_EQ to TREE_SAME: both of one type, or both DECIMAL. */
void kernel_compare(enum tree_kind, const struct hr_column *a, const struct hr_column *b, struct hr_rows,
                    uint32_t size, struct hr_column *out);
void kernel_and_or(enum tree_kind, const struct hr_column *a, const struct hr_column *b, struct hr_rows,
                   struct hr_column *out);
void kernel_not(const struct hr_column *a, struct hr_rows, uint32_t size, struct hr_column *out);
void kernel_is_null(const struct hr_column *a, struct hr_rows, struct hr_column *out);
void kernel_like(const struct hr_column *text, const struct hr_column *pattern, struct hr_rows, uint32_t size,
                 struct hr_column *out);
void kernel_cast(struct hr_lane *, const struct hr_column *a, struct hr_rows, uint32_t size, struct hr_column *out);
/* Rows of `from` to the same rows of `into`. */
void kernel_copy(const struct hr_column *from, struct hr_rows, struct hr_column *into);
/* Rows that are null in `a` become null in `out`. */
void kernel_nulls(const struct hr_column *a, uint32_t size, struct hr_column *out);

#endif
