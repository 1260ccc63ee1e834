/*
 * feed.h: the source as the lanes see it: chunks, each tagged with epoch and number.
 * The only place where lanes meet; its lock is held while a chunk is handed out, never while one is
 * worked on.
 */
#ifndef HR_FEED_H
#define HR_FEED_H

#include "core/engine/plan.h"

#include <pthread.h>
#include <stdatomic.h>

/* Wakes whoever waits for something to happen; a wake between a look and a wait is not lost. */
struct waker {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    uint64_t count;
};
void waker_init(struct waker *);
void waker_destroy(struct waker *);
void waker_wake(struct waker *);
uint64_t waker_count(struct waker *);
void waker_wait(struct waker *, uint64_t seen, int64_t timeout_us);

/* Bytes of groups against `limits: memory`: of the state, and of what the lanes hold or handed over. */
struct budget {
    size_t limit; /* 0: none */
    atomic_size_t state, deltas;
};
/* Merged, what the lanes hold may take as much again. */
static inline bool budget_over(struct budget *b) {
    return b->limit && atomic_load(&b->state) + 2 * atomic_load(&b->deltas) > b->limit;
}

struct feed {
    pthread_mutex_t lock;
    struct waker *waker;
    const struct node *source;
    int64_t epoch;       /* the open one: what chunks handed out now belong to */
    uint64_t number;     /* of the next chunk */
    uint64_t chunks;     /* handed out in the open epoch */
    int in_flight, room; /* chunks not yet given back, and how many there may be */
    bool stopped, ended;
    struct budget budget;
};

enum take { TAKE_CHUNK, TAKE_IDLE, TAKE_DONE, TAKE_FAILED };

struct taken {
    struct hr_chunk chunk;
    int64_t epoch;   /* the open epoch, whatever came of it */
    uint64_t number;
};

void feed_init(struct feed *, struct waker *, const struct node *source, int64_t epoch, int room);
void feed_destroy(struct feed *);
enum take feed_take(struct feed *, struct taken *, struct hr_error *);
/* For a lane that can hold no more: nothing, and the open epoch. */
enum take feed_wait(struct feed *, struct taken *);
void feed_give_back(struct feed *, struct hr_chunk *);
/* End the open epoch: its positions, copied to the arena. One without chunks stays open, and false is returned. */
bool feed_close_epoch(struct feed *, struct arena *, struct hr_positions *);
/* Is there a reason to close early: all that was there at open was handed out, or the end came? */
bool feed_caught_up(struct feed *);
bool feed_ended(struct feed *); /* by the source: not by feed_stop(), nor by a failure */
/* Records that wait behind what was handed out; -1 where the source does not count them. */
int64_t feed_lag(struct feed *);
void feed_stop(struct feed *); /* hand out nothing more */
struct hr_positions positions_copy(struct arena *, struct hr_positions);

#endif
