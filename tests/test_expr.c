/* test_expr.c: which expressions are refused and where, which rows are looked at, how functions are called */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "expr_fixture.h"

/* ---- faults ---- */

static const struct {
    const char *text;
    size_t at;
    const char *why;
} faults[] = {
    {"", 0, "expected a value, but the text ends"}, {"1 +", 3, "but the text ends"}, {"1 + * 2", 4, "expected a value, not '*'"},
    {"1 2", 2, "expected an operator or the end, not '2'"}, {"(1 + 2", 6, "')'"}, {"1)", 1, "not ')'"}, {"i # 1", 2, "no meaning"},
    {"'abc", 0, "never closed"}, {"s = \"abc", 4, "never closed"}, {"1 + `abc", 4, "never closed"}, {"'abc\\", 4, "escape"},
    {"'ab\\u12G4'", 3, "escape"}, {"'\\U0001F60'", 1, "escape"},
    {"'\\uD83D'", 1, "escape"}, {"'\\uD83D\\u0041'", 1, "escape"}, {"'\\uDE00'", 1, "escape"}, {"'\\U00110000'", 1, "escape"},
    {"1 /* a", 2, "comment is never closed"}, {"1 + /* /* a */ 2", 4, "comment is never closed"}, {"1 /*/", 2, "comment is never closed"},
    {"1 /*+ a */ + 2", 2, "a hint has no meaning"}, {"-- a", 4, "but the text ends"}, {"+b", 0, "cannot compute with BOOLEAN"}, {"i IN ()", 6, "expected a value"}, {"i IN 1", 5, "'('"}, {"i BETWEEN 1 OR 2", 12, "AND and the upper bound"},
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
    {"1e400", 0, "does not fit DOUBLE"}, {"CASE WHEN 1 THEN 2 END", 10, "WHEN takes BOOLEAN, not INT"}, {"CASE WHEN b THEN 1 ELSE d END", 24, "no common type"},
    {"CASE i WHEN d THEN 1 END", 12, "cannot compare"}, {"nullif(i, d)", 10, "cannot compare INT with DATE"},
    {"1 + nullif(i)", 4, "nullif takes 2 arguments, not 1"}, {"nullif(i, 1, 2)", 0, "nullif takes 2 arguments, not 3"}, {"i IN (1, d)", 9, "cannot compare"}, {"1 + CAST(i AS DATE)", 4, "cannot cast INT to DATE"},
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
        {"s <=> 'abc'", "true|false"}, {"nullif(s, 'abc')", "NULL|"}, {"nullif(i, s)", "7|2147483647"}, {"s IS NULL", "false|false"}, {"twice(i % 10)", "14|14"},
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

/* What Spark is given, and what of it is not Spark's. */
static const struct { const char *text, *sql; } for_spark[] = {
    {"concat('it''s', s)\n|| 'x'", "concat('it\\'s', s) || 'x'"},
    {"NULL", "CAST(NULL AS STRING)"},
    {"CASE WHEN NULL THEN 1 WHEN b THEN NULL END", "CASE WHEN CAST(NULL AS BOOLEAN) THEN 1 WHEN b THEN NULL END"},
    {"CASE WHEN b THEN NULL ELSE (NULL) END", "CASE WHEN b THEN CAST(NULL AS STRING) ELSE CAST((NULL) AS STRING) END"},
    {"i + 1.5 > l", "i + 1.5 > l"},
};

START_TEST(sql_for_spark) {
    struct expr_spark spark;
    expr_for_spark(&arena, compiled(for_spark[_i].text), &spark);
    ck_assert_str_eq(expr_sql(&arena, for_spark[_i].text, spark.insert, spark.inserts), for_spark[_i].sql);
    ck_assert(!spark.unknown);
}
END_TEST

START_TEST(what_spark_has_not) {
    struct expr_spark spark;
    expr_for_spark(&arena, compiled("concat(s, twice(i))"), &spark);
    ck_assert_str_eq(spark.unknown, "twice");
    expr_for_spark(&arena, compiled("l + 1 > l * l"), &spark);
    ck_assert(spark.differences == 1 && !strncmp(spark.difference[0], "Spark wraps", 11));
    ck_assert(expr_spark_aggregates("SUM") && !expr_spark_aggregates("twice"));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("expr");
    TCase *t = tcase_create("expr");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 20);
    tcase_add_loop_test(t, fault_of_expression, 0, COUNT(faults));
    tcase_add_test(t, nesting_is_limited);
    tcase_add_test(t, only_selected_rows_are_computed);
    tcase_add_test(t, rows_beyond_one_word);
    tcase_add_test(t, need_marks_what_is_read);
    tcase_add_test(t, calls_skip_nulls);
    tcase_add_test(t, arguments_are_cast);
    tcase_add_test(t, type_gets_the_constants);
    tcase_add_test(t, failed_call_fails_the_batch);
    tcase_add_test(t, aggregate_calls);
    tcase_add_loop_test(t, sql_for_spark, 0, COUNT(for_spark));
    tcase_add_test(t, what_spark_has_not);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
