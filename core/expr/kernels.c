/*
 * Loops over columns. A row without a result is made null; every loop that follows a pointer or could
 * trap skips the rows that are null already, as those hold anything.
 */
#include "core/expr/tree.h"

#include <math.h>
#include <string.h>

void kernel_nulls(const struct hr_column *a, uint32_t size, struct hr_column *out) {
    if (!a->valid) return;
    for (size_t w = 0; w < ((size_t)size + 63) / 64; w++) out->valid[w] &= a->valid[w];
}

void kernel_fill(const struct tree *literal, struct hr_rows rows, struct hr_column *out) {
    size_t width = hr_width(out->type);
    HR_EACH(rows, i) {
        if (literal->null) hr_set_null(out, i);
        else memcpy((char *)out->at + i * width, &literal->value, width);
    }
}

/* ---- arithmetic ---- */

#define EACH_PAIR(T, ...)                                                                          \
    do {                                                                                           \
        const T *x = a->at, *y = b->at;                                                            \
        T *z = out->at;                                                                            \
        HR_EACH(rows, i) { __VA_ARGS__; }                                                          \
    } while (0)
#define CHECKED(overflows) if (overflows(x[i], y[i], &z[i])) hr_set_null(out, i)

static void integers32(enum tree_kind kind, const struct hr_column *a, const struct hr_column *b, struct hr_rows rows, struct hr_column *out) {
    switch (kind) {
    case TREE_ADD: EACH_PAIR(int32_t, CHECKED(__builtin_add_overflow)); return;
    case TREE_SUB: EACH_PAIR(int32_t, CHECKED(__builtin_sub_overflow)); return;
    case TREE_MUL: EACH_PAIR(int32_t, CHECKED(__builtin_mul_overflow)); return;
    default: break;
    }
    EACH_PAIR(int32_t, if (!y[i]) hr_set_null(out, i); else z[i] = y[i] == -1 ? 0 : x[i] % y[i]);
}

/* A day and a number of days: null outside the years 1 to 9999. */
static void days32(enum tree_kind kind, const struct hr_column *a, const struct hr_column *b, struct hr_rows rows, struct hr_column *out) {
    int sign = kind == TREE_SUB ? -1 : 1;
    EACH_PAIR(int32_t, {
        int64_t day = x[i] + (int64_t)sign * y[i];
        if (days_valid(day)) z[i] = (int32_t)day;
        else hr_set_null(out, i);
    });
}

static void integers64(enum tree_kind kind, const struct hr_column *a, const struct hr_column *b, struct hr_rows rows, struct hr_column *out) {
    switch (kind) {
    case TREE_ADD: EACH_PAIR(int64_t, CHECKED(__builtin_add_overflow)); return;
    case TREE_SUB: EACH_PAIR(int64_t, CHECKED(__builtin_sub_overflow)); return;
    case TREE_MUL: EACH_PAIR(int64_t, CHECKED(__builtin_mul_overflow)); return;
    default: break;
    }
    EACH_PAIR(int64_t, if (!y[i]) hr_set_null(out, i); else z[i] = y[i] == -1 ? 0 : x[i] % y[i]);
}

static void doubles(enum tree_kind kind, const struct hr_column *a, const struct hr_column *b, struct hr_rows rows, struct hr_column *out) {
    switch (kind) {
    case TREE_ADD: EACH_PAIR(double, z[i] = x[i] + y[i]); return;
    case TREE_SUB: EACH_PAIR(double, z[i] = x[i] - y[i]); return;
    case TREE_MUL: EACH_PAIR(double, z[i] = x[i] * y[i]); return;
    case TREE_DIV: EACH_PAIR(double, if (y[i] == 0) hr_set_null(out, i); else z[i] = x[i] / y[i]); return;
    default: break;
    }
    EACH_PAIR(double, if (y[i] == 0) hr_set_null(out, i); else z[i] = fmod(x[i], y[i]));
}

static void decimals(enum tree_kind kind, const struct hr_column *a, const struct hr_column *b, struct hr_rows rows, struct hr_column *out) {
    EACH_PAIR(hr_int128,
              if (!hr_is_null(out, i) && !decimal_arithmetic(kind, x[i], a->type.scale, y[i], b->type.scale, out->type, &z[i]))
                  hr_set_null(out, i));
}

