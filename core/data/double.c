/*
 * double.c: a decimal number as text to the nearest double, ties to even.
 *
 *   1. A mantissa and a power of ten that are both doubles need one operation, and so one rounding (W. D. Clinger,
 *      "How to Read Floating Point Numbers Accurately", PLDI 1990).
 *   2. Any other mantissa of 64 bits is multiplied with 128 bits of the power of five; where those do not tell how to
 *      round, the answer is "cannot tell" (D. Lemire, "Number Parsing at a Gigabyte per Second", Software: Practice and
 *      Experience 51, 2021; the algorithm is M. Eisel's).
 *   3. What is left, and numbers of more than 19 digits, go to the C library.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strtod_l */
#endif
#include "core/data/value.h"
#include "core/data/double_powers.h"

#include <float.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DIGITS = 19, MANTISSA_BITS = 52, BIAS = 1023 };

static const double exact_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static bool by_clinger(uint64_t mantissa, int exponent, double *out) {
    if (FLT_EVAL_METHOD != 0 || mantissa > 1ull << 53 || exponent < -22 || exponent > 22) return false;
    double d = (double)mantissa;
    *out = exponent < 0 ? d / exact_ten[-exponent] : d * exact_ten[exponent];
    return true;
}

/* Within these powers no result is subnormal or infinite. */
static bool by_eisel_lemire(uint64_t mantissa, int exponent, double *out) {
    if (exponent < LEAST_POWER || exponent > MOST_POWER) return false;
    const uint64_t *power = power_of_five[exponent - LEAST_POWER];
    int zeros = __builtin_clzll(mantissa);
    mantissa <<= zeros;
    unsigned __int128 product = (unsigned __int128)mantissa * power[0];
    if ((uint64_t)(product >> 64 & 0x1FF) == 0x1FF) product += (uint64_t)((unsigned __int128)mantissa * power[1] >> 64);
    uint64_t high = (uint64_t)(product >> 64), low = (uint64_t)product;
    if (low == UINT64_MAX) return false; /* one more bit of the power might carry */
    int top = (int)(high >> 63), shift = top + 64 - MANTISSA_BITS - 3;
    uint64_t bits = high >> shift; /* with one bit more, to round by */
    int binary = (217706 * exponent >> 16) + 63 + top - zeros + BIAS; /* 217706 / 2^16 is the binary logarithm of ten */
    /* exactly between two doubles: only where the power of five is small */
    if (low <= 1 && exponent >= -4 && exponent <= 23 && (bits & 3) == 1 && bits << shift == high) bits &= ~1ull;
    bits += bits & 1;
    bits >>= 1;
    if (bits == 1ull << (MANTISSA_BITS + 1)) {
        bits >>= 1;
        binary++;
    }
    bits = (bits & ((1ull << MANTISSA_BITS) - 1)) | (uint64_t)binary << MANTISSA_BITS;
    memcpy(out, &bits, sizeof *out);
    return true;
}

bool double_scale(uint64_t mantissa, int exponent, double *out) {
    if (!mantissa) return *out = 0, true;
    return by_clinger(mantissa, exponent, out) || by_eisel_lemire(mantissa, exponent, out);
}

/* ---- text ---- */

/* Digits from p on; leading zeros do not count among the 19. More than those may leave any mantissa, also 0. */
static const char *take_digits(const char *p, const char *end, uint64_t *mantissa, int *count) {
    for (; p < end && *p >= '0' && *p <= '9'; p++) {
        *mantissa = *mantissa * 10 + (uint64_t)(*p - '0');
        *count += *count || *p != '0';
    }
    return p;
}

static bool from_parts(struct hr_text t, double *out) {
    const char *p = t.p, *end = t.p + t.n;
    uint64_t mantissa = 0;
    int count = 0, exponent = 0;
    p = take_digits(p, end, &mantissa, &count);
    if (p < end && *p == '.') {
        const char *fraction = ++p;
        p = take_digits(p, end, &mantissa, &count);
        if (p - fraction > 1000) return false;
        exponent = -(int)(p - fraction);
    }
    if (count > MOST_DIGITS) return false;
    if (p < end) { /* e */
        bool negative = *++p == '-';
        int e = 0;
        if (*p == '-' || *p == '+') p++;
        if (end - p > 5) return false;
        for (; p < end; p++) e = e * 10 + (*p - '0');
        exponent += negative ? -e : e;
    }
    return double_scale(mantissa, exponent, out);
}

static double by_library(struct hr_text t) {
    char small[64], *text = t.n < sizeof small ? small : xmalloc((size_t)t.n + 1);
    memcpy(text, t.p, t.n);
    text[t.n] = '\0';
    /* the C library's own locale: nothing to free, and a decimal point is a point */
    double d = strtod_l(text, NULL, newlocale(LC_ALL_MASK, "C", (locale_t)0));
    if (text != small) free(text);
    return d;
}

double double_read(struct hr_text t) {
    double d;
    uint32_t sign = t.n && (*t.p == '-' || *t.p == '+');
    if (!from_parts((struct hr_text){.p = t.p + sign, .n = t.n - sign}, &d)) return by_library(t);
    return sign && *t.p == '-' ? -d : d;
}
