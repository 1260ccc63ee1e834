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

struct store_job {
    const char *name;
    const char *source;       /* signature of the source: plug-in and what identifies its records */
    int nodes; struct store_node *node;
    bool sync;                /* a sink publishes elsewhere: synchronous=FULL */
    bool read_only;           /* look at what is committed, also while the job runs: no lock, no commits */
};

struct store;
/* path NULL: keeps nothing on disk (private in-memory database), same calls.
 * Creates under a temporary name, or checks and loads. err names what is refused (HR_ECHECKPOINT). */
struct store *store_open(const char *path, const struct store_job *, struct hr_error *);
struct hr_positions store_positions(struct store *); /* newest committed; n = 0: none yet */
int64_t store_epoch(struct store *);     /* finished epochs */
int64_t store_published(struct store *);
/* One transaction: changed groups of every node, positions, counters (added to the totals), epoch.
 * epoch = 0 commits starting positions only. */
bool store_commit(struct store *, int64_t epoch, int64_t published, struct hr_positions,
                  const struct store_counts *, int n_counts, struct hr_error *);
bool store_set_published(struct store *, int64_t published, struct hr_error *);
/* Rows of a node in key order as batches in the arena, which is reset for each: those of epoch only_epoch, or all with -1.
 * Calls each(ctx, batch) until done; false from it stops. */
bool store_rows(struct store *, int node, int64_t only_epoch, struct arena *,
                bool (*each)(void *ctx, const struct hr_batch *), void *ctx, struct hr_error *);
/* Totals of the counters, as committed. */
struct hr_counts store_counts_of(struct store *, const char *id);
/* Leaves everything in the main file; removes it where nothing was ever committed. */
bool store_close(struct store *, struct hr_error *);

#endif
