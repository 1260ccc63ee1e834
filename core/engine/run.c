/* Threads around the step functions, the store behind the coordinator, and the two signals. */
#include "core/engine/run.h"
#include "core/engine/replay.h"
#include "core/state/store.h"

#include <errno.h>
#include <fcntl.h>
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
    struct store_job job;
    struct arena arena;
    int data_dir;
    struct coordinator coordinator;
    struct lane lane[MOST_LANES];
    pthread_t thread[MOST_LANES];
    int lanes, started; /* how many have a thread */
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

static int64_t port_now(void *ctx) {
    const struct run_driver *driver = ((struct run *)ctx)->options->driver;
    return driver ? driver->now() : clock_monotonic_us();
}

static bool commit(struct run *r, int64_t epoch, int64_t published, struct hr_positions at, struct hr_counts *counts,
                   struct hr_error *err) {
    struct store_counts *named = xcalloc((size_t)r->plan->nodes, sizeof *named);
    for (int i = 0; i < r->plan->nodes; i++) named[i] = (struct store_counts){r->plan->node[i].id, counts[i]};
    bool ok = store_commit(r->store, epoch, published, at, named, r->plan->nodes, err);
    for (int i = 0; i < r->plan->nodes; i++) {
        counts[i] = named[i].counts;
        if (ok && r->options->counts) counts_add(&r->options->counts[i], &counts[i]);
    }
    free(named);
    return ok;
}

static bool port_commit(void *ctx, int64_t epoch, int64_t published, struct hr_positions at,
                        struct hr_counts *counts, struct hr_error *err) {
    return commit(ctx, epoch, published, at, counts, err);
}

static bool port_end(void *ctx, int64_t published, struct hr_counts *counts, struct hr_error *err) {
    struct run *r = ctx;
    if (store_published(r->store) == published) return true;
    return commit(r, 0, published, (struct hr_positions){0}, counts, err);
}

static bool port_rows(void *ctx, int64_t only_epoch, struct arena *a,
                      bool (*each)(void *, const struct hr_batch *), void *each_ctx, struct hr_error *err) {
    return store_rows(((struct run *)ctx)->store, 0, only_epoch, a, each, each_ctx, err);
}

static bool port_replay(void *ctx, bool (*take)(void *, const struct work *), void *take_ctx, struct hr_error *err) {
    struct run *r = ctx;
    struct arena a = {0};
    bool ok = replay(r->plan, store_positions_before(r->store, &a), store_positions(r->store), take, take_ctx, err);
    arena_free(&a);
    return ok;
}

static void port_keep(void *ctx, int sink, const void *p, size_t n) { store_outbox_put(((struct run *)ctx)->store, sink, p, n); }

static bool port_kept(void *ctx, int sink, struct arena *a, const char **p, size_t *n, struct hr_error *err) {
    return store_outbox_get(((struct run *)ctx)->store, sink, a, p, n, err);
}

static void port_report(void *ctx, const struct epoch_report *report) {
    struct run *r = ctx;
    if (r->options->report) r->options->report(r->plan, report);
}

/* ---- threads ---- */

static void *lane_main(void *arg) {
    struct lane *lane = arg;
    struct run *r = (struct run *)((char *)lane->feed - offsetof(struct run, feed));
    profile_enter(r->options->profile);
    while (!atomic_load(&r->quit)) {
        uint64_t seen = waker_count(&r->waker);
        enum step s = lane_step(lane);
        if (s == STEP_DONE) break;
        int64_t retry = lane->retry_us > 0 && lane->retry_us < 100000 ? lane->retry_us : 100000;
        if (s == STEP_IDLE) waker_wait(&r->waker, seen, retry);
    }
    profile_leave();
    return NULL;
}

/* Only the main thread takes signals; it looks at least each 100 ms whether one came. */
static bool start_lanes(struct run *r, struct hr_error *err) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool ok = true;
    int started = 0;
    while (started < r->lanes && ok)
        ok = pthread_create(&r->thread[started], NULL, lane_main, &r->lane[started]) == 0 ? started++, true : false;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    r->started = started;
    return ok || error_set(err, HR_EFAIL, "cannot start a lane's thread");
}

