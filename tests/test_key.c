/* test_key.c: keys as bytes: they sort as the values do, end where they end, and give the values back */
#include "tests/values.h"

#include <math.h>

static struct arena arena;
static uint64_t seed;

static void setup(void) { seed = 20240228; }
static void teardown(void) { arena_free(&arena); }

struct key {
    _Alignas(16) char value[16];
    bool null;
    char *p; /* memory of exactly its size */
    size_t n;
};

static struct key encoded(struct hr_type type, bool null) {
    struct key k = {.null = null};
    struct hr_buffer b = {0};
    random_value(&seed, type, k.value, &arena);
    key_put(&b, type, null ? NULL : k.value);
    k.p = exact_bytes(b.p, b.n);
    k.n = b.n;
    buffer_free(&b);
    return k;
}

static int sign(int v) { return (v > 0) - (v < 0); }

static int bytes_order(const struct key *a, const struct key *b) {
    int order = memcmp(a->p, b->p, a->n < b->n ? a->n : b->n);
    return sign(order ? order : (a->n > b->n) - (a->n < b->n));
}

static int nullable_order(struct hr_type type, const struct key *a, const struct key *b) {
    if (a->null || b->null) return b->null - a->null;
    return value_order(type, a->value, b->value);
}

/* Every pair of many values of each type: also, one key is never the beginning of another. */
START_TEST(bytes_sort_as_values) {
    enum { KEYS = 500 };
    struct hr_type type = every_type[_i];
    static struct key key[KEYS];
    for (int i = 0; i < KEYS; i++) key[i] = encoded(type, random_below(&seed, 20) == 0);
    for (int i = 0; i < KEYS; i++)
        for (int j = 0; j < KEYS; j++) {
            int bytes = bytes_order(&key[i], &key[j]), values = sign(nullable_order(type, &key[i], &key[j]));
            MUST(bytes == values, "type %d: '%s' and '%s': bytes %d, values %d", type.id,
                 text_of(&arena, type, key[i].value), text_of(&arena, type, key[j].value), bytes, values);
            bool begins = key[i].n < key[j].n && !memcmp(key[i].p, key[j].p, key[i].n);
            MUST(!begins, "a key of type %d begins another", type.id);
        }
    for (int i = 0; i < KEYS; i++) free(key[i].p);
}
END_TEST

/* What is read back is the same value, and reading ends with the key. */
START_TEST(keys_give_values_back) {
    struct hr_type type = every_type[_i];
    for (int i = 0; i < 3000; i++) {
        struct key k = encoded(type, i % 50 == 0);
        const char *p = k.p;
        _Alignas(16) char value[16] = {0};
        bool null = !k.null;
        MUST(key_get(&p, k.p + k.n, type, value, &null, &arena), "a key is refused");
        MUST(p == k.p + k.n && null == k.null, "a key does not end where it ends");
        if (!null)
            MUST(!value_order(type, value, k.value), "'%s' came back as '%s'", text_of(&arena, type, k.value), text_of(&arena, type, value));
        for (size_t cut = 0; cut < k.n; cut++) { /* half a key is refused */
            p = k.p;
            MUST(!key_get(&p, k.p + cut, type, value, &null, &arena), "%zu of %zu bytes were taken", cut, k.n);
        }
        free(k.p);
    }
}
END_TEST

/* Several columns, the first decides; each can be read one after the other. */
START_TEST(keys_of_several_columns) {
    enum { COLUMNS = 3, KEYS = 300 };
    struct hr_type type[COLUMNS];
    static struct key part[KEYS][COLUMNS], whole[KEYS];
    seed += (uint64_t)_i;
    for (int c = 0; c < COLUMNS; c++) type[c] = every_type[random_below(&seed, EVERY_TYPE)];
    for (int i = 0; i < KEYS; i++) {
        struct hr_buffer b = {0};
        for (int c = 0; c < COLUMNS; c++) {
            /* half of the time the column of an earlier row, so that later ones decide too */
            struct key *k = &part[i][c];
            *k = i && random_below(&seed, 2) ? part[random_below(&seed, (uint64_t)i)][c] : encoded(type[c], random_below(&seed, 5) == 0);
            buffer_put(&b, k->p, k->n);
        }
        whole[i] = (struct key){.p = exact_bytes(b.p, b.n), .n = b.n};
        buffer_free(&b);
    }
    for (int i = 0; i < KEYS; i++)
        for (int j = 0; j < KEYS; j++) {
            int values = 0;
            for (int c = 0; c < COLUMNS && !values; c++) values = sign(nullable_order(type[c], &part[i][c], &part[j][c]));
            MUST(bytes_order(&whole[i], &whole[j]) == values, "rows %d and %d: values %d", i, j, values);
        }
    for (int i = 0; i < KEYS; i++) {
        const char *p = whole[i].p;
        for (int c = 0; c < COLUMNS; c++) {
            struct key back = {0};
            ck_assert(key_get(&p, whole[i].p + whole[i].n, type[c], back.value, &back.null, &arena));
            ck_assert_int_eq(nullable_order(type[c], &back, &part[i][c]), 0);
        }
        ck_assert_ptr_eq(p, whole[i].p + whole[i].n);
    }
}
END_TEST

