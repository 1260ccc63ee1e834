/* One worker's step: take a chunk, run it, hand over at an epoch's end. */
#include "core/engine/lane.h"

#include <stdlib.h>
#include <string.h>

/* ---- chain ---- */

void chain_init(struct chain *c, const struct plan *plan, int from, int to, struct groups **delta,
                struct hr_error *err) {
    size_t n = (size_t)(to > from ? to - from : 0);
    *c = (struct chain){.plan = plan, .from = from, .to = to};
    c->lane = xcalloc(n + 1, sizeof *c->lane);
    c->host = xcalloc(n + 1, sizeof *c->host);
    c->counts = xcalloc(n + 1, sizeof *c->counts);
    for (size_t i = 0; i < n; i++) {
        const struct node *node = &plan->node[from + (int)i];
        size_t size = node->plugin->kind == HR_OPERATOR ? node->plugin->op.lane_size : 0;
        c->host[i] = (struct lane_node){.node = node, .delta = delta, .letters = &c->letters};
        c->lane[i] = (struct hr_lane){.self = size ? xcalloc(1, size) : NULL, .counts = &c->counts[i],
                                      .err = err, .wanted = node->wanted, .host = &c->host[i]};
    }
}

void chain_free(struct chain *c) {
    for (int i = 0; i < c->to - c->from; i++) free(c->lane[i].self);
    free(c->lane);
    free(c->host);
    free(c->counts);
    free(c->letters.item);
}

void chain_memory(struct chain *c, struct arena *batch) {
    for (int i = 0; i < c->to - c->from; i++) c->host[i].batch = batch;
}

struct hr_batch batch_of(struct arena *a, const struct hr_schema *schema) {
    struct hr_batch b = {.columns = schema->n};
    b.column = arena_zalloc(a, ((size_t)schema->n + 1) * sizeof *b.column);
    for (int i = 0; i < schema->n; i++) b.column[i].type = schema->field[i].type;
    return b;
}

bool chain_run(struct chain *c, const struct hr_batch *in, bool (*each)(void *ctx, int node, const struct hr_batch *),
               void *ctx) {
    struct hr_batch now = *in;
    int first = c->from ? c->from : 1; /* a chain that begins with the source is given what fill() made */
    if (!each(ctx, first - 1, &now)) return false;
    for (int i = first; i < c->to; i++) {
        const struct node *node = &c->plan->node[i];
        struct hr_lane *lane = &c->lane[i - c->from];
        struct hr_batch next = batch_of(c->host[i - c->from].batch, &node->schema);
        next.rows = now.rows;
        next.size = now.size;
        next.split = now.split;
        next.position = now.position;
        lane->counts->in += now.rows.n;
        lane->good = NULL;
        struct profile_mark mark = profile_begin();
        if (!node->plugin->op.process(node->self, lane, &now, &next)) return false;
        if (node->plugin->op.stateful) next.rows = (struct hr_rows){0};
        lane->counts->out += next.rows.n;
        profile_node(mark, i, now.rows.n, 0);
        now = next;
        if (!each(ctx, i, &now)) return false;
    }
    return true;
}

/* ---- inbox ---- */

void inbox_init(struct inbox *box) {
    pthread_mutex_init(&box->lock, NULL);
    waker_init(&box->waker);
    box->first = NULL;
    box->last = &box->first;
}

void inbox_destroy(struct inbox *box) {
    for (struct message *m; (m = inbox_take(box)); free(m)) {}
    pthread_mutex_destroy(&box->lock);
    waker_destroy(&box->waker);
}

/* Its length is bounded by the feed's room and the number of lanes. */
static void inbox_put(struct inbox *box, struct message m) {
    struct message *copy = xmalloc(sizeof *copy);
    *copy = m;
    copy->next = NULL;
    pthread_mutex_lock(&box->lock);
    *box->last = copy;
    box->last = &copy->next;
    pthread_mutex_unlock(&box->lock);
    waker_wake(&box->waker);
}

struct message *inbox_take(struct inbox *box) {
    pthread_mutex_lock(&box->lock);
    struct message *m = box->first;
    if (m && !(box->first = m->next)) box->last = &box->first;
    pthread_mutex_unlock(&box->lock);
    return m;
}

/* ---- lane ---- */

static size_t chain_nodes(const struct lane *l) { return (size_t)(l->chain.to - l->chain.from); }

void lane_init(struct lane *l, int index, const struct plan *plan, struct feed *feed, struct inbox *inbox,
               int64_t epoch) {
    *l = (struct lane){.index = index, .plan = plan, .feed = feed, .inbox = inbox, .epoch = epoch};
    chain_init(&l->chain, plan, 0, plan_lane_end(plan), &l->delta, &l->err);
    chain_memory(&l->chain, &l->arena);
    l->reported = xcalloc(chain_nodes(l), sizeof *l->reported);
    if (plan->state < 0) return;
    l->delta = groups_new(&plan->node[plan->state].groups->shape);
    l->other = groups_new(&plan->node[plan->state].groups->shape);
}

void lane_free(struct lane *l) {
    chain_free(&l->chain);
    if (l->delta) groups_free(l->delta);
    if (l->other) groups_free(l->other);
    free(l->reported);
    arena_free(&l->arena);
}

/* The delta and counters of the epoch go to the coordinator; it is done with the last ones and has cleared
 * them, as an epoch is closed only after the one before it was published. */
