/* Decimal arithmetic: exact in 512 bits where 128 are too few, then rounded half up once. */
#include "core/expr/tree.h"

#include <string.h>

typedef unsigned __int128 u128;
enum { LIMBS = 16 }; /* of 32 bits, low first */

struct wide {
    uint32_t d[LIMBS];
};

static u128 size_of(hr_int128 v) { return v < 0 ? -(u128)v : (u128)v; }

static struct wide wide_of(u128 v) {
    struct wide w = {{0}};
    for (int i = 0; i < 4; i++) w.d[i] = (uint32_t)(v >> 32 * i);
    return w;
}

/* Four limbs; false: there are more. */
static bool narrow(const struct wide *w, u128 *out) {
    *out = 0;
    for (int i = 3; i >= 0; i--) *out = *out << 32 | w->d[i];
    for (int i = 4; i < LIMBS; i++)
        if (w->d[i]) return false;
    return true;
}

static int wide_compare(const struct wide *a, const struct wide *b) {
    for (int i = LIMBS - 1; i >= 0; i--)
        if (a->d[i] != b->d[i]) return a->d[i] < b->d[i] ? -1 : 1;
    return 0;
}

static void wide_add(struct wide *a, const struct wide *b) {
    uint64_t carry = 0;
    for (int i = 0; i < LIMBS; i++) {
        carry += (uint64_t)a->d[i] + b->d[i];
        a->d[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

/* a >= b */
static void wide_subtract(struct wide *a, const struct wide *b) {
    int64_t borrow = 0;
    for (int i = 0; i < LIMBS; i++) {
        borrow += (int64_t)a->d[i] - b->d[i];
        a->d[i] = (uint32_t)borrow;
        borrow >>= 32;
    }
}

static void wide_scale_up(struct wide *w, int digits) {
    for (; digits > 0; digits--) {
        uint64_t carry = 0;
        for (int i = 0; i < LIMBS; i++) {
            carry += (uint64_t)w->d[i] * 10;
            w->d[i] = (uint32_t)carry;
            carry >>= 32;
        }
    }
}

static struct wide wide_multiply(u128 a, u128 b) {
    struct wide x = wide_of(a), y = wide_of(b), z = {{0}};
    for (int i = 0; i < 4; i++) {
        uint64_t carry = 0;
        for (int k = 0; k < 4; k++) {
            carry += (uint64_t)x.d[i] * y.d[k] + z.d[i + k];
            z.d[i + k] = (uint32_t)carry;
            carry >>= 32;
        }
        z.d[i + 4] = (uint32_t)carry;
    }
    return z;
}

/* Long division bit by bit: rare, so it is short rather than fast. Returns the quotient. */
static struct wide wide_divide(const struct wide *a, const struct wide *b, struct wide *rest) {
    struct wide q = {{0}};
    memset(rest, 0, sizeof *rest);
    for (int bit = 32 * LIMBS - 1; bit >= 0; bit--) {
        struct wide twice = *rest;
        wide_add(rest, &twice);
        rest->d[0] |= a->d[bit / 32] >> bit % 32 & 1;
        if (wide_compare(rest, b) < 0) continue;
        wide_subtract(rest, b);
        q.d[bit / 32] |= 1u << bit % 32;
    }
    return q;
}

static struct wide wide_divide_half_up(const struct wide *a, const struct wide *b) {
    struct wide rest, q = wide_divide(a, b, &rest), one = wide_of(1), twice = rest;
    wide_add(&twice, &rest);
    if (wide_compare(&twice, b) >= 0) wide_add(&q, &one);
    return q;
}

/* From one scale to the result's, and into its precision. */
static bool finish(struct wide w, bool negative, int scale, struct hr_type result, hr_int128 *out) {
    u128 v;
    if (scale < result.scale) wide_scale_up(&w, result.scale - scale);
    if (scale > result.scale) {
        struct wide power = wide_of(1);
        wide_scale_up(&power, scale - result.scale);
        w = wide_divide_half_up(&w, &power);
    }
    if (!narrow(&w, &v) || v >> 127 || !decimal_fits((hr_int128)v, result.precision)) return false;
    *out = negative ? -(hr_int128)v : (hr_int128)v;
    return true;
}

static bool add(hr_int128 a, int a_scale, hr_int128 b, int b_scale, struct hr_type result, hr_int128 *out) {
    int scale = a_scale > b_scale ? a_scale : b_scale;
    struct wide x = wide_of(size_of(a)), y = wide_of(size_of(b));
    wide_scale_up(&x, scale - a_scale);
    wide_scale_up(&y, scale - b_scale);
    bool negative = a < 0;
    if ((a < 0) == (b < 0)) {
        wide_add(&x, &y);
    } else if (wide_compare(&x, &y) >= 0) {
        wide_subtract(&x, &y);
    } else {
        wide_subtract(&y, &x);
        x = y;
        negative = b < 0;
    }
    return finish(x, negative, scale, result, out);
}

static bool divide(hr_int128 a, int a_scale, hr_int128 b, int b_scale, struct hr_type result, hr_int128 *out) {
    struct wide x = wide_of(size_of(a)), y = wide_of(size_of(b));
    int up = result.scale + b_scale - a_scale;
    if (up < 0) wide_scale_up(&y, -up);
    else wide_scale_up(&x, up);
    return finish(wide_divide_half_up(&x, &y), (a < 0) != (b < 0), result.scale, result, out);
}

/* The sign is that of the dividend, as in Java. */
static bool modulo(hr_int128 a, int a_scale, hr_int128 b, int b_scale, struct hr_type result, hr_int128 *out) {
    int scale = a_scale > b_scale ? a_scale : b_scale;
    struct wide x = wide_of(size_of(a)), y = wide_of(size_of(b)), rest;
    wide_scale_up(&x, scale - a_scale);
    wide_scale_up(&y, scale - b_scale);
    wide_divide(&x, &y, &rest);
    return finish(rest, a < 0, scale, result, out);
}

/* Most sums: both at the result's scale already, and far from the end of 128 bits. */
static bool is_plain(hr_int128 a, int a_scale, hr_int128 b, int b_scale, struct hr_type result) {
    const hr_int128 limit = (hr_int128)1 << 125;
    return a_scale == b_scale && a_scale == result.scale && a < limit && a > -limit && b < limit && b > -limit;
}

bool decimal_arithmetic(enum tree_kind kind, hr_int128 a, int a_scale, hr_int128 b, int b_scale, struct hr_type result,
                        hr_int128 *out) {
    if (kind == TREE_SUB) b = -b;
    if (kind == TREE_ADD || kind == TREE_SUB) {
        if (!is_plain(a, a_scale, b, b_scale, result)) return add(a, a_scale, b, b_scale, result, out);
        *out = a + b;
        return decimal_fits(*out, result.precision);
    }
    if (kind == TREE_MUL) {
        if (a_scale + b_scale == result.scale && !__builtin_mul_overflow(a, b, out)) return decimal_fits(*out, result.precision);
        return finish(wide_multiply(size_of(a), size_of(b)), (a < 0) != (b < 0), a_scale + b_scale, result, out);
    }
    if (!b) return false;
    return kind == TREE_DIV ? divide(a, a_scale, b, b_scale, result, out) : modulo(a, a_scale, b, b_scale, result, out);
}

/* Multiply by a power of ten; what does not fit becomes larger than any 38 digits. */
static hr_int128 scaled_up(hr_int128 v, int digits) {
    const hr_int128 most = (hr_int128)(~(u128)0 >> 1);
    for (; digits > 0; digits--) {
        hr_int128 more;
        if (__builtin_mul_overflow(v, (hr_int128)10, &more)) return v < 0 ? -most : most;
        v = more;
    }
    return v;
}

int decimal_compare(hr_int128 a, int a_scale, hr_int128 b, int b_scale) {
    hr_int128 x = scaled_up(a, b_scale - a_scale), y = scaled_up(b, a_scale - b_scale);
    return (x > y) - (x < y);
}
