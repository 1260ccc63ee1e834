/* Keys of a group table: normalised to a fixed size in memory, encoded (value.h) where they are stored. */
#include "core/state/groups_internal.h"

#include <math.h>
#include <string.h>
#include <sys/auxv.h>

static size_t width_of(struct hr_type t) { return t.id == HR_STRING ? 0 : hr_width(t); }
static size_t round_up(size_t n, size_t to) { return (n + to - 1) & ~(to - 1); }

/* Another one in each process, so that no input can be made to collide. Nothing stored or printed depends on it. */
static uint64_t seed(void) {
    uint64_t random[2] = {0};
    const void *given = (const void *)getauxval(AT_RANDOM); /* 16 bytes, at any address */
    if (given) memcpy(random, given, sizeof random);
    return random[1] | 1;
}

void key_layout_init(struct key_layout *l, const struct groups_shape *shape) {
    size_t at = 0;
    *l = (struct key_layout){.at = xcalloc((size_t)shape->keys, sizeof *l->at), .seed = seed()};
    for (size_t width = 16; width; width /= 2)
        for (int k = 0; k < shape->keys; k++)
            if (width_of(shape->key[k].type) == width) {
                l->at[k] = at;
                at += width;
            }
    l->nulls = at;
    l->hash = round_up(at + ((size_t)shape->keys + 7) / 8, 4);
    l->fixed = round_up(l->hash + 4, 8);
    for (int k = 0; k < shape->keys; k++)
        if (shape->key[k].type.id == HR_STRING) l->at[k] = l->fixed + sizeof(struct hr_text) * (size_t)l->strings++;
    l->size = round_up(l->fixed + sizeof(struct hr_text) * (size_t)l->strings, GROUPS_ALIGN);
}

bool key_strings_equal(const struct key_layout *l, const char *a, const char *b) {
    const struct hr_text *x = key_strings(l, a), *y = key_strings(l, b);
    for (int s = 0; s < l->strings; s++)
        if (x[s].n != y[s].n || (x[s].n && memcmp(x[s].p, y[s].p, x[s].n))) return false;
    return true;
}

/* ---- hashing ---- */

static void put_hash(const struct key_layout *l, char *key) {
    uint64_t h = l->seed;
    const uint64_t *word = (const uint64_t *)(const void *)key;
    for (size_t w = 0; w < (l->hash + 7) / 8; w++) h = hash_mix(h ^ word[w], 0x9e3779b97f4a7c15ull ^ l->seed);
    const struct hr_text *text = key_strings(l, key);
    for (int s = 0; s < l->strings; s++) h = hash_bytes(text[s].p, text[s].n, h);
    *(uint32_t *)(void *)(key + l->hash) = (uint32_t)h;
}

/* ---- normalising ---- */

static double one_zero_one_nan(double v) { return isnan(v) ? NAN : v == 0 ? 0 : v; }

/* Nulls keep the zeros that are there. */
static void put_column(const struct key_layout *l, int k, const struct hr_column *c, struct hr_rows rows, char *out) {
#define PUT(T, value)                                                                              \
    HR_EACH(rows, i)                                                                               \
        if (!hr_is_null(c, i)) *(T *)(void *)(out + i_k * l->size + l->at[k]) = (value);
    switch (c->type.id) {
    case HR_BOOLEAN: PUT(uint8_t, ((const uint8_t *)c->at)[i]) break;
    case HR_INT: case HR_DATE: PUT(int32_t, ((const int32_t *)c->at)[i]) break;
    case HR_BIGINT: case HR_TIMESTAMP: PUT(int64_t, ((const int64_t *)c->at)[i]) break;
    case HR_DOUBLE: PUT(double, one_zero_one_nan(((const double *)c->at)[i])) break;
    case HR_STRING: PUT(struct hr_text, ((const struct hr_text *)c->at)[i]) break;
    default: PUT(hr_int128, ((const hr_int128 *)c->at)[i]) break;
    }
#undef PUT
    if (!c->valid) return;
    HR_EACH(rows, i)
        if (hr_is_null(c, i)) out[i_k * l->size + l->nulls + (size_t)k / 8] |= (char)(1 << k % 8);
}

void key_normalise(const struct key_layout *l, const struct groups_shape *shape, const struct hr_column *key, struct hr_rows rows, char *out) {
    memset(out, 0, rows.n * l->size);
    for (int k = 0; k < shape->keys; k++) put_column(l, k, &key[k], rows, out);
    for (uint32_t i = 0; i < rows.n; i++) put_hash(l, out + i * l->size);
}

/* ---- encoding ---- */

bool key_decode(const struct key_layout *l, const struct groups_shape *shape, const char *p, size_t n, char *out, struct arena *a) {
    const char *end = p + n;
    memset(out, 0, l->size);
    for (int k = 0; k < shape->keys; k++) {
        bool null;
        if (!key_get(&p, end, shape->key[k].type, out + l->at[k], &null, a)) return false;
        if (null) out[l->nulls + (size_t)k / 8] |= (char)(1 << k % 8);
    }
    put_hash(l, out);
    return p == end;
}

static const void *value_of(const struct key_layout *l, const char *key, int k) {
    return key[l->nulls + (size_t)k / 8] >> k % 8 & 1 ? NULL : key + l->at[k];
}

void key_encode(const struct key_layout *l, const struct groups_shape *shape, const char *key, struct hr_buffer *out) {
    for (int k = 0; k < shape->keys; k++) key_put(out, shape->key[k].type, value_of(l, key, k));
}

const void *groups_key_value(const struct groups *g, uint32_t i, int k) { return value_of(&g->key, groups_row(g, i), k); }