static void stop_lanes(struct run *r) {
    atomic_store(&r->quit, true);
    feed_stop(&r->feed);
    for (int i = 0; i < r->started; i++) pthread_join(r->thread[i], NULL);
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

static bool run_threads(struct run *r, struct hr_error *err) {
    bool ok = start_lanes(r, err);
    if (ok) coordinate(r);
    stop_lanes(r);
    return ok;
}

/* ---- a run ---- */

struct store_job job_of(const struct plan *p, struct arena *a) {
    struct store_job job = {.name = p->config.name, .source = plan_source(p)->target, .sinks = p->sinks,
                            .memory = (size_t)p->config.limits.memory.n};
    job.sink = arena_zalloc(a, ((size_t)p->sinks + 1) * sizeof *job.sink);
    for (int i = 0; i < p->sinks; i++) {
        const struct node *sink = &p->node[plan_first_sink(p) + i];
        job.sink[i] = (struct store_sink){sink->id, sink->target, 0};
        job.sync |= sink->plugin->sink.elsewhere;
    }
    if (p->state < 0) return job;
    const struct node *n = &p->node[p->state];
    job.nodes = 1;
    job.node = arena_zalloc(a, sizeof *job.node);
    *job.node = (struct store_node){n->id, n->groups->signature, &n->groups->shape, NULL};
    return job;
}

/* The starting positions are committed before the first record is read: a kill before the first epoch
 * would otherwise lose what came in between under "latest". */
static bool commit_start(struct run *r, struct hr_error *err) {
    if (store_positions(r->store).n) return true;
    const struct node *source = plan_source(r->plan);
    struct hr_positions at = source->plugin->source.positions(source->self);
    return !at.n || store_commit(r->store, 0, 0, at, NULL, 0, err);
}

static void start(struct run *r) {
    int64_t epoch = store_epoch(r->store) + 1;
    int64_t *since = arena_zalloc(&r->arena, ((size_t)r->job.sinks + 1) * sizeof *since);
    for (int i = 0; i < r->job.sinks; i++) since[i] = r->job.sink[i].since;
    feed_init(&r->feed, &r->waker, plan_source(r->plan), epoch, CHUNKS_PER_LANE * r->lanes);
    r->feed.budget.limit = (size_t)r->plan->config.limits.memory.n / 4 * 3; /* the rest: sorting, SQLite, chunks */
    inbox_init(&r->inbox);
    struct ports ports = {.ctx = r, .now = port_now, .commit = port_commit, .end = port_end, .report = port_report,
                          .publish = {r, port_rows, port_replay, port_keep, port_kept}};
    coordinator_init(&r->coordinator, r->plan, ports, &r->feed, &r->inbox, r->lanes, r->job.nodes ? r->job.node->groups : NULL,
                     epoch, store_published(r->store), since);
}

static void finish(struct run *r) {
    coordinator_free(&r->coordinator);
    for (struct message *m; (m = inbox_take(&r->inbox)); free(m))
        if (m->kind == MESSAGE_WORK) work_free(m->work, &r->feed);
    inbox_destroy(&r->inbox);
    feed_destroy(&r->feed);
}

static bool take_error(struct run *r, struct hr_error *err) {
    return error_set(err, r->coordinator.err.code, "%s", r->coordinator.err.text);
}

static bool recover(struct run *r, struct hr_error *err) {
    return coordinator_recover(&r->coordinator, r->plan->config.checkpoint != NULL) || take_error(r, err);
}

static bool run_lanes(struct run *r, struct hr_error *err) {
    const struct node *source = plan_source(r->plan);
    coordinator_begin(&r->coordinator, source->plugin->source.positions(source->self));
    for (int i = 0; i < r->lanes; i++) lane_init(&r->lane[i], i, r->plan, &r->feed, &r->inbox, r->coordinator.epoch);
    const struct run_driver *driver = r->options->driver;
    bool ok = driver ? (driver->drive(&r->coordinator, r->lane, r->lanes), true) : run_threads(r, err);
    for (int i = 0; i < r->lanes; i++) lane_free(&r->lane[i]);
    return ok && (!r->coordinator.failed || take_error(r, err));
}

static bool run_source(struct run *r, struct hr_error *err) {
    struct hr_open open = {.from = store_positions(r->store), .bounded = r->plan->config.available_now,
                           .job = r->plan->config.name, .err = err, .host = &r->waker};
    bool ok = source_open(r->plan, &open) && commit_start(r, err) && run_lanes(r, err);
    finish(r); /* chunks go back to the source before it is closed */
    source_close(r->plan);
    return ok;
}

/* ---- sinks ---- */

static bool open_sinks(struct run *r, struct hr_error *err) {
    for (int i = plan_first_sink(r->plan); i < r->plan->nodes; i++)
        memcpy(r->plan->node[i].self, r->plan->node[i].bound, r->plan->node[i].plugin->self_size);
    for (int i = plan_first_sink(r->plan); i < r->plan->nodes; i++) {
        const struct node *n = &r->plan->node[i];
        struct hr_sink_open open = {.rows = plan_input(r->plan, i), .mode = n->mode, .pipeline = store_pipeline(r->store),
                                    .id = n->id, .restarts = r->plan->config.checkpoint != NULL,
                                    .interval_us = r->plan->config.available_now ? 1000000 : r->plan->config.trigger_us,
                                    .err = err, .host = &r->data_dir};
        if (n->plugin->sink.open && !n->plugin->sink.open(n->self, &open)) return false;
    }
    return true;
}

static void close_sinks(struct run *r) {
    for (int i = plan_first_sink(r->plan); i < r->plan->nodes; i++)
        if (r->plan->node[i].plugin->sink.close) r->plan->node[i].plugin->sink.close(r->plan->node[i].self);
}

/* ---- a run ---- */

/* How many groups there are is known for sure only within a commit, where some of them are cold. */
static bool state_fits(const struct store_job *job, int node, struct hr_error *err) {
    const struct plan *p = job->host;
    return plan_state_fits(&p->node[p->state], job->node[node].groups, err);
}

static bool run_store(struct run *r, int64_t *epoch, struct hr_error *err) {
    r->job = job_of(r->plan, &r->arena);
    r->job.fits = state_fits;
    r->job.host = r->plan;
    r->store = store_open(r->plan->config.checkpoint, &r->job, err);
    if (!r->store) return false;
    start(r);
    bool ok = !r->job.nodes || plan_state_fits(&r->plan->node[r->plan->state], r->job.node->groups, err); /* a limit may be lower now */
    ok = ok && open_sinks(r, err) && recover(r, err);
    if (ok) ok = run_source(r, err);
    else finish(r);
    close_sinks(r);
    *epoch = store_epoch(r->store);
    ok = store_close(r->store, err) && ok;
    return ok;
}

int run_default_lanes(void) {
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > 4 ? 4 : (int)n;
}

/* *epoch: the newest in the checkpoint, where it was opened. */
static bool run_once(const struct plan *plan, const struct run_options *options, int data_dir, int64_t *epoch,
                     struct hr_error *err) {
    struct run *r = xcalloc(1, sizeof *r);
    r->plan = plan;
    r->options = options;
    r->data_dir = data_dir;
    r->lanes = options->lanes > 0 ? options->lanes : run_default_lanes();
    if (r->lanes > MOST_LANES) r->lanes = MOST_LANES;
    waker_init(&r->waker);
    bool ok = run_store(r, epoch, err);
    waker_destroy(&r->waker);
    arena_free(&r->arena);
    free(r);
    return ok;
}

/* A sink that lost what it held back is given it again from the checkpoint, as after a kill. */
static bool may_repeat(const struct plan *plan, const struct hr_error *err) {
    return err->code == HR_EREPEAT && plan->config.checkpoint && !plan->not_rereadable;
}

int run_plan(const struct plan *plan, const struct run_options *options, struct hr_error *err) {
    enum { TRIES = 3 }; /* without an epoch in between */
    const char *dir = options->data_dir ? options->data_dir : ".";
    int data_dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (data_dir < 0) return error_set(err, HR_EUSAGE, "--data-dir %s: %s", dir, strerror(errno)), HR_EUSAGE;
    if (!options->driver) catch_signals();
    profile_enter(options->profile); /* the coordinator is this thread */
    int64_t epoch = 0, last = 0;
    bool ok = run_once(plan, options, data_dir, &epoch, err);
    for (int tries = 1; !ok && may_repeat(plan, err) && (epoch > last || tries < TRIES); tries++) {
        if (epoch > last) tries = 0;
        last = epoch;
        log_line(HR_WARN, "%s; starting over from the checkpoint", err->text);
        *err = (struct hr_error){0};
        ok = run_once(plan, options, data_dir, &epoch, err);
    }
    profile_leave();
    close(data_dir);
    /* an open() that gave up waiting because it was asked to has no error */
    if (ok || (stop_asked && !err->code)) return HR_OK;
    return err->code && err->code != HR_EREPEAT ? err->code : HR_EFAIL;
}
