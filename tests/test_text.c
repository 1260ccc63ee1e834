/* test_text.c: values as show() and to_json() print them, UTF-8, the calendar */
#include "tests/values.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

static struct arena arena;

static void teardown(void) { arena_free(&arena); }

static const char *shown_double(double v) { return text_of(&arena, T(HR_DOUBLE), &v); }

/* ---- doubles ---- */

static const struct {
    double value;
    const char *text;
} doubles[] = {
    {0.0, "0.0"}, {-0.0, "-0.0"}, {1, "1.0"}, {-1, "-1.0"}, {42, "42.0"}, {0.1, "0.1"}, {1.5, "1.5"}, {100, "100.0"},
    {0.001, "0.001"}, {0.00123, "0.00123"}, {0.000999, "9.99E-4"}, {9999999, "9999999.0"}, {9999999.5, "9999999.5"},
    {1e7, "1.0E7"}, {12345678.9, "1.23456789E7"}, {1.2983715399999994e8, "1.2983715399999994E8"}, {1e21, "1.0E21"},
    {1e22, "1.0E22"}, {1e23, "1.0E23"}, {2e23, "2.0E23"}, {1e-5, "1.0E-5"}, {1.0 / 3, "0.3333333333333333"}, {2.0 / 3, "0.6666666666666666"},
    {0.1 + 0.2, "0.30000000000000004"}, {100.0 / 3, "33.333333333333336"}, {DBL_MAX, "1.7976931348623157E308"},
    {DBL_MIN, "2.2250738585072014E-308"}, {0x1p-1074, "4.9E-324"}, {0x1p-1073, "9.9E-324"}, {3 * 0x1p-1074, "1.5E-323"},
    {0x0.fffffffffffffp-1022, "2.225073858507201E-308"}, {NAN, "NaN"}, {-NAN, "NaN"}, {INFINITY, "Infinity"}, {-INFINITY, "-Infinity"},
    {9007199254740992, "9.007199254740992E15"}, {9007199254740993, "9.007199254740992E15"}, {123456789012345680, "1.2345678901234568E17"},
    /* powers of two: the next double below is nearer than the one above */
    {0x1p-44, "5.684341886080802E-14"}, {0x1p-957, "8.209073602596753E-289"}, {0x1p-1017, "7.120236347223045E-307"},
    {0x1p89, "6.189700196426902E26"}, {0x1p100, "1.2676506002282294E30"}, {0x1p1023, "8.98846567431158E307"},
};

START_TEST(doubles_as_java_prints_them) {
    ck_assert_str_eq(shown_double(doubles[_i].value), doubles[_i].text);
}
END_TEST

/* "-1.25E-7": its digits without the zeros at the end, and the power of ten of the first. */
static int digits_of(const char *text, char digits[32], int *exponent) {
    int n = 0, point = 0, shift = 0;
    bool after = false;
    for (text += *text == '-'; *text && *text != 'E'; text++) {
        if (*text == '.') after = true;
        else if (n || *text != '0') digits[n++] = *text, point += !after;
        else shift -= after;
    }
    *exponent = point + shift - 1 + (*text == 'E' ? (int)strtol(text + 1, NULL, 10) : 0);
    while (n > 1 && digits[n - 1] == '0') n--;
    digits[n] = '\0';
    return n;
}

static long double distance(const char *text, double v) { return fabsl(strtold(text, NULL) - (long double)v); }

/* What is printed reads back; no text with fewer digits does; and none with as many that does is closer. */
static void check_shortest(double v) {
    char digits[32], text[64];
    int exponent;
    const char *got = shown_double(v);
    MUST(strtod(got, NULL) == v, "%a as %s reads back as %a", v, got, strtod(got, NULL));
    int n = digits_of(got, digits, &exponent);
    for (int few = n - 1; few <= n; few++) {
        if (few < 2) continue; /* one digit or two are the same to Java, which always prints two */
        long long whole = strtoll(digits, NULL, 10) / (few < n ? 10 : 1);
        for (long long near = whole - 1; near <= whole + 1; near++) {
            snprintf(text, sizeof text, "%s%lldE%d", v < 0 ? "-" : "", near, exponent - few + 1);
            if (strtod(text, NULL) != v) continue;
            MUST(few == n, "%a: %s is shorter than %s", v, text, got);
            MUST(distance(text, v) >= distance(got, v), "%a: %s is closer than %s", v, text, got);
        }
    }
}

