/*
 * test_json.c: the JSON reader against Spark's from_json and against malformed text.
 *
 * Each test runs through the reader's two paths and through the reference alone.
 * Every text is copied to memory of exactly its size, so that a sanitizer sees a byte read too many.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "core/data/json_internal.h"

#define T(id_) ((struct hr_type){.id = id_})
#define DECIMAL(p, s) ((struct hr_type){HR_DECIMAL, p, s})
#define COUNT(a) (sizeof(a) / sizeof *(a))
#define FIELDS 4

/* ---- one record through one reader ---- */

static struct arena arena;
static struct hr_json_options strict, lenient;
static struct hr_column out[FIELDS];
static const char *reason;
static enum json_path path;

static void setup(void) {
    path = JSON_BOTH;
    memset(&arena, 0, sizeof arena);
    strict = (struct hr_json_options){.strict = true};
    lenient = (struct hr_json_options){.strict = false};
}

static void setup_reference(void) {
    setup();
    path = JSON_REFERENCE;
}

static void teardown(void) {
    arena_free(&arena);
}

static struct hr_text exact_copy(const char *s, size_t n) {
    char *p = malloc(n ? n : 1);
    memcpy(p, s, n);
    return (struct hr_text){.p = p, .n = (uint32_t)n};
}

/* Fill out[] and reason from one row; what is in `pruned` (a bit a field) gets no memory. */
static void read_row(const struct hr_schema *schema, const struct hr_json_options *o,
                     const struct hr_column *text, unsigned pruned) {
    struct hr_json *json = json_reader_new(&arena, schema, o);
    for (int f = 0; f < schema->n; f++) {
        out[f] = (struct hr_column){.type = schema->field[f].type};
        if (pruned >> f & 1) continue;
        out[f].at = arena_alloc(&arena, 16);
        memset(out[f].at, 0xAA, 16);
        out[f].valid = arena_zalloc(&arena, 8);
    }
    reason = "never set";
    json_reader_read_by(path, json, &arena, text, (struct hr_rows){.n = 1}, out, &reason);
}

static void read_bytes(const struct hr_schema *schema, const struct hr_json_options *o,
                       const char *json, size_t n, unsigned pruned) {
    struct hr_text copy = exact_copy(json, n);
    read_row(schema, o, &(struct hr_column){.at = &copy, .type = T(HR_STRING)}, pruned);
    for (int f = 0; f < schema->n; f++) /* what points into the text must outlive it here */
        if (out[f].at && out[f].type.id == HR_STRING && !hr_is_null(&out[f], 0)) {
            struct hr_text *t = out[f].at;
            t->p = arena_strndup(&arena, t->p, t->n);
        }
    free((char *)copy.p);
}

static void read_text(const struct hr_schema *schema, const struct hr_json_options *o, const char *json) {
    read_bytes(schema, o, json, strlen(json), 0);
}

/* out[f] as show() would print it. */
static const char *shown(int f) {
    struct hr_buffer b = {0};
    if (hr_is_null(&out[f], 0)) return "NULL";
    value_text(&b, out[f].type, out[f].at);
    const char *s = arena_strndup(&arena, b.n ? b.p : "", b.n);
    buffer_free(&b);
    return s;
}

static struct hr_schema schema_of(struct hr_field *f, int n) {
    return (struct hr_schema){n, f};
}

/* {"x": VALUE} as the only field x of that type. */
static const char *value_as(struct hr_type type, const char *value, const struct hr_json_options *o) {
    struct hr_field f = {"x", type};
    struct hr_schema schema = schema_of(&f, 1);
    char *json = arena_printf(&arena, "{\"x\": %s }", value);
    read_text(&schema, o, json);
    return shown(0);
}

/* A whole text for a schema with the one field `a INT`. */
static void read_a(const char *json, size_t n, const struct hr_json_options *o) {
    struct hr_field f = {"a", T(HR_INT)};
    struct hr_schema schema = schema_of(&f, 1);
    read_bytes(&schema, o, json, n, 0);
}

/* ---- values by type ---- */

struct row {
    struct hr_type type;
    const char *value, *shown;
    bool bad;
};

#define INT_ {.id = HR_INT}
#define BIGINT_ {.id = HR_BIGINT}
#define DOUBLE_ {.id = HR_DOUBLE}
#define STRING_ {.id = HR_STRING}
#define BOOLEAN_ {.id = HR_BOOLEAN}
#define DATE_ {.id = HR_DATE}
#define TIMESTAMP_ {.id = HR_TIMESTAMP}
#define DECIMAL_(p, s) {HR_DECIMAL, p, s}

