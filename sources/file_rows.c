/* From the bytes of a piece to rows: lines, ndjson and csv. */
#include "file_rows.h"
#include "file_csv.h"

#include <stdio.h>
#include <string.h>

/* One batch while it is made. */
struct rows {
    const struct file_rows_options *o;
    struct hr_lane *lane;
    struct hr_batch *out;
    const struct file_piece *piece;
    const char *p, *end; /* what is left of the piece */
    int64_t *position;
    uint32_t n;
};

static int64_t place(const struct rows *r, const char *p) { return r->piece->at + (p - r->piece->bytes); }

static bool bad_row(struct rows *r, uint32_t row, struct hr_text record, const char *reason) {
    return hr_bad(r->lane, r->out, row, r->o->on_error, record, reason);
}

static void make_columns(struct rows *r) {
    for (int c = 0; c < r->out->columns; c++)
        if (r->lane->wanted[c]) hr_column_make(r->lane, &r->out->column[c], HR_BATCH);
}

static void make_valid(struct rows *r, struct hr_column *c) {
    c->valid = hr_batch_alloc(r->lane, HR_BATCH / 8);
    memset(c->valid, 0xff, HR_BATCH / 8);
}

/* ---- records that are too long ---- */

/* NULL: the record is short enough. */
static const char *too_long(struct rows *r, int64_t n) {
    if (n <= r->o->record) return NULL;
    char *why = hr_batch_alloc(r->lane, 96);
    snprintf(why, 96, "the record has %lld bytes, more than limits.record (%lld)", (long long)n, (long long)r->o->record);
    return why;
}

/* Zeroed too, so that nobody ever meets a wild pointer. */
static void put_null(struct hr_column *c, uint32_t row) {
    memset((char *)c->at + row * hr_width(c->type), 0, hr_width(c->type));
    hr_set_null(c, row);
}

static void null_row(struct rows *r, uint32_t row) {
    for (int c = 0; c < r->out->columns; c++)
        if (r->out->column[c].at) put_null(&r->out->column[c], row);
}

/* The reader did not hold it: its place and its size are all there is of it. */
static bool fill_over(struct rows *r) {
    make_columns(r);
    null_row(r, 0);
    r->position[r->n++] = r->piece->at;
    return bad_row(r, 0, (struct hr_text){0}, too_long(r, r->piece->over));
}

/* ---- lines and ndjson ---- */

/* The line at r->p without its end, and past it. */
static struct hr_text take_line(struct rows *r) {
    const char *line = r->p, *newline = memchr(line, '\n', (size_t)(r->end - line));
    const char *stop = newline ? newline : r->end;
    r->p = newline ? newline + 1 : r->end;
    if (stop > line && stop[-1] == '\r') stop--;
    return (struct hr_text){.p = line, .n = (uint32_t)(stop - line)};
}

static bool is_blank(struct hr_text t) {
    for (uint32_t i = 0; i < t.n; i++)
        if (t.p[i] != ' ' && t.p[i] != '\t' && t.p[i] != '\r') return false;
    return true;
}

static void take_lines(struct rows *r, struct hr_text *text) {
    bool blank_counts = r->o->format == FILE_LINES;
    while (r->n < HR_BATCH && r->p < r->end) {
        int64_t at = place(r, r->p);
        struct hr_text line = take_line(r);
        if (!blank_counts && line.n <= r->o->record && is_blank(line)) continue;
        text[r->n] = line;
        r->position[r->n++] = at;
    }
}

static bool fill_lines(struct rows *r) {
    struct hr_text *line = hr_batch_alloc(r->lane, HR_BATCH * sizeof *line);
    take_lines(r, line);
    struct hr_column *value = &r->out->column[0];
    if (r->lane->wanted[0]) value->at = line;
    for (uint32_t i = 0; i < r->n; i++) {
        const char *why = too_long(r, line[i].n);
        if (!why) continue;
        if (!value->valid) make_valid(r, value);
        null_row(r, i);
        if (!bad_row(r, i, line[i], why)) return false;
    }
    return true;
}

static bool fill_ndjson(struct rows *r) {
    struct hr_text *line = hr_batch_alloc(r->lane, HR_BATCH * sizeof *line);
    struct hr_column text = {.at = line, .type = {.id = HR_STRING}};
    take_lines(r, line);
    if (!r->n) return true;
    const char **reason = hr_batch_alloc(r->lane, r->n * sizeof *reason);
    memset(reason, 0, r->n * sizeof *reason);
    make_columns(r);
    struct hr_rows all = {NULL, r->n};
    if (!hr_json_read(r->lane, r->o->json, &text, all, r->out->column, reason)) return false;
    for (uint32_t i = 0; i < r->n; i++) {
        const char *why = too_long(r, line[i].n);
        if (why) null_row(r, i);
        else why = reason[i];
        if (why && !bad_row(r, i, line[i], why)) return false;
    }
    return true;
}

