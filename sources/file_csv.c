/* The fields of one csv record: quotes, "" for a quote within them, CRLF or LF at the end. */
#include "file_csv.h"

#include <string.h>

static const char *plain_end(const char *p, const char *end, char delimiter) {
    while (p < end && *p != delimiter && *p != '\n') p++;
    return p;
}

/* p is after the opening quote; returns what follows the closing one, or NULL where there is none. */
static const char *split_quoted(const char *p, const char *end, struct file_csv_field *f) {
    *f = (struct file_csv_field){.p = p, .quoted = true};
    for (;;) {
        const char *quote = p < end ? memchr(p, '"', (size_t)(end - p)) : NULL;
        if (!quote) {
            f->n = (uint32_t)(end - f->p);
            return NULL;
        }
        if (quote + 1 == end || quote[1] != '"') {
            f->n = (uint32_t)(quote - f->p);
            return quote + 1;
        }
        f->escaped = true;
        p = quote + 2;
    }
}

/* A CR just before the record's end belongs to the end. */
static const char *without_cr(const char *from, const char *stop, const char *end) {
    bool last = stop == end || *stop == '\n';
    return last && stop > from && stop[-1] == '\r' ? stop - 1 : stop;
}

static const char *split_field(const char *p, const char *end, char delimiter, struct file_csv_field *f,
                               const char **reason) {
    if (p == end || *p != '"') {
        const char *stop = plain_end(p, end, delimiter);
        *f = (struct file_csv_field){.p = p, .n = (uint32_t)(without_cr(p, stop, end) - p)};
        return stop;
    }
    const char *after = split_quoted(p + 1, end, f);
    if (!after) {
        *reason = "a quote is never closed";
        return end;
    }
    const char *stop = plain_end(after, end, delimiter);
    if (without_cr(after, stop, end) != after) *reason = "text after a closing quote";
    return stop;
}

const char *file_csv_split(const char *p, const char *end, char delimiter, struct file_csv_field *field,
                           int room, int *n, const char **reason) {
    *n = 0;
    *reason = NULL;
    for (;;) {
        struct file_csv_field beyond;
        p = split_field(p, end, delimiter, *n < room ? &field[*n] : &beyond, reason);
        ++*n;
        if (p == end) return end;
        if (*p++ == '\n') return p;
    }
}

const char *file_csv_skip_empty(const char *p, const char *end) {
    const char *q = p;
    if (q < end && *q == '\r') q++;
    if (q < end && *q == '\n') return q + 1;
    return q == end ? end : p;
}

uint32_t file_csv_unescape(const struct file_csv_field *f, char *to) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < f->n; i++) {
        to[n++] = f->p[i];
        if (f->p[i] == '"') i++;
    }
    return n;
}
