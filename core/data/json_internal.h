/*
 * json_internal.h: the parts that json.c puts together, for the json*.c files only.
 * Nothing here owns memory: results point into the text or into the arena that was handed in.
 */
#ifndef HR_JSON_INTERNAL_H
#define HR_JSON_INTERNAL_H

#include <locale.h>
#include "core/data/value.h"

#define JSON_DEPTH 64        /* levels of objects and arrays unless told otherwise */
#define JSON_DEPTH_MAX 1024  /* the most that can be asked for */

static inline bool json_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static inline bool json_digit(char c) {
    return c >= '0' && c <= '9';
}

/* ---- json_validate.c ---- */

/* NULL if the text is one JSON value by RFC 8259, else why not (a static string). The text may not
 * be blank. *tokens becomes the number of strings, numbers, literals, objects and arrays in it. */
const char *json_validate(struct hr_text, int depth, size_t *tokens);

/* ---- json_relax.c ---- */

/* What Spark's reader tolerates, written as RFC 8259 wants it: single quotes become double ones,
 * bare NaN and Infinity become strings, text behind the root is left out. Anything else stays as it
 * is, so the result still needs json_validate(). */
struct hr_text json_relax(struct arena *, struct hr_text);

/* ---- json_field.c: everything from here on works on text that json_validate() passed ---- */

/* One value: a string without its quotes, or the bytes of anything else. */
struct json_value {
    struct hr_text text;
    char kind; /* first byte as written: '"', '{', '[', 't', 'f', 'n', '-' or a digit */
};

enum json_fit { JSON_FITS, JSON_NULL, JSON_WRONG, JSON_OVERFLOW };

/* What converting needs besides the value. */
struct json_context {
    struct arena *arena;       /* takes strings that had to be written anew */
    locale_t c;                /* the C locale: a decimal point is a point */
    struct hr_buffer *scratch; /* the caller's, reused */
};

/* Read a value as `type` into *out, which is only written where the answer is JSON_FITS. */
enum json_fit json_convert(const struct json_context *, struct hr_type, struct json_value, void *out);
/* The string behind the escapes; the very same bytes where there are none. */
struct hr_text json_unescape(struct arena *, struct hr_text);
/* A number token as a double: correctly rounded, too large is infinite. */
double json_double(locale_t c, struct hr_text);

#endif
