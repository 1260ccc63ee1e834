/* The checkpoint: one transaction an epoch, and the rows that sinks print. */
#include "core/state/store_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- opening and closing ---- */

static bool prepare_rows(struct store *s, struct hr_error *err) {
    s->put_row = arena_zalloc(&s->arena, ((size_t)s->job.nodes + 1) * sizeof *s->put_row);
    for (int i = 0; i < s->job.nodes; i++) {
        const struct store_node *n = &s->job.node[i];
        struct hr_buffer sql = {0};
        buffer_printf(&sql, "INSERT OR REPLACE INTO hr_state_%s VALUES(?, ?, ?", n->id);
        for (int k = 0; k < n->shape->keys + 2 * n->shape->aggs; k++) buffer_puts(&sql, ", ?");
        buffer_put(&sql, ")", 2);
        s->put_row[i] = store_prepare(s, s->db, sql.p, err);
        buffer_free(&sql);
        if (!s->put_row[i]) return false;
    }
    return true;
}

static bool prepare(struct store *s, struct hr_error *err) {
    s->put_position = store_prepare(s, s->db, "INSERT INTO hr_positions VALUES(?, ?, ?, ?, NULL, NULL) ON CONFLICT(split) DO UPDATE SET"
                                    " epoch = excluded.epoch, position_before = position, detail_before = detail,"
                                    " position = excluded.position, detail = excluded.detail", err);
    s->add_counts = store_prepare(s, s->db, "INSERT INTO hr_counters VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT(id) DO UPDATE SET"
                                  " rows_in = rows_in + excluded.rows_in, rows_out = rows_out + excluded.rows_out,"
                                  " filtered = filtered + excluded.filtered, dropped = dropped + excluded.dropped,"
                                  " dead = dead + excluded.dead, bad = bad + excluded.bad", err);
    s->put_meta = store_prepare(s, s->db, "UPDATE hr_meta SET epoch = ?, published = ?, checksum = ?", err);
    return s->put_position && s->add_counts && s->put_meta && prepare_rows(s, err);
}

