/* See csv.h; the numbers are its rules. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"

void die(const char *format, ...) {
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static char *slurp(const char *path) {
    FILE *f = fopen(path, "rb");
    if (!f) die("%s: %s", path, strerror(errno));
    char *text = NULL;
    size_t room = 0;
    ssize_t n = getdelim(&text, &room, '\0', f);
    if (n < 0) die("%s: %s", path, ferror(f) ? strerror(errno) : "empty");
    if (!feof(f)) die("%s: has a NUL byte", path);
    fclose(f);
    return text;
}

void csv_read(struct csv *c, const char *path) {
    *c = (struct csv){ .text = slurp(path) };
    char *next = c->text;
    if (!strncmp(next, "\xEF\xBB\xBF", 3)) next += 3;                          /* 1 */
    if (strchr(next, '"')) die("%s: has a quoted field", path);                /* 3 */

    size_t fields = 0, room = 0;
    for (char *line; (line = strsep(&next, "\n"));) {
        size_t length = strlen(line), before = fields;
        if (length && line[length - 1] == '\r') line[length - 1] = '\0';       /* 1 */
        if (!*line) continue;                                                  /* 1 */
        for (char *field; (field = strsep(&line, ","));) {
            if (fields == room) {
                room = room ? room * 2 : 1024;
                c->field = realloc(c->field, room * sizeof *c->field);
                if (!c->field) die("%s: out of memory", path);
            }
            c->field[fields++] = field;
        }
        if (!c->columns) c->columns = fields;
        if (fields - before != c->columns)
            die("%s: row %zu has %zu fields, the header %zu", path, before / c->columns, fields - before, c->columns);
    }
    if (!c->columns) die("%s: empty", path);
    c->rows = fields / c->columns - 1;
}

void csv_free(struct csv *c) {
    free(c->field);
    free(c->text);
}

size_t csv_column(const struct csv *c, const char *name) {
    for (size_t i = 0; i < c->columns; i++)
        if (!strcmp(csv_name(c, i), name)) return i;
    die("no column %s", name);
}
