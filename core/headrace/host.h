/*
 * headrace/host.h: what a plug-in may call. plugin.h includes it; ownership and errors are said there.
 */
#ifndef HEADRACE_HOST_H
#define HEADRACE_HOST_H

#include <headrace/plugin.h>

#include <string.h>

struct hr_json_options {
    bool strict;              /* RFC 8259 only; false: what Spark's reader tolerates too */
    bool check_all;           /* look at unwanted columns too (on_error drop or fail) */
    const char *corrupt;      /* column that takes the raw text of a bad record; NULL: _corrupt_record, if it is a STRING */
    int depth;                /* 0: limits.depth */
};

struct hr_host {
    uint32_t abi;
    bool (*fail)(struct hr_error *, int code, const char *format, ...) HR_PRINTF(3, 4);
    void (*log)(enum hr_level, const char *format, ...) HR_PRINTF(2, 3);

    /* binding */
    bool (*fault)(struct hr_bind *, const void *field, const char *format, ...) HR_PRINTF(3, 4);
    int (*column)(struct hr_bind *, const struct hr_name *);
    int (*output)(struct hr_bind *, const char *name, struct hr_type);
    void *(*pipeline_alloc)(struct hr_bind *, size_t);
    struct hr_expr *(*expr)(struct hr_bind *, const struct hr_sql *, struct hr_type *);
    void (*expr_need)(const struct hr_expr *, uint8_t *in);
    bool (*schema)(struct hr_bind *, const struct hr_sql *, struct hr_schema *);
    struct hr_json *(*json)(struct hr_bind *, const struct hr_schema *, const struct hr_json_options *);
    struct hr_groups *(*groups)(struct hr_bind *, const struct hr_map *keys, const struct hr_map *aggregates);
    void (*groups_need)(const struct hr_groups *, uint8_t *in);
    void (*not_rereadable)(struct hr_bind *, const char *why);

    /* in a lane */
    void *(*batch_alloc)(struct hr_lane *, size_t);
    bool (*eval)(struct hr_lane *, const struct hr_expr *, const struct hr_batch *, struct hr_column *out);
    bool (*json_read)(struct hr_lane *, const struct hr_json *, const struct hr_column *text,
                      struct hr_rows, struct hr_column *out, const char **reason);
    bool (*fold)(struct hr_lane *, const struct hr_groups *, const struct hr_batch *);
    bool (*bad)(struct hr_lane *, const struct hr_batch *, uint32_t row, enum hr_on_error, struct hr_text value,
                const char *reason);
    bool (*parse)(struct hr_type, struct hr_text, void *value, struct hr_lane *);

    /* sources */
    void (*wake)(const struct hr_open *);
    bool (*stopping)(void);

    /* sinks */
    int (*folder)(const struct hr_sink_open *, const char *path);

    /* text of values, as Spark's show() prints them; append to a buffer */
    void (*put)(struct hr_buffer *, const void *, size_t);
    void (*buffer_free)(struct hr_buffer *);
    void (*put_value)(struct hr_buffer *, struct hr_type, const void *value);
    void (*put_json)(struct hr_buffer *, struct hr_type, const void *value);

    void *(*resize)(void *, size_t);
    void (*put_shown)(struct hr_buffer *, const void *, size_t, bool json);
};

/* Set the error and return false. `code` is an enum hr_code. */
#define hr_fail(err, code, ...) hr_host->fail((err), (code), __VA_ARGS__)
/* One line on stderr. */
#define hr_log(level, ...) hr_host->log((level), __VA_ARGS__)

/* Report a fault at an option's value: `field` is the address of the option's field in self, or of
 * a struct hr_sql or hr_name within it. Returns false; a bind may report several before it does. */
#define hr_fault(b, field, ...) hr_host->fault((b), (field), __VA_ARGS__)
/* Index of the input column, or -1 after a fault with "did you mean". */
#define hr_column_index(b, name) hr_host->column((b), (name))
/* Declare the next output column; the name is copied. Returns its index, or -1 after a fault: two
 * names that differ only in case. */
#define hr_output(b, name, type) hr_host->output((b), (name), (type))
/* Zeroed memory that lives as long as the pipeline. */
#define hr_pipeline_alloc(b, n) hr_host->pipeline_alloc((b), (n))
/* Compile over the input columns (SQL, three-valued logic). NULL after a fault. */
#define hr_expr_bind(b, sql, type) hr_host->expr((b), (sql), (type))
/* Mark the input columns that the expression reads. */
#define hr_expr_need(e, in) hr_host->expr_need((e), (in))
/* Parse "a INT, b DECIMAL(18,2) NOT NULL". */
#define hr_schema_bind(b, sql, out) hr_host->schema((b), (sql), (out))
/* A reader of JSON objects into those columns. */
#define hr_json_bind(b, schema, options) hr_host->json((b), (schema), (options))
/* Keyed state: keys and aggregate calls by output name. Declares the output columns. */
#define hr_groups_bind(b, keys, aggregates) hr_host->groups((b), (keys), (aggregates))
#define hr_groups_need(g, in) hr_host->groups_need((g), (in))
/* Said by a source whose records are gone once read: a pipe. */
#define hr_not_rereadable(b, why) hr_host->not_rereadable((b), (why))

/* Memory that lives as long as the batch; not zeroed; 16-byte aligned; never NULL. */
#define hr_batch_alloc(lane, n) hr_host->batch_alloc((lane), (n))
/* Evaluate for the batch's rows; out->at may be a column of the batch itself. False: err is set. */
#define hr_eval(lane, e, batch, out) hr_host->eval((lane), (e), (batch), (out))
/* Read row i of `text` into row i of each out column (at != NULL or pruned); where the record or a
 * field was bad, its columns are null and reason[i] says why (a static string), else NULL. */
