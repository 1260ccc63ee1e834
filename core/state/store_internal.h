/* store_internal.h: what the files of the checkpoint share. */
#ifndef HR_STORE_INTERNAL_H
#define HR_STORE_INTERNAL_H

#include "core/state/store.h"

#include <sqlite3.h>

enum { STORE_FORMAT = 3, STORE_APPLICATION = 0x68647263 /* "hdrc" */, STORE_WAL_PAGES = 1000 };

struct store {
    const char *path; /* NULL: in memory */
    struct store_job job;
    struct arena arena;
    sqlite3 *db;
    int lock;              /* of FILE.lock; -1: none */
    int wal_pages;         /* in the -wal, until they go to the main file */
    bool in_file;          /* an epoch is, whatever becomes of the -wal */
    bool failed;           /* a commit or the close did: what the disk has of it is not known, so nothing is written any more */
    int64_t epoch, published;
    int unbound;           /* what a bind said that failed: without memory it leaves a NULL, and the step would not say so */
    uint64_t checksum;     /* over all rows of all tables but hr_meta */
    uint64_t kept;         /* what hr_outbox is of it */
    uint64_t committed;    /* what hr_meta has: that, and what else stands in it */
    char pipeline[40];     /* uuid */
    struct hr_position *position;
    struct store_before *before; /* of each position */
    int positions, room;         /* of the arrays */
    int turn;                    /* the position that is likely looked for next */
    struct store_counts *total;  /* of each node that ever was */
    int totals;
    struct store_sink *known;    /* the sinks of the run before */
    int sinks;
    bool sinks_changed;
    struct hr_text *outbox;      /* of each sink: what the next commit keeps */
    sqlite3_stmt *put_position, *put_counts, *put_meta;
    struct store_rows *rows;      /* of each node */
    struct hr_buffer saved, text; /* of the row at hand */
};

/* What moves the groups of one node. */
struct store_rows {
    sqlite3_stmt *put, *get; /* one row */
    struct groups *few;      /* on their way from the file */
    size_t *saved_end;       /* of each state of a row, in store.saved */
};

/* Where a position was before the epoch that moved it last. */
struct store_before {
    int64_t epoch, at;
    char *detail; /* of its own */
    bool none;    /* there was none */
};

/* ---- store_file.c: the file, its lock, its schema ---- */

bool store_lock(struct store *, struct hr_error *);
bool store_create(struct store *, struct hr_error *); /* under a temporary name, then renamed */
bool store_connect(struct store *, struct hr_error *);
void store_put_tables(const struct store *, struct hr_buffer *); /* as SQL, with a NUL */
/* Set the error from the connection's. False. */
bool store_fail(const struct store *, sqlite3 *, struct hr_error *, const char *doing);
bool store_exec(const struct store *, sqlite3 *, const char *sql, struct hr_error *);
sqlite3_stmt *store_prepare(const struct store *, sqlite3 *, const char *sql, struct hr_error *);
const char *store_name(const struct store *); /* for messages */

/* ---- store.c ---- */

/* What hr_meta has of the epoch and the checksum; the end of every transaction. */
bool store_put_meta(struct store *, struct hr_error *);
uint64_t store_checksum(const struct store *);
bool store_step(struct store *, sqlite3_stmt *, struct hr_error *); /* one that gives no rows; reset */

/* ---- store_groups.c: groups to rows and back ---- */

bool store_prepare_groups(struct store *, struct hr_error *);
void store_release_groups(struct store *);
/* The changed groups of a node, and how many of their results do not fit their type. */
bool store_put_groups(struct store *, int node, int64_t epoch, uint64_t *unfit, struct hr_error *);
/* hr_key, hr_epoch, hr_sum, the saved states and what the view shows; `rest` is what follows the table's name. */
sqlite3_stmt *store_select(struct store *, int node, const char *rest, struct hr_error *);
/* The row at hand: its checksum, which must be the one in it; then its group, into `to`. */
bool store_row_checksum(struct store *, int node, sqlite3_stmt *, uint64_t *sum, struct hr_error *);
bool store_get_group(struct store *, int node, sqlite3_stmt *, struct groups *to, struct hr_error *);

/* ---- store_trust.c: the file as untrusted input ---- */

/* Let the connection run nothing that the file brings. */
bool store_distrust(const struct store *, sqlite3 *, struct hr_error *);
/* Is the file's schema what headrace makes for this job: its triggers, indexes and hr_meta, or all of it? */
bool store_check_schema(struct store *, bool all, struct hr_error *);

/* ---- store_load.c: what is refused, and the state into memory ---- */

bool store_check(struct store *, struct hr_error *);
bool store_load(struct store *, struct hr_error *);
/* "id: signature" of every stateful node, in the arena. */
const char *store_signature(struct store *);

/* ---- store_positions.c, store_counts.c ---- */

bool store_put_positions(struct store *, int64_t epoch, struct hr_positions, struct hr_error *);
bool store_load_positions(struct store *, uint64_t *sum, struct hr_error *);
void store_free_positions(struct store *);
bool store_put_counts(struct store *, const struct store_counts *, int n, struct hr_error *);
bool store_load_counts(struct store *, uint64_t *sum, struct hr_error *);

/* ---- store_sinks.c: what the sinks need of the checkpoint ---- */

extern const char store_sinks_schema[];
void store_make_pipeline(struct store *); /* a new uuid */
bool store_load_sinks(struct store *, uint64_t *sum, struct hr_error *);
/* Since when each of the job's sinks is there; false where one that changed may miss an epoch. */
bool store_know_sinks(struct store *, struct hr_error *);
/* Inside the commit, so that a run which never gets there leaves the sinks of before. */
bool store_put_sinks(struct store *, struct hr_error *);
bool store_load_outbox(struct store *, uint64_t *sum, struct hr_error *);
bool store_put_outbox(struct store *, struct hr_error *); /* inside the commit */

#endif
