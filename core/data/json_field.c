/*
 * json_field.c: one JSON value to one column value, as Spark's from_json converts it.
 *
 *   1. INT, BIGINT take integer tokens; 1.0, 1e0 and "1" are of the wrong type; too large overflows.
 *   2. DOUBLE takes every number (1e400 is Infinity) and the strings NaN, Infinity, +Infinity, -Infinity, +INF, -INF.
 *   3. DECIMAL takes numbers and strings that hold one; rounds half up; what doesn't fit overflows.
 *   4. BOOLEAN takes true and false; DATE and TIMESTAMP take strings, read as CAST reads them;
 *      TIMESTAMP takes integers too, as seconds.
 *   5. STRING takes anything: what is no string is written again as compact JSON, as Jackson does.
 *   6. null is null for every type.
 */
#include <string.h>
#include "core/data/json_internal.h"

static bool is_number(struct json_value v) {
    return v.kind == '-' || json_digit(v.kind);
}

static bool is_integer(struct hr_text number) {
    for (uint32_t i = 0; i < number.n; i++)
        if (!json_digit(number.p[i]) && number.p[i] != '-') return false;
    return true;
}

static bool text_is(struct hr_text t, const char *word) {
    return t.n == strlen(word) && memcmp(t.p, word, t.n) == 0;
}

/* ---- strings ---- */

static unsigned hex4(const char *p) {
    int unit = 0;
    for (int i = 0; i < 4; i++) {
        int c = p[i];
        unit = unit * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return (unsigned)unit;
}

/* At the 'u' of a valid escape; returns behind it, and behind the second half of a pair. */
static const char *unescape_unicode(const char *p, char **out) {
    unsigned rune = hex4(p + 1);
    p += 5;
    if (rune >= 0xD800 && rune <= 0xDBFF) {
        rune = 0x10000 + ((rune - 0xD800) << 10) + (hex4(p + 2) - 0xDC00);
        p += 6;
    }
    *out = utf8_put(*out, rune);
    return p;
}

static char unescape_letter(char c) {
    switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return c; /* quote, backslash, slash */
    }
}

struct hr_text json_unescape(struct arena *arena, struct hr_text in) {
    const char *p = in.p, *end = in.p + in.n;
    const char *escape = in.n ? memchr(p, '\\', in.n) : NULL;
    if (!escape) return in;
    char *start = arena_alloc(arena, in.n), *out = start; /* an escape is longer than what it means */
    while (escape) {
        memcpy(out, p, (size_t)(escape - p));
        out += escape - p;
        p = escape + 1;
        if (*p == 'u') p = unescape_unicode(p, &out);
        else *out++ = unescape_letter(*p++);
        escape = p < end ? memchr(p, '\\', (size_t)(end - p)) : NULL;
    }
    memcpy(out, p, (size_t)(end - p));
    out += end - p;
    return (struct hr_text){.p = start, .n = (uint32_t)(out - start)};
}

/* ---- numbers ---- */

static enum json_fit read_integer(struct json_value v, int64_t min, int64_t max, int64_t *out) {
    if (!is_number(v) || !is_integer(v.text)) return JSON_WRONG;
    bool minus = v.kind == '-';
    int64_t n = 0; /* kept negative: there is one more of those */
    for (uint32_t i = minus; i < v.text.n; i++)
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_sub_overflow(n, v.text.p[i] - '0', &n))
            return JSON_OVERFLOW;
    if (!minus && __builtin_sub_overflow((int64_t)0, n, &n)) return JSON_OVERFLOW;
    if (n < min || n > max) return JSON_OVERFLOW;
    *out = n;
    return JSON_FITS;
}

static bool is_any(struct hr_text t, const char *const *words) {
    for (; *words; words++)
        if (text_is(t, *words)) return true;
    return false;
}

static enum json_fit read_double(struct json_value v, double *out) {
    if (text_is(v.text, "-0") && is_number(v)) *out = 0; /* an int to Java, which has no -0 of those */
    else if (is_number(v)) *out = double_read(v.text);
    else if (v.kind != '"') return JSON_WRONG;
    else if (text_is(v.text, "NaN")) *out = __builtin_nan("");
    else if (is_any(v.text, (const char *const[]){"Infinity", "+Infinity", "+INF", NULL})) *out = __builtin_inf();
    else if (is_any(v.text, (const char *const[]){"-Infinity", "-INF", NULL})) *out = -__builtin_inf();
    else return JSON_WRONG;
    return JSON_FITS;
}