/* ---- csv ---- */

static struct hr_text text_of(struct rows *r, const struct file_csv_field *f) {
    if (!f->escaped) return (struct hr_text){.p = f->p, .n = f->n};
    char *to = hr_batch_alloc(r->lane, f->n);
    return (struct hr_text){.p = to, .n = file_csv_unescape(f, to)};
}

/* One field to its column, or only looked at where nobody reads that. False: it does not parse. */
static bool take_field(struct rows *r, struct hr_column *c, uint32_t row, const struct file_csv_field *f) {
    hr_int128 unread;
    if (!f->n && !f->quoted) {
        if (c->at) put_null(c, row);
        return true;
    }
    void *value = c->at ? (char *)c->at + row * hr_width(c->type) : (char *)&unread;
    if (c->type.id == HR_STRING) {
        if (c->at) *(struct hr_text *)value = text_of(r, f);
        return true;
    }
    if (hr_parse(c->type, text_of(r, f), value, r->lane)) return true;
    if (c->at) put_null(c, row);
    return false;
}

/* A record that is no good as a whole says nothing about any column; a field only about its own. */
static bool take_fields(struct rows *r, const struct file_input *input, const struct file_csv_field *field,
                        struct hr_text record) {
    /* A row is bad or good whoever reads it: drop and fail look at the pruned columns too. */
    bool all = r->o->on_error != HR_ON_ERROR_NULL;
    const char *wrong = NULL;
    for (int c = 0; c < r->out->columns; c++) {
        struct hr_column *column = &r->out->column[c];
        if (!column->at && !all) continue;
        if (!take_field(r, column, r->n, &field[input->field_of[c]]) && !wrong)
            wrong = r->o->schema.field[c].name;
    }
    if (!wrong) return true;
    char reason[256];
    snprintf(reason, sizeof reason, "the field of column %s does not fit its type", wrong);
    return bad_row(r, r->n, record, reason);
}

/* Without the line's end. */
static struct hr_text bare(const char *start, const char *end) {
    if (end > start && end[-1] == '\n') end--;
    if (end > start && end[-1] == '\r') end--;
    return (struct hr_text){.p = start, .n = (uint32_t)(end - start)};
}

static bool take_record(struct rows *r, const struct file_input *input, struct file_csv_field *field) {
    int n;
    const char *reason;
    char counts[64];
    const char *start = r->p;
    r->position[r->n] = place(r, r->p);
    r->p = file_csv_split(r->p, r->end, r->o->delimiter, field, input->fields, &n, &reason);
    struct hr_text record = bare(start, r->p);
    if (!reason) reason = too_long(r, record.n);
    if (!reason && n != input->fields) {
        snprintf(counts, sizeof counts, "%d field%s instead of %d", n, n == 1 ? "" : "s", input->fields);
        reason = counts;
    }
    if (!reason) return take_fields(r, input, field, record);
    null_row(r, r->n);
    return bad_row(r, r->n, record, reason);
}

static bool fill_csv(struct rows *r, const struct file_input *input) {
    struct file_csv_field *field = hr_batch_alloc(r->lane, (size_t)input->fields * sizeof *field);
    make_columns(r);
    while (r->n < HR_BATCH && r->p < r->end) {
        const char *next = file_csv_skip_empty(r->p, r->end);
        if (next != r->p) {
            r->p = next;
            continue;
        }
        if (!take_record(r, input, field)) return false;
        r->n++;
    }
    return true;
}

/* ---- any format ---- */

static bool fill_format(struct rows *r, const struct hr_chunk *chunk) {
    switch (r->o->format) {
    case FILE_NDJSON: return fill_ndjson(r);
    case FILE_CSV: return fill_csv(r, (const struct file_input *)chunk->split);
    default: return fill_lines(r);
    }
}

bool file_rows_fill(const struct file_rows_options *o, struct hr_lane *lane, struct hr_chunk *chunk,
                    struct hr_batch *out) {
    const struct file_piece *piece = chunk->data;
    const char *records = piece->bytes + piece->start, *end = piece->bytes + piece->n;
    struct rows r = {.o = o, .lane = lane, .out = out, .piece = piece, .p = records + chunk->cursor, .end = end};
    out->rows = (struct hr_rows){0};
    out->size = 0;
    out->split = chunk->split;
    if (piece->over ? chunk->cursor > 0 : r.p == end) return true;
    out->position = r.position = hr_batch_alloc(lane, HR_BATCH * sizeof *r.position);
    if (!(piece->over ? fill_over(&r) : fill_format(&r, chunk))) return false;
    chunk->cursor = piece->over ? 1 : (uint64_t)(r.p - records);
    out->size = r.n;
    out->rows = hr_good_rows(lane, (struct hr_rows){NULL, r.n});
    return true;
}
