/* Handing out chunks, and closing epochs between two of them. */
#include "core/engine/feed.h"
#include "core/engine/profile.h"

#include <errno.h>
#include <time.h>

void waker_init(struct waker *w) {
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->cond, &attr);
    pthread_condattr_destroy(&attr);
    w->count = 0;
}

void waker_destroy(struct waker *w) {
    pthread_cond_destroy(&w->cond);
    pthread_mutex_destroy(&w->lock);
}

void waker_wake(struct waker *w) {
    pthread_mutex_lock(&w->lock);
    w->count++;
    pthread_cond_broadcast(&w->cond);
    pthread_mutex_unlock(&w->lock);
}

uint64_t waker_count(struct waker *w) {
    pthread_mutex_lock(&w->lock);
    uint64_t n = w->count;
    pthread_mutex_unlock(&w->lock);
    return n;
}

void waker_wait(struct waker *w, uint64_t seen, int64_t timeout_us) {
    if (timeout_us <= 0) return;
    int64_t until = clock_monotonic_us() + timeout_us;
    struct timespec at = {.tv_sec = until / 1000000, .tv_nsec = until % 1000000 * 1000};
    pthread_mutex_lock(&w->lock);
    while (w->count == seen && pthread_cond_timedwait(&w->cond, &w->lock, &at) != ETIMEDOUT) {}
    pthread_mutex_unlock(&w->lock);
}

void feed_init(struct feed *f, struct waker *waker, const struct node *source, int64_t epoch, int room) {
    *f = (struct feed){.waker = waker, .source = source, .epoch = epoch, .room = room};
    pthread_mutex_init(&f->lock, NULL);
}

void feed_destroy(struct feed *f) { pthread_mutex_destroy(&f->lock); }

static enum take take_locked(struct feed *f, struct taken *t, struct hr_error *err) {
    const struct hr_source *source = &f->source->plugin->source;
    if (f->stopped || f->ended) return TAKE_DONE;
    if (f->in_flight >= f->room) return TAKE_IDLE;
    switch (source->poll(f->source->self, &t->chunk, err)) {
    case HR_CHUNK:
        t->number = f->number++;
        f->chunks++;
        f->in_flight++;
        return TAKE_CHUNK;
    case HR_IDLE: return TAKE_IDLE;
    case HR_END: f->ended = true; return TAKE_DONE;
    default: f->stopped = true; return TAKE_FAILED;
    }
}

enum take feed_take(struct feed *f, struct taken *t, struct hr_error *err) {
    *t = (struct taken){0};
    struct profile_mark mark = profile_begin();
    pthread_mutex_lock(&f->lock);
    bool ended = f->ended;
    enum take result = take_locked(f, t, err);
    t->epoch = f->epoch;
    bool news = f->ended != ended;
    pthread_mutex_unlock(&f->lock);
    profile_part(mark, PROFILE_FEED);
    if (news) waker_wake(f->waker);
    return result;
}

enum take feed_wait(struct feed *f, struct taken *t) {
    *t = (struct taken){0};
    pthread_mutex_lock(&f->lock);
    t->epoch = f->epoch;
    pthread_mutex_unlock(&f->lock);
    return TAKE_IDLE;
}

void feed_give_back(struct feed *f, struct hr_chunk *chunk) {
    struct profile_mark mark = profile_begin();
    if (f->source->plugin->source.release) f->source->plugin->source.release(f->source->self, chunk);
    profile_part(mark, PROFILE_FEED);
    pthread_mutex_lock(&f->lock);
    bool was_full = f->in_flight-- >= f->room;
    pthread_mutex_unlock(&f->lock);
    if (was_full) waker_wake(f->waker);
}

struct hr_positions positions_copy(struct arena *a, struct hr_positions from) {
    struct hr_position *item = arena_alloc(a, ((size_t)from.n + 1) * sizeof *item);
    for (int i = 0; i < from.n; i++) {
        item[i] = from.item[i];
        item[i].split = arena_strdup(a, from.item[i].split);
        if (item[i].detail) item[i].detail = arena_strdup(a, item[i].detail);
    }
    return (struct hr_positions){from.n, item};
}

bool feed_close_epoch(struct feed *f, struct arena *a, struct hr_positions *at) {
    pthread_mutex_lock(&f->lock);
    bool close = f->chunks > 0;
    if (close) {
        *at = positions_copy(a, f->source->plugin->source.positions(f->source->self));
        f->epoch++;
        f->chunks = 0;
    }
    pthread_mutex_unlock(&f->lock);
    if (close) waker_wake(f->waker);
    return close;
}

bool feed_caught_up(struct feed *f) {
    const struct hr_source *source = &f->source->plugin->source;
    pthread_mutex_lock(&f->lock);
    bool yes = f->ended || (source->caught_up && source->caught_up(f->source->self));
    pthread_mutex_unlock(&f->lock);
    return yes;
}

int64_t feed_lag(struct feed *f) {
    const struct hr_source *source = &f->source->plugin->source;
    int64_t records = -1;
    pthread_mutex_lock(&f->lock);
    if (!source->lag || !source->lag(f->source->self, &records)) records = -1;
    pthread_mutex_unlock(&f->lock);
    return records;
}

bool feed_ended(struct feed *f) {
    pthread_mutex_lock(&f->lock);
    bool yes = f->ended;
    pthread_mutex_unlock(&f->lock);
    return yes;
}

void feed_stop(struct feed *f) {
    pthread_mutex_lock(&f->lock);
    f->stopped = true;
    pthread_mutex_unlock(&f->lock);
    waker_wake(f->waker);
}