/* Values that are one group have one key. */
START_TEST(equal_values_have_one_key) {
    static const double same[][2] = {{0.0, -0.0}, {NAN, -NAN}};
    for (size_t i = 0; i < COUNT(same); i++) {
        struct hr_buffer a = {0}, b = {0};
        key_put(&a, T(HR_DOUBLE), &same[i][0]);
        key_put(&b, T(HR_DOUBLE), &same[i][1]);
        ck_assert_uint_eq(a.n, b.n);
        ck_assert_mem_eq(a.p, b.p, a.n);
        buffer_free(&a);
        buffer_free(&b);
    }
}
END_TEST

/* Checkpoints hold these bytes: they may never change. */
START_TEST(encoding_is_stable) {
    static const struct { const char *type, *value; size_t n; const char *bytes; } stable[] = {
        {"BOOLEAN", "true", 2, "\1\1"}, {"INT", "-2", 5, "\1\x7f\xff\xff\xfe"}, {"DATE", "1970-01-02", 5, "\1\x80\0\0\1"},
        {"BIGINT", "258", 9, "\1\x80\0\0\0\0\0\1\2"}, {"TIMESTAMP", "1970-01-01 00:00:00.000001", 9, "\1\x80\0\0\0\0\0\0\1"},
        {"DOUBLE", "1", 9, "\1\xbf\xf0\0\0\0\0\0\0"}, {"DOUBLE", "-1", 9, "\1\x40\x0f\xff\xff\xff\xff\xff\xff"}, {"DOUBLE", "NaN", 9, "\1\xff\xf8\0\0\0\0\0\0"},
        {"DECIMAL(5,2)", "-0.01", 17, "\1\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"}, {"STRING", "ab", 5, "\1ab\0\0"},
    };
    struct hr_buffer b = {0};
    for (size_t i = 0; i < COUNT(stable); i++) {
        _Alignas(16) char value[16];
        value_of(type_of(stable[i].type), stable[i].value, value, &arena);
        hr_buffer_reset(&b);
        key_put(&b, type_of(stable[i].type), value);
        ck_assert_msg(b.n == stable[i].n && !memcmp(b.p, stable[i].bytes, b.n), "%s %s has other bytes", stable[i].type, stable[i].value);
    }
    hr_buffer_reset(&b);
    key_put(&b, T(HR_STRING), &(struct hr_text){"\0a", 2, 0});
    key_put(&b, T(HR_STRING), NULL);
    ck_assert_uint_eq(b.n, 7);
    ck_assert_mem_eq(b.p, "\1\0\377a\0\0\0", 7);
    buffer_free(&b);
}
END_TEST

/* Bytes of a damaged checkpoint: refused or read as some value, never past their end. */
START_TEST(damaged_keys_are_not_overread) {
    struct hr_type type = every_type[_i];
    int refused = 0;
    for (int i = 0; i < 5000; i++) {
        size_t n = random_below(&seed, 24);
        char bytes[24];
        for (size_t k = 0; k < n; k++) bytes[k] = (char)(random_below(&seed, 3) ? random_below(&seed, 3) : random_bits(&seed));
        char *exact = exact_bytes(bytes, n);
        const char *p = exact;
        _Alignas(16) char value[16];
        bool null;
        bool ok = key_get(&p, exact + n, type, value, &null, &arena);
        MUST(p >= exact && p <= exact + n, "read past the end");
        refused += !ok;
        free(exact);
    }
    ck_assert_int_gt(refused, 1000);
    const char *p = "\2";
    bool null;
    char value[16];
    ck_assert(!key_get(&p, p + 1, T(HR_INT), value, &null, &arena)); /* neither null nor a value */
    p = "\1\2";
    ck_assert(!key_get(&p, p + 2, T(HR_BOOLEAN), value, &null, &arena));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("key");
    TCase *t = tcase_create("key");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, bytes_sort_as_values, 0, EVERY_TYPE);
    tcase_add_loop_test(t, keys_give_values_back, 0, EVERY_TYPE);
    tcase_add_loop_test(t, keys_of_several_columns, 0, 20);
    tcase_add_test(t, equal_values_have_one_key);
    tcase_add_test(t, encoding_is_stable);
    tcase_add_loop_test(t, damaged_keys_are_not_overread, 0, EVERY_TYPE);
    suite_add_tcase(suite, t);
    return suite_run(suite);
}
