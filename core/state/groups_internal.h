/* groups_internal.h: what the files of the group table share. */
#ifndef HR_GROUPS_INTERNAL_H
#define HR_GROUPS_INTERNAL_H

#include "core/state/groups.h"

enum { GROUPS_ALIGN = 16 };
#define GROUPS_EMPTY UINT32_MAX

/* Where the parts of a normalised key lie. Fixed-width values come first, the widest of them first, so that each is
 * aligned; then a bit for each null; then the hash; then the strings as views. Two keys are equal if their first
 * `fixed` bytes are and their strings are. */
struct key_layout {
    size_t *at;         /* of each key column */
    size_t nulls, hash; /* of the bits, and of the hash (uint32_t) */
    size_t fixed, size; /* bytes without and with the strings: multiples of 8 and 16 */
    int strings;
    uint64_t seed;
};

struct slot {
    uint32_t hash;
    uint32_t group;
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
    struct key_layout key;
    size_t stride, *offset; /* of a row, and of each aggregate's state in it */
    struct slot *slot;
    uint32_t slots;         /* a power of two */
    uint32_t n, room;
    char *row;              /* key and states of each group */
    struct arena strings;
    struct memory memory;
    uint64_t *changed;      /* a bit for each group */
    uint32_t changes;
    size_t limit;           /* of bytes in memory; 0: none */
    uint32_t cold;          /* groups that are in the store only */
    size_t cold_bytes;      /* what they took here, as far as that is known: each as much as the others */
    struct groups_stored *stored; /* NULL until somebody asks */
    uint32_t *reported, reports; /* what groups_changed() gave */
    uint32_t *order, ordered; /* by key, of the first `ordered` groups */
    char *batch;            /* keys of the rows at hand */
    struct hr_buffer encoded, other; /* keys */
};

static inline char *groups_row(const struct groups *g, uint32_t i) { return g->row + (size_t)i * g->stride; }

static inline bool groups_is_changed(const struct groups *g, uint32_t i) { return g->changed[i >> 6] >> (i & 63) & 1; }

/* ---- groups_key.c ---- */

void key_layout_init(struct key_layout *, const struct groups_shape *);
/* Write the key of each row to `out`, one after the other, with its hash. */
void key_normalise(const struct key_layout *, const struct groups_shape *, const struct hr_column *key, struct hr_rows, char *out);
/* From the encoded form; false: it is none. Strings go to the arena. */
bool key_decode(const struct key_layout *, const struct groups_shape *, const char *p, size_t n, char *out, struct arena *);
void key_encode(const struct key_layout *, const struct groups_shape *, const char *key, struct hr_buffer *);

static inline uint32_t key_hash(const struct key_layout *l, const char *key) { return *(const uint32_t *)(const void *)(key + l->hash); }
static inline struct hr_text *key_strings(const struct key_layout *l, const char *key) { return (struct hr_text *)(void *)((uintptr_t)key + l->fixed); }
bool key_strings_equal(const struct key_layout *, const char *a, const char *b);

static inline bool key_equal(const struct key_layout *l, const char *a, const char *b) {
    const uint64_t *x = (const uint64_t *)(const void *)a, *y = (const uint64_t *)(const void *)b;
    for (size_t w = 0; w < l->fixed / 8; w++)
        if (x[w] != y[w]) return false;
    return !l->strings || key_strings_equal(l, a, b);
}

#endif
