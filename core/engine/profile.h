/*
 * profile.h: where the time of a run goes (headrace run --profile).
 * Each thread has a profile of its own or none, and then every call here is a look at one pointer. Time is the thread's
 * processor time, asked for once a batch; a part does not count the nodes that worked within it.
 */
#ifndef HR_PROFILE_H
#define HR_PROFILE_H

#include "core/base/base.h"

#include <pthread.h>

enum profile_part {
    PROFILE_FEED,    /* the source's poll() and release() */
    PROFILE_MERGE,   /* deltas into the state */
    PROFILE_COMMIT,  /* the checkpoint */
    PROFILE_PUBLISH, /* the sinks' begin, flush and publish, and reading the state for them */
    PROFILE_PARTS,
};

struct profile_spent {
    uint64_t times, rows, bytes;
    int64_t ns;
};

struct profile {
    int nodes;
    struct profile_spent *node; /* of the plan, by number: times counts batches */
    struct profile_spent part[PROFILE_PARTS];
    int64_t in_nodes;           /* nanoseconds of all nodes */
    struct profile *sum;        /* of a thread's: where it goes in the end */
    pthread_mutex_t lock;       /* of a sum */
};

void profile_init(struct profile *, int nodes);
void profile_free(struct profile *);

/* What this thread does from now on is counted, and added to the sum when it leaves. NULL: it is not. */
void profile_enter(struct profile *sum);
void profile_leave(void);

struct profile_mark {
    int64_t at, in_nodes;
};
struct profile_mark profile_begin(void);
/* The node, or the part, worked since the mark. */
void profile_node(struct profile_mark, int node, uint64_t rows, uint64_t bytes);
void profile_part(struct profile_mark, enum profile_part);

#endif
