/* The life of an epoch after the lanes: close, merge, commit, publish (ARCHITECTURE.md). */
#include "core/engine/coordinator.h"

#include <stdlib.h>
#include <string.h>

static int64_t now(const struct coordinator *c) { return c->ports.now(c->ports.ctx); }

void coordinator_init(struct coordinator *c, const struct plan *plan, struct ports ports, struct feed *feed,
                      struct inbox *inbox, int lanes, struct groups *state, int64_t epoch, int64_t published,
                      const int64_t *since) {
    *c = (struct coordinator){.plan = plan, .ports = ports, .feed = feed, .inbox = inbox, .lanes = lanes,
                              .state = state, .epoch = epoch, .published = published, .first = true};
    c->interval_us = plan->config.available_now ? 1000000 : plan->config.trigger_us;
    c->counts = xcalloc((size_t)plan->nodes, sizeof *c->counts);
    c->reported = xcalloc((size_t)plan->nodes, sizeof *c->reported);
    c->rows = xcalloc((size_t)plan->sinks + 1, sizeof *c->rows);
    publisher_init(&c->publisher, plan, ports.publish, since, c->counts, &c->err);
}

void coordinator_begin(struct coordinator *c, struct hr_positions from) {
    c->due = now(c) + c->interval_us;
    c->from = positions_copy(&c->before, from);
}

void coordinator_free(struct coordinator *c) {
    for (struct work *w; (w = c->held); work_free(w, c->feed)) c->held = w->next;
    publisher_free(&c->publisher);
    free(c->counts);
    free(c->reported);
    free(c->rows);
    arena_free(&c->arena);
    arena_free(&c->before);
}

/* ---- append: rows in the order of the chunks ---- */

static void hold(struct coordinator *c, struct work *w) {
    struct work **at = &c->held;
    while (*at && (*at)->number < w->number) at = &(*at)->next;
    w->next = *at;
    *at = w;
}

/* Chunks of the next epoch wait until the open one is committed and published: a sink sees one at a time. */
static bool write_in_turn(struct coordinator *c) {
    bool ok = true;
    while (ok && c->held && c->held->number == c->turn && c->held->epoch == c->epoch) {
        struct work *w = c->held;
        c->held = w->next;
        c->turn++;
        ok = publisher_take(&c->publisher, c->epoch, w);
        work_free(w, c->feed);
    }
    return ok;
}

/* ---- an epoch's end ---- */

/* What is committed and published may leave memory; lanes may wait for that. */
static void trim(struct coordinator *c) {
    if (!c->state) return;
    groups_trim(c->state);
    atomic_store(&c->feed->budget.state, groups_resident(c->state));
    waker_wake(c->feed->waker);
}

static bool merge_delta(struct coordinator *c, const struct message *m) {
    struct profile_mark mark = profile_begin();
    bool ok = groups_merge(c->state, m->delta, &c->err);
    groups_clear(m->delta);
    atomic_store(&c->feed->budget.state, groups_resident(c->state));
    atomic_fetch_sub(&c->feed->budget.deltas, m->bytes);
    profile_part(mark, PROFILE_MERGE);
    return ok && plan_state_fits(&c->plan->node[c->plan->state], c->state, &c->err);
}

static bool merge(struct coordinator *c, const struct message *m) {
    for (int i = 0; i < plan_lane_end(c->plan); i++) counts_add(&c->counts[i], &m->counts[i]);
    c->waiting--;
    return !c->state || merge_delta(c, m);
}

static bool commit(struct coordinator *c, struct epoch_report *report) {
    if (!publisher_flush(&c->publisher, c->epoch)) return false;
    if (!c->ports.commit(c->ports.ctx, c->epoch, c->published, c->to, c->counts, &c->err)) return false;
    memcpy(c->reported, c->counts, (size_t)c->plan->nodes * sizeof *c->counts);
    memset(c->counts, 0, (size_t)c->plan->nodes * sizeof *c->counts);
    report->counts = c->reported;
    report->unfit = c->state ? c->reported[c->plan->state].bad : 0;
    return true;
}

static void swap_positions(struct coordinator *c) {
    struct arena old = c->before;
    c->before = c->arena;
    c->arena = old;
    arena_reset(&c->arena);
    c->from = c->to;
}

