/*
 * test_expr.c: expressions over a batch, against Spark SQL 3.5 without ANSI mode.
 *
 * Where headrace says otherwise (SPARK.md): what overflows or does not fit is null, never wrapped.
 * Texts and columns are memory of exactly their size, and null cells hold rubbish, so that a
 * sanitizer sees a byte read too many or a null row looked at.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "core/expr/expr.h"

#undef fail /* Check's: it would hit hr_host->fail */
#define T(id_) ((struct hr_type){.id = id_})
#define COUNT(a) (sizeof(a) / sizeof *(a))
#define BLOCKS 4096

/* ---- host: batch memory, each piece on its own ---- */

static struct arena arena;
static struct hr_lane lane;
static struct hr_error lane_error;
static void *block[BLOCKS];
static int blocks;

static void *exact_alloc(size_t n) {
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

static uint32_t rows_seen;
static char constant_seen[3][32];

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

static const struct hr_aggregate sum = {.name = "sum", .type = sum_type}, count = {.name = "count", .type = sum_type};

static const struct hr_aggregate *find_aggregate(const char *name) {
    return !strcasecmp(name, "sum") ? &sum : !strcasecmp(name, "count") ? &count : NULL;
}

static const char *const *all_names(void) {
    static const char *const names[] = {"twice", "pick", "nulls", "concat", "sum", "count", NULL};
    return names;
}

static const struct expr_catalog catalog = {find_function, find_aggregate, all_names};

/* ---- batch: a column of every type, a null in the second row ---- */

#define ROWS 4
#define COLUMNS 9
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
static struct hr_schema schema;
static struct hr_column column[COLUMNS];
static struct hr_batch batch;

static void fill_column(struct hr_column *c, struct hr_type type, const char *const *text, uint32_t n) {
    c->type = type;
    hr_column_make(&lane, c, n);
    for (uint32_t i = 0; i < n; i++) {
        struct hr_text t = {text[i], text[i] ? (uint32_t)strlen(text[i]) : 0, 0};
        if (!t.p) hr_set_null(c, i);
        else ck_assert(value_parse(type, t, (char *)c->at + i * hr_width(type)));
    }
}

static void setup(void) {
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

static void teardown(void) {
    while (blocks) free(block[--blocks]);
    arena_free(&arena);
}

/* The text is gone once the expression is compiled. */
static struct hr_expr *compile(const char *text, struct expr_fault *fault) {
    char *copy = strdup(text);
    struct hr_expr *e = expr_compile(&arena, &catalog, copy, &schema, fault);
    free(copy);
    return e;
}

static struct hr_expr *compiled(const char *text) {
    struct expr_fault fault = {0};
    struct hr_expr *e = compile(text, &fault);
    ck_assert_msg(e != NULL, "%s: refused at %zu: %s", text, fault.at, fault.text);
    return e;
}

static const char *shown(const struct hr_column *c, uint32_t i) {
    struct hr_buffer b = {0};
    if (hr_is_null(c, i)) return "NULL";
    value_text(&b, c->type, hr_value(c, i));
    const char *s = arena_strndup(&arena, b.n ? b.p : "", b.n);
    buffer_free(&b);
    return s;
}

/* All rows that count, with '|' between them. */
static const char *evaluated(const char *text) {
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
static void expect(const char *text, const char *want) {
    const char *all = want, *got = evaluated(text);
    for (int i = 1; !strchr(want, '|') && i < ROWS; i++) all = arena_printf(&arena, "%s|%s", all, want);
    ck_assert_msg(!strcmp(got, all), "%s gave %s, not %s", text, got, all);
}

/* ---- values ---- */

static const struct {
    const char *text, *want;
} values[] = {
    /* literals */
    {"42", "42"}, {"-2147483648", "-2147483648"}, {"2147483648", "2147483648"}, {"5L", "5"}, {"1.50", "1.50"},
    {"-9223372036854775808", "-9223372036854775808"}, {"9223372036854775808", "9223372036854775808"},
    {".5", "0.5"}, {"5.", "5"}, {"12BD", "12"}, {"1e3", "1000.0"}, {"-1.5E-4", "-1.5E-4"}, {"2d", "2.0"},
    {"true", "true"}, {"False", "false"}, {"null", "NULL"}, {"DATE '2024-02-29'", "2024-02-29"},
    {"timestamp'2024-01-31 23:59:59.250'", "2024-01-31 23:59:59.25"}, {"'it\\'s'", "it's"}, {"\"it's\"", "it's"},
    {"'\\u00e9\\u20AC\\t\\\\'", "\xC3\xA9\xE2\x82\xAC\t\\"}, {"''", ""}, {"'\\q\\_'", "q\\_"},
    /* columns */
    {"b", "true|NULL|false|true"}, {"i", "7|NULL|-3|2147483647"}, {"l", "5000000000|NULL|-1|9223372036854775807"},
    {"x", "2.5|NULL|NaN|Infinity"}, {"`s`", "abc|NULL|a_c%|"}, {"d", "2024-02-28|NULL|1969-12-31|1900-03-01"},
    {"t", "2024-02-28 12:30:00.5|NULL|1969-12-31 23:59:59|2024-01-01 00:00:00"},
    {"m", "12.34|NULL|-0.50|99999999.99"}, {"`odd ``name`", "1|NULL|2|3"},
    /* arithmetic: what overflows is null */
    {"i + 1", "8|NULL|-2|NULL"}, {"l + 1", "5000000001|NULL|0|NULL"}, {"i * 2", "14|NULL|-6|NULL"},
    {"-2 - i", "-9|NULL|1|NULL"}, {"l * -2", "-10000000000|NULL|2|NULL"}, {"2147483647 + 1L", "2147483648"},
    {"-(-2147483648)", "NULL"}, {"-i", "-7|NULL|3|-2147483647"}, {"+m", "12.34|NULL|-0.50|99999999.99"},
    {"i + l", "5000000007|NULL|-4|NULL"}, {"1e308 * 10", "Infinity"}, {"x * -2", "-5.0|NULL|NaN|-Infinity"},
    {"'5' + 1", "6.0"}, {"'x' * 2", "NULL"}, {"-'5'", "-5.0"}, {"NULL + 1", "NULL"}, {"1.5 - NULL", "NULL"},
    /* division and remainder */
    {"i / 2", "3.5|NULL|-1.5|1.0737418235E9"}, {"6 / 3", "2.0"}, {"i / 0", "NULL"}, {"x / 0", "NULL"},
    {"m / 0", "NULL"}, {"1D / -0D", "NULL"}, {"i % 0", "NULL"}, {"l % 0", "NULL"}, {"x % 0", "NULL"}, {"m % 0", "NULL"},
    {"i % 3", "1|NULL|0|1"}, {"-7 % 3", "-1"}, {"7 % -3", "1"}, {"-2147483648 % -1", "0"}, {"5.5D % 2", "1.5"},
    {"7.5 % 2", "1.5"}, {"-7.5 % 2", "-1.5"}, {"x % 2", "0.5|NULL|NaN|NaN"},
    /* decimals */
    {"0.1 + 0.2", "0.3"}, {"1.10 + 2.205", "3.305"}, {"1.5 * 1.5", "2.25"}, {"1.0 / 3", "0.333333"},
    {"-2.0 / 3", "-0.666667"}, {"m / 3", "4.113333|NULL|-0.166667|33333333.330000"},
    {"m / i", "1.7628571428571|NULL|0.1666666666667|0.0465661287478"}, {"m + i", "19.34|NULL|-3.50|2247483646.99"},
    {"m * m", "152.2756|NULL|0.2500|9999999998000000.0001"}, {"m - 0.005", "12.335|NULL|-0.505|99999999.985"},
    {"-m", "-12.34|NULL|0.50|-99999999.99"}, {"m + x", "14.84|NULL|NaN|Infinity"},
    {"99999999999999999999999999999999999999 + 1", "NULL"}, {"99999999999999999999999999999999999999 * 10", "NULL"},
    {"99999999999999999999999999999999999999 - 1", "99999999999999999999999999999999999998"},
    {"12345678901234567890.5 * 98765432109876543210.5", "NULL"},
    {"CAST(1.23456789 AS DECIMAL(38,10)) + CAST(1 AS DECIMAL(38,2))", "2.234568"},
    {"CAST(1.5 AS DECIMAL(38,10)) * CAST(2 AS DECIMAL(38,10))", "3.000000"},
    {"CAST(0.0000005 AS DECIMAL(38,10)) * CAST(-1 AS DECIMAL(38,10))", "-0.000001"}, /* half up, away from zero */
    {"CAST(0.00000049 AS DECIMAL(38,10)) * CAST(1 AS DECIMAL(38,10))", "0.000000"}, {"7 / 2.0000000", "3.500000000"},
    {"CAST(1 AS DECIMAL(38,18)) / CAST(3 AS DECIMAL(38,18))", "0.333333"},
    /* comparison */
    {"1 = 1.0", "true"}, {"1 < 1.5", "true"}, {"2147483648 > 2147483647", "true"}, {"'1.9' = 1", "true"},
    {"'abc' = 1", "NULL"}, {"'1.50' = 1.5", "true"}, {"'10' < '9'", "true"}, {"'a' < 'ab'", "true"}, {"1 == 1", "true"},
    {"1 <> 2", "true"}, {"1 != 1", "false"}, {"1 <= 1", "true"}, {"2 >= 3", "false"}, {"false < true", "true"},
    {"s = 'abc'", "true|NULL|false|false"}, {"d < '2000-01-01'", "false|NULL|true|true"},
    {"d = TIMESTAMP '2024-02-28 00:00:00'", "true|NULL|false|false"}, {"d < t", "true|NULL|true|true"},
    {"t >= '2024-02-28'", "true|NULL|false|false"}, {"true = 1", "true"}, {"b = 0", "false|NULL|true|false"},
    {"b != 'true'", "false|NULL|true|false"}, {"l > i", "true|NULL|true|true"}, {"m > i", "true|NULL|true|false"},
    {"m = 12.340", "true|NULL|false|false"}, {"x > l", "false|NULL|true|true"}, {"NULL = NULL", "NULL"},
    {"0.0000000000000000000000000000000000001 < 99999999999999999999999999999999999999", "true"},
    /* NaN equals itself and is the greatest */
    {"x = x", "true|NULL|true|true"}, {"x > 1e300", "false|NULL|true|true"}, {"x < 'NaN'", "true|NULL|false|true"},
    {"CAST('NaN' AS DOUBLE) > CAST('Infinity' AS DOUBLE)", "true"}, {"0D = -0D", "true"}, {"x <> x", "false|NULL|false|false"},
    /* nulls */
    {"i IS NULL", "false|true|false|false"}, {"i IS NOT NULL", "true|false|true|true"}, {"NULL IS NULL", "true"},
    {"i + 1 IS NULL", "false|true|false|true"}, {"i <=> NULL", "false|true|false|false"}, {"NULL <=> NULL", "true"},
    {"i <=> 7", "true|false|false|false"}, {"s <=> s", "true"}, {"x <=> 'NaN'", "false|false|true|false"},
    {"1 <=> 1.0", "true"}, {"m <=> m", "true"},
    /* IN and BETWEEN */
    {"i IN (7, -3)", "true|NULL|true|false"}, {"i IN (7, NULL)", "true|NULL|NULL|NULL"},
    {"i NOT IN (7, NULL)", "false|NULL|NULL|NULL"}, {"1 IN (1.0, 2)", "true"}, {"1 IN ('1.0')", "false"},
    {"'1' IN (1, 2)", "true"}, {"NULL IN (1)", "NULL"}, {"NULL IN (NULL)", "NULL"}, {"i IN (l, i)", "true|NULL|true|true"},
    {"m IN (12.340, 1)", "true|NULL|false|false"}, {"d IN ('2024-02-28')", "true|NULL|false|false"},
    {"i BETWEEN -3 AND 7", "true|NULL|true|false"}, {"i NOT BETWEEN 0 AND 10", "false|NULL|true|true"},
    {"5 BETWEEN 7 AND NULL", "false"}, {"5 BETWEEN 1 AND NULL", "NULL"}, {"5 NOT BETWEEN NULL AND 4", "true"},
    {"i BETWEEN 1 + 1 AND 2 * 4 AND true", "true|NULL|false|false"}, {"2 BETWEEN 1.5 AND 2.5", "true"},
    {"d BETWEEN '2024-01-01' AND '2024-12-31'", "true|NULL|false|false"},
    /* CASE */
    {"CASE WHEN i > 0 THEN 'pos' WHEN i < 0 THEN 'neg' END", "pos|NULL|neg|pos"}, {"CASE WHEN NULL THEN 1 ELSE 2 END", "2"},
    {"case i when 7 then 'seven' when -3 then s else 'other' end", "seven|other|a_c%|other"},
    {"CASE NULL WHEN NULL THEN 1 ELSE 2 END", "2"}, {"CASE WHEN b THEN 1 ELSE 2.5 END", "1.0|2.5|2.5|1.0"},
    {"CASE WHEN b THEN 1 ELSE 'x' END", "1|x|x|1"}, {"CASE WHEN b THEN i END", "7|NULL|NULL|2147483647"},
    {"CASE WHEN true THEN NULL ELSE 1 END", "NULL"}, {"CASE WHEN b THEN 1 ELSE NULL END", "1|NULL|NULL|1"},
    {"CASE 1 WHEN 1.0 THEN CASE WHEN b THEN d END END", "2024-02-28|NULL|NULL|1900-03-01"},
    /* LIKE */
    {"s LIKE 'a%'", "true|NULL|true|false"}, {"s LIKE 'a_c'", "true|NULL|false|false"},
    {"s LIKE 'a\\_c\\%'", "false|NULL|true|false"}, {"s LIKE ''", "false|NULL|false|true"}, {"s LIKE '%'", "true|NULL|true|true"},
    {"s NOT LIKE 'a%'", "false|NULL|false|true"}, {"s LIKE NULL", "NULL"}, {"'a\\\\b' LIKE 'a\\\\\\\\b'", "true"},
    {"'\xC3\xA9t\xC3\xA9' LIKE '_t_'", "true"}, {"'aXbXc' LIKE '%X%c'", "true"}, {"'abab' LIKE '%ab'", "true"},
    {"'ab' LIKE 'abc'", "false"}, {"'ab' LIKE 'a'", "false"}, {"'ab' LIKE '__%'", "true"}, {"'a\\nb' LIKE 'a%b'", "true"},
    {"'ABC' LIKE 'abc'", "false"}, {"12 LIKE '1%'", "true"}, {"'aab' LIKE '%a_'", "true"}, {"'%' LIKE '\\%'", "true"},
    /* CAST */
    {"CAST(' 12 ' AS INT)", "12"}, {"CAST('-1.9' AS INT)", "-1"}, {"CAST('1e3' AS INT)", "NULL"}, {"CAST('' AS INT)", "NULL"},
    {"CAST('2147483648' AS INT)", "NULL"}, {"CAST(s AS INT)", "NULL"}, {"CAST('9223372036854775807' AS BIGINT)", "9223372036854775807"},
    {"CAST(-2.9D AS INT)", "-2"}, {"CAST(2.9 AS INT)", "2"}, {"CAST(m AS BIGINT)", "12|NULL|0|99999999"},
    {"CAST(b AS INT)", "1|NULL|0|1"}, {"CAST(i AS BIGINT) + 1", "8|NULL|-2|2147483648"}, {"CAST(b AS DOUBLE)", "1.0|NULL|0.0|1.0"},
    {"CAST(l AS DOUBLE)", "5.0E9|NULL|-1.0|9.223372036854776E18"}, {"CAST(m AS DOUBLE)", "12.34|NULL|-0.5|9.999999999E7"},
    {"CAST(' -inf ' AS DOUBLE)", "-Infinity"}, {"CAST('1e3' AS DOUBLE)", "1000.0"}, {"CAST('1,5' AS DOUBLE)", "NULL"},
    {"CAST(-12.345 AS DECIMAL(4,2))", "-12.35"}, {"CAST(123.45 AS DECIMAL(4,2))", "NULL"}, {"CAST('1.255' AS DECIMAL(5,2))", "1.26"},
    {"CAST(i AS DECIMAL(5,2))", "7.00|NULL|-3.00|NULL"},
    {"CAST(0.1D AS DECIMAL(10,5))", "0.10000"}, {"CAST(b AS DECIMAL(3,1))", "1.0|NULL|0.0|1.0"},
    {"CAST(m AS DECIMAL(9,1))", "12.3|NULL|-0.5|NULL"},
    {"CAST(b AS STRING)", "true|NULL|false|true"}, {"CAST(i AS STRING)", "7|NULL|-3|2147483647"},
    {"CAST(x AS STRING)", "2.5|NULL|NaN|Infinity"}, {"CAST(m AS STRING)", "12.34|NULL|-0.50|99999999.99"},
    {"CAST(d AS STRING)", "2024-02-28|NULL|1969-12-31|1900-03-01"}, {"CAST(1e7 AS STRING)", "1.0E7"},
    {"CAST(t AS STRING)", "2024-02-28 12:30:00.5|NULL|1969-12-31 23:59:59|2024-01-01 00:00:00"},
    {"CAST(i AS BOOLEAN)", "true|NULL|true|true"}, {"CAST(0.0 AS BOOLEAN)", "false"}, {"CAST(x AS BOOLEAN)", "true|NULL|true|true"},
    {"CAST('yes' AS BOOLEAN)", "true"}, {"CAST(' F ' AS BOOLEAN)", "false"}, {"CAST('maybe' AS BOOLEAN)", "NULL"},
    {"CAST('2024-2-9' AS DATE)", "2024-02-09"}, {"CAST('2023-02-29' AS DATE)", "NULL"}, {"CAST('2024' AS DATE)", "2024-01-01"},
    {"CAST('2024-03-01T10:00' AS DATE)", "2024-03-01"}, {"CAST(t AS DATE)", "2024-02-28|NULL|1969-12-31|2024-01-01"},
    {"CAST(d AS TIMESTAMP)", "2024-02-28 00:00:00|NULL|1969-12-31 00:00:00|1900-03-01 00:00:00"},
    {"CAST('2024-01-01 00:00:00+02:00' AS TIMESTAMP)", "2023-12-31 22:00:00"}, {"CAST(NULL AS DATE)", "NULL"},
    {"CAST(CAST('2.50' AS DECIMAL(5,2)) AS STRING)", "2.50"},
    /* days */
    {"d + 2", "2024-03-01|NULL|1970-01-02|1900-03-03"}, {"1 + d", "2024-02-29|NULL|1970-01-01|1900-03-02"},
    {"d - 1", "2024-02-27|NULL|1969-12-30|1900-02-28"}, {"d + NULL", "NULL"}, {"d + i IS NULL", "false|true|false|false"},
    /* precedence and associativity */
    {"1 + 2 * 3", "7"}, {"(1 + 2) * 3", "9"}, {"10 - 4 - 3", "3"}, {"100 / 10 / 5", "2.0"}, {"8 % 5 * 2", "6"},
    {"-2 * -3", "6"}, {"10 - -3", "13"}, {"- 2 + 5", "3"}, {"-i + 8", "1|NULL|11|-2147483639"},
    {"true OR false AND false", "true"}, {"(true OR false) AND false", "false"}, {"NOT false AND false", "false"},
    {"NOT true = false", "true"}, {"NOT NOT true", "true"}, {"NOT i IS NULL", "true|false|true|true"},
    {"i = 7 IS NULL", "false|true|false|false"}, {"1 < 2 = true", "true"}, {"1 + 2 IN (3)", "true"}, {"NOT 1 IN (2)", "true"},
    {"1 + 1 = 2 AND 2 < 3 OR false", "true"}, {"'a' || 'b' = 'ab'", "true"}, {"'1' || 2 + 1", "13.0"}, {"s || i", "abc7|NULL|a_c%-3|2147483647"},
};

START_TEST(value_of_expression) {
    expect(values[_i].text, values[_i].want);
}
END_TEST

static const struct {
    const char *text, *type;
} types[] = {
    {"1", "INT"}, {"2147483648", "BIGINT"}, {"9223372036854775808", "DECIMAL(19,0)"}, {"0.05", "DECIMAL(2,2)"},
    {"1.50", "DECIMAL(3,2)"}, {"1e0", "DOUBLE"}, {"NULL", "STRING"}, {"i + 1L", "BIGINT"}, {"i / 2", "DOUBLE"}, {"'1' + 1.5", "DOUBLE"},
    {"m + m", "DECIMAL(11,2)"}, {"m * m", "DECIMAL(21,4)"}, {"m / m", "DECIMAL(23,13)"}, {"m % 0.001", "DECIMAL(3,3)"},
    {"m + 1", "DECIMAL(11,2)"}, {"m + i", "DECIMAL(13,2)"}, {"m + l", "DECIMAL(23,2)"}, {"m * 100", "DECIMAL(14,2)"},
    {"m + x", "DOUBLE"}, {"CASE WHEN b THEN i ELSE m END", "DECIMAL(12,2)"}, {"CASE WHEN b THEN d ELSE t END", "TIMESTAMP"},
    {"CASE WHEN b THEN d ELSE s END", "STRING"}, {"d + 1", "DATE"}, {"i <=> 1", "BOOLEAN"}, {"CAST(1 AS decimal( 7 , 3 ))", "DECIMAL(7,3)"},
    {"CAST(1 AS DECIMAL(38,38)) * CAST(1 AS DECIMAL(38,0))", "DECIMAL(38,6)"}, {"twice(1)", "INT"}, {"pick(1, 2)", "BIGINT"},
};

START_TEST(type_of_expression) {
    char name[24];
    ck_assert_msg(!strcmp(type_name(expr_type(compiled(types[_i].text)), name), types[_i].type), "%s is %s, not %s",
                  types[_i].text, name, types[_i].type);
}
END_TEST

/* true, false, null against each other, as columns */
START_TEST(three_valued_logic) {
    static const char *const left[9] = {"t", "t", "t", "f", "f", "f", NULL, NULL, NULL};
    static const char *const right[9] = {"t", "f", NULL, "t", "f", NULL, "t", "f", NULL};
    fill_column(&column[0], T(HR_BOOLEAN), left, 9);
    fill_column(&column[1], T(HR_BOOLEAN), right, 9);
    schema = (struct hr_schema){2, (const struct hr_field[]){{"p", T(HR_BOOLEAN)}, {"q", T(HR_BOOLEAN)}}};
    batch.size = batch.rows.n = 9;
    ck_assert_str_eq(evaluated("p AND q"), "true|false|NULL|false|false|false|NULL|false|NULL");
    ck_assert_str_eq(evaluated("p OR q"), "true|true|true|true|false|NULL|true|NULL|NULL");
    ck_assert_str_eq(evaluated("NOT p"), "false|false|false|true|true|true|NULL|NULL|NULL");
    ck_assert_str_eq(evaluated("p <=> q"), "true|false|false|false|true|false|false|false|true");
    ck_assert_str_eq(evaluated("p AND NULL"), "NULL|NULL|NULL|false|false|false|NULL|NULL|NULL");
}
END_TEST

/* ---- faults ---- */

static const struct {
    const char *text;
    size_t at;
    const char *why;
} faults[] = {
    {"", 0, "expected a value, but the text ends"}, {"1 +", 3, "but the text ends"}, {"1 + * 2", 4, "expected a value, not '*'"},
    {"1 2", 2, "expected an operator or the end, not '2'"}, {"(1 + 2", 6, "')'"}, {"1)", 1, "not ')'"}, {"i # 1", 2, "no meaning"},
    {"'abc", 0, "never closed"}, {"s = \"abc", 4, "never closed"}, {"1 + `abc", 4, "never closed"}, {"'abc\\", 4, "escape"},
    {"'ab\\u12G4'", 3, "escape"}, {"i IN ()", 6, "expected a value"}, {"i IN 1", 5, "'('"}, {"i BETWEEN 1 OR 2", 12, "AND and the upper bound"},
    {"i IS 1", 5, "NULL or NOT NULL"}, {"i NOT 1", 6, "IN, BETWEEN or LIKE"}, {"CASE END", 5, "expected a value"},
    {"CASE WHEN b 1 END", 12, "expected THEN"}, {"CASE WHEN b THEN 1", 18, "WHEN, ELSE or END"}, {"CAST(1 INT)", 7, "AS and a type"},
    {"CAST(1 AS FOO)", 10, "a type"}, {"CAST(1 AS DECIMAL(39,0))", 10, "a type"}, {"twice(1", 7, "',' or ')'"},
    {"DATE '2023-02-29'", 5, "no date"}, {"TIMESTAMP 'now'", 10, "no timestamp"}, {"1 + 12abc", 4, "no number"},
    {"1 + 9223372036854775808L", 4, "does not fit BIGINT"}, {"1 + 100000000000000000000000000000000000000", 4, "more than 38 digits"},
    {"1 + amuont", 4, "no column 'amuont'"}, {"1 + `odd name`", 4, "did you mean 'odd `name'?"},
    {"2 * twise(1)", 4, "no function 'twise'; did you mean 'twice'?"},
    {"zzzzz(1)", 0, "no function 'zzzzz'"}, {"1 + sum(i)", 4, "sum is an aggregate"}, {"1 + twice()", 4, "twice takes 1 argument, not 0"},
    {"nulls(1, 2, 3)", 0, "nulls takes 1 to 2 arguments, not 3"}, {"twice( b)", 7, "twice takes INT here, not BOOLEAN"},
    {"pick(1, i)", 0, "the second must be a constant"}, {"pick(1, 2, d)", 11, "DATE cannot be read as BIGINT"},
    {"1 + b", 0, "cannot compute with INT and BOOLEAN"}, {"2 * (d * 2)", 4, "cannot compute with DATE and INT"}, {"d + 1L", 0, "DATE and BIGINT"},
    {"-b", 0, "cannot negate BOOLEAN"}, {"1 = d", 4, "cannot compare INT with DATE"}, {"b < 1", 4, "cannot compare BOOLEAN with INT"},
    {"b AND 1", 6, "AND takes BOOLEAN, not INT"}, {"s OR b", 0, "OR takes BOOLEAN, not STRING"}, {"NOT i", 4, "NOT takes BOOLEAN"},
    {"CASE WHEN 1 THEN 2 END", 10, "WHEN takes BOOLEAN, not INT"}, {"CASE WHEN b THEN 1 ELSE d END", 24, "no common type"},
    {"CASE i WHEN d THEN 1 END", 12, "cannot compare"}, {"i IN (1, d)", 9, "cannot compare"}, {"1 + CAST(i AS DATE)", 4, "cannot cast INT to DATE"},
};

START_TEST(fault_of_expression) {
    struct expr_fault fault = {0};
    const char *text = faults[_i].text;
    ck_assert_msg(!compile(text, &fault), "%s is taken", text);
    ck_assert_msg(fault.at == faults[_i].at, "%s: fault at %zu, not %zu: %s", text, fault.at, faults[_i].at, fault.text);
    ck_assert_msg(fault.n > 0 && fault.at + fault.n <= strlen(text) + 1, "%s: %zu bytes at fault", text, fault.n);
    ck_assert_msg(strstr(fault.text, faults[_i].why) != NULL, "%s: %s", text, fault.text);
}
END_TEST

static char *repeated(const char *head, int n, const char *middle, const char *tail, int m) {
    struct hr_buffer b = {0};
    for (int k = 0; k < n; k++) buffer_puts(&b, head);
    buffer_puts(&b, middle);
    for (int k = 0; k < m; k++) buffer_puts(&b, tail);
    char *s = arena_strndup(&arena, b.p, b.n);
    buffer_free(&b);
    return s;
}

START_TEST(nesting_is_limited) {
    static const char *const deep[][2] = {{"(", ")"}, {"-(", ")"}, {"NOT ", ""}, {"twice(", ")"}, {"", "+1"}, {"CASE WHEN b THEN ", " END"}};
    for (size_t k = 0; k < COUNT(deep); k++) {
        struct expr_fault fault = {0};
        const char *middle = *deep[k][0] == 'N' ? "b" : "1";
        compiled(repeated(deep[k][0], 400, middle, deep[k][1], 400));
        ck_assert(!compile(repeated(deep[k][0], 100000, middle, deep[k][1], 100000), &fault));
        ck_assert_msg(strstr(fault.text, "nested too deeply") != NULL, "%s: %s", deep[k][0], fault.text);
    }
}
END_TEST

/* ---- which rows and columns are looked at ---- */

START_TEST(only_selected_rows_are_computed) {
    static const uint16_t sel[] = {0, 3};
    static const char *const rows[][2] = {
        {"i + 0", "7|2147483647"}, {"-i", "-7|-2147483647"}, {"m * 2", "24.68|199999999.98"}, {"s", "abc|"},
        {"s LIKE 'a%'", "true|false"}, {"s = 'abc' OR s IN ('x')", "true|false"}, {"s || 'x'", "abcx|x"},
        {"CASE s WHEN 'abc' THEN 1 ELSE 2 END", "1|2"}, {"CASE WHEN i > 9 THEN s END", "NULL|"},
        {"CAST(s AS DATE)", "NULL|NULL"}, {"CAST(i AS STRING)", "7|2147483647"}, {"i BETWEEN 1 AND 9", "true|false"},
        {"s <=> 'abc'", "true|false"}, {"s IS NULL", "false|false"}, {"twice(i % 10)", "14|14"},
    };
    ((struct hr_text *)column[4].at)[2] = (struct hr_text){(const char *)16, 1000, 0}; /* must not be read */
    batch.rows = (struct hr_rows){sel, 2};
    rows_seen = 0;
    for (size_t k = 0; k < COUNT(rows); k++) {
        const char *got = evaluated(rows[k][0]);
        ck_assert_msg(!strcmp(got, rows[k][1]), "%s gave %s, not %s", rows[k][0], got, rows[k][1]);
    }
    ck_assert_uint_eq(rows_seen, 2);
    batch.rows.n = 0;
    ck_assert_ptr_null(evaluated("twice(i) + 1 > 0 AND s LIKE 'x' OR i IN (1, 2)"));
    ck_assert_uint_eq(rows_seen, 2);
}
END_TEST

/* More rows than one word of the bitmap has, and a column without a bitmap. */
START_TEST(rows_beyond_one_word) {
    struct hr_column out;
    batch.size = batch.rows.n = 130;
    hr_column_make(&lane, &column[1], 130);
    column[2] = (struct hr_column){.at = exact_alloc(130 * 8), .type = T(HR_BIGINT)};
    for (uint32_t i = 0; i < 130; i++) {
        ((int32_t *)column[1].at)[i] = (int32_t)i;
        ((int64_t *)column[2].at)[i] = i;
        if (i % 3 == 0) hr_set_null(&column[1], i);
    }
    ck_assert(expr_eval(compiled("CASE WHEN i % 2 = 0 THEN twice(i) + l WHEN l % 2 = 1 THEN l END"), &lane, &batch, &out));
    for (uint32_t i = 0; i < 130; i++) {
        bool null = i % 6 == 0;
        ck_assert_msg(hr_is_null(&out, i) == null, "row %u", i);
        if (!null) ck_assert_int_eq(((int64_t *)out.at)[i], i % 2 == 0 ? 3 * i : i);
    }
    ck_assert(expr_eval(compiled("l"), &lane, &batch, &out) && !out.valid);
}
END_TEST

START_TEST(need_marks_what_is_read) {
    static const struct { const char *text, *marks; } rows[] = {
        {"1 + 2", "000000000"}, {"i", "010000000"}, {"CASE WHEN b THEN l ELSE twice(i) END", "111000000"},
        {"x IN (1, m) OR s LIKE 'a' AND `odd ``name` IS NULL", "000110011"}, {"CAST(d AS TIMESTAMP) BETWEEN t AND t", "000001100"},
    };
    for (size_t k = 0; k < COUNT(rows); k++) {
        uint8_t *in = calloc(COLUMNS, 1);
        expr_need(compiled(rows[k].text), in);
        for (int c = 0; c < COLUMNS; c++) ck_assert_msg(in[c] == rows[k].marks[c] - '0', "%s: column %d", rows[k].text, c);
        free(in);
    }
}
END_TEST

/* ---- calls ---- */

START_TEST(calls_skip_nulls) {
    rows_seen = 0;
    expect("TWICE(i % 100)", "14|NULL|-6|94");
    ck_assert_uint_eq(rows_seen, 3);
    expect("twice(CASE WHEN i = 7 THEN 13 ELSE 1 END)", "NULL|2|2|2");
    expect("nulls(i, s)", "0|2|0|0");
    expect("nulls(NULL, 1)", "1");
    expect("CASE WHEN i = 7 THEN 1 ELSE twice(i % 100) END", "1|NULL|-6|94");
}
END_TEST

START_TEST(arguments_are_cast) {
    expect("twice('21')", "42");
    expect("twice(m)", "24|NULL|0|199999998");
    expect("twice(NULL)", "NULL");
    expect("pick(1, 2, i)", "7|NULL|-3|2147483647");
    expect("pick('5', 2, s)", "NULL");
    expect("pick(1, 2, NULL)", "NULL");
}
END_TEST

START_TEST(type_gets_the_constants) {
    compiled("pick(i, 'a b', -1.50)");
    ck_assert_str_eq(constant_seen[0], "none");
    ck_assert_str_eq(constant_seen[1], "a b");
    ck_assert_str_eq(constant_seen[2], "-1.50");
    compiled("pick(NULL, true, 1 + 1)");
    ck_assert_str_eq(constant_seen[0], "none");
    ck_assert_str_eq(constant_seen[1], "true");
    ck_assert_str_eq(constant_seen[2], "none");
}
END_TEST

START_TEST(failed_call_fails_the_batch) {
    struct hr_column out;
    ck_assert(!expr_eval(compiled("1 + twice(99)"), &lane, &batch, &out));
    ck_assert_str_eq(lane_error.text, "ninety-nine");
    ck_assert(expr_eval(compiled("CASE WHEN false THEN twice(99) ELSE 1 END"), &lane, &batch, &out));
}
END_TEST

/* ---- aggregates ---- */

START_TEST(aggregate_calls) {
    static const struct { const char *text; size_t at; const char *why; } bad[] = {
        {"sum(*)", 0, "only count takes *"}, {"som(i)", 0, "no aggregate 'som'; did you mean 'sum'?"}, {"twice(i)", 0, "twice is no aggregate"},
        {"sum(i) + 1", 7, "expected the end"}, {"sum(i, l)", 5, "one argument"}, {"sum(s)", 0, "no sum of text"}, {"sum(j)", 4, "no column 'j'"},
        {"count(DISTINCT i)", 6, "DISTINCT"}, {"sum", 3, "'('"}, {"1", 0, "an aggregate such as"},
    };
    struct hr_agg agg;
    struct hr_expr *arg;
    struct expr_fault fault;
    ck_assert(expr_compile_aggregate(&arena, &catalog, "Count ( * )", &schema, &agg, &arg, &fault));
    ck_assert(agg.fn == &count && agg.args == 0 && !arg && agg.result.id == HR_BIGINT);
    ck_assert(expr_compile_aggregate(&arena, &catalog, "sum(m - 1)", &schema, &agg, &arg, &fault));
    ck_assert(agg.fn == &sum && agg.args == 1 && type_equal(agg.arg, expr_type(arg)) && agg.arg.precision == 11);
    for (size_t k = 0; k < COUNT(bad); k++) {
        ck_assert_msg(!expr_compile_aggregate(&arena, &catalog, bad[k].text, &schema, &agg, &arg, &fault), "%s", bad[k].text);
        ck_assert_msg(fault.at == bad[k].at && strstr(fault.text, bad[k].why), "%s: at %zu: %s", bad[k].text, fault.at, fault.text);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("expr");
    TCase *t = tcase_create("expr");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 20);
    tcase_add_loop_test(t, value_of_expression, 0, COUNT(values));
    tcase_add_loop_test(t, type_of_expression, 0, COUNT(types));
    tcase_add_loop_test(t, fault_of_expression, 0, COUNT(faults));
    tcase_add_test(t, three_valued_logic);
    tcase_add_test(t, nesting_is_limited);
    tcase_add_test(t, only_selected_rows_are_computed);
    tcase_add_test(t, rows_beyond_one_word);
    tcase_add_test(t, need_marks_what_is_read);
    tcase_add_test(t, calls_skip_nulls);
    tcase_add_test(t, arguments_are_cast);
    tcase_add_test(t, type_gets_the_constants);
    tcase_add_test(t, failed_call_fails_the_batch);
    tcase_add_test(t, aggregate_calls);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
