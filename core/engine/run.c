/* Threads around the step functions, the store behind the coordinator, and the two signals. */
#include "core/engine/run.h"
#include "core/state/store.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* More than this many chunks are never out at once: what bounds memory when the sink is slow. */
enum { CHUNKS_PER_LANE = 4, MOST_LANES = 64 };

struct run {
    const struct plan *plan;
    const struct run_options *options;
    struct waker waker; /* of the lanes */
    struct feed feed;
    struct inbox inbox;
    struct store *store;
    struct coordinator coordinator;
    struct lane lane[MOST_LANES];
    pthread_t thread[MOST_LANES];
    int lanes;
    atomic_bool quit;
};

/* ---- signals: the first asks to finish the epoch, the second ends at once ---- */

static volatile sig_atomic_t stop_asked;

static void on_signal(int n) {
    if (stop_asked) _exit(128 + n);
    stop_asked = 1;
}

bool run_stopping(void) { return stop_asked; }

static void catch_signals(void) {
    struct sigaction stop = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};
    stop_asked = 0;
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

/* ---- ports ---- */

static int64_t port_now(void *ctx) { (void)ctx; return clock_monotonic_us(); }

static bool port_commit(void *ctx, int64_t epoch, int64_t published, struct hr_positions at,
                        const struct hr_counts *counts, struct hr_error *err) {
    struct run *r = ctx;
    struct store_counts *named = xcalloc((size_t)r->plan->nodes, sizeof *named);
    for (int i = 0; i < r->plan->nodes; i++) named[i] = (struct store_counts){r->plan->node[i].id, counts[i]};
    bool ok = store_commit(r->store, epoch, published, at, named, r->plan->nodes, err);
    free(named);
    return ok;
}

static bool port_set_published(void *ctx, int64_t epoch, struct hr_error *err) {
    struct run *r = ctx;
    return store_published(r->store) == epoch || store_set_published(r->store, epoch, err);
}

static bool port_rows(void *ctx, int64_t only_epoch, struct arena *a,
                      bool (*each)(void *, const struct hr_batch *), void *each_ctx, struct hr_error *err) {
    return store_rows(((struct run *)ctx)->store, 0, only_epoch, a, each, each_ctx, err);
}

static void port_report(void *ctx, const struct epoch_report *report) {
    struct run *r = ctx;
    if (r->options->report) r->options->report(r->plan, report);
}

/* ---- threads ---- */

static void *lane_main(void *arg) {
    struct lane *lane = arg;
    struct run *r = (struct run *)((char *)lane->feed - offsetof(struct run, feed));
    while (!atomic_load(&r->quit)) {
        uint64_t seen = waker_count(&r->waker);
        enum step s = lane_step(lane);
        if (s == STEP_DONE) break;
        int64_t retry = lane->retry_us > 0 && lane->retry_us < 100000 ? lane->retry_us : 100000;
        if (s == STEP_IDLE) waker_wait(&r->waker, seen, retry);
    }
    return NULL;
}

/* Only the main thread takes signals, so that they interrupt its wait. */
static bool start_lanes(struct run *r, int64_t epoch, struct hr_error *err) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool ok = true;
    for (int i = 0; i < r->lanes; i++) lane_init(&r->lane[i], i, r->plan, &r->feed, &r->inbox, epoch);
    int started = 0;
    while (started < r->lanes && ok)
        ok = pthread_create(&r->thread[started], NULL, lane_main, &r->lane[started]) == 0 ? started++, true : false;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (ok) return true;
    for (int i = started; i < r->lanes; i++) lane_free(&r->lane[i]);
    r->lanes = started;
    return error_set(err, HR_EFAIL, "cannot start a lane's thread");
}

static void stop_lanes(struct run *r) {
    atomic_store(&r->quit, true);
    feed_stop(&r->feed);
    for (int i = 0; i < r->lanes; i++) pthread_join(r->thread[i], NULL);
}

static void coordinate(struct run *r) {
    struct coordinator *c = &r->coordinator;
    for (;;) {
        uint64_t seen = waker_count(&r->inbox.waker);
        c->stop = stop_asked;
        enum step s = coordinator_step(c);
        if (s == STEP_DONE) return;
        if (s == STEP_IDLE) waker_wait(&r->inbox.waker, seen, coordinator_wait_us(c));
    }
}

/* ---- a run ---- */