static const struct row rows[] = {
    {INT_, "1", "1", false},
    {INT_, "-0", "0", false},
    {INT_, "2147483647", "2147483647", false},
    {INT_, "-2147483648", "-2147483648", false},
    {INT_, "2147483648", "NULL", true},
    {INT_, "-2147483649", "NULL", true},
    {INT_, "99999999999999999999999999", "NULL", true},
    {INT_, "1.0", "NULL", true},
    {INT_, "1e0", "NULL", true},
    {INT_, "\"1\"", "NULL", true},
    {INT_, "true", "NULL", true},
    {INT_, "{\"x\":1}", "NULL", true},
    {INT_, "[1]", "NULL", true},
    {INT_, "\"\"", "NULL", true},
    {INT_, "null", "NULL", false},
    {BIGINT_, "9223372036854775807", "9223372036854775807", false},
    {BIGINT_, "-9223372036854775808", "-9223372036854775808", false},
    {BIGINT_, "9223372036854775808", "NULL", true},
    {BIGINT_, "-9223372036854775809", "NULL", true},
    {BIGINT_, "1.5", "NULL", true},
    {DOUBLE_, "42", "42.0", false},
    {DOUBLE_, "0.1", "0.1", false},
    {DOUBLE_, "-0.0", "-0.0", false},
    {DOUBLE_, "-0", "0.0", false},
    {DOUBLE_, "1e400", "Infinity", false},
    {DOUBLE_, "-1e400", "-Infinity", false},
    {DOUBLE_, "1e-400", "0.0", false},
    {DOUBLE_, "1.2983715399999994E8", "1.2983715399999994E8", false},
    {DOUBLE_, "\"NaN\"", "NaN", false},
    {DOUBLE_, "\"Infinity\"", "Infinity", false},
    {DOUBLE_, "\"-Infinity\"", "-Infinity", false},
    {DOUBLE_, "\"1.5\"", "NULL", true},
    {DOUBLE_, "\"nan\"", "NULL", true},
    {DOUBLE_, "\"\"", "NULL", true},
    {DOUBLE_, "true", "NULL", true},
    {STRING_, "\"abc\"", "abc", false},
    {STRING_, "\"\"", "", false},
    {STRING_, "\"a\\\"b\\\\c\\/d\\n\\t\\u0041\\u00e9\\u20AC\\ud83d\\ude00!\"", "a\"b\\c/d\n\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80!", false},
    {STRING_, "12", "12", false},
    {STRING_, "-0", "0", false},
    {STRING_, "123456789012345678901234567890", "123456789012345678901234567890", false},
    {STRING_, "1.50", "1.5", false},
    {STRING_, "1e2", "100.0", false},
    {STRING_, "1e400", "\"Infinity\"", false},
    {STRING_, "true", "true", false},
    {STRING_, "false", "false", false},
    {STRING_, "null", "NULL", false},
    {STRING_, "[ ]", "[]", false},
    {STRING_, "{ \"b\" : [ 1 , 2.50 , \"x y\\n\" , null, { } ] , \"c\" : \"\\u0041\\\"\" }",
     "{\"b\":[1,2.5,\"x y\\n\",null,{}],\"c\":\"A\\\"\"}", false},
    {BOOLEAN_, "true", "true", false},
    {BOOLEAN_, "false", "false", false},
    {BOOLEAN_, "\"true\"", "NULL", true},
    {BOOLEAN_, "1", "NULL", true},
    {BOOLEAN_, "0", "NULL", true},
    {BOOLEAN_, "null", "NULL", false},
    {DATE_, "\"2024-02-29\"", "2024-02-29", false},
    {DATE_, "\"2024\\u002d02-29\"", "2024-02-29", false},
    {DATE_, "\"2023-02-29\"", "NULL", true},
    {DATE_, "\"yesterday\"", "NULL", true},
    {DATE_, "\"\"", "NULL", true},
    {DATE_, "20240229", "NULL", true},
    {TIMESTAMP_, "\"2024-02-29T10:20:30Z\"", "2024-02-29 10:20:30", false},
    {TIMESTAMP_, "\"2024-02-29 10:20:30\"", "2024-02-29 10:20:30", false},
    {TIMESTAMP_, "\"noon\"", "NULL", true},
    {TIMESTAMP_, "[]", "NULL", true},
    {DECIMAL_(10, 2), "1.255", "1.26", false},
    {DECIMAL_(10, 2), "-0.005", "-0.01", false},
    {DECIMAL_(10, 2), "0.00499", "0.00", false},
    {DECIMAL_(10, 2), "\"1.255\"", "1.26", false},
    {DECIMAL_(10, 2), "\"1.25\\u0035\"", "1.26", false},
    {DECIMAL_(10, 2), "7", "7.00", false},
    {DECIMAL_(10, 2), "1.5e3", "1500.00", false},
    {DECIMAL_(4, 2), "99.994", "99.99", false},
    {DECIMAL_(4, 2), "99.995", "NULL", true},
    {DECIMAL_(4, 2), "100", "NULL", true},
    {DECIMAL_(4, 2), "1e999999999", "NULL", true},
    {DECIMAL_(10, 2), "\"\"", "NULL", true},
    {DECIMAL_(10, 2), "\" 1\"", "NULL", true},
    {DECIMAL_(10, 2), "\"1x\"", "NULL", true},
    {DECIMAL_(10, 2), "\"1e\"", "NULL", true},
    {DECIMAL_(10, 2), "\"NaN\"", "NULL", true},
    {DECIMAL_(10, 2), "true", "NULL", true},
    {DECIMAL_(38, 0), "99999999999999999999999999999999999999", "99999999999999999999999999999999999999", false},
};

