/* Groups as rows of the checkpoint, and back. */
#include "core/state/store_internal.h"

#include <math.h>

/* ---- statements ---- */

sqlite3_stmt *store_select(struct store *s, int node, const char *rest, struct hr_error *err) {
    const struct store_node *n = &s->job.node[node];
    struct hr_buffer sql = {0};
    buffer_puts(&sql, "SELECT hr_key, hr_epoch, hr_sum");
    for (int a = 0; a < n->shape->aggs; a++) buffer_printf(&sql, ", s%d", a);
    for (int c = 0; c < n->shape->keys + n->shape->aggs; c++) buffer_printf(&sql, ", c%d", c);
    buffer_printf(&sql, " FROM hr_state_%s %s", n->id, rest);
    buffer_putc(&sql, '\0');
    sqlite3_stmt *q = store_prepare(s, s->db, sql.p, err);
    buffer_free(&sql);
    return q;
}

static sqlite3_stmt *prepare_put(struct store *s, const struct store_node *n, struct hr_error *err) {
    struct hr_buffer sql = {0};
    buffer_printf(&sql, "INSERT OR REPLACE INTO hr_state_%s VALUES(?, ?, ?", n->id);
    for (int k = 0; k < n->shape->keys + 2 * n->shape->aggs; k++) buffer_puts(&sql, ", ?");
    buffer_put(&sql, ")", 2);
    sqlite3_stmt *q = store_prepare(s, s->db, sql.p, err);
    buffer_free(&sql);
    return q;
}

bool store_prepare_groups(struct store *s, struct hr_error *err) {
    for (int i = 0; i < s->job.nodes; i++) {
        s->rows[i].put = prepare_put(s, &s->job.node[i], err);
        s->rows[i].get = store_select(s, i, "WHERE hr_key = ?", err);
        if (!s->rows[i].put || !s->rows[i].get) return false;
    }
    return true;
}

void store_release_groups(struct store *s) {
    for (int i = 0; i < s->job.nodes; i++) {
        sqlite3_finalize(s->rows[i].put);
        sqlite3_finalize(s->rows[i].get);
        s->rows[i].put = s->rows[i].get = NULL;
    }
}

/* ---- the checksum of a row: key and epoch, what the view shows, the saved states ---- */

static uint64_t hash_shown(int type, const void *p, size_t n, uint64_t seed) { return hash_bytes(p, n, seed + (uint64_t)type); }

static uint64_t hash_column(sqlite3_stmt *q, int column, uint64_t seed) {
    int type = sqlite3_column_type(q, column);
    int64_t whole = type == SQLITE_INTEGER ? sqlite3_column_int64(q, column) : 0;
    double real = type == SQLITE_FLOAT ? sqlite3_column_double(q, column) : 0;
    switch (type) {
    case SQLITE_INTEGER: return hash_shown(type, &whole, sizeof whole, seed);
    case SQLITE_FLOAT: return hash_shown(type, &real, sizeof real, seed);
    default: return hash_shown(type, sqlite3_column_blob(q, column), (size_t)sqlite3_column_bytes(q, column), seed);
    }
}

bool store_row_checksum(struct store *s, int node, sqlite3_stmt *q, uint64_t *sum, struct hr_error *err) {
    const struct groups_shape *shape = s->job.node[node].shape;
    uint64_t h = hash_bytes(sqlite3_column_blob(q, 0), (size_t)sqlite3_column_bytes(q, 0), (uint64_t)sqlite3_column_int64(q, 1));
    for (int c = 0; c < shape->keys + shape->aggs; c++) h = hash_column(q, 3 + shape->aggs + c, h);
    for (int a = 0; a < shape->aggs; a++) h = hash_bytes(sqlite3_column_blob(q, 3 + a), (size_t)sqlite3_column_bytes(q, 3 + a), h);
    *sum = h;
    return h == (uint64_t)sqlite3_column_int64(q, 2) ||
           error_set(err, HR_ECHECKPOINT, "checkpoint %s: damaged: a row of the state does not match its checksum", store_name(s));
}

/* ---- from the file ---- */

