/*
 * test_json_paths.c: the hot path of the JSON reader and its reference give the same of every record: the same values,
 * nulls and reasons. Records are made and damaged at random from a fixed seed, in batches, as the hot path learns
 * from one record about the next. Each text lies in memory of exactly its size, so that a sanitizer sees a byte read
 * too many. Built a second time with JSON_PORTABLE.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "core/data/json_internal.h"

enum { BATCHES = 4000, ROWS = 24, FIELDS = 12, TEXT = 4096 };

#define T(id_) {.id = id_}
static const struct hr_field all_fields[FIELDS] = {
    {"SellerID", T(HR_INT)},       {"total", T(HR_DOUBLE)},         {"invoice_Date", T(HR_STRING)},
    {"n", T(HR_BIGINT)},           {"price", {HR_DECIMAL, 10, 2}},  {"ok", T(HR_BOOLEAN)},
    {"day", T(HR_DATE)},           {"at", T(HR_TIMESTAMP)},         {"big", {HR_DECIMAL, 38, 10}},
    {"a name of more than thirty-two bytes", T(HR_INT)},            {"x", T(HR_DOUBLE)},
    {"_corrupt_record", T(HR_STRING)},
};

/* ---- chance ---- */

static uint64_t state;

static uint32_t chance(uint32_t n) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)((state >> 33) % n);
}

#define ONE_OF(list) (list)[chance(sizeof(list) / sizeof *(list))]

/* ---- making records ---- */

struct maker {
    char text[TEXT];
    size_t n;
    bool spaced; /* blanks as json.dumps() writes them */
};

static void put(struct maker *m, const char *s) {
    size_t n = strlen(s);
    if (m->n + n > TEXT / 2) return;
    memcpy(m->text + m->n, s, n);
    m->n += n;
}

static const char *const odd_values[] = {
    "0", "-0", "-0.0", "0.0", "00", "01", "-", "-1", "1.", ".5", "1.5E8", "1e400", "1e-400", "-1E+2", "1.7976931348623157e308",
    "9007199254740993", "1.2983715399999994E8", "0.1234567890123456789", "123456789012345", "1234567890123456",
    "12345678901234567890", "2147483647", "2147483648", "-2147483648", "9223372036854775807", "9223372036854775808",
    "123456789.25", "1234567.12345678", "12345678.123456789", "12345678.12", "1.255", "-0.005", "99999999.994", "99999999.995",
    "123456789012345678901234567.8901234567", "true", "false", "null", "tru", "nul", "NaN", "Infinity", "\"NaN\"", "\"-Infinity\"",
    "{}", "[]", "[1, {\"total\": 2}]", "{\"SellerID\":1,\"x\":[true,null]}", "[[[[[[]]]]]]", "[1,]", "{\"a\"}", "[", "}",
    "\"\"", "\"a\"", "\"12.5\"", "\"1e2\"", "\"2024-02-29\"", "\"2024-02-30\"", "\"2024-02-29 12:30:00.5\"", "\"2024-02-29T01:02:03Z\"",
    "\"09-14-24\"", "\"sixteen bytes ..\"", "\"fifteen bytes .\"", "\"seventeen bytes .\"", "\"thirty-two bytes, one more or less\"",
    "\"\\u00e9\\n\\\"\"", "\"\\ud83d\\ude00\"", "\"\\ud83d\"", "\"\\x\"", "\"\xc3\xa9t\xc3\xa9 \xf0\x9f\x98\x80\"", "\"\xc3\"", "\"\xff\"",
    "\"\x01\"", "\"tab\there\"", "'single'", "\"open", "1,", "1:", "", "\"2024-1-1\"", "1 2", "\t7\n", "\"{\\\"total\\\":1}\"",
};
static const char *const foreign_names[] = {"InvoiceID", "BuyerID", "", "sellerid", "Total", "\xc3\xa9", "tot", "totals",
                                            "a name of more than thirty-two byteS", "subtotal_amount"};

static void put_number(struct maker *m) {
    char text[64];
    switch (chance(4)) {
    case 0: snprintf(text, sizeof text, "%u", chance(1u << chance(31))); break;
    case 1: snprintf(text, sizeof text, "%s%u.%0*u", chance(3) ? "" : "-", chance(100000), (int)chance(9) + 1, chance(10)); break;
    case 2: snprintf(text, sizeof text, "%.17g", (double)state / (double)(chance(1000000) + 1)); break;
    default: snprintf(text, sizeof text, "%.2f", (double)chance(100000000) / 100); break;
    }
    put(m, text);
}

