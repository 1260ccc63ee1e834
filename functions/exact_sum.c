/* See exact_sum.h. */
#include "functions/exact_sum.h"

#include <math.h>
#include <string.h>

enum {
    LEAST = -1074,        /* exponent of the least bit of a double, and of digit 0 */
    MOST_ADDS = 1 << 30,  /* each adds less than 2^32 to a word of 63 bits */
    MANTISSA = 53,
};

struct parts {
    uint64_t mantissa;
    int exponent; /* of its least bit */
    bool negative;
};

static struct parts parts_of(double x) {
    uint64_t bits;
    memcpy(&bits, &x, 8);
    int e = (int)(bits >> 52 & 0x7ff);
    uint64_t m = bits & ((1ull << 52) - 1);
    return (struct parts){e ? m | 1ull << 52 : m, (e ? e : 1) - 1075, bits >> 63};
}

/* ---- digits ---- */

/* Leave 0 <= digit < 2^32 in all but the last, which keeps the sign. */
static void carry(int64_t *digit) {
    for (int i = 0; i < EXACT_DIGITS - 1; i++) {
        digit[i + 1] += digit[i] >> 32;
        digit[i] &= 0xffffffff;
    }
}

/* Add an integer of up to 128 bits whose least bit counts 2^exponent. */
static void digits_add(int64_t *digit, unsigned __int128 m, int exponent, bool negative) {
    int bit = exponent - LEAST, i = bit / 32, shift = bit % 32;
    uint64_t low = (uint64_t)m & 0xffffffff;
    for (uint64_t spill = 0; m || spill; i++) {
        low = (uint64_t)m & 0xffffffff;
        uint64_t part = (low << shift) + spill;
        int64_t take = (int64_t)(part & 0xffffffff);
        digit[i] += negative ? -take : take;
        spill = part >> 32;
        m >>= 32;
    }
}

static void digits_add_fixed(int64_t *digit, hr_int128 fixed) {
    bool negative = fixed < 0;
    digits_add(digit, negative ? -(unsigned __int128)fixed : (unsigned __int128)fixed, EXACT_LSB, negative);
}

static struct exact_wide *wide(struct exact_sum *s, struct hr_agg_memory *memory) {
    if (!s->wide) s->wide = memory->resize(memory, NULL, 0, sizeof *s->wide);
    return s->wide;
}

/* The digits, with room for one more number. */
static int64_t *digits(struct exact_sum *s, struct hr_agg_memory *memory) {
    struct exact_wide *w = wide(s, memory);
    if (++w->adds >= MOST_ADDS) {
        carry(w->digit);
        w->adds = 0;
    }
    return w->digit;
}

/* ---- adding ---- */

static void add_fixed(struct exact_sum *s, struct hr_agg_memory *memory, hr_int128 v) {
    if (!__builtin_add_overflow(s->fixed, v, &s->fixed)) return;
    /* the wrapped sum is not used: take v back and move both over */
    s->fixed = (hr_int128)((unsigned __int128)s->fixed - (unsigned __int128)v);
    digits_add_fixed(digits(s, memory), s->fixed);
    digits_add_fixed(digits(s, memory), v);
    s->fixed = 0;
}

void exact_add_wide(struct exact_sum *s, struct hr_agg_memory *memory, double x) {
    if (!isfinite(x)) {
        wide(s, memory)->flags |= isnan(x) ? EXACT_NAN : x > 0 ? EXACT_INFINITY : EXACT_MINUS_INFINITY;
        return;
    }
    struct parts p = parts_of(x);
    int shift = p.exponent - EXACT_LSB;
    if (!p.mantissa) return;
    if (shift < 0 && -shift < 64 && !(p.mantissa & ((1ull << -shift) - 1))) {
        p.mantissa >>= -shift;
        shift = 0;
    }
    if (shift >= 0 && shift + MANTISSA < 127) {
        hr_int128 v = (hr_int128)p.mantissa << shift;
        add_fixed(s, memory, p.negative ? -v : v);
    } else {
        digits_add(digits(s, memory), p.mantissa, p.exponent, p.negative);
    }
}