START_TEST(value_by_type) {
    const struct row *r = &rows[_i];
    const char *got = value_as(r->type, r->value, &strict);
    ck_assert_msg(strcmp(got, r->shown) == 0, "%s as type %d: got %s, want %s", r->value, r->type.id, got, r->shown);
    ck_assert_msg((reason != NULL) == r->bad, "%s: reason %s", r->value, reason ? reason : "none");
    if (r->bad) ck_assert_ptr_eq(strstr(reason, "field 'x': "), reason);
    got = value_as(r->type, r->value, &lenient); /* strict text means the same to the lenient reader */
    ck_assert_str_eq(got, r->shown);
}
END_TEST

/* Correctly rounded: the answer of strtod, on each side of the fast path's border. */
static const char *const numbers[] = {
    "9007199254740992", "9007199254740993", "9007199254740991e22", "9007199254740991e-22", "1e22", "1e23",
    "1e-22", "1e-23", "0.1e1", "123456789012345678", "1234567890123456789012", "1.7976931348623157e308",
    "1.7976931348623159e308", "4.9e-324", "2.4703282292062327e-324", "2.2250738585072011e-308",
    "8.5e0000000000000001", "0.000000000000000000000000000000000000000000001", "0e999999999999", "-5E-1", "3e+2",
    "179769313486231580793728971405301e276", "578579.74", "0.3000000000000000444089209850062616169452667236328125",
};

START_TEST(doubles_round_correctly) {
    value_as(T(HR_DOUBLE), numbers[_i], &strict);
    ck_assert_ptr_null(reason);
    double want = strtod(numbers[_i], NULL), got = *(double *)out[0].at;
    ck_assert_msg(memcmp(&got, &want, sizeof got) == 0, "%s: %.17g, want %.17g", numbers[_i], got, want);
}
END_TEST

START_TEST(random_doubles_round_correctly) {
    uint64_t seed = 42;
    for (int k = 0; k < 3000; k++) {
        char number[64];
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        snprintf(number, sizeof number, "%llu.%0*llue%d", (unsigned long long)(seed >> 40), (int)(seed >> 8 & 15) + 1,
                 (unsigned long long)(seed >> 50), (int)(seed >> 20 & 63) - 32);
        value_as(T(HR_DOUBLE), number, &strict);
        double want = strtod(number, NULL);
        ck_assert_msg(*(double *)out[0].at == want, "%s", number);
        arena_reset(&arena);
    }
}
END_TEST

/* Mantissas of every length with every power of ten around the table's, and numbers that lie between two doubles. */
START_TEST(every_power_of_ten_rounds_correctly) {
    uint64_t seed = 7;
    for (int exponent = -60; exponent <= 60; exponent++)
        for (int k = 0; k < 2000; k++) {
            char number[64];
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            uint64_t mantissa = seed >> (k & 63);
            if (k % 4 == 0) mantissa = (mantissa >> 11 | 1ull << 52 | 1) << (k % 12); /* 54 bits: halfway, or nearly so */
            snprintf(number, sizeof number, "%llue%d", (unsigned long long)mantissa, exponent);
            double got = double_read((struct hr_text){.p = number, .n = (uint32_t)strlen(number)}), want = strtod(number, NULL);
            ck_assert_msg(got == want, "%s: %.17g, not %.17g", number, got, want);
        }
}
END_TEST

