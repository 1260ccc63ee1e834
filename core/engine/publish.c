/* See publish.h. */
#include "core/engine/publish.h"
#include "core/engine/outbox.h"

#include <stdlib.h>
#include <string.h>

void publisher_init(struct publisher *p, const struct plan *plan, struct publish_ports ports, const int64_t *since,
                    struct hr_counts *counts, struct hr_error *err) {
    *p = (struct publisher){.plan = plan, .ports = ports, .counts = counts, .err = err,
                            .keeps = plan->not_rereadable && plan->config.checkpoint};
    p->output = xcalloc((size_t)plan->sinks + 1, sizeof *p->output);
    for (int i = 0; i < plan->sinks; i++) {
        struct output *o = &p->output[i];
        o->number = plan_first_sink(plan) + i;
        o->node = &plan->node[o->number];
        o->sink = &o->node->plugin->sink;
        o->since = since ? since[i] : 0;
        o->takes = true;
        if (o->node->mode == HR_APPEND) continue;
        chain_init(&o->after, plan, plan->state + 1, o->node->config->input + 1, NULL, err);
        chain_memory(&o->after, &p->batch);
    }
}

void publisher_free(struct publisher *p) {
    for (int i = 0; i < p->plan->sinks; i++) {
        if (p->output[i].node->mode != HR_APPEND) chain_free(&p->output[i].after);
        buffer_free(&p->output[i].outbox);
    }
    free(p->output);
    arena_free(&p->batch);
}

/* ---- one sink ---- */

static bool appends(const struct output *o) { return o->node->mode == HR_APPEND; }

static bool begin(struct publisher *p, struct output *o, int64_t epoch) {
    if (o->begun) return true;
    o->begun = true;
    o->rows = 0;
    return !o->sink->begin || o->sink->begin(o->node->self, epoch, p->err);
}

static bool flush(struct publisher *p, struct output *o) { return !o->sink->flush || o->sink->flush(o->node->self, p->err); }

static bool publish(struct publisher *p, struct output *o, int64_t epoch) {
    o->begun = false;
    return !o->sink->publish || o->sink->publish(o->node->self, epoch, p->err);
}

/* Append rows are counted in the epoch's own commit, those of the state in the next one. */
static bool write_rows(struct publisher *p, struct output *o, const struct hr_batch *b) {
    if (!p->again || !appends(o)) {
        p->counts[o->number].in += b->rows.n;
        p->counts[o->number].out += b->rows.n;
    }
    o->rows += b->rows.n;
    if (!o->takes) return true; /* it was given them before */
    struct profile_mark mark = profile_begin();
    bool ok = !b->rows.n || o->sink->write(o->node->self, b, p->err);
    profile_node(mark, o->number, b->rows.n, 0);
    return ok;
}

/* ---- append ---- */

static size_t most(const struct publisher *p) {
    enum { BLOB = 1000000000 /* SQLite's limit */ };
    int64_t n = p->plan->config.limits.outbox.n;
    return n > BLOB ? BLOB : (size_t)n;
}

static size_t waiting(const struct publisher *p) {
    size_t n = 0;
    for (int i = 0; i < p->plan->sinks; i++) n += p->output[i].outbox.n;
    return n;
}

bool publisher_is_full(const struct publisher *p) { return p->keeps && waiting(p) > most(p) / 2; }

static bool keep(struct publisher *p, struct output *o, const struct hr_batch *b) {
    outbox_put(&o->outbox, plan_input(p->plan, o->number), b);
    return waiting(p) <= most(p) ||
           error_set(p->err, HR_EFAIL, "%s: the rows of one epoch take more than %zu bytes in the outbox, as the source cannot be read again: "
                     "a shorter trigger, or more in limits: {outbox: ...}", o->node->id, most(p));
}

bool publisher_take(struct publisher *p, int64_t epoch, const struct work *w) {
    for (int i = 0; i < w->n; i++) {
        struct output *o = &p->output[w->rows[i].sink - plan_first_sink(p->plan)];
        if (!o->takes) continue;
        if (!begin(p, o, epoch) || !write_rows(p, o, &w->rows[i].batch)) return false;
        if (p->keeps && !keep(p, o, &w->rows[i].batch)) return false;
    }
    return true;
}

bool publisher_flush(struct publisher *p, int64_t epoch) {
    for (int i = 0; i < p->plan->sinks; i++) {
        struct output *o = &p->output[i];
        if (!appends(o) || !o->takes) continue;
        if (!begin(p, o, epoch) || !flush(p, o)) return false;
        if (p->keeps) p->ports.keep(p->ports.ctx, i, o->outbox.p, o->outbox.n);
    }
    return true;
}

/* ---- complete and update: from the committed state ---- */

struct from_state {
    struct publisher *p;
    struct output *o;
};

static bool take_result(void *ctx, int node, const struct hr_batch *b) {
    const struct from_state *f = ctx;
    return node != f->o->node->config->input || write_rows(f->p, f->o, b);
}

static bool take_state(void *ctx, const struct hr_batch *b) {
    const struct from_state *f = ctx;
    arena_reset(&f->p->batch);
    return chain_run(&f->o->after, b, take_result, ctx);
}