struct store_job job_of(const struct plan *p, struct store_node *node) {
    struct store_job job = {.name = p->config.name, .source = p->source,
                            .sync = plan_sink(p)->plugin->sink.elsewhere};
    if (p->state < 0) return job;
    const struct node *n = &p->node[p->state];
    *node = (struct store_node){n->id, n->groups->signature, &n->groups->shape, NULL};
    job.nodes = 1;
    job.node = node;
    return job;
}

static bool open_source(struct run *r, struct hr_open *open) {
    const struct node *source = plan_source(r->plan);
    return !source->plugin->source.open || source->plugin->source.open(source->self, open);
}

/* The starting positions are committed before the first record is read: a kill before the first epoch
 * would otherwise lose what came in between under "latest". */
static bool commit_start(struct run *r, struct hr_error *err) {
    if (store_positions(r->store).n) return true;
    const struct node *source = plan_source(r->plan);
    struct hr_positions at = source->plugin->source.positions(source->self);
    return !at.n || store_commit(r->store, 0, 0, at, NULL, 0, err);
}

static bool run_epochs(struct run *r, struct store_node *node, struct hr_error *err) {
    int64_t epoch = store_epoch(r->store) + 1;
    const struct node *source = plan_source(r->plan);
    feed_init(&r->feed, &r->waker, source, epoch, CHUNKS_PER_LANE * r->lanes);
    inbox_init(&r->inbox);
    struct ports ports = {r, port_now, port_commit, port_set_published, port_rows, port_report};
    struct hr_positions from = source->plugin->source.positions(source->self);
    coordinator_init(&r->coordinator, r->plan, ports, &r->feed, &r->inbox, r->lanes, node->groups, epoch,
                     store_published(r->store), from);
    bool ok = coordinator_recover(&r->coordinator);
    if (ok && start_lanes(r, epoch, err)) {
        coordinate(r);
        ok = !r->coordinator.failed;
    }
    stop_lanes(r);
    if (!ok) error_set(err, r->coordinator.err.code, "%s", r->coordinator.err.text);
    coordinator_free(&r->coordinator);
    for (struct message *m; (m = inbox_take(&r->inbox)); free(m)) {
        if (m->kind != MESSAGE_WORK) continue;
        feed_give_back(&r->feed, &m->work->chunk);
        arena_free(&m->work->arena);
        free(m->work->batch);
        free(m->work);
    }
    for (int i = 0; i < r->lanes; i++) lane_free(&r->lane[i]);
    inbox_destroy(&r->inbox);
    feed_destroy(&r->feed);
    return ok && !err->code;
}

static bool run_open(struct run *r, struct hr_error *err) {
    const struct node *source = plan_source(r->plan), *sink = plan_sink(r->plan);
    struct store_node node = {0};
    struct store_job job = job_of(r->plan, &node);
    r->store = store_open(r->plan->config.checkpoint, &job, err);
    if (!r->store) return false;
    struct hr_open open = {.from = store_positions(r->store), .bounded = r->plan->config.available_now,
                           .job = r->plan->config.name, .err = err, .host = &r->waker};
    const struct hr_schema *rows = plan_input(r->plan, r->plan->nodes - 1);
    bool ok = !job.nodes || plan_state_fits(&r->plan->node[r->plan->state], node.groups, err); /* a limit may be lower now */
    ok = ok && open_source(r, &open) && commit_start(r, err);
    bool sink_open = ok && sink->plugin->sink.open;
    if (sink_open) ok = sink->plugin->sink.open(sink->self, rows, err);
    ok = ok && run_epochs(r, &node, err);
    if (sink->plugin->sink.close) sink->plugin->sink.close(sink->self);
    if (source->plugin->source.close) source->plugin->source.close(source->self);
    ok = store_close(r->store, err) && ok;
    return ok;
}

int run_default_lanes(void) {
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > 4 ? 4 : (int)n;
}

int run_plan(const struct plan *plan, const struct run_options *options, struct hr_error *err) {
    struct run *r = xcalloc(1, sizeof *r);
    r->plan = plan;
    r->options = options;
    r->lanes = options->lanes > 0 ? options->lanes : run_default_lanes();
    if (r->lanes > MOST_LANES) r->lanes = MOST_LANES;
    waker_init(&r->waker);
    catch_signals();
    bool ok = run_open(r, err);
    waker_destroy(&r->waker);
    free(r);
    /* an open() that gave up waiting because it was asked to has no error */
    if (ok || (stop_asked && !err->code)) return HR_OK;
    return err->code ? err->code : HR_EFAIL;
}
