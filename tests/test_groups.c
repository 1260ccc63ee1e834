/* test_groups.c: the table of groups against a plain model: folding, merging, what changed, the order of keys */
#include "core/state/groups.h"
#include "tests/aggs.h"

#include <math.h>

enum { MOST_KEYS = 3, AGGS = 4 };

static struct arena arena;
static struct hr_error err;
static uint64_t seed;
static struct groups_shape shape;
static struct hr_field key_field[MOST_KEYS];
static struct hr_agg agg[AGGS];
static const char *const agg_name[AGGS] = {"n", "total", "exact", "last"};

/* count(*), sum(BIGINT), sum(DOUBLE), max(STRING) by keys of those types. */
static void shape_by(int keys, const struct hr_type *type) {
    static const char *const name[] = {"k0", "k1", "k2"};
    for (int k = 0; k < keys; k++) key_field[k] = (struct hr_field){name[k], type[k]};
    agg[0] = agg_of("count", 0, T(HR_NONE));
    agg[1] = agg_of("sum", 1, T(HR_BIGINT));
    agg[2] = agg_of("sum", 1, T(HR_DOUBLE));
    agg[3] = agg_of("max", 1, T(HR_STRING));
    shape = (struct groups_shape){keys, key_field, AGGS, agg_name, agg};
}

static void setup(void) {
    aggs_init();
    err = (struct hr_error){0};
    seed = 2024;
}
static void teardown(void) { arena_free(&arena); }

/* ---- rows ---- */

struct rows {
    struct hr_column key[MOST_KEYS], arg[AGGS];
    struct hr_rows rows;
};

static struct hr_column column_of(struct hr_type type, uint32_t n, bool nulls, uint64_t choices) {
    struct hr_column c = {.at = arena_alloc(&arena, n * hr_width(type) + 16), .type = type};
    if (nulls) c.valid = arena_zalloc(&arena, (n + 63) / 64 * 8);
    for (uint32_t i = 0; i < n; i++) {
        _Alignas(16) char value[16];
        uint64_t own = choices ? 1 + random_below(&seed, choices) * 1000 : 0; /* few values, the same each time */
        random_value(choices ? &own : &seed, type, value, &arena);
        memcpy((char *)c.at + i * hr_width(type), value, hr_width(type));
        if (nulls && random_below(&seed, 5)) c.valid[i >> 6] |= 1ull << (i & 63);
    }
    return c;
}

/* Some of n rows count, in a selection or all. */
static struct rows random_rows(uint32_t n, uint64_t choices) {
    struct rows r = {.rows = {.n = n}};
    for (int k = 0; k < shape.keys; k++) r.key[k] = column_of(key_field[k].type, n, random_below(&seed, 2), choices);
    for (int a = 1; a < AGGS; a++) r.arg[a] = column_of(agg[a].arg, n, a > 1, 0);
    for (uint32_t i = 0; i < n; i++) ((int64_t *)r.arg[1].at)[i] %= 1000000;
    if (random_below(&seed, 2)) {
        uint16_t *sel = arena_alloc(&arena, n * sizeof *sel + 1);
        r.rows = (struct hr_rows){sel, 0};
        for (uint32_t i = 0; i < n; i++)
            if (random_below(&seed, 3)) sel[r.rows.n++] = (uint16_t)i;
    }
    return r;
}

static void fold(struct groups *g, const struct rows *r) {
    ck_assert_msg(groups_fold(g, r->key, r->arg, r->rows, &err), "%s", err.text);
}

/* ---- what a table holds, as text: "key: results" in the order of keys ---- */

static void put_key(struct hr_buffer *b, const char *p, size_t n) {
    const char *end = p + n;
    for (int k = 0; k < shape.keys; k++) {
        _Alignas(16) char value[16];
        bool null;
        MUST(key_get(&p, end, key_field[k].type, value, &null, &arena), "a key cannot be read");
        if (null) buffer_puts(b, "NULL");
        else value_json(b, key_field[k].type, value);
        buffer_putc(b, ' ');
    }
    MUST(p == end, "a key is longer than its columns");
}

