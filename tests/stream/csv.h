/*
 * The invoice files as the stream tools read them: a header line, then lines of the same number of fields.
 *
 *   1. A UTF-8 byte order mark, CRLF and empty lines are skipped.
 *   2. An empty field is a missing value.
 *   3. A quoted field is refused: these files have none, and half a CSV reader would read them wrongly in silence.
 *
 * The fields belong to the table; csv_free frees them. Any fault ends the program with one line on stderr. This and
 * double.h are written apart from headrace's own code on purpose: they are what its results are held against.
 */
#ifndef STREAM_CSV_H
#define STREAM_CSV_H

#include <stddef.h>

struct csv {
    char *text;           /* the file, its separators turned into NULs */
    char **field;         /* the header, then row after row */
    size_t columns, rows; /* rows without the header */
};

__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);

void csv_read(struct csv *, const char *path);
void csv_free(struct csv *);
size_t csv_column(const struct csv *, const char *name);

static inline const char *csv_name(const struct csv *c, size_t column) { return c->field[column]; }
static inline const char *csv_at(const struct csv *c, size_t row, size_t column) {
    return c->field[(row + 1) * c->columns + column];
}

#endif
