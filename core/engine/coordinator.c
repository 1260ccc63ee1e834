/* The life of an epoch after the lanes: close, merge, commit, publish (EXACTLY-ONCE.md). */
#include "core/engine/coordinator.h"

#include <stdlib.h>
#include <string.h>

static const struct hr_sink *sink_of(const struct coordinator *c) { return &plan_sink(c->plan)->plugin->sink; }
static void *sink_self(const struct coordinator *c) { return plan_sink(c->plan)->self; }
static int64_t now(const struct coordinator *c) { return c->ports.now(c->ports.ctx); }
static bool appends(const struct coordinator *c) { return c->plan->state < 0; }

void coordinator_init(struct coordinator *c, const struct plan *plan, struct ports ports, struct feed *feed,
                      struct inbox *inbox, int lanes, struct groups *state, int64_t epoch, int64_t published,
                      struct hr_positions from) {
    *c = (struct coordinator){.plan = plan, .ports = ports, .feed = feed, .inbox = inbox, .lanes = lanes,
                              .state = state, .epoch = epoch, .published = published, .first = true};
    c->interval_us = plan->config.available_now ? 1000000 : plan->config.trigger_us;
    c->due = now(c) + c->interval_us;
    c->counts = xcalloc((size_t)plan->nodes, sizeof *c->counts);
    c->from = positions_copy(&c->before, from);
    int end = plan_lane_end(plan);
    chain_init(&c->after, plan, end, plan->nodes - 1 > end ? plan->nodes - 1 : end, NULL, &c->err);
    chain_memory(&c->after, &c->batch);
}

static void work_free(struct coordinator *c, struct work *w) {
    feed_give_back(c->feed, &w->chunk);
    arena_free(&w->arena);
    free(w->batch);
    free(w);
}

void coordinator_free(struct coordinator *c) {
    for (struct work *w; (w = c->held); work_free(c, w)) c->held = w->next;
    chain_free(&c->after);
    free(c->counts);
    arena_free(&c->arena);
    arena_free(&c->before);
    arena_free(&c->batch);
}

/* ---- the sink ---- */

static bool begin(struct coordinator *c, int64_t epoch) {
    const struct hr_sink *sink = sink_of(c);
    c->begun = true;
    return !sink->begin || sink->begin(sink_self(c), epoch, &c->err);
}

static bool flush(struct coordinator *c) {
    return !sink_of(c)->flush || sink_of(c)->flush(sink_self(c), &c->err);
}

static bool make_visible(struct coordinator *c, int64_t epoch) {
    c->begun = false;
    return !sink_of(c)->publish || sink_of(c)->publish(sink_self(c), epoch, &c->err);
}

static bool write_rows(struct coordinator *c, const struct hr_batch *b) {
    struct hr_counts *counts = &c->counts[c->plan->nodes - 1];
    counts->in += b->rows.n;
    counts->out += b->rows.n;
    return sink_of(c)->write(sink_self(c), b, &c->err);
}

static bool publish_batch(void *ctx, const struct hr_batch *b) {
    struct coordinator *c = ctx;
    struct hr_batch out;
    arena_reset(&c->batch);
    if (!chain_run(&c->after, b, &out)) return false;
    return !out.rows.n || write_rows(c, &out);
}

/* Complete and update output comes from the committed state, so it can be repeated. */
static bool publish_state(struct coordinator *c, int64_t epoch) {
    struct arena rows = {0};
    bool ok = begin(c, epoch) &&
              c->ports.rows(c->ports.ctx, c->plan->mode == HR_UPDATE ? epoch : -1, &rows, publish_batch, c, &c->err) &&
              flush(c) && make_visible(c, epoch);
    arena_free(&rows);
    return ok;
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
        if (!c->begun && w->batches) ok = begin(c, c->epoch);
        for (int i = 0; ok && i < w->batches; i++) ok = write_rows(c, &w->batch[i]);
        work_free(c, w);
    }
    return ok;
}

/* ---- an epoch's end ---- */

static bool merge(struct coordinator *c, const struct message *m) {
    for (int i = 0; i < plan_lane_end(c->plan); i++) {
        struct hr_counts *sum = &c->counts[i];
        const struct hr_counts *add = &m->counts[i];
        sum->in += add->in;
        sum->out += add->out;
        sum->filtered += add->filtered;
        sum->dropped += add->dropped;
        sum->bad += add->bad;
    }
    c->waiting--;
    return !c->state || (groups_merge(c->state, m->delta, &c->err) &&
                         plan_state_fits(&c->plan->node[c->plan->state], c->state, &c->err));
}

