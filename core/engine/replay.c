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

/* Where it stands in a split, or -1. Both lists mostly have the same order: the search begins behind the last hit. */
static int64_t stands_at(struct hr_positions now, const char *split, int *turn) {
    for (int i = 0; i < now.n; i++) {
        const struct hr_position *p = &now.item[(*turn + i) % now.n];
        if (strcmp(p->split, split)) continue;
        *turn = (*turn + i + 1) % now.n;
        return p->at;
    }
    return -1;
}

/* A source that ends elsewhere has not read the same again, whatever it says. */
static bool check_end(const struct node *source, struct hr_positions until, struct hr_error *err) {
    struct hr_positions now = source->plugin->source.positions(source->self);
    int turn = 0;
    for (int i = 0; i < until.n; i++) {
        int64_t at = stands_at(now, until.item[i].split, &turn);
        if (at == until.item[i].at) continue;
        return error_set(err, HR_EDATALOSS, "source '%s': what was to be read again of %s ends at %lld, not at %lld: records are gone",
                         source->id, until.item[i].split, (long long)at, (long long)until.item[i].at);
    }
    return true;
}

bool replay(const struct plan *plan, struct hr_positions from, struct hr_positions until,
            bool (*take)(void *ctx, const struct work *), void *ctx, struct hr_error *err) {
    struct waker waker;
    waker_init(&waker);
    struct hr_open open = {.from = from, .until = until, .bounded = true, .job = plan->config.name, .err = err, .host = &waker};
    bool ok = source_open(plan, &open) && run_range(plan, &waker, take, ctx, err) && check_end(plan_source(plan), until, err);
    source_close(plan);
    waker_destroy(&waker);
    return ok;
}
