/* What the sinks need of the checkpoint: who they are, since when, and rows that no source gives again. */
#include "core/state/store_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

const char store_sinks_schema[] =
    "CREATE TABLE hr_sinks(id TEXT PRIMARY KEY, target TEXT NOT NULL, since INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE hr_outbox(id TEXT PRIMARY KEY, checksum INTEGER NOT NULL, rows BLOB NOT NULL) WITHOUT ROWID;";

/* RFC 4122, version 4: random. */
void store_make_pipeline(struct store *s) {
    unsigned char b[16];
    if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b) abort(); /* it does not fail for so few bytes */
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    int at = 0;
    for (int i = 0; i < 16; i++) {
        bool dash = i == 4 || i == 6 || i == 8 || i == 10;
        at += snprintf(s->pipeline + at, sizeof s->pipeline - (size_t)at, dash ? "-%02x" : "%02x", b[i]);
    }
}

const char *store_pipeline(struct store *s) { return s->pipeline; }

/* ---- sinks ---- */

/* False: no such row. */
static bool find_sink(struct store *s, sqlite3_stmt *q, struct store_sink *sink) {
    sqlite3_bind_text(q, 1, sink->id, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 2, sink->target, -1, SQLITE_STATIC);
    bool there = sqlite3_step(q) == SQLITE_ROW;
    sink->since = there ? sqlite3_column_int64(q, 0) : s->epoch;
    sqlite3_reset(q);
    return there;
}

static bool put_sink(struct store *s, const struct store_sink *sink, struct hr_error *err) {
    sqlite3_stmt *q = store_prepare(s, s->db, "INSERT OR REPLACE INTO hr_sinks VALUES(?, ?, ?)", err);
    if (!q) return false;
    sqlite3_bind_text(q, 1, sink->id, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 2, sink->target, -1, SQLITE_STATIC);
    sqlite3_bind_int64(q, 3, sink->since);
    bool ok = sqlite3_step(q) == SQLITE_DONE || store_fail(s, s->db, err, "");
    sqlite3_finalize(q);
    return ok;
}

/* Sinks that left the pipeline are forgotten: one that comes again is a new one. */
static bool forget_others(struct store *s, struct hr_error *err) {
    struct hr_buffer sql = {0};
    buffer_puts(&sql, "DELETE FROM hr_sinks WHERE id NOT IN (");
    for (int i = 0; i < s->job.sinks; i++) buffer_printf(&sql, "%s'%s'", i ? ", " : "", s->job.sink[i].id); /* ids hold no quotes */
    buffer_put(&sql, ")", 2);
    bool ok = store_exec(s, s->db, sql.p, err);
    buffer_free(&sql);
    return ok;
}

bool store_know_sinks(struct store *s, struct hr_error *err) {
    sqlite3_stmt *q = store_prepare(s, s->db, "SELECT since FROM hr_sinks WHERE id = ? AND target = ?", err);
    if (!q) return false;
    bool write = !s->job.read_only, ok = !write || store_exec(s, s->db, "BEGIN IMMEDIATE", err);
    for (int i = 0; ok && i < s->job.sinks; i++)
        if (!find_sink(s, q, &s->job.sink[i]) && write) ok = put_sink(s, &s->job.sink[i], err);
    sqlite3_finalize(q);
    if (!write) return true;
    ok = ok && forget_others(s, err) && store_exec(s, s->db, "COMMIT", err);
    if (!ok) sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return ok;
}

/* ---- positions at the other end of the newest epoch ---- */

struct hr_positions store_positions_before(struct store *s, struct arena *a) {
    struct hr_position *item = arena_zalloc(a, ((size_t)s->positions + 1) * sizeof *item);
    int n = 0;
    sqlite3_stmt *q = NULL;
    struct hr_error ignored = {0};
    q = store_prepare(s, s->db, "SELECT detail_before FROM hr_positions WHERE split = ?", &ignored);
    for (int i = 0; i < s->positions; i++) {
        const struct store_before *b = &s->before[i];
        if (b->epoch != s->epoch) {
            item[n++] = s->position[i]; /* it did not move */
        } else if (!b->none) {
            item[n] = (struct hr_position){s->position[i].split, b->at, NULL};
            if (q && sqlite3_bind_text(q, 1, s->position[i].split, -1, SQLITE_STATIC) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW &&
                sqlite3_column_text(q, 0))
                item[n].detail = arena_strdup(a, (const char *)sqlite3_column_text(q, 0));
            sqlite3_reset(q);
            n++;
        }
    }
    sqlite3_finalize(q);
    return (struct hr_positions){n, item};
}

/* ---- outbox ---- */

void store_outbox_put(struct store *s, int sink, const void *p, size_t n) {
    s->outbox[sink] = (struct hr_text){.p = p, .n = (uint32_t)n};
}

bool store_put_outbox(struct store *s, struct hr_error *err) {
    if (!store_exec(s, s->db, "DELETE FROM hr_outbox", err)) return false;
    for (int i = 0; i < s->job.sinks; i++) {
        struct hr_text rows = s->outbox[i];
        s->outbox[i] = (struct hr_text){0};
        if (!rows.n) continue;
        sqlite3_stmt *q = store_prepare(s, s->db, "INSERT INTO hr_outbox VALUES(?, ?, ?)", err);
        if (!q) return false;
        s->unbound |= sqlite3_bind_text(q, 1, s->job.sink[i].id, -1, SQLITE_STATIC);
        sqlite3_bind_int64(q, 2, (sqlite3_int64)hash_bytes(rows.p, rows.n, 0));
        sqlite3_bind_blob(q, 3, rows.p, (int)rows.n, SQLITE_STATIC);
        bool ok = sqlite3_step(q) == SQLITE_DONE || store_fail(s, s->db, err, "");
        sqlite3_finalize(q);
        if (!ok) return false;
    }
    return true;
}

bool store_outbox_get(struct store *s, int sink, struct arena *a, const char **p, size_t *n, struct hr_error *err) {
    *p = "";
    *n = 0;
    sqlite3_stmt *q = store_prepare(s, s->db, "SELECT checksum, rows FROM hr_outbox WHERE id = ?", err);
    if (!q) return false;
    sqlite3_bind_text(q, 1, s->job.sink[sink].id, -1, SQLITE_STATIC);
    bool ok = true;
    if (sqlite3_step(q) == SQLITE_ROW) {
        *n = (size_t)sqlite3_column_bytes(q, 1);
        *p = arena_strndup(a, sqlite3_column_blob(q, 1), *n);
        ok = (uint64_t)sqlite3_column_int64(q, 0) == hash_bytes(*p, *n, 0) ||
             error_set(err, HR_ECHECKPOINT, "checkpoint %s: damaged: the rows kept for sink '%s' do not match their checksum",
                       store_name(s), s->job.sink[sink].id);
    }
    sqlite3_finalize(q);
    return ok;
}