/* A decimal in a string is what java.math.BigDecimal takes: no blanks, at least one digit. */
static bool is_decimal(struct hr_text t) {
    const char *p = t.p, *end = t.p + t.n;
    size_t digits = 0;
    if (p < end && (*p == '-' || *p == '+')) p++;
    for (; p < end && json_digit(*p); p++) digits++;
    if (p < end && *p == '.')
        for (p++; p < end && json_digit(*p); p++) digits++;
    if (digits == 0) return false;
    if (p == end) return true;
    if (*p != 'e' && *p != 'E') return false;
    p++;
    if (p < end && (*p == '-' || *p == '+')) p++;
    if (p == end) return false;
    while (p < end && json_digit(*p)) p++;
    return p == end;
}

static enum json_fit read_decimal(const struct json_context *x, struct hr_type type,
                                  struct json_value v, void *out) {
    struct hr_text t = v.text;
    if (v.kind == '"') {
        t = json_unescape(x->arena, t);
        if (!is_decimal(t)) return JSON_WRONG;
    } else if (!is_number(v)) {
        return JSON_WRONG;
    }
    hr_int128 d;
    if (!decimal_parse(t.p, t.n, type.precision, type.scale, &d)) return JSON_OVERFLOW;
    memcpy(out, &d, sizeof d);
    return JSON_FITS;
}

/* ---- anything as a string ---- */

static void put_number(const struct json_context *x, struct hr_text t) {
    if (text_is(t, "-0")) { /* as in read_double() */
        buffer_putc(x->scratch, '0');
    } else if (is_integer(t)) {
        buffer_put(x->scratch, t.p, t.n);
    } else {
        double d = double_read(t);
        value_json(x->scratch, (struct hr_type){.id = HR_DOUBLE}, &d);
    }
}

/* At the opening quote of a valid string: where its closing one stands. */
static const char *closing_quote(const char *p) {
    for (p++; *p != '"'; p++)
        if (*p == '\\') p++;
    return p;
}

/* Valid JSON needs no tree to be written compactly: blanks go, strings and numbers are written again. */
static void put_compact(const struct json_context *x, struct hr_text t) {
    const char *p = t.p, *end = t.p + t.n;
    while (p < end) {
        if (json_blank(*p)) {
            p++;
        } else if (*p == '"') {
            const char *quote = closing_quote(p);
            struct hr_text s = {.p = p + 1, .n = (uint32_t)(quote - p - 1)};
            s = json_unescape(x->arena, s);
            json_quote(x->scratch, s.p, s.n);
            p = quote + 1;
        } else if (*p == '-' || json_digit(*p)) {
            const char *start = p;
            while (p < end && (json_digit(*p) || strchr("+-.eE", *p))) p++;
            put_number(x, (struct hr_text){.p = start, .n = (uint32_t)(p - start)});
        } else {
            buffer_putc(x->scratch, *p++);
        }
    }
}

static struct hr_text as_string(const struct json_context *x, struct json_value v) {
    if (v.kind == '"') return json_unescape(x->arena, v.text);
    if (v.kind == 't' || v.kind == 'f') return v.text;
    x->scratch->n = 0;
    put_compact(x, v.text);
    return (struct hr_text){.p = arena_strndup(x->arena, x->scratch->p, x->scratch->n),
                            .n = (uint32_t)x->scratch->n};
}

/* ---- any type ---- */

static enum json_fit read_calendar(const struct json_context *x, struct hr_type type,
                                   struct json_value v, void *out) {
    if (v.kind != '"' && type.id == HR_TIMESTAMP) { /* seconds */
        int64_t n;
        enum json_fit fit = read_integer(v, INT64_MIN, INT64_MAX, &n);
        if (fit != JSON_FITS) return fit;
        return value_cast((struct hr_type){.id = HR_BIGINT}, &n, type, out, NULL) ? JSON_FITS : JSON_WRONG;
    }
    if (v.kind != '"') return JSON_WRONG;
    return value_parse(type, json_unescape(x->arena, v.text), out) ? JSON_FITS : JSON_WRONG;
}

enum json_fit json_convert(const struct json_context *x, struct hr_type type, struct json_value v, void *out) {
    if (v.kind == 'n') return JSON_NULL;
    enum json_fit fit;
    int64_t n;
    switch (type.id) {
    case HR_BOOLEAN:
        if (v.kind != 't' && v.kind != 'f') return JSON_WRONG;
        *(uint8_t *)out = v.kind == 't';
        return JSON_FITS;
    case HR_INT:
        fit = read_integer(v, INT32_MIN, INT32_MAX, &n);
        if (fit == JSON_FITS) *(int32_t *)out = (int32_t)n;
        return fit;
    case HR_BIGINT:
        return read_integer(v, INT64_MIN, INT64_MAX, out);
    case HR_DOUBLE:
        return read_double(v, out);
    case HR_STRING:
        *(struct hr_text *)out = as_string(x, v);
        return JSON_FITS;
    case HR_DATE:
    case HR_TIMESTAMP:
        return read_calendar(x, type, v, out);
    case HR_DECIMAL:
        return read_decimal(x, type, v, out);
    default:
        return JSON_WRONG;
    }
}
