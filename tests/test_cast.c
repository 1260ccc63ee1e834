/* test_cast.c: CAST from text and between types, by Spark's rules; what does not fit is null, never wrong */
#include "tests/values.h"

#include <math.h>

static struct arena arena;

static void teardown(void) { arena_free(&arena); }

/* ---- from text; NULL: null ---- */

static const struct {
    const char *type, *text, *value;
} parsed[] = {
    {"BOOLEAN", "true", "true"}, {"BOOLEAN", " TRUE\t", "true"}, {"BOOLEAN", "t", "true"}, {"BOOLEAN", "Yes", "true"}, {"BOOLEAN", "y", "true"},
    {"BOOLEAN", "1", "true"}, {"BOOLEAN", "FALSE", "false"}, {"BOOLEAN", "f", "false"}, {"BOOLEAN", "no", "false"}, {"BOOLEAN", "n", "false"},
    {"BOOLEAN", "0", "false"}, {"BOOLEAN", "2", NULL}, {"BOOLEAN", "", NULL}, {"BOOLEAN", "tru", NULL}, {"BOOLEAN", "truee", NULL},

    {"INT", "0", "0"}, {"INT", "+7", "7"}, {"INT", "-0", "0"}, {"INT", "2147483647", "2147483647"}, {"INT", "2147483648", NULL},
    {"INT", "-2147483648", "-2147483648"}, {"INT", "-2147483649", NULL}, {"INT", "1.9", "1"}, {"INT", "-1.9", "-1"}, {"INT", "1.", "1"},
    {"INT", ".5", "0"}, {"INT", ".", NULL}, {"INT", "-", NULL}, {"INT", "", NULL}, {"INT", "  ", NULL}, {"INT", "1e3", NULL}, {"INT", "1 2", NULL},
    {"INT", " 12 ", "12"}, {"INT", "\x01" "12\n", "12"}, {"INT", "0x1f", NULL}, {"INT", "1.5x", NULL}, {"INT", "--1", NULL}, {"INT", "NaN", NULL},
    {"INT", "000000000000000000000000000012", "12"}, {"INT", "99999999999999999999999999999999999999999999999", NULL},
    {"BIGINT", "9223372036854775807", "9223372036854775807"}, {"BIGINT", "9223372036854775808", NULL},
    {"BIGINT", "-9223372036854775808", "-9223372036854775808"}, {"BIGINT", "-9223372036854775809", NULL}, {"BIGINT", "-9223372036854775808.9", "-9223372036854775808"},

    {"DOUBLE", "1", "1.0"}, {"DOUBLE", "-0", "-0.0"}, {"DOUBLE", " 1.25e-3 ", "0.00125"}, {"DOUBLE", "+.5", "0.5"}, {"DOUBLE", "5.", "5.0"}, {"DOUBLE", "1E400", "Infinity"},
    {"DOUBLE", "-1e400", "-Infinity"}, {"DOUBLE", "1e-400", "0.0"}, {"DOUBLE", "nan", "NaN"}, {"DOUBLE", "NaN", "NaN"}, {"DOUBLE", "Infinity", "Infinity"},
    {"DOUBLE", "-infinity", "-Infinity"}, {"DOUBLE", "+Inf", "Infinity"}, {"DOUBLE", "-inf", "-Infinity"}, {"DOUBLE", "infinit", NULL}, {"DOUBLE", "-nan", NULL},
    {"DOUBLE", "", NULL}, {"DOUBLE", ".", NULL}, {"DOUBLE", "e5", NULL}, {"DOUBLE", "1e", NULL}, {"DOUBLE", "1e+", NULL}, {"DOUBLE", "0x10", NULL}, {"DOUBLE", "1,5", NULL},
    {"DOUBLE", "1.2.3", NULL}, {"DOUBLE", "0.1000000000000000055511151231257827021181583404541015625", "0.1"},
    {"DOUBLE", "1000000000000000000000000000000000000000000000000000000000000000000000000000000", "1.0E78"},
    {"DOUBLE", "9007199254740993", "9.007199254740992E15"}, {"DOUBLE", "9007199254740993.00000000000000000000000000000000000000000000000000000000001", "9.007199254740994E15"},

    {"DATE", "2024-02-29", "2024-02-29"}, {"DATE", "2023-02-29", NULL}, {"DATE", "2024", "2024-01-01"}, {"DATE", "2024-7", "2024-07-01"}, {"DATE", "2024-7-4", "2024-07-04"},
    {"DATE", " 2024-07-04 ", "2024-07-04"}, {"DATE", "2024-07-04T10:00", "2024-07-04"}, {"DATE", "2024-07-04 anything", "2024-07-04"}, {"DATE", "2024-07-04x", NULL},
    {"DATE", "2024-13-01", NULL}, {"DATE", "2024-00-01", NULL}, {"DATE", "24-01-01", NULL}, {"DATE", "2024-", NULL}, {"DATE", "2024-01-", NULL}, {"DATE", "2024/01/01", NULL},
    {"DATE", "2024T", NULL}, {"DATE", "2024-01 x", NULL}, {"DATE", "2024-001-01", NULL}, {"DATE", "", NULL}, {"DATE", "0000-01-01", NULL}, {"DATE", "0001-01-01", "0001-01-01"},
    {"DATE", "02024-02-09", "2024-02-09"}, {"DATE", "0002024-2", "2024-02-01"}, {"DATE", "00002024", NULL}, {"DATE", "+2024-02-09", "2024-02-09"}, {"DATE", "+02024", "2024-01-01"},
    {"DATE", "+24-01-01", NULL}, {"DATE", "+-2024", NULL}, {"DATE", "+", NULL}, {"DATE", "12024", NULL},
    {"TIMESTAMP", "+002024-02-29 12:00:00Z", "2024-02-29 12:00:00"}, {"TIMESTAMP", "0002024", NULL},

    {"TIMESTAMP", "2024-02-29", "2024-02-29 00:00:00"}, {"TIMESTAMP", "2024-02-29 12:30:45.123456", "2024-02-29 12:30:45.123456"},
    {"TIMESTAMP", "2024-02-29T12:30:45Z", "2024-02-29 12:30:45"}, {"TIMESTAMP", "2024-02-29 1:2:3", "2024-02-29 01:02:03"}, {"TIMESTAMP", "2024-02-29 12:30", "2024-02-29 12:30:00"},
    {"TIMESTAMP", "2024-02-29 12:30:45.1234567", "2024-02-29 12:30:45.123456"}, {"TIMESTAMP", "2024-02-29 00:30:00+01:00", "2024-02-28 23:30:00"},
    {"TIMESTAMP", "2024-02-29 23:30:00-0130", "2024-03-01 01:00:00"}, {"TIMESTAMP", "2024-02-29 12:00:00 UTC", "2024-02-29 12:00:00"}, {"TIMESTAMP", "2024-02-29 12:00:00+5", "2024-02-29 07:00:00"},
    {"TIMESTAMP", "2024-02-29 24:00:00", NULL}, {"TIMESTAMP", "2024-02-29 12:60:00", NULL}, {"TIMESTAMP", "2024-02-29 12:00:60", NULL}, {"TIMESTAMP", "2024-02-30 12:00:00", NULL},
    {"TIMESTAMP", "2024-02-29x12:00", NULL}, {"TIMESTAMP", "2024-02-29 12", "2024-02-29 12:00:00"}, {"TIMESTAMP", "2024-02", "2024-02-01 00:00:00"},
    {"TIMESTAMP", "2024", "2024-01-01 00:00:00"}, {"TIMESTAMP", "2024-02 12:00", NULL}, {"TIMESTAMP", "2024 12:00", NULL}, {"TIMESTAMP", "2024-02-29 12:00+01:00", NULL}, {"TIMESTAMP", "2024-02-29T", NULL},
    {"TIMESTAMP", "2024-02-29 12:00:00.", "2024-02-29 12:00:00"}, {"TIMESTAMP", "2024-02-29 12:", NULL}, {"TIMESTAMP", "2024-02-29 12:00:00+19:00", NULL},
    {"TIMESTAMP", "2024-02-29 12:00:00+01:60", NULL}, {"TIMESTAMP", "2024-02-29 12:00:00+01:00x", NULL}, {"TIMESTAMP", "2024-02-29 12:00:00 CET?", NULL},
    {"TIMESTAMP", "2024-02-29 12:00:00+18:00", "2024-02-28 18:00:00"}, {"TIMESTAMP", "2024-02-29 12:00:00+18:01", NULL}, {"TIMESTAMP", "2024-02-29 12:00:00-18:00:01", NULL}, {"TIMESTAMP", "2024-02-29 12:00:00+19", NULL},
    {"TIMESTAMP", "2024-02-29 12:00:00+1:2", "2024-02-29 10:58:00"}, {"TIMESTAMP", "2024-02-29 12:00:00-1:02:03", "2024-02-29 13:02:03"}, {"TIMESTAMP", "2024-02-29 12:00:00-1:2:03", NULL}, {"TIMESTAMP", "2024-02-29 12:00:00+01:02:03", "2024-02-29 10:57:57"}, {"TIMESTAMP", "2024-02-29 12:00:00+010203", "2024-02-29 10:57:57"},
    {"TIMESTAMP", "2024-02-29 12:00:00+01:2:03", NULL}, {"TIMESTAMP", "2024-02-29 12:00:00+01:02:3", NULL}, {"TIMESTAMP", "2024-02-29 12:00:00+01:", NULL}, {"TIMESTAMP", "2024-02-29 12:00:00+01:02:", NULL}, {"TIMESTAMP", "2024-02-29 12:00:00+0102:03", NULL},
    {"TIMESTAMP", "2024-02-29 12:00:00+102", NULL}, {"TIMESTAMP", "2024-02-29 12:00:00+010", NULL}, {"TIMESTAMP", "2024-02-29 12:00:00+01:02:60", NULL}, {"TIMESTAMP", "2024-02-29 12:00:00+", NULL},
    {"TIMESTAMP", "2024-02-29 12:00:00UT", "2024-02-29 12:00:00"}, {"TIMESTAMP", "2024-02-29 12:00:00UTC+1", "2024-02-29 11:00:00"}, {"TIMESTAMP", "2024-02-29 12:00:00 GMT-01:30", "2024-02-29 13:30:00"}, {"TIMESTAMP", "2024-02-29 12:00:00UT+0130", "2024-02-29 10:30:00"},
    {"TIMESTAMP", "2024-02-29 12:00:00UTC+", NULL}, {"TIMESTAMP", "2024-02-29 12:00:00UTCZ", NULL}, {"TIMESTAMP", "2024-02-29 12:00:00Z+1", NULL}, {"TIMESTAMP", "2024-02-29 12:00:00utc", NULL}, {"TIMESTAMP", "2024-02-29 12:00:00U", NULL}, {"TIMESTAMP", "2024-02-29 12:00.5", NULL},
    {"TIMESTAMP", "", NULL}, {"TIMESTAMP", "noon", NULL},

    {"DECIMAL(5,2)", "1.255", "1.26"}, {"DECIMAL(5,2)", "-0.005", "-0.01"}, {"DECIMAL(5,2)", "999.994", "999.99"}, {"DECIMAL(5,2)", "999.995", NULL}, {"DECIMAL(5,2)", "1000", NULL},
    {"DECIMAL(5,2)", " +1e2 ", "100.00"}, {"DECIMAL(5,2)", "12345e-3", "12.35"}, {"DECIMAL(5,2)", "0e999999999999", "0.00"}, {"DECIMAL(5,2)", "1e-999999999999", "0.00"},
    {"DECIMAL(5,2)", "1e999999999999", NULL}, {"DECIMAL(5,2)", "", NULL}, {"DECIMAL(5,2)", ".", NULL}, {"DECIMAL(5,2)", "1e", NULL}, {"DECIMAL(5,2)", "NaN", NULL}, {"DECIMAL(5,2)", "1.2.3", NULL},
    {"DECIMAL(5,2)", "e1", NULL}, {"DECIMAL(5,2)", "-", NULL}, {"DECIMAL(5,2)", "0000000000000000000000000000000000000000000000000001.5", "1.50"},
    {"DECIMAL(38,0)", "99999999999999999999999999999999999999", "99999999999999999999999999999999999999"}, {"DECIMAL(38,0)", "100000000000000000000000000000000000000", NULL},
    {"DECIMAL(38,0)", "99999999999999999999999999999999999999.4999", "99999999999999999999999999999999999999"}, {"DECIMAL(38,0)", "99999999999999999999999999999999999999.5", NULL},
    {"DECIMAL(38,38)", "0.123456789012345678901234567890123456785", "0.12345678901234567890123456789012345679"}, {"DECIMAL(1,0)", "0.5", "1"}, {"DECIMAL(1,0)", "0.49999", "0"},

    {"STRING", "  as it is ", "  as it is "},
    /* 2 to the 64th: a mantissa that wraps to 0 */
    {"DOUBLE", "18446744073709551616", "1.8446744073709552E19"}, {"DOUBLE", "1844674407370955161.6", "1.8446744073709553E18"},
    {"DOUBLE", "0.00368934881474191032320", "0.0036893488147419105"}, {"DOUBLE", "000000000000000000000000.5", "0.5"},
    {"TIMESTAMP", "9999-12-31 23:59:59-18:00", NULL}, {"TIMESTAMP", "0001-01-01 00:00:00+18:00", NULL},
    {"TIMESTAMP", "9999-12-31 23:59:59+18:00", "9999-12-31 05:59:59"},
};

