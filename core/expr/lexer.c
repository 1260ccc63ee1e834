/* Text to tokens: names, numbers, strings and signs of SQL. Blanks and comments lie between them. */
#include "core/expr/tree.h"

#include <stdlib.h>
#include <math.h>
#include <string.h>
#include <strings.h>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_name(char c) { return is_name_start(c) || is_digit(c); }

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static struct token bad(size_t at, size_t n, const char *why) {
    return (struct token){.kind = TOKEN_BAD, .at = at, .n = n, .why = why};
}

/* ---- comments ---- */

static bool at_comment(const char *s) { return (s[0] == '-' && s[1] == '-') || (s[0] == '/' && s[1] == '*'); }

static size_t line_end(const char *text, size_t at) {
    for (; text[at] && text[at] != '\n' && text[at] != '\r'; at++)
        if (text[at] == '\\' && text[at + 1] == '\n') at++; /* the next line belongs to it */
    return at;
}

/* Behind the comment at `at`, which may hold others; 0 where it has no end. */
static size_t comment_end(const char *text, size_t at) {
    if (text[at] == '-') return line_end(text, at);
    int depth = 0;
    do {
        int more = !strncmp(text + at, "/*", 2), less = !strncmp(text + at, "*/", 2);
        if (!text[at]) return 0;
        depth += more - less;
        at += more || less ? 2 : 1;
    } while (depth);
    return at;
}

bool expr_comment_to_end(const char *text) {
    char quote = 0;
    for (size_t at = 0; text[at]; at++) {
        bool begins = !quote && at_comment(text + at);
        if (begins && text[at] == '-' && !text[line_end(text, at)]) return true;
        if (begins && !(at = comment_end(text, at))) return false;
        if (begins) at--;
        else if (quote && text[at] == '\\' && text[at + 1] && quote != '`') at++;
        else if (text[at] == quote) quote = 0;
        else if (!quote && (text[at] == '\'' || text[at] == '"' || text[at] == '`')) quote = text[at];
    }
    return false;
}

/* ---- strings ---- */

