/*
 * test_expr_values.c: what expressions give, against Spark SQL 3.5 without ANSI mode.
 *
 * Where headrace says otherwise (docs/differences.md): what overflows or does not fit is null, never wrapped.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "expr_fixture.h"

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
    {"'\\uD83D\\uDE00 \\U0001F600 \\U00000041'", "\xF0\x9F\x98\x80 \xF0\x9F\x98\x80 A"}, {"'\\141\\060\\200\\18\\9'", "a0200189"},
    /* comments */
    {"1 -- 2\n + 3", "4"}, {"1 -- 2\\\n + 3\n + 4", "5"}, {"1 - -1--", "2"}, {"1 -- 2\r+ 3", "4"}, {"/* a */1/**/+/* ' */2", "3"},
    {"1 /*/ + 2 */ + 3", "4"}, {"1 /* /* a */ -- */ + 2", "3"}, {"'--' || \"/* */\"", "--/* */"},
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
    {"'5' + 1", "6.0"}, {"'x' * 2", "NULL"}, {"-'5'", "-5.0"}, {"+'5'", "5.0"}, {"+NULL", "NULL"}, {"1.5 / +2", "0.750000000000"}, {"- + -i", "7|NULL|-3|2147483647"}, {"NULL + 1", "NULL"}, {"1.5 - NULL", "NULL"},
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
    /* nullif: compared as = does, of the type of the first */
    {"nullif(i, 7)", "NULL|NULL|-3|2147483647"}, {"nullif(i, NULL)", "7|NULL|-3|2147483647"}, {"nullif(i, '7')", "NULL|NULL|-3|2147483647"},
    {"nullif(s, 'abc') || 'x'", "NULL|NULL|a_c%x|x"}, {"nullif(9223372036854775807, 1.5D)", "9223372036854775807"}, {"nullif(i, 7.0)", "NULL|NULL|-3|2147483647"},
    {"nullif(7, CAST(0.5 AS DECIMAL(38,38)))", "7"}, {"nullif(m, 12.34D)", "NULL|NULL|-0.50|99999999.99"}, {"nullif(b, 1)", "NULL|NULL|false|NULL"},
    {"nullif(d, TIMESTAMP '2024-02-28 00:00:00')", "NULL|NULL|1969-12-31|1900-03-01"}, {"nullif(x, x)", "NULL"}, {"nullif(NULL, 1)", "NULL"},
    {"nullif(nullif(i, 7), -3)", "NULL|NULL|NULL|2147483647"},
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
    {"d - 1", "2024-02-27|NULL|1969-12-30|1900-02-28"}, {"d + NULL", "NULL"}, {"d + i IS NULL", "false|true|false|true"},
    /* operands of unlike types are typed pair by pair; text beside anything makes all of them text */
    {"CAST(x AS DECIMAL(5,0))", "3|NULL|NULL|NULL"}, {"1.5 / CAST(2 AS INT)", "0.750000000000"}, {"'5' BETWEEN '10' AND 7", "true"},
    {"CASE s WHEN 1 THEN 'int' WHEN 'abc' THEN 'str' END", "str|NULL|NULL|NULL"}, {"i BETWEEN 6.5 AND '8'", "true|NULL|false|false"},
    {"CASE m WHEN i THEN 1 WHEN 12.340 THEN 2 WHEN '-.5' THEN 3 END", "2|NULL|3|NULL"}, {"CAST(t AS BIGINT)", "1709123400|NULL|-1|1704067200"},
    {"2e-323", "2.0E-323"},
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

int main(void) {
    Suite *suite = suite_create("expr_values");
    TCase *t = tcase_create("values");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 20);
    tcase_add_loop_test(t, value_of_expression, 0, COUNT(values));
    tcase_add_loop_test(t, type_of_expression, 0, COUNT(types));
    tcase_add_test(t, three_valued_logic);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
