/*
 * file_csv.h: the fields of one csv record (RFC 4180).
 * Fields point into the bytes that were given; nothing is owned here.
 */
#ifndef FILE_CSV_H
#define FILE_CSV_H

#include <headrace/plugin.h>

struct file_csv_field {
    const char *p; /* without the quotes around it */
    uint32_t n;
    bool quoted, escaped; /* escaped: holds "" */
};

/* Split the record at p, at most `room` fields of it. Returns the start of the next record; *n is
 * the number of fields, also beyond `room`. *reason says what is wrong with it, or is NULL. */
const char *file_csv_split(const char *p, const char *end, char delimiter, struct file_csv_field *field,
                           int room, int *n, const char **reason);
/* The end of an empty line at p, or p where there is none. */
const char *file_csv_skip_empty(const char *p, const char *end);
/* Write the field without its escapes to `to`, which has room for n bytes; returns the bytes. */
uint32_t file_csv_unescape(const struct file_csv_field *, char *to);

#endif