START_TEST(strings_without_escapes_are_not_copied) {
    struct hr_field f = {"x", T(HR_STRING)};
    struct hr_schema schema = schema_of(&f, 1);
    static const char json[] = "{\"x\":\"plain\"}";
    struct hr_text text = {.p = json, .n = sizeof json - 1};
    read_row(&schema, &strict, &(struct hr_column){.at = &text, .type = T(HR_STRING)}, 0);
    ck_assert_ptr_eq(((struct hr_text *)out[0].at)->p, json + 6);
}
END_TEST

START_TEST(escaped_nul_stays_in_the_string) {
    value_as(T(HR_STRING), "\"a\\u0000b\"", &strict);
    struct hr_text *t = out[0].at;
    ck_assert_uint_eq(t->n, 3);
    ck_assert_mem_eq(t->p, "a\0b", 3);
}
END_TEST

/* ---- records ---- */

static struct hr_field two[] = {{"a", {.id = HR_INT}}, {"b", {.id = HR_STRING}}};

static void check_two(const char *json, const char *a, const char *b, bool bad) {
    struct hr_schema schema = schema_of(two, 2);
    read_text(&schema, &strict, json);
    ck_assert_msg(strcmp(shown(0), a) == 0, "%s: a is %s", json, shown(0));
    ck_assert_msg(strcmp(shown(1), b) == 0, "%s: b is %s", json, shown(1));
    ck_assert_msg((reason != NULL) == bad, "%s: reason %s", json, reason ? reason : "none");
}

START_TEST(shape_of_records) {
    check_two("{\"a\":1,\"b\":\"x\"}", "1", "x", false);
    check_two(" \t\r\n{ \"b\" : \"x\" , \"a\" : 1 } \n", "1", "x", false);
    check_two("{}", "NULL", "NULL", false);
    check_two("{\"a\":1}", "1", "NULL", false);                        /* missing */
    check_two("{\"c\":[{\"a\":7}],\"a\":1}", "1", "NULL", false);      /* unknown, and not looked into */
    check_two("{\"c\":{\"a\":7,\"d\":[[],{}]},\"b\":\"y\"}", "NULL", "y", false);
    check_two("{\"A\":1,\"B\":\"x\"}", "NULL", "NULL", false);         /* case */
    check_two("{\"a\":1,\"a\":2,\"b\":\"x\",\"b\":\"y\"}", "2", "y", false);
    check_two("{\"a\":1,\"a\":null}", "NULL", "NULL", false);
    check_two("{\"a\":1,\"a\":\"x\"}", "NULL", "NULL", true);
    check_two("{\"\\u0061\":5}", "5", "NULL", false);                  /* an escaped name */
    check_two("{\"\":5,\"a\\u0000\":6}", "NULL", "NULL", false);
    check_two("{\"a\":\"x\",\"b\":\"kept\"}", "NULL", "kept", true);   /* partial result */
    check_two("{\"b\":\"gone\",\"a\":1", "NULL", "NULL", true);        /* syntax: all null */
    check_two("[{\"a\":1}]", "NULL", "NULL", true);
    check_two("5", "NULL", "NULL", true);
    check_two("\"a\"", "NULL", "NULL", true);
    check_two("null", "NULL", "NULL", true);
    check_two("", "NULL", "NULL", false);
    check_two(" \t\r\n ", "NULL", "NULL", false);
}
END_TEST

START_TEST(reasons_are_named) {
    check_two("{\"a\":\"x\"}", "NULL", "NULL", true);
    ck_assert_str_eq(reason, "field 'a': not an INT");
    check_two("{\"a\":3000000000}", "NULL", "NULL", true);
    ck_assert_str_eq(reason, "field 'a': does not fit INT");
    check_two("{\"a\":1}}", "NULL", "NULL", true);
    ck_assert_str_eq(reason, "JSON: text after the end");
    check_two("{\"a\" 1}", "NULL", "NULL", true);
    ck_assert_str_eq(reason, "JSON: unexpected character");
    check_two("[]", "NULL", "NULL", true);
    ck_assert_str_eq(reason, "JSON: not an object");
}
END_TEST

