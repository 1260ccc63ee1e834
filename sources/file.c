/*
 * source file: records of files, or of stdin.
 *
 *   source:
 *     file: {path: "data/2024-*.csv", format: csv, schema: "id INT, name STRING, at DATE"}
 *
 *  1. `path` is one path or a list. They are read in that order; what a glob (* ? [...]) matches is
 *     read sorted by name, without directories. `-` is stdin, which cannot be read again.
 *  2. `lines`: a row a line, one STRING column `value`; LF or CRLF ends it; empty lines are rows.
 *  3. `ndjson`: a JSON object a line, read as from_json does; blank lines are skipped.
 *  4. `csv`: RFC 4180: "quotes" around delimiters, newlines and "" for a quote; empty lines are skipped;
 *     a quote within an unquoted field is a character like any other. A field that is empty and not
 *     quoted is null, others are read as CAST does. With `header` the columns are found by name in each
 *     file (its other columns are passed over); without, the fields are the schema's, in its order.
 *  5. A bad row (a field or an object that does not parse, a wrong number of fields, a quote that is
 *     never closed) goes by `on_error`, its place being the path and the byte where it starts.
 *     A field that does not parse is null alone; a record that is wrong as a whole is null altogether.
 *  6. A UTF-8 byte order mark at a file's start is skipped.
 *  7. The last line needs no newline. With `follow` it does: it may still grow. `follow` also finds new
 *     files of the globs, and never ends but for available_now.
 *  8. The position is a byte in each file. A file that is shorter than its position, or whose unfinished
 *     last line grew after it was read, is data loss. One that another of its name took the place of goes on at that byte,
 *     with a warning while the job runs: what is rotated wants names that stay. An epoch is read again only where its files still
 *     have all the bytes that were read of them: else it is data loss before the first row.
 *  9. A record longer than `limits: {record: ...}` is a bad row; it is passed over without being held.
 */
#include <headrace/plugin.h>

#include "file_read.h"
#include "file_rows.h"
#include "file_set.h"
#include "sources/file_spark.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FOLLOW_RETRY_US = 100000, STREAM_RETRY_US = 10000 };

struct file_source {
    struct hr_list path;
    int format;
    struct hr_sql schema;
    bool header;
    const char *delimiter;
    bool follow;
    int on_error;

    struct file_rows_options rows;
    struct file_set_options files;
    struct file_set set;
    struct file_reader reader;
    int turn;     /* index of the input that is read, or is next */
    bool ended, caught_up;
};

static const struct hr_option file_options[] = {
    HR_REQUIRED(struct file_source, path, "one or many paths, globs, or - for stdin"),
    HR_CHOICE(struct file_source, format, "lines|ndjson|csv", "lines", "what a record is"),
    HR_OPTION(struct file_source, schema, NULL, "columns of ndjson and csv: a INT, b STRING"),
    HR_OPTION(struct file_source, header, "true", "csv: the first line names the columns"),
    HR_OPTION(struct file_source, delimiter, ",", "csv: the byte between two fields"),
    HR_OPTION(struct file_source, follow, "false", "wait for more at the end of the files"),
    HR_ON_ERROR(struct file_source),
    {0},
};

/* ---- binding ---- */

static bool bind_paths(struct file_source *s, struct hr_bind *b) {
    bool ok = s->path.n > 0 || hr_fault(b, &s->path, "'path' is an empty list");
    for (int i = 0; i < s->path.n; i++) {
        const char *path = s->path.item[i].s;
        if (!*path) ok = hr_fault(b, &s->path.item[i], "a path is empty");
        if (!strcmp(path, "-")) hr_not_rereadable(b, "stdin cannot be read again: a restart reads a new stream");
        for (int k = 0; k < i; k++)
            if (!strcmp(path, s->path.item[k].s)) ok = hr_fault(b, &s->path.item[i], "'%s' is listed twice", path);
    }
    return ok;
}

static bool bind_delimiter(struct file_source *s, struct hr_bind *b) {
    const char *d = s->delimiter;
    if (strlen(d) != 1 || strchr("\"\r\n", *d))
        return hr_fault(b, &s->delimiter, "'delimiter' is one byte, and neither a quote nor the end of a line");
    s->rows.delimiter = *d;
    return true;
}

static bool bind_schema(struct file_source *s, struct hr_bind *b) {
    struct hr_schema *schema = &s->rows.schema;
    if (s->format == FILE_LINES) {
        if (s->schema.s) return hr_fault(b, &s->schema, "format lines has one column, value, and takes no schema");
        return hr_output(b, "value", (struct hr_type){.id = HR_STRING}) >= 0;
    }
    if (!s->schema.s) return hr_fault(b, NULL, "formats ndjson and csv need a schema");
    if (!hr_schema_bind(b, &s->schema, schema)) return false;
    bool ok = true;
    for (int i = 0; i < schema->n; i++) ok &= hr_output(b, schema->field[i].name, schema->field[i].type) >= 0;
    return ok;
}

