/* Keys as bytes that sort as the values do. */
#include "core/data/value.h"

#include <math.h>
#include <string.h>

/* The low bytes of v, highest first. */
static void put_big_endian(struct hr_buffer *b, uint64_t v, int bytes) {
    v = __builtin_bswap64(v << (64 - 8 * bytes));
    buffer_put(b, &v, (size_t)bytes);
}

static unsigned __int128 get_big_endian(const char *p, int bytes) {
    unsigned __int128 v = 0;
    for (int i = 0; i < bytes; i++) v = v << 8 | (unsigned char)p[i];
    return v;
}

static unsigned __int128 sign_of(int bytes) { return (unsigned __int128)1 << (8 * bytes - 1); }

static uint64_t double_bits(double v) {
    uint64_t bits;
    if (v == 0) v = 0; /* -0.0 is 0.0 */
    if (isnan(v)) v = NAN;
    memcpy(&bits, &v, 8);
    if (isnan(v)) bits &= ~(1ull << 63);
    return bits >> 63 ? ~bits : bits | 1ull << 63;
}

static double bits_double(uint64_t bits) {
    double v;
    bits = bits >> 63 ? bits & ~(1ull << 63) : ~bits;
    memcpy(&v, &bits, 8);
    return v;
}

/* A zero byte is escaped as 00 FF; 00 00 ends the string and sorts before everything that goes on. */
static void put_string(struct hr_buffer *b, struct hr_text t) {
    for (const char *p = t.p, *end = t.p + t.n; p < end;) {
        const char *zero = memchr(p, 0, (size_t)(end - p));
        if (!zero) zero = end;
        buffer_put(b, p, (size_t)(zero - p));
        if (zero < end) buffer_put(b, "\0\xff", 2);
        p = zero + 1;
    }
    buffer_put(b, "\0\0", 2);
}

static bool get_string(const char **p, const char *end, struct hr_text *out, struct arena *a) {
    char *text = arena_alloc(a, (size_t)(end - *p) + 1);
    uint32_t n = 0;
    while (end - *p >= 2) {
        char c = *(*p)++;
        if (c == 0 && *(*p)++ == 0) {
            *out = (struct hr_text){text, n, 0};
            return true;
        }
        text[n++] = c;
    }
    return false;
}

static int signed_bytes(struct hr_type t) {
    switch (t.id) {
    case HR_INT: case HR_DATE: return 4;
    case HR_BIGINT: case HR_TIMESTAMP: return 8;
    default: return 16;
    }
}

void key_put(struct hr_buffer *b, struct hr_type t, const void *value) {
    buffer_putc(b, value ? 1 : 0);
    if (!value) return;
    hr_int128 wide;
    switch (t.id) {
    case HR_BOOLEAN: buffer_putc(b, *(const char *)value); return;
    case HR_DOUBLE: put_big_endian(b, double_bits(*(const double *)value), 8); return;
    case HR_STRING: put_string(b, *(const struct hr_text *)value); return;
    case HR_INT: case HR_DATE: put_big_endian(b, (uint32_t)*(const int32_t *)value ^ 1u << 31, 4); return;
    case HR_BIGINT: case HR_TIMESTAMP: put_big_endian(b, (uint64_t)*(const int64_t *)value ^ 1ull << 63, 8); return;
    default:
        memcpy(&wide, value, 16);
        put_big_endian(b, (uint64_t)(wide >> 64) ^ 1ull << 63, 8);
        put_big_endian(b, (uint64_t)wide, 8);
    }
}

static bool get_signed(const char **p, const char *end, struct hr_type t, void *value) {
    int n = signed_bytes(t);
    if (end - *p < n) return false;
    hr_int128 wide = (hr_int128)((get_big_endian(*p, n) ^ sign_of(n)) << (128 - 8 * n)) >> (128 - 8 * n);
    *p += n;
    int32_t v4 = (int32_t)wide;
    int64_t v8 = (int64_t)wide;
    memcpy(value, n == 4 ? (void *)&v4 : n == 8 ? (void *)&v8 : (void *)&wide, (size_t)n);
    return true;
}

bool key_get(const char **p, const char *end, struct hr_type t, void *value, bool *null, struct arena *a) {
    if (*p >= end || (unsigned char)**p > 1) return false;
    *null = !*(*p)++;
    if (*null) return true;
    switch (t.id) {
    case HR_BOOLEAN:
        if (*p >= end || (unsigned char)**p > 1) return false;
        *(char *)value = *(*p)++;
        return true;
    case HR_DOUBLE:
        if (end - *p < 8) return false;
        *(double *)value = bits_double((uint64_t)get_big_endian(*p, 8));
        *p += 8;
        return true;
    case HR_STRING: return get_string(p, end, value, a);
    default: return get_signed(p, end, t, value);
    }
}