START_TEST(null_text_and_selected_rows) {
    struct hr_schema schema = schema_of(two, 1);
    struct hr_text text[4] = {{"{\"a\":1}", 7, 0}, {NULL, 0, 0}, {"{\"a\":3}", 7, 0}, {"{", 1, 0}};
    uint64_t valid = 0xD, outvalid = ~0ull;
    int32_t a[4] = {9, 9, 9, 9};
    const char *why[4] = {"0", "1", "2", "3"};
    static const uint16_t sel[] = {1, 2, 3};
    struct hr_column in = {text, &valid, T(HR_STRING)}, o = {a, &outvalid, T(HR_INT)};
    struct hr_json *json = json_reader_new(&arena, &schema, &strict);
    json_reader_read_by(path, json, &arena, &in, (struct hr_rows){sel, 3}, &o, why);
    ck_assert_int_eq(a[0], 9); /* not selected: untouched */
    ck_assert_str_eq(why[0], "0");
    ck_assert(hr_is_null(&o, 1));
    ck_assert_ptr_null(why[1]);
    ck_assert(!hr_is_null(&o, 2));
    ck_assert_int_eq(a[2], 3);
    ck_assert(hr_is_null(&o, 3));
    ck_assert_ptr_nonnull(why[3]);
}
END_TEST

START_TEST(pruned_columns) {
    struct hr_schema schema = schema_of(two, 2);
    static const char json[] = "{\"a\":\"x\",\"b\":\"y\"}";
    read_bytes(&schema, &strict, json, sizeof json - 1, 1);
    ck_assert_ptr_null(reason);
    ck_assert_str_eq(shown(1), "y");
    strict.check_all = true;
    read_bytes(&schema, &strict, json, sizeof json - 1, 3);
    ck_assert_str_eq(reason, "field 'a': not an INT");
}
END_TEST

START_TEST(corrupt_column_takes_the_raw_text) {
    struct hr_field f[] = {{"a", T(HR_INT)}, {"raw", T(HR_STRING)}};
    struct hr_schema schema = schema_of(f, 2);
    strict.corrupt = lenient.corrupt = "raw";
    read_text(&schema, &strict, " {\"a\":1 ");
    ck_assert_str_eq(shown(1), " {\"a\":1 ");
    read_text(&schema, &strict, "{\"a\":\"x\"}");
    ck_assert_str_eq(shown(0), "NULL");
    ck_assert_str_eq(shown(1), "{\"a\":\"x\"}");
    read_text(&schema, &strict, "{\"a\":1,\"raw\":\"mine\"}"); /* no field: a record cannot write it */
    ck_assert_str_eq(shown(0), "1");
    ck_assert_str_eq(shown(1), "NULL");
    read_text(&schema, &strict, "");
    ck_assert_str_eq(shown(1), "NULL");
    read_text(&schema, &lenient, "{'a':'x'}"); /* as it came, not as it was read */
    ck_assert_str_eq(shown(1), "{'a':'x'}");
    read_bytes(&schema, &strict, "{\"a\":\"x\"}", 9, 1); /* whoever else reads what */
    ck_assert_str_eq(shown(1), "{\"a\":\"x\"}");
}
END_TEST

/* ---- what only the lenient reader takes ---- */

static const struct leniency {
    struct hr_type type;
    const char *json, *shown;
} tolerated[] = {
    {INT_, "{'x':1}", "1"},
    {STRING_, "{'x':'a\"b'}", "a\"b"},
    {STRING_, "{\"x\":'it\\'s'}", "it's"},
    {STRING_, "{'x':'\\u0041\\n'}", "A\n"},
    {STRING_, "{'y':\"'\",'x':\"don't\"}", "don't"},
    {DOUBLE_, "{\"x\":NaN}", "NaN"},
    {DOUBLE_, "{\"x\": Infinity }", "Infinity"},
    {DOUBLE_, "{\"x\":+Infinity}", "Infinity"},
    {DOUBLE_, "{\"x\":-Infinity,\"y\":[NaN,-INF,+INF]}", "-Infinity"},
    {INT_, "{\"x\":1} trailing", "1"},
    {INT_, "{\"x\":1}}", "1"},
    {INT_, "{\"x\":1}{\"x\":2}", "1"},
    {STRING_, "{\"x\":[ 'a' ]} ]", "[\"a\"]"},
};

START_TEST(lenient_reader) {
    const struct leniency *l = &tolerated[_i];
    struct hr_field f = {"x", l->type};
    struct hr_schema schema = schema_of(&f, 1);
    read_text(&schema, &strict, l->json);
    ck_assert_msg(reason != NULL && strcmp(shown(0), "NULL") == 0, "strict took %s", l->json);
    read_text(&schema, &lenient, l->json);
    ck_assert_msg(reason == NULL, "%s: %s", l->json, reason);
    ck_assert_str_eq(shown(0), l->shown);
}
END_TEST