/* Spark's words for what is null are those of CAST with ANSI mode off. */
START_TEST(text_to_value) {
    struct hr_type type = type_of(parsed[_i].type);
    size_t n = strlen(parsed[_i].text);
    char *exact = exact_bytes(parsed[_i].text, n);
    _Alignas(16) char value[16];
    bool ok = value_parse(type, (struct hr_text){exact, (uint32_t)n, 0}, value);
    const char *got = ok ? text_of(&arena, type, value) : "NULL", *want = parsed[_i].value ? parsed[_i].value : "NULL";
    free(exact);
    ck_assert_msg(!strcmp(got, want), "%s from '%s': %s, not %s", parsed[_i].type, parsed[_i].text, got, want);
}
END_TEST

/* A text of no bytes may have no memory at all. */
START_TEST(text_of_nothing) {
    _Alignas(16) char value[16];
    for (int i = 0; i < EVERY_TYPE; i++)
        ck_assert(value_parse(every_type[i], (struct hr_text){0}, value) == (every_type[i].id == HR_STRING));
}
END_TEST

/* What a value is shown as reads back as that value, for every type. */
START_TEST(shown_values_read_back) {
    struct hr_type type = every_type[_i];
    uint64_t seed = 7;
    for (int i = 0; i < 5000; i++) {
        _Alignas(16) char value[16], again[16];
        random_value(&seed, type, value, &arena);
        if (type.id == HR_DATE) *(int32_t *)value = (int32_t)random_below(&seed, 3652059) - 719162;
        if (type.id == HR_TIMESTAMP) *(int64_t *)value = (int64_t)random_below(&seed, 315537897600000000ull) - 62135596800000000;
        const char *text = text_of(&arena, type, value);
        struct hr_text t = {text, (uint32_t)strlen(text), 0};
        if (type.id == HR_STRING) t = *(struct hr_text *)value;
        MUST(value_parse(type, t, again) && !value_order(type, value, again), "'%s' of type %d", text, type.id);
        arena_reset(&arena);
    }
}
END_TEST

