/* rows.h: rows as text, and what the sinks that write them to files share. */
#ifndef HR_ROWS_H
#define HR_ROWS_H

#include <headrace/plugin.h>

/* One JSON object a row, all columns, nulls as null. The names are quoted once. */
struct rows_json {
    struct hr_buffer key;
    size_t *key_end; /* of each column's name in `key` */
    int columns;
};
bool rows_json_init(struct rows_json *, const struct hr_schema *); /* false: no memory */
void rows_json_free(struct rows_json *);
void rows_json_put(const struct rows_json *, struct hr_buffer *, const struct hr_batch *, uint32_t row);

/* RFC 4180, lines end with LF. Null is an empty field, an empty text is "". With one column null is "" too, as Spark writes
 * it: an empty line would be no row to a reader. There the two are the same. A TIMESTAMP has milliseconds. */
void rows_csv_header(struct hr_buffer *, const struct hr_schema *);
void rows_csv_put(struct hr_buffer *, const struct hr_batch *, uint32_t row);

/* All n bytes, however many calls that takes. False: errno says why. */
bool rows_write(int fd, const char *p, size_t n);
/* What is wrong with the path of a sink, or NULL: it is beneath --data-dir. */
const char *rows_path_fault(const char *path);

#endif
