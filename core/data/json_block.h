/*
 * json_block.h: what the hot path asks about 16 bytes at once, as one bit a byte, the first byte lowest.
 * SSE2 is part of every x86-64, so there is nothing to find out at run time. Elsewhere, and with JSON_PORTABLE
 * (tests/test_json_portable), plain C answers the same.
 */
#ifndef HR_JSON_BLOCK_H
#define HR_JSON_BLOCK_H

#include <stdint.h>
#include <string.h>

enum { JSON_BLOCK = 16 };

#if defined __SSE2__ && !defined JSON_PORTABLE
#include <emmintrin.h>

static inline __m128i block_load(const char *p) { return _mm_loadu_si128((const __m128i *)(const void *)p); }

static inline uint32_t block_digits(const char *p) {
    __m128i digit = _mm_sub_epi8(block_load(p), _mm_set1_epi8('0'));
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit));
}

/* Bytes at which a plain run of a string ends: quote, backslash, control characters, and all beyond ASCII (which
 * a signed comparison takes for control characters). */
static inline uint32_t block_stops(const char *p) {
    __m128i x = block_load(p);
    __m128i stop = _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('"')), _mm_cmpeq_epi8(x, _mm_set1_epi8('\\')));
    return (uint32_t)_mm_movemask_epi8(_mm_or_si128(stop, _mm_cmplt_epi8(x, _mm_set1_epi8(0x20))));
}

static inline uint32_t block_equal(const char *p, const char *q) {
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(block_load(p), block_load(q)));
}

#else

static inline uint32_t block_digits(const char *p) {
    uint32_t mask = 0;
    for (int i = 0; i < JSON_BLOCK; i++) mask |= (uint32_t)(p[i] >= '0' && p[i] <= '9') << i;
    return mask;
}

static inline uint32_t block_stops(const char *p) {
    uint32_t mask = 0;
    for (int i = 0; i < JSON_BLOCK; i++) {
        unsigned char c = (unsigned char)p[i];
        mask |= (uint32_t)(c == '"' || c == '\\' || c < 0x20 || c >= 0x80) << i;
    }
    return mask;
}

static inline uint32_t block_equal(const char *p, const char *q) {
    uint32_t mask = 0;
    for (int i = 0; i < JSON_BLOCK; i++) mask |= (uint32_t)(p[i] == q[i]) << i;
    return mask;
}

#endif

/* n digits at p, at most 8, as a number: 8 bytes may be read there. */
static inline uint64_t block_number(const char *p, unsigned n) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t w;
    if (n == 0) return 0;
    memcpy(&w, p, 8);
    w = (w - 0x3030303030303030ull) << (64 - 8 * n); /* what stands behind the digits is shifted out */
    w = w * 10 + (w >> 8);                           /* pairs, then fours, then all eight */
    return ((w & 0x000000FF000000FFull) * 0x000F424000000064ull + (w >> 16 & 0x000000FF000000FFull) * 0x0000271000000001ull) >> 32;
#else
    uint64_t v = 0;
    for (unsigned i = 0; i < n; i++) v = v * 10 + (uint64_t)(p[i] - '0');
    return v;
#endif
}

#endif
