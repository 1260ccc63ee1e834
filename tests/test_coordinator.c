/* The coordinator, stepped by hand: what lanes hand over comes in any order, and sinks see one epoch after the other. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/coordinator.h"
#include "core/engine/replay.h"

extern const struct hr_plugin *const hr_builtin[];
const struct hr_plugin *const hr_builtin[] = {NULL}; /* the program's; this test brings its own plug-ins */

/* ---- a source that is only asked for positions, and a sink that writes down what it is told ---- */

static char said[4096];

static void say(const char *format, ...) {
    size_t n = strlen(said);
    va_list args;
    va_start(args, format);
    vsnprintf(said + n, sizeof said - n, format, args);
    va_end(args);
}

static bool source_fails;

static enum hr_poll source_poll(void *self, struct hr_chunk *chunk, struct hr_error *err) {
    (void)self;
    if (source_fails) return error_set(err, HR_EDATALOSS, "gone"), HR_FAILED;
    chunk->records = 1;
    return HR_CHUNK;
}

static struct hr_positions source_positions(void *self) {
    (void)self;
    static const struct hr_position at = {"s", 1, NULL};
    return (struct hr_positions){1, &at};
}

static bool sink_begin(void *self, int64_t epoch, struct hr_error *err) {
    (void)self, (void)err;
    say("begin %d; ", (int)epoch);
    return true;
}

static bool sink_write(void *self, const struct hr_batch *b, struct hr_error *err) {
    (void)self, (void)err;
    say("row %d; ", (int)b->position[0]);
    return true;
}

static bool sink_flush(void *self, struct hr_error *err) {
    (void)self, (void)err;
    say("flush; ");
    return true;
}

static bool sink_publish(void *self, int64_t epoch, struct hr_error *err) {
    (void)self, (void)err;
    say("publish %d; ", (int)epoch);
    return true;
}

static const struct hr_plugin source = {.kind = HR_SOURCE, .name = "made",
                                        .source = {.poll = source_poll, .positions = source_positions}};
static const struct hr_plugin sink = {.kind = HR_SINK, .name = "told",
                                      .sink = {.modes = HR_APPEND, .begin = sink_begin, .write = sink_write,
                                               .flush = sink_flush, .publish = sink_publish}};

static int64_t port_now(void *ctx) { return *(int64_t *)ctx; }

static bool port_commit(void *ctx, int64_t epoch, int64_t published, struct hr_positions at,
                        struct hr_counts *counts, struct hr_error *err) {
    (void)ctx, (void)published, (void)at, (void)counts, (void)err;
    say("commit %d; ", (int)epoch);
    return true;
}

static bool port_end(void *ctx, int64_t published, struct hr_counts *counts, struct hr_error *err) {
    (void)ctx, (void)published, (void)counts, (void)err;
    return true;
}

/* ---- a run of two lanes that are this test ---- */

static int64_t clock_us;
static struct node node[2];
static struct plan plan;
static struct waker waker;
static struct feed feed;
static struct inbox inbox;
static struct coordinator coordinator;

static void start(void) {
    said[0] = '\0';
    clock_us = 0;
    static const struct node_config reads_source = {.input = 0, .reads = -1, .letters = -1};
    node[0] = (struct node){.id = "made", .plugin = &source};
    node[1] = (struct node){.id = "told", .plugin = &sink, .mode = HR_APPEND, .config = &reads_source};
    plan = (struct plan){.nodes = 2, .sinks = 1, .node = node, .state = -1, .config.trigger_us = 1000};
    waker_init(&waker);
    feed_init(&feed, &waker, &node[0], 1, 100);
    inbox_init(&inbox);
    struct ports ports = {.ctx = &clock_us, .now = port_now, .commit = port_commit, .end = port_end};
    coordinator_init(&coordinator, &plan, ports, &feed, &inbox, 2, NULL, 1, 0, NULL);
    coordinator_begin(&coordinator, (struct hr_positions){0});
}

static void end(void) {
    for (struct message *m; (m = inbox_take(&inbox)); free(m))
        if (m->kind == MESSAGE_WORK) work_free(m->work, &feed);
    coordinator_free(&coordinator);
    inbox_destroy(&inbox);
    feed_destroy(&feed);
    waker_destroy(&waker);
}

static void put(struct message m) {
    struct message *copy = xmalloc(sizeof *copy);
    *copy = m;
    copy->next = NULL;
    *inbox.last = copy;
    inbox.last = &copy->next;
}

/* The next chunk is taken, and worked through to one row that bears its number. */
static struct work *work(void) {
    struct taken t;
    struct hr_error err = {0};
    ck_assert_int_eq(feed_take(&feed, &t, &err), TAKE_CHUNK);
    struct work *w = xcalloc(1, sizeof *w);
    int64_t *position = arena_alloc(&w->arena, sizeof *position);
    *position = (int64_t)t.number;
    w->chunk = t.chunk;
    w->epoch = t.epoch;
    w->number = t.number;
    w->n = w->room = 1;
    w->rows = xcalloc(1, sizeof *w->rows);
    w->rows[0] = (struct work_rows){1, {.rows = {NULL, 1}, .size = 1, .position = position}};
    return w;
}

