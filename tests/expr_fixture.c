/* expr_fixture.c: see expr_fixture.h */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "expr_fixture.h"

#undef fail /* Check's: it would hit hr_host->fail */
#define BLOCKS 4096

/* ---- host: batch memory, each piece on its own ---- */

struct arena arena;
struct hr_lane lane;
struct hr_error lane_error;
static void *block[BLOCKS];
static int blocks;

void *exact_alloc(size_t n) {
    ck_assert_int_lt(blocks, BLOCKS);
    void *p = malloc(n ? n : 1);
    return block[blocks++] = memset(p, 0xAA, n ? n : 1);
}

static void *batch_alloc(struct hr_lane *l, size_t n) {
    ck_assert_ptr_eq(l, &lane);
    return exact_alloc(n);
}

static const struct hr_host host = {.abi = HR_ABI, .fail = error_set, .batch_alloc = batch_alloc};

/* ---- catalog: a few functions and one aggregate ---- */

uint32_t rows_seen;
char constant_seen[3][32];

/* twice(INT): never sees a null; twice 13 is null, twice 99 fails */
static bool twice(const struct hr_call *c) {
    const int32_t *x = c->arg[0]->at;
    HR_EACH(c->rows, i) {
        rows_seen++;
        ck_assert(!hr_is_null(c->arg[0], i));
        if (x[i] == 99) return hr_fail(c->lane->err, HR_EFAIL, "ninety-nine");
        if (x[i] == 13) hr_set_null(c->out, i);
        else ((int32_t *)c->out->at)[i] = 2 * x[i];
    }
    return true;
}

/* pick(value, constant, value): notes its constants, reads all as BIGINT, gives the last */
static bool pick_type(int args, struct hr_type *arg, const struct hr_text *const *constant, struct hr_type *gives,
                      struct hr_error *err) {
    for (int k = 0; k < args; k++) {
        int n = constant[k] ? (int)constant[k]->n : 4;
        snprintf(constant_seen[k], sizeof *constant_seen, "%.*s", n, constant[k] ? constant[k]->p : "none");
        arg[k] = T(HR_BIGINT);
    }
    if (!constant[1]) return hr_fail(err, HR_ECONFIG, "pick: the second must be a constant");
    *gives = T(HR_BIGINT);
    return true;
}

static bool pick(const struct hr_call *c) {
    HR_EACH(c->rows, i) {
        ck_assert_int_eq(c->arg[0]->type.id, HR_BIGINT);
        ((int64_t *)c->out->at)[i] = ((const int64_t *)c->arg[c->args - 1]->at)[i];
    }
    return true;
}

/* nulls(a, b): how many are null */
static bool count_nulls(const struct hr_call *c) {
    HR_EACH(c->rows, i) {
        int32_t n = 0;
        for (int k = 0; k < c->args; k++) n += hr_is_null(c->arg[k], i);
        ((int32_t *)c->out->at)[i] = n;
    }
    return true;
}

static bool concat(const struct hr_call *c) {
    const struct hr_text *x = c->arg[0]->at, *y = c->arg[1]->at;
    HR_EACH(c->rows, i) {
        char *p = hr_batch_alloc(c->lane, x[i].n + y[i].n);
        if (x[i].n) memcpy(p, x[i].p, x[i].n);
        if (y[i].n) memcpy(p + x[i].n, y[i].p, y[i].n);
        ((struct hr_text *)c->out->at)[i] = (struct hr_text){p, x[i].n + y[i].n, 0};
    }
    return true;
}

static const struct hr_function functions[] = {
    {.name = "twice", .min_args = 1, .max_args = 1, .takes = {{.id = HR_INT}}, .gives = {.id = HR_INT}, .eval = twice},
    {.name = "pick", .min_args = 2, .max_args = 3, .type = pick_type, .eval = pick},
    {.name = "nulls", .min_args = 1, .max_args = 2, .gives = {.id = HR_INT}, .nulls = true, .eval = count_nulls},
    {.name = "concat", .min_args = 2, .max_args = 2, .takes = {{.id = HR_STRING}, {.id = HR_STRING}},
     .gives = {.id = HR_STRING}, .eval = concat},
};

static const struct hr_function *find_function(const char *name) {
    for (size_t k = 0; k < COUNT(functions); k++)
        if (!strcasecmp(functions[k].name, name)) return &functions[k];
    return NULL;
}

static bool sum_type(struct hr_agg *a, struct hr_error *err) {
    if (a->args && a->arg.id == HR_STRING) return hr_fail(err, HR_ECONFIG, "no sum of text");
    a->result = T(HR_BIGINT);
    a->size = 8;
    return true;
}

