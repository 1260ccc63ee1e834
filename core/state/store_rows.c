/* The rows that sinks print: from memory, or from the file where groups are cold. */
#include "core/state/store_internal.h"

#include <string.h>

static struct hr_batch rows_batch(struct arena *a, const struct groups_shape *shape) {
    struct hr_batch b = {.columns = shape->keys + shape->aggs};
    b.column = arena_zalloc(a, ((size_t)b.columns + 1) * sizeof *b.column);
    for (int k = 0; k < b.columns; k++) {
        struct hr_column *c = &b.column[k];
        c->type = k < shape->keys ? shape->key[k].type : shape->agg[k - shape->keys].result;
        c->at = arena_zalloc(a, HR_BATCH * hr_width(c->type));
        c->valid = arena_alloc(a, HR_BATCH / 8);
        memset(c->valid, 0xff, HR_BATCH / 8);
    }
    return b;
}

static bool add_row(const struct store_node *n, struct groups *groups, uint32_t g, struct hr_batch *b, struct hr_error *err) {
    uint32_t i = b->size;
    for (int k = 0; k < n->shape->keys; k++) {
        struct hr_column *c = &b->column[k];
        const void *value = groups_key_value(groups, g, k);
        if (value) memcpy((char *)c->at + i * hr_width(c->type), value, hr_width(c->type));
        else hr_set_null(c, i);
    }
    for (int k = 0; k < n->shape->aggs; k++) {
        const struct hr_agg *agg = &n->shape->agg[k];
        if (!agg->fn->final(agg, groups_state(groups, g, k), &b->column[n->shape->keys + k], i, err)) return false;
    }
    b->rows.n = ++b->size;
    return true;
}

/* Those of only_epoch among the groups listed, or all with -1. */
static bool rows_here(struct store *s, int node, const uint32_t *group, uint32_t groups, int64_t only_epoch, struct arena *a,
                      bool (*each)(void *ctx, const struct hr_batch *), void *ctx, struct hr_error *err) {
    const struct store_node *n = &s->job.node[node];
    for (uint32_t i = 0; i < groups;) {
        arena_reset(a);
        struct hr_batch b = rows_batch(a, n->shape);
        for (; i < groups && b.size < HR_BATCH; i++) {
            if (only_epoch >= 0 && groups_stored(n->groups, group[i])->epoch != only_epoch) continue;
            if (!add_row(n, n->groups, group[i], &b, err)) return false;
        }
        if (b.size && !each(ctx, &b)) return false;
    }
    return true;
}

/* Up to a batch of rows into the table of a few. False: an error, or *end. */
static bool fetch_few(struct store *s, int node, sqlite3_stmt *q, bool *end, struct hr_error *err) {
    struct groups *few = s->rows[node].few;
    groups_clear(few);
    while (groups_count(few) < HR_BATCH) {
        int step = sqlite3_step(q);
        if (step != SQLITE_ROW) return (*end = step == SQLITE_DONE) || store_fail(s, s->db, err, "");
        uint64_t sum;
        if (!store_row_checksum(s, node, q, &sum, err) || !store_get_group(s, node, q, few, err)) return false;
    }
    return true;
}

static bool rows_stored(struct store *s, int node, int64_t only_epoch, struct arena *a,
                        bool (*each)(void *ctx, const struct hr_batch *), void *ctx, struct hr_error *err) {
    const struct store_node *n = &s->job.node[node];
    struct groups *few = s->rows[node].few;
    sqlite3_stmt *q = store_select(s, node, only_epoch >= 0 ? "WHERE hr_epoch = ? ORDER BY hr_key" : "ORDER BY hr_key", err);
    if (!q) return false;
    if (only_epoch >= 0) sqlite3_bind_int64(q, 1, only_epoch);
    bool ok = true, end = false;
    while (ok && !end) {
        ok = fetch_few(s, node, q, &end, err);
        arena_reset(a);
        struct hr_batch b = rows_batch(a, n->shape);
        for (uint32_t i = 0; ok && i < groups_count(few); i++) ok = add_row(n, few, i, &b, err);
        if (ok && b.size) ok = each(ctx, &b);
    }
    sqlite3_finalize(q);
    return ok;
}

bool store_rows(struct store *s, int node, int64_t only_epoch, struct arena *a,
                bool (*each)(void *ctx, const struct hr_batch *), void *ctx, struct hr_error *err) {
    struct groups *groups = s->job.node[node].groups;
    uint32_t n = 0;
    const uint32_t *group = only_epoch == s->epoch ? groups_last_changed(groups, &n) : NULL;
    if (!group && groups_cold(groups)) return rows_stored(s, node, only_epoch, a, each, ctx, err);
    if (!group) group = groups_sorted(groups, &n);
    return rows_here(s, node, group, n, only_epoch, a, each, ctx, err);
}