void kernel_arithmetic(enum tree_kind kind, const struct hr_column *a, const struct hr_column *b, struct hr_rows rows,
                       uint32_t size, struct hr_column *out) {
    kernel_nulls(a, size, out);
    kernel_nulls(b, size, out);
    switch (out->type.id) {
    case HR_DATE: days32(kind, a, b, rows, out); return;
    case HR_INT: integers32(kind, a, b, rows, out); return;
    case HR_BIGINT: integers64(kind, a, b, rows, out); return;
    case HR_DOUBLE: doubles(kind, a, b, rows, out); return;
    default: decimals(kind, a, b, rows, out);
    }
}

void kernel_negate(const struct hr_column *a, struct hr_rows rows, uint32_t size, struct hr_column *out) {
    kernel_nulls(a, size, out);
    HR_EACH(rows, i) {
        bool overflow = false;
        switch (out->type.id) {
        case HR_INT: overflow = __builtin_sub_overflow(0, ((const int32_t *)a->at)[i], &((int32_t *)out->at)[i]); break;
        case HR_BIGINT: overflow = __builtin_sub_overflow(0, ((const int64_t *)a->at)[i], &((int64_t *)out->at)[i]); break;
        case HR_DOUBLE: ((double *)out->at)[i] = -((const double *)a->at)[i]; break;
        default: if (!hr_is_null(out, i)) ((hr_int128 *)out->at)[i] = -((const hr_int128 *)a->at)[i];
        }
        if (overflow) hr_set_null(out, i);
    }
}

/* ---- comparison ---- */

/* Which of less (1), equal (2), greater (4) make the operator true; in the order of tree_kind. */
static const uint8_t makes_true[] = {2, 5, 1, 3, 4, 6};

static int compare_text(struct hr_text x, struct hr_text y) {
    uint32_t n = x.n < y.n ? x.n : y.n;
    int order = n ? memcmp(x.p, y.p, n) : 0;
    return order ? order < 0 ? -1 : 1 : (x.n > y.n) - (x.n < y.n);
}

/* NaN equals itself and is greater than every number. */
static int compare_double(double x, double y) {
    if (isnan(x) || isnan(y)) return isnan(x) - isnan(y);
    return (x > y) - (x < y);
}

#define COMPARE(T, order)                                                                          \
    do {                                                                                           \
        const T *x = a->at, *y = b->at;                                                            \
        HR_EACH(rows, i) { z[i] = mask >> ((order) + 1) & 1; }                                     \
    } while (0)

static void compare_plain(uint8_t mask, const struct hr_column *a, const struct hr_column *b, struct hr_rows rows, struct hr_column *out) {
    uint8_t *z = out->at;
    switch (a->type.id) {
    case HR_BOOLEAN: COMPARE(uint8_t, (x[i] > y[i]) - (x[i] < y[i])); return;
    case HR_INT: case HR_DATE: COMPARE(int32_t, (x[i] > y[i]) - (x[i] < y[i])); return;
    case HR_BIGINT: case HR_TIMESTAMP: COMPARE(int64_t, (x[i] > y[i]) - (x[i] < y[i])); return;
    case HR_DOUBLE: COMPARE(double, compare_double(x[i], y[i])); return;
    case HR_STRING: COMPARE(struct hr_text, hr_is_null(out, i) ? 0 : compare_text(x[i], y[i])); return;
    default: COMPARE(hr_int128, hr_is_null(out, i) ? 0 : decimal_compare(x[i], a->type.scale, y[i], b->type.scale));
    }
}

/* a <=> b is never null: two nulls are the same. */
static void same(const struct hr_column *a, const struct hr_column *b, struct hr_rows rows, uint32_t size, struct hr_column *out) {
    compare_plain(makes_true[0], a, b, rows, out);
    uint8_t *z = out->at;
    HR_EACH(rows, i)
        if (hr_is_null(out, i)) z[i] = hr_is_null(a, i) == hr_is_null(b, i);
    memset(out->valid, 0xff, ((size_t)size + 63) / 64 * 8);
}

void kernel_compare(enum tree_kind kind, const struct hr_column *a, const struct hr_column *b, struct hr_rows rows,
                    uint32_t size, struct hr_column *out) {
    kernel_nulls(a, size, out);
    kernel_nulls(b, size, out);
    if (kind == TREE_SAME) same(a, b, rows, size, out);
    else compare_plain(makes_true[kind - TREE_EQ], a, b, rows, out);
}

