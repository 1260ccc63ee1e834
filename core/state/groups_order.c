/*
 * Groups in the order of their encoded keys, which is that of the checkpoint: sorted by eight bytes at a time, with a
 * radix sort where there are many, and kept, so that only groups that came since are sorted.
 */
#include "core/state/groups_internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    FEW = 32,     /* sorted by comparing */
    MANY = 1024,  /* sorted by digits */
    DEEPEST = 16, /* words of a key before it is compared as a whole */
};

struct item {
    uint64_t word; /* eight bytes of the key, as a number */
    uint32_t group;
};

static void encode(const struct groups *g, uint32_t i, struct hr_buffer *out) {
    out->n = 0;
    key_encode(&g->key, g->shape, groups_row(g, i), out);
}

void groups_key(struct groups *g, uint32_t i, const char **p, size_t *n) {
    encode(g, i, &g->encoded);
    *p = g->encoded.n ? g->encoded.p : "";
    *n = g->encoded.n;
}

static int compare_bytes(const struct hr_buffer *a, const struct hr_buffer *b) {
    size_t n = a->n < b->n ? a->n : b->n;
    int order = n ? memcmp(a->p, b->p, n) : 0;
    return order ? order : (a->n > b->n) - (a->n < b->n);
}

static int by_key(const void *x, const void *y, void *groups) {
    struct groups *g = groups;
    encode(g, ((const struct item *)x)->group, &g->encoded);
    encode(g, ((const struct item *)y)->group, &g->other);
    return compare_bytes(&g->encoded, &g->other);
}

static int by_word(const void *x, const void *y) {
    uint64_t a = ((const struct item *)x)->word, b = ((const struct item *)y)->word;
    return (a > b) - (a < b);
}

/* Zeros follow a key's end: as no key begins another, they decide nothing. */
static uint64_t word_at(const struct hr_buffer *key, size_t at) {
    unsigned char bytes[8] = {0};
    if (at < key->n) memcpy(bytes, key->p + at, key->n - at < 8 ? key->n - at : 8);
    uint64_t word;
    memcpy(&word, bytes, 8);
    return __builtin_bswap64(word);
}

/* Least digit first; digits that are all the same are left out. */
static void sort_by_digits(struct item *item, uint32_t n) {
    uint32_t count[8][256] = {{0}};
    for (uint32_t i = 0; i < n; i++)
        for (int d = 0; d < 8; d++) count[d][item[i].word >> 8 * d & 255]++;
    struct item *other = xmalloc(n * sizeof *other), *from = item, *to = other;
    for (int d = 0; d < 8; d++) {
        if (count[d][from[0].word >> 8 * d & 255] == n) continue;
        uint32_t at = 0;
        for (int v = 0; v < 256; v++) {
            uint32_t here = count[d][v];
            count[d][v] = at;
            at += here;
        }
        for (uint32_t i = 0; i < n; i++) to[count[d][from[i].word >> 8 * d & 255]++] = from[i];
        struct item *swap = from;
        from = to;
        to = swap;
    }
    if (from != item) memcpy(item, from, n * sizeof *item);
    free(other);
}

static bool put_words(struct groups *g, struct item *item, uint32_t n, size_t at) {
    bool ascending = true;
    for (uint32_t i = 0; i < n; i++) {
        encode(g, item[i].group, &g->encoded);
        item[i].word = word_at(&g->encoded, at);
        ascending &= !i || item[i].word > item[i - 1].word;
    }
    return ascending;
}

/* All keys have the same first `at` bytes. */
static void sort_from(struct groups *g, struct item *item, uint32_t n, size_t at, int depth) {
    if (n <= FEW || depth == DEEPEST) {
        qsort_r(item, n, sizeof *item, by_key, g);
        return;
    }
    if (put_words(g, item, n, at)) return;
    if (n < MANY) qsort(item, n, sizeof *item, by_word);
    else sort_by_digits(item, n);
    for (uint32_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && item[end].word == item[i].word; end++) {}
        if (end - i > 1) sort_from(g, item + i, end - i, at + 8, depth + 1);
    }
}

