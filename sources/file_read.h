/*
 * file_read.h: whole records out of one file at a time.
 * The reader owns its descriptor and the bytes not handed out yet; a piece belongs to whom it was
 * handed to, and is freed with file_piece_free().
 */
#ifndef FILE_READ_H
#define FILE_READ_H

#include "file_scan.h"
#include "file_set.h"

/* Bytes of a chunk. A variable, so that tests can have a border anywhere. */
extern size_t file_chunk_bytes;

struct file_piece {
    int64_t at;      /* in the file, of bytes[0] */
    size_t start, n; /* its records are bytes[start..n) */
    size_t room;
    size_t hole, hole_end; /* bytes[hole..hole_end) are still to be read, from fd; hole_end 0: there is no hole */
    int fd;
    int64_t over; /* bytes of the one record at `at`, which was too long to hold; 0: none */
    char bytes[];
};

struct file_reader {
    struct file_input *input; /* NULL: none now */
    int fd;
    bool follow;
    size_t record;            /* bytes that are held of a record at most */
    struct file_scan scan;
    struct file_piece *piece; /* what comes next */
    int64_t over, over_at;    /* bytes passed over of a record that is too long, and where it starts */
};

enum file_got {
    FILE_GOT_PIECE,
    FILE_GOT_NOTHING, /* a stream has nothing yet */
    FILE_GOT_END,     /* of the file, or of what is there of it so far */
    FILE_GOT_FAILED,
};

/* Start at the input's `at`. fd is the reader's from now on, but for a stream's. */
void file_reader_begin(struct file_reader *, struct file_input *, int fd);
/* The next whole records; moves the input's `at` past them. */
enum file_got file_reader_next(struct file_reader *, struct file_piece **, struct hr_error *);
void file_reader_end(struct file_reader *);
/* In a lane: read what the reader left out, as it needs not look at it to find where records end. */
bool file_piece_fill(struct file_piece *, const char *path, struct hr_error *);
void file_piece_free(struct file_piece *);
/* Bytes of a byte order mark at the start of a file. */
size_t file_mark(const char *p, size_t n);

#endif