/* ---- between types ---- */

static const struct {
    const char *from, *value, *to, *result;
} casts[] = {
    {"BOOLEAN", "true", "INT", "1"}, {"BOOLEAN", "false", "DOUBLE", "0.0"}, {"BOOLEAN", "true", "DECIMAL(3,1)", "1.0"}, {"BOOLEAN", "true", "STRING", "true"},
    {"BOOLEAN", "true", "TIMESTAMP", "1970-01-01 00:00:00.000001"}, {"BOOLEAN", "true", "DATE", NULL},
    {"INT", "-5", "BOOLEAN", "true"}, {"INT", "0", "BOOLEAN", "false"}, {"INT", "-5", "BIGINT", "-5"}, {"INT", "7", "DOUBLE", "7.0"}, {"INT", "-5", "STRING", "-5"},
    {"INT", "12", "DECIMAL(3,1)", "12.0"}, {"INT", "100", "DECIMAL(3,1)", NULL}, {"INT", "1", "DATE", NULL}, {"INT", "60", "TIMESTAMP", "1970-01-01 00:01:00"},
    {"BIGINT", "2147483648", "INT", NULL}, {"BIGINT", "-2147483648", "INT", "-2147483648"}, {"BIGINT", "9007199254740993", "DOUBLE", "9.007199254740992E15"},
    {"BIGINT", "9223372036854775807", "DECIMAL(38,19)", "9223372036854775807.0000000000000000000"}, {"BIGINT", "9223372036854775807", "DECIMAL(38,20)", NULL}, {"BIGINT", "9223372036854775807", "TIMESTAMP", NULL},
    {"DOUBLE", "1.9", "INT", "1"}, {"DOUBLE", "-1.9", "INT", "-1"}, {"DOUBLE", "2147483647.9", "INT", "2147483647"}, {"DOUBLE", "2147483648", "INT", NULL}, {"DOUBLE", "NaN", "INT", NULL},
    {"DOUBLE", "Infinity", "BIGINT", NULL}, {"DOUBLE", "9223372036854774784", "BIGINT", "9223372036854774784"}, {"DOUBLE", "9223372036854775808", "BIGINT", NULL}, {"DOUBLE", "-9223372036854775808", "BIGINT", "-9223372036854775808"},
    {"DOUBLE", "0.1", "DECIMAL(20,18)", "0.100000000000000000"}, {"DOUBLE", "1.005", "DECIMAL(5,2)", "1.01"}, {"DOUBLE", "1e10", "DECIMAL(5,2)", NULL}, {"DOUBLE", "NaN", "DECIMAL(5,2)", NULL}, {"DOUBLE", "1e300", "DECIMAL(38,0)", NULL},
    {"DOUBLE", "0", "BOOLEAN", "false"}, {"DOUBLE", "-0", "BOOLEAN", "false"}, {"DOUBLE", "0.1", "BOOLEAN", "true"}, {"DOUBLE", "1.5", "TIMESTAMP", "1970-01-01 00:00:01.5"}, {"DOUBLE", "NaN", "TIMESTAMP", NULL},
    {"DOUBLE", "1e300", "TIMESTAMP", NULL}, {"DOUBLE", "1e7", "STRING", "1.0E7"}, {"DOUBLE", "1", "DATE", NULL},
    {"STRING", " 12 ", "INT", "12"}, {"STRING", "x", "INT", NULL}, {"STRING", "2024-02-29", "DATE", "2024-02-29"}, {"STRING", "yes", "BOOLEAN", "true"}, {"STRING", "a", "STRING", "a"},
    {"DATE", "2024-02-29", "STRING", "2024-02-29"}, {"DATE", "2024-02-29", "TIMESTAMP", "2024-02-29 00:00:00"}, {"DATE", "1969-12-31", "TIMESTAMP", "1969-12-31 00:00:00"}, {"DATE", "2024-02-29", "INT", NULL},
    {"DATE", "2024-02-29", "BIGINT", NULL}, {"DATE", "2024-02-29", "DOUBLE", NULL}, {"DATE", "2024-02-29", "BOOLEAN", NULL}, {"DATE", "2024-02-29", "DECIMAL(38,0)", NULL},
    {"TIMESTAMP", "2024-02-29 23:59:59.9", "DATE", "2024-02-29"}, {"TIMESTAMP", "1969-12-31 23:59:59.9", "DATE", "1969-12-31"}, {"TIMESTAMP", "1970-01-01 00:00:01.9", "BIGINT", "1"}, {"TIMESTAMP", "1969-12-31 23:59:58.9", "INT", "-2"},
    {"TIMESTAMP", "1970-01-01 00:00:01.5", "DOUBLE", "1.5"}, {"TIMESTAMP", "1970-01-01 00:00:01.5", "DECIMAL(10,1)", "1.5"}, {"TIMESTAMP", "1970-01-01", "BOOLEAN", "false"}, {"TIMESTAMP", "1970-01-02", "BOOLEAN", "true"},
    {"TIMESTAMP", "2024-02-29 01:02:03.000004", "STRING", "2024-02-29 01:02:03.000004"}, {"TIMESTAMP", "9999-12-31", "INT", NULL},
    {"DECIMAL(5,2)", "1.99", "INT", "1"}, {"DECIMAL(5,2)", "-1.99", "INT", "-1"}, {"DECIMAL(5,2)", "1.25", "DECIMAL(5,1)", "1.3"}, {"DECIMAL(5,2)", "-1.25", "DECIMAL(5,1)", "-1.3"}, {"DECIMAL(5,2)", "99.95", "DECIMAL(3,1)", NULL},
    {"DECIMAL(5,2)", "1.25", "DECIMAL(38,38)", NULL}, {"DECIMAL(5,2)", "0.25", "DECIMAL(38,38)", "0.25000000000000000000000000000000000000"}, {"DECIMAL(38,0)", "9223372036854775808", "BIGINT", NULL}, {"DECIMAL(38,0)", "-9223372036854775808", "BIGINT", "-9223372036854775808"},
    {"DECIMAL(20,10)", "0.1", "DOUBLE", "0.1"}, {"DECIMAL(38,0)", "99999999999999999999999999999999999999", "DOUBLE", "1.0E38"}, {"DECIMAL(5,2)", "0.00", "BOOLEAN", "false"}, {"DECIMAL(5,2)", "0.01", "BOOLEAN", "true"},
    {"DECIMAL(5,2)", "-0.01", "STRING", "-0.01"}, {"DECIMAL(5,2)", "1.50", "TIMESTAMP", "1970-01-01 00:00:01.5"}, {"DECIMAL(8,7)", "1.9999999", "TIMESTAMP", "1970-01-01 00:00:01.999999"}, {"DECIMAL(8,7)", "-1.9999999", "TIMESTAMP", "1969-12-31 23:59:58.000001"}, {"DECIMAL(38,38)", "-0.00000009", "TIMESTAMP", "1970-01-01 00:00:00"}, {"DECIMAL(38,0)", "99999999999999999999999999999999999999", "TIMESTAMP", NULL}, {"DECIMAL(5,2)", "1.00", "DATE", NULL},
};

