/*
 * An open-addressing table (linear probing, at most three quarters full) from normalised key to group number. Key and
 * states of a group lie side by side in one row, so that a group costs few cache lines however many there are, and a
 * step runs over states + group * stride. All of a batch is hashed first, so that memory is on its way
 * when it is looked at.
 */
#include "core/state/groups_internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    FIRST_SLOTS = 64,
    KEPT_SLOTS = 1 << 12, /* what a cleared table keeps at most */
    FAR_SLOTS = 1 << 15,  /* beyond the near caches */
    AHEAD = 8,            /* keys between fetching memory and using it */
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

static void empty_slots(struct groups *g, uint32_t slots) {
    if (slots != g->slots) {
        free(g->slot);
        g->slot = xmalloc(slots * sizeof *g->slot);
        g->slots = slots;
    }
    memset(g->slot, 0xff, slots * sizeof *g->slot);
}

/* malloc() aligns to 16 bytes, and moves what is large without copying it. */
static void set_room(struct groups *g, uint32_t room) {
    size_t words = ((size_t)room + 63) / 64, had = ((size_t)g->room + 63) / 64;
    g->row = xrealloc(g->row, room * g->stride);
    g->changed = xrealloc(g->changed, words * sizeof *g->changed);
    if (words > had) memset(g->changed + had, 0, (words - had) * sizeof *g->changed);
    if (g->stored) g->stored = xrealloc(g->stored, room * sizeof *g->stored);
    g->room = room;
}

struct groups *groups_new(const struct groups_shape *shape) {
    struct groups *g = xcalloc(1, sizeof *g);
    g->shape = shape;
    key_layout_init(&g->key, shape);
    g->offset = xcalloc((size_t)shape->aggs, sizeof *g->offset);
    g->stride = g->key.size;
    for (int a = 0; a < shape->aggs; a++) {
        g->offset[a] = g->stride;
        g->stride += (shape->agg[a].size + GROUPS_ALIGN - 1) & ~(size_t)(GROUPS_ALIGN - 1);
    }
    g->batch = xmalloc((HR_BATCH + 1) * g->key.size);
    empty_slots(g, FIRST_SLOTS);
    set_room(g, FIRST_SLOTS / 2);
    memory_init(&g->memory);
    return g;
}

void groups_free(struct groups *g) {
    memory_free(&g->memory);
    arena_free(&g->strings);
    buffer_free(&g->encoded);
    buffer_free(&g->other);
    free(g->key.at);
    free(g->offset);
    free(g->slot);
    free(g->row);
    free(g->changed);
    free(g->stored);
    free(g->reported);
    free(g->order);
    free(g->batch);
    free(g);
}

/* What was large goes back: neither clearing nor holding it costs more than the epoch at hand is worth. */
void groups_clear(struct groups *g) {
    memory_free(&g->memory);
    arena_reset(&g->strings);
    free(g->reported);
    free(g->order);
    g->reported = g->order = NULL;
    memset(g->changed, 0, ((size_t)g->n + 63) / 64 * sizeof *g->changed);
    empty_slots(g, g->slots > KEPT_SLOTS ? KEPT_SLOTS : g->slots);
    if (g->room > g->slots) set_room(g, g->slots);
    g->n = g->changes = g->ordered = 0;
}

/* Whether a changed group is a new one or a cold one comes out when it is committed. */
uint32_t groups_count(const struct groups *g) { return g->cold ? g->cold + g->n - g->changes : g->n; }
uint32_t groups_changes(const struct groups *g) { return g->changes; }

size_t groups_resident(const struct groups *g) {
    size_t each = g->stride + 2 * sizeof(uint32_t) + (g->stored ? sizeof *g->stored : 0);
    return g->slots * sizeof *g->slot + g->n * each + g->strings.bytes + g->memory.bytes;
}

size_t groups_bytes(const struct groups *g) { return groups_resident(g) + g->cold_bytes; }

void groups_limit(struct groups *g, size_t bytes) { g->limit = bytes; }
uint32_t groups_cold(const struct groups *g) { return g->cold; }

void groups_cold_add(struct groups *g, int by) {
    size_t each = g->cold ? g->cold_bytes / g->cold : g->stride;
    g->cold += (uint32_t)by;
    g->cold_bytes = g->cold ? g->cold_bytes + (size_t)by * each : 0;
}

/* All of them: a group that changes is written anyway, and its page with it, so that it costs little to look it
 * up there first. */
void groups_trim(struct groups *g) {
    if (!g->limit || g->changes || groups_resident(g) <= g->limit) return;
    g->cold += g->n;
    g->cold_bytes += groups_resident(g);
    groups_clear(g);
}

static void more_slots(struct groups *g) {
    struct slot *old = g->slot;
    uint32_t n = g->slots, mask = 2 * n - 1;
    g->slot = NULL;
    empty_slots(g, 2 * n);
    for (uint32_t i = 0; i < n; i++) {
        if (old[i].group == GROUPS_EMPTY) continue;
        uint32_t at = old[i].hash & mask;
        while (g->slot[at].group != GROUPS_EMPTY) at = (at + 1) & mask;
        g->slot[at] = old[i];
    }
    free(old);
}