/* Counters of the operators behind the state run on to the next commit. */
static void take_after_counts(struct coordinator *c) {
    for (int i = c->after.from; i < c->after.to; i++) {
        c->counts[i] = c->after.counts[i - c->after.from];
        c->after.counts[i - c->after.from] = (struct hr_counts){0};
    }
}

/* Append rows were flushed before the commit: they are published with it. */
static bool commit(struct coordinator *c) {
    if (appends(c) && ((!c->begun && !begin(c, c->epoch)) || !flush(c))) return false;
    take_after_counts(c);
    int64_t published = appends(c) ? c->epoch : c->published;
    if (!c->ports.commit(c->ports.ctx, c->epoch, published, c->to, c->counts, &c->err)) return false;
    memset(c->counts, 0, (size_t)c->plan->nodes * sizeof *c->counts);
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
    struct epoch_report report = {.epoch = c->epoch, .records = 0, .from = c->from, .to = c->to};
    int64_t merged = now(c);
    report.records = c->counts[0].in;
    report.changed = c->state ? groups_changes(c->state) : 0;
    if (!commit(c)) return false;
    int64_t committed = now(c);
    if (!(appends(c) ? make_visible(c, c->epoch) : publish_state(c, c->epoch))) return false;
    c->published = c->epoch++;
    int64_t end = now(c);
    report.groups = c->state ? groups_count(c->state) : 0;
    report.wait_us = merged - c->closed_at;
    report.commit_us = committed - merged;
    report.publish_us = end - committed;
    report.total_us = end - c->closed_at;
    if (c->ports.report) c->ports.report(c->ports.ctx, &report);
    const struct hr_source *source = &plan_source(c->plan)->plugin->source;
    if (source->committed) source->committed(plan_source(c->plan)->self, c->to);
    swap_positions(c);
    return write_in_turn(c);
}

bool coordinator_recover(struct coordinator *c) {
    if (c->published >= c->epoch - 1 || appends(c)) return true;
    if (!publish_state(c, c->epoch - 1)) return false;
    c->published = c->epoch - 1;
    return true;
}

/* ---- steps ---- */

static bool time_to_close(struct coordinator *c, bool ended) {
    return ended || c->stop || now(c) >= c->due || (c->first && feed_caught_up(c->feed));
}

static enum step end_run(struct coordinator *c) {
    if (!c->failed && !c->ports.set_published(c->ports.ctx, c->published, &c->err)) c->failed = true;
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

/* A late trigger fires at once, and the next one keeps the rhythm. */
static void set_due(struct coordinator *c) {
    int64_t t = now(c);
    c->first = false;
    c->due += c->interval_us;
    if (c->due <= t) c->due = t + c->interval_us - (t - c->due) % c->interval_us;
}

static enum step close_if_due(struct coordinator *c) {
    bool ended = feed_ended(c->feed);
    if (!time_to_close(c, ended)) return STEP_IDLE;
    if (c->stop) feed_stop(c->feed);
    c->last = ended || c->stop;
    if (!feed_close_epoch(c->feed, true, &c->arena, &c->to)) {
        if (c->last) return end_run(c);
        if (now(c) >= c->due) set_due(c);
        return STEP_IDLE;
    }
    c->closed_at = now(c);
    c->waiting = c->lanes;
    set_due(c);
    return STEP_WORKED;
}

enum step coordinator_step(struct coordinator *c) {
    struct message *m = inbox_take(c->inbox);
    if (m) {
        bool closing = c->waiting > 0, ok = receive(c, m);
        free(m);
        if (!ok) return fail(c);
        if (!closing || c->waiting > 0) return STEP_WORKED;
        if (!finish(c)) return fail(c);
        return c->last ? end_run(c) : STEP_WORKED;
    }
    return c->waiting > 0 ? STEP_IDLE : close_if_due(c);
}

int64_t coordinator_wait_us(const struct coordinator *c) {
    int64_t left = c->due - now(c);
    if (c->first && left > 1000) return 1000; /* the source may have caught up: no event says so */
    return c->waiting > 0 || left > 100000 ? 100000 : left < 500 ? 500 : left;
}