static bool file_bind(void *self, struct hr_bind *b) {
    struct file_source *s = self;
    s->rows.format = s->format;
    s->rows.on_error = (enum hr_on_error)s->on_error;
    s->rows.record = b->record;
    s->reader.record = (size_t)b->record;
    bool ok = bind_paths(s, b);
    ok &= bind_delimiter(s, b);
    ok &= bind_schema(s, b);
    if (!ok || s->format != FILE_NDJSON) return ok;
    struct hr_json_options json = {.check_all = s->on_error != HR_ON_ERROR_NULL};
    s->rows.json = hr_json_bind(b, &s->rows.schema, &json);
    return s->rows.json != NULL;
}

/* ---- opening ---- */

static bool has_header(const struct file_source *s) { return s->format == FILE_CSV && s->header; }

/* What field is which column; fields stays 0 where the header is not there yet. Reading goes on behind the header:
 * it may be longer than a record. */
static bool know_fields(struct file_source *s, struct file_input *f, int fd, struct hr_error *err) {
    if (s->format != FILE_CSV || f->fields) return true;
    if (!s->header) return file_rows_no_header(&s->rows, f, err);
    if (f->stream) return true;
    if (!file_rows_read_header(&s->rows, f, fd, s->follow, err)) return false;
    if (f->at < f->body) f->at = f->body;
    return true;
}

/* A file whose header is wrong is refused before the first record is read. */
static bool check_headers(struct file_source *s, struct hr_error *err) {
    for (int i = 0; i < s->set.n && has_header(s); i++) {
        struct file_input *f = s->set.item[i];
        int fd;
        if (f->stream || f->ended) continue;
        if (!file_set_file(f, &fd, err)) return false;
        bool ok = fd < 0 || know_fields(s, f, fd, err);
        if (fd >= 0) close(fd);
        if (!ok) return false;
    }
    return true;
}

static bool file_open(void *self, const struct hr_open *open) {
    struct file_source *s = self;
    s->files = (struct file_set_options){&s->path, s->follow, open->bounded};
    s->reader.follow = s->follow;
    s->reader.scan.csv = s->format == FILE_CSV;
    s->reader.scan.delimiter = s->rows.delimiter;
    return file_set_open(&s->set, &s->files, open->from, open->until, open->err) && check_headers(s, open->err);
}

static void file_close(void *self) {
    struct file_source *s = self;
    file_reader_end(&s->reader);
    file_set_free(&s->set);
}

/* ---- polling ---- */

/* Start with the input, if there is something to read in it: else the reader stays without one. */
static bool begin_input(struct file_source *s, struct file_input *f, struct hr_error *err) {
    int fd = STDIN_FILENO;
    if (f->ended || (s->follow && !f->stream && file_set_unchanged(f))) return true;
    if (!f->stream && !file_set_file(f, &fd, err)) return false;
    if (fd < 0) return true;
    if (!know_fields(s, f, fd, err)) {
        if (!f->stream) close(fd);
        return false;
    }
    bool waits = s->format == FILE_CSV && !f->fields && s->follow && !f->stream;
    if (!waits) {
        file_reader_begin(&s->reader, f, fd);
        return true;
    }
    f->seen = f->size;
    close(fd);
    return true;
}

static bool next_input(struct file_source *s, struct hr_error *err) {
    for (; !s->reader.input && s->turn < s->set.n; s->turn++) {
        if (!begin_input(s, s->set.item[s->turn], err)) return false;
        if (s->reader.input) return true;
    }
    return true;
}

static void end_input(struct file_source *s) {
    struct file_input *f = s->reader.input;
    f->ended = !s->follow || f->stream;
    file_reader_end(&s->reader);
    s->turn++;
}

static bool may_grow(const struct file_source *s) {
    if (!s->follow || s->files.bounded) return false;
    for (int i = 0; i < s->path.n; i++)
        if (strcmp(s->path.item[i].s, "-")) return true;
    return false;
}

/* All inputs had their turn. */
static enum hr_poll end_round(struct file_source *s, struct hr_chunk *chunk, struct hr_error *err) {
    s->ended = !may_grow(s);
    if (s->ended) return HR_END;
    s->turn = 0;
    if (!file_set_expand(&s->set, &s->files, err)) return HR_FAILED;
    chunk->retry_us = FOLLOW_RETRY_US;
    return HR_IDLE;
}

