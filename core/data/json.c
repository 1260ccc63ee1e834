/*
 * json.c: the reader: a text column of JSON objects to typed columns.
 *
 * A record goes through three steps: json_validate() looks at every byte, jsmn cuts the text into
 * tokens, and a walk over the root's names converts the values of those that the schema has.
 */
#include <limits.h>
#include <string.h>
#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>
#include "core/data/json.h"
#include "core/data/json_internal.h"

#define UNKNOWN (-1)

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
    int *slot; /* index of a field or UNKNOWN */
    size_t mask;
    int corrupt; /* index of the column for raw text, or UNKNOWN */
    int depth;
    bool strict, check_all;
    locale_t c;
};

/* What one call of json_reader_read() works with. */
struct reading {
    const struct hr_json *json;
    struct hr_column *out;
    struct json_context context;
    jsmntok_t *token;
    size_t room; /* tokens */
    bool check;  /* pruned columns too */
};

/* ---- fields by name ---- */

static inline uint64_t load(const char *p, size_t n) {
    uint64_t w = 0;
    memcpy(&w, p, n);
    return w;
}

/* Length, first and last bytes tell the names of a schema apart well enough, and cost the same
 * however long a foreign name is. */
static inline size_t name_hash(const char *p, size_t n) {
    uint64_t first, last;
    if (n >= 8) {
        first = load(p, 8);
        last = load(p + n - 8, 8);
    } else if (n >= 4) {
        first = load(p, 4);
        last = load(p + n - 4, 4);
    } else {
        first = n ? (unsigned char)p[0] : 0;
        last = n ? (uint64_t)(unsigned char)p[n / 2] << 8 | (unsigned char)p[n - 1] : 0;
    }
    uint64_t h = (first ^ n * 0x9E3779B97F4A7C15ull) * 0xD6E8FEB86659FD93ull ^ last;
    h *= 0xA0761D6478BD642Full;
    return (size_t)(h ^ h >> 32);
}

static int find_field(const struct hr_json *j, struct hr_text name) {
    for (size_t at = name_hash(name.p, name.n) & j->mask;; at = (at + 1) & j->mask) {
        int f = j->slot[at];
        if (f == UNKNOWN) return UNKNOWN;
        if (j->field[f].length == name.n && memcmp(j->field[f].name, name.p, name.n) == 0) return f;
    }
}

static void add_name(struct hr_json *j, int f) {
    size_t at = name_hash(j->field[f].name, j->field[f].length) & j->mask;
    while (j->slot[at] != UNKNOWN) at = (at + 1) & j->mask;
    j->slot[at] = f;
}

static void make_field(struct arena *a, struct json_field *f, const struct hr_field *from) {
    char type[24];
    type_name(from->type, type);
    f->name = arena_strdup(a, from->name);
    f->length = strlen(f->name);
    f->type = from->type;
    f->width = hr_width(from->type);
    f->wrong = arena_printf(a, "field '%s': not %s %s", f->name, strchr("AEIOU", type[0]) ? "an" : "a", type);
    f->overflow = arena_printf(a, "field '%s': does not fit %s", f->name, type);
}

struct hr_json *json_reader_new(struct arena *a, const struct hr_schema *schema, const struct hr_json_options *o) {
    struct hr_json *j = arena_zalloc(a, sizeof *j);
    size_t slots = 4;
    while (slots < (size_t)schema->n * 2) slots *= 2;
    j->fields = schema->n;
    j->field = arena_zalloc(a, (size_t)schema->n * sizeof *j->field);
    j->slot = arena_alloc(a, slots * sizeof *j->slot);
    j->mask = slots - 1;
    j->corrupt = UNKNOWN;
    j->depth = o->depth <= 0 ? JSON_DEPTH : o->depth > JSON_DEPTH_MAX ? JSON_DEPTH_MAX : o->depth;
    j->strict = o->strict;
    j->check_all = o->check_all;
    j->c = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* the C library's own: nothing to free */
    for (size_t s = 0; s < slots; s++) j->slot[s] = UNKNOWN;
    for (int f = 0; f < schema->n; f++) {
        make_field(a, &j->field[f], &schema->field[f]);
        /* the column for raw text is no field: a record cannot write it */
        bool corrupt = o->corrupt && strcmp(o->corrupt, schema->field[f].name) == 0 &&
                       schema->field[f].type.id == HR_STRING;
        if (corrupt) j->corrupt = f;
        else add_name(j, f);
    }
    return j;
}

/* ---- one row of the columns ---- */

static inline void *cell(const struct hr_column *c, size_t width, uint32_t row) {
    return (char *)c->at + row * width;
}

static inline void set_valid(struct hr_column *c, uint32_t row) {
    c->valid[row >> 6] |= 1ull << (row & 63);
}

/* Null and zeroed, so that nobody meets a wild pointer under a null. */
static inline void set_null(struct hr_column *c, size_t width, uint32_t row) {
    hr_set_null(c, row);
    memset(cell(c, width, row), 0, width);
}

static void clear_row(struct reading *r, uint32_t row) {
    for (int f = 0; f < r->json->fields; f++)
        if (r->out[f].at) set_null(&r->out[f], r->json->field[f].width, row);
}

