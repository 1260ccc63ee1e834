/*
 * json_validate.c: is this text JSON by RFC 8259?
 *
 * One pass over the bytes, without recursion: `open` remembers with one bit a level whether that
 * level is an object. Strings are checked for control characters, escapes, surrogate pairs and
 * UTF-8, so that nobody behind this file has to doubt a byte.
 */
#include <string.h>
#include "core/data/json_internal.h"

static const char early[] = "JSON: ends too early";
static const char unexpected[] = "JSON: unexpected character";
static const char too_deep[] = "JSON: nested deeper than the limit";
static const char behind[] = "JSON: text after the end";
static const char bad_number[] = "JSON: malformed number";
static const char bad_escape[] = "JSON: malformed escape";
static const char bad_surrogate[] = "JSON: half a surrogate pair";
static const char bad_control[] = "JSON: control character in a string";
static const char bad_utf8[] = "JSON: invalid UTF-8";

struct scan {
    const unsigned char *p, *end;
    const char *fault; /* set once, by the function that answers false */
    size_t tokens;
    int depth, limit;
    uint64_t open[JSON_DEPTH_MAX / 64]; /* bit of each level: it is an object; only used ones are set */
};

static bool fail(struct scan *s, const char *why) {
    s->fault = why;
    return false;
}

static inline void skip_blanks(struct scan *s) {
    while (s->p < s->end && json_blank((char)*s->p)) s->p++;
}

/* ---- strings ---- */

#define EACH_BYTE(b) (0x0101010101010101ull * (b))

static inline uint64_t has_zero_byte(uint64_t w) {
    return (w - EACH_BYTE(0x01)) & ~w;
}

/* Are these eight bytes ASCII without quote, backslash and control characters? (The subtraction
 * borrows into the next byte only where some byte is below 0x20, and then the answer is no anyway.) */
static inline bool eight_plain(const unsigned char *p) {
    uint64_t w;
    memcpy(&w, p, 8);
    uint64_t odd = has_zero_byte(w ^ EACH_BYTE('"')) | has_zero_byte(w ^ EACH_BYTE('\\')) |
                   (w - EACH_BYTE(0x20)) | w;
    return (odd & EACH_BYTE(0x80)) == 0;
}

