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

/* Bytes that no UTF-8 has stand for something else: see core/export. */
static bool is_foreign(const char *p, size_t n) {
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)p[i] >= 0x80 && (unsigned char)p[i] < 0xF8) return true;
    return false;
}

static void put_token(struct hr_buffer *b, const struct token *t, const char *p) {
    if (t->kind == TOKEN_STRING) put_string(b, p, t->n);
    else if (t->kind == TOKEN_NAME && is_foreign(p, t->n)) buffer_printf(b, "`%.*s`", (int)t->n, p);
    else buffer_put(b, p, t->n);
}

const char *expr_sql(struct arena *arena, const char *text, const struct expr_insert *insert, int n) {
    struct hr_buffer b = {0};
    size_t at = 0;
    for (bool more = true; more;) {
        struct token t = lexer_next(arena, text, at);
        for (; n && insert->ends && insert->at <= at; n--, insert++) buffer_puts(&b, insert->text);
        more = t.kind != TOKEN_END && t.kind != TOKEN_BAD;
        if (more && at < t.at) buffer_putc(&b, ' '); /* blanks and comments */
        at = more ? t.at : strlen(text);
        for (; n && !insert->ends && insert->at <= at; n--, insert++) buffer_puts(&b, insert->text);
        if (more) put_token(&b, &t, text + at);
        at += more ? t.n : 0;
    }
    const char *out = arena_strndup(arena, b.p ? b.p : "", b.n);
    buffer_free(&b);
    return out;
}
