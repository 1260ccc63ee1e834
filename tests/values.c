#include "tests/values.h"

#include <float.h>
#include <math.h>

const struct hr_type every_type[EVERY_TYPE] = {
    {.id = HR_BOOLEAN}, {.id = HR_INT},       {.id = HR_BIGINT},    {.id = HR_DOUBLE},  {.id = HR_STRING},
    {.id = HR_DATE},    {.id = HR_TIMESTAMP}, {HR_DECIMAL, 38, 10}, {HR_DECIMAL, 5, 2}, {HR_DECIMAL, 1, 0},
};

static hr_int128 random_decimal(uint64_t *seed, int precision) {
    hr_int128 limit = 1;
    for (int i = 0; i < precision; i++) limit *= 10;
    if (random_below(seed, 8) == 0) return random_below(seed, 2) ? limit - 1 : 1 - limit;
    unsigned __int128 bits = (unsigned __int128)random_bits(seed) << 64 | random_bits(seed);
    return (hr_int128)(bits >> random_below(seed, 128)) % limit * (random_below(seed, 2) ? 1 : -1);
}

static double random_double(uint64_t *seed) {
    static const double corner[] = {0.0, -0.0, 1, -1, DBL_MAX, -DBL_MAX, DBL_MIN, -DBL_MIN, 0x1p-1074, -0x1p-1074, INFINITY, -INFINITY, NAN};
    uint64_t bits = random_bits(seed);
    double v;
    if (random_below(seed, 4) == 0) return corner[random_below(seed, COUNT(corner))];
    memcpy(&v, &bits, 8);
    return v;
}

/* Few letters, and the bytes 0, 1 and 255 among them, so that texts share beginnings. */
static struct hr_text random_text(uint64_t *seed, struct arena *a) {
    static const char letters[] = "\0\0\1\377\376ab\x80";
    uint32_t n = (uint32_t)random_below(seed, random_below(seed, 10) ? 6 : 40);
    char *p = arena_alloc(a, n + 1);
    for (uint32_t i = 0; i < n; i++) p[i] = letters[random_below(seed, sizeof letters - 1)];
    return (struct hr_text){p, n, 0};
}

void random_value(uint64_t *seed, struct hr_type type, void *out, struct arena *a) {
    static const int64_t corner[] = {0, 1, -1, 255, 256, -256, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};
    int64_t whole = (int64_t)(random_bits(seed) >> random_below(seed, 64)) * (random_below(seed, 2) ? 1 : -1);
    if (random_below(seed, 4) == 0) whole = corner[random_below(seed, COUNT(corner))];
    switch (type.id) {
    case HR_BOOLEAN: *(uint8_t *)out = whole & 1; return;
    case HR_INT: case HR_DATE: *(int32_t *)out = (int32_t)whole; return;
    case HR_BIGINT: case HR_TIMESTAMP: *(int64_t *)out = whole; return;
    case HR_DOUBLE: *(double *)out = random_double(seed); return;
    case HR_STRING: *(struct hr_text *)out = random_text(seed, a); return;
    default: *(hr_int128 *)out = random_decimal(seed, type.precision);
    }
}

static int order_double(double a, double b) {
    bool nan_a = a != a, nan_b = b != b;
    if (nan_a || nan_b) return nan_a - nan_b;
    return a < b ? -1 : a > b;
}

static int order_text(const struct hr_text *a, const struct hr_text *b) {
    for (uint32_t i = 0; i < a->n && i < b->n; i++) {
        unsigned char x = (unsigned char)a->p[i], y = (unsigned char)b->p[i];
        if (x != y) return x < y ? -1 : 1;
    }
    return a->n < b->n ? -1 : a->n > b->n;
}

int value_order(struct hr_type type, const void *x, const void *y) {
    hr_int128 a, b;
    switch (type.id) {
    case HR_DOUBLE: return order_double(*(const double *)x, *(const double *)y);
    case HR_STRING: return order_text(x, y);
    case HR_BOOLEAN: a = *(const uint8_t *)x, b = *(const uint8_t *)y; break;
    case HR_INT: case HR_DATE: a = *(const int32_t *)x, b = *(const int32_t *)y; break;
    case HR_BIGINT: case HR_TIMESTAMP: a = *(const int64_t *)x, b = *(const int64_t *)y; break;
    default: a = *(const hr_int128 *)x, b = *(const hr_int128 *)y;
    }
    return a < b ? -1 : a > b;
}

struct hr_type type_of(const char *name) {
    struct hr_type type;
    const char *p = name;
    ck_assert_msg(type_parse(&p, &type) && !*p, "no type '%s'", name);
    return type;
}

void value_of(struct hr_type type, const char *text, void *out, struct arena *a) {
    struct hr_text t = {arena_strdup(a, text), (uint32_t)strlen(text), 0};
    ck_assert_msg(value_parse(type, t, out), "'%s' is no value", text);
}

const char *text_of(struct arena *a, struct hr_type type, const void *value) {
    struct hr_buffer b = {0};
    value_text(&b, type, value);
    const char *text = arena_strndup(a, b.n ? b.p : "", b.n);
    buffer_free(&b);
    return text;
}
