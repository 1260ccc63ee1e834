/*
 * sqlite: rows to a table of a SQLite database.
 *
 *   sink:
 *     sqlite: {mode: complete, path: out/totals.db, table: totals}
 *
 * 1. path is a file beneath --data-dir, made 0600 where it is not there. No link is followed.
 * 2. append: every row is inserted. update: a row takes the place of those with the same `key` columns (null equals
 *    null, and text is compared byte by byte, whatever the columns' collation). complete: the table is exactly the
 *    result. A row that breaks a constraint of the table stops the job, whatever its ON CONFLICT says.
 * 3. The table is made where it is not there: BOOLEAN, INT and BIGINT as INTEGER, DOUBLE as REAL, others as TEXT, as
 *    on the console; with key, an index on it. A table that is there must have every column, of that type, and no
 *    others without a default; else it is refused with the difference. With update it must have a rowid, under one of
 *    that number's three names: rowid, _rowid_, oid.
 * 4. Rows are staged in a temporary table, and go over in one transaction together with the epoch's number (table
 *    headrace_epochs): each epoch once, and nobody is locked out while an epoch is read. That table must hold what this
 *    process left or found there: with another epoch a second process writes as this sink, from a copy of the
 *    checkpoint, and this one ends without writing.
 * 5. A database that stays locked for ten seconds stops the job.
 * 6. Two sinks of a job may write to one table, but not where one of them has mode complete: it would delete the other's
 *    rows, or only those of the last one would be there.
 * 7. A checkpoint of headrace, this job's or another's, is refused: with a table more it would be no checkpoint any longer.
 */
#include "sinks/rows.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUSY_MS = 10000, ASK_MS = 100, CHECKPOINT = 0x68647263 /* the application_id of checkpoints */ };

struct sqlite_sink {
    const char *path, *table;
    struct hr_list key;

    enum hr_mode mode;
    struct hr_schema schema;
    sqlite3 *db;
    sqlite3_stmt *stage;
    const char *rowid; /* mode update: a name of it that no column of the table has */
    struct hr_buffer text; /* scratch: SQL, or a value */
    const char *pipeline, *id;
    bool restarts;
    int64_t epoch;         /* that headrace_epochs holds, as far as this process knows */
    struct sqlite_sink *next;
};

static struct sqlite_sink *opened; /* of this process, which opens one job's sinks, one after the other */

static const struct hr_option options[] = {
    HR_REQUIRED(struct sqlite_sink, path, "the database, beneath --data-dir"),
    HR_REQUIRED(struct sqlite_sink, table, "the table to write"),
    HR_OPTION(struct sqlite_sink, key, NULL, "mode update: columns that tell a row"),
    {0},
};

static bool bind_key(struct sqlite_sink *s, struct hr_bind *b) {
    bool ok = true;
    for (int i = 0; i < s->key.n; i++) {
        struct hr_name name = {s->key.item[i].s, s->key.item[i].place};
        ok &= hr_column_index(b, &name) >= 0;
    }
    if (b->mode == HR_UPDATE && !s->key.n) return hr_fault(b, NULL, "mode update wants key: the columns that tell a row");
    if (b->mode != HR_UPDATE && s->key.n) return hr_fault(b, &s->key, "key goes with mode update");
    return ok;
}

static bool bind_(void *self, struct hr_bind *b) {
    struct sqlite_sink *s = self;
    const char *why = rows_path_fault(s->path);
    if (!why && s->path[strlen(s->path) - 1] == '/') why = "path is a folder";
    if (why) return hr_fault(b, &s->path, "%s", why);
    if (!*s->table || !strncmp(s->table, "sqlite_", 7) || !strcmp(s->table, "headrace_epochs"))
        return hr_fault(b, &s->table, "'%s' cannot be the table's name", s->table);
    s->mode = b->mode;
    return bind_key(s, b);
}

/* ---- SQL ---- */

