/*
 * Values from any text: dates, timestamps, decimals, numbers. What is read is written so that it is read again as the
 * same, as text, as a key, and by a date pattern; what a key is made of may be anything.
 */
#include "tests/fuzz/fuzz.h"
#include "functions/date_pattern.h"

static struct hr_type type_of(const uint8_t *head) {
    static const uint8_t ids[] = {HR_BOOLEAN, HR_INT, HR_BIGINT, HR_DOUBLE, HR_STRING, HR_DATE, HR_TIMESTAMP, HR_DECIMAL};
    struct hr_type t = {.id = ids[head[0] & 7]};
    if (t.id == HR_DECIMAL) {
        t.precision = 1 + head[1] % 38;
        t.scale = head[2] % (t.precision + 1);
    }
    return t;
}

static struct hr_text text_of(struct hr_type t, const void *value) {
    struct hr_buffer b = {0};
    value_text(&b, t, value);
    struct hr_text text = {fuzz_copy(b.p, b.n), (uint32_t)b.n, 0};
    buffer_free(&b);
    return text;
}

static bool same(struct hr_text a, struct hr_text b) { return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n)); }

/* Every other type it can be cast to, and JSON: no value may trip them. */
static void cast_all(struct hr_type t, const void *value) {
    struct arena a = {0};
    for (uint8_t id = HR_BOOLEAN; id <= HR_DECIMAL; id++) {
        struct hr_type to = {id, id == HR_DECIMAL ? 18 : 0, id == HR_DECIMAL ? 4 : 0};
        _Alignas(16) char out[16];
        if (value_cast(t, value, to, out, &a)) text_of(to, out);
    }
    struct hr_buffer json = {0};
    value_json(&json, t, value);
    buffer_free(&json);
    arena_free(&a);
}

static void check_key(struct hr_type t, const void *value) {
    struct hr_buffer key = {0};
    struct arena a = {0};
    key_put(&key, t, value);
    char *copy = fuzz_copy(key.p, key.n);
    const char *p = copy;
    _Alignas(16) char back[16];
    bool null;
    CHECK(key_get(&p, copy + key.n, t, back, &null, &a) && !null && p == copy + key.n, "a key that is not read again");
    struct hr_text was = text_of(t, value), is = text_of(t, back);
    CHECK(same(was, is) || (t.id == HR_DOUBLE && !strncmp(was.p, "-0.0", 4)), "key: %.*s or %.*s", (int)was.n, was.p, (int)is.n, is.p);
    buffer_free(&key);
    arena_free(&a);
}

static void check_value(struct hr_type t, struct hr_text text) {
    _Alignas(16) char value[16], again[16];
    if (!value_parse(t, text, value)) return;
    struct hr_text written = text_of(t, value);
    CHECK(value_parse(t, written, again), "'%.*s' is written, but not read", (int)written.n, written.p);
    struct hr_text second = text_of(t, again);
    CHECK(same(written, second), "'%.*s' or '%.*s'", (int)written.n, written.p, (int)second.n, second.p);
    check_key(t, value);
    cast_all(t, value);
}

static void check_any_key(struct hr_type t, struct hr_text bytes) {
    _Alignas(16) char value[16];
    bool null;
    struct arena a = {0};
    const char *p = bytes.p;
    if (key_get(&p, bytes.p + bytes.n, t, value, &null, &a)) {
        CHECK(p > bytes.p && p <= bytes.p + bytes.n, "beyond the key");
        if (!null) cast_all(t, value);
    }
    arena_free(&a);
}

/* Numbers side by side can be cut in more ways than one. */
static bool is_ambiguous(const struct date_pattern *p) {
    for (int i = 0; i + 1 < p->n; i++)
        if (p->part[i].letter && p->part[i + 1].letter) return true;
    return false;
}

/* A pattern, a newline, a text. */
static void check_pattern(struct hr_text in) {
    const char *newline = in.n ? memchr(in.p, '\n', in.n) : NULL;
    if (!newline) return;
    struct date_pattern pattern;
    size_t n = (size_t)(newline - in.p);
    if (date_pattern_compile(&pattern, fuzz_copy(in.p, n), n)) return;
    struct hr_text text = {fuzz_copy(newline + 1, in.n - n - 1), (uint32_t)(in.n - n - 1), 0};
    int64_t us, again;
    if (!date_pattern_parse(&pattern, text, &us) || is_ambiguous(&pattern)) return;
    struct hr_buffer out = {0};
    date_pattern_format(&pattern, us, &out);
    struct hr_text written = {fuzz_copy(out.p, out.n), (uint32_t)out.n, 0};
    CHECK(date_pattern_parse(&pattern, written, &again) && us == again, "'%.*s' is written of %lld", (int)out.n, out.p, (long long)us);
    buffer_free(&out);
}

void fuzz_one(const uint8_t *data, size_t n) {
    enum { HEAD = 3 };
    if (n < HEAD) return;
    fuzz_host();
    struct hr_type t = type_of(data);
    struct hr_text text = {fuzz_copy(data + HEAD, n - HEAD), (uint32_t)(n - HEAD), 0};
    switch (data[0] >> 3 & 3) {
    case 0: check_pattern(text); break;
    case 1: check_any_key(t, text); break;
    default: check_value(t, text);
    }
}