static void put_group(struct hr_buffer *b, struct groups *g, uint32_t number) {
    const char *p;
    size_t n;
    groups_key(g, number, &p, &n);
    put_key(b, p, n);
    for (int a = 0; a < AGGS; a++) {
        _Alignas(16) char value[16];
        uint64_t valid = ~0ull;
        struct hr_column out = {value, &valid, agg[a].result};
        MUST(agg[a].fn->final(&agg[a], groups_state(g, number, a), &out, 0, &err), "%s", err.text);
        if (valid & 1) value_json(b, agg[a].result, value);
        else buffer_puts(b, "NULL");
        buffer_putc(b, a == AGGS - 1 ? '\n' : ' ');
    }
}

static const char *dump(struct groups *g) {
    struct hr_buffer b = {0};
    uint32_t n;
    const uint32_t *order = groups_sorted(g, &n);
    ck_assert_uint_eq(n, groups_count(g));
    for (uint32_t i = 0; i < n; i++) put_group(&b, g, order[i]);
    const char *text = arena_strndup(&arena, b.p ? b.p : "", b.n);
    buffer_free(&b);
    return text;
}

static void check_sorted(struct groups *g, const uint32_t *order, uint32_t n) {
    struct hr_buffer last = {0};
    for (uint32_t i = 0; i < n; i++) {
        const char *p;
        size_t size;
        groups_key(g, order[i], &p, &size);
        int c = i ? memcmp(last.p, p, last.n < size ? last.n : size) : -1;
        MUST(c < 0 || (c == 0 && last.n < size), "group %u of %u is not in order", i, n);
        hr_buffer_reset(&last);
        buffer_put(&last, p, size);
    }
    buffer_free(&last);
}

/* ---- tests ---- */

/* Rows folded into one table against the same rows in tables of their own, merged in any order. */
START_TEST(merged_tables_are_one_table) {
    enum { TABLES = 5, BATCHES = 25 };
    struct hr_type type[MOST_KEYS];
    seed += (uint64_t)_i;
    int keys = _i < EVERY_TYPE ? 1 : _i % (MOST_KEYS + 1);
    for (int k = 0; k < keys; k++) type[k] = every_type[_i < EVERY_TYPE ? _i : (int)random_below(&seed, EVERY_TYPE)];
    shape_by(keys, type);
    struct groups *one = groups_new(&shape), *part[TABLES];
    for (int i = 0; i < TABLES; i++) part[i] = groups_new(&shape);
    for (int i = 0; i < BATCHES; i++) {
        struct rows r = random_rows((uint32_t)random_below(&seed, i % 5 ? 100 : HR_BATCH + 1), i % 3 ? 20 : 0);
        fold(one, &r);
        fold(part[random_below(&seed, TABLES)], &r);
    }
    for (int left = TABLES; left > 1; left--) {
        int into = (int)random_below(&seed, (uint64_t)left - 1);
        ck_assert(groups_merge(part[into], part[left - 1], &err));
        groups_free(part[left - 1]);
    }
    const char *want = dump(one), *got = dump(part[0]);
    ck_assert_msg(!strcmp(want, got), "tables differ with %d keys:\n%s\n%s", keys, want, got);
    ck_assert_uint_eq(groups_count(one) > 0, 1);
    groups_free(one);
    groups_free(part[0]);
}
END_TEST