/* Written only after the checks: another's file is left as it was. */
static bool open_file(struct store *s, struct hr_error *err) {
    if (!s->job.read_only && !store_lock(s, err)) return false;
    if (!s->job.read_only && access(s->path, F_OK) && !store_create(s, err)) return false;
    if (!store_connect(s, err)) return false;
    if (s->job.read_only)
        return store_exec(s, s->db, "BEGIN", err) && store_check(s, err) && store_load(s, err) && store_know_sinks(s, err);
    return store_check(s, err) && store_exec(s, s->db, "PRAGMA journal_mode=WAL", err) &&
           store_exec(s, s->db, s->job.sync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", err) &&
           store_load(s, err) && store_know_sinks(s, err) && prepare(s, err);
}

static void release(struct store *s) {
    sqlite3_finalize(s->put_position);
    sqlite3_finalize(s->add_counts);
    sqlite3_finalize(s->put_meta);
    for (int i = 0; s->put_row && i < s->job.nodes; i++) sqlite3_finalize(s->put_row[i]);
    sqlite3_close(s->db);
    for (int i = 0; i < s->job.nodes; i++) groups_free(s->job.node[i].groups);
    for (int i = 0; i < s->positions; i++) store_set_detail(&s->position[i], NULL);
    if (s->lock >= 0) close(s->lock);
    arena_free(&s->arena);
    free(s);
}

struct store *store_open(const char *path, const struct store_job *job, struct hr_error *err) {
    struct store *s = xcalloc(1, sizeof *s);
    s->path = path;
    s->job = *job;
    s->lock = -1;
    for (int i = 0; i < job->nodes; i++) job->node[i].groups = groups_new(job->node[i].shape);
    s->outbox = arena_zalloc(&s->arena, ((size_t)job->sinks + 1) * sizeof *s->outbox);
    bool ok = path ? open_file(s, err) : store_connect(s, err) && store_know_sinks(s, err) && prepare(s, err);
    if (ok) return s;
    release(s);
    return NULL;
}

/* Out of WAL, so that the main file alone is the checkpoint; a reader that is just looking keeps us from
 * it, which does no harm: the next run finds both files. */
bool store_close(struct store *s, struct hr_error *err) {
    (void)err;
    sqlite3_busy_timeout(s->db, 100);
    if (s->path && !s->job.read_only) {
        sqlite3_finalize(s->put_position);
        sqlite3_finalize(s->add_counts);
        sqlite3_finalize(s->put_meta);
        s->put_position = s->add_counts = s->put_meta = NULL;
        for (int i = 0; i < s->job.nodes; i++) sqlite3_finalize(s->put_row[i]), s->put_row[i] = NULL;
        sqlite3_exec(s->db, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL);
        /* a run that never came to commit leaves nothing that would bind the next one */
        if (s->epoch == 0 && s->positions == 0) unlink(s->path);
    }
    release(s);
    return true;
}

struct hr_positions store_positions(struct store *s) { return (struct hr_positions){s->positions, s->position}; }
int64_t store_epoch(struct store *s) { return s->epoch; }
int64_t store_published(struct store *s) { return s->published; }

/* ---- values ---- */

/* As sqlite3 shall show them: what SQLite has no type for is text, as on the console. */
static void bind_value(sqlite3_stmt *q, int at, struct hr_type type, const void *value, struct hr_buffer *scratch) {
    const struct hr_text *text = value;
    if (!value) { sqlite3_bind_null(q, at); return; }
    switch (type.id) {
    case HR_INT: sqlite3_bind_int(q, at, *(const int32_t *)value); return;
    case HR_BIGINT: sqlite3_bind_int64(q, at, *(const int64_t *)value); return;
    case HR_STRING: sqlite3_bind_text(q, at, text->n ? text->p : "", (int)text->n, SQLITE_TRANSIENT); return;
    case HR_DOUBLE:
        if (isnan(*(const double *)value)) break;
        sqlite3_bind_double(q, at, *(const double *)value);
        return;
    default: break;
    }
    scratch->n = 0;
    value_text(scratch, type, value);
    sqlite3_bind_text(q, at, scratch->p, (int)scratch->n, SQLITE_TRANSIENT);
}

/* Room for one value of any type. */
struct cell {
    _Alignas(16) char value[16];
    uint64_t valid;
};

static bool final(const struct groups *groups, const struct groups_shape *shape, uint32_t g, int a, struct cell *cell,
                  struct hr_error *err) {
    *cell = (struct cell){.valid = 1};
    struct hr_column column = {cell->value, &cell->valid, shape->agg[a].result};
    return shape->agg[a].fn->final(&shape->agg[a], groups_state(groups, g, a), &column, 0, err);
}

/* ---- committing ---- */

static bool step_done(struct store *s, sqlite3_stmt *q, struct hr_error *err) {
    bool ok = sqlite3_step(q) == SQLITE_DONE || store_fail(s, s->db, err, "");
    sqlite3_reset(q);
    return ok;
}

static void bind_keys(const struct store_node *n, sqlite3_stmt *q, uint32_t g, struct hr_buffer *scratch) {
    for (int k = 0; k < n->shape->keys; k++) bind_value(q, 4 + k, n->shape->key[k].type, groups_key_value(n->groups, g, k), scratch);
}

static bool put_group(struct store *s, int node, uint32_t g, int64_t epoch, struct hr_buffer *saved, struct hr_error *err) {
    const struct store_node *n = &s->job.node[node];
    sqlite3_stmt *q = s->put_row[node];
    const char *key;
    size_t key_n;
    groups_key(n->groups, g, &key, &key_n);
    uint64_t sum = hash_bytes(key, key_n, (uint64_t)epoch);
    sqlite3_bind_blob(q, 1, key, (int)key_n, SQLITE_STATIC);
    sqlite3_bind_int64(q, 2, epoch);
    bind_keys(n, q, g, saved);
    for (int k = 0; k < n->shape->aggs; k++) {
        const struct hr_agg *agg = &n->shape->agg[k];
        struct cell cell;
        int at = 4 + n->shape->keys + k;
        if (!final(n->groups, n->shape, g, k, &cell, err)) return false;
        bind_value(q, at, agg->result, cell.valid & 1 ? cell.value : NULL, saved);
        saved->n = 0;
        buffer_putc(saved, (char)agg->fn->version);
        if (!agg->fn->save(agg, groups_state(n->groups, g, k), saved)) return error_set(err, HR_EFAIL, "%s: cannot be saved", agg->fn->name);
        sum = hash_bytes(saved->p, saved->n, sum);
        sqlite3_bind_blob(q, at + n->shape->aggs, saved->p, (int)saved->n, SQLITE_TRANSIENT);
    }
    sqlite3_bind_int64(q, 3, (sqlite3_int64)sum);
    struct groups_stored *stored = groups_stored(n->groups, g);
    s->checksum += sum - stored->checksum;
    *stored = (struct groups_stored){sum, epoch};
    return step_done(s, q, err);
}

static bool put_changed(struct store *s, int node, int64_t epoch, struct hr_error *err) {
    uint32_t n;
    const uint32_t *group = groups_changed(s->job.node[node].groups, &n);
    struct hr_buffer saved = {0};
    bool ok = true;
    for (uint32_t i = 0; ok && i < n; i++) ok = put_group(s, node, group[i], epoch, &saved, err);
    buffer_free(&saved);
    return ok;
}

/* Number of the split's position, made if it isn't there. */
static int position_of(struct store *s, const char *split) {
    for (int i = 0; i < s->positions; i++)
        if (!strcmp(s->position[i].split, split)) return i;
    size_t n = (size_t)s->positions;
    struct hr_position *more = arena_alloc(&s->arena, (n + 1) * sizeof *more);
    struct store_before *before = arena_alloc(&s->arena, (n + 1) * sizeof *before);
    if (n) memcpy(more, s->position, n * sizeof *more);
    if (n) memcpy(before, s->before, n * sizeof *before);
    more[n] = (struct hr_position){.split = arena_strdup(&s->arena, split)};
    before[n] = (struct store_before){.none = true};
    s->position = more;
    s->before = before;
    return s->positions++;
}

/* It changes with every epoch of a file that grows: no memory of the arena. */
void store_set_detail(struct hr_position *p, const char *detail) {
    free((char *)p->detail);
    size_t n = detail ? strlen(detail) + 1 : 0;
    p->detail = detail ? memcpy(xmalloc(n), detail, n) : NULL;
}

static bool same_detail(const char *a, const char *b) { return a && b ? !strcmp(a, b) : a == b; }

static bool put_positions(struct store *s, int64_t epoch, struct hr_positions at, struct hr_error *err) {
    for (int i = 0; i < at.n; i++) {
        int known = s->positions, k = position_of(s, at.item[i].split);
        struct hr_position *p = &s->position[k];
        bool fresh = s->positions > known;
        if (!fresh && p->at == at.item[i].at && same_detail(p->detail, at.item[i].detail)) continue;
        if (!fresh) s->checksum -= position_checksum(p, &s->before[k]);
        s->before[k] = (struct store_before){epoch, p->at, fresh};
        p->at = at.item[i].at;
        store_set_detail(p, at.item[i].detail);
        s->checksum += position_checksum(p, &s->before[k]);
        sqlite3_bind_text(s->put_position, 1, p->split, -1, SQLITE_STATIC);
        sqlite3_bind_int64(s->put_position, 2, p->at);
        sqlite3_bind_text(s->put_position, 3, at.item[i].detail, -1, SQLITE_TRANSIENT);
        sqlite3_bind_int64(s->put_position, 4, epoch);
        if (!step_done(s, s->put_position, err)) return false;
    }
    return true;
}

static bool put_counts(struct store *s, const struct store_counts *counts, int n, struct hr_error *err) {
    for (int i = 0; i < n; i++) {
        const struct hr_counts *c = &counts[i].counts;
        uint64_t number[] = {c->in, c->out, c->filtered, c->dropped, c->dead, c->bad};
        sqlite3_bind_text(s->add_counts, 1, counts[i].id, -1, SQLITE_STATIC);
        for (int k = 0; k < 6; k++) sqlite3_bind_int64(s->add_counts, k + 2, (sqlite3_int64)number[k]);
        if (!step_done(s, s->add_counts, err)) return false;
    }
    return true;
}

static bool put_meta(struct store *s, struct hr_error *err) {
    sqlite3_bind_int64(s->put_meta, 1, s->epoch);
    sqlite3_bind_int64(s->put_meta, 2, s->published);
    sqlite3_bind_int64(s->put_meta, 3, (sqlite3_int64)s->checksum);
    return step_done(s, s->put_meta, err);
}

/* After a failure the memory is ahead of the file: the run ends, and the next one starts from the file. */
bool store_commit(struct store *s, int64_t epoch, int64_t published, struct hr_positions at,
                  const struct store_counts *counts, int n_counts, struct hr_error *err) {
    if (!store_exec(s, s->db, "BEGIN IMMEDIATE", err)) return false;
    bool ok = true;
    for (int i = 0; ok && epoch && i < s->job.nodes; i++) ok = put_changed(s, i, epoch, err);
    ok = ok && put_positions(s, epoch, at, err) && put_counts(s, counts, n_counts, err) && store_put_outbox(s, err);
    if (epoch) s->epoch = epoch;
    s->published = published;
    ok = ok && put_meta(s, err) && store_exec(s, s->db, "COMMIT", err);
    if (!ok) sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return ok;
}

bool store_set_published(struct store *s, int64_t published, struct hr_error *err) {
    s->published = published;
    return put_meta(s, err);
}

struct hr_counts store_counts_of(struct store *s, const char *id) {
    struct hr_counts c = {0};
    struct hr_error err = {0};
    sqlite3_stmt *q = store_prepare(s, s->db, "SELECT rows_in, rows_out, filtered, dropped, dead, bad FROM hr_counters WHERE id = ?", &err);
    if (!q) return c;
    sqlite3_bind_text(q, 1, id, -1, SQLITE_STATIC);
    if (sqlite3_step(q) == SQLITE_ROW)
        c = (struct hr_counts){(uint64_t)sqlite3_column_int64(q, 0), (uint64_t)sqlite3_column_int64(q, 1),
                               (uint64_t)sqlite3_column_int64(q, 2), (uint64_t)sqlite3_column_int64(q, 3),
                               (uint64_t)sqlite3_column_int64(q, 4), (uint64_t)sqlite3_column_int64(q, 5)};
    sqlite3_finalize(q);
    return c;
}

/* ---- rows ---- */

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

static bool add_row(const struct store_node *n, uint32_t g, struct hr_batch *b, struct hr_error *err) {
    uint32_t i = b->size;
    for (int k = 0; k < n->shape->keys; k++) {
        struct hr_column *c = &b->column[k];
        const void *value = groups_key_value(n->groups, g, k);
        if (value) memcpy((char *)c->at + i * hr_width(c->type), value, hr_width(c->type));
        else hr_set_null(c, i);
    }
    for (int k = 0; k < n->shape->aggs; k++) {
        const struct hr_agg *agg = &n->shape->agg[k];
        if (!agg->fn->final(agg, groups_state(n->groups, g, k), &b->column[n->shape->keys + k], i, err)) return false;
    }
    b->rows.n = ++b->size;
    return true;
}

bool store_rows(struct store *s, int node, int64_t only_epoch, struct arena *a,
                bool (*each)(void *ctx, const struct hr_batch *), void *ctx, struct hr_error *err) {
    const struct store_node *n = &s->job.node[node];
    uint32_t all;
    const uint32_t *order = groups_sorted(n->groups, &all);
    for (uint32_t i = 0; i < all;) {
        arena_reset(a);
        struct hr_batch b = rows_batch(a, n->shape);
        for (; i < all && b.size < HR_BATCH; i++) {
            if (only_epoch >= 0 && groups_stored(n->groups, order[i])->epoch != only_epoch) continue;
            if (!add_row(n, order[i], &b, err)) return false;
        }
        if (b.size && !each(ctx, &b)) return false;
    }
    return true;
}
