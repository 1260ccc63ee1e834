/*
 * console: rows on standard output, as Spark's console sink shows them.
 *
 *   sink:
 *     console: {mode: complete, rows: 20, truncate: false}
 *
 * 1. format: table prints 43 dashes, "Batch: N", 43 dashes, and the table that show() prints: columns at
 *    least three wide, NULL for null, right-aligned; with truncate: false whole cells, left-aligned. Names of columns are never cut.
 * 2. At most `rows` rows are shown, and then "only showing top N rows".
 * 3. format: json prints one object a row, all rows, all columns, no header.
 * 4. Control and escape characters in data are written out, so they never reach the terminal.
 * 5. An epoch is written when it is published, in json from 64 KiB on also before; one that cannot be written stops the job.
 * 6. On a terminal it takes the place of the line of progress, which has no end and comes again below.
 */
#include "sinks/console_text.h"
#include "sinks/rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TABLE, JSON };
enum { LEAST_WIDTH = 3, WRITE_AT = 1 << 16 };

struct cell {
    size_t at, n; /* in cells */
    int width;    /* in columns of the terminal */
};

struct console {
    int format;
    int64_t rows;
    const char *truncate;

    int most;                 /* characters of a cell; 0: all */
    struct hr_schema schema;
    struct rows_json json;
    struct hr_buffer out, cells, line;
    struct cell *cell;        /* of the header, then of the rows shown */
    int64_t shown, room;
    bool more, terminal;
};

static const struct hr_option options[] = {
    HR_CHOICE(struct console, format, "table|json", "table", "how rows look"),
    HR_OPTION(struct console, rows, "20", "rows of a table"),
    HR_OPTION(struct console, truncate, "true", "cut cells of a table: true (at 20 characters), false, or a number"),
    {0},
};

static bool bind(void *self, struct hr_bind *b) {
    struct console *c = self;
    char *end;
    long n = strtol(c->truncate, &end, 10);
    bool number = *c->truncate && !*end && n >= 0 && n <= 1000000;
    c->most = !strcmp(c->truncate, "true") ? 20 : !strcmp(c->truncate, "false") ? 0 : (int)n;
    if (c->most == (int)n && !number && strcmp(c->truncate, "false") && strcmp(c->truncate, "true"))
        return hr_fault(b, &c->truncate, "truncate is true, false or a number of characters");
    return (c->rows > 0 && c->rows <= 1000000) || hr_fault(b, &c->rows, "rows is a number from 1 to 1000000");
}

/* ---- cells ---- */

static void add_cell(struct console *c, struct cell *cell, const char *p, size_t n, int most) {
    cell->at = c->cells.n;
    cell->width = console_text(&c->cells, p, n, most);
    cell->n = c->cells.n - cell->at;
}

static void add_value(struct console *c, struct cell *cell, const struct hr_column *column, uint32_t row) {
    if (hr_is_null(column, row)) {
        add_cell(c, cell, "NULL", 4, c->most);
    } else if (column->type.id == HR_STRING) {
        const struct hr_text *text = hr_value(column, row);
        add_cell(c, cell, text->p, text->n, c->most);
    } else {
        struct hr_buffer text = {0};
        hr_put_value(&text, column->type, hr_value(column, row));
        add_cell(c, cell, text.p, text.n, c->most);
        hr_buffer_free(&text);
    }
}

static struct cell *new_row(struct console *c) {
    size_t columns = (size_t)c->schema.n;
    if (c->shown + 1 >= c->room) {
        c->room = c->room ? 2 * c->room : 32;
        c->cell = hr_resize(c->cell, ((size_t)c->room * columns + 1) * sizeof *c->cell);
    }
    return c->cell + (size_t)++c->shown * columns;
}

/* ---- output ---- */

static bool write_out(struct console *c, struct hr_error *err) {
    static const char clear_line[] = "\r\033[K";
    bool clear = c->terminal && c->out.n > 0;
    if ((clear && !rows_write(STDOUT_FILENO, clear_line, sizeof clear_line - 1)) || !rows_write(STDOUT_FILENO, c->out.p, c->out.n))
        return hr_fail(err, HR_EFAIL, "console: cannot write to standard output: %s", strerror(errno));
    hr_buffer_reset(&c->out);
    return true;
}

static void repeat(struct hr_buffer *b, char c, int n) {
    for (; n > 0; n--) hr_put(b, &c, 1);
}

static void put_line(struct console *c, const int *width) {
    for (int k = 0; k < c->schema.n; k++) {
        hr_put(&c->out, "+", 1);
        repeat(&c->out, '-', width[k]);
    }
    hr_put(&c->out, "+\n", 2);
}

