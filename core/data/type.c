/* Types and schemas as text. */
#include "core/data/value.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct { const char *name; uint8_t id; } names[] = {
    {"BOOLEAN", HR_BOOLEAN}, {"INT", HR_INT},       {"INTEGER", HR_INT}, {"BIGINT", HR_BIGINT},
    {"LONG", HR_BIGINT},     {"DOUBLE", HR_DOUBLE}, {"STRING", HR_STRING}, {"DATE", HR_DATE},
    {"TIMESTAMP", HR_TIMESTAMP}, {"DECIMAL", HR_DECIMAL}, {"DEC", HR_DECIMAL}, {"NUMERIC", HR_DECIMAL},
};
enum { NAMES = sizeof names / sizeof names[0] };

const char *type_name(struct hr_type t, char out[24]) {
    const char *name = "VOID";
    for (int i = NAMES - 1; i >= 0; i--)
        if (names[i].id == t.id) name = names[i].name;
    if (t.id == HR_DECIMAL) snprintf(out, 24, "DECIMAL(%u,%u)", t.precision, t.scale);
    else snprintf(out, 24, "%s", name);
    return out;
}

bool type_equal(struct hr_type a, struct hr_type b) {
    return a.id == b.id && (a.id != HR_DECIMAL || (a.precision == b.precision && a.scale == b.scale));
}

static void blanks(const char **p) {
    while (isspace((unsigned char)**p)) (*p)++;
}

static bool take(const char **p, char c) {
    blanks(p);
    if (**p != c) return false;
    (*p)++;
    return true;
}

static bool small_number(const char **p, uint8_t *out) {
    blanks(p);
    unsigned v = 0;
    if (!isdigit((unsigned char)**p)) return false;
    for (; isdigit((unsigned char)**p); (*p)++)
        if ((v = v * 10 + (unsigned)(**p - '0')) > 99) return false;
    *out = (uint8_t)v;
    return true;
}

static bool decimal_size(const char **p, struct hr_type *t) {
    t->precision = 10;
    t->scale = 0;
    if (!take(p, '(')) return true;
    if (!small_number(p, &t->precision)) return false;
    if (take(p, ',') && !small_number(p, &t->scale)) return false;
    return take(p, ')') && t->precision >= 1 && t->precision <= 38 && t->scale <= t->precision;
}

bool type_parse(const char **p, struct hr_type *out) {
    blanks(p);
    size_t n = 0;
    while (isalpha((unsigned char)(*p)[n])) n++;
    *out = (struct hr_type){0};
    for (int i = 0; i < NAMES; i++)
        if (strlen(names[i].name) == n && !strncasecmp(names[i].name, *p, n)) out->id = names[i].id;
    if (!out->id) return false;
    *p += n;
    return out->id != HR_DECIMAL || decimal_size(p, out);
}

/* A name, or one in backquotes with `` for a backquote. NULL: neither. */
static char *field_name(struct arena *a, const char **p) {
    blanks(p);
    const char *s = *p;
    if (*s != '`') {
        while (isalnum((unsigned char)*s) || *s == '_' || (unsigned char)*s >= 0x80) s++;
        char *name = s > *p ? arena_strndup(a, *p, (size_t)(s - *p)) : NULL;
        *p = s;
        return name;
    }
    char *name = arena_strdup(a, s + 1), *out = name;
    for (s++; *s; s++) {
        if (*s == '`' && *++s != '`') {
            *out = '\0';
            *p = s;
            return out > name ? name : NULL;
        }
        *out++ = *s;
    }
    return NULL;
}

static bool word(const char **p, const char *w) {
    blanks(p);
    size_t n = strlen(w);
    if (strncasecmp(*p, w, n) || isalnum((unsigned char)(*p)[n])) return false;
    *p += n;
    return true;
}

static bool unused_name(const struct hr_field *f, int n, const char *name) {
    for (int i = 0; i < n; i++)
        if (!strcasecmp(f[i].name, name)) return false;
    return true;
}

bool schema_parse(struct arena *a, const char *text, struct hr_schema *out, size_t *at, struct hr_error *err) {
    enum { MOST = 1000 };
    struct hr_field *field = NULL;
    int n = 0, room = 0;
    const char *p = text;
    do {
        blanks(&p);
        *at = (size_t)(p - text);
        if (n == room) {
            room = room ? 2 * room : 16;
            struct hr_field *more = arena_alloc(a, (size_t)room * sizeof *more);
            if (n) memcpy(more, field, (size_t)n * sizeof *more);
            field = more;
        }
        if (n == MOST) return error_set(err, HR_ECONFIG, "more than %d columns", MOST);
        if (!(field[n].name = field_name(a, &p))) return error_set(err, HR_ECONFIG, "a column name is wanted here");
        if (!unused_name(field, n, field[n].name))
            return error_set(err, HR_ECONFIG, "column '%s' stands twice", field[n].name);
        (void)take(&p, ':');
        blanks(&p);
        *at = (size_t)(p - text);
        if (!type_parse(&p, &field[n].type))
            return error_set(err, HR_ECONFIG, "a type is wanted here: " TYPE_NAMES);
        if (word(&p, "NOT") && !word(&p, "NULL")) return error_set(err, HR_ECONFIG, "NOT is followed by NULL");
        n++;
    } while (take(&p, ','));
    *at = (size_t)(p - text);
    if (*p) return error_set(err, HR_ECONFIG, "a comma or the end is wanted here");
    *out = (struct hr_schema){n, field};
    return true;
}
