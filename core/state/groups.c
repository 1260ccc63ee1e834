/*
 * An open-addressing table (linear probing, at most half full) from encoded key to group number; the
 * states of group g lie side by side at states + g * stride, so that a step runs over plain memory.
 */
#include "core/state/groups.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 64, ALIGN = 16 };
#define EMPTY UINT32_MAX
#define SEED 0x6865616472616365ull

struct entry {
    uint64_t hash;
    const char *key;
    uint32_t key_n;
    bool changed;
};

/* Blocks of the aggregates' own, in a ring, so that all can be freed without asking them. */
struct block {
    struct block *before, *after;
};

struct memory {
    struct hr_agg_memory calls; /* first: what aggregates see */
    struct block ring;
    size_t bytes;
};

struct groups {
    const struct groups_shape *shape;
    size_t stride, *offset; /* of each aggregate's state */
    uint32_t *slot, slots;
    uint32_t n, room;
    struct entry *entry;
    struct groups_stored *stored;
    char *states;
    struct arena keys;
    struct memory memory;
    uint32_t *changed, changes;  /* numbers, in the order of their first change */
    uint32_t *reported;          /* what groups_changed() gave */
    uint32_t *order, ordered;    /* by key, of the first `ordered` groups */
    struct hr_buffer key;        /* of the row at hand */
};

/* ---- memory of the aggregates ---- */

static void *memory_resize(struct hr_agg_memory *m, void *p, size_t old_size, size_t new_size) {
    struct memory *memory = (struct memory *)m;
    struct block *b = p ? (struct block *)p - 1 : NULL;
    memory->bytes += new_size - old_size;
    if (b) {
        b->before->after = b->after;
        b->after->before = b->before;
    }
    if (!new_size) return free(b), NULL;
    b = xrealloc(b, sizeof *b + new_size);
    if (new_size > old_size) memset((char *)(b + 1) + old_size, 0, new_size - old_size);
    *b = (struct block){&memory->ring, memory->ring.after};
    b->before->after = b->after->before = b;
    return b + 1;
}

static void memory_init(struct memory *m) {
    m->calls.resize = memory_resize;
    m->ring = (struct block){&m->ring, &m->ring};
    m->bytes = 0;
}

static void memory_free(struct memory *m) {
    for (struct block *b = m->ring.after, *after; b != &m->ring; b = after) {
        after = b->after;
        free(b);
    }
    memory_init(m);
}

/* ---- the table ---- */