START_TEST(lenient_reader_has_limits) {
    static const char *const refused[] = {
        "{'a':1", "{'a:1}", "{a:1}", "{NaN:1}", "{'a':1NaN}", "{'a':nan}", "{'a':Infinit}", "{'a':01}", "{'a':1,}",
        "['a']", "'a'", "{'a':'\\x'}", "'", "{'a':'\\", "}{", "{'a':1]", "{\"a\":1 /* c */}", "{'a':'\x80'}",
    };
    for (size_t i = 0; i < COUNT(refused); i++) {
        read_a(refused[i], strlen(refused[i]), &lenient);
        ck_assert_msg(reason != NULL, "took %s", refused[i]);
        ck_assert(hr_is_null(&out[0], 0));
    }
}
END_TEST

/* ---- odd text, after JSONTestSuite ---- */

#define BYTES(s) {s, sizeof(s) - 1}

static const struct bytes {
    const char *p;
    size_t n;
} malformed[] = {
    BYTES("{"), BYTES("}"), BYTES("{\"a\""), BYTES("{\"a\":"), BYTES("{\"a\":}"), BYTES("{\"a\":1,}"), BYTES("{,\"a\":1}"),
    BYTES("{\"a\":1,,\"b\":2}"), BYTES("{\"a\"::1}"), BYTES("{\"a\",1}"), BYTES("{\"a\":1 \"b\":2}"), BYTES("{1:1}"),
    BYTES("{null:1}"), BYTES("{a:1}"), BYTES("{\"a\":1]"), BYTES("{\"a\":[1}"), BYTES("{\"a\":[1,]}"), BYTES("{\"a\":[,1]}"),
    BYTES("{\"a\":[1 2]}"), BYTES("{\"a\":[\"b\":1]}"), BYTES("{\"a\":{\"b\"}}"), BYTES("{[]:1}"), BYTES("{\"a\":1}#"),
    BYTES("{\"a\":1}{}"), BYTES("{\"a\":1}\0"), BYTES("\0{\"a\":1}"), BYTES("{\"a\":1\0}"), BYTES("{\"a\":\"\0\"}"),
    /* numbers */
    BYTES("{\"a\":01}"), BYTES("{\"a\":-01}"), BYTES("{\"a\":+1}"), BYTES("{\"a\":-}"), BYTES("{\"a\":1.}"), BYTES("{\"a\":.1}"),
    BYTES("{\"a\":1.e1}"), BYTES("{\"a\":1e}"), BYTES("{\"a\":1e+}"), BYTES("{\"a\":1eE2}"), BYTES("{\"a\":0x1}"), BYTES("{\"a\":1_0}"),
    BYTES("{\"a\":--1}"), BYTES("{\"a\":1-2}"), BYTES("{\"a\":1.2.3}"), BYTES("{\"a\":NaN}"), BYTES("{\"a\":-Infinity}"),
    BYTES("{\"a\":1"), BYTES("{\"a\":1."), BYTES("{\"a\":1e"), BYTES("{\"a\":-"), BYTES("{\"a\":1a}"), BYTES("{\"a\":\xef\xbc\x91}"),
    /* literals */
    BYTES("{\"a\":tru}"), BYTES("{\"a\":truE}"), BYTES("{\"a\":True}"), BYTES("{\"a\":nul"), BYTES("{\"a\":nulll}"), BYTES("{\"a\":false0}"),
    /* strings */
    BYTES("{\"a\":\"x}"), BYTES("{\"a\":\"\n\"}"), BYTES("{\"a\":\"\x1f\"}"), BYTES("{\"a\":\"long enough text\tand a tab\"}"),
    BYTES("{\"a\":\"\\x\"}"), BYTES("{\"a\":\"\\'\"}"), BYTES("{\"a\":\"\\"), BYTES("{\"a\":\"\\\"}"), BYTES("{\"a\":\"\\u\"}"),
    BYTES("{\"a\":\"\\u12\"}"), BYTES("{\"a\":\"\\u123g\"}"), BYTES("{\"a\":\"\\u12"), BYTES("{\"a\":\"\\U0041\"}"),
    BYTES("{\"a\":\"\\ud800\"}"), BYTES("{\"a\":\"\\udc00\"}"), BYTES("{\"a\":\"\\ud800\\ud800\"}"), BYTES("{\"a\":\"\\ud800x\"}"),
    BYTES("{\"a\":\"\\ud800\\n\"}"), BYTES("{\"a\":\"\\ud800\\u00"), BYTES("{'a':1}"), BYTES("{\"a\":'x'}"), BYTES("{\"\\ud800\":1}"),
    /* UTF-8: lone, overlong, surrogate, too large, cut */
    BYTES("{\"a\":\"\x80\"}"), BYTES("{\"a\":\"\xff\"}"), BYTES("{\"a\":\"\xc0\x80\"}"), BYTES("{\"a\":\"\xc1\xbf\"}"),
    BYTES("{\"a\":\"\xe0\x9f\xbf\"}"), BYTES("{\"a\":\"\xed\xa0\x80\"}"), BYTES("{\"a\":\"\xf0\x8f\xbf\xbf\"}"),
    BYTES("{\"a\":\"\xf4\x90\x80\x80\"}"), BYTES("{\"a\":\"\xf5\x80\x80\x80\"}"), BYTES("{\"a\":\"\xc3\"}"), BYTES("{\"a\":\"\xe2\x82\"}"),
    BYTES("{\"a\":\"\xf0\x9f\x98"), BYTES("{\"a\":\"\xc3"), BYTES("{\"\xff\":1}"), BYTES("{\"a\":\"text around \x80 the byte\"}"),
    BYTES("{\"a\":\"text around \x9f the byte\"}"), BYTES("{\"a\":\"text around \xff the byte\"}"), BYTES("\xef\xbb\xbf{\"a\":1}"), BYTES("{\"a\":1}\xc2\xa0"),
    /* blanks that are none */
    BYTES("{\"a\":\f1}"), BYTES("\v{\"a\":1}"), BYTES("{\"a\":1\xc2\xa0}"), BYTES("{\"a\":1}//"), BYTES("*"), BYTES("\xff"), BYTES("\f"),
};

