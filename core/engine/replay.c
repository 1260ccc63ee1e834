/* One lane, stepped here until the range is through. */
#include "core/engine/replay.h"
#include "core/engine/run.h"

#include <stdlib.h>
#include <string.h>

bool source_open(const struct plan *plan, const struct hr_open *open) {
    const struct node *source = plan_source(plan);
    memcpy(source->self, source->bound, source->plugin->self_size);
    return !source->plugin->source.open || source->plugin->source.open(source->self, open);
}

void source_close(const struct plan *plan) {
    const struct node *source = plan_source(plan);
    if (source->plugin->source.close) source->plugin->source.close(source->self);
}

static bool take_all(struct inbox *inbox, struct feed *feed, bool (*take)(void *ctx, const struct work *), void *ctx,
                     struct hr_error *err) {
    bool ok = true;
    for (struct message *m; (m = inbox_take(inbox)); free(m)) {
        if (m->kind == MESSAGE_FAILED) ok = error_set(err, m->err.code, "%s", m->err.text);
        if (m->kind != MESSAGE_WORK) continue;
        ok = ok && take(ctx, m->work);
        work_free(m->work, feed);
    }
    return ok;
}

/* False without an error where the user asked to end: the range is then left, however far it was read. */
static bool run_range(const struct plan *plan, struct waker *waker, bool (*take)(void *ctx, const struct work *), void *ctx,
                      struct hr_error *err) {
    struct feed feed;
    struct inbox inbox;
    struct lane lane;
    feed_init(&feed, waker, plan_source(plan), 1, 4);
    inbox_init(&inbox);
    lane_init(&lane, 0, plan, &feed, &inbox, 1);
    bool ok = true, done = false;
    while (ok && !done) {
        uint64_t seen = waker_count(waker);
        enum step s = lane_step(&lane);
        ok = take_all(&inbox, &feed, take, ctx, err);
        done = s == STEP_DONE || lane.told;
        if (!done && run_stopping()) ok = false;
        int64_t retry = lane.retry_us > 0 && lane.retry_us < 100000 ? lane.retry_us : 100000;
        if (ok && !done && s == STEP_IDLE) waker_wait(waker, seen, retry);
    }
    lane_free(&lane);
    inbox_destroy(&inbox);
    feed_destroy(&feed);
    return ok;
}

bool replay(const struct plan *plan, struct hr_positions from, struct hr_positions until,
            bool (*take)(void *ctx, const struct work *), void *ctx, struct hr_error *err) {
    struct waker waker;
    waker_init(&waker);
    struct hr_open open = {.from = from, .until = until, .bounded = true, .job = plan->config.name, .err = err, .host = &waker};
    bool ok = source_open(plan, &open) && run_range(plan, &waker, take, ctx, err);
    source_close(plan);
    waker_destroy(&waker);
    return ok;
}