const struct hr_aggregate sum = {.name = "sum", .type = sum_type}, count = {.name = "count", .type = sum_type};

static const struct hr_aggregate *find_aggregate(const char *name) {
    return !strcasecmp(name, "sum") ? &sum : !strcasecmp(name, "count") ? &count : NULL;
}

static const char *const *all_names(void) {
    static const char *const names[] = {"twice", "pick", "nulls", "concat", "sum", "count", NULL};
    return names;
}

const struct expr_catalog catalog = {find_function, find_aggregate, all_names};

/* ---- batch: a column of every type, a null in the second row ---- */

static const char schema_text[] = "b BOOLEAN, i INT, l BIGINT, x DOUBLE, s STRING, d DATE, t TIMESTAMP, "
                                  "m DECIMAL(10,2), `odd ``name` INT";
static const char *const cell[COLUMNS][ROWS] = {
    {"true", NULL, "false", "true"},
    {"7", NULL, "-3", "2147483647"},
    {"5000000000", NULL, "-1", "9223372036854775807"},
    {"2.5", NULL, "NaN", "Infinity"},
    {"abc", NULL, "a_c%", ""},
    {"2024-02-28", NULL, "1969-12-31", "1900-03-01"},
    {"2024-02-28 12:30:00.5", NULL, "1969-12-31 23:59:59", "2024-01-01 00:00:00"},
    {"12.34", NULL, "-0.50", "99999999.99"},
    {"1", NULL, "2", "3"},
};
struct hr_schema schema;
struct hr_column column[COLUMNS];
struct hr_batch batch;

void fill_column(struct hr_column *c, struct hr_type type, const char *const *text, uint32_t n) {
    c->type = type;
    hr_column_make(&lane, c, n);
    for (uint32_t i = 0; i < n; i++) {
        struct hr_text t = {text[i], text[i] ? (uint32_t)strlen(text[i]) : 0, 0};
        if (!t.p) hr_set_null(c, i);
        else ck_assert(value_parse(type, t, (char *)c->at + i * hr_width(type)));
    }
}

void setup(void) {
    size_t at;
    hr_host = &host;
    memset(&arena, 0, sizeof arena);
    blocks = 0;
    lane_error = (struct hr_error){0};
    lane = (struct hr_lane){.err = &lane_error};
    ck_assert(schema_parse(&arena, schema_text, &schema, &at, &lane_error));
    ck_assert_int_eq(schema.n, COLUMNS);
    for (int k = 0; k < COLUMNS; k++) fill_column(&column[k], schema.field[k].type, cell[k], ROWS);
    batch = (struct hr_batch){.rows = {.n = ROWS}, .size = ROWS, .columns = COLUMNS, .column = column};
}

void teardown(void) {
    while (blocks) free(block[--blocks]);
    arena_free(&arena);
}

/* The text is gone once the expression is compiled. */
struct hr_expr *compile(const char *text, struct expr_fault *fault) {
    char *copy = strdup(text);
    struct hr_expr *e = expr_compile(&arena, &catalog, copy, &schema, fault);
    free(copy);
    return e;
}

struct hr_expr *compiled(const char *text) {
    struct expr_fault fault = {0};
    struct hr_expr *e = compile(text, &fault);
    ck_assert_msg(e != NULL, "%s: refused at %zu: %s", text, fault.at, fault.text);
    return e;
}

const char *shown(const struct hr_column *c, uint32_t i) {
    struct hr_buffer b = {0};
    if (hr_is_null(c, i)) return "NULL";
    value_text(&b, c->type, hr_value(c, i));
    const char *s = arena_strndup(&arena, b.n ? b.p : "", b.n);
    buffer_free(&b);
    return s;
}

/* All rows that count, with '|' between them. */
const char *evaluated(const char *text) {
    struct hr_column out;
    struct hr_expr *e = compiled(text);
    ck_assert_msg(expr_eval(e, &lane, &batch, &out), "%s: %s", text, lane_error.text);
    ck_assert_msg(type_equal(out.type, expr_type(e)), "%s: not the type it said", text);
    const char *all = NULL;
    HR_EACH(batch.rows, i) {
        const char *one = shown(&out, i);
        all = all ? arena_printf(&arena, "%s|%s", all, one) : one;
    }
    return all;
}

/* `want` without '|' stands for the same in every row. */
void expect(const char *text, const char *want) {
    const char *all = want, *got = evaluated(text);
    for (int i = 1; !strchr(want, '|') && i < ROWS; i++) all = arena_printf(&arena, "%s|%s", all, want);
    ck_assert_msg(!strcmp(got, all), "%s gave %s, not %s", text, got, all);
}
