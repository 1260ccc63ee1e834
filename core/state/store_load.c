/* Opening what a run before left: what is refused, and the state back into memory. */
#include "core/state/store_internal.h"

#include <string.h>

static bool refuse(const struct store *s, struct hr_error *err, const char *what) {
    return error_set(err, HR_ECHECKPOINT, "checkpoint %s: %s", store_name(s), what);
}

uint64_t store_checksum(const struct store *s) {
    int64_t number[] = {s->epoch, s->published};
    return s->checksum + hash_bytes(s->pipeline, strlen(s->pipeline), 0) + hash_bytes(number, sizeof number, 0);
}

const char *store_signature(struct store *s) {
    struct hr_buffer b = {0};
    for (int i = 0; i < s->job.nodes; i++)
        buffer_printf(&b, "%s%s: %s", i ? "\n" : "", s->job.node[i].id, s->job.node[i].signature);
    const char *text = arena_strndup(&s->arena, b.p, b.n);
    buffer_free(&b);
    return text;
}

/* One number from one row; false: there is none, or an error. */
static bool one_number(struct store *s, const char *sql, int64_t *out) {
    sqlite3_stmt *q = NULL;
    bool ok = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW;
    if (ok) *out = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return ok;
}

static bool check_pages(struct store *s, struct hr_error *err) {
    sqlite3_stmt *q = store_prepare(s, s->db, "PRAGMA quick_check(1)", err);
    if (!q) return false;
    if (sqlite3_step(q) != SQLITE_ROW) return store_fail(s, s->db, err, ""), sqlite3_finalize(q), false;
    const char *said = (const char *)sqlite3_column_text(q, 0);
    bool ok = said && !strcmp(said, "ok");
    if (!ok) error_set(err, HR_ECHECKPOINT, "checkpoint %s: damaged: %s", store_name(s), said ? said : "no answer");
    sqlite3_finalize(q);
    return ok;
}

/* Where the first item that differs begins, of texts that are too long to compare by eye. */
static size_t first_difference(const char *a, const char *b) {
    enum { SHORT = 200 };
    size_t item = 0;
    if (strlen(a) < SHORT && strlen(b) < SHORT) return 0;
    for (size_t i = 0; a[i] && a[i] == b[i]; i++)
        if (a[i] == ' ' && i && (a[i - 1] == ',' || a[i - 1] == ';')) item = i + 1;
    return item;
}

static bool same(const struct store *s, struct hr_error *err, const char *what, const char *was, const char *is) {
    if (was && !strcmp(was, is)) return true;
    if (!was) was = "";
    size_t from = first_difference(was, is);
    const char *dots = from ? "..." : "";
    return error_set(err, HR_ECHECKPOINT, "checkpoint %s: is another job's: its %s is '%s%.200s', this one's is '%s%.200s'", store_name(s), what,
                     dots, was + from, dots, is + from);
}

static bool check_meta(struct store *s, struct hr_error *err) {
    sqlite3_stmt *q = store_prepare(s, s->db, "SELECT name, source, state, epoch, published, checksum, pipeline FROM hr_meta", err);
    if (!q) return false;
    int step = sqlite3_step(q);
    bool ok = step == SQLITE_ROW || (step == SQLITE_DONE ? refuse(s, err, "damaged: it has no meta row") : store_fail(s, s->db, err, ""));
    if (ok) {
        ok = same(s, err, "name", (const char *)sqlite3_column_text(q, 0), s->job.name) &&
             same(s, err, "source", (const char *)sqlite3_column_text(q, 1), s->job.source) &&
             same(s, err, "state", (const char *)sqlite3_column_text(q, 2), store_signature(s));
        s->epoch = sqlite3_column_int64(q, 3);
        s->published = sqlite3_column_int64(q, 4);
        s->committed = (uint64_t)sqlite3_column_int64(q, 5);
        const char *pipeline = (const char *)sqlite3_column_text(q, 6);
        snprintf(s->pipeline, sizeof s->pipeline, "%s", pipeline ? pipeline : "");
    }
    sqlite3_finalize(q);
    return ok;
}

bool store_check(struct store *s, struct hr_error *err) {
    int64_t id = 0, format = 0;
    if (!one_number(s, "PRAGMA application_id", &id)) return store_fail(s, s->db, err, "");
    if (id != STORE_APPLICATION) return refuse(s, err, "is not a headrace checkpoint");
    if (!one_number(s, "PRAGMA user_version", &format)) return store_fail(s, s->db, err, "");
    if (format != STORE_FORMAT)
        return error_set(err, HR_ECHECKPOINT, "checkpoint %s: has format %lld, this headrace reads %d", store_name(s),
                         (long long)format, STORE_FORMAT);
    return store_check_schema(s, false, err) && check_pages(s, err) && check_meta(s, err) && store_check_schema(s, true, err);
}

/* ---- state ---- */

/* What does not fit into memory is only checked, and stays in the file. */
static bool load_node(struct store *s, int node, uint64_t *sum, struct hr_error *err) {
    struct groups *groups = s->job.node[node].groups;
    sqlite3_stmt *q = store_select(s, node, "", err);
    if (!q) return false;
    int step;
    bool ok = true;
    while (ok && (step = sqlite3_step(q)) == SQLITE_ROW) {
        uint64_t one;
        ok = store_row_checksum(s, node, q, &one, err);
        *sum += one;
        if (ok && groups_cold(groups)) groups_cold_add(groups, 1);
        else if (ok && (ok = store_get_group(s, node, q, groups, err))) groups_trim(groups);
    }
    if (ok && step != SQLITE_DONE) ok = store_fail(s, s->db, err, "");
    sqlite3_finalize(q);
    return ok;
}

bool store_load(struct store *s, struct hr_error *err) {
    for (int i = 0; i < s->job.nodes; i++)
        if (!load_node(s, i, &s->checksum, err)) return false;
    if (!store_load_positions(s, &s->checksum, err) || !store_load_counts(s, &s->checksum, err)) return false;
    if (!store_load_sinks(s, &s->checksum, err) || !store_load_outbox(s, &s->checksum, err)) return false;
    return store_checksum(s) == s->committed || refuse(s, err, "damaged: its rows do not add up to its checksum");
}