static void put_cells(struct console *c, const struct cell *cell, const int *width) {
    for (int k = 0; k < c->schema.n; k++) {
        int pad = width[k] - cell[k].width;
        hr_put(&c->out, "|", 1);
        if (c->most) repeat(&c->out, ' ', pad);
        hr_put(&c->out, c->cells.p + cell[k].at, cell[k].n);
        if (!c->most) repeat(&c->out, ' ', pad);
    }
    hr_put(&c->out, "|\n", 2);
}

static bool put_table(struct console *c, struct hr_error *err) {
    int *width = calloc((size_t)c->schema.n + 1, sizeof *width);
    if (!width) return hr_fail(err, HR_EFAIL, "console: out of memory");
    for (int k = 0; k < c->schema.n; k++) width[k] = LEAST_WIDTH;
    for (int64_t r = 0; r <= c->shown; r++)
        for (int k = 0; k < c->schema.n; k++) {
            int w = c->cell[r * c->schema.n + k].width;
            if (w > width[k]) width[k] = w;
        }
    put_line(c, width);
    put_cells(c, c->cell, width);
    put_line(c, width);
    for (int64_t r = 1; r <= c->shown; r++) put_cells(c, c->cell + r * c->schema.n, width);
    put_line(c, width);
    free(width);
    char text[64];
    int n = c->more ? snprintf(text, sizeof text, "only showing top %lld row%s\n", (long long)c->rows, c->rows == 1 ? "" : "s") : 0;
    hr_put(&c->out, text, (size_t)n);
    hr_put(&c->out, "\n", 1);
    return true;
}

/* ---- the sink ---- */

static bool open_(void *self, const struct hr_sink_open *o) {
    struct console *c = self;
    const struct hr_schema *schema = o->rows;
    c->schema = *schema;
    c->terminal = isatty(STDOUT_FILENO);
    return rows_json_init(&c->json, schema) || hr_fail(o->err, HR_EFAIL, "console: out of memory");
}

static bool begin(void *self, int64_t epoch, struct hr_error *err) {
    (void)err;
    struct console *c = self;
    char text[160];
    if (c->format == JSON) return true;
    const char *dashes = "-------------------------------------------\n";
    int n = snprintf(text, sizeof text, "%sBatch: %lld\n%s", dashes, (long long)epoch - 1, dashes);
    hr_put(&c->out, text, (size_t)n);
    hr_buffer_reset(&c->cells);
    c->shown = -1;
    c->more = false;
    struct cell *header = new_row(c);
    for (int k = 0; k < c->schema.n; k++)
        add_cell(c, &header[k], c->schema.field[k].name, strlen(c->schema.field[k].name), 0);
    return true;
}

static bool write_rows(void *self, const struct hr_batch *b, struct hr_error *err) {
    struct console *c = self;
    HR_EACH(b->rows, i) {
        if (c->format == JSON) {
            rows_json_put(&c->json, &c->line, b, i);
            hr_put_shown(&c->out, c->line.p, c->line.n, true);
            hr_buffer_reset(&c->line);
            if (c->out.n > WRITE_AT && !write_out(c, err)) return false;
            continue;
        }
        c->more = c->shown >= c->rows;
        if (c->more) break;
        struct cell *row = new_row(c);
        for (int k = 0; k < c->schema.n; k++) add_value(c, &row[k], &b->column[k], i);
    }
    return true;
}

static bool publish(void *self, int64_t epoch, struct hr_error *err) {
    (void)epoch;
    struct console *c = self;
    return (c->format == JSON || put_table(c, err)) && write_out(c, err);
}

static void close_(void *self) {
    struct console *c = self;
    hr_buffer_free(&c->out);
    hr_buffer_free(&c->cells);
    hr_buffer_free(&c->line);
    rows_json_free(&c->json);
    free(c->cell);
    c->cell = NULL;
}

static bool spark(const void *self, struct hr_spark *s) {
    const struct console *c = self;
    if (c->format == JSON) return hr_spark_refuse(s, &c->format, "Spark's console shows tables only");
    if (c->most && c->most != 20) return hr_spark_refuse(s, &c->truncate, "Spark's console cuts cells at 20 characters, or not at all");
    hr_spark_put(s, "%s.writeStream.format(\"console\")", s->input);
    if (c->rows != 20) hr_spark_put(s, "\n.option(\"numRows\", %lld)", (long long)c->rows);
    return c->most || hr_spark_put(s, "\n.option(\"truncate\", False)");
}

HR_PLUGIN(sink, console) = {
    .kind = HR_SINK,
    .name = "console",
    .about = "print rows on standard output",
    .options = options,
    .self_size = sizeof(struct console),
    .spark = spark,
    .sink = {.modes = HR_APPEND | HR_COMPLETE | HR_UPDATE, .bind = bind, .open = open_, .begin = begin,
             .write = write_rows, .publish = publish, .close = close_},
};
HR_MODULE(HR_RECORD(sink, console));