/* Bytes that all keys begin with. */
static size_t common_prefix(struct groups *g, const struct item *item, uint32_t n) {
    encode(g, item[0].group, &g->other);
    size_t common = g->other.n;
    for (uint32_t i = 1; i < n && common; i++) {
        encode(g, item[i].group, &g->encoded);
        size_t same = 0;
        while (same < common && same < g->encoded.n && g->encoded.p[same] == g->other.p[same]) same++;
        common = same;
    }
    return common;
}

static void sort_items(struct groups *g, struct item *item, uint32_t n) {
    if (n > 1) sort_from(g, item, n, n > FEW ? common_prefix(g, item, n) : 0, 0);
}

/* Where in order[0..n) the key in g->other belongs: steps from the end that double, then halving. */
static uint32_t place_of(struct groups *g, uint32_t n) {
    uint32_t low = 0, high = n;
    for (uint32_t step = 1; high > 0; step *= 2) {
        uint32_t at = high > step ? high - step : 0;
        encode(g, g->order[at], &g->encoded);
        if (compare_bytes(&g->encoded, &g->other) < 0) {
            low = at + 1;
            break;
        }
        high = at;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        encode(g, g->order[middle], &g->encoded);
        if (compare_bytes(&g->encoded, &g->other) < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* Only the groups that came since are sorted, and merged in from the back. */
const uint32_t *groups_sorted(struct groups *g, uint32_t *n) {
    *n = g->n;
    uint32_t added = g->n - g->ordered, old = g->ordered, end = g->n;
    if (!added) return g->order;
    struct item *fresh = xmalloc(added * sizeof *fresh);
    for (uint32_t i = 0; i < added; i++) fresh[i].group = old + i;
    sort_items(g, fresh, added);
    g->order = xrealloc(g->order, g->n * sizeof *g->order);
    while (added && old) {
        encode(g, fresh[added - 1].group, &g->other);
        uint32_t at = place_of(g, old), moved = old - at;
        memmove(g->order + end - moved, g->order + at, moved * sizeof *g->order);
        end -= moved + 1;
        g->order[end] = fresh[--added].group;
        old = at;
    }
    for (uint32_t i = 0; i < added; i++) g->order[i] = fresh[i].group;
    free(fresh);
    g->ordered = g->n;
    return g->order;
}

static uint32_t few_changed(struct groups *g) {
    struct item *item = xmalloc(((size_t)g->changes + 1) * sizeof *item);
    uint32_t n = 0;
    for (size_t w = 0; n < g->changes; w++)
        for (uint64_t bits = g->changed[w]; bits; bits &= bits - 1)
            item[n++].group = (uint32_t)(w * 64 + (unsigned)__builtin_ctzll(bits));
    sort_items(g, item, n);
    for (uint32_t i = 0; i < n; i++) g->reported[i] = item[i].group;
    free(item);
    return n;
}

static uint32_t many_changed(struct groups *g) {
    uint32_t all, n = 0;
    const uint32_t *order = groups_sorted(g, &all);
    for (uint32_t i = 0; i < all; i++)
        if (groups_is_changed(g, order[i])) g->reported[n++] = order[i];
    return n;
}

/* Where many have changed, the order of all is what they are picked from. */
const uint32_t *groups_changed(struct groups *g, uint32_t *n) {
    free(g->reported);
    g->reported = xmalloc(((size_t)g->changes + 1) * sizeof *g->reported);
    *n = g->reports = g->changes > g->n / 8 ? many_changed(g) : few_changed(g);
    memset(g->changed, 0, ((size_t)g->n + 63) / 64 * sizeof *g->changed);
    g->changes = 0;
    return g->reported;
}

const uint32_t *groups_last_changed(const struct groups *g, uint32_t *n) {
    *n = g->reports;
    return g->reported;
}
