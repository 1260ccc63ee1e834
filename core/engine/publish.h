/*
 * publish.h: what the sinks are given of an epoch, when it becomes visible, and what is published again after
 * a restart.  The same code for every sink: a sink only says which epoch it remembers.
 *
 *   1. Append rows go to their sinks while the epoch is read. At its end they are flushed.
 *   2. The checkpoint commits: state, positions at both ends of the epoch, counters, "published N-1".
 *   3. Only then is N published; "published N" goes in with the next commit, which waits for it.
 *
 * A restart finds epoch E in the checkpoint, "published P", and M in the sink: the epoch it remembers, or where it
 * remembers none, the one after which it came to the pipeline.
 *
 *   M = E            done
 *   M = E-1, M >= P  E is published again: complete and update rows from the state, append rows by reading
 *                    E's positions again through the same operators, or from the outbox
 *   M > E            the checkpoint is older than the sink (a backup): refused
 *   else             the sink has forgotten what it was given: refused
 *
 * A sink that cannot remember is believed to be at P: it may show E twice.
 */
#ifndef HR_PUBLISH_H
#define HR_PUBLISH_H

#include "core/engine/lane.h"

/* What the publisher asks of the run; the coordinator's ports have it. */
struct publish_ports {
    void *ctx;
    /* Rows of the state that epoch only_epoch changed, or all with -1. */
    bool (*rows)(void *ctx, int64_t only_epoch, struct arena *, bool (*each)(void *, const struct hr_batch *), void *,
                 struct hr_error *);
    /* Read the newest epoch's positions again: take(ctx, work) for each chunk, in order; the work stays the caller's. */
    bool (*replay)(void *ctx, bool (*take)(void *, const struct work *), void *, struct hr_error *);
    /* For the source that cannot be read again: rows of the sink (by its number among the sinks) with the next commit,
     * and those of the last one. */
    void (*keep)(void *ctx, int sink, const void *p, size_t n);
    bool (*kept)(void *ctx, int sink, struct arena *, const char **p, size_t *n, struct hr_error *);
};

struct output {
    const struct node *node;
    const struct hr_sink *sink;
    int number;           /* among the nodes */
    int64_t since;        /* the epoch after which it came to the pipeline */
    bool begun;
    bool takes;           /* rows now: while an epoch is published again, only who misses it */
    uint64_t rows;        /* of the epoch, for the report */
    struct chain after;   /* complete, update: the operators from the state to what it reads */
    struct hr_buffer outbox;
};

struct publisher {
    const struct plan *plan;
    struct publish_ports ports;
    struct output *output; /* of every sink */
    struct hr_counts *counts; /* of every node, the coordinator's */
    struct arena batch;
    bool keeps;            /* append rows go to the outbox too */
    int64_t again;         /* the epoch that is being published again */
    int counted;           /* nodes behind the state below this one were counted in the epoch */
    struct hr_error *err;
};

void publisher_init(struct publisher *, const struct plan *, struct publish_ports, const int64_t *since,
                    struct hr_counts *counts, struct hr_error *);
void publisher_free(struct publisher *);
/* Rows of the open epoch. */
bool publisher_take(struct publisher *, int64_t epoch, const struct work *);
/* Is it time to end the epoch, as its rows have to fit in the outbox? */
bool publisher_is_full(const struct publisher *);
/* Before and after the commit. */
bool publisher_flush(struct publisher *, int64_t epoch);
bool publisher_publish(struct publisher *, int64_t epoch);
/* Before anything is read: bring every sink to the checkpoint's epoch. `remembers`: the run has a checkpoint to come back to. */
bool publisher_recover(struct publisher *, int64_t epoch, int64_t published, bool remembers);

#endif
