/*
 * coordinator.h: closes epochs, merges what the lanes hand over, commits, has the sinks publish.
 * A step function over what it is given: a clock, a store, the feed, the inbox and the sinks.
 */
#ifndef HR_COORDINATOR_H
#define HR_COORDINATOR_H

#include "core/engine/publish.h"

/* One finished epoch, for the progress line. */
struct epoch_report {
    int64_t epoch;
    uint64_t records, groups, changed;
    const struct hr_counts *counts; /* of every node, since the last report */
    uint64_t unfit;       /* totals that this epoch changed and that are null, as they do not fit their type */
    bool early;           /* it ended before it was due, as the groups near limits.memory */
    int64_t lag;          /* records that wait; -1: not known */
    int64_t wait_us, commit_us, publish_us, total_us; /* lanes' hand-over, checkpoint, sink, all */
    struct hr_positions from, to;
    const uint64_t *rows; /* of each sink */
};

/* What it needs of a run. The calls of the store are those of store.h. */
struct ports {
    void *ctx;
    int64_t (*now)(void *ctx); /* microseconds, never backwards */
    /* Totals that do not fit their type are added to the counts. */
    bool (*commit)(void *ctx, int64_t epoch, int64_t published, struct hr_positions, struct hr_counts *,
                   struct hr_error *);
    /* After the last epoch: it is published, and this was counted since its commit. */
    bool (*end)(void *ctx, int64_t published, struct hr_counts *, struct hr_error *);
    struct publish_ports publish;
    void (*report)(void *ctx, const struct epoch_report *);
};

struct coordinator {
    const struct plan *plan;
    struct ports ports;
    struct feed *feed;
    struct inbox *inbox;
    int lanes;
    struct groups *state;      /* NULL: no stateful node */
    int64_t epoch;             /* the open one */
    int64_t published;
    int64_t interval_us, due;  /* when the open epoch is to be closed */
    bool first;                /* of this run: may close as soon as the source has caught up */
    bool stop;                 /* asked to end */
    int waiting;               /* lanes that have not handed over the closed epoch; 0: none is closed */
    bool last;                 /* the closed epoch is the run's last */
    bool early;                /* and ended before it was due, as memory is short */
    struct arena arena;        /* positions of the closed epoch */
    struct arena before;       /* and those it started from */
    struct hr_positions from, to;
    struct hr_counts *counts;  /* of every node, in the closed epoch */
    struct hr_counts *reported; /* what they were when it was committed */
    struct publisher publisher;
    uint64_t *rows;            /* for the report */
    struct work *held;         /* append: chunks that came before their turn, by number */
    uint64_t turn;             /* number of the next chunk to write */
    int64_t closed_at;
    struct hr_error err;
    bool failed;
};

void coordinator_init(struct coordinator *, const struct plan *, struct ports, struct feed *, struct inbox *,
                      int lanes, struct groups *state, int64_t epoch, int64_t published, const int64_t *since);
void coordinator_free(struct coordinator *);
/* Before the source is opened: bring the sinks to the committed epoch (publish.h). */
bool coordinator_recover(struct coordinator *, bool remembers);
/* Where the source begins. */
void coordinator_begin(struct coordinator *, struct hr_positions);
/* STEP_DONE: the run is over; failed and err say how. */
enum step coordinator_step(struct coordinator *);
/* How long it may sleep when nothing arrives. */
int64_t coordinator_wait_us(const struct coordinator *);

#endif