static void put(struct sqlite_sink *s, const char *text) { hr_put(&s->text, text, strlen(text)); }

static void put_name(struct sqlite_sink *s, const char *name) {
    put(s, "\"");
    for (; *name; name++) hr_put(&s->text, *name == '"' ? "\"\"" : name, *name == '"' ? 2 : 1);
    put(s, "\"");
}

static void put_columns(struct sqlite_sink *s) {
    for (int k = 0; k < s->schema.n; k++) {
        if (k) put(s, ", ");
        put_name(s, s->schema.field[k].name);
    }
}

static bool fail(struct sqlite_sink *s, struct hr_error *err) {
    return hr_fail(err, HR_EFAIL, "sqlite: %s, table '%s': %s", s->path, s->table, s->db ? sqlite3_errmsg(s->db) : "out of memory");
}

/* Run the SQL that was put together. */
static bool run(struct sqlite_sink *s, struct hr_error *err) {
    hr_put(&s->text, "", 1);
    bool ok = sqlite3_exec(s->db, s->text.p, NULL, NULL, NULL) == SQLITE_OK || fail(s, err);
    hr_buffer_reset(&s->text);
    return ok;
}

static bool exec(struct sqlite_sink *s, const char *sql, struct hr_error *err) {
    put(s, sql);
    return run(s, err);
}

/* ---- the table ---- */

static const char *declared(struct hr_type t) {
    switch (t.id) {
    case HR_BOOLEAN: case HR_INT: case HR_BIGINT: return "INTEGER";
    case HR_DOUBLE: return "REAL";
    default: return "TEXT";
    }
}

static bool make_table(struct sqlite_sink *s, struct hr_error *err) {
    put(s, "CREATE TABLE ");
    put_name(s, s->table);
    for (int k = 0; k < s->schema.n; k++) {
        put(s, k ? ", " : "(");
        put_name(s, s->schema.field[k].name);
        put(s, " ");
        put(s, declared(s->schema.field[k].type));
    }
    put(s, ")");
    if (!run(s, err) || !s->key.n) return !err->code;
    put(s, "CREATE INDEX ");
    char name[256];
    snprintf(name, sizeof name, "%.200s_key", s->table);
    put_name(s, name);
    put(s, " ON ");
    put_name(s, s->table);
    for (int k = 0; k < s->key.n; k++) {
        put(s, k ? ", " : "(");
        put_name(s, s->key.item[k].s);
    }
    put(s, ")");
    return run(s, err);
}

static int field_named(const struct sqlite_sink *s, const char *name) {
    for (int k = 0; k < s->schema.n; k++)
        if (!sqlite3_stricmp(s->schema.field[k].name, name)) return k;
    return -1;
}

/* One column of a table that was there. */
static bool fits(struct sqlite_sink *s, sqlite3_stmt *q, int *found, struct hr_error *err) {
    const char *name = (const char *)sqlite3_column_text(q, 1), *type = (const char *)sqlite3_column_text(q, 2);
    int k = field_named(s, name ? name : "");
    if (k < 0) {
        bool needs = sqlite3_column_int(q, 3) && sqlite3_column_type(q, 4) == SQLITE_NULL;
        return !needs || hr_fail(err, HR_EFAIL, "sqlite: %s, table '%s' does not fit: its column '%s' is NOT NULL without a default, and no column is called that",
                                 s->path, s->table, name);
    }
    ++*found;
    const char *want = declared(s->schema.field[k].type);
    return !sqlite3_stricmp(type ? type : "", want) ||
           hr_fail(err, HR_EFAIL, "sqlite: %s, table '%s' does not fit: its column '%s' is %s, not %s", s->path, s->table, name,
                   type && *type ? type : "without a type", want);
}

