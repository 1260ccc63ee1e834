/* An expression as Spark reads it: the same text on one line, without comments, but for what versions of Spark disagree on. */
#include "core/expr/tree.h"

#include <string.h>

/* Between the quotes: a quote written twice is one behind a backslash. */
static void put_string(struct hr_buffer *b, const char *p, size_t n) {
    char quote = *p;
    buffer_putc(b, quote);
    for (size_t i = 1; i + 1 < n; i++) {
        if (p[i] == '\\') buffer_putc(b, p[i++]);
        else if (p[i] == quote) {
            buffer_putc(b, '\\');
            i++;
        }
        buffer_putc(b, p[i]);
    }
    buffer_putc(b, quote);
}

static bool is_ascii(const char *p, size_t n) {
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)p[i] >= 0x80) return false;
    return true;
}

const char *expr_sql(struct arena *arena, const char *text) {
    struct hr_buffer b = {0};
    size_t at = 0;
    for (struct token t = lexer_next(arena, text, 0); t.kind != TOKEN_END && t.kind != TOKEN_BAD; t = lexer_next(arena, text, at)) {
        if (at < t.at) buffer_putc(&b, ' ');
        bool quote = t.kind == TOKEN_NAME && !is_ascii(text + t.at, t.n);
        if (t.kind == TOKEN_STRING) put_string(&b, text + t.at, t.n);
        else if (quote) buffer_printf(&b, "`%.*s`", (int)t.n, text + t.at);
        else buffer_put(&b, text + t.at, t.n);
        at = t.at + t.n;
    }
    const char *out = arena_strndup(arena, b.p ? b.p : "", b.n);
    buffer_free(&b);
    return out;
}
