/*
 * The checkpoint is a file that somebody else may have written.
 *
 * 1. The connection runs nothing that the file brings: no triggers, no views, no extensions, no functions that SQLite
 *    does not call harmless; pages are checked as they are read, and never mapped.
 * 2. Lengths and depths are bounded.
 * 3. The file's schema is exactly what headrace would make for this job: whatever is more, missing or another is named.
 *    Triggers, indexes and hr_meta are looked at before a row is read, the rest once it is known that the file is this job's.
 */
#include "core/state/store_internal.h"

#include <string.h>

static const struct { int what, on; } settings[] = {
    {SQLITE_DBCONFIG_DEFENSIVE, 1},             {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0}, {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
    {SQLITE_DBCONFIG_ENABLE_VIEW, 0},           {SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0}, {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
    {SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0}, {SQLITE_DBCONFIG_DQS_DDL, 0},        {SQLITE_DBCONFIG_DQS_DML, 0},
};

static const struct { int what, most; } bounds[] = {
    {SQLITE_LIMIT_LENGTH, 1 << 30},      {SQLITE_LIMIT_SQL_LENGTH, 1 << 20}, {SQLITE_LIMIT_EXPR_DEPTH, 100},
    {SQLITE_LIMIT_COMPOUND_SELECT, 10},  {SQLITE_LIMIT_ATTACHED, 0},         {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
    {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100}, {SQLITE_LIMIT_WORKER_THREADS, 0},
};

bool store_distrust(const struct store *s, sqlite3 *db, struct hr_error *err) {
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        int is = -1;
        if (sqlite3_db_config(db, settings[i].what, settings[i].on, &is) != SQLITE_OK || is != settings[i].on)
            return error_set(err, HR_EFAIL, "checkpoint %s: this SQLite (%s) cannot be told to distrust a file", store_name(s), sqlite3_libversion());
    }
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) sqlite3_limit(db, bounds[i].what, bounds[i].most);
    return store_exec(s, db, "PRAGMA cell_size_check=ON;PRAGMA mmap_size=0", err);
}

/* ---- the schema ---- */

struct schema {
    sqlite3 *db; /* one in memory as headrace makes it for this job */
    sqlite3_stmt *find, *all;
};

/* Words of SQLite's own file, as text that is never NULL. */
static const char *word(sqlite3_stmt *q, int column) {
    const char *s = (const char *)sqlite3_column_text(q, column);
    return s ? s : "";
}

static bool schema_open(const struct store *s, struct schema *m, struct hr_error *err) {
    *m = (struct schema){0};
    if (sqlite3_open(":memory:", &m->db) != SQLITE_OK) return store_fail(s, m->db, err, "");
    struct hr_buffer sql = {0};
    store_put_tables(s, &sql);
    bool ok = store_exec(s, m->db, sql.p, err);
    buffer_free(&sql);
    if (!ok) return false;
    m->find = store_prepare(s, m->db, "SELECT sql FROM sqlite_schema WHERE type = ? AND name = ?", err);
    m->all = store_prepare(s, m->db, "SELECT type, name FROM sqlite_schema", err);
    return m->find && m->all;
}

static void schema_close(struct schema *m) {
    sqlite3_finalize(m->find);
    sqlite3_finalize(m->all);
    sqlite3_close(m->db);
}

/* Is what stands at the row of q the same in ours? */
static bool is_ours(const struct store *s, struct schema *m, sqlite3_stmt *q, struct hr_error *err) {
    const char *type = word(q, 0), *name = word(q, 1);
    sqlite3_reset(m->find);
    sqlite3_bind_text(m->find, 1, type, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(m->find, 2, name, -1, SQLITE_TRANSIENT);
    if (sqlite3_step(m->find) != SQLITE_ROW)
        return error_set(err, HR_ECHECKPOINT, "checkpoint %s: holds the %.20s '%.100s', which headrace did not make", store_name(s), type, name);
    if (!strcmp(word(m->find, 0), word(q, 2))) return true;
    return error_set(err, HR_ECHECKPOINT, "checkpoint %s: its %.20s '%.100s' is not as headrace made it", store_name(s), type, name);
}

static bool all_ours(const struct store *s, struct schema *m, const char *sql, struct hr_error *err) {
    sqlite3_stmt *q = store_prepare(s, s->db, sql, err);
    bool ok = q != NULL;
    int step = SQLITE_DONE;
    while (ok && (step = sqlite3_step(q)) == SQLITE_ROW) ok = is_ours(s, m, q, err);
    if (ok && step != SQLITE_DONE) ok = store_fail(s, s->db, err, "");
    sqlite3_finalize(q);
    return ok;
}

static bool none_missing(const struct store *s, struct schema *m, struct hr_error *err) {
    sqlite3_stmt *q = store_prepare(s, s->db, "SELECT 1 FROM sqlite_schema WHERE type = ? AND name = ?", err);
    bool ok = q != NULL;
    while (ok && sqlite3_step(m->all) == SQLITE_ROW) {
        sqlite3_bind_text(q, 1, word(m->all, 0), -1, SQLITE_TRANSIENT);
        sqlite3_bind_text(q, 2, word(m->all, 1), -1, SQLITE_TRANSIENT);
        ok = sqlite3_step(q) == SQLITE_ROW ||
             error_set(err, HR_ECHECKPOINT, "checkpoint %s: its %s '%s' is gone", store_name(s), word(m->all, 0), word(m->all, 1));
        sqlite3_reset(q);
    }
    sqlite3_finalize(q);
    return ok;
}

bool store_check_schema(struct store *s, bool all, struct hr_error *err) {
    struct schema m;
    bool ok = schema_open(s, &m, err);
    if (ok && !all) ok = all_ours(s, &m, "SELECT type, name, sql FROM sqlite_schema WHERE type NOT IN ('table', 'view') OR name = 'hr_meta'", err);
    if (ok && all) ok = all_ours(s, &m, "SELECT type, name, sql FROM sqlite_schema", err) && none_missing(s, &m, err);
    schema_close(&m);
    return ok;
}
