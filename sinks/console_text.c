/* See console_text.h. */
#include "sinks/console_text.h"

#include <stdio.h>
#include <string.h>

/* The ranges that Spark's show() counts as two columns. */
static bool is_wide(uint32_t c) {
    return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) ||
           (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe10 && c <= 0xfe19) || (c >= 0xfe30 && c <= 0xfe6f) ||
           (c >= 0xff00 && c <= 0xff60) || (c >= 0xffe0 && c <= 0xffe6);
}

static int put_control(char text[16], uint32_t c) {
    static const char meaning[] = "\a\b\t\n\v\f\r", letter[] = "abtnvfr";
    const char *known = c && c < 0x20 ? strchr(meaning, (int)c) : NULL;
    return known ? snprintf(text, 16, "\\%c", letter[known - meaning]) : snprintf(text, 16, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
}

/* What stands at p, ready to be shown, and how many bytes of p that is. Spark counts UTF-16: a character beyond U+FFFF
 * is two, and takes two columns. */
struct shown {
    char text[16];
    int n, characters, columns;
};

static size_t show(const unsigned char *p, size_t n, struct shown *s) {
    uint32_t code;
    size_t size = hr_utf8(p, n, &code);
    *s = (struct shown){.n = 3, .characters = 1, .columns = 1};
    if (!size) {
        memcpy(s->text, "\xEF\xBF\xBD", 3);
        return 1;
    }
    if (hr_is_control(code)) {
        s->n = s->characters = s->columns = put_control(s->text, code);
        return size;
    }
    memcpy(s->text, p, size);
    s->n = (int)size;
    s->characters = 1 + (code > 0xffff);
    s->columns = 1 + (code > 0xffff || is_wide(code));
    return size;
}

int console_text(struct hr_buffer *b, const char *text, size_t n, int most) {
    const unsigned char *p = (const unsigned char *)text, *end = p + n;
    int width = 0, count = 0, keep = most < 4 ? most : most - 3;
    int kept_width = 0;
    size_t kept = b->n;
    struct shown s;
    while (p < end && (most <= 0 || count <= most)) {
        p += show(p, (size_t)(end - p), &s);
        int parts = s.n == s.characters ? s.n : 1; /* what was written out may be cut within */
        for (int i = 0; i < parts; i++) {
            hr_put(b, s.text + i, (size_t)(s.n / parts));
            count += s.characters / parts;
            width += s.columns / parts;
            if (count > keep) continue;
            kept = b->n;
            kept_width = width;
        }
    }
    if (most <= 0 || count <= most) return width;
    b->n = kept;
    if (most < 4) return kept_width;
    hr_put(b, "...", 3);
    return kept_width + 3;
}