/* ---- three-valued logic ---- */

void kernel_and_or(enum tree_kind kind, const struct hr_column *a, const struct hr_column *b, struct hr_rows rows,
                   struct hr_column *out) {
    const uint8_t *x = a->at, *y = b->at, decides = kind == TREE_OR; /* true decides OR, false decides AND */
    uint8_t *z = out->at;
    HR_EACH(rows, i) {
        bool x_null = hr_is_null(a, i), y_null = hr_is_null(b, i);
        bool decided = (!x_null && !x[i] == !decides) || (!y_null && !y[i] == !decides);
        z[i] = decided ? decides : !decides;
        if (!decided && (x_null || y_null)) hr_set_null(out, i);
    }
}

void kernel_not(const struct hr_column *a, struct hr_rows rows, uint32_t size, struct hr_column *out) {
    kernel_nulls(a, size, out);
    HR_EACH(rows, i) ((uint8_t *)out->at)[i] = !((const uint8_t *)a->at)[i];
}

void kernel_is_null(const struct hr_column *a, struct hr_rows rows, struct hr_column *out) {
    HR_EACH(rows, i) ((uint8_t *)out->at)[i] = hr_is_null(a, i);
}

/* ---- LIKE ---- */

static uint32_t character(const char *p, uint32_t left) {
    unsigned char c = (unsigned char)*p;
    uint32_t n = c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    return n < left ? n : left;
}

/* % any text, _ one character, \ takes the next byte as it is. Going back to the last % is enough. */
static bool like(struct hr_text s, struct hr_text p) {
    uint32_t i = 0, k = 0, star = UINT32_MAX, from = 0;
    while (i < s.n) {
        bool escaped = k + 1 < p.n && p.p[k] == '\\';
        if (k < p.n && p.p[k] == '%') {
            star = k++;
            from = i;
        } else if (k < p.n && p.p[k] == '_') {
            i += character(s.p + i, s.n - i);
            k++;
        } else if (k < p.n && p.p[k + escaped] == s.p[i]) {
            i++;
            k += 1u + escaped;
        } else if (star != UINT32_MAX) {
            from += character(s.p + from, s.n - from);
            i = from;
            k = star + 1;
        } else {
            return false;
        }
    }
    while (k < p.n && p.p[k] == '%') k++;
    return k == p.n;
}

void kernel_like(const struct hr_column *text, const struct hr_column *pattern, struct hr_rows rows, uint32_t size,
                 struct hr_column *out) {
    const struct hr_text *s = text->at, *p = pattern->at;
    kernel_nulls(text, size, out);
    kernel_nulls(pattern, size, out);
    HR_EACH(rows, i)
        if (!hr_is_null(out, i)) ((uint8_t *)out->at)[i] = like(s[i], p[i]);
}

/* ---- casts and copies ---- */

static void to_text(struct hr_lane *lane, const struct hr_column *a, struct hr_rows rows, struct hr_column *out) {
    struct hr_buffer b = {0};
    HR_EACH(rows, i) {
        if (hr_is_null(out, i)) continue;
        b.n = 0;
        value_string(&b, a->type, hr_value(a, i));
        char *own = hr_batch_alloc(lane, b.n);
        memcpy(own, b.p, b.n);
        ((struct hr_text *)out->at)[i] = (struct hr_text){own, (uint32_t)b.n, 0};
    }
    buffer_free(&b);
}

void kernel_cast(struct hr_lane *lane, const struct hr_column *a, struct hr_rows rows, uint32_t size, struct hr_column *out) {
    kernel_nulls(a, size, out);
    if (out->type.id == HR_STRING && a->type.id != HR_STRING) {
        to_text(lane, a, rows, out);
        return;
    }
    size_t width = hr_width(out->type);
    HR_EACH(rows, i)
        if (!hr_is_null(out, i) && !value_cast(a->type, hr_value(a, i), out->type, (char *)out->at + i * width, NULL))
            hr_set_null(out, i);
}

void kernel_copy(const struct hr_column *from, struct hr_rows rows, struct hr_column *into) {
    size_t width = hr_width(into->type);
    HR_EACH(rows, i) {
        if (hr_is_null(from, i)) {
            hr_set_null(into, i);
            continue;
        }
        memcpy((char *)into->at + i * width, hr_value(from, i), width);
        into->valid[i >> 6] |= 1ull << (i & 63);
    }
}