/* One value into its column. Returns why not, or NULL. */
static const char *read_field(struct reading *r, int index, struct json_value v, uint32_t row) {
    const struct json_field *f = &r->json->field[index];
    struct hr_column *c = &r->out[index];
    union {
        hr_int128 decimal;
        struct hr_text text;
    } unread; /* what a pruned column would hold */
    if (!c->at && (!r->check || f->type.id == HR_STRING)) return NULL;
    enum json_fit fit = json_convert(&r->context, f->type, v, c->at ? cell(c, f->width, row) : &unread);
    if (c->at) {
        if (fit == JSON_FITS) set_valid(c, row);
        else set_null(c, f->width, row); /* a duplicate before it may have been valid */
    }
    return fit == JSON_WRONG ? f->wrong : fit == JSON_OVERFLOW ? f->overflow : NULL;
}

/* ---- one record ---- */

static struct hr_text token_text(struct hr_text text, const jsmntok_t *t) {
    return (struct hr_text){.p = text.p + t->start, .n = (uint32_t)(t->end - t->start)};
}

static struct json_value token_value(struct hr_text text, const jsmntok_t *t) {
    struct hr_text v = token_text(text, t);
    return (struct json_value){v, t->type == JSMN_STRING ? '"' : *v.p};
}

/* Room for that many tokens, at least doubled; what it was stays with the batch. */
static void make_room(struct reading *r, size_t tokens) {
    if (tokens <= r->room) return;
    size_t room = r->room ? r->room : 128;
    while (room < tokens) room *= 2;
    r->token = arena_alloc(r->context.arena, room * sizeof *r->token);
    r->room = room;
}

/* Token 0 is the root; a name's value is the token behind it, and what lies in that value begins
 * before its end. Returns the first thing that was wrong, or NULL. */
static const char *read_members(struct reading *r, struct hr_text text, int tokens, uint32_t row) {
    const jsmntok_t *t = r->token + 1, *end = r->token + tokens;
    const char *wrong = NULL;
    while (t + 1 < end) {
        struct hr_text name = json_unescape(r->context.arena, token_text(text, t));
        const jsmntok_t *value = t + 1;
        int f = find_field(r->json, name);
        if (f != UNKNOWN) {
            const char *why = read_field(r, f, token_value(text, value), row);
            if (!wrong) wrong = why;
        }
        t = value + 1;
        if (value->type == JSMN_OBJECT || value->type == JSMN_ARRAY)
            while (t < end && t->start < value->end) t++;
    }
    return wrong;
}

/* Why the text is not JSON, or NULL. A lenient reader rewrites *text and looks again. */
static const char *check_text(struct reading *r, struct hr_text *text, size_t *tokens) {
    const struct hr_json *j = r->json;
    const char *fault = json_validate(*text, j->depth, tokens);
    if (!fault || j->strict) return fault;
    struct hr_text relaxed = json_relax(r->context.arena, *text);
    if (relaxed.n > INT_MAX || json_validate(relaxed, j->depth, tokens)) return fault;
    *text = relaxed;
    return NULL;
}

/* The text has no blanks at either end. */
static const char *read_record(struct reading *r, struct hr_text text, uint32_t row) {
    size_t tokens;
    if (text.n > INT_MAX / 3) return "JSON: larger than 682 MiB"; /* jsmn counts in int */
    const char *fault = check_text(r, &text, &tokens);
    if (fault) return fault;
    if (*text.p != '{') return "JSON: not an object";
    make_room(r, tokens);
    jsmn_parser parser;
    jsmn_init(&parser);
    int found = jsmn_parse(&parser, text.p, text.n, r->token, (unsigned)r->room);
    if (found < 0 || (size_t)found != tokens) return "JSON: cannot be read";
    return read_members(r, text, found, row);
}

static struct hr_text trim(struct hr_text t) {
    while (t.n > 0 && json_blank(*t.p)) t.p++, t.n--;
    while (t.n > 0 && json_blank(t.p[t.n - 1])) t.n--;
    return t;
}

static void put_corrupt(struct reading *r, struct hr_text raw, uint32_t row) {
    int f = r->json->corrupt;
    if (f == UNKNOWN || !r->out[f].at) return;
    *(struct hr_text *)cell(&r->out[f], r->json->field[f].width, row) = raw;
    set_valid(&r->out[f], row);
}

void json_reader_read(const struct hr_json *j, struct arena *arena, const struct hr_column *text,
                      struct hr_rows rows, struct hr_column *out, const char **reason) {
    struct hr_buffer scratch = {0};
    struct reading r = {.json = j, .out = out, .context = {arena, j->c, &scratch}};
    /* raw text is kept of every bad record, so then what is bad may not depend on who reads what */
    r.check = j->check_all || (j->corrupt != UNKNOWN && out[j->corrupt].at);
    HR_EACH(rows, i) {
        reason[i] = NULL;
        clear_row(&r, i);
        if (hr_is_null(text, i)) continue;
        struct hr_text raw = ((const struct hr_text *)text->at)[i], record = trim(raw);
        if (record.n == 0) continue;
        reason[i] = read_record(&r, record, i);
        if (reason[i]) put_corrupt(&r, raw, i);
    }
    buffer_free(&scratch);
}
