/* The checkpoint: one transaction an epoch. */
#include "core/state/store_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- opening and closing ---- */

static bool prepare(struct store *s, struct hr_error *err) {
    s->put_position = store_prepare(s, s->db, "INSERT INTO hr_positions VALUES(?, ?, ?, ?, NULL, NULL) ON CONFLICT(split) DO UPDATE SET"
                                    " epoch = excluded.epoch, position_before = position, detail_before = detail,"
                                    " position = excluded.position, detail = excluded.detail", err);
    s->add_counts = store_prepare(s, s->db, "INSERT INTO hr_counters VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT(id) DO UPDATE SET"
                                  " rows_in = rows_in + excluded.rows_in, rows_out = rows_out + excluded.rows_out,"
                                  " filtered = filtered + excluded.filtered, dropped = dropped + excluded.dropped,"
                                  " dead = dead + excluded.dead, bad = bad + excluded.bad", err);
    s->put_meta = store_prepare(s, s->db, "UPDATE hr_meta SET epoch = ?, published = ?, checksum = ?", err);
    return s->put_position && s->add_counts && s->put_meta && store_prepare_groups(s, err);
}

/* In place of SQLite's own hook, which passes over a failure: then the -wal would grow without bounds, and an fsync that
 * failed would be tried again and succeed without its pages. The commit itself has been done. */
static int on_commit(void *self, sqlite3 *db, const char *schema, int pages) {
    struct store *s = self;
    int code = pages < s->wal_pages ? SQLITE_OK : sqlite3_wal_checkpoint_v2(db, schema, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return code == SQLITE_BUSY || code == SQLITE_LOCKED ? SQLITE_OK : code; /* of a reader: the next commit tries again */
}

/* What a run left in the -wal that was killed before its fsync, or whose fsync failed, can be read and is perhaps not on
 * the disk. Before a sink is shown it, it has to be: copied into the file, with an fsync of both. */
static bool make_durable(const struct store *s, struct hr_error *err) {
    if (!s->job.sync) return true;
    int code = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_FULL, NULL, NULL);
    return code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED || store_fail(s, s->db, err, "");
}

/* Written only after the checks: another's file is left as it was. */
static bool open_file(struct store *s, struct hr_error *err) {
    if (!s->job.read_only && !store_lock(s, err)) return false;
    if (!s->job.read_only && access(s->path, F_OK) && !store_create(s, err)) return false;
    if (!store_connect(s, err)) return false;
    if (s->job.read_only)
        return store_exec(s, s->db, "BEGIN", err) && store_check(s, err) && store_load(s, err) && store_know_sinks(s, err);
    sqlite3_wal_hook(s->db, on_commit, s);
    return store_check(s, err) && store_exec(s, s->db, "PRAGMA journal_mode=WAL; PRAGMA journal_size_limit=67108864", err) &&
           store_exec(s, s->db, s->job.sync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", err) &&
           make_durable(s, err) && store_load(s, err) && store_know_sinks(s, err) && prepare(s, err);
}

static void release(struct store *s) {
    sqlite3_finalize(s->put_position);
    sqlite3_finalize(s->add_counts);
    sqlite3_finalize(s->put_meta);
    store_release_groups(s);
    if (s->db && s->failed) sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close(s->db);
    for (int i = 0; i < s->job.nodes; i++) {
        groups_free(s->job.node[i].groups);
        groups_free(s->rows[i].few);
    }
    buffer_free(&s->saved);
    buffer_free(&s->text);
    for (int i = 0; i < s->positions; i++) store_set_detail(&s->position[i], NULL);
    if (s->lock >= 0) close(s->lock);
    arena_free(&s->arena);
    free(s);
}

/* Of the memory, 3/8 may stay with the state between two epochs: another epoch's changes come on top of it. */
static void make_groups(struct store *s) {
    s->rows = arena_zalloc(&s->arena, ((size_t)s->job.nodes + 1) * sizeof *s->rows);
    for (int i = 0; i < s->job.nodes; i++) {
        struct store_node *n = &s->job.node[i];
        n->groups = groups_new(n->shape);
        groups_limit(n->groups, s->job.memory / 8 * 3);
        s->rows[i].few = groups_new(n->shape);
        s->rows[i].saved_end = arena_zalloc(&s->arena, ((size_t)n->shape->aggs + 1) * sizeof(size_t));
    }
}

bool store_there(const char *path, struct hr_error *err) {
    if (!path) return error_set(err, HR_ECHECKPOINT, "the pipeline has no checkpoint");
    return access(path, R_OK) == 0 || error_set(err, HR_ECHECKPOINT, "no checkpoint at %s: %s", path, strerror(errno));
}

struct store *store_open(const char *path, const struct store_job *job, struct hr_error *err) {
    struct store *s = xcalloc(1, sizeof *s);
    s->path = path;
    s->job = *job;
    s->lock = -1;
    s->wal_pages = STORE_WAL_PAGES;
    make_groups(s);
    s->outbox = arena_zalloc(&s->arena, ((size_t)job->sinks + 1) * sizeof *s->outbox);
    bool ok = path ? open_file(s, err) : store_connect(s, err) && store_know_sinks(s, err) && prepare(s, err);
    if (ok) return s;
    s->failed = err->code == HR_EFAIL; /* of the disk, not refused: closing it writes nothing either */
    release(s);
    return NULL;
}

/* Out of WAL, so that the main file alone is the checkpoint, unless a commit failed; a reader that is just looking keeps us from
 * it, which does no harm: the next run finds both files. */
bool store_close(struct store *s, struct hr_error *err) {
    bool ok = true;
    sqlite3_busy_timeout(s->db, 100);
    if (s->path && !s->job.read_only && !s->failed) {
        sqlite3_finalize(s->put_position);
        sqlite3_finalize(s->add_counts);
        sqlite3_finalize(s->put_meta);
        s->put_position = s->add_counts = s->put_meta = NULL;
        store_release_groups(s);
        int code = sqlite3_exec(s->db, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL);
        s->failed = code != SQLITE_OK;
        ok = code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED;
        if (!ok && !err->code) store_fail(s, s->db, err, "");
        /* a run that never came to commit leaves nothing that would bind the next one */
        if (s->epoch == 0 && s->positions == 0) unlink(s->path);
    }
    release(s);
    return ok;
}

struct hr_positions store_positions(struct store *s) { return (struct hr_positions){s->positions, s->position}; }
int64_t store_epoch(struct store *s) { return s->epoch; }
int64_t store_published(struct store *s) { return s->published; }

/* ---- committing ---- */

bool store_step(struct store *s, sqlite3_stmt *q, struct hr_error *err) {
    if (s->unbound) return error_set(err, HR_EFAIL, "checkpoint %s: a value cannot be stored: %s", store_name(s), sqlite3_errstr(s->unbound));
    bool ok = sqlite3_step(q) == SQLITE_DONE || store_fail(s, s->db, err, "");
    sqlite3_reset(q);
    return ok;
}

/* In the arena, so it doubles: what is left behind is no more than what is kept. */
static void make_room(struct store *s) {
    if (s->positions < s->room) return;
    size_t n = (size_t)s->positions, room = n < 8 ? 16 : 2 * n;
    struct hr_position *more = arena_alloc(&s->arena, room * sizeof *more);
    struct store_before *before = arena_alloc(&s->arena, room * sizeof *before);
    if (n) memcpy(more, s->position, n * sizeof *more);
    if (n) memcpy(before, s->before, n * sizeof *before);
    s->position = more;
    s->before = before;
    s->room = (int)room;
}

/* Number of the split's position, made if it isn't there. A source names its splits in the same order each time, so the
 * one after the last is tried first. */
static int position_of(struct store *s, const char *split) {
    for (int i = 0; i < s->positions; i++) {
        int k = (s->turn + i) % s->positions;
        if (strcmp(s->position[k].split, split)) continue;
        s->turn = k + 1;
        return k;
    }
    make_room(s);
    s->position[s->positions] = (struct hr_position){.split = arena_strdup(&s->arena, split)};
    s->before[s->positions] = (struct store_before){.none = true};
    s->turn = s->positions + 1;
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
        s->unbound |= sqlite3_bind_text(s->put_position, 3, at.item[i].detail, -1, SQLITE_TRANSIENT);
        sqlite3_bind_int64(s->put_position, 4, epoch);
        if (!store_step(s, s->put_position, err)) return false;
    }
    return true;
}