static bool check_table(struct sqlite_sink *s, bool *there, struct hr_error *err) {
    sqlite3_stmt *q = NULL;
    if (sqlite3_prepare_v2(s->db, "SELECT * FROM pragma_table_info(?)", -1, &q, NULL)) return fail(s, err);
    sqlite3_bind_text(q, 1, s->table, -1, SQLITE_STATIC);
    int step, found = 0;
    bool ok = true;
    *there = false;
    while (ok && (step = sqlite3_step(q)) == SQLITE_ROW) {
        *there = true;
        ok = fits(s, q, &found, err);
    }
    if (ok && step != SQLITE_DONE) ok = fail(s, err);
    sqlite3_finalize(q);
    for (int k = 0; ok && *there && found < s->schema.n && k < s->schema.n; k++) {
        if (sqlite3_table_column_metadata(s->db, "main", s->table, s->schema.field[k].name, NULL, NULL, NULL, NULL, NULL) == SQLITE_OK) continue;
        ok = hr_fail(err, HR_EFAIL, "sqlite: %s, table '%s' does not fit: it has no column '%s'", s->path, s->table, s->schema.field[k].name);
    }
    return ok;
}

/* A column that is called rowid hides the row's number, which has two names more. */
static bool find_rowid(struct sqlite_sink *s, struct hr_error *err) {
    static const char *const names[] = {"rowid", "_rowid_", "oid"};
    sqlite3_stmt *q = NULL;
    if (s->mode != HR_UPDATE) return true;
    if (sqlite3_prepare_v2(s->db, "SELECT count(*) FROM pragma_table_xinfo(?) WHERE name = ? COLLATE NOCASE", -1, &q, NULL))
        return fail(s, err);
    sqlite3_bind_text(q, 1, s->table, -1, SQLITE_STATIC);
    bool ok = true;
    s->rowid = NULL;
    for (int i = 0; ok && !s->rowid && i < 3; i++) {
        sqlite3_bind_text(q, 2, names[i], -1, SQLITE_STATIC);
        ok = sqlite3_step(q) == SQLITE_ROW || fail(s, err);
        if (ok && !sqlite3_column_int(q, 0)) s->rowid = names[i];
        sqlite3_reset(q);
    }
    sqlite3_finalize(q);
    if (!ok) return false;
    if (!s->rowid)
        return hr_fail(err, HR_EFAIL, "sqlite: %s, table '%s' does not fit: its columns rowid, _rowid_ and oid leave no name for a row's "
                       "number, which mode update needs", s->path, s->table);
    return sqlite3_table_column_metadata(s->db, "main", s->table, s->rowid, NULL, NULL, NULL, NULL, NULL) == SQLITE_OK ||
           hr_fail(err, HR_EFAIL, "sqlite: %s, table '%s' does not fit: it is WITHOUT ROWID, or a view; mode update needs a rowid",
                   s->path, s->table);
}

static bool prepare_stage(struct sqlite_sink *s, struct hr_error *err) {
    put(s, "CREATE TEMP TABLE staged AS SELECT ");
    put_columns(s);
    put(s, " FROM main.");
    put_name(s, s->table);
    put(s, " WHERE 0");
    if (!run(s, err)) return false;
    put(s, "INSERT INTO temp.staged VALUES(?");
    for (int k = 1; k < s->schema.n; k++) put(s, ", ?");
    put(s, ")");
    hr_put(&s->text, "", 1);
    bool ok = sqlite3_prepare_v2(s->db, s->text.p, -1, &s->stage, NULL) == SQLITE_OK || fail(s, err);
    hr_buffer_reset(&s->text);
    return ok;
}

/* ---- opening ---- */

static bool path_fault(struct sqlite_sink *s, const char *why, struct hr_error *err) {
    return hr_fail(err, HR_EFAIL, "sqlite: %s: %s", s->path, why);
}

/* A database that is there is looked at, but never opened and closed: closing any descriptor of a file drops all locks
 * that this process has on it, and another sink of the job may hold some. */
