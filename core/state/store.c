/* The checkpoint: one transaction an epoch. */
#include "core/state/store_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- opening and closing ---- */

static bool prepare(struct store *s, struct hr_error *err) {
    s->put_position = store_prepare(s, s->db, "INSERT OR REPLACE INTO hr_positions VALUES(?, ?, ?, ?, ?, ?)", err);
    s->put_counts = store_prepare(s, s->db, "INSERT OR REPLACE INTO hr_counters VALUES(?, ?, ?, ?, ?, ?, ?)", err);
    s->put_meta = store_prepare(s, s->db, "UPDATE hr_meta SET epoch = ?, published = ?, checksum = ? WHERE checksum = ?", err);
    return s->put_position && s->put_counts && s->put_meta && store_prepare_groups(s, err);
}

/* In place of SQLite's own hook, which passes over a failure: then the -wal would grow without bounds, and an fsync that
 * failed would be tried again and succeed without its pages. The commit itself has been done. The first epoch goes to the
 * file at once: whoever removes the -wal of a run that was killed is then at an earlier epoch, and not at none. */
static int on_commit(void *self, sqlite3 *db, const char *schema, int pages) {
    struct store *s = self;
    if (pages < s->wal_pages && s->in_file) return SQLITE_OK;
    int left = 0, done = 0, code = sqlite3_wal_checkpoint_v2(db, schema, SQLITE_CHECKPOINT_PASSIVE, &left, &done);
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED) return SQLITE_OK; /* of a reader: the next commit tries again */
    s->in_file |= s->epoch > 0 && left == done;
    return code;
}

/* What a run left in the -wal that was killed before its fsync, or whose fsync failed, can be read and is perhaps not on
 * the disk. Before a sink is shown it, it has to be: copied into the file, with an fsync of both. */
static bool make_durable(const struct store *s, struct hr_error *err) {
    if (!s->job.sync) return true;
    int code = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_FULL, NULL, NULL);
    return code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED || store_fail(s, s->db, err, "");
}

/* Written only after all checks: a file that is refused is left as it was. */
static bool open_file(struct store *s, struct hr_error *err) {
    if (!s->job.read_only && !store_lock(s, err)) return false;
    if (!s->job.read_only && access(s->path, F_OK) && !store_create(s, err)) return false;
    if (!store_connect(s, err)) return false;
    if (s->job.read_only && !store_exec(s, s->db, "BEGIN", err)) return false;
    if (!store_check(s, err) || !store_load(s, err) || !store_know_sinks(s, err)) return false;
    if (s->job.read_only) return true;
    sqlite3_wal_hook(s->db, on_commit, s);
    return store_exec(s, s->db, "PRAGMA journal_mode=WAL; PRAGMA journal_size_limit=67108864", err) &&
           store_exec(s, s->db, s->job.sync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", err) &&
           make_durable(s, err) && prepare(s, err);
}

static void release(struct store *s) {
    sqlite3_finalize(s->put_position);
    sqlite3_finalize(s->put_counts);
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
    store_free_positions(s);
    free(s->total);
    free(s->known);
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
    bool ok = path ? open_file(s, err) : store_connect(s, err) && prepare(s, err) && store_know_sinks(s, err);
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
        sqlite3_finalize(s->put_counts);
        sqlite3_finalize(s->put_meta);
        s->put_position = s->put_counts = s->put_meta = NULL;
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

int64_t store_epoch(struct store *s) { return s->epoch; }
int64_t store_published(struct store *s) { return s->published; }

/* ---- committing ---- */

bool store_step(struct store *s, sqlite3_stmt *q, struct hr_error *err) {
    if (s->unbound) return error_set(err, HR_EFAIL, "checkpoint %s: a value cannot be stored: %s", store_name(s), sqlite3_errstr(s->unbound));
    bool ok = sqlite3_step(q) == SQLITE_DONE || store_fail(s, s->db, err, "");
    sqlite3_reset(q);
    return ok;
}

/* Two runs on one checkpoint, as its lock file was removed: the one that comes second has not seen what the first did. */
bool store_put_meta(struct store *s, struct hr_error *err) {
    uint64_t sum = store_checksum(s);
    sqlite3_bind_int64(s->put_meta, 1, s->epoch);
    sqlite3_bind_int64(s->put_meta, 2, s->published);
    sqlite3_bind_int64(s->put_meta, 3, (sqlite3_int64)sum);
    sqlite3_bind_int64(s->put_meta, 4, (sqlite3_int64)s->committed);
    if (!store_step(s, s->put_meta, err)) return false;
    if (sqlite3_changes(s->db) != 1)
        return error_set(err, HR_ECHECKPOINT, "checkpoint %s: another process has written to it meanwhile", store_name(s));
    s->committed = sum;
    return true;
}

static bool put_groups(struct store *s, int64_t epoch, struct store_counts *counts, int n, struct hr_error *err) {
    for (int node = 0; epoch && node < s->job.nodes; node++) {
        uint64_t unfit = 0;
        if (!store_put_groups(s, node, epoch, &unfit, err)) return false;
        if (s->job.fits && !s->job.fits(&s->job, node, err)) return false;
        for (int i = 0; i < n; i++)
            if (!strcmp(counts[i].id, s->job.node[node].id)) counts[i].counts.bad += unfit;
    }
    return true;
}

/* After a failure the memory is ahead of the file: the run ends, and the next one starts from the file. */
bool store_commit(struct store *s, int64_t epoch, int64_t published, struct hr_positions at,
                  struct store_counts *counts, int n_counts, struct hr_error *err) {
    if (!store_exec(s, s->db, "BEGIN IMMEDIATE", err)) return false;
    bool ok = put_groups(s, epoch, counts, n_counts, err) && store_put_positions(s, epoch, at, err) && store_put_counts(s, counts, n_counts, err) && store_put_outbox(s, err) && store_put_sinks(s, err);
    if (epoch) s->epoch = epoch;
    s->published = published;
    ok = ok && store_put_meta(s, err) && store_exec(s, s->db, "COMMIT", err);
    if (!ok) sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    s->failed |= !ok;
    return ok;
}
