/*
 * json.c: the reader: a text column of JSON objects to typed columns.
 *
 * A record takes the hot path (json_hot.c), which gives up on whatever is odd; then the reference
 * (json_reference.c) reads it again from its start, and says what is wrong with it.
 */
#include <limits.h>
#include <string.h>
#include "core/data/json_internal.h"

const char json_odd[] = "JSON: not for the hot path";

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

int json_find(const struct hr_json *j, struct hr_text name) {
    for (size_t at = name_hash(name.p, name.n) & j->mask;; at = (at + 1) & j->mask) {
        int f = j->slot[at];
        if (f == JSON_UNKNOWN) return JSON_UNKNOWN;
        if (j->field[f].length == name.n && memcmp(j->field[f].name, name.p, name.n) == 0) return f;
    }
}

static void add_name(struct hr_json *j, int f) {
    size_t at = name_hash(j->field[f].name, j->field[f].length) & j->mask;
    while (j->slot[at] != JSON_UNKNOWN) at = (at + 1) & j->mask;
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
    j->corrupt = JSON_UNKNOWN;
    j->depth = o->depth <= 0 ? JSON_DEPTH : o->depth > JSON_DEPTH_MAX ? JSON_DEPTH_MAX : o->depth;
    j->strict = o->strict;
    j->check_all = o->check_all;
    for (size_t s = 0; s < slots; s++) j->slot[s] = JSON_UNKNOWN;
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

void json_clear_row(struct json_reading *r, uint32_t row) {
    for (int f = 0; f < r->json->fields; f++)
        if (r->out[f].at) json_set_null(&r->out[f], r->json->field[f].width, row);
}

const char *json_read_field(struct json_reading *r, int index, struct json_value v, uint32_t row) {
    const struct json_field *f = &r->json->field[index];
    struct hr_column *c = &r->out[index];
    union {
        hr_int128 decimal;
        struct hr_text text;
    } unread; /* what a pruned column would hold */
    if (!c->at && (!r->check || f->type.id == HR_STRING)) return NULL;
    enum json_fit fit = json_convert(&r->context, f->type, v, c->at ? json_cell(c, f->width, row) : (void *)&unread);
    if (c->at) {
        if (fit == JSON_FITS) json_set_valid(c, row);
        else json_set_null(c, f->width, row); /* a duplicate before it may have been valid */
    }
    return fit == JSON_WRONG ? f->wrong : fit == JSON_OVERFLOW ? f->overflow : NULL;
}

static void put_corrupt(struct json_reading *r, struct hr_text raw, uint32_t row) {
    int f = r->json->corrupt;
    if (f == JSON_UNKNOWN || !r->out[f].at) return;
    *(struct hr_text *)json_cell(&r->out[f], r->json->field[f].width, row) = raw;
    json_set_valid(&r->out[f], row);
}

/* ---- rows ---- */

static struct hr_text trim(struct hr_text t) {
    while (t.n > 0 && json_blank(*t.p)) t.p++, t.n--;
    while (t.n > 0 && json_blank(t.p[t.n - 1])) t.n--;
    return t;
}

static const char *read_record(struct json_reading *r, enum json_path path, struct hr_text text, uint32_t row) {
    const char *wrong = NULL;
    if (text.n > INT_MAX / 3) { /* jsmn counts in int */
        json_clear_row(r, row);
        return "JSON: larger than 682 MiB";
    }
    if (path != JSON_REFERENCE && json_hot(r, text, row, &wrong)) return wrong;
    json_clear_row(r, row);
    return path == JSON_HOT ? json_odd : json_reference(r, text, row);
}

void json_reader_read_by(enum json_path path, const struct hr_json *j, struct arena *arena, const struct hr_column *text,
                         struct hr_rows rows, struct hr_column *out, const char **reason) {
    struct hr_buffer scratch = {0};
    struct json_reading r = {.json = j, .out = out, .context = {arena, &scratch}};
    /* raw text is kept of every bad record, so then what is bad may not depend on who reads what */
    r.check = j->check_all || (j->corrupt != JSON_UNKNOWN && out[j->corrupt].at);
    HR_EACH(rows, i) {
        reason[i] = NULL;
        struct hr_text raw = {0}, record = {0};
        if (!hr_is_null(text, i)) record = trim(raw = ((const struct hr_text *)text->at)[i]);
        if (record.n == 0) {
            json_clear_row(&r, i);
            continue;
        }
        reason[i] = read_record(&r, path, record, i);
        if (reason[i]) put_corrupt(&r, raw, i);
    }
    buffer_free(&scratch);
}

void json_reader_read(const struct hr_json *j, struct arena *arena, const struct hr_column *text, struct hr_rows rows,
                      struct hr_column *out, const char **reason) {
    json_reader_read_by(JSON_BOTH, j, arena, text, rows, out, reason);
}
