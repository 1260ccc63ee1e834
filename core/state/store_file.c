/* The checkpoint's file: lock, creation, connection, tables. */
#include "core/state/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *store_name(const struct store *s) { return s->path ? s->path : "(in memory)"; }

bool store_fail(const struct store *s, sqlite3 *db, struct hr_error *err, const char *doing) {
    int code = db ? sqlite3_errcode(db) & 0xff : SQLITE_NOMEM;
    if (db && sqlite3_extended_errcode(db) == SQLITE_READONLY_DBMOVED)
        return error_set(err, HR_EFAIL, "checkpoint %s: was removed or replaced while the job runs", store_name(s));
    bool damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
    return error_set(err, damaged ? HR_ECHECKPOINT : HR_EFAIL, "checkpoint %s: %s%s%s", store_name(s),
                     damaged ? "damaged: " : "", doing, db ? sqlite3_errmsg(db) : "out of memory");
}

bool store_exec(const struct store *s, sqlite3 *db, const char *sql, struct hr_error *err) {
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK || store_fail(s, db, err, "");
}

sqlite3_stmt *store_prepare(const struct store *s, sqlite3 *db, const char *sql, struct hr_error *err) {
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK) store_fail(s, db, err, "");
    return stmt;
}

/* ---- the lock ---- */

/* The lock goes by the name, so the file may have no other: two jobs would hold one checkpoint under two locks. A folder
 * on the way may be a link, as the lock file lies in it too. */
static bool has_one_name(const struct store *s, struct hr_error *err) {
    struct stat st;
    if (lstat(s->path, &st)) return true; /* not there yet, or what cannot be locked either */
    if (S_ISLNK(st.st_mode)) return error_set(err, HR_ECHECKPOINT, "checkpoint %s: is a symbolic link: name the file itself", s->path);
    if (!S_ISREG(st.st_mode) || st.st_nlink == 1) return true;
    return error_set(err, HR_ECHECKPOINT, "checkpoint %s: has another name (a hard link): a job under that name would not be noticed", s->path);
}

/* A lock file of its own: POSIX locks of a process vanish with the first close of any descriptor of the
 * file, and SQLite opens and closes the checkpoint itself. */
bool store_lock(struct store *s, struct hr_error *err) {
    if (!has_one_name(s, err)) return false;
    const char *path = arena_printf(&s->arena, "%s.lock", s->path);
    s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->lock < 0) return error_set(err, HR_ECHECKPOINT, "checkpoint %s: cannot lock: %s: %s", s->path, path, strerror(errno));
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(s->lock, F_SETLK, &lock) == 0) return true;
    if (errno != EACCES && errno != EAGAIN)
        return error_set(err, HR_ECHECKPOINT, "checkpoint %s: cannot lock: %s: %s", s->path, path, strerror(errno));
    fcntl(s->lock, F_GETLK, &lock);
    return error_set(err, HR_ECHECKPOINT, "checkpoint %s: in use by process %ld", s->path, (long)lock.l_pid);
}

/* ---- tables ---- */

static void put_identifier(struct hr_buffer *b, const char *name) {
    buffer_putc(b, '"');
    for (; *name; name++) {
        if (*name == '"') buffer_putc(b, '"');
        buffer_putc(b, *name);
    }
    buffer_putc(b, '"');
}

/* c0, c1, ...: keys, then final values, as the view names them; s0, s1, ...: saved states. */
static void put_state_schema(struct hr_buffer *b, const struct store_node *n) {
    int columns = n->shape->keys + n->shape->aggs;
    buffer_printf(b, "CREATE TABLE hr_state_%s(hr_key BLOB PRIMARY KEY, hr_epoch INTEGER NOT NULL, hr_sum INTEGER NOT NULL", n->id);
    for (int i = 0; i < columns; i++) buffer_printf(b, ", c%d", i);
    for (int i = 0; i < n->shape->aggs; i++) buffer_printf(b, ", s%d BLOB NOT NULL", i);
    buffer_printf(b, ") WITHOUT ROWID;CREATE VIEW \"%s\" AS SELECT ", n->id);
    for (int i = 0; i < columns; i++) {
        buffer_printf(b, "%sc%d AS ", i ? ", " : "", i);
        put_identifier(b, i < n->shape->keys ? n->shape->key[i].name : n->shape->agg_name[i - n->shape->keys]);
    }
    if (!columns) buffer_puts(b, "hr_epoch");
    buffer_printf(b, " FROM hr_state_%s ORDER BY hr_key;", n->id);
}

static bool insert_meta(struct store *s, sqlite3 *db, struct hr_error *err) {
    sqlite3_stmt *q = store_prepare(s, db, "INSERT INTO hr_meta VALUES(1, ?, ?, ?, 0, 0, ?, ?)", err);
    if (!q) return false;
    store_make_pipeline(s);
    const char *text[] = {s->job.name, s->job.source, store_signature(s)};
    for (int i = 0; i < 3; i++) sqlite3_bind_text(q, i + 1, text[i], -1, SQLITE_STATIC);
    s->committed = store_checksum(s);
    sqlite3_bind_int64(q, 4, (sqlite3_int64)s->committed);
    sqlite3_bind_text(q, 5, s->pipeline, -1, SQLITE_STATIC);
    bool ok = sqlite3_step(q) == SQLITE_DONE || store_fail(s, db, err, "");
    sqlite3_finalize(q);
    return ok;
}

