/*
 * file_scan.h: where records end.
 * A scan owns nothing: it remembers how far somebody's bytes were looked at, and in what state.
 */
#ifndef FILE_SCAN_H
#define FILE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum file_scan_state { FILE_SCAN_START, FILE_SCAN_PLAIN, FILE_SCAN_QUOTED, FILE_SCAN_QUOTE };

struct file_scan {
    bool csv; /* a newline within quotes ends nothing */
    char delimiter;
    enum file_scan_state state;
    size_t done;   /* bytes looked at */
    size_t border; /* just after the last record that is whole; 0: none is */
};

/* Look at bytes[done..n). */
void file_scan_feed(struct file_scan *, const char *bytes, size_t n);
/* The first n bytes, which end with a record, were taken away. */
void file_scan_cut(struct file_scan *, size_t n);

#endif