static bool make_file(struct sqlite_sink *s, int dir, const char *base, struct hr_error *err) {
    for (struct stat st;;) {
        if (fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) == 0) {
            if (S_ISLNK(st.st_mode)) return path_fault(s, "is a link: links are not followed", err);
            return S_ISREG(st.st_mode) || path_fault(s, "is no regular file", err);
        }
        if (errno != ENOENT) return path_fault(s, strerror(errno), err);
        int fd = openat(dir, base, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd >= 0) return close(fd) == 0 || path_fault(s, strerror(errno), err);
        if (errno != EEXIST) return path_fault(s, strerror(errno), err);
        /* somebody else made it just now: it is looked at again */
    }
}

/* SQLite opens by name: its folder's real one, which holds no link, and the file itself may be none. */
static bool connect_(struct sqlite_sink *s, const struct hr_sink_open *o) {
    const char *slash = strrchr(s->path, '/'), *base = slash ? slash + 1 : s->path;
    char folder[PATH_MAX], link[64], name[2 * PATH_MAX];
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - s->path) : 1, slash ? s->path : ".");
    int dir = hr_folder(o, folder);
    if (dir < 0) return false;
    bool made = make_file(s, dir, base, o->err);
    snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
    ssize_t n = readlink(link, folder, sizeof folder - 1);
    int why = errno;
    close(dir);
    if (!made) return false;
    if (n < 0) return path_fault(s, strerror(why), o->err);
    snprintf(name, sizeof name, "%.*s/%s", (int)n, folder, base);
    if (sqlite3_open_v2(name, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL) != SQLITE_OK) return fail(s, o->err);
    /* FULL would not sync the folder after the journal was unlinked: a crash could bring it back, and undo the epoch */
    return exec(s, "PRAGMA synchronous=EXTRA", o->err);
}

/* Rule 7. */
static bool check_owner(struct sqlite_sink *s, struct hr_error *err) {
    sqlite3_stmt *q = NULL;
    if (sqlite3_prepare_v2(s->db, "PRAGMA application_id", -1, &q, NULL)) return fail(s, err);
    bool ok = sqlite3_step(q) == SQLITE_ROW || fail(s, err);
    if (ok && sqlite3_column_int(q, 0) == CHECKPOINT)
        ok = hr_fail(err, HR_EFAIL, "sqlite: %s is a checkpoint of headrace: another path", s->path);
    sqlite3_finalize(q);
    return ok;
}

/* Rule 6. */
static bool table_is_free(struct sqlite_sink *s, struct hr_error *err) {
    for (const struct sqlite_sink *o = opened; o; o = o->next) {
        bool one = !strcmp(sqlite3_db_filename(o->db, "main"), sqlite3_db_filename(s->db, "main")) && !sqlite3_stricmp(o->table, s->table);
        if (one && (o->mode == HR_COMPLETE || s->mode == HR_COMPLETE))
            return hr_fail(err, HR_EFAIL, "sqlite: %s, table '%s': sink '%s' of this job writes to it too, and mode complete replaces all rows: "
                           "another table", s->path, s->table, o->id);
    }
    s->next = opened;
    opened = s;
    return true;
}

/* There is no epoch to finish yet: a signal ends the waiting. */
static bool begin_at_start(struct sqlite_sink *s, struct hr_error *err) {
    int code = SQLITE_BUSY;
    sqlite3_busy_timeout(s->db, ASK_MS);
    for (int tries = 0; code == SQLITE_BUSY && tries < BUSY_MS / ASK_MS; tries++) {
        if (hr_stopping()) return false;
        code = sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    }
    sqlite3_busy_timeout(s->db, BUSY_MS);
    return code == SQLITE_OK || fail(s, err);
}