/* A saved state begins with the version of what the aggregate wrote. */
bool store_get_group(struct store *s, int node, sqlite3_stmt *q, struct groups *to, struct hr_error *err) {
    const struct store_node *n = &s->job.node[node];
    const char *key = sqlite3_column_blob(q, 0); /* NULL where there are no keys */
    uint32_t g = groups_at(to, key ? key : "", (size_t)sqlite3_column_bytes(q, 0));
    if (g == GROUPS_NONE) return error_set(err, HR_ECHECKPOINT, "checkpoint %s: damaged: a key of %s cannot be read", store_name(s), n->id);
    *groups_stored(to, g) = (struct groups_stored){(uint64_t)sqlite3_column_int64(q, 2), sqlite3_column_int64(q, 1)};
    for (int a = 0; a < n->shape->aggs; a++) {
        const struct hr_agg *agg = &n->shape->agg[a];
        const char *p = sqlite3_column_blob(q, 3 + a);
        int size = sqlite3_column_bytes(q, 3 + a);
        if (size < 1) return error_set(err, HR_ECHECKPOINT, "a saved state of %s is empty", agg->fn->name);
        if (!agg->fn->load(agg, groups_memory(to), groups_state(to, g, a), *p, p + 1, (size_t)size - 1, err)) return false;
    }
    return true;
}

/* ---- cold groups ---- */

static bool add_stored(struct store *s, int node, uint32_t g, sqlite3_stmt *q, struct hr_error *err) {
    const struct store_node *n = &s->job.node[node];
    struct groups *row = s->rows[node].few;
    uint64_t sum;
    groups_clear(row);
    if (!store_row_checksum(s, node, q, &sum, err) || !store_get_group(s, node, q, row, err)) return false;
    for (int a = 0; a < n->shape->aggs; a++) {
        const struct hr_agg *agg = &n->shape->agg[a];
        if (!agg->fn->merge(agg, groups_memory(n->groups), groups_state(n->groups, g, a), groups_state(row, 0, a), err)) return false;
    }
    *groups_stored(n->groups, g) = *groups_stored(row, 0);
    groups_cold_add(n->groups, -1);
    return true;
}

/* A group that is new here may have been forgotten (groups_trim): then what the file has of it is added. Keys come
 * sorted, so that its page is the one that is written next. */
static bool bring_back(struct store *s, int node, uint32_t g, const char *key, size_t key_n, struct hr_error *err) {
    struct groups *groups = s->job.node[node].groups;
    sqlite3_stmt *q = s->rows[node].get;
    if (groups_stored(groups, g)->epoch || !groups_cold(groups)) return true;
    sqlite3_bind_blob(q, 1, key, (int)key_n, SQLITE_STATIC);
    int step = sqlite3_step(q);
    bool ok = step == SQLITE_ROW ? add_stored(s, node, g, q, err) : step == SQLITE_DONE || store_fail(s, s->db, err, "");
    sqlite3_reset(q);
    return ok;
}

/* ---- to the file ---- */

static int bind_whole(sqlite3_stmt *q, int at, int64_t value, uint64_t *sum) {
    *sum = hash_shown(SQLITE_INTEGER, &value, sizeof value, *sum);
    return sqlite3_bind_int64(q, at, value);
}

static int bind_real(sqlite3_stmt *q, int at, double value, uint64_t *sum) {
    *sum = hash_shown(SQLITE_FLOAT, &value, sizeof value, *sum);
    return sqlite3_bind_double(q, at, value);
}

static int bind_text(sqlite3_stmt *q, int at, const char *p, size_t n, void (*keep)(void *), uint64_t *sum) {
    *sum = hash_shown(SQLITE_TEXT, p, n, *sum);
    return sqlite3_bind_text(q, at, n ? p : "", (int)n, keep);
}

/* As sqlite3 shall show them: what SQLite has no type for is text, as on the console. */
static int bind_value(sqlite3_stmt *q, int at, struct hr_type type, const void *value, struct hr_buffer *scratch, uint64_t *sum) {
    const struct hr_text *text = value;
    if (!value) return *sum = hash_shown(SQLITE_NULL, NULL, 0, *sum), sqlite3_bind_null(q, at);
    if (type.id == HR_INT) return bind_whole(q, at, *(const int32_t *)value, sum);
    if (type.id == HR_BIGINT) return bind_whole(q, at, *(const int64_t *)value, sum);
    if (type.id == HR_STRING) return bind_text(q, at, text->p, text->n, SQLITE_STATIC, sum);
    if (type.id == HR_DOUBLE && !isnan(*(const double *)value)) return bind_real(q, at, *(const double *)value, sum);
    scratch->n = 0;
    value_text(scratch, type, value);
    return bind_text(q, at, scratch->p, scratch->n, SQLITE_TRANSIENT, sum);
}

/* Room for one value of any type. */
struct cell {
    _Alignas(16) char value[16];
    uint64_t valid;
};

