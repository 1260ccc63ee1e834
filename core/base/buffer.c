/* Bytes that grow. */
#include "core/base/base.h"

#include <stdlib.h>
#include <string.h>

static char *room_for(struct hr_buffer *b, size_t n) {
    if (b->room - b->n < n) {
        size_t room = b->room ? b->room : 64;
        while (room - b->n < n) room *= 2;
        b->p = xrealloc(b->p, room);
        b->room = room;
    }
    return b->p + b->n;
}

void buffer_put(struct hr_buffer *b, const void *p, size_t n) {
    if (n) memcpy(room_for(b, n), p, n);
    b->n += n;
}

void buffer_puts(struct hr_buffer *b, const char *s) { buffer_put(b, s, strlen(s)); }

void buffer_putc(struct hr_buffer *b, char c) {
    *room_for(b, 1) = c;
    b->n++;
}

void buffer_vprintf(struct hr_buffer *b, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    if (n > 0) {
        vsnprintf(room_for(b, (size_t)n + 1), (size_t)n + 1, format, again);
        b->n += (size_t)n;
    }
    va_end(again);
}

void buffer_printf(struct hr_buffer *b, const char *format, ...) {
    va_list args;
    va_start(args, format);
    buffer_vprintf(b, format, args);
    va_end(args);
}

void buffer_shown(struct hr_buffer *b, const void *bytes, size_t n, bool json) {
    const unsigned char *p = bytes;
    for (size_t i = 0, from = 0; i <= n;) {
        uint32_t c = 0;
        size_t size = i < n ? hr_utf8(p + i, n - i, &c) : 0;
        if (size && (!hr_is_control(c) || (json && c < 0x20))) {
            i += size;
            continue;
        }
        buffer_put(b, p + from, i - from);
        if (i == n) return;
        if (!size) buffer_puts(b, "\xEF\xBF\xBD");
        else buffer_printf(b, c < 0x100 && !json ? "\\x%02x" : "\\u%04x", c);
        from = i += size ? size : 1;
    }
}

void buffer_free(struct hr_buffer *b) {
    free(b->p);
    *b = (struct hr_buffer){0};
}
