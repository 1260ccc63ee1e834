/* Where the source is: the positions of the newest epoch, and those at its other end. */
#include "core/state/store_internal.h"

#include <stdlib.h>
#include <string.h>

struct hr_positions store_positions(struct store *s) { return (struct hr_positions){s->positions, s->position}; }

static uint64_t hash_text(const char *text, uint64_t seed) { return hash_bytes(text ? text : "", text ? strlen(text) + 1 : 0, seed); }

static uint64_t checksum(const struct hr_position *p, const struct store_before *b) {
    int64_t number[] = {p->at, b->epoch, b->none ? -1 : b->at, b->none};
    uint64_t h = hash_text(p->split, hash_bytes(number, sizeof number, 0));
    return hash_text(b->detail, hash_text(p->detail, h));
}

/* ---- writing ---- */

/* In the arena, so it doubles: what is left behind is no more than what is kept. */
static void make_room(struct store *s) {
    if (s->positions < s->room) return;
    size_t n = (size_t)s->positions, room = n < 8 ? 16 : 2 * n;
    struct hr_position *more = arena_alloc(&s->arena, room * sizeof *more);
    struct store_before *before = arena_alloc(&s->arena, room * sizeof *before);
    if (n) memcpy(more, s->position, n * sizeof *more);
    if (n) memcpy(before, s->before, n * sizeof *before);
    s->position = more;
    s->before = before;
    s->room = (int)room;
}

/* Number of the split's position, made if it isn't there. A source names its splits in the same order each time, so the
 * one after the last is tried first. */
static int position_of(struct store *s, const char *split) {
    for (int i = 0; i < s->positions; i++) {
        int k = (s->turn + i) % s->positions;
        if (strcmp(s->position[k].split, split)) continue;
        s->turn = k + 1;
        return k;
    }
    make_room(s);
    s->position[s->positions] = (struct hr_position){.split = arena_strdup(&s->arena, split)};
    s->before[s->positions] = (struct store_before){.none = true};
    s->turn = s->positions + 1;
    return s->positions++;
}

/* A detail changes with every epoch of a file that grows: no memory of the arena. */
static char *copy(const char *detail) {
    size_t n = detail ? strlen(detail) + 1 : 0;
    return detail ? memcpy(xmalloc(n), detail, n) : NULL;
}

static bool same(const struct hr_position *a, const struct hr_position *b) {
    if (a->at != b->at || !a->detail != !b->detail) return false;
    return !a->detail || !strcmp(a->detail, b->detail);
}

static void move(struct hr_position *p, struct store_before *b, int64_t epoch, bool fresh, const struct hr_position *to) {
    free(b->detail);
    *b = (struct store_before){epoch, p->at, (char *)p->detail, fresh};
    p->at = to->at;
    p->detail = copy(to->detail);
}

static bool put(struct store *s, const struct hr_position *p, const struct store_before *b, struct hr_error *err) {
    sqlite3_stmt *q = s->put_position;
    s->unbound |= sqlite3_bind_text(q, 1, p->split, -1, SQLITE_STATIC);
    sqlite3_bind_int64(q, 2, p->at);
    s->unbound |= sqlite3_bind_text(q, 3, p->detail, -1, SQLITE_STATIC);
    sqlite3_bind_int64(q, 4, b->epoch);
    s->unbound |= b->none ? sqlite3_bind_null(q, 5) : sqlite3_bind_int64(q, 5, b->at);
    s->unbound |= sqlite3_bind_text(q, 6, b->detail, -1, SQLITE_STATIC);
    return store_step(s, q, err);
}

bool store_put_positions(struct store *s, int64_t epoch, struct hr_positions at, struct hr_error *err) {
    for (int i = 0; i < at.n; i++) {
        int known = s->positions, k = position_of(s, at.item[i].split);
        struct hr_position *p = &s->position[k];
        struct store_before *b = &s->before[k];
        bool fresh = s->positions > known;
        if (!fresh && same(p, &at.item[i])) continue;
        if (!fresh) s->checksum -= checksum(p, b);
        move(p, b, epoch, fresh, &at.item[i]);
        s->checksum += checksum(p, b);
        if (!put(s, p, b, err)) return false;
    }
    return true;
}

/* ---- reading ---- */

bool store_load_positions(struct store *s, uint64_t *sum, struct hr_error *err) {
    sqlite3_stmt *q = store_prepare(s, s->db, "SELECT split, position, detail, epoch, position_before, detail_before FROM hr_positions", err);
    if (!q) return false;
    int step;
    while ((step = sqlite3_step(q)) == SQLITE_ROW) {
        const char *split = (const char *)sqlite3_column_text(q, 0);
        make_room(s);
        struct hr_position *p = &s->position[s->positions];
        struct store_before *b = &s->before[s->positions++];
        *p = (struct hr_position){arena_strdup(&s->arena, split ? split : ""), sqlite3_column_int64(q, 1),
                                  copy((const char *)sqlite3_column_text(q, 2))};
        *b = (struct store_before){sqlite3_column_int64(q, 3), sqlite3_column_int64(q, 4), copy((const char *)sqlite3_column_text(q, 5)),
                                   sqlite3_column_type(q, 4) == SQLITE_NULL};
        *sum += checksum(p, b);
    }
    sqlite3_finalize(q);
    return step == SQLITE_DONE || store_fail(s, s->db, err, "");
}

struct hr_positions store_positions_before(struct store *s, struct arena *a) {
    struct hr_position *item = arena_zalloc(a, ((size_t)s->positions + 1) * sizeof *item);
    int n = 0;
    for (int i = 0; i < s->positions; i++) {
        const struct store_before *b = &s->before[i];
        bool moved = b->epoch == s->epoch;
        if (!moved) item[n++] = s->position[i];
        else if (!b->none) item[n++] = (struct hr_position){s->position[i].split, b->at, b->detail};
    }
    return (struct hr_positions){n, item};
}

void store_free_positions(struct store *s) {
    for (int i = 0; i < s->positions; i++) {
        free((char *)s->position[i].detail);
        free(s->before[i].detail);
    }
}