void store_put_tables(const struct store *s, struct hr_buffer *b) {
    buffer_puts(b, "CREATE TABLE hr_meta(one INTEGER PRIMARY KEY CHECK(one=1), name TEXT NOT NULL, source TEXT NOT NULL,"
                  " state TEXT NOT NULL, epoch INTEGER NOT NULL, published INTEGER NOT NULL, checksum INTEGER NOT NULL, pipeline TEXT NOT NULL);"
                  "CREATE TABLE hr_positions(split TEXT PRIMARY KEY, position INTEGER NOT NULL, detail TEXT, epoch INTEGER NOT NULL,"
                  " position_before INTEGER, detail_before TEXT) WITHOUT ROWID;"
                  "CREATE TABLE hr_counters(id TEXT PRIMARY KEY, rows_in INTEGER, rows_out INTEGER, filtered INTEGER,"
                  " dropped INTEGER, dead INTEGER, bad INTEGER) WITHOUT ROWID;");
    buffer_puts(b, store_sinks_schema);
    for (int i = 0; i < s->job.nodes; i++) put_state_schema(b, &s->job.node[i]);
    buffer_put(b, "", 1);
}

static bool make_tables(struct store *s, sqlite3 *db, struct hr_error *err) {
    struct hr_buffer b = {0};
    buffer_printf(&b, "PRAGMA application_id=%d;PRAGMA user_version=%d;BEGIN;", STORE_APPLICATION, STORE_FORMAT);
    store_put_tables(s, &b);
    bool ok = store_exec(s, db, b.p, err) && insert_meta(s, db, err) && store_exec(s, db, "COMMIT", err);
    buffer_free(&b);
    return ok;
}

/* ---- creation ---- */

static bool sync_path(const char *path, int flags) {
    int fd = open(path, flags | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) close(fd);
    return ok;
}

static const char *folder_of(struct store *s) {
    const char *slash = strrchr(s->path, '/');
    if (!slash) return ".";
    return slash == s->path ? "/" : arena_strndup(&s->arena, s->path, (size_t)(slash - s->path));
}

static bool fill_new(struct store *s, const char *path, struct hr_error *err) {
    sqlite3 *db = NULL;
    bool ok = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK || store_fail(s, db, err, "");
    ok = ok && make_tables(s, db, err);
    sqlite3_close(db);
    return ok;
}

/* A kill at any instant leaves either nothing under the name or a whole checkpoint. */
bool store_create(struct store *s, struct hr_error *err) {
    const char *fresh = arena_printf(&s->arena, "%s.new", s->path), *wal = arena_printf(&s->arena, "%s-wal", s->path);
    if (access(wal, F_OK) == 0)
        return error_set(err, HR_ECHECKPOINT, "checkpoint %s: is gone, but %s is there: put it back, or remove that too to start anew",
                         s->path, wal);
    unlink(fresh);
    unlink(arena_printf(&s->arena, "%s-journal", fresh));
    int fd = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return error_set(err, HR_ECHECKPOINT, "checkpoint %s: cannot be created: %s", s->path, strerror(errno));
    close(fd);
    if (!fill_new(s, fresh, err)) return unlink(fresh), false;
    if (sync_path(fresh, O_RDONLY) && rename(fresh, s->path) == 0 && sync_path(folder_of(s), O_RDONLY | O_DIRECTORY)) return true;
    return error_set(err, HR_ECHECKPOINT, "checkpoint %s: cannot be created: %s", s->path, strerror(errno));
}

/* ---- connection ---- */

/* A thirty-second of the memory holds the inner pages of the largest state that it makes sense to keep. */
static bool set_cache(struct store *s, struct hr_error *err) {
    enum { LEAST_KIB = 2000, MOST_KIB = 64 << 10 };
    size_t kib = s->job.memory / 1024 / 32;
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA cache_size=-%zu", kib > MOST_KIB || !kib ? MOST_KIB : kib < LEAST_KIB ? LEAST_KIB : kib);
    return store_exec(s, s->db, sql, err);
}

/* Without a path a file of SQLite's own, gone when it is closed; nothing is ever taken back in it. */
static bool connect_private(struct store *s, struct hr_error *err) {
    if (sqlite3_open("", &s->db) != SQLITE_OK) return store_fail(s, s->db, err, "");
    return store_exec(s, s->db, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", err) && make_tables(s, s->db, err);
}

bool store_connect(struct store *s, struct hr_error *err) {
    if (!s->path) return connect_private(s, err) && set_cache(s, err);
    struct stat st;
    if (stat(s->path, &st) || !S_ISREG(st.st_mode))
        return error_set(err, HR_ECHECKPOINT, "checkpoint %s: is not a file", s->path);
    int flags = s->job.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    if (sqlite3_open_v2(s->path, &s->db, flags, NULL) != SQLITE_OK) return store_fail(s, s->db, err, "");
    if (!store_distrust(s, s->db, err)) return false;
    sqlite3_busy_timeout(s->db, 10000);
    return set_cache(s, err);
}