/* What changed since the last call, once each and in the order of keys: by folds and by merges. */
START_TEST(changes_are_told_once) {
    shape_by(1, (struct hr_type[]){T(HR_BIGINT)});
    struct groups *g = groups_new(&shape), *other = groups_new(&shape);
    static bool wanted[1001];
    int64_t key[50], arg[50] = {0};
    double exact[50] = {0};
    struct hr_text text[50] = {{"x", 1, 0}};
    uint64_t none = 0;
    struct hr_column key_column = {key, NULL, T(HR_BIGINT)};
    struct hr_column args[AGGS] = {{0}, {arg, NULL, T(HR_BIGINT)}, {exact, NULL, T(HR_DOUBLE)}, {text, &none, T(HR_STRING)}};
    uint32_t n;
    groups_changed(g, &n);
    ck_assert_uint_eq(n, 0);
    for (int round = 0; round < 200; round++) {
        uint32_t rows = (uint32_t)random_below(&seed, 51), changes = 0;
        memset(wanted, 0, sizeof wanted);
        for (uint32_t i = 0; i < rows; i++) {
            key[i] = (int64_t)random_below(&seed, 1001);
            changes += !wanted[key[i]];
            wanted[key[i]] = true;
        }
        groups_clear(other);
        struct groups *into = random_below(&seed, 2) ? g : other;
        ck_assert(groups_fold(into, &key_column, args, (struct hr_rows){.n = rows}, &err));
        if (into == other) ck_assert(groups_merge(g, other, &err));
        ck_assert_uint_eq(groups_changes(g), changes);
        const uint32_t *changed = groups_changed(g, &n);
        MUST(n == changes, "round %d: %u changed, not %u", round, n, changes);
        check_sorted(g, changed, n);
        for (uint32_t i = 0; i < n; i++) {
            const char *p;
            size_t size;
            int64_t value;
            bool null;
            groups_key(g, changed[i], &p, &size);
            MUST(key_get(&p, p + size, T(HR_BIGINT), &value, &null, &arena) && !null && wanted[value], "round %d: a group that no row touched", round);
        }
        groups_changed(g, &n);
        MUST(n == 0, "round %d: changes are told twice", round);
    }
    groups_free(g);
    groups_free(other);
}
END_TEST

/* More than 100,000 keys, a part of them known before: all are there, with their sums, and in order. */
START_TEST(many_keys) {
    enum { KEYS = 150000 };
    shape_by(1, (struct hr_type[]){T(HR_BIGINT)});
    struct groups *g = groups_new(&shape);
    int64_t key[HR_BATCH], arg[HR_BATCH];
    uint64_t none[HR_BATCH / 64] = {0};
    struct hr_column key_column = {key, NULL, T(HR_BIGINT)};
    struct hr_column args[AGGS] = {{0}, {arg, NULL, T(HR_BIGINT)}, {key, none, T(HR_DOUBLE)}, {key, none, T(HR_STRING)}};
    size_t empty = groups_bytes(g);
    for (int64_t at = 0; at < 2 * KEYS; at += HR_BATCH) {
        for (int i = 0; i < HR_BATCH; i++) {
            key[i] = (at + i) * 7919 % KEYS - KEYS / 2; /* 7919 and KEYS have no common factor: each key in turn */
            arg[i] = key[i] * 3;
        }
        uint32_t rows = (uint32_t)(2 * KEYS - at < HR_BATCH ? 2 * KEYS - at : HR_BATCH), n;
        ck_assert(groups_fold(g, &key_column, args, (struct hr_rows){.n = rows}, &err));
        if (at / HR_BATCH % 20 == 0) check_sorted(g, groups_sorted(g, &n), groups_count(g)); /* also while it grows */
    }
    ck_assert_uint_eq(groups_count(g), KEYS);
    ck_assert_uint_gt(groups_bytes(g), empty + KEYS * 20u);
    uint32_t n;
    const uint32_t *order = groups_sorted(g, &n);
    ck_assert_uint_eq(n, KEYS);
    for (uint32_t i = 0; i < n; i++) {
        int64_t want = (int64_t)i - KEYS / 2, total;
        uint64_t valid = ~0ull;
        struct hr_column out = {&total, &valid, T(HR_BIGINT)};
        MUST(agg[1].fn->final(&agg[1], groups_state(g, order[i], 1), &out, 0, &err) && total == 6 * want, "key %lld: %lld", (long long)want, (long long)total);
    }
    groups_free(g);
}
END_TEST