static bool open_(void *self, const struct hr_sink_open *o) {
    struct sqlite_sink *s = self;
    bool there = false;
    s->schema = *o->rows;
    s->pipeline = o->pipeline;
    s->id = o->id;
    s->restarts = o->restarts;
    return connect_(s, o) && table_is_free(s, o->err) && check_owner(s, o->err) && begin_at_start(s, o->err) &&
           check_table(s, &there, o->err) && (there || make_table(s, o->err)) && find_rowid(s, o->err) &&
           exec(s, "CREATE TABLE IF NOT EXISTS headrace_epochs(pipeline TEXT, sink TEXT, epoch INTEGER NOT NULL,"
                   " PRIMARY KEY(pipeline, sink)) WITHOUT ROWID; COMMIT", o->err) &&
           prepare_stage(s, o->err);
}

static bool read_epoch(struct sqlite_sink *s, int64_t *epoch, struct hr_error *err) {
    sqlite3_stmt *q = NULL;
    if (sqlite3_prepare_v2(s->db, "SELECT epoch FROM headrace_epochs WHERE pipeline = ? AND sink = ?", -1, &q, NULL)) return fail(s, err);
    sqlite3_bind_text(q, 1, s->pipeline, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 2, s->id, -1, SQLITE_STATIC);
    int step = sqlite3_step(q);
    *epoch = step == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;
    bool ok = step == SQLITE_ROW || step == SQLITE_DONE || fail(s, err);
    sqlite3_finalize(q);
    return ok;
}

static bool remembered(void *self, int64_t *epoch, struct hr_error *err) {
    struct sqlite_sink *s = self;
    if (!read_epoch(s, &s->epoch, err)) return false;
    *epoch = s->epoch;
    return true;
}

/* ---- an epoch ---- */

/* The transaction holds the staged rows together; of the database itself nothing is touched. */
static bool begin(void *self, int64_t epoch, struct hr_error *err) {
    (void)epoch;
    return exec(self, "BEGIN; DELETE FROM temp.staged", err);
}

static bool bind_value(struct sqlite_sink *s, int at, struct hr_type type, const void *value) {
    const struct hr_text *text = value;
    switch (type.id) {
    case HR_BOOLEAN: return !sqlite3_bind_int(s->stage, at, *(const uint8_t *)value);
    case HR_INT: return !sqlite3_bind_int(s->stage, at, *(const int32_t *)value);
    case HR_BIGINT: return !sqlite3_bind_int64(s->stage, at, *(const int64_t *)value);
    case HR_STRING: return !sqlite3_bind_text(s->stage, at, text->n ? text->p : "", (int)text->n, SQLITE_STATIC);
    case HR_DOUBLE:
        if (isnan(*(const double *)value)) break; /* SQLite would make it a null */
        return !sqlite3_bind_double(s->stage, at, *(const double *)value);
    default: break;
    }
    hr_buffer_reset(&s->text);
    hr_put_value(&s->text, type, value);
    bool ok = !sqlite3_bind_text(s->stage, at, s->text.p, (int)s->text.n, SQLITE_TRANSIENT);
    hr_buffer_reset(&s->text);
    return ok;
}

static bool write_rows(void *self, const struct hr_batch *b, struct hr_error *err) {
    struct sqlite_sink *s = self;
    HR_EACH(b->rows, i) {
        bool ok = true;
        for (int k = 0; ok && k < b->columns; k++) {
            if (hr_is_null(&b->column[k], i)) sqlite3_bind_null(s->stage, k + 1);
            else ok = bind_value(s, k + 1, b->column[k].type, hr_value(&b->column[k], i));
        }
        if (!ok || sqlite3_step(s->stage) != SQLITE_DONE) return fail(s, err);
        sqlite3_reset(s->stage);
    }
    return true;
}

static bool flush_(void *self, struct hr_error *err) { return exec(self, "COMMIT", err); }

static void put_equal(struct sqlite_sink *s, const char *column) {
    put(s, "t.");
    put_name(s, column);
    put(s, " IS n.");
    put_name(s, column);
}

/* Byte by byte; an index of the table has the column's own collation, which takes the same for equal, and more. */
static void put_same_key(struct sqlite_sink *s) {
    for (int k = 0; k < s->key.n; k++) {
        if (k) put(s, " AND ");
        put_equal(s, s->key.item[k].s);
        put(s, " AND ");
        put_equal(s, s->key.item[k].s);
        put(s, " COLLATE BINARY");
    }
}