static void hand_over(struct lane *l, int64_t epoch) {
    memcpy(l->reported, l->chain.counts, chain_nodes(l) * sizeof *l->reported);
    memset(l->chain.counts, 0, chain_nodes(l) * sizeof *l->chain.counts);
    struct groups *done = l->delta;
    l->delta = l->other;
    l->other = done;
    l->epoch = epoch;
    inbox_put(l->inbox, (struct message){.kind = MESSAGE_EPOCH, .lane = l->index, .delta = done,
                                         .bytes = l->counted, .counts = l->reported});
    l->counted = 0;
}

/* ---- rows for the append sinks ---- */

void work_free(struct work *w, struct feed *feed) {
    feed_give_back(feed, &w->chunk);
    arena_free(&w->arena);
    free(w->rows);
    free(w);
}

static void work_add(struct work *w, int sink, const struct hr_batch *b) {
    if (w->n == w->room) {
        w->room = w->room ? 2 * w->room : 4;
        w->rows = xrealloc(w->rows, (size_t)w->room * sizeof *w->rows);
    }
    w->rows[w->n++] = (struct work_rows){sink, *b};
}

struct taking {
    const struct plan *plan;
    struct work *work; /* NULL: no sink takes rows as they come */
};

static bool take_rows(void *ctx, int node, const struct hr_batch *b) {
    const struct taking *t = ctx;
    for (int i = plan_first_sink(t->plan); t->work && b->rows.n && i < t->plan->nodes; i++)
        if (t->plan->node[i].mode == HR_APPEND && t->plan->node[i].config->input == node) work_add(t->work, i, b);
    return true;
}

static void take_letters(struct lane *l, struct work *w) {
    struct letters *letters = &l->chain.letters;
    for (int i = plan_first_sink(l->plan); letters->n && i < l->plan->nodes; i++) {
        if (l->plan->node[i].config->reads < 0) continue;
        struct hr_batch b = letters_batch(letters, l->plan->node[i].config->reads, &w->arena);
        if (b.rows.n) work_add(w, i, &b);
    }
    letters->n = 0;
}

/* ---- a chunk ---- */

/* Batches of the chunk until its end; rows for the append sinks are added to `work`, if there is one. */
static bool run_chunk(struct lane *l, struct hr_chunk *chunk, struct work *work) {
    const struct node *source = plan_source(l->plan);
    struct arena *arena = work ? &work->arena : &l->arena;
    struct taking taking = {l->plan, work};
    uint64_t bytes = chunk->bytes;
    chain_memory(&l->chain, arena);
    for (;;) {
        if (!work) arena_reset(arena);
        struct hr_batch in = batch_of(arena, &source->schema);
        in.split = chunk->split;
        l->chain.lane[0].good = NULL;
        struct profile_mark mark = profile_begin();
        if (!source->plugin->source.fill(source->self, &l->chain.lane[0], chunk, &in)) return false;
        if (!in.size && !in.rows.n) return true;
        l->chain.counts[0].in += in.size;
        l->chain.counts[0].out += in.rows.n;
        profile_node(mark, 0, in.size, bytes);
        bytes = 0;
        if (!chain_run(&l->chain, &in, take_rows, &taking)) return false;
        if (work) take_letters(l, work);
    }
}

static enum step fail(struct lane *l) {
    l->failed = true;
    inbox_put(l->inbox, (struct message){.kind = MESSAGE_FAILED, .lane = l->index, .err = l->err});
    return STEP_DONE;
}

static enum step work_chunk(struct lane *l, struct taken *t) {
    struct work *work = NULL;
    if (plan_appends(l->plan)) {
        work = xcalloc(1, sizeof *work);
        work->epoch = t->epoch;
        work->number = t->number;
    }
    bool ok = run_chunk(l, &t->chunk, work);
    if (!work) {
        feed_give_back(l->feed, &t->chunk);
        return ok ? STEP_WORKED : fail(l);
    }
    work->chunk = t->chunk;
    inbox_put(l->inbox, (struct message){.kind = MESSAGE_WORK, .lane = l->index, .work = work});
    return ok ? STEP_WORKED : fail(l);
}

/* A lane that holds nothing always goes on, so that an epoch can end. */
static bool full(struct lane *l) {
    if (!l->delta) return false;
    size_t now = groups_resident(l->delta);
    atomic_fetch_add(&l->feed->budget.deltas, now - l->counted);
    l->counted = now;
    return groups_count(l->delta) && budget_over(&l->feed->budget);
}

enum step lane_step(struct lane *l) {
    if (l->failed) return STEP_DONE;
    struct taken t;
    bool wait = full(l);
    enum take what = wait ? feed_wait(l->feed, &t) : feed_take(l->feed, &t, &l->err);
    if (wait) waker_wake(&l->inbox->waker); /* the epoch is to end early */
    if (t.epoch > l->epoch) hand_over(l, t.epoch);
    l->retry_us = t.chunk.retry_us;
    switch (what) {
    case TAKE_CHUNK: return work_chunk(l, &t);
    case TAKE_FAILED: return fail(l);
    case TAKE_DONE:
        if (!l->told) waker_wake(&l->inbox->waker);
        l->told = true;
        return STEP_IDLE;
    default: return STEP_IDLE;
    }
}