START_TEST(malformed_text) {
    const struct bytes *b = &malformed[_i];
    read_a(b->p, b->n, &strict);
    ck_assert_msg(reason != NULL, "took %s", b->p);
    ck_assert_msg(strncmp(reason, "JSON: ", 6) == 0, "%s: %s", b->p, reason);
    ck_assert(hr_is_null(&out[0], 0));
}
END_TEST

START_TEST(wellformed_text) {
    static const struct bytes fine[] = {
        BYTES("{\"a\":1,\"s\":\"\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"}"),
        BYTES("{\"a\":1,\"s\":[-0,-0.0,0e0,1E+1,1e-1,0.5,1234567890]}"), BYTES("{\"s\":[[],{},[{}],\"\",true,false,null],\"a\":1}"),
        BYTES("\n{\t\"s\"\r:\n[ ] ,\t\"a\" : 1\r}\n"), BYTES("{\"s\":\"\\uDBFF\\uDFFF\\uffff\\u0000\\/\",\"a\":1}"),
        BYTES("{\"\":{\"\":\"\"},\"a\":1}"), BYTES("{\"s\":\"]}{[,:\\\\\",\"a\":1}"),
    };
    for (size_t i = 0; i < COUNT(fine); i++) {
        read_a(fine[i].p, fine[i].n, &strict);
        ck_assert_msg(reason == NULL, "%s: %s", fine[i].p, reason);
        ck_assert_str_eq(shown(0), "1");
    }
}
END_TEST

/* Every prefix of a record is malformed; every byte of it changed to any other is no crash. */
START_TEST(cut_and_damaged_text) {
    static const char whole[] = "{\"b\":[1,2.5e-3,{\"c\":\"\\u00e9\\ud83d\\ude00\xc3\xa9\"}],\"t\":true,\"a\":null,\"a\":12}";
    size_t n = sizeof whole - 1;
    read_a(whole, n, &strict);
    ck_assert_str_eq(shown(0), "12");
    for (size_t cut = 1; cut < n; cut++) {
        read_a(whole, cut, &strict);
        ck_assert_msg(reason != NULL, "took %.*s", (int)cut, whole);
        read_a(whole, cut, &lenient);
        ck_assert_msg(reason != NULL, "took %.*s", (int)cut, whole);
    }
    char damaged[sizeof whole];
    for (size_t at = 0; at < n; at++)
        for (int c = 0; c < 256; c++) {
            memcpy(damaged, whole, sizeof whole);
            damaged[at] = (char)c;
            read_a(damaged, n, c & 1 ? &strict : &lenient);
            if (reason && strncmp(reason, "JSON: ", 6) == 0) ck_assert(hr_is_null(&out[0], 0));
            arena_reset(&arena);
        }
}
END_TEST

/* ---- depth and size ---- */

/* {"a":1,"x":[[[...]]]} with that many levels in all. */
static const char *nested(int levels) {
    struct hr_buffer b = {0};
    buffer_puts(&b, "{\"a\":1,\"x\":");
    for (int i = 1; i < levels; i++) buffer_putc(&b, '[');
    if (levels == 1) buffer_putc(&b, '0');
    for (int i = 1; i < levels; i++) buffer_putc(&b, ']');
    buffer_putc(&b, '}');
    const char *s = arena_strndup(&arena, b.p, b.n);
    buffer_free(&b);
    return s;
}

