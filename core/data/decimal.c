/* Decimals: 128-bit integers with a scale, rounded half up. */
#include "core/data/value.h"

#include <stdlib.h>
#include <string.h>

static const hr_int128 ten18 = 1000000000000000000;
#define TEN37 (ten18 * ten18 * 10)

static hr_int128 power10(int n) {
    hr_int128 v = n >= 36 ? ten18 * ten18 : n >= 18 ? ten18 : 1;
    for (n -= n >= 36 ? 36 : n >= 18 ? 18 : 0; n > 0; n--) v *= 10;
    return v;
}

bool decimal_fits(hr_int128 v, int precision) {
    hr_int128 limit = power10(precision);
    return v < limit && v > -limit;
}

bool decimal_rescale(hr_int128 v, int from, int to, hr_int128 *out) {
    if (to >= from) {
        if (to - from > 38) return *out = 0, v == 0;
        return !__builtin_mul_overflow(v, power10(to - from), out);
    }
    if (from - to > 38) return *out = 0, true;
    hr_int128 unit = power10(from - to), rest = v % unit;
    *out = v / unit;
    if (rest >= unit - unit / 2) ++*out;
    if (-rest >= unit - unit / 2) --*out;
    return true;
}

/* The exponent at p, clamped: what lies beyond is zero or does not fit anyway. */
static bool exponent(const char *p, const char *end, int *e) {
    bool minus = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+')) p++;
    if (p == end) return false;
    long v = 0;
    for (; p < end; p++) {
        if (*p < '0' || *p > '9') return false;
        if (v < 100000000) v = v * 10 + (*p - '0');
    }
    *e = (int)(minus ? -v : v);
    return true;
}

/*
 * Digits are taken up to the one behind the scale, which rounds: all later ones cannot change half up.
 * `position` is the power of ten of the digit at hand.
 */
bool decimal_parse(const char *p, size_t n, int precision, int scale, hr_int128 *out) {
    const char *end = p + n, *mark = p;
    bool minus = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+')) p++;
    while (mark < end && (*mark | 32) != 'e') mark++;
    int e = 0, digits = 0;
    if (mark == p) return false;
    if (mark < end && !exponent(mark + 1, end, &e)) return false;
    const char *point = memchr(p, '.', (size_t)(mark - p));
    int64_t position = (int64_t)((point ? point : mark) - p) - 1 + e;
    hr_int128 v = 0;
    for (; p < mark; p++) {
        if (p == point) continue;
        if (*p < '0' || *p > '9') return false;
        digits++;
        if (position >= -scale) {
            if (v > TEN37) return false;
            v = v * 10 + (*p - '0');
        } else if (position == -scale - 1 && *p >= '5') {
            v++;
        }
        position--;
    }
    if (!digits) return false;
    for (; v && position >= -scale; position--) {
        if (v > TEN37) return false;
        v *= 10;
    }
    if (!decimal_fits(v, precision)) return false;
    *out = minus ? -v : v;
    return true;
}

/* strtod rounds correctly, whatever the number of digits. */
double decimal_to_double(hr_int128 v, int scale) {
    char text[64];
    struct hr_buffer b = {0};
    value_text(&b, (struct hr_type){HR_DECIMAL, 38, 0}, &v);
    snprintf(text, sizeof text, "%.*se-%d", (int)b.n, b.p, scale);
    buffer_free(&b);
    return strtod(text, NULL);
}