/* The strings of a key become the table's own. */
static void own_strings(struct groups *g, char *key) {
    struct hr_text *text = key_strings(&g->key, key);
    for (int s = 0; s < g->key.strings; s++)
        if (text[s].n) text[s].p = memcpy(arena_alloc(&g->strings, text[s].n), text[s].p, text[s].n);
}

static uint32_t add(struct groups *g, uint32_t at, const char *key) {
    if (g->n == g->room) set_room(g, 2 * g->room);
    uint32_t number = g->n++;
    char *row = groups_row(g, number);
    memcpy(row, key, g->key.size);
    memset(row + g->key.size, 0, g->stride - g->key.size);
    own_strings(g, row);
    if (g->stored) g->stored[number] = (struct groups_stored){0};
    g->slot[at] = (struct slot){key_hash(&g->key, key), number};
    if (g->n > g->slots / 4 * 3) more_slots(g);
    return number;
}

static uint32_t find(struct groups *g, const char *key) {
    uint32_t hash = key_hash(&g->key, key), at = hash & (g->slots - 1);
    for (; g->slot[at].group != GROUPS_EMPTY; at = (at + 1) & (g->slots - 1))
        if (g->slot[at].hash == hash && key_equal(&g->key, groups_row(g, g->slot[at].group), key)) return g->slot[at].group;
    return add(g, at, key);
}

static const struct slot *slot_of(const struct groups *g, const char *key) { return &g->slot[key_hash(&g->key, key) & (g->slots - 1)]; }

/* Numbers of n keys that lie `stride` bytes apart. */
static void find_all(struct groups *g, const char *keys, size_t stride, uint32_t n, uint32_t *number) {
    bool far = g->slots >= FAR_SLOTS;
    for (uint32_t i = 0; i < n; i++) {
        if (far && i + 2 * AHEAD < n) __builtin_prefetch(slot_of(g, keys + (i + 2 * AHEAD) * stride));
        if (far && i + AHEAD < n) {
            uint32_t next = slot_of(g, keys + (i + AHEAD) * stride)->group;
            if (next != GROUPS_EMPTY)
                for (size_t byte = 0; byte < g->stride; byte += 64) __builtin_prefetch(groups_row(g, next) + byte, 1);
        }
        number[i] = find(g, keys + i * stride);
    }
}

/* A group that comes from its key alone, as a checkpoint's do, has not changed. */
uint32_t groups_at(struct groups *g, const char *key, size_t n) {
    struct arena strings = {0};
    uint32_t number = key_decode(&g->key, g->shape, key, n, g->batch, &strings) ? find(g, g->batch) : GROUPS_NONE;
    arena_free(&strings);
    return number;
}

void *groups_state(const struct groups *g, uint32_t i, int agg) { return groups_row(g, i) + g->offset[agg]; }
struct hr_agg_memory *groups_memory(struct groups *g) { return &g->memory.calls; }

struct groups_stored *groups_stored(struct groups *g, uint32_t i) {
    if (!g->stored) g->stored = xcalloc(g->room, sizeof *g->stored);
    return &g->stored[i];
}

/* ---- folding ---- */

static void touch(struct groups *g, uint32_t i) {
    uint64_t bit = 1ull << (i & 63);
    if (g->changed[i >> 6] & bit) return;
    g->changed[i >> 6] |= bit;
    g->changes++;
}

static void number_rows(struct groups *g, const struct hr_column *key, struct hr_rows rows, uint32_t *group) {
    uint32_t dense[HR_BATCH], *number = rows.sel ? dense : group;
    key_normalise(&g->key, g->shape, key, rows, g->batch);
    uint32_t before = g->n;
    bool all_changed = g->changes == before; /* as they are in a delta */
    find_all(g, g->batch, g->key.size, rows.n, number);
    for (uint32_t i = before; all_changed && i < g->n; i++) touch(g, i);
    for (uint32_t i = 0; !all_changed && i < rows.n; i++) touch(g, number[i]);
    if (rows.sel) HR_EACH(rows, i) group[i] = dense[i_k];
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
        if (!agg->fn->step(agg, &g->memory.calls, g->row + g->offset[a], g->stride, group, of, take, err)) return false;
    }
    return true;
}

bool groups_merge(struct groups *g, const struct groups *from, struct hr_error *err) {
    uint32_t into[HR_BATCH];
    for (uint32_t first = 0, n; first < from->n; first += n) {
        n = from->n - first < HR_BATCH ? from->n - first : HR_BATCH;
        find_all(g, groups_row(from, first), from->stride, n, into);
        for (uint32_t i = 0; i < n; i++) touch(g, into[i]);
        for (int a = 0; a < g->shape->aggs; a++) {
            const struct hr_agg *agg = &g->shape->agg[a];
            for (uint32_t i = 0; i < n; i++)
                if (!agg->fn->merge(agg, &g->memory.calls, groups_state(g, into[i], a), groups_state(from, first + i, a), err)) return false;
        }
    }
    return true;
}