/* A key is found again by its bytes, and made where it is not; what the store remembers stays with it. */
START_TEST(groups_by_key) {
    enum { KEYS = 5000 };
    shape_by(2, (struct hr_type[]){T(HR_STRING), T(HR_INT)});
    struct groups *g = groups_new(&shape);
    for (int32_t i = 0; i < 2 * KEYS; i++) {
        int32_t number = i % KEYS;
        char text[32];
        struct hr_text t = {text, (uint32_t)snprintf(text, sizeof text, "key %d%c", number, (char)(number % 3)), 0};
        struct hr_buffer key = {0};
        key_put(&key, T(HR_STRING), number % 7 ? &t : NULL);
        key_put(&key, T(HR_INT), &number);
        char *exact = exact_bytes(key.p, key.n);
        uint32_t at = groups_at(g, exact, key.n);
        free(exact);
        struct groups_stored *stored = groups_stored(g, at);
        MUST(stored->checksum == (i < KEYS ? 0 : (uint64_t)number + 1) && stored->epoch == -(int64_t)stored->checksum, "key %d remembers %lld", number, (long long)stored->epoch);
        *stored = (struct groups_stored){(uint64_t)number + 1, -(int64_t)number - 1};
        MUST(((uintptr_t)groups_state(g, at, 2) & 15) == 0, "a state is not aligned");
        const char *p;
        size_t n;
        groups_key(g, at, &p, &n);
        MUST(n == key.n && !memcmp(p, key.p, n), "key %d is kept as another", number);
        buffer_free(&key);
    }
    ck_assert_uint_eq(groups_count(g), KEYS);
    ck_assert_uint_eq(groups_changes(g), 0);
    ck_assert_uint_eq(groups_at(g, "no key", 6), GROUPS_NONE);
    ck_assert_ptr_nonnull(groups_memory(g));
    groups_free(g);
}
END_TEST

/* A table that was emptied is as good as new, again and again: lanes do that each epoch. */
START_TEST(cleared_tables_are_new) {
    shape_by(2, (struct hr_type[]){T(HR_STRING), T(HR_DOUBLE)});
    struct groups *used = groups_new(&shape);
    for (int round = 0; round < 20; round++) {
        struct groups *fresh = groups_new(&shape);
        struct rows r = random_rows(500, round % 2 ? 0 : 30);
        groups_clear(used);
        ck_assert_uint_eq(groups_count(used), 0);
        fold(used, &r);
        fold(fresh, &r);
        ck_assert_str_eq(dump(used), dump(fresh));
        uint32_t n;
        groups_changed(used, &n);
        ck_assert_uint_eq(n, groups_count(fresh));
        groups_free(fresh);
    }
    groups_free(used);
}
END_TEST

static const char *one_key_dump(struct hr_type type, void *at, uint64_t valid, uint32_t n) {
    shape_by(1, &type);
    struct groups *g = groups_new(&shape);
    int64_t arg[8] = {1, 2, 4, 8, 16, 32, 64, 128};
    uint64_t none = 0;
    struct hr_column key = {at, &valid, type};
    struct hr_column args[AGGS] = {{0}, {arg, NULL, T(HR_BIGINT)}, {arg, &none, T(HR_DOUBLE)}, {arg, &none, T(HR_STRING)}};
    ck_assert(groups_fold(g, &key, args, (struct hr_rows){.n = n}, &err));
    const char *text = dump(g);
    groups_free(g);
    return text;
}

/* Nulls are one group and the first; what is equal is one group; an aggregate over nulls only is null. */
START_TEST(groups_as_sql_has_them) {
    int32_t ints[] = {5, 99, -1, 99, 5};
    ck_assert_str_eq(one_key_dump(T(HR_INT), ints, 0x15, 5), "NULL 2 10 NULL NULL\n-1 1 4 NULL NULL\n5 2 17 NULL NULL\n");
    double doubles[] = {0.0, -0.0, NAN, -NAN, INFINITY, -1};
    ck_assert_str_eq(one_key_dump(T(HR_DOUBLE), doubles, 0x3f, 6), "-1.0 1 32 NULL NULL\n0.0 2 3 NULL NULL\n\"Infinity\" 1 16 NULL NULL\n\"NaN\" 2 12 NULL NULL\n");
    struct hr_text texts[] = {{"", 0, 0}, {"a", 1, 0}, {"a\0", 2, 0}, {"a\0b", 3, 0}, {"aa", 2, 0}, {"", 0, 0}};
    ck_assert_str_eq(one_key_dump(T(HR_STRING), texts, 0x1f, 6), "NULL 1 32 NULL NULL\n\"\" 1 1 NULL NULL\n\"a\" 1 2 NULL NULL\n"
                     "\"a\\u0000\" 1 4 NULL NULL\n\"a\\u0000b\" 1 8 NULL NULL\n\"aa\" 1 16 NULL NULL\n");
}
END_TEST

