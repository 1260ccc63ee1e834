/* A csv file's header: which field of a record belongs to which column of the schema. */
#include "file_csv.h"
#include "file_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { FIRST_READ = 4096 };

static bool no_memory(const struct file_input *f, struct hr_error *err) {
    return hr_fail(err, HR_EFAIL, "file: no memory for the header of %s", f->split.name);
}

static bool is_named(const struct file_csv_field *f, const char *name, bool exact) {
    if (f->n != strlen(name)) return false;
    return (exact ? strncmp(f->p, name, f->n) : strncasecmp(f->p, name, f->n)) == 0;
}

/* The field of that name, -1: none, -2: two. Case decides only where names differ in nothing else. */
static int find(const struct file_csv_field *field, int n, const char *name) {
    for (int exact = 1; exact >= 0; exact--) {
        int found = -1;
        for (int i = 0; i < n; i++)
            if (is_named(&field[i], name, exact)) found = found == -1 ? i : -2;
        if (found != -1) return found;
    }
    return -1;
}

static bool map_columns(const struct hr_schema *schema, struct file_input *f, const struct file_csv_field *field,
                        int n, struct hr_error *err) {
    for (int c = 0; c < schema->n; c++) {
        int i = find(field, n, schema->field[c].name);
        if (i < 0)
            return hr_fail(err, HR_EFAIL, "file: %s: the header has %s column '%s'", f->split.name,
                           i == -1 ? "no" : "twice the", schema->field[c].name);
        f->field_of[c] = i;
    }
    f->fields = n;
    return true;
}

static bool make_map(const struct hr_schema *schema, struct file_input *f, struct hr_error *err) {
    if (!f->field_of) f->field_of = calloc((size_t)schema->n + 1, sizeof *f->field_of);
    return f->field_of || no_memory(f, err);
}

bool file_rows_no_header(const struct file_rows_options *o, struct file_input *f, struct hr_error *err) {
    if (!make_map(&o->schema, f, err)) return false;
    for (int c = 0; c < o->schema.n; c++) f->field_of[c] = c;
    f->fields = o->schema.n;
    return true;
}

static void unescape(struct file_csv_field *f, char *to) {
    f->n = file_csv_unescape(f, to);
    f->p = to;
}

/* Names with "" in them are rare: the copy of the whole record has room for them all. */
static bool take_header(const struct file_rows_options *o, struct file_input *f, const char *p, const char *end,
                        int n, struct hr_error *err) {
    const char *reason;
    struct file_csv_field *field = calloc((size_t)n, sizeof *field);
    char *copy = malloc((size_t)(end - p) + 1), *to = copy;
    bool ok = field && copy && make_map(&o->schema, f, err);
    if (ok) {
        file_csv_split(p, end, o->delimiter, field, n, &n, &reason);
        for (int i = 0; i < n; i++)
            if (field[i].escaped) {
                unescape(&field[i], to);
                to += field[i].n;
            }
        ok = map_columns(&o->schema, f, field, n, err);
    } else if (!field || !copy) {
        no_memory(f, err);
    }
    free(field);
    free(copy);
    return ok;
}

bool file_rows_header(const struct file_rows_options *o, struct file_input *f, const char *p, size_t n, int64_t at,
                      struct hr_error *err) {
    const char *start = p, *end = p + n;
    for (const char *next; p < end && (next = file_csv_skip_empty(p, end)) != p;) p = next;
    if (p == end) return true;
    int fields;
    const char *reason;
    const char *next = file_csv_split(p, end, o->delimiter, NULL, 0, &fields, &reason);
    if (reason)
        return hr_fail(err, HR_EFAIL, "file: %s@%lld: the header: %s", f->split.name, (long long)(at + (p - start)),
                       reason);
    f->body = at + (next - start);
    return take_header(o, f, p, next, fields, err);
}

/* Bytes of the file's beginning, from `have` on, up to `room` or the end for this run. */
static ssize_t read_start(const struct file_input *f, int fd, char *bytes, size_t have, size_t room) {
    int64_t left = f->end - (int64_t)have;
    size_t want = room - have;
    if (left <= 0) return 0;
    ssize_t n;
    do n = pread(fd, bytes + have, (int64_t)want < left ? want : (size_t)left, (int64_t)have);
    while (n < 0 && errno == EINTR);
    return n;
}

/* Whole records of bytes[0..n), as far as they may be taken. */
static bool try_header(const struct file_rows_options *o, struct file_input *f, const char *bytes, size_t n,
                       struct hr_error *err) {
    size_t mark = file_mark(bytes, n);
    return n <= mark || file_rows_header(o, f, bytes + mark, n - mark, (int64_t)mark, err);
}

static size_t whole(const struct file_rows_options *o, const char *bytes, size_t n) {
    size_t mark = file_mark(bytes, n);
    struct file_scan scan = {.csv = true, .delimiter = o->delimiter};
    file_scan_feed(&scan, bytes + mark, n - mark);
    return scan.border ? mark + scan.border : 0;
}

bool file_rows_read_header(const struct file_rows_options *o, struct file_input *f, int fd, bool growing,
                           struct hr_error *err) {
    char *bytes = NULL;
    size_t n = 0;
    bool ok = true;
    for (size_t room = FIRST_READ; ok && !f->fields; room *= 2) {
        bool longer = room > FIRST_READ && room / 2 > (size_t)o->record;
        char *more = longer ? NULL : realloc(bytes, room);
        if (!more && !longer) {
            ok = no_memory(f, err);
            break;
        }
        if (!more) {
            ok = hr_fail(err, HR_EFAIL, "file: %s@0: the header is longer than %zu bytes", f->split.name, room / 2);
            break;
        }
        bytes = more;
        ssize_t got = 1;
        while (n < room && (got = read_start(f, fd, bytes, n, room)) > 0) n += (size_t)got;
        if (got < 0) ok = hr_fail(err, HR_EFAIL, "file: cannot read %s: %s", f->split.name, strerror(errno));
        bool end = n < room;
        if (ok) ok = try_header(o, f, bytes, end && !growing ? n : whole(o, bytes, n), err);
        if (end) break;
    }
    free(bytes);
    return ok;
}
