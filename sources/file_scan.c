/* Where records end: the last newline, or for csv the last one outside of quotes. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memrchr */
#endif
#include "file_scan.h"

#include <string.h>

static void last_newline(struct file_scan *s, const char *bytes, size_t n) {
    const char *newline = memrchr(bytes + s->done, '\n', n - s->done);
    if (newline) s->border = (size_t)(newline - bytes) + 1;
}

static enum file_scan_state step(const struct file_scan *s, char c) {
    if (s->state == FILE_SCAN_QUOTED) return c == '"' ? FILE_SCAN_QUOTE : FILE_SCAN_QUOTED;
    if (c == '\n' || c == s->delimiter) return FILE_SCAN_START;
    /* A quote opens only as the first byte of a field; "" within quotes goes on with them. */
    if (c == '"' && s->state != FILE_SCAN_PLAIN) return FILE_SCAN_QUOTED;
    return FILE_SCAN_PLAIN;
}

static void feed_quotes(struct file_scan *s, const char *bytes, size_t n) {
    for (size_t i = s->done; i < n; i++) {
        if (s->state == FILE_SCAN_QUOTED) {
            const char *quote = memchr(bytes + i, '"', n - i);
            if (!quote) return;
            i = (size_t)(quote - bytes);
        }
        bool ends = bytes[i] == '\n' && s->state != FILE_SCAN_QUOTED;
        s->state = step(s, bytes[i]);
        if (ends) s->border = i + 1;
    }
}

void file_scan_feed(struct file_scan *s, const char *bytes, size_t n) {
    if (s->done >= n) return;
    bool outside = s->state == FILE_SCAN_START || s->state == FILE_SCAN_PLAIN;
    if (!s->csv) {
        last_newline(s, bytes, n);
    } else if (outside && !memchr(bytes + s->done, '"', n - s->done)) {
        /* Most files have no quotes at all, and poll() looks at every byte under the feed's lock. */
        last_newline(s, bytes, n);
        char c = bytes[n - 1];
        s->state = c == '\n' || c == s->delimiter ? FILE_SCAN_START : FILE_SCAN_PLAIN;
    } else {
        feed_quotes(s, bytes, n);
    }
    s->done = n;
}

void file_scan_cut(struct file_scan *s, size_t n) {
    s->done = s->done > n ? s->done - n : 0;
    s->border = 0;
}
