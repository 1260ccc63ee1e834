/*
 * store.h: the checkpoint, one SQLite file.  All calls from one thread.
 */
#ifndef HR_STORE_H
#define HR_STORE_H

#include "core/state/groups.h"

struct store_node {           /* a stateful node */
    const char *id;
    const char *signature;    /* keys and aggregates with their expressions: must match at restart */
    const struct groups_shape *shape;
    struct groups *groups;    /* filled by store_open */
};
struct store_counts { const char *id; struct hr_counts counts; };

struct store_sink {           /* one that a restart may have to give an epoch again */
    const char *id;
    const char *target;       /* what it writes to; where that changes it is a new sink */
    int64_t since;            /* filled by store_open: the epoch after which it came */
};

struct store_job {
    const char *name;
    const char *source;       /* signature of the source: plug-in and what identifies its records */
    int nodes; struct store_node *node;
    int sinks; struct store_sink *sink;
    /* Is the state of a node, all of it counted, within the limits? Asked before the commit. May be NULL. */
    bool (*fits)(const struct store_job *, int node, struct hr_error *);
    const void *host;         /* for fits() */
    size_t memory;            /* `limits: memory`; groups beyond their share of it are kept on disk only. 0: none */
    bool sync;                /* a sink publishes elsewhere: synchronous=FULL */
    bool read_only;           /* look at what is committed, also while the job runs: no lock, no commits */
};

struct store;
/* Whether there is one to look at; path NULL: the pipeline has none. False: err says so (HR_ECHECKPOINT). */
bool store_there(const char *path, struct hr_error *);

/* path NULL: keeps nothing (a private database that goes when it is closed), same calls.
 * Creates under a temporary name, or checks and loads. err names what is refused (HR_ECHECKPOINT). */
struct store *store_open(const char *path, const struct store_job *, struct hr_error *);
struct hr_positions store_positions(struct store *); /* newest committed; n = 0: none yet */
/* Where the newest epoch began, in the arena; splits that it found are missing. */
struct hr_positions store_positions_before(struct store *, struct arena *);
const char *store_pipeline(struct store *); /* the uuid made with the checkpoint */
int64_t store_epoch(struct store *);     /* finished epochs */
int64_t store_published(struct store *);
/* One transaction: changed groups of every node, positions, counters (added to the totals), epoch.
 * Results that do not fit their type are added to the node's `bad` in the counters given.
 * epoch = 0 stands for no epoch: starting positions, or at the end of a run what was published. */
bool store_commit(struct store *, int64_t epoch, int64_t published, struct hr_positions,
                  struct store_counts *, int n_counts, struct hr_error *);
/* Rows of a sink that the next commit keeps, for it alone: the source cannot be read again. Not copied. */
void store_outbox_put(struct store *, int sink, const void *p, size_t n);
/* What the newest commit kept, in the arena; *n = 0: nothing. */
bool store_outbox_get(struct store *, int sink, struct arena *, const char **p, size_t *n, struct hr_error *);
/* Rows of a node in key order as batches in the arena, which is reset for each: those of epoch only_epoch, or all with -1.
 * Calls each(ctx, batch) until done; false from it stops. */
bool store_rows(struct store *, int node, int64_t only_epoch, struct arena *,
                bool (*each)(void *ctx, const struct hr_batch *), void *ctx, struct hr_error *);
/* Totals of the counters, as committed. */
struct hr_counts store_counts_of(struct store *, const char *id);
/* Leaves everything in the main file; removes it where nothing was ever committed. */
bool store_close(struct store *, struct hr_error *);

#endif