static void check_depth(int limit, int levels, bool ok) {
    const char *json = nested(levels);
    strict.depth = limit;
    read_a(json, strlen(json), &strict);
    ck_assert_msg((reason == NULL) == ok, "%d levels, limit %d: %s", levels, limit, reason ? reason : "taken");
    if (!ok) ck_assert_str_eq(reason, "JSON: nested deeper than the limit");
}

START_TEST(depth_limit) {
    check_depth(0, 1, true);
    check_depth(0, 64, true);
    check_depth(0, 65, false);
    check_depth(1, 1, true);
    check_depth(1, 2, false);
    check_depth(200, 200, true);
    check_depth(200, 201, false);
    check_depth(1 << 30, 1024, true);
    check_depth(1 << 30, 100000, false);
}
END_TEST

/* A million names: linear, or this test runs into Check's time limit. */
START_TEST(million_names) {
    struct hr_buffer b = {0};
    struct hr_field f = {"k999999", T(HR_INT)};
    struct hr_schema schema = schema_of(&f, 1);
    char member[32];
    buffer_putc(&b, '{');
    for (int i = 0; i < 1000000; i++) {
        snprintf(member, sizeof member, "%s\"k%d\":%d", i ? "," : "", i, i);
        buffer_puts(&b, member);
    }
    buffer_putc(&b, '}');
    read_bytes(&schema, &strict, b.p, b.n, 0);
    ck_assert_ptr_null(reason);
    ck_assert_str_eq(shown(0), "999999");
    buffer_free(&b);
}
END_TEST

START_TEST(many_fields) {
    struct hr_field f[300];
    static char names[300][24];
    static int32_t cell[300];
    static uint64_t valid[300];
    struct hr_column o[300];
    struct hr_buffer b = {0};
    for (int i = 0; i < 300; i++) {
        snprintf(names[i], sizeof names[i], "%.*s%d", i % 12, "prefix_prefix", i);
        f[i] = (struct hr_field){names[i], T(HR_INT)};
        o[i] = (struct hr_column){&cell[i], &valid[i], T(HR_INT)};
        buffer_puts(&b, i ? ",\"" : "{\"");
        buffer_puts(&b, names[i]);
        buffer_puts(&b, arena_printf(&arena, "\":%d", i));
    }
    buffer_putc(&b, '}');
    struct hr_schema schema = schema_of(f, 300);
    struct hr_text text = {.p = b.p, .n = (uint32_t)b.n};
    struct hr_column in = {.at = &text, .type = T(HR_STRING)};
    json_reader_read_by(path, json_reader_new(&arena, &schema, &strict), &arena, &in, (struct hr_rows){.n = 1}, o, &reason);
    ck_assert_ptr_null(reason);
    for (int i = 0; i < 300; i++) {
        ck_assert(!hr_is_null(&o[i], 0));
        ck_assert_int_eq(cell[i], i);
    }
    buffer_free(&b);
}
END_TEST

static TCase *all_tests(const char *name, void (*fixture)(void)) {
    TCase *t = tcase_create(name);
    tcase_add_checked_fixture(t, fixture, teardown);
    tcase_set_timeout(t, 20);
    tcase_add_loop_test(t, value_by_type, 0, COUNT(rows));
    tcase_add_loop_test(t, doubles_round_correctly, 0, COUNT(numbers));
    tcase_add_test(t, random_doubles_round_correctly);
    tcase_add_test(t, every_power_of_ten_rounds_correctly);
    tcase_add_test(t, strings_without_escapes_are_not_copied);
    tcase_add_test(t, escaped_nul_stays_in_the_string);
    tcase_add_test(t, shape_of_records);
    tcase_add_test(t, reasons_are_named);
    tcase_add_test(t, null_text_and_selected_rows);
    tcase_add_test(t, pruned_columns);
    tcase_add_test(t, corrupt_column_takes_the_raw_text);
    tcase_add_loop_test(t, lenient_reader, 0, COUNT(tolerated));
    tcase_add_test(t, lenient_reader_has_limits);
    tcase_add_loop_test(t, malformed_text, 0, COUNT(malformed));
    tcase_add_test(t, wellformed_text);
    tcase_add_test(t, cut_and_damaged_text);
    tcase_add_test(t, depth_limit);
    tcase_add_test(t, million_names);
    tcase_add_test(t, many_fields);
    return t;
}

int main(void) {
    Suite *suite = suite_create("json");
    suite_add_tcase(suite, all_tests("reader", setup));
    suite_add_tcase(suite, all_tests("reference", setup_reference));
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