START_TEST(random_doubles_are_shortest) {
    uint64_t seed = 42;
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = random_bits(&seed);
        double v;
        if (i % 4 == 1) bits &= 0xffffff0000000000; /* a short mantissa */
        if (i % 4 == 2) v = (double)((int64_t)bits >> 24) / 100; /* amounts */
        else memcpy(&v, &bits, 8);
        if (isfinite(v) && v != 0) check_shortest(v);
        arena_reset(&arena);
    }
}
END_TEST

START_TEST(powers_of_two_are_shortest) {
    for (int e = -1074; e < 1024; e++) {
        check_shortest(ldexp(1, e));
        check_shortest(-ldexp(1, e));
        arena_reset(&arena);
    }
}
END_TEST

/* ---- the other types, as show() and to_json() print them ---- */

static const struct {
    const char *type, *value, *text, *json;
} printed[] = {
    {"BOOLEAN", "true", "true", "true"}, {"BOOLEAN", "f", "false", "false"}, {"INT", "-2147483648", "-2147483648", "-2147483648"},
    {"BIGINT", "9223372036854775807", "9223372036854775807", "9223372036854775807"},
    {"BIGINT", "-9223372036854775808", "-9223372036854775808", "-9223372036854775808"},
    {"DOUBLE", "1e7", "1.0E7", "1.0E7"}, {"DOUBLE", "NaN", "NaN", "\"NaN\""}, {"DOUBLE", "-inf", "-Infinity", "\"-Infinity\""},
    {"DATE", "0001-01-01", "0001-01-01", "\"0001-01-01\""}, {"DATE", "9999-12-31", "9999-12-31", "\"9999-12-31\""},
    {"TIMESTAMP", "1970-01-01", "1970-01-01 00:00:00", "\"1970-01-01T00:00:00.000Z\""},
    {"TIMESTAMP", "2024-02-29 23:59:59.999999", "2024-02-29 23:59:59.999999", "\"2024-02-29T23:59:59.999Z\""},
    {"TIMESTAMP", "1969-12-31 23:59:59.5", "1969-12-31 23:59:59.5", "\"1969-12-31T23:59:59.500Z\""},
    {"TIMESTAMP", "0001-01-01 00:00:00.000001", "0001-01-01 00:00:00.000001", "\"0001-01-01T00:00:00.000Z\""},
    {"DECIMAL(5,2)", "0", "0.00", "0.00"}, {"DECIMAL(5,2)", "-0.01", "-0.01", "-0.01"}, {"DECIMAL(5,2)", "999.99", "999.99", "999.99"},
    {"DECIMAL(5,0)", "-7", "-7", "-7"}, {"DECIMAL(38,38)", "0.1", "0.10000000000000000000000000000000000000", "0.10000000000000000000000000000000000000"},
    {"DECIMAL(38,0)", "-99999999999999999999999999999999999999", "-99999999999999999999999999999999999999", "-99999999999999999999999999999999999999"},
    {"STRING", "a\"b", "a\"b", "\"a\\\"b\""},
};

START_TEST(values_as_text_and_json) {
    _Alignas(16) char value[16];
    struct hr_type type = type_of(printed[_i].type);
    value_of(type, printed[_i].value, value, &arena);
    ck_assert_str_eq(text_of(&arena, type, value), printed[_i].text);
    struct hr_buffer b = {0};
    value_json(&b, type, value);
    buffer_putc(&b, '\0');
    ck_assert_str_eq(b.p, printed[_i].json);
    buffer_free(&b);
}
END_TEST

