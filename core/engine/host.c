/* The table of calls that plug-ins get from the engine. */
#include "core/engine/bind.h"
#include "core/engine/lane.h"
#include "core/engine/run.h"

#include <string.h>

static void *batch_alloc(struct hr_lane *lane, size_t n) {
    return arena_alloc(((struct lane_node *)lane->host)->batch, n);
}

static bool eval(struct hr_lane *lane, const struct hr_expr *e, const struct hr_batch *b, struct hr_column *out) {
    return expr_eval(e, lane, b, out);
}

static bool json_read(struct hr_lane *lane, const struct hr_json *j, const struct hr_column *text,
                      struct hr_rows rows, struct hr_column *out, const char **reason) {
    json_reader_read(j, ((struct lane_node *)lane->host)->batch, text, rows, out, reason);
    return true;
}

static bool fold(struct hr_lane *lane, const struct hr_groups *g, const struct hr_batch *b) {
    struct lane_node *n = lane->host;
    size_t keys = (size_t)g->shape.keys, aggs = (size_t)g->shape.aggs;
    struct hr_column *column = arena_zalloc(n->batch, (keys + aggs + 1) * sizeof *column);
    for (size_t i = 0; i < keys; i++)
        if (!expr_eval(g->key[i], lane, b, &column[i])) return false;
    for (size_t i = 0; i < aggs; i++)
        if (g->arg[i] && !expr_eval(g->arg[i], lane, b, &column[keys + i])) return false;
    return groups_fold(*n->delta, column, column + keys, b->rows, lane->err) && plan_state_fits(n->node, *n->delta, lane->err);
}

static const char *place(const struct lane_node *n, const struct hr_batch *b, uint32_t row) {
    if (!b->split) return n->node->id;
    return arena_printf(n->batch, "%s: %s@%lld", n->node->id, b->split->name, b->position ? (long long)b->position[row] : -1ll);
}

/* Only the first of each node: a broken topic must not fill a disk with log lines. */
static void say_bad(const struct lane_node *n, const struct hr_batch *b, uint32_t row, enum hr_on_error policy, const char *reason) {
    static const char *const what[] = {"null instead", "dropped", "", "a dead letter"};
    atomic_bool *said = n->node->bad_said;
    if (atomic_load_explicit(said, memory_order_relaxed) || atomic_exchange(said, true)) return;
    log_line(HR_WARN, "%s: %s (%s; further bad rows are only counted)", place(n, b, row), reason, what[policy]);
}

static bool bad(struct hr_lane *lane, const struct hr_batch *b, uint32_t row, enum hr_on_error policy,
                struct hr_text value, const char *reason) {
    struct lane_node *n = lane->host;
    if (policy == HR_ON_ERROR_FAIL) return error_set(lane->err, HR_EFAIL, "%s: %s", place(n, b, row), reason);
    if (lane->good && !lane->good[row]) return true;
    lane->counts->bad++;
    say_bad(n, b, row, policy, reason);
    if (policy == HR_ON_ERROR_NULL) return true;
    if (!lane->good) lane->good = memset(arena_alloc(n->batch, HR_BATCH), 1, HR_BATCH);
    lane->good[row] = 0;
    if (policy == HR_ON_ERROR_DROP) return lane->counts->dropped++, true;
    lane->counts->dead++;
    letters_put(n->letters, (struct letter){n->node, value, arena_strdup(n->batch, reason), b->split, b->position[row]});
    return true;
}

static bool parse(struct hr_type type, struct hr_text text, void *value, struct hr_lane *lane) {
    (void)lane;
    return value_parse(type, text, value);
}

static void wake(const struct hr_open *open) { waker_wake(open->host); }
static bool stopping(void) { return run_stopping(); }

static int folder(const struct hr_sink_open *open, const char *path) {
    return folder_beneath(*(const int *)open->host, path, open->err);
}

const struct hr_host engine_host = {
    .abi = HR_ABI,
    .fail = error_set,
    .log = log_line,
    .fault = bind_fault,
    .column = bind_column,
    .output = bind_output,
    .pipeline_alloc = bind_alloc,
    .expr = bind_expr,
    .expr_need = expr_need,
    .schema = bind_schema,
    .json = bind_json,
    .groups = bind_groups,
    .groups_need = bind_groups_need,
    .not_rereadable = bind_not_rereadable,
    .batch_alloc = batch_alloc,
    .eval = eval,
    .json_read = json_read,
    .fold = fold,
    .bad = bad,
    .parse = parse,
    .wake = wake,
    .stopping = stopping,
    .folder = folder,
    .put = buffer_put,
    .buffer_free = buffer_free,
    .put_value = value_text,
    .put_json = value_json,
    .resize = xrealloc,
    .put_shown = buffer_shown,
};
