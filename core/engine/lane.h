/*
 * lane.h: one worker: takes chunks, runs them through its own instances of the operators, and hands
 * over what came of an epoch.  A step function: a thread drives it, and so can a simulation.
 */
#ifndef HR_LANE_H
#define HR_LANE_H

#include "core/engine/feed.h"
#include "core/engine/profile.h"

/* A bad row on its way to the dead letters. */
struct letter {
    const struct node *node;
    struct hr_text value;
    const char *reason;
    const struct hr_split *split;
    int64_t position;
};
struct letters {
    struct letter *item;
    int n, room;
};

void letters_put(struct letters *, struct letter);
/* Those of one name, in the arena. */
struct hr_batch letters_batch(const struct letters *, int name, struct arena *);

/* What stands behind struct hr_lane's host. */
struct lane_node {
    const struct node *node;
    struct arena *batch;
    struct groups **delta;
    struct letters *letters;
};

/* The nodes [from, to) of a plan with one worker's memory and counters. */
struct chain {
    const struct plan *plan;
    int from, to;
    struct hr_lane *lane;     /* of node from + i */
    struct lane_node *host;
    struct hr_counts *counts;
    struct letters letters;   /* of the batch at hand */
};
void chain_init(struct chain *, const struct plan *, int from, int to, struct groups **delta,
                struct hr_error *);
void chain_free(struct chain *);
void chain_memory(struct chain *, struct arena *batch);
/* Run the batch through the operators of the chain. each(ctx, node, batch) is called with what comes out of every
 * node, also with what went in as that of the node before the chain; a stateful operator takes it all in and gives nothing. */
bool chain_run(struct chain *, const struct hr_batch *in, bool (*each)(void *ctx, int node, const struct hr_batch *),
               void *ctx);
/* An empty batch of the columns of the schema. */
struct hr_batch batch_of(struct arena *, const struct hr_schema *);

/* A chunk that was worked through, with the rows for each append sink. */
struct work {
    struct arena arena;
    struct hr_chunk chunk;
    int64_t epoch;
    uint64_t number;
    struct work_rows {
        int sink; /* its node */
        struct hr_batch batch;
    } *rows;
    int n, room;
    struct work *next;
};
void work_free(struct work *, struct feed *); /* gives the chunk back */

/* What lanes tell the coordinator. Passed by value; work and delta change hands. */
struct message {
    enum { MESSAGE_WORK, MESSAGE_EPOCH, MESSAGE_FAILED } kind;
    int lane;
    struct work *work;
    struct groups *delta;
    size_t bytes;                   /* of the delta, as counted in the budget */
    const struct hr_counts *counts; /* of the chain, from the source on; until the next epoch's */
    struct hr_error err;
    struct message *next;
};

struct inbox {
    pthread_mutex_t lock;
    struct message *first, **last;
    struct waker waker;
};
void inbox_init(struct inbox *);
void inbox_destroy(struct inbox *);
struct message *inbox_take(struct inbox *); /* NULL: empty; free() it */

struct lane {
    int index;
    const struct plan *plan;
    struct feed *feed;
    struct inbox *inbox;
    int64_t epoch;
    struct arena arena;       /* batch memory where no rows leave the lane */
    struct chain chain;
    struct groups *delta, *other; /* of this epoch; of the one being merged */
    size_t counted;           /* bytes of delta in the feed's budget */
    struct hr_counts *reported;
    struct hr_error err;
    bool failed;
    bool told;                /* the coordinator knows that the source has ended */
    int64_t retry_us;         /* after an idle step: how long until the source wants to be asked */
};
enum step { STEP_WORKED, STEP_IDLE, STEP_DONE };

void lane_init(struct lane *, int index, const struct plan *, struct feed *, struct inbox *, int64_t epoch);
void lane_free(struct lane *);
enum step lane_step(struct lane *);

#endif