static void put_value(struct maker *m, const struct hr_field *f) {
    static const char *const texts[] = {"\"09-14-24\"", "\"\"", "\"a somewhat longer text, of fifty bytes or so ....\"", "\"2024-05-06\""};
    if (chance(12) == 0) put(m, ONE_OF(odd_values));
    else if (f && (f->type.id == HR_STRING || f->type.id == HR_DATE || f->type.id == HR_TIMESTAMP)) put(m, ONE_OF(texts));
    else if (f && f->type.id == HR_BOOLEAN) put(m, chance(2) ? "true" : "false");
    else if (f && f->type.id <= HR_BIGINT && chance(4)) put(m, chance(2) ? "1234" : "-77");
    else put_number(m);
}

/* Names in one order, some left out, some twice, some foreign, a few in another order. */
static void make_record(struct maker *m, uint32_t first) {
    m->n = 0;
    put(m, chance(40) ? "{" : " \t{ ");
    for (uint32_t k = 0, members = chance(FIELDS + 3); k < members; k++) {
        bool foreign = chance(5) == 0;
        uint32_t f = chance(9) ? (first + k) % FIELDS : chance(FIELDS);
        const char *name = foreign ? foreign_names[k % (sizeof foreign_names / sizeof *foreign_names)] : all_fields[f].name;
        if (chance(15) == 0) continue;
        if (m->text[m->n - 1] != '{') put(m, m->spaced ? ", " : ",");
        char escaped[16];
        snprintf(escaped, sizeof escaped, "\"\\u%04x", (unsigned char)*name);
        bool escape = chance(100) == 0 && *name > 0;
        put(m, escape ? escaped : "\"");
        put(m, name + escape);
        put(m, chance(60) ? "\"" : "\" ");
        put(m, m->spaced ? ": " : ":");
        put_value(m, foreign ? NULL : &all_fields[f]);
    }
    put(m, chance(40) ? "}" : " }\r");
}

static void damage(struct maker *m) {
    static const char bytes[] = "{}[]\",:\\0123456789.-+eEtrufalsn \t\n\x01\x7f\x80\xc3\xa9\xff'N";
    for (uint32_t times = chance(3) + 1; times > 0 && m->n > 0; times--) {
        size_t at = chance((uint32_t)m->n);
        switch (chance(5)) {
        case 0: m->text[at] = bytes[chance(sizeof bytes)]; break;
        case 1: memmove(m->text + at, m->text + at + 1, --m->n - at); break;
        case 2: m->n = at; break;
        case 3:
            memmove(m->text + at + 1, m->text + at, m->n++ - at);
            m->text[at] = bytes[chance(sizeof bytes)];
            break;
        default: m->text[at] ^= (char)(1 << chance(8));
        }
    }
}

/* ---- one batch through one path ---- */

struct result {
    struct hr_column column[FIELDS];
    const char *reason[ROWS];
};

static struct arena arena;

static void read_by(enum json_path path, const struct hr_json *json, const struct hr_schema *schema, uint32_t pruned,
                    const struct hr_column *text, struct hr_rows rows, struct result *out) {
    for (int f = 0; f < schema->n; f++) {
        struct hr_column *c = &out->column[f];
        *c = (struct hr_column){.type = schema->field[f].type};
        if (pruned >> f & 1) continue;
        c->at = arena_alloc(&arena, ROWS * 16);
        memset(c->at, 0xAA, ROWS * 16);
        c->valid = arena_alloc(&arena, 8);
        *c->valid = state; /* anything */
    }
    json_reader_read_by(path, json, &arena, text, rows, out->column, out->reason);
}

static bool same_cell(const struct hr_column *a, const struct hr_column *b, uint32_t i) {
    if (hr_is_null(a, i) != hr_is_null(b, i)) return false;
    if (a->type.id != HR_STRING || hr_is_null(a, i)) return !memcmp(hr_value(a, i), hr_value(b, i), hr_width(a->type));
    const struct hr_text *x = hr_value(a, i), *y = hr_value(b, i);
    return x->n == y->n && (!x->n || !memcmp(x->p, y->p, x->n));
}

static void compare(const struct hr_schema *schema, const struct result *a, const struct result *b, uint32_t i, struct hr_text t) {
    bool same = !a->reason[i] == !b->reason[i] && (!a->reason[i] || !strcmp(a->reason[i], b->reason[i]));
    if (!same) ck_abort_msg("reference: %s, hot: %s, of %.*s", a->reason[i] ? a->reason[i] : "good", b->reason[i] ? b->reason[i] : "good", (int)t.n, t.p);
    for (int f = 0; f < schema->n; f++)
        if (a->column[f].at && !same_cell(&a->column[f], &b->column[f], i))
            ck_abort_msg("column %s differs of %.*s", schema->field[f].name, (int)t.n, t.p);
}

/* ---- the property ---- */

