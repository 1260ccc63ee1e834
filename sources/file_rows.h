/*
 * file_rows.h: from the bytes of a piece to rows, and a csv file's header.
 * Strings of a batch point into the piece or live in batch memory.
 */
#ifndef FILE_ROWS_H
#define FILE_ROWS_H

#include "file_read.h"

struct file_rows_options {
    int format; /* enum file_format */
    char delimiter;
    enum hr_on_error on_error;
    int64_t record;              /* bytes of a record at most */
    struct hr_schema schema;     /* ndjson, csv */
    const struct hr_json *json;  /* ndjson */
};

enum file_format { FILE_LINES, FILE_NDJSON, FILE_CSV };

/* The next rows of the chunk, as hr_source.fill gives them. */
bool file_rows_fill(const struct file_rows_options *, struct hr_lane *, struct hr_chunk *, struct hr_batch *);

/* The header is the first record that is not empty in p[0..n), which is whole and stands at byte
 * `at` of the file. Sets fields, field_of and body; all empty lines: leaves fields at 0. */
bool file_rows_header(const struct file_rows_options *, struct file_input *, const char *p, size_t n, int64_t at,
                      struct hr_error *);
/* The same, read from a file. An unfinished last line is a header unless `growing`. */
bool file_rows_read_header(const struct file_rows_options *, struct file_input *, int fd, bool growing,
                           struct hr_error *);
/* There is no header: fields are the schema's, in its order. */
bool file_rows_no_header(const struct file_rows_options *, struct file_input *, struct hr_error *);

#endif