START_TEST(value_to_value) {
    struct hr_type from = type_of(casts[_i].from), to = type_of(casts[_i].to);
    _Alignas(16) char value[16], result[16];
    value_of(from, casts[_i].value, value, &arena);
    bool ok = value_cast(from, value, to, result, &arena);
    const char *got = ok ? text_of(&arena, to, result) : "NULL", *want = casts[_i].result ? casts[_i].result : "NULL";
    ck_assert_msg(!strcmp(got, want), "%s %s as %s: %s, not %s", casts[_i].from, casts[_i].value, casts[_i].to, got, want);
}
END_TEST

/* Every type to a wider one and back is what it was; to text and back too. */
START_TEST(wider_and_back) {
    static const struct { struct hr_type from, to; } wider[] = {
        {{.id = HR_INT}, {.id = HR_BIGINT}}, {{.id = HR_INT}, {.id = HR_DOUBLE}}, {{.id = HR_INT}, {HR_DECIMAL, 10, 0}}, {{.id = HR_BIGINT}, {HR_DECIMAL, 38, 19}},
        {{.id = HR_BOOLEAN}, {.id = HR_INT}}, {{HR_DECIMAL, 5, 2}, {HR_DECIMAL, 38, 10}}, {{HR_DECIMAL, 5, 2}, {.id = HR_DOUBLE}}, {{HR_DECIMAL, 38, 10}, {.id = HR_STRING}}, {{.id = HR_DOUBLE}, {.id = HR_STRING}},
    };
    uint64_t seed = 9;
    for (size_t k = 0; k < COUNT(wider); k++)
        for (int i = 0; i < 2000; i++) {
            _Alignas(16) char value[16], wide[16], again[16];
            random_value(&seed, wider[k].from, value, &arena);
            MUST(value_cast(wider[k].from, value, wider[k].to, wide, &arena) && value_cast(wider[k].to, wide, wider[k].from, again, &arena) &&
                 !value_order(wider[k].from, value, again), "pair %zu: %s", k, text_of(&arena, wider[k].from, value));
            arena_reset(&arena);
        }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("cast");
    TCase *t = tcase_create("cast");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, NULL, teardown);
    tcase_add_loop_test(t, text_to_value, 0, COUNT(parsed));
    tcase_add_test(t, text_of_nothing);
    tcase_add_loop_test(t, shown_values_read_back, 0, EVERY_TYPE);
    tcase_add_loop_test(t, value_to_value, 0, COUNT(casts));
    tcase_add_test(t, wider_and_back);
    suite_add_tcase(suite, t);
    return suite_run(suite);
}