static const struct {
    const char *text, *json;
} quoted[] = {
    {"", "\"\""}, {"plain", "\"plain\""}, {"\"\\/", "\"\\\"\\\\/\""}, {"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
    {"\x01\x1f\x7f", "\"\\u0001\\u001F\\u007F\""}, {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
    {"a\xff" "b", "\"a\xef\xbf\xbd" "b\""}, {"\xc3", "\"\xef\xbf\xbd\""}, {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    {"\xc0\x80x", "\"\xef\xbf\xbd\xef\xbf\xbdx\""},
};

START_TEST(strings_are_quoted) {
    struct hr_buffer b = {0};
    char *exact = exact_bytes(quoted[_i].text, strlen(quoted[_i].text));
    json_quote(&b, exact, strlen(quoted[_i].text));
    free(exact);
    buffer_putc(&b, '\0');
    ck_assert_str_eq(b.p, quoted[_i].json);
    buffer_free(&b);
}
END_TEST

START_TEST(nul_is_quoted) {
    struct hr_buffer b = {0};
    json_quote(&b, "a\0b", 3);
    ck_assert_uint_eq(b.n, 10);
    ck_assert_mem_eq(b.p, "\"a\\u0000b\"", 10);
    buffer_free(&b);
}
END_TEST

/* ---- UTF-8: against decoding and the rules of RFC 3629 ---- */

static bool is_one_sequence(const unsigned char *p, size_t n) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t c = n == 1 ? p[0] : p[0] & (0x7f >> n);
    if (n == 1) return p[0] < 0x80;
    if (p[0] >> (7 - n) != (0xff >> (7 - n) & ~1)) return false; /* n ones, then a zero */
    for (size_t i = 1; i < n; i++) {
        if (p[i] >> 6 != 2) return false;
        c = c << 6 | (p[i] & 0x3f);
    }
    return c >= least[n] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
}

START_TEST(utf8_sequences_of_every_kind) {
    static const unsigned char tail[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};
    unsigned char p[4];
    for (unsigned first = 0; first < 256; first++) {
        p[0] = (unsigned char)first;
        MUST(utf8_valid((char *)p, 1) == is_one_sequence(p, 1), "%02x", first);
        for (unsigned second = 0; second < 256; second++) {
            p[1] = (unsigned char)second;
            bool two = is_one_sequence(p, 2) || (first < 0x80 && second < 0x80);
            MUST(utf8_valid((char *)p, 2) == two, "%02x %02x", first, second);
            for (size_t k = 0; k < COUNT(tail) * COUNT(tail); k++) {
                p[2] = tail[k / COUNT(tail)];
                p[3] = tail[k % COUNT(tail)];
                bool three = is_one_sequence(p, 3) || (two && p[2] < 0x80) || (first < 0x80 && is_one_sequence(p + 1, 2));
                MUST(utf8_valid((char *)p, 3) == three, "%02x %02x %02x", first, second, p[2]);
                bool four = is_one_sequence(p, 4) || (three && p[3] < 0x80) || (first < 0x80 && is_one_sequence(p + 1, 3)) ||
                            (two && is_one_sequence(p + 2, 2));
                MUST(utf8_valid((char *)p, 4) == four, "%02x %02x %02x %02x", first, second, p[2], p[3]);
            }
        }
    }
    ck_assert(utf8_valid("", 0));
}
END_TEST

/* ---- calendar: counted day by day ---- */

START_TEST(every_day_has_its_number) {
    static const int month[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int32_t days = -719162; /* 0001-01-01, by the definition of 719163 as its day number in RD */
    for (int y = 1; y <= 9999; y++)
        for (int m = 1; m <= 12; m++) {
            int last = month[m - 1] + (m == 2 && (y % 400 == 0 || (y % 4 == 0 && y % 100)));
            MUST(!date_valid(y, m, last + 1) && !date_valid(y, m, 0), "%d-%d", y, m);
            for (int d = 1; d <= last; d++, days++) {
                int y2, m2, d2;
                date_civil(days, &y2, &m2, &d2);
                MUST(date_valid(y, m, d) && date_days(y, m, d) == days && y2 == y && m2 == m && d2 == d, "%04d-%02d-%02d", y, m, d);
            }
        }
    ck_assert_int_eq(date_days(1970, 1, 1), 0);
    ck_assert_int_eq(days, date_days(9999, 12, 31) + 1);
    ck_assert(!date_valid(0, 1, 1) && !date_valid(10000, 1, 1) && !date_valid(2024, 0, 1) && !date_valid(2024, 13, 1) && !date_valid(2024, 1, -1));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("text");
    TCase *t = tcase_create("text");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, NULL, teardown);
    tcase_add_loop_test(t, doubles_as_java_prints_them, 0, COUNT(doubles));
    tcase_add_test(t, random_doubles_are_shortest);
    tcase_add_test(t, powers_of_two_are_shortest);
    tcase_add_loop_test(t, values_as_text_and_json, 0, COUNT(printed));
    tcase_add_loop_test(t, strings_are_quoted, 0, COUNT(quoted));
    tcase_add_test(t, nul_is_quoted);
    tcase_add_test(t, utf8_sequences_of_every_kind);
    tcase_add_test(t, every_day_has_its_number);
    suite_add_tcase(suite, t);
    return suite_run(suite);
}