#define hr_json_read(lane, j, text, rows, out, reason)                                             \
    hr_host->json_read((lane), (j), (text), (rows), (out), (reason))
/* Fold the batch into this lane's delta of the node's state. */
#define hr_fold(lane, g, batch) hr_host->fold((lane), (g), (batch))
/* A row is bad: counted, and dealt with by the policy. `value` is what was bad, as it came in, and
 * lives as long as the batch; dead letters hold it and the reason. FAIL sets the error with the row's place
 * and returns false; NULL leaves it to the caller to make the row null; DROP and DEAD_LETTER take the row out
 * of hr_good_rows(). A row that was taken out is not counted again. */
#define hr_bad(lane, batch, row, policy, value, reason)                                            \
    hr_host->bad((lane), (batch), (row), (enum hr_on_error)(policy), (value), (reason))
/* Read a value from text as CAST(text AS type) does; false where it would be null. A string value
 * points into the text. */
#define hr_parse(type, text, value, lane) hr_host->parse((type), (text), (value), (lane))
/* Ask for poll() soon: from any thread, also from a library's callback. */
#define hr_wake(open) hr_host->wake(open)
/* Has the user asked to end? An open() that waits for something looks at this, and then
 * returns false without setting an error. */
#define hr_stopping() hr_host->stopping()
/* A folder for a sink's files: beneath the folder that the user gave the run (--data-dir), made where it is not there.
 * A path that is absolute, has .. in it or leads over a link is refused. A descriptor that the caller closes, or -1
 * after hr_fail(). */
#define hr_folder(open, path) hr_host->folder((open), (path))

/* realloc() that is never NULL: without memory the program ends with one line, as nothing committed is lost by
 * that. The memory is the caller's, for free(). */
#define hr_resize(p, n) hr_host->resize((p), (n))
#define hr_put(buffer, p, n) hr_host->put((buffer), (p), (n))
/* Text for a terminal: controls (hr_is_control) written out as \\x1b or \\u202e, and what is no UTF-8 as U+FFFD. json: text that is
 * JSON already stays it, whatever its lines end with. */
#define hr_put_shown(buffer, p, n, json) hr_host->put_shown((buffer), (p), (n), (json))
#define hr_buffer_reset(buffer) ((buffer)->n = 0)
#define hr_buffer_free(buffer) hr_host->buffer_free(buffer)
#define hr_put_value(buffer, type, value) hr_host->put_value((buffer), (type), (value))
#define hr_put_json(buffer, type, value) hr_host->put_json((buffer), (type), (value))

/* Length of the UTF-8 sequence at p, and its code point; 0: none begins here (RFC 3629). */
static inline size_t hr_utf8(const unsigned char *p, size_t n, uint32_t *code) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (p[0] < 0x80) return *code = p[0], 1;
    size_t size = p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : p[0] >> 3 == 30 ? 4 : 0;
    if (!size || size > n) return 0;
    uint32_t c = p[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if (p[i] >> 6 != 2) return 0;
        c = c << 6 | (p[i] & 63);
    }
    *code = c;
    return c < least[size] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : size;
}

/* What a terminal may take for a command, C0, DEL and C1, and what reorders or hides text: bidirectional controls and line
 * separators. */
static inline bool hr_is_control(uint32_t c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || (c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

/* Spark's name for the column that takes the text of a bad record, where the schema has it as a STRING; else NULL. */
static inline const char *hr_corrupt_column(const struct hr_schema *s) {
    for (int i = 0; i < s->n; i++)
        if (!strcmp(s->field[i].name, "_corrupt_record") && s->field[i].type.id == HR_STRING) return s->field[i].name;
    return NULL;
}

static inline size_t hr_width(struct hr_type t) {
    switch (t.id) {
    case HR_BOOLEAN: return 1;
    case HR_INT: case HR_DATE: return 4;
    case HR_BIGINT: case HR_DOUBLE: case HR_TIMESTAMP: return 8;
    default: return 16;
    }
}

/* Give a column room for n rows, all valid, with a bitmap. */
static inline void hr_column_make(struct hr_lane *lane, struct hr_column *c, uint32_t n) {
    c->at = hr_batch_alloc(lane, n * hr_width(c->type));
    size_t words = ((size_t)n + 63) / 64;
    c->valid = hr_batch_alloc(lane, words * 8);
    for (size_t w = 0; w < words; w++) c->valid[w] = ~0ull;
}

static inline void hr_set_null(struct hr_column *c, uint32_t i) {
    c->valid[i >> 6] &= ~(1ull << (i & 63));
}

static inline const void *hr_value(const struct hr_column *c, uint32_t i) {
    return (const char *)c->at + i * hr_width(c->type);
}

/* The rows whose byte in keep[] is not 0, as a selection in batch memory. */
static inline struct hr_rows hr_keep(struct hr_lane *lane, struct hr_rows rows, const uint8_t *keep) {
    uint16_t *sel = hr_batch_alloc(lane, rows.n * sizeof *sel);
    uint32_t n = 0;
    HR_EACH(rows, i) {
        sel[n] = (uint16_t)i;
        n += keep[i] != 0;
    }
    return (struct hr_rows){sel, n};
}

/* The rows that hr_bad() took none out of. */
static inline struct hr_rows hr_good_rows(struct hr_lane *lane, struct hr_rows rows) {
    return lane->good ? hr_keep(lane, rows, lane->good) : rows;
}

#endif
