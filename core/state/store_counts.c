/* What was counted of every node, over all runs. */
#include "core/state/store_internal.h"

#include <stdlib.h>
#include <string.h>

static uint64_t checksum(const struct store_counts *c) {
    return hash_bytes(&c->counts, sizeof c->counts, hash_bytes(c->id, strlen(c->id), 0));
}

static struct store_counts *find(const struct store *s, const char *id) {
    for (int i = 0; i < s->totals; i++)
        if (!strcmp(s->total[i].id, id)) return &s->total[i];
    return NULL;
}

static struct store_counts *add(struct store *s, const char *id) {
    s->total = xrealloc(s->total, ((size_t)s->totals + 1) * sizeof *s->total);
    s->total[s->totals] = (struct store_counts){.id = arena_strdup(&s->arena, id)};
    return &s->total[s->totals++];
}

static bool put(struct store *s, const struct store_counts *total, struct hr_error *err) {
    const struct hr_counts *c = &total->counts;
    uint64_t number[] = {c->in, c->out, c->filtered, c->dropped, c->dead, c->bad};
    s->unbound |= sqlite3_bind_text(s->put_counts, 1, total->id, -1, SQLITE_STATIC);
    for (int k = 0; k < 6; k++) sqlite3_bind_int64(s->put_counts, k + 2, (sqlite3_int64)number[k]);
    return store_step(s, s->put_counts, err);
}

bool store_put_counts(struct store *s, const struct store_counts *counts, int n, struct hr_error *err) {
    for (int i = 0; i < n; i++) {
        struct store_counts *total = find(s, counts[i].id);
        if (total) s->checksum -= checksum(total);
        else total = add(s, counts[i].id);
        counts_add(&total->counts, &counts[i].counts);
        s->checksum += checksum(total);
        if (!put(s, total, err)) return false;
    }
    return true;
}

bool store_load_counts(struct store *s, uint64_t *sum, struct hr_error *err) {
    sqlite3_stmt *q = store_prepare(s, s->db, "SELECT id, rows_in, rows_out, filtered, dropped, dead, bad FROM hr_counters", err);
    if (!q) return false;
    int step;
    while ((step = sqlite3_step(q)) == SQLITE_ROW) {
        const char *id = (const char *)sqlite3_column_text(q, 0);
        struct store_counts *total = add(s, id ? id : "");
        uint64_t number[6];
        for (int k = 0; k < 6; k++) number[k] = (uint64_t)sqlite3_column_int64(q, k + 1);
        total->counts = (struct hr_counts){number[0], number[1], number[2], number[3], number[4], number[5]};
        *sum += checksum(total);
    }
    sqlite3_finalize(q);
    return step == SQLITE_DONE || store_fail(s, s->db, err, "");
}

struct hr_counts store_counts_of(struct store *s, const char *id) {
    const struct store_counts *total = find(s, id);
    return total ? total->counts : (struct hr_counts){0};
}