/* What leaves memory still counts, with its strings, until it comes back. */
START_TEST(cold_groups_keep_their_size) {
    enum { N = 500, LONG = 1000 };
    shape_by(1, (const struct hr_type[]){T(HR_STRING)});
    struct groups *g = groups_new(&shape);
    struct hr_text *key = arena_zalloc(&arena, N * sizeof *key);
    for (int i = 0; i < N; i++) key[i] = (struct hr_text){arena_printf(&arena, "%0*d", LONG, i), LONG, 0};
    struct rows r = {.rows = {.n = N}, .key = {{key, NULL, T(HR_STRING)}}};
    for (int a = 1; a < AGGS; a++) r.arg[a] = column_of(agg[a].arg, N, false, 3);
    fold(g, &r);
    size_t before = groups_bytes(g);
    uint32_t n;
    groups_limit(g, 1);
    groups_trim(g);
    ck_assert_msg(groups_cold(g) == 0, "what is not in the store was forgotten");
    groups_changed(g, &n);
    groups_trim(g);
    ck_assert(groups_cold(g) == N && groups_count(g) == N);
    ck_assert_msg(groups_bytes(g) >= before, "%zu bytes, before %zu", groups_bytes(g), before);
    groups_cold_add(g, -N / 2);
    ck_assert_msg(groups_bytes(g) - groups_resident(g) >= N / 2 * LONG, "half of them: %zu", groups_bytes(g));
    groups_cold_add(g, -N / 2);
    ck_assert(groups_bytes(g) == groups_resident(g) && groups_count(g) == 0);
    groups_free(g);
}
END_TEST

START_TEST(no_keys_are_one_group) {
    shape_by(0, NULL);
    struct groups *g = groups_new(&shape);
    ck_assert_str_eq(dump(g), "");
    struct rows r = random_rows(100, 0);
    fold(g, &(struct rows){.rows = {.n = 0}});
    ck_assert_uint_eq(groups_count(g), 0);
    fold(g, &r);
    fold(g, &r);
    ck_assert_uint_eq(groups_count(g), 1);
    groups_free(g);
}
END_TEST

/* ---- what goes wrong in an aggregate comes out ---- */

static bool failing_step(const struct hr_agg *a, struct hr_agg_memory *m, char *states, size_t stride, const uint32_t *group,
                         const struct hr_column *arg, struct hr_rows rows, struct hr_error *e) {
    (void)a, (void)m, (void)states, (void)stride, (void)group, (void)arg, (void)rows;
    return error_set(e, HR_EFAIL, "step failed");
}

static bool failing_merge(const struct hr_agg *a, struct hr_agg_memory *m, void *into, const void *from, struct hr_error *e) {
    (void)a, (void)m, (void)into, (void)from;
    return error_set(e, HR_EFAIL, "merge failed");
}

START_TEST(failures_come_out) {
    shape_by(1, (struct hr_type[]){T(HR_INT)});
    struct rows r = random_rows(10, 0);
    struct groups *g = groups_new(&shape), *from = groups_new(&shape);
    r.rows = (struct hr_rows){.n = 10};
    fold(from, &r);
    struct hr_aggregate failing = *agg[1].fn;
    failing.step = failing_step;
    failing.merge = failing_merge;
    agg[1].fn = &failing;
    ck_assert(!groups_merge(g, from, &err));
    ck_assert_str_eq(err.text, "merge failed");
    err = (struct hr_error){0};
    ck_assert(!groups_fold(g, r.key, r.arg, r.rows, &err));
    ck_assert_str_eq(err.text, "step failed");
    groups_free(g);
    groups_free(from);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("groups");
    TCase *t = tcase_create("groups");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, merged_tables_are_one_table, 0, EVERY_TYPE + 20);
    tcase_add_test(t, changes_are_told_once);
    tcase_add_test(t, many_keys);
    tcase_add_test(t, groups_by_key);
    tcase_add_test(t, cleared_tables_are_new);
    tcase_add_test(t, groups_as_sql_has_them);
    tcase_add_test(t, cold_groups_keep_their_size);
    tcase_add_test(t, no_keys_are_one_group);
    tcase_add_test(t, failures_come_out);
    suite_add_tcase(suite, t);
    return suite_run(suite);
}
