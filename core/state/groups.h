/*
 * groups.h: a table from key to the states of its aggregates; one for each lane's delta and one for the
 * state that is kept.  Owns its keys and states.
 */
#ifndef HR_GROUPS_H
#define HR_GROUPS_H

#include "core/data/value.h"

/* What a stateful node keeps: immutable after binding. */
struct groups_shape {
    int keys;
    const struct hr_field *key;
    int aggs;
    const char *const *agg_name;
    const struct hr_agg *agg;
};

struct groups;
struct groups *groups_new(const struct groups_shape *);
void groups_free(struct groups *);
void groups_clear(struct groups *);
uint32_t groups_count(const struct groups *); /* here or cold; of changed ones that may be cold, not before the commit */
size_t groups_bytes(const struct groups *);   /* of all of them, and of those that are here */
size_t groups_resident(const struct groups *);
/* Fold rows: one column per key, one per aggregate (arg[a].at is NULL for count(*)). */
bool groups_fold(struct groups *, const struct hr_column *key, const struct hr_column *arg,
                 struct hr_rows, struct hr_error *);
/* Merge all of `from` into this; every touched group is marked changed. */
bool groups_merge(struct groups *, const struct groups *from, struct hr_error *);
/* How many groups changed since the last groups_changed(). */
uint32_t groups_changes(const struct groups *);
/* Numbers of the groups changed since the last call, sorted by key; lives until the next call. */
const uint32_t *groups_changed(struct groups *, uint32_t *n);
/* What the last call gave; NULL: there was none since the table was empty. */
const uint32_t *groups_last_changed(const struct groups *, uint32_t *n);
/* Numbers of all groups, sorted by key; lives until groups are added. */
const uint32_t *groups_sorted(struct groups *, uint32_t *n);
/* Number of the group with that encoded key (value.h), made if it isn't there; GROUPS_NONE if that is no key. */
#define GROUPS_NONE UINT32_MAX
uint32_t groups_at(struct groups *, const char *key, size_t n);
/* The encoded key; lives until the next call. */
void groups_key(struct groups *, uint32_t g, const char **p, size_t *n);
/* One value of the key, as in a column; NULL: it is null. */
const void *groups_key_value(const struct groups *, uint32_t g, int k);
void *groups_state(const struct groups *, uint32_t g, int agg);
struct hr_agg_memory *groups_memory(struct groups *);
/* What the store remembers of a group: the checksum of its row and the epoch that changed it last. */
struct groups_stored {
    uint64_t checksum;
    int64_t epoch;
};
struct groups_stored *groups_stored(struct groups *, uint32_t g);

/* ---- more groups than memory ---- */

/* Where groups that are in the store take more than `bytes`, groups_trim() forgets them all. They are cold then: the store
 * brings back those that change. 0: never. */
void groups_limit(struct groups *, size_t bytes);
void groups_trim(struct groups *);
/* How many are in the store only, and the store's word for it that there are more or fewer. */
uint32_t groups_cold(const struct groups *);
void groups_cold_add(struct groups *, int by);

#endif