/* Each sink runs the operators behind the state anew; an epoch counts them once, by the first sink that is behind them. */
static void add_counts(struct publisher *p, struct output *o) {
    for (int i = o->after.from; i < o->after.to; i++) {
        struct hr_counts *c = &o->after.counts[i - o->after.from];
        if (i >= p->counted) counts_add(&p->counts[i], c);
        *c = (struct hr_counts){0};
    }
    if (o->after.to > p->counted) p->counted = o->after.to;
}

static bool read_state(struct publisher *p, struct output *o, int64_t epoch) {
    struct arena rows = {0};
    struct from_state from = {p, o};
    bool ok = p->ports.rows(p->ports.ctx, o->node->mode == HR_UPDATE ? epoch : -1, &rows, take_state, &from, p->err);
    add_counts(p, o);
    arena_free(&rows);
    return ok;
}

static bool publish_state(struct publisher *p, struct output *o, int64_t epoch) {
    return begin(p, o, epoch) && read_state(p, o, epoch) && flush(p, o) && publish(p, o, epoch);
}

bool publisher_publish(struct publisher *p, int64_t epoch) {
    for (int i = 0; i < p->plan->sinks; i++) {
        struct output *o = &p->output[i];
        if (!o->takes) continue;
        if (!(appends(o) ? publish(p, o, epoch) : publish_state(p, o, epoch))) return false;
        hr_buffer_reset(&o->outbox);
    }
    p->counted = 0;
    return true;
}

/* ---- after a restart ---- */

static bool refuse(struct publisher *p, const struct output *o, const char *why, int64_t remembered, int64_t epoch) {
    return error_set(p->err, HR_ECHECKPOINT, "sink '%s' (%s) remembers epoch %lld of this pipeline, the checkpoint is at epoch %lld: %s; "
                     "a sink with another id is a new one", o->node->id, o->node->target, (long long)remembered, (long long)epoch, why);
}

/* The table in publish.h; o->takes: it misses the newest epoch. */
static bool decide(struct publisher *p, struct output *o, int64_t epoch, int64_t published, bool remembers) {
    int64_t m = 0, p_here = published > o->since ? published : o->since;
    bool asked = remembers && o->sink->remembered;
    if (asked && !o->sink->remembered(o->node->self, &m, p->err)) return false;
    if (m > epoch) return refuse(p, o, "is the checkpoint an old copy?", m, epoch);
    int64_t at = !asked ? p_here : m > o->since ? m : o->since;
    if (at < p_here || at < epoch - 1) return refuse(p, o, "was it emptied or replaced?", m, epoch);
    o->takes = at < epoch;
    return true;
}

static bool take_again(void *ctx, const struct work *w) {
    struct publisher *p = ctx;
    return publisher_take(p, p->again, w);
}

static bool take_kept(void *ctx, const struct hr_batch *b) {
    const struct from_state *f = ctx;
    return write_rows(f->p, f->o, b);
}

static bool write_kept(struct publisher *p, int i) {
    struct output *o = &p->output[i];
    struct arena bytes = {0}, rows = {0};
    struct from_state from = {p, o};
    const char *at;
    size_t n;
    bool ok = p->ports.kept(p->ports.ctx, i, &bytes, &at, &n, p->err) && begin(p, o, p->again) &&
              outbox_get(at, n, o->node->id, plan_input(p->plan, o->number), &rows, take_kept, &from, p->err);
    arena_free(&bytes);
    arena_free(&rows);
    return ok;
}

/* Append rows of the epoch once more. */
static bool write_again(struct publisher *p) {
    bool any = false, ok = true;
    for (int i = 0; ok && i < p->plan->sinks; i++) {
        if (!appends(&p->output[i]) || !p->output[i].takes) continue;
        any = true;
        if (p->keeps) ok = write_kept(p, i);
    }
    if (!ok || !any || p->keeps) return ok;
    return p->ports.replay(p->ports.ctx, take_again, p, p->err);
}

/* A sink was killed with the epoch shown and what it was given not counted: the commit that says so did not come. */
static bool count_shown(struct publisher *p, int64_t epoch, int64_t published) {
    bool ok = true;
    for (int i = 0; ok && published < epoch && i < p->plan->sinks; i++) {
        struct output *o = &p->output[i];
        if (!appends(o) && !o->takes && o->since < epoch) ok = read_state(p, o, epoch);
    }
    return ok;
}

bool publisher_recover(struct publisher *p, int64_t epoch, int64_t published, bool remembers) {
    bool ok = true, any = false;
    for (int i = 0; ok && i < p->plan->sinks; i++) {
        ok = decide(p, &p->output[i], epoch, published, remembers);
        any |= p->output[i].takes;
    }
    p->again = epoch;
    ok = ok && count_shown(p, epoch, published);
    bool keeps = p->keeps;
    if (ok && any) {
        ok = write_again(p);
        p->keeps = false; /* what is kept for this epoch is in the checkpoint */
        ok = ok && publisher_flush(p, epoch) && publisher_publish(p, epoch);
    }
    p->keeps = keeps;
    p->again = 0;
    p->counted = 0;
    for (int i = 0; i < p->plan->sinks; i++) p->output[i].takes = true;
    return ok;
}