/* Rule 2: what the staged rows replace. */
static bool delete_old(struct sqlite_sink *s, struct hr_error *err) {
    if (s->mode == HR_APPEND) return true;
    put(s, "DELETE FROM main.");
    put_name(s, s->table);
    if (s->mode == HR_UPDATE) {
        put(s, " WHERE ");
        put(s, s->rowid);
        put(s, " IN (SELECT t.");
        put(s, s->rowid);
        put(s, " FROM temp.staged AS n CROSS JOIN main.");
        put_name(s, s->table);
        put(s, " AS t ON ");
        put_same_key(s);
        put(s, ")");
    }
    return run(s, err);
}

/* Rule 4, within the transaction: nobody can come in between. */
static bool is_only_writer(struct sqlite_sink *s, struct hr_error *err) {
    int64_t found;
    if (!s->restarts) return true;
    if (!read_epoch(s, &found, err)) return false;
    return found == s->epoch ||
           hr_fail(err, HR_EFAIL, "sqlite: %s, table '%s': headrace_epochs holds epoch %lld of sink '%s', this process left %lld: another one "
                   "writes as this sink (with a copy of the checkpoint?); this one ends", s->path, s->table, (long long)found, s->id,
                   (long long)s->epoch);
}

static bool put_epoch(struct sqlite_sink *s, int64_t epoch, struct hr_error *err) {
    sqlite3_stmt *q = NULL;
    if (!s->restarts) return true;
    if (sqlite3_prepare_v2(s->db, "INSERT OR REPLACE INTO headrace_epochs VALUES(?, ?, ?)", -1, &q, NULL)) return fail(s, err);
    sqlite3_bind_text(q, 1, s->pipeline, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 2, s->id, -1, SQLITE_STATIC);
    sqlite3_bind_int64(q, 3, epoch);
    bool ok = sqlite3_step(q) == SQLITE_DONE || fail(s, err);
    sqlite3_finalize(q);
    return ok;
}

static bool insert_staged(struct sqlite_sink *s, struct hr_error *err) {
    put(s, "INSERT OR ABORT INTO main."); /* a column's ON CONFLICT IGNORE would drop rows */
    put_name(s, s->table);
    put(s, "(");
    put_columns(s);
    put(s, ") SELECT * FROM temp.staged");
    return run(s, err);
}

static bool publish(void *self, int64_t epoch, struct hr_error *err) {
    struct sqlite_sink *s = self;
    bool ok = exec(s, "BEGIN IMMEDIATE", err) && is_only_writer(s, err) && delete_old(s, err) && insert_staged(s, err) &&
              put_epoch(s, epoch, err) && exec(s, "COMMIT", err);
    if (ok) s->epoch = epoch;
    return ok;
}

static void close_(void *self) {
    struct sqlite_sink *s = self;
    struct sqlite_sink **at = &opened;
    while (*at && *at != s) at = &(*at)->next;
    if (*at) *at = s->next;
    sqlite3_finalize(s->stage);
    sqlite3_close(s->db); /* what is open is rolled back */
    hr_buffer_free(&s->text);
    s->stage = NULL;
    s->db = NULL;
}

HR_PLUGIN(sink, sqlite) = {
    .kind = HR_SINK,
    .name = "sqlite",
    .about = "write rows to a table of a SQLite database",
    .options = options,
    .self_size = sizeof(struct sqlite_sink),
    .sink = {.modes = HR_APPEND | HR_COMPLETE | HR_UPDATE, .elsewhere = true, .bind = bind_, .open = open_, .remembered = remembered,
             .begin = begin, .write = write_rows, .flush = flush_, .publish = publish, .close = close_},
};
HR_MODULE(HR_RECORD(sink, sqlite));