static struct hr_text exact_copy(const struct maker *m) {
    char *p = malloc(m->n ? m->n : 1);
    memcpy(p, m->text, m->n);
    return (struct hr_text){.p = p, .n = (uint32_t)m->n};
}

/* Any of the fields, in any order. */
static struct hr_schema some_schema(struct hr_field *field) {
    int n = 0;
    for (uint32_t f = 0; f < FIELDS; f++)
        if (chance(3)) field[n++] = all_fields[f];
    for (int i = n - 1; i > 0; i--) {
        int k = (int)chance((uint32_t)i + 1);
        struct hr_field other = field[k];
        field[k] = field[i];
        field[i] = other;
    }
    return (struct hr_schema){n, field};
}

static void one_batch(uint64_t *hot, uint64_t *odd) {
    static struct result reference, both, alone;
    struct hr_field field[FIELDS];
    struct hr_schema schema = some_schema(field);
    struct hr_json_options o = {.strict = chance(3) != 0, .check_all = chance(3) == 0,
                                .corrupt = chance(2) ? "_corrupt_record" : NULL, .depth = chance(4) ? 0 : (int)chance(5) + 1};
    struct hr_json *json = json_reader_new(&arena, &schema, &o);
    struct hr_text text[ROWS];
    uint16_t sel[ROWS];
    struct maker m = {.spaced = chance(3) == 0};
    uint32_t first = chance(FIELDS), n = 0, pruned = chance(2) ? 0 : chance(1u << FIELDS), damaged = chance(4);
    for (uint32_t i = 0; i < ROWS; i++) {
        make_record(&m, chance(10) ? first : chance(FIELDS));
        if (damaged && chance(4) < damaged) damage(&m);
        text[i] = exact_copy(&m);
        if (chance(8)) sel[n++] = (uint16_t)i;
    }
    struct hr_column in = {.at = text, .type = {.id = HR_STRING}};
    struct hr_rows rows = {sel, n};
    read_by(JSON_REFERENCE, json, &schema, pruned, &in, rows, &reference);
    read_by(JSON_BOTH, json, &schema, pruned, &in, rows, &both);
    read_by(JSON_HOT, json, &schema, pruned, &in, rows, &alone);
    HR_EACH(rows, i) {
        compare(&schema, &reference, &both, i, text[i]);
        if (alone.reason[i] == json_odd) {
            ++*odd;
        } else {
            compare(&schema, &reference, &alone, i, text[i]);
            ++*hot;
        }
    }
    for (uint32_t i = 0; i < ROWS; i++) free((char *)text[i].p);
    arena_reset(&arena);
}

START_TEST(both_paths_agree) {
    uint64_t hot = 0, odd = 0;
    state = 1;
    for (int i = 0; i < BATCHES; i++) one_batch(&hot, &odd);
    arena_free(&arena);
    /* else this test would compare the reference with itself */
    ck_assert_uint_gt(hot, BATCHES * ROWS / 3);
    ck_assert_uint_gt(odd, BATCHES * ROWS / 10);
}
END_TEST

/* What is not odd: one line for each thing that the hot path is to take. */
static const char *const ordinary[] = {
    "{}", "{ }", "{\"SellerID\":1}", "{\"SellerID\": 278, \"total\": 742.73, \"invoice_Date\": \"09-14-24\"}", "{\"n\":null,\"ok\":true}",
    "{\"SellerID\":1,\"SellerID\":2}", "{\"total\":1.2983715399999994E8}", "{\"x\":{\"y\":[1,{}]},\"total\":-0}", "{\"\xc3\xa9\":1}",
    "{\"invoice_Date\":\"\xc3\xa9 \\n \\u00e9\"}", "{\"SellerID\" : 1 , \"x\" : 2 }", "{\"SellerID\":1.5}", "{\"price\":1.255}", "{\"total\":1.5E8,\"invoice_Date\":\"thirty-two bytes, one more or less\"}",
};

START_TEST(ordinary_records_stay_on_the_hot_path) {
    static struct result out;
    struct hr_schema schema = {FIELDS, all_fields};
    struct hr_text text = {.p = ordinary[_i], .n = (uint32_t)strlen(ordinary[_i])};
    struct hr_column in = {.at = &text, .type = {.id = HR_STRING}};
    struct hr_json_options o = {.strict = true};
    read_by(JSON_HOT, json_reader_new(&arena, &schema, &o), &schema, 0, &in, (struct hr_rows){.n = 1}, &out);
    ck_assert_ptr_ne(out.reason[0], json_odd);
    arena_free(&arena);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("json paths");
    TCase *t = tcase_create("paths");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, both_paths_agree);
    tcase_add_loop_test(t, ordinary_records_stay_on_the_hot_path, 0, sizeof ordinary / sizeof *ordinary);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
