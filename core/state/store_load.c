/* Opening what a run before left: what is refused, and the state back into memory. */
#include "core/state/store_internal.h"

#include <string.h>

static bool refuse(const struct store *s, struct hr_error *err, const char *what) {
    return error_set(err, HR_ECHECKPOINT, "checkpoint %s: %s", store_name(s), what);
}

uint64_t position_checksum(const struct hr_position *p, const struct store_before *b) {
    int64_t number[] = {p->at, b->epoch, b->none ? -1 : b->at, b->none};
    return hash_bytes(p->split, strlen(p->split), hash_bytes(number, sizeof number, 0));
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

static bool same(const struct store *s, struct hr_error *err, const char *what, const char *was, const char *is) {
    if (was && !strcmp(was, is)) return true;
    return error_set(err, HR_ECHECKPOINT, "checkpoint %s: is another job's: its %s is '%s', this one's is '%s'", store_name(s),
                     what, was ? was : "", is);
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
        s->checksum = (uint64_t)sqlite3_column_int64(q, 5);
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

static bool load_positions(struct store *s, uint64_t *sum, struct hr_error *err) {
    int64_t n = 0;
    one_number(s, "SELECT count(*) FROM hr_positions", &n);
    s->room = (int)n;
    s->position = arena_zalloc(&s->arena, ((size_t)n + 1) * sizeof *s->position);
    s->before = arena_zalloc(&s->arena, ((size_t)n + 1) * sizeof *s->before);
    sqlite3_stmt *q = store_prepare(s, s->db, "SELECT split, position, detail, epoch, position_before FROM hr_positions", err);
    if (!q) return false;
    while (s->positions < n && sqlite3_step(q) == SQLITE_ROW) {
        const char *split = (const char *)sqlite3_column_text(q, 0), *detail = (const char *)sqlite3_column_text(q, 2);
        struct store_before *before = &s->before[s->positions];
        struct hr_position *p = &s->position[s->positions++];
        *p = (struct hr_position){arena_strdup(&s->arena, split ? split : ""), sqlite3_column_int64(q, 1), NULL};
        store_set_detail(p, detail);
        *before = (struct store_before){sqlite3_column_int64(q, 3), sqlite3_column_int64(q, 4),
                                        sqlite3_column_type(q, 4) == SQLITE_NULL};
        *sum += position_checksum(p, before);
    }
    sqlite3_finalize(q);
    return s->positions == n || store_fail(s, s->db, err, "");
}

bool store_load(struct store *s, struct hr_error *err) {
    uint64_t sum = 0;
    for (int i = 0; i < s->job.nodes; i++)
        if (!load_node(s, i, &sum, err)) return false;
    if (!load_positions(s, &sum, err)) return false;
    return sum == s->checksum || refuse(s, err, "damaged: its rows do not add up to its checksum");
}