/* The group's place, as far as it has one: which result, of which key. */
static bool fail_final(const struct store_node *n, uint32_t g, int a, struct hr_error *err) {
    struct hr_error why = *err;
    struct hr_buffer key = {0};
    for (int k = 0; k < n->shape->keys; k++) {
        const void *value = groups_key_value(n->groups, g, k);
        buffer_puts(&key, k ? ", " : " of ");
        if (value) value_text(&key, n->shape->key[k].type, value);
        else buffer_puts(&key, "NULL");
    }
    *err = (struct hr_error){0};
    error_set(err, why.code, "%s: %s%.*s: %s", n->id, n->shape->agg_name[a], key.n < 200 ? (int)key.n : 200, key.n ? key.p : "", why.text);
    buffer_free(&key);
    return false;
}

static bool bind_final(struct store *s, int node, uint32_t g, int a, uint64_t *unfit, uint64_t *sum, struct hr_error *err) {
    const struct store_node *n = &s->job.node[node];
    const struct hr_agg *agg = &n->shape->agg[a];
    const void *state = groups_state(n->groups, g, a);
    struct cell cell = {.valid = 1};
    struct hr_column column = {cell.value, &cell.valid, agg->result};
    if (!agg->fn->final(agg, state, &column, 0, err)) return fail_final(n, g, a, err);
    bool null = !(cell.valid & 1);
    *unfit += null && agg->fn->some && agg->fn->some(agg, state);
    s->unbound |= bind_value(s->rows[node].put, 4 + n->shape->keys + a, agg->result, null ? NULL : cell.value, &s->text, sum);
    return true;
}

/* All states of the row in one buffer, bound when it has stopped moving. */
static bool bind_states(struct store *s, int node, uint32_t g, uint64_t *sum, struct hr_error *err) {
    const struct store_node *n = &s->job.node[node];
    struct hr_buffer *saved = &s->saved;
    int at = 4 + n->shape->keys + n->shape->aggs;
    size_t *end = s->rows[node].saved_end;
    saved->n = 0;
    for (int a = 0; a < n->shape->aggs; a++) {
        const struct hr_agg *agg = &n->shape->agg[a];
        size_t from = saved->n;
        buffer_putc(saved, (char)agg->fn->version);
        if (!agg->fn->save(agg, groups_state(n->groups, g, a), saved)) return error_set(err, HR_EFAIL, "%s: cannot be saved", agg->fn->name);
        *sum = hash_bytes(saved->p + from, saved->n - from, *sum);
        end[a] = saved->n;
    }
    for (int a = 0; a < n->shape->aggs; a++) {
        size_t from = a ? end[a - 1] : 0;
        s->unbound |= sqlite3_bind_blob(s->rows[node].put, at + a, saved->p + from, (int)(end[a] - from), SQLITE_STATIC);
    }
    return true;
}

static bool put_group(struct store *s, int node, uint32_t g, int64_t epoch, uint64_t *unfit, struct hr_error *err) {
    const struct store_node *n = &s->job.node[node];
    sqlite3_stmt *q = s->rows[node].put;
    const char *key;
    size_t key_n;
    int keys = n->shape->keys;
    groups_key(n->groups, g, &key, &key_n);
    if (!bring_back(s, node, g, key, key_n, err)) return false;
    uint64_t sum = hash_bytes(key, key_n, (uint64_t)epoch);
    sqlite3_bind_blob(q, 1, key, (int)key_n, SQLITE_STATIC);
    sqlite3_bind_int64(q, 2, epoch);
    for (int k = 0; k < keys; k++) s->unbound |= bind_value(q, 4 + k, n->shape->key[k].type, groups_key_value(n->groups, g, k), &s->text, &sum);
    for (int a = 0; a < n->shape->aggs; a++)
        if (!bind_final(s, node, g, a, unfit, &sum, err)) return false;
    if (!bind_states(s, node, g, &sum, err)) return false;
    sqlite3_bind_int64(q, 3, (sqlite3_int64)sum);
    struct groups_stored *stored = groups_stored(n->groups, g);
    s->checksum += sum - stored->checksum;
    *stored = (struct groups_stored){sum, epoch};
    return store_step(s, q, err);
}

bool store_put_groups(struct store *s, int node, int64_t epoch, uint64_t *unfit, struct hr_error *err) {
    uint32_t n;
    const uint32_t *group = groups_changed(s->job.node[node].groups, &n);
    for (uint32_t i = 0; i < n; i++)
        if (!put_group(s, node, group[i], epoch, unfit, err)) return false;
    return true;
}