static int hex_digit(char c) {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* The hex digits behind \u and \U as a number; 0xFFFFFFFF, which is no character, where one is missing. */
static uint32_t hex(const char *s, int digits) {
    uint32_t code = 0;
    for (int k = 0; k < digits; k++) {
        if (hex_digit(s[k]) < 0) return UINT32_MAX;
        code = code << 4 | (uint32_t)hex_digit(s[k]);
    }
    return code;
}

static bool is_half(uint32_t code) { return code >= 0xD800 && code < 0xE000; }

/* \u00e9, a pair of them beyond U+FFFF, or \U0001F600. */
static size_t unicode_escape(const char *s, char *out, size_t *written) {
    size_t taken = s[1] == 'u' ? 6 : 10;
    uint32_t code = hex(s + 2, (int)taken - 2);
    if (code >= 0xD800 && code < 0xDC00 && s[1] == 'u' && s[6] == '\\' && s[7] == 'u') {
        uint32_t second = hex(s + 8, 4);
        if (second < 0xDC00 || !is_half(second)) return 0;
        code = 0x10000 + ((code - 0xD800) << 10) + (second - 0xDC00);
        taken = 12;
    }
    if (is_half(code) || code > 0x10FFFF) return 0;
    *written = (size_t)(utf8_put(out, code) - out);
    return taken;
}

static bool is_octal(char c) { return c >= '0' && c <= '7'; }

/* The escape whose backslash stands at s. Returns how many bytes it takes, 0 where it means nothing.
 * \% and \_ stay as they are: LIKE reads them. */
static size_t escape(const char *s, char *out, size_t *written) {
    static const char letter[] = "0bnrtZ", meaning[] = "\0\b\n\r\t\x1a";
    if (s[1] == 'u' || s[1] == 'U') return unicode_escape(s, out, written);
    *written = 1;
    if (s[1] == '%' || s[1] == '_') {
        out[0] = '\\';
        out[1] = s[1];
        *written = 2;
        return 2;
    }
    if ((s[1] == '0' || s[1] == '1') && is_octal(s[2]) && is_octal(s[3])) {
        out[0] = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
        return 4;
    }
    const char *known = s[1] ? strchr(letter, s[1]) : NULL;
    out[0] = known ? meaning[known - letter] : s[1];
    return s[1] ? 2 : 0;
}

/* '...' or "...", the quote itself written twice or behind a backslash. */
static struct token string_token(struct arena *arena, const char *text, size_t at) {
    char quote = text[at];
    char *out = arena_alloc(arena, strlen(text + at) + 1);
    size_t n = 0, p = at + 1;
    while (text[p]) {
        if (text[p] == quote) {
            if (text[p + 1] != quote)
                return (struct token){TOKEN_STRING, at, p + 1 - at, {out, (uint32_t)n, 0}, "", NULL};
            out[n++] = quote;
            p += 2;
        } else if (text[p] == '\\') {
            size_t written, taken = escape(text + p, out + n, &written);
            if (!taken) return bad(p, text[p + 1] ? 2 : 1, "this escape means nothing");
            p += taken;
            n += written;
        } else {
            out[n++] = text[p++];
        }
    }
    return bad(at, 1, "this quote is never closed");
}

static struct token quoted_name(struct arena *arena, const char *text, size_t at) {
    char *out = arena_alloc(arena, strlen(text + at) + 1);
    size_t n = 0, p = at + 1;
    for (; text[p]; p++) {
        if (text[p] == '`' && text[++p] != '`') {
            out[n] = '\0';
            return (struct token){TOKEN_QUOTED_NAME, at, p - at, {out, (uint32_t)n, 0}, "", NULL};
        }
        out[n++] = text[p];
    }
    return bad(at, 1, "this backquote is never closed");
}

/* ---- numbers ---- */

static size_t digits(const char *text, size_t p) {
    while (is_digit(text[p])) p++;
    return p;
}

static struct token number_token(const char *text, size_t at) {
    size_t p = digits(text, at);
    if (text[p] == '.') p = digits(text, p + 1);
    if (text[p] == 'e' || text[p] == 'E') {
        size_t sign = text[p + 1] == '+' || text[p + 1] == '-';
        if (is_digit(text[p + 1 + sign])) p = digits(text, p + 1 + sign);
    }
    size_t end = p;
    while (is_name(text[end])) end++; /* a suffix: L, D or BD */
    return (struct token){TOKEN_NUMBER, at, end - at, {text + at, (uint32_t)(end - at), 0}, "", NULL};
}

static bool ends_with(struct hr_text t, const char *suffix) {
    size_t n = strlen(suffix);
    return t.n > n && !strncasecmp(t.p + t.n - n, suffix, n);
}

/* Of the number's own digits: the fewest that DECIMAL needs. */
static const char *decimal_literal(struct hr_text t, bool negative, struct hr_type *type, union tree_value *v) {
    int digits_seen = 0, scale = 0;
    bool fraction = false;
    hr_int128 value = 0;
    for (uint32_t i = 0; i < t.n; i++) {
        if (t.p[i] == '.') {
            fraction = true;
            continue;
        }
        if (!is_digit(t.p[i])) return "this is no number";
        if (value || t.p[i] != '0') digits_seen++;
        scale += fraction;
        if (digits_seen > 38 || scale > 38) return "this number has more than 38 digits";
        value = value * 10 + (t.p[i] - '0');
    }
    int precision = digits_seen > scale ? digits_seen : scale;
    *type = (struct hr_type){HR_DECIMAL, (uint8_t)(precision ? precision : 1), (uint8_t)scale};
    v->dec = negative ? -value : value;
    return NULL;
}

static const char *integer_literal(struct hr_text t, bool negative, bool is_long, struct hr_type *type,
                                   union tree_value *v) {
    const char *why = decimal_literal(t, negative, type, v);
    if (why) return why;
    hr_int128 value = v->dec;
    if (value >= INT32_MIN && value <= INT32_MAX && !is_long) {
        *type = (struct hr_type){.id = HR_INT};
        v->i = (int32_t)value;
    } else if (value >= INT64_MIN && value <= INT64_MAX) {
        *type = (struct hr_type){.id = HR_BIGINT};
        v->l = (int64_t)value;
    } else if (is_long) {
        return "this number does not fit BIGINT";
    }
    return NULL;
}

static const char *double_literal(struct hr_text t, bool negative, struct hr_type *type, union tree_value *v) {
    *type = (struct hr_type){.id = HR_DOUBLE};
    for (uint32_t i = 0; i < t.n; i++)
        if (!is_digit(t.p[i]) && !strchr(".eE+-", t.p[i])) return "this is no number";
    if (!value_parse(*type, t, &v->d)) return "this is no number";
    if (!isfinite(v->d)) return "this number does not fit DOUBLE";
    if (negative) v->d = -v->d;
    return NULL;
}

const char *lexer_number(struct hr_text t, bool negative, struct hr_type *type, union tree_value *v) {
    bool exponent = memchr(t.p, 'e', t.n) || memchr(t.p, 'E', t.n);
    bool point = memchr(t.p, '.', t.n);
    if (ends_with(t, "BD") && !exponent) return t.n -= 2, decimal_literal(t, negative, type, v);
    if (ends_with(t, "D")) return t.n -= 1, double_literal(t, negative, type, v);
    if (exponent) return double_literal(t, negative, type, v);
    if (point) return decimal_literal(t, negative, type, v);
    bool is_long = ends_with(t, "L");
    return t.n -= is_long, integer_literal(t, negative, is_long, type, v);
}

/* ---- all of them ---- */

static struct token sign_token(const char *text, size_t at) {
    static const char *const signs[] = {"<=>", "==", "!=", "<>", "<=", ">=", "||", "=", "<", ">", "+",
                                        "-",   "*",  "/",  "%",  "(",  ")",  ",",  NULL};
    for (const char *const *s = signs; *s; s++) {
        size_t n = strlen(*s);
        if (strncmp(text + at, *s, n)) continue;
        struct token t = {.kind = TOKEN_SIGN, .at = at, .n = n, .text = {text + at, (uint32_t)n, 0}};
        memcpy(t.sign, *s, n);
        return t;
    }
    return bad(at, 1, "this character has no meaning here");
}

struct token lexer_next(struct arena *arena, const char *text, size_t at) {
    while (is_blank(text[at]) || at_comment(text + at)) {
        if (!strncmp(text + at, "/*+", 3)) return bad(at, 3, "a hint has no meaning here");
        size_t end = is_blank(text[at]) ? at + 1 : comment_end(text, at);
        if (!end) return bad(at, 2, "this comment is never closed");
        at = end;
    }
    char c = text[at];
    if (!c) return (struct token){.kind = TOKEN_END, .at = at, .n = 1};
    if (c == '\'' || c == '"') return string_token(arena, text, at);
    if (c == '`') return quoted_name(arena, text, at);
    if (is_digit(c) || (c == '.' && is_digit(text[at + 1]))) return number_token(text, at);
    if (!is_name_start(c)) return sign_token(text, at);
    size_t end = at;
    while (is_name(text[end])) end++;
    return (struct token){TOKEN_NAME, at, end - at, {text + at, (uint32_t)(end - at), 0}, "", NULL};
}