static void hand_in(struct work *w) { put((struct message){.kind = MESSAGE_WORK, .work = w}); }

static void end_epoch(int lane) {
    static const struct hr_counts counts[2];
    put((struct message){.kind = MESSAGE_EPOCH, .lane = lane, .counts = counts});
}

static void step_all(void) {
    for (enum step s; (s = coordinator_step(&coordinator)) != STEP_IDLE;) ck_assert_int_eq(s, STEP_WORKED);
}

START_TEST(rows_come_in_the_order_of_chunks) {
    start();
    struct work *first = work(), *second = work();
    hand_in(second);
    step_all();
    ck_assert_str_eq(said, "");
    hand_in(first);
    step_all();
    ck_assert_str_eq(said, "begin 1; row 0; row 1; ");
    end();
}
END_TEST

/* One lane is a chunk into epoch 2 while the other has not handed over epoch 1. */
START_TEST(rows_of_the_next_epoch_wait_for_the_commit) {
    start();
    hand_in(work());
    step_all();
    clock_us = 1000;
    step_all();
    end_epoch(0);
    hand_in(work());
    step_all();
    ck_assert_str_eq(said, "begin 1; row 0; ");
    end_epoch(1);
    step_all();
    ck_assert_str_eq(said, "begin 1; row 0; flush; commit 1; publish 1; begin 2; row 1; ");
    end();
}
END_TEST

/* Where the sink is slower than the lanes, there is always another chunk. */
START_TEST(a_full_inbox_keeps_no_epoch_open) {
    start();
    hand_in(work());
    hand_in(work());
    clock_us = 1000;
    ck_assert_int_eq(coordinator_step(&coordinator), STEP_WORKED);
    ck_assert_int_eq(coordinator.waiting, 2);
    struct work *next = work();
    ck_assert_int_eq(next->epoch, 2);
    hand_in(next);
    end();
}
END_TEST

/* The lane's message is not there yet: until then nothing is over. */
START_TEST(a_failed_source_is_no_end) {
    start();
    struct taken t;
    struct hr_error err = {0};
    source_fails = true;
    ck_assert_int_eq(feed_take(&feed, &t, &err), TAKE_FAILED);
    ck_assert_int_eq(coordinator_step(&coordinator), STEP_IDLE);
    put((struct message){.kind = MESSAGE_FAILED, .err = err});
    ck_assert_int_eq(coordinator_step(&coordinator), STEP_DONE);
    ck_assert(coordinator.failed && coordinator.err.code == HR_EDATALOSS);
    source_fails = false;
    end();
}
END_TEST

/* ---- an epoch that is read again ---- */

static enum hr_poll source_ends(void *self, struct hr_chunk *chunk, struct hr_error *err) {
    (void)self, (void)chunk, (void)err;
    return HR_END;
}

/* The source ends, and stands at 1 of "s" then: replay() to that position of that split. */
static bool replay_to(const char *split, int64_t at, struct hr_error *err) {
    static const struct hr_plugin ends = {.kind = HR_SOURCE, .name = "ends", .self_size = 1,
                                          .source = {.poll = source_ends, .positions = source_positions}};
    static char self, bound;
    struct hr_position until = {split, at, NULL};
    start();
    node[0] = (struct node){.id = "made", .plugin = &ends, .self = &self, .bound = &bound};
    bool ok = replay(&plan, (struct hr_positions){0}, (struct hr_positions){1, &until}, NULL, NULL, err);
    end();
    return ok;
}

START_TEST(what_is_read_again_ends_where_the_epoch_did) {
    static const struct { const char *split; int64_t at; } other[] = {{"s", 2}, {"s", 0}, {"t", 1}};
    struct hr_error err = {0};
    ck_assert_msg(replay_to("s", 1, &err), "%s", err.text);
    for (int i = 0; i < 3; i++) {
        err = (struct hr_error){0};
        ck_assert(!replay_to(other[i].split, other[i].at, &err));
        ck_assert_int_eq(err.code, HR_EDATALOSS);
        ck_assert_ptr_nonnull(strstr(err.text, "'made'"));
    }
}
END_TEST

int main(void) {
    Suite *s = suite_create("coordinator");
    TCase *t = tcase_create("epochs");
    tcase_add_test(t, rows_come_in_the_order_of_chunks);
    tcase_add_test(t, rows_of_the_next_epoch_wait_for_the_commit);
    tcase_add_test(t, a_full_inbox_keeps_no_epoch_open);
    tcase_add_test(t, a_failed_source_is_no_end);
    tcase_add_test(t, what_is_read_again_ends_where_the_epoch_did);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