static bool finish(struct coordinator *c) {
    struct epoch_report report = {.epoch = c->epoch, .from = c->from, .to = c->to};
    int64_t merged = now(c);
    report.changed = c->state ? groups_changes(c->state) : 0;
    struct profile_mark mark = profile_begin();
    if (!commit(c, &report)) return false;
    profile_part(mark, PROFILE_COMMIT);
    int64_t committed = now(c);
    mark = profile_begin();
    if (!publisher_publish(&c->publisher, c->epoch)) return false;
    profile_part(mark, PROFILE_PUBLISH);
    c->published = c->epoch++;
    int64_t end = now(c);
    report.records = c->reported[0].in;
    report.early = c->early;
    report.lag = c->ports.report ? feed_lag(c->feed) : -1;
    report.groups = c->state ? groups_count(c->state) : 0;
    report.wait_us = merged - c->closed_at;
    report.commit_us = committed - merged;
    report.publish_us = end - committed;
    report.total_us = end - c->closed_at;
    for (int i = 0; i < c->plan->sinks; i++) c->rows[i] = c->publisher.output[i].rows;
    report.rows = c->rows;
    if (c->ports.report) c->ports.report(c->ports.ctx, &report);
    const struct hr_source *source = &plan_source(c->plan)->plugin->source;
    if (source->committed) source->committed(plan_source(c->plan)->self, c->to);
    swap_positions(c);
    trim(c);
    return write_in_turn(c);
}

bool coordinator_recover(struct coordinator *c, bool remembers) {
    if (!publisher_recover(&c->publisher, c->epoch - 1, c->published, remembers)) return false;
    c->published = c->epoch - 1;
    return true;
}

/* ---- steps ---- */

static bool time_to_close(struct coordinator *c, bool ended) {
    if (ended || c->stop || now(c) >= c->due) return true;
    c->early = budget_over(&c->feed->budget);
    return c->early || publisher_is_full(&c->publisher) || (c->first && feed_caught_up(c->feed));
}

static enum step end_run(struct coordinator *c) {
    if (!c->failed && !c->ports.end(c->ports.ctx, c->published, c->counts, &c->err)) c->failed = true;
    return STEP_DONE;
}

static enum step fail(struct coordinator *c) {
    c->failed = true;
    feed_stop(c->feed);
    return STEP_DONE;
}

static bool receive(struct coordinator *c, struct message *m) {
    switch (m->kind) {
    case MESSAGE_WORK: hold(c, m->work); return write_in_turn(c);
    case MESSAGE_EPOCH: return merge(c, m);
    default: c->err = m->err; return false;
    }
}

/* A late trigger fires at once, and the next one keeps the rhythm; so does one that came early. */
static void set_due(struct coordinator *c) {
    int64_t t = now(c);
    c->first = false;
    if (c->due <= t) c->due = t + c->interval_us - (t - c->due) % c->interval_us;
}

/* False: it is not due, or there is nothing in it. */
static bool close_epoch(struct coordinator *c) {
    bool ended = feed_ended(c->feed);
    c->early = false;
    if (!time_to_close(c, ended)) return false;
    if (c->stop) feed_stop(c->feed);
    c->last = ended || c->stop;
    if (!feed_close_epoch(c->feed, &c->arena, &c->to)) return false;
    c->closed_at = now(c);
    c->waiting = c->lanes;
    set_due(c);
    return true;
}

static enum step rest(struct coordinator *c) {
    if (c->waiting > 0) return STEP_IDLE;
    if (c->last) return end_run(c);
    if (now(c) >= c->due) set_due(c);
    return STEP_IDLE;
}

/* What is due comes before what waits: lanes that keep the inbox full would keep the epoch open. */
enum step coordinator_step(struct coordinator *c) {
    if (c->waiting == 0 && close_epoch(c)) return STEP_WORKED;
    struct message *m = inbox_take(c->inbox);
    if (!m) return rest(c);
    bool closing = c->waiting > 0, ok = receive(c, m);
    free(m);
    if (!ok) return fail(c);
    if (!closing || c->waiting > 0) return STEP_WORKED;
    if (!finish(c)) return fail(c);
    return c->last ? end_run(c) : STEP_WORKED;
}

int64_t coordinator_wait_us(const struct coordinator *c) {
    int64_t left = c->due - now(c);
    if (c->first && left > 1000) return 1000; /* the source may have caught up: no event says so */
    return c->waiting > 0 || left > 100000 ? 100000 : left < 500 ? 500 : left;
}