static bool put_counts(struct store *s, const struct store_counts *counts, int n, struct hr_error *err) {
    for (int i = 0; i < n; i++) {
        const struct hr_counts *c = &counts[i].counts;
        uint64_t number[] = {c->in, c->out, c->filtered, c->dropped, c->dead, c->bad};
        sqlite3_bind_text(s->add_counts, 1, counts[i].id, -1, SQLITE_STATIC);
        for (int k = 0; k < 6; k++) sqlite3_bind_int64(s->add_counts, k + 2, (sqlite3_int64)number[k]);
        if (!store_step(s, s->add_counts, err)) return false;
    }
    return true;
}

static bool put_meta(struct store *s, struct hr_error *err) {
    sqlite3_bind_int64(s->put_meta, 1, s->epoch);
    sqlite3_bind_int64(s->put_meta, 2, s->published);
    sqlite3_bind_int64(s->put_meta, 3, (sqlite3_int64)s->checksum);
    return store_step(s, s->put_meta, err);
}

static bool put_groups(struct store *s, int64_t epoch, struct store_counts *counts, int n, struct hr_error *err) {
    for (int node = 0; epoch && node < s->job.nodes; node++) {
        uint64_t unfit = 0;
        if (!store_put_groups(s, node, epoch, &unfit, err)) return false;
        for (int i = 0; i < n; i++)
            if (!strcmp(counts[i].id, s->job.node[node].id)) counts[i].counts.bad += unfit;
    }
    return true;
}

/* After a failure the memory is ahead of the file: the run ends, and the next one starts from the file. */
bool store_commit(struct store *s, int64_t epoch, int64_t published, struct hr_positions at,
                  struct store_counts *counts, int n_counts, struct hr_error *err) {
    if (!store_exec(s, s->db, "BEGIN IMMEDIATE", err)) return false;
    bool ok = put_groups(s, epoch, counts, n_counts, err) && put_positions(s, epoch, at, err) && put_counts(s, counts, n_counts, err) && store_put_outbox(s, err);
    if (epoch) s->epoch = epoch;
    s->published = published;
    ok = ok && put_meta(s, err) && store_exec(s, s->db, "COMMIT", err);
    if (!ok) sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    s->failed |= !ok;
    return ok;
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