/* Leave out the byte order mark, and the header of a stream. */
static bool trim(struct file_source *s, struct file_input *f, struct file_piece *p, struct hr_error *err) {
    if (p->at == 0) p->start = file_mark(p->bytes, p->n);
    if (!has_header(s) || f->fields) return true;
    const char *records = p->bytes + p->start;
    int64_t at = p->at + (int64_t)p->start;
    if (!file_rows_header(&s->rows, f, records, p->n - p->start, at, err)) return false;
    p->start = f->fields ? (size_t)(f->body - p->at) : p->n;
    return true;
}

static enum hr_poll hand_out(struct file_source *s, struct file_piece *p, struct hr_chunk *chunk,
                             struct hr_error *err) {
    struct file_input *f = s->reader.input;
    bool ok = trim(s, f, p, err);
    if (p->over && has_header(s) && !f->fields)
        ok = hr_fail(err, HR_EFAIL, "file: %s@%lld: the header is longer than %zu bytes", f->split.name, (long long)p->at, s->reader.record);
    if (!ok || (p->start == p->n && !p->over)) {
        file_piece_free(p);
        return ok ? HR_IDLE : HR_FAILED;
    }
    chunk->split = &f->split;
    chunk->data = p;
    chunk->bytes = p->n - p->start + (uint64_t)p->over;
    return HR_CHUNK;
}

static enum hr_poll file_poll(void *self, struct hr_chunk *chunk, struct hr_error *err) {
    struct file_source *s = self;
    for (;;) {
        struct file_piece *piece;
        if (s->ended) return HR_END;
        if (!next_input(s, err)) return HR_FAILED;
        if (!s->reader.input) return end_round(s, chunk, err);
        switch (file_reader_next(&s->reader, &piece, err)) {
        case FILE_GOT_PIECE: {
            enum hr_poll result = hand_out(s, piece, chunk, err);
            if (result != HR_IDLE) return result; /* idle: the piece was nothing but a header */
            break;
        }
        case FILE_GOT_NOTHING: chunk->retry_us = STREAM_RETRY_US; return HR_IDLE;
        case FILE_GOT_END: end_input(s); break;
        default: return HR_FAILED;
        }
    }
}

static bool file_fill(const void *self, struct hr_lane *lane, struct hr_chunk *chunk, struct hr_batch *out) {
    const struct file_source *s = self;
    if (!file_piece_fill(chunk->data, chunk->split->name, lane->err)) return false;
    return file_rows_fill(&s->rows, lane, chunk, out);
}

static void file_release(void *self, struct hr_chunk *chunk) {
    (void)self;
    file_piece_free(chunk->data);
    chunk->data = NULL;
}

static struct hr_positions file_positions(void *self) {
    struct file_source *s = self;
    return file_set_positions(&s->set);
}

static bool is_behind(const struct file_input *f) {
    if (f->ended) return false;
    return f->stream || (f->at < f->there && f->seen < f->there);
}

static bool file_caught_up(void *self) {
    struct file_source *s = self;
    if (s->caught_up) return true;
    for (int i = 0; i < s->set.n; i++)
        if (is_behind(s->set.item[i])) return false;
    return s->caught_up = true;
}

/* ---- for Spark ---- */

static bool spark(const void *self, struct hr_spark *s) {
    const struct file_source *f = self;
    if (f->path.n > 1) return hr_spark_refuse(s, &f->path.item[1], "Spark reads one path or pattern as a stream");
    if (!strcmp(f->path.item[0].s, "-")) return hr_spark_refuse(s, &f->path.item[0], "Spark does not read standard input");
    if (s->from.n) return hr_spark_refuse(s, NULL, "Spark cannot start within a file");
    if (f->follow) hr_spark_note(s, "Spark reads each file once, when it first sees it");
    struct file_spark files = {f->format, &f->schema, &f->rows.schema, f->header, f->delimiter, f->on_error, hr_spark_option(s, &f->path.item[0])};
    hr_spark_put(s, "spark.readStream.option(\"pathGlobFilter\", os.path.basename(%s))", files.path);
    return file_spark_read(s, &files);
}

HR_PLUGIN(source, file) = {
    .kind = HR_SOURCE,
    .name = "file",
    .about = "records of files or stdin: lines, JSON objects or csv",
    .options = file_options,
    .self_size = sizeof(struct file_source),
    .spark = spark,
    .source = {
        .bind = file_bind,
        .open = file_open,
        .poll = file_poll,
        .fill = file_fill,
        .release = file_release,
        .positions = file_positions,
        .caught_up = file_caught_up,
        .close = file_close,
    },
};

extern const struct hr_plugin hr_sink_file; /* the other file of this module */
HR_MODULE(HR_RECORD(source, file), HR_RECORD(sink, file));
