/* UTF-8: whole texts, and writing it; one character at a time is read by hr_utf8() in host.h. */
#include "core/data/value.h"

bool utf8_valid(const char *s, size_t n) {
    const unsigned char *p = (const unsigned char *)s;
    uint32_t code;
    for (size_t i = 0, k; i < n; i += k)
        if (!(k = hr_utf8(p + i, n - i, &code))) return false;
    return true;
}

char *utf8_put(char *out, uint32_t rune) {
    if (rune < 0x80) {
        *out++ = (char)rune;
    } else if (rune < 0x800) {
        *out++ = (char)(0xC0 | rune >> 6);
        *out++ = (char)(0x80 | (rune & 0x3F));
    } else if (rune < 0x10000) {
        *out++ = (char)(0xE0 | rune >> 12);
        *out++ = (char)(0x80 | (rune >> 6 & 0x3F));
        *out++ = (char)(0x80 | (rune & 0x3F));
    } else {
        *out++ = (char)(0xF0 | rune >> 18);
        *out++ = (char)(0x80 | (rune >> 12 & 0x3F));
        *out++ = (char)(0x80 | (rune >> 6 & 0x3F));
        *out++ = (char)(0x80 | (rune & 0x3F));
    }
    return out;
}
