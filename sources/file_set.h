/*
 * file_set.h: the files of a source, by path, and how far each was handed out.
 * The set owns its inputs and their memory until file_set_free(); an input never moves, as chunks
 * point to it.
 */
#ifndef FILE_SET_H
#define FILE_SET_H

#include <headrace/plugin.h>

struct file_input {
    struct hr_split split; /* first: a chunk's split is its input; the name is the path */
    bool stream;           /* stdin: no size, no way back */
    bool found;            /* by a glob: it may be gone again */
    bool ended;            /* nothing more is expected of it */
    int64_t at;            /* where the next record starts */
    int64_t seen;          /* follow: there is no whole record between `at` and here */
    int64_t size;          /* when last looked at */
    int64_t there;         /* its size at open */
    int64_t end;           /* read no further */
    uint64_t inode;
    char detail[48]; /* "inode:size", for positions */
    int fields;      /* csv: of each record; 0: not known yet */
    int *field_of;   /* csv: of each schema column */
    int64_t body;    /* csv: where the records start */
};

struct file_set {
    int n, room;
    struct file_input **item;    /* as they are read */
    struct file_input **by_path; /* the same, sorted */
    struct hr_position *position;
    int positions; /* room */
};

struct file_set_options {
    const struct hr_list *paths;
    bool follow, bounded;
};

/* until: see hr_open. */
bool file_set_open(struct file_set *, const struct file_set_options *, struct hr_positions from,
                   struct hr_positions until, struct hr_error *);
/* Add what the globs match by now. */
bool file_set_expand(struct file_set *, const struct file_set_options *, struct hr_error *);
/* Open the file for reading and see whether it still is what was read before. *fd is -1 where it is
 * gone and was read to its end. */
bool file_set_file(struct file_input *, int *fd, struct hr_error *);
/* Nothing came since a follower last looked. */
bool file_set_unchanged(const struct file_input *);
struct hr_positions file_set_positions(struct file_set *);
void file_set_free(struct file_set *);

#endif