void exact_merge(struct exact_sum *into, struct hr_agg_memory *memory, const struct exact_sum *from) {
    add_fixed(into, memory, from->fixed);
    if (!from->wide) return;
    struct exact_wide *w = wide(into, memory);
    w->flags |= from->wide->flags;
    carry(w->digit);
    int64_t other[EXACT_DIGITS];
    memcpy(other, from->wide->digit, sizeof other);
    carry(other);
    for (int i = 0; i < EXACT_DIGITS; i++) w->digit[i] += other[i];
    w->adds = 1;
}

/* ---- rounding ---- */

static int top_bit(const int64_t *digit) {
    for (int i = EXACT_DIGITS - 1; i >= 0; i--)
        if (digit[i]) return 32 * i + 63 - __builtin_clzll((uint64_t)digit[i]);
    return -1;
}

static bool bit_at(const int64_t *digit, int bit) { return bit >= 0 && (digit[bit / 32] >> bit % 32 & 1); }

static bool any_below(const int64_t *digit, int bit) {
    for (int i = 0; i < bit / 32; i++)
        if (digit[i]) return true;
    return bit > 0 && bit % 32 && (digit[bit / 32] & ((1ll << bit % 32) - 1));
}

/* digit[] carried and not negative. */
static double round_digits(const int64_t *digit, int scale) {
    int top = top_bit(digit);
    if (top < 0) return 0;
    int least = top - MANTISSA + 1; /* bit of the result's last place */
    if (least + scale < 0) least = -scale; /* subnormal after scaling */
    if (least < 0) least = 0;
    uint64_t m = 0;
    for (int bit = top; bit >= least; bit--) m = m << 1 | bit_at(digit, bit);
    bool half = bit_at(digit, least - 1), more = least > 0 && any_below(digit, least - 1);
    if (half && (more || (m & 1))) m++;
    return ldexp((double)m, least + LEAST + scale);
}

double exact_round(const struct exact_sum *s, int scale) {
    uint32_t flags = s->wide ? s->wide->flags : 0;
    if (flags & EXACT_NAN) return NAN;
    if (flags & EXACT_INFINITY) return flags & EXACT_MINUS_INFINITY ? NAN : INFINITY;
    if (flags & EXACT_MINUS_INFINITY) return -INFINITY;
    if (!s->wide) return ldexp((double)s->fixed, EXACT_LSB + scale); /* the conversion rounds once, to even */
    int64_t digit[EXACT_DIGITS];
    memcpy(digit, s->wide->digit, sizeof digit);
    carry(digit);
    digits_add_fixed(digit, s->fixed);
    carry(digit);
    bool negative = digit[EXACT_DIGITS - 1] < 0;
    for (int i = 0; negative && i < EXACT_DIGITS; i++) digit[i] = -digit[i];
    if (negative) carry(digit);
    double r = round_digits(digit, scale);
    return negative ? -r : r;
}

/* ---- saving: flags, fixed, and the carried digits if there are any, little-endian ---- */

void exact_save(const struct exact_sum *s, struct hr_buffer *out) {
    char flags = s->wide ? (char)s->wide->flags : 0;
    hr_put(out, &flags, 1);
    hr_put(out, &s->fixed, 16);
    if (!s->wide) return;
    int64_t digit[EXACT_DIGITS];
    memcpy(digit, s->wide->digit, sizeof digit);
    carry(digit);
    for (int i = 0; i < EXACT_DIGITS; i++) {
        uint32_t word = (uint32_t)digit[i];
        hr_put(out, &word, 4);
    }
}

bool exact_load(struct exact_sum *s, struct hr_agg_memory *memory, const char *p, size_t n) {
    if (n != 17 && n != EXACT_SAVED) return false;
    memcpy(&s->fixed, p + 1, 16);
    if (p[0]) wide(s, memory)->flags = (uint8_t)p[0];
    if (n == 17) return true;
    int64_t *digit = digits(s, memory);
    for (int i = 0; i < EXACT_DIGITS; i++) {
        uint32_t word;
        memcpy(&word, p + 17 + 4 * i, 4);
        digit[i] = i == EXACT_DIGITS - 1 ? (int32_t)word : (int64_t)word;
    }
    return true;
}