struct groups *groups_new(const struct groups_shape *shape) {
    struct groups *g = xcalloc(1, sizeof *g);
    g->shape = shape;
    g->offset = xcalloc((size_t)shape->aggs, sizeof *g->offset);
    for (int a = 0; a < shape->aggs; a++) {
        g->offset[a] = g->stride;
        g->stride += (shape->agg[a].size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    }
    g->slots = FIRST_SLOTS;
    g->slot = xmalloc(g->slots * sizeof *g->slot);
    memset(g->slot, 0xff, g->slots * sizeof *g->slot);
    memory_init(&g->memory);
    return g;
}

void groups_free(struct groups *g) {
    memory_free(&g->memory);
    arena_free(&g->keys);
    buffer_free(&g->key);
    free(g->offset);
    free(g->slot);
    free(g->entry);
    free(g->stored);
    free(g->states);
    free(g->changed);
    free(g->reported);
    free(g->order);
    free(g);
}

void groups_clear(struct groups *g) {
    memory_free(&g->memory);
    arena_reset(&g->keys);
    memset(g->slot, 0xff, g->slots * sizeof *g->slot);
    if (g->n) memset(g->states, 0, g->n * g->stride);
    g->n = g->changes = g->ordered = 0;
}

uint32_t groups_count(const struct groups *g) { return g->n; }
uint32_t groups_changes(const struct groups *g) { return g->changes; }

size_t groups_bytes(const struct groups *g) {
    size_t each = sizeof *g->entry + sizeof *g->stored + g->stride + 3 * sizeof(uint32_t);
    return g->slots * sizeof *g->slot + g->room * each + g->keys.bytes + g->memory.bytes;
}

static void more_slots(struct groups *g) {
    g->slots *= 2;
    g->slot = xrealloc(g->slot, g->slots * sizeof *g->slot);
    memset(g->slot, 0xff, g->slots * sizeof *g->slot);
    for (uint32_t i = 0; i < g->n; i++) {
        uint32_t at = (uint32_t)g->entry[i].hash & (g->slots - 1);
        while (g->slot[at] != EMPTY) at = (at + 1) & (g->slots - 1);
        g->slot[at] = i;
    }
}

static void more_room(struct groups *g) {
    uint32_t room = g->room ? 2 * g->room : FIRST_SLOTS / 2;
    g->entry = xrealloc(g->entry, room * sizeof *g->entry);
    g->stored = xrealloc(g->stored, room * sizeof *g->stored);
    g->changed = xrealloc(g->changed, room * sizeof *g->changed);
    g->reported = xrealloc(g->reported, room * sizeof *g->reported);
    g->order = xrealloc(g->order, room * sizeof *g->order);
    char *states = aligned_alloc(ALIGN, room * g->stride + ALIGN);
    if (!states) states = xmalloc(SIZE_MAX); /* says so and ends */
    if (g->n) memcpy(states, g->states, g->n * g->stride);
    memset(states + g->n * g->stride, 0, (room - g->n) * g->stride);
    free(g->states);
    g->states = states;
    g->room = room;
}

static uint32_t find(struct groups *g, const char *key, size_t n, uint64_t hash) {
    uint32_t at = (uint32_t)hash & (g->slots - 1);
    for (; g->slot[at] != EMPTY; at = (at + 1) & (g->slots - 1)) {
        const struct entry *e = &g->entry[g->slot[at]];
        if (e->hash == hash && e->key_n == n && !memcmp(e->key, key, n)) return g->slot[at];
    }
    if (g->n == g->room) more_room(g);
    uint32_t number = g->n++;
    g->entry[number] = (struct entry){hash, arena_strndup(&g->keys, key, n), (uint32_t)n, false};
    g->stored[number] = (struct groups_stored){0};
    g->slot[at] = number;
    if (g->n > g->slots / 2) more_slots(g);
    return number;
}

uint32_t groups_at(struct groups *g, const char *key, size_t n) { return find(g, key, n, hash_bytes(key, n, SEED)); }

static void touch(struct groups *g, uint32_t number) {
    if (g->entry[number].changed) return;
    g->entry[number].changed = true;
    g->changed[g->changes++] = number;
}

void groups_key(const struct groups *g, uint32_t i, const char **p, size_t *n) {
    *p = g->entry[i].key;
    *n = g->entry[i].key_n;
}

void *groups_state(const struct groups *g, uint32_t i, int agg) { return g->states + i * g->stride + g->offset[agg]; }
struct hr_agg_memory *groups_memory(struct groups *g) { return &g->memory.calls; }
struct groups_stored *groups_stored(struct groups *g, uint32_t i) { return &g->stored[i]; }

/* ---- folding ---- */

static void number_rows(struct groups *g, const struct hr_column *key, struct hr_rows rows, uint32_t *group) {
    HR_EACH(rows, i) {
        g->key.n = 0;
        for (int k = 0; k < g->shape->keys; k++)
            key_put(&g->key, key[k].type, hr_is_null(&key[k], i) ? NULL : hr_value(&key[k], i));
        group[i] = groups_at(g, g->key.p ? g->key.p : "", g->key.n);
        touch(g, group[i]);
    }
}

static struct hr_rows without_nulls(const struct hr_column *c, struct hr_rows rows, uint16_t *sel) {
    if (!c->valid) return rows;
    uint32_t n = 0;
    HR_EACH(rows, i) {
        sel[n] = (uint16_t)i;
        n += c->valid[i >> 6] >> (i & 63) & 1;
    }
    return (struct hr_rows){sel, n};
}

bool groups_fold(struct groups *g, const struct hr_column *key, const struct hr_column *arg, struct hr_rows rows,
                 struct hr_error *err) {
    uint32_t group[HR_BATCH];
    uint16_t sel[HR_BATCH];
    if (!rows.n) return true;
    number_rows(g, key, rows, group);
    for (int a = 0; a < g->shape->aggs; a++) {
        const struct hr_agg *agg = &g->shape->agg[a];
        const struct hr_column *of = agg->args ? &arg[a] : NULL;
        struct hr_rows take = of ? without_nulls(of, rows, sel) : rows;
        if (!agg->fn->step(agg, &g->memory.calls, g->states + g->offset[a], g->stride, group, of, take, err)) return false;
    }
    return true;
}

bool groups_merge(struct groups *g, const struct groups *from, struct hr_error *err) {
    for (uint32_t i = 0; i < from->n; i++) {
        const struct entry *e = &from->entry[i];
        uint32_t into = find(g, e->key, e->key_n, e->hash);
        touch(g, into);
        for (int a = 0; a < g->shape->aggs; a++) {
            const struct hr_agg *agg = &g->shape->agg[a];
            if (!agg->fn->merge(agg, &g->memory.calls, groups_state(g, into, a), groups_state(from, i, a), err)) return false;
        }
    }
    return true;
}

/* ---- order ---- */

static int by_key(const void *x, const void *y, void *groups) {
    const struct groups *g = groups;
    const struct entry *a = &g->entry[*(const uint32_t *)x], *b = &g->entry[*(const uint32_t *)y];
    int order = memcmp(a->key, b->key, a->key_n < b->key_n ? a->key_n : b->key_n);
    return order ? order : (a->key_n > b->key_n) - (a->key_n < b->key_n);
}

const uint32_t *groups_changed(struct groups *g, uint32_t *n) {
    *n = g->changes;
    for (uint32_t k = 0; k < g->changes; k++) {
        g->reported[k] = g->changed[k];
        g->entry[g->changed[k]].changed = false;
    }
    g->changes = 0;
    if (*n) qsort_r(g->reported, *n, sizeof *g->reported, by_key, g);
    return g->reported;
}

/* Only the groups that came since are sorted, and merged in from the back. */
const uint32_t *groups_sorted(struct groups *g, uint32_t *n) {
    *n = g->n;
    if (g->ordered == g->n) return g->order;
    uint32_t added = g->n - g->ordered, old = g->ordered, at = g->n;
    uint32_t *fresh = xmalloc(added * sizeof *fresh);
    for (uint32_t k = 0; k < added; k++) fresh[k] = old + k;
    qsort_r(fresh, added, sizeof *fresh, by_key, g);
    while (added) {
        bool take_old = old && by_key(&g->order[old - 1], &fresh[added - 1], g) > 0;
        g->order[--at] = take_old ? g->order[--old] : fresh[--added];
    }
    free(fresh);
    g->ordered = g->n;
    return g->order;
}
