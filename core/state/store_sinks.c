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

static uint64_t checksum(const struct store_sink *sink) {
    uint64_t h = hash_bytes(sink->id, strlen(sink->id), (uint64_t)sink->since);
    return hash_bytes(sink->target, strlen(sink->target), h);
}

static const struct store_sink *find(const struct store_sink *sink, int n, const char *id) {
    for (int i = 0; i < n; i++)
        if (!strcmp(sink[i].id, id)) return &sink[i];
    return NULL;
}

bool store_load_sinks(struct store *s, uint64_t *sum, struct hr_error *err) {
    sqlite3_stmt *q = store_prepare(s, s->db, "SELECT id, target, since FROM hr_sinks", err);
    if (!q) return false;
    int step;
    while ((step = sqlite3_step(q)) == SQLITE_ROW) {
        const char *id = (const char *)sqlite3_column_text(q, 0), *target = (const char *)sqlite3_column_text(q, 1);
        s->known = xrealloc(s->known, ((size_t)s->sinks + 1) * sizeof *s->known);
        s->known[s->sinks] = (struct store_sink){arena_strdup(&s->arena, id ? id : ""), arena_strdup(&s->arena, target ? target : ""),
                                                 sqlite3_column_int64(q, 2)};
        *sum += checksum(&s->known[s->sinks++]);
    }
    sqlite3_finalize(q);
    return step == SQLITE_DONE || store_fail(s, s->db, err, "");
}

static bool put_sink(struct store *s, const struct store_sink *sink, struct hr_error *err) {
    sqlite3_stmt *q = store_prepare(s, s->db, "INSERT INTO hr_sinks VALUES(?, ?, ?)", err);
    if (!q) return false;
    s->unbound |= sqlite3_bind_text(q, 1, sink->id, -1, SQLITE_STATIC) | sqlite3_bind_text(q, 2, sink->target, -1, SQLITE_STATIC);
    sqlite3_bind_int64(q, 3, sink->since);
    bool ok = store_step(s, q, err);
    sqlite3_finalize(q);
    s->checksum += checksum(sink);
    return ok;
}

/* Sinks that left the pipeline are forgotten: one that comes again is a new one. */
bool store_put_sinks(struct store *s, struct hr_error *err) {
    if (!s->sinks_changed) return true;
    bool ok = store_exec(s, s->db, "DELETE FROM hr_sinks", err);
    for (int i = 0; i < s->sinks; i++) s->checksum -= checksum(&s->known[i]);
    for (int i = 0; ok && i < s->job.sinks; i++) ok = put_sink(s, &s->job.sink[i], err);
    s->sinks_changed = false;
    return ok;
}

/* The newest epoch may not be published in a sink of the run before, and then only that sink can still be given it. One that was
 * taken out of the pipeline was meant to be; another target under the same name may be two lines that changed places. */
static bool check_pending(const struct store *s, const struct store_sink *was, struct hr_error *err) {
    if (was->since >= s->epoch) return true; /* it came after that epoch */
    const struct store_sink *is = find(s->job.sink, s->job.sinks, was->id);
    if (is && !strcmp(is->target, was->target)) return true;
    if (is)
        return error_set(err, HR_ECHECKPOINT, "checkpoint %s: sink '%s' wrote to '%s', where epoch %lld may be missing yet, and now writes to '%s': "
                         "let the pipeline run once as it was, or give the new sink another id", store_name(s), was->id, was->target,
                         (long long)s->epoch, is->target);
    log_line(HR_WARN, "checkpoint %s: sink '%s' (%s) has left the pipeline, and may miss epoch %lld", store_name(s), was->id, was->target, (long long)s->epoch);
    return true;
}

bool store_know_sinks(struct store *s, struct hr_error *err) {
    int there = 0;
    for (int i = 0; i < s->job.sinks; i++) {
        struct store_sink *sink = &s->job.sink[i];
        const struct store_sink *was = find(s->known, s->sinks, sink->id);
        bool same = was && !strcmp(was->target, sink->target);
        sink->since = same ? was->since : s->epoch;
        there += same;
    }
    s->sinks_changed = there < s->sinks || there < s->job.sinks;
    for (int i = 0; s->published < s->epoch && !s->job.read_only && i < s->sinks; i++)
        if (!check_pending(s, &s->known[i], err)) return false;
    return true;
}

/* ---- outbox ---- */

void store_outbox_put(struct store *s, int sink, const void *p, size_t n) {
    s->outbox[sink] = (struct hr_text){.p = p, .n = (uint32_t)n};
}

static uint64_t outbox_checksum(const char *id, uint64_t rows) { return hash_bytes(id, strlen(id), rows); }

bool store_load_outbox(struct store *s, uint64_t *sum, struct hr_error *err) {
    sqlite3_stmt *q = store_prepare(s, s->db, "SELECT id, checksum FROM hr_outbox", err);
    if (!q) return false;
    int step;
    while ((step = sqlite3_step(q)) == SQLITE_ROW) {
        const char *id = (const char *)sqlite3_column_text(q, 0);
        s->kept += outbox_checksum(id ? id : "", (uint64_t)sqlite3_column_int64(q, 1));
    }
    *sum += s->kept;
    sqlite3_finalize(q);
    return step == SQLITE_DONE || store_fail(s, s->db, err, "");
}

bool store_put_outbox(struct store *s, struct hr_error *err) {
    if (!store_exec(s, s->db, "DELETE FROM hr_outbox", err)) return false;
    s->checksum -= s->kept;
    s->kept = 0;
    for (int i = 0; i < s->job.sinks; i++) {
        struct hr_text rows = s->outbox[i];
        s->outbox[i] = (struct hr_text){0};
        if (!rows.n) continue;
        sqlite3_stmt *q = store_prepare(s, s->db, "INSERT INTO hr_outbox VALUES(?, ?, ?)", err);
        if (!q) return false;
        s->unbound |= sqlite3_bind_text(q, 1, s->job.sink[i].id, -1, SQLITE_STATIC);
        uint64_t sum = hash_bytes(rows.p, rows.n, 0);
        sqlite3_bind_int64(q, 2, (sqlite3_int64)sum);
        s->unbound |= sqlite3_bind_blob(q, 3, rows.p, (int)rows.n, SQLITE_STATIC);
        bool ok = store_step(s, q, err);
        sqlite3_finalize(q);
        if (!ok) return false;
        s->kept += outbox_checksum(s->job.sink[i].id, sum);
    }
    s->checksum += s->kept;
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
