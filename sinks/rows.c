/* See rows.h. */
#include "sinks/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- json ---- */

bool rows_json_init(struct rows_json *j, const struct hr_schema *schema) {
    j->columns = schema->n;
    j->key_end = calloc((size_t)schema->n + 1, sizeof *j->key_end);
    for (int k = 0; j->key_end && k < schema->n; k++) {
        struct hr_text name = {.p = schema->field[k].name, .n = (uint32_t)strlen(schema->field[k].name)};
        hr_put_json(&j->key, (struct hr_type){.id = HR_STRING}, &name);
        hr_put(&j->key, ":", 1);
        j->key_end[k] = j->key.n;
    }
    return j->key_end;
}

void rows_json_free(struct rows_json *j) {
    hr_buffer_free(&j->key);
    free(j->key_end);
    j->key_end = NULL;
}

void rows_json_put(const struct rows_json *j, struct hr_buffer *out, const struct hr_batch *b, uint32_t row) {
    for (int k = 0; k < j->columns; k++) {
        size_t start = k ? j->key_end[k - 1] : 0;
        hr_put(out, k ? "," : "{", 1);
        hr_put(out, j->key.p + start, j->key_end[k] - start);
        if (hr_is_null(&b->column[k], row)) hr_put(out, "null", 4);
        else hr_put_json(out, b->column[k].type, hr_value(&b->column[k], row));
    }
    hr_put(out, "}\n", 2);
}

/* ---- csv ---- */

static void put_field(struct hr_buffer *out, const char *p, size_t n) {
    bool quote = !n;
    for (size_t i = 0; i < n && !quote; i++) quote = p[i] == ',' || p[i] == '"' || p[i] == '\r' || p[i] == '\n';
    if (quote) hr_put(out, "\"", 1);
    for (size_t from = 0; from < n;) {
        const char *mark = quote ? memchr(p + from, '"', n - from) : NULL;
        size_t to = mark ? (size_t)(mark - p) + 1 : n;
        hr_put(out, p + from, to - from);
        if (mark) hr_put(out, "\"", 1);
        from = to;
    }
    if (quote) hr_put(out, "\"", 1);
}

void rows_csv_header(struct hr_buffer *out, const struct hr_schema *schema) {
    for (int k = 0; k < schema->n; k++) {
        if (k) hr_put(out, ",", 1);
        put_field(out, schema->field[k].name, strlen(schema->field[k].name));
    }
    hr_put(out, "\n", 1);
}

/* As in JSON, which is Spark's format for csv too, but without the quotes. */
static void put_timestamp(struct hr_buffer *out, const struct hr_column *c, uint32_t row) {
    size_t at = out->n;
    hr_put_json(out, c->type, hr_value(c, row));
    out->n -= 2;
    memmove(out->p + at, out->p + at + 1, out->n - at);
}

void rows_csv_put(struct hr_buffer *out, const struct hr_batch *b, uint32_t row) {
    for (int k = 0; k < b->columns; k++) {
        const struct hr_column *c = &b->column[k];
        if (k) hr_put(out, ",", 1);
        if (hr_is_null(c, row)) {
            if (b->columns == 1) put_field(out, "", 0); /* an empty line would be no row */
            continue;
        }
        if (c->type.id == HR_STRING) {
            const struct hr_text *text = hr_value(c, row);
            put_field(out, text->p, text->n);
        } else if (c->type.id == HR_TIMESTAMP) {
            put_timestamp(out, c, row);
        } else {
            hr_put_value(out, c->type, hr_value(c, row)); /* never holds what would have to be quoted */
        }
    }
    hr_put(out, "\n", 1);
}

/* ---- files ---- */

bool rows_write(int fd, const char *p, size_t n) {
    while (n) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return false;
        p += done;
        n -= (size_t)done;
    }
    return true;
}

const char *rows_path_fault(const char *path) {
    if (!*path) return "path is empty";
    if (*path == '/') return "path is beneath the folder of --data-dir, not absolute";
    for (const char *p = path; *p; p += strspn(p, "/")) {
        size_t n = strcspn(p, "/");
        if (n == 2 && !strncmp(p, "..", 2)) return "path leads out of the folder of --data-dir: no '..'";
        p += n;
    }
    return NULL;
}