static inline bool plain(unsigned char c) {
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* The bytes that may follow each lead byte: the Unicode standard's table 3-7. */
static bool scan_utf8(struct scan *s) {
    unsigned char lead = *s->p++;
    unsigned low = 0x80, high = 0xBF;
    int more = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    if (lead < 0xC2 || lead > 0xF4) return fail(s, bad_utf8);
    if (lead == 0xE0) low = 0xA0;  /* overlong */
    if (lead == 0xED) high = 0x9F; /* surrogates */
    if (lead == 0xF0) low = 0x90;  /* overlong */
    if (lead == 0xF4) high = 0x8F; /* above U+10FFFF */
    for (; more > 0; more--) {
        if (s->p == s->end) return fail(s, early);
        if (*s->p < low || *s->p > high) return fail(s, bad_utf8);
        s->p++;
        low = 0x80;
        high = 0xBF;
    }
    return true;
}

static bool scan_hex4(struct scan *s, unsigned *unit) {
    *unit = 0;
    for (int i = 0; i < 4; i++, s->p++) {
        if (s->p == s->end) return fail(s, early);
        unsigned char c = *s->p, lower = c | 0x20;
        if (c >= '0' && c <= '9') *unit = *unit * 16 + c - '0';
        else if (lower >= 'a' && lower <= 'f') *unit = *unit * 16 + lower - 'a' + 10;
        else return fail(s, bad_escape);
    }
    return true;
}

/* Behind \u. */
static bool scan_unicode_escape(struct scan *s) {
    unsigned high, low;
    if (!scan_hex4(s, &high)) return false;
    if (high < 0xD800 || high > 0xDFFF) return true;
    if (high > 0xDBFF) return fail(s, bad_surrogate);
    if (s->end - s->p < 2 || s->p[0] != '\\' || s->p[1] != 'u') return fail(s, bad_surrogate);
    s->p += 2;
    if (!scan_hex4(s, &low)) return false;
    return (low >= 0xDC00 && low <= 0xDFFF) || fail(s, bad_surrogate);
}

/* Behind the backslash. */
static bool scan_escape(struct scan *s) {
    if (s->p == s->end) return fail(s, early);
    switch (*s->p++) {
    case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't': return true;
    case 'u': return scan_unicode_escape(s);
    default: return fail(s, bad_escape);
    }
}

/* At the opening quote. */
static bool scan_string(struct scan *s) {
    s->p++;
    s->tokens++;
    for (;;) {
        while (s->end - s->p >= 8 && eight_plain(s->p)) s->p += 8;
        while (s->p < s->end && plain(*s->p)) s->p++;
        if (s->p == s->end) return fail(s, early);
        unsigned char c = *s->p;
        if (c == '"') {
            s->p++;
            return true;
        }
        if (c < 0x20) return fail(s, bad_control);
        if (c >= 0x80) {
            if (!scan_utf8(s)) return false;
        } else {
            s->p++;
            if (!scan_escape(s)) return false;
        }
    }
}

/* ---- numbers and literals ---- */

static inline bool scan_digits(struct scan *s) {
    const unsigned char *start = s->p;
    while (s->p < s->end && json_digit((char)*s->p)) s->p++;
    if (s->p > start) return true;
    return fail(s, s->p == s->end ? early : bad_number);
}

static bool scan_number(struct scan *s) {
    s->tokens++;
    if (*s->p == '-') s->p++;
    if (s->p < s->end && *s->p == '0') s->p++; /* no digit may follow: the caller trips over it */
    else if (!scan_digits(s)) return false;
    if (s->p < s->end && *s->p == '.') {
        s->p++;
        if (!scan_digits(s)) return false;
    }
    if (s->p < s->end && (*s->p | 0x20) == 'e') {
        s->p++;
        if (s->p < s->end && (*s->p == '+' || *s->p == '-')) s->p++;
        if (!scan_digits(s)) return false;
    }
    return true;
}

static bool scan_literal(struct scan *s, const char *word) {
    s->tokens++;
    for (; *word; word++, s->p++) {
        if (s->p == s->end) return fail(s, early);
        if (*s->p != (unsigned char)*word) return fail(s, unexpected);
    }
    return true;
}

/* ---- structure ---- */

static inline bool in_object(const struct scan *s) {
    int level = s->depth - 1;
    return s->open[level >> 6] >> (level & 63) & 1;
}

static bool open_level(struct scan *s, bool object) {
    if (s->depth == s->limit) return fail(s, too_deep);
    uint64_t bit = 1ull << (s->depth & 63), *word = &s->open[s->depth >> 6];
    *word = object ? *word | bit : *word & ~bit;
    s->depth++;
    s->tokens++;
    s->p++;
    return true;
}

/* A name and its colon. */
static bool scan_name(struct scan *s) {
    skip_blanks(s);
    if (s->p == s->end) return fail(s, early);
    if (*s->p != '"') return fail(s, unexpected);
    if (!scan_string(s)) return false;
    skip_blanks(s);
    if (s->p == s->end) return fail(s, early);
    if (*s->p != ':') return fail(s, unexpected);
    s->p++;
    return true;
}

/* A whole scalar, or just the opening of an object or array: then *opened. */
static bool scan_value(struct scan *s, bool *opened) {
    *opened = false;
    skip_blanks(s);
    if (s->p == s->end) return fail(s, early);
    switch (*s->p) {
    case '{': *opened = true; return open_level(s, true);
    case '[': *opened = true; return open_level(s, false);
    case '"': return scan_string(s);
    case 't': return scan_literal(s, "true");
    case 'f': return scan_literal(s, "false");
    case 'n': return scan_literal(s, "null");
    case '-': case '0': case '1': case '2': case '3': case '4':
    case '5': case '6': case '7': case '8': case '9': return scan_number(s);
    default: return fail(s, unexpected);
    }
}

/* Behind an opening bracket: closes an empty container, reads the first name of an object. */
static bool scan_first(struct scan *s, bool *closed) {
    bool object = in_object(s);
    skip_blanks(s);
    *closed = s->p < s->end && *s->p == (object ? '}' : ']');
    if (*closed) {
        s->p++;
        s->depth--;
        return true;
    }
    return !object || scan_name(s);
}

/* Behind a value: close what ends here; true with *more if a comma asks for the next one. */
static bool scan_next(struct scan *s, bool *more) {
    *more = false;
    while (s->depth > 0) {
        bool object = in_object(s);
        skip_blanks(s);
        if (s->p == s->end) return fail(s, early);
        unsigned char c = *s->p;
        if (c == ',') {
            s->p++;
            *more = true;
            return !object || scan_name(s);
        }
        if (c != (object ? '}' : ']')) return fail(s, unexpected);
        s->p++;
        s->depth--;
    }
    return true;
}

/* One value with all that is in it. */
static bool scan_whole(struct scan *s) {
    bool more = true;
    while (more) {
        bool opened;
        if (!scan_value(s, &opened)) return false;
        if (opened) {
            bool closed;
            if (!scan_first(s, &closed)) return false;
            if (!closed) continue;
        }
        if (!scan_next(s, &more)) return false;
    }
    return true;
}

/* Not cleared: `open` is large, and a level's bit is written before it is read. */
static void scan_init(struct scan *s, const char *p, const char *end, int depth) {
    s->p = (const unsigned char *)p;
    s->end = (const unsigned char *)end;
    s->fault = NULL;
    s->tokens = 0;
    s->depth = 0;
    s->limit = depth;
}

const char *json_validate(struct hr_text text, int depth, size_t *tokens) {
    struct scan s;
    scan_init(&s, text.p, text.p + text.n, depth);
    bool ok = scan_whole(&s);
    if (ok) skip_blanks(&s);
    *tokens = s.tokens;
    return !ok ? s.fault : s.p < s.end ? behind : NULL;
}

const char *json_value_end(const char *p, const char *end, int depth) {
    struct scan s;
    scan_init(&s, p, end, depth);
    return scan_whole(&s) ? (const char *)s.p : NULL;
}
