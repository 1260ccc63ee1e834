/*
 * json_internal.h: the parts that json.c puts together, for the json*.c files and their tests only.
 * Nothing here owns memory: results point into the text or into the arena that was handed in.
 */
#ifndef HR_JSON_INTERNAL_H
#define HR_JSON_INTERNAL_H

#include "core/data/json.h"

#define JSON_DEPTH 64        /* levels of objects and arrays unless told otherwise */
#define JSON_DEPTH_MAX 1024  /* the most that can be asked for */
#define JSON_UNKNOWN (-1)    /* no field, no column */

static inline bool json_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static inline bool json_digit(char c) {
    return c >= '0' && c <= '9';
}

/* ---- json.c: what a reader knows, and what one call works with ---- */

struct json_field {
    const char *name;
    size_t length;
    struct hr_type type;
    size_t width;
    const char *wrong, *overflow; /* reasons, printed once */
};

/* The fields by name: an open-addressed table, never more than half full. The schema is the
 * pipeline's own, so nobody can make its names collide; foreign names are only looked up. */
struct hr_json {
    int fields;
    struct json_field *field;
    int *slot; /* index of a field or JSON_UNKNOWN */
    size_t mask;
    int corrupt; /* index of the column for raw text, or JSON_UNKNOWN */
    int depth;
    bool strict, check_all;
};

/* What converting needs besides the value. */
struct json_context {
    struct arena *arena;       /* takes strings that had to be written anew */
    struct hr_buffer *scratch; /* the caller's, reused */
};

struct json_shape;
struct json_tokens;
struct json_reading {
    const struct hr_json *json;
    struct hr_column *out;
    struct json_context context;
    bool check;                 /* pruned columns too */
    struct json_tokens *tokens; /* json_reference.c's, made when it is first needed */
    struct json_shape *shape;   /* json_hot.c's, likewise */
};

/* One value: a string without its quotes, or the bytes of anything else. */
struct json_value {
    struct hr_text text;
    char kind; /* first byte as written: '"', '{', '[', 't', 'f', 'n', '-' or a digit */
};

/* Index of the field of that name, or JSON_UNKNOWN. */
int json_find(const struct hr_json *, struct hr_text name);
/* One value into row `row` of its column, null where it does not fit. Returns why not, or NULL. */
const char *json_read_field(struct json_reading *, int field, struct json_value, uint32_t row);
/* All columns of the row become null. */
void json_clear_row(struct json_reading *, uint32_t row);

static inline void *json_cell(const struct hr_column *c, size_t width, uint32_t row) {
    return (char *)c->at + row * width;
}

static inline void json_set_valid(struct hr_column *c, uint32_t row) {
    c->valid[row >> 6] |= 1ull << (row & 63);
}

/* Null and zeroed, so that nobody meets a wild pointer under a null. */
static inline void json_set_null(struct hr_column *c, size_t width, uint32_t row) {
    hr_set_null(c, row);
    char *cell = json_cell(c, width, row);
    for (size_t i = 0; i < width; i++) cell[i] = 0;
}

/* Which way json_reader_read() takes a record: it is JSON_BOTH. The others are for tests. */
enum json_path {
    JSON_BOTH,      /* the hot path, and the reference for what that finds odd */
    JSON_REFERENCE, /* the reference alone */
    JSON_HOT,       /* the hot path alone: what it finds odd is a bad record, with the reason json_odd */
};
extern const char json_odd[];
void json_reader_read_by(enum json_path, const struct hr_json *, struct arena *, const struct hr_column *text,
                         struct hr_rows, struct hr_column *out, const char **reason);

/* ---- the two paths: a record without blanks at either end, to one row ---- */

/* json_reference.c: json_validate(), jsmn, and a walk over the tokens. The row was cleared. Returns the
 * first thing that was wrong, or NULL. */
const char *json_reference(struct json_reading *, struct hr_text, uint32_t row);
/* json_hot.c: one pass. False: something is odd, and the row is in no certain state. */
bool json_hot(struct json_reading *, struct hr_text, uint32_t row, const char **wrong);

/* ---- json_validate.c ---- */

/* NULL if the text is one JSON value by RFC 8259, else why not (a static string). The text may not
 * be blank. *tokens becomes the number of strings, numbers, literals, objects and arrays in it. */
const char *json_validate(struct hr_text, int depth, size_t *tokens);
/* Where the value that starts at p ends, or NULL if it is none or nested deeper than that. */
const char *json_value_end(const char *p, const char *end, int depth);

/* ---- json_relax.c ---- */

/* What Spark's reader tolerates, written as RFC 8259 wants it: single quotes become double ones,
 * bare NaN and Infinity become strings, text behind the root is left out. Anything else stays as it
 * is, so the result still needs json_validate(). */
struct hr_text json_relax(struct arena *, struct hr_text);

/* ---- json_field.c: everything from here on works on text that json_validate() passed ---- */

enum json_fit { JSON_FITS, JSON_NULL, JSON_WRONG, JSON_OVERFLOW };

/* Read a value as `type` into *out, which is only written where the answer is JSON_FITS. */
enum json_fit json_convert(const struct json_context *, struct hr_type, struct json_value, void *out);
/* The string behind the escapes; the very same bytes where there are none. */
struct hr_text json_unescape(struct arena *, struct hr_text);

#endif
