/*
 * test_aggregates.c: sum, avg, min, max, count of every type: the right value, and the same one whatever
 * the order, the lanes, the merges and the restarts in between.
 */
#include "tests/aggs.h"

#include <float.h>
#include <math.h>

static struct arena arena;
static struct hr_error err;

/* Memory of the states is the arena's. */
static void *resize(struct hr_agg_memory *m, void *p, size_t old_size, size_t new_size) {
    (void)m;
    char *fresh = new_size ? arena_zalloc(&arena, new_size) : NULL;
    if (p && new_size) memcpy(fresh, p, old_size < new_size ? old_size : new_size);
    return fresh;
}
static struct hr_agg_memory memory = {resize};

static void setup(void) {
    aggs_init();
    err = (struct hr_error){0};
}
static void teardown(void) { arena_free(&arena); }

/* ---- one state ---- */

struct state {
    _Alignas(16) char bytes[256];
};

static void fold(const struct hr_agg *agg, struct state *s, const void *value) {
    static const uint32_t group = 0;
    struct hr_column arg = {(void *)value, NULL, agg->arg};
    MUST(agg->fn->step(agg, &memory, s->bytes, 256, &group, agg->args ? &arg : NULL, (struct hr_rows){.n = 1}, &err), "%s", err.text);
}

static void merge(const struct hr_agg *agg, struct state *into, const struct state *from) {
    MUST(agg->fn->merge(agg, &memory, into->bytes, from->bytes, &err), "%s", err.text);
}

/* What a restart does to a state. */
static void save_and_load(const struct hr_agg *agg, struct state *s) {
    struct hr_buffer b = {0};
    MUST(agg->fn->save(agg, s->bytes, &b), "not saved");
    char *exact = exact_bytes(b.p, b.n);
    struct state back = {0};
    MUST(agg->fn->load(agg, &memory, back.bytes, agg->fn->version, exact, b.n, &err), "%s", err.text);
    free(exact);
    buffer_free(&b);
    *s = back;
}

/* NULL: an error, in err. */
static const char *result(const struct hr_agg *agg, const struct state *s) {
    _Alignas(16) char value[16];
    uint64_t valid = ~0ull;
    struct hr_column out = {value, &valid, agg->result};
    if (!agg->fn->final(agg, s->bytes, &out, 0, &err)) return NULL;
    return valid & 1 ? text_of(&arena, agg->result, value) : "NULL";
}

/* ---- the order never shows ---- */

static const struct {
    const char *name;
    const char *type; /* NULL: no argument */
} uses[] = {
    {"count", NULL}, {"count", "STRING"}, {"sum", "INT"}, {"sum", "BIGINT"}, {"sum", "DOUBLE"}, {"sum", "DECIMAL(18,2)"}, {"sum", "DECIMAL(38,10)"},
    {"avg", "INT"}, {"avg", "BIGINT"}, {"avg", "DOUBLE"}, {"avg", "DECIMAL(18,2)"}, {"avg", "DECIMAL(38,10)"}, {"mean", "INT"},
    {"min", "BOOLEAN"}, {"min", "INT"}, {"min", "BIGINT"}, {"min", "DOUBLE"}, {"min", "STRING"}, {"min", "DATE"}, {"min", "TIMESTAMP"}, {"min", "DECIMAL(38,10)"},
    {"max", "BOOLEAN"}, {"max", "INT"}, {"max", "BIGINT"}, {"max", "DOUBLE"}, {"max", "STRING"}, {"max", "DATE"}, {"max", "TIMESTAMP"}, {"max", "DECIMAL(5,2)"},
};

static struct hr_agg use(int i) {
    return uses[i].type ? agg_of(uses[i].name, 1, type_of(uses[i].type)) : agg_of(uses[i].name, 0, T(HR_NONE));
}

static void shuffle(uint64_t *seed, int *order, int n) {
    for (int i = n - 1; i > 0; i--) {
        int k = (int)random_below(seed, (uint64_t)i + 1), t = order[i];
        order[i] = order[k];
        order[k] = t;
    }
}

/* One state fed in order against many fed in any order and merged as a random tree, each of them now and
 * then saved and loaded. */
START_TEST(order_never_shows) {
    enum { ROWS = 60, STATES = 7, ROUNDS = 40 };
    struct hr_agg agg = use(_i);
    uint64_t seed = 1000 + (uint64_t)_i;
    for (int round = 0; round < ROUNDS; round++) {
        _Alignas(16) char value[ROWS][16];
        struct state one = {0}, many[STATES] = {0};
        int order[ROWS], rows = (int)random_below(&seed, ROWS + 1), left = STATES;
        for (int i = 0; i < rows; i++) {
            do random_value(&seed, agg.arg.id ? agg.arg : T(HR_INT), value[i], &arena);
            while (agg.arg.id == HR_DOUBLE && round % 2 && !isfinite(*(double *)value[i])); /* else all is NaN */
            fold(&agg, &one, value[i]);
            order[i] = i;
        }
        shuffle(&seed, order, rows);
        for (int i = 0; i < rows; i++) {
            struct state *s = &many[random_below(&seed, STATES)];
            fold(&agg, s, value[order[i]]);
            if (random_below(&seed, 4) == 0) save_and_load(&agg, s);
        }
        while (left > 1) {
            int a = (int)random_below(&seed, (uint64_t)left), b = (int)random_below(&seed, (uint64_t)left - 1);
            b += b >= a;
            merge(&agg, &many[a], &many[b]);
            if (random_below(&seed, 2)) save_and_load(&agg, &many[a]);
            many[b] = many[--left];
        }
        const char *want = result(&agg, &one), *got = result(&agg, &many[0]);
        MUST(want ? got && !strcmp(want, got) : !got, "round %d, %d rows: %s in order, %s merged", round, rows, want ? want : err.text, got ? got : err.text);
        arena_reset(&arena);
    }
}
END_TEST

START_TEST(nothing_folded) {
    struct hr_agg agg = use(_i);
    struct state s = {0}, other = {0};
    const char *want = strcmp(agg.fn->name, "count") ? "NULL" : "0";
    ck_assert_str_eq(result(&agg, &s), want);
    save_and_load(&agg, &s);
    merge(&agg, &s, &other);
    ck_assert_str_eq(result(&agg, &s), want);
}
END_TEST

/* A saved state that is cut or has another version is refused with the name of its aggregate. */
START_TEST(damaged_states_are_refused) {
    struct hr_agg agg = use(_i);
    struct state s = {0}, back = {0};
    uint64_t seed = 5;
    _Alignas(16) char value[16];
    random_value(&seed, agg.arg.id ? agg.arg : T(HR_INT), value, &arena);
    if (agg.arg.id == HR_DOUBLE) *(double *)value = 1e300; /* with digits */
    fold(&agg, &s, value);
    struct hr_buffer b = {0};
    ck_assert(agg.fn->save(&agg, s.bytes, &b));
    ck_assert(!agg.fn->load(&agg, &memory, back.bytes, agg.fn->version + 1, b.p, b.n, &err));
    ck_assert_int_eq(err.code, HR_ECHECKPOINT);
    ck_assert_ptr_nonnull(strstr(err.text, agg.fn->name));
    for (size_t n = 0; n < b.n; n++) {
        if (agg.arg.id == HR_STRING && n && strcmp(agg.fn->name, "count")) continue; /* any length is a text */
        if (agg.arg.id == HR_DOUBLE && n == 8 + 17) continue; /* a whole state without digits */
        char *exact = exact_bytes(b.p, n);
        back = (struct state){0};
        err = (struct hr_error){0};
        MUST(!agg.fn->load(&agg, &memory, back.bytes, agg.fn->version, exact, n, &err), "%zu of %zu bytes are taken", n, b.n);
        free(exact);
    }
    buffer_free(&b);
}
END_TEST

/* ---- doubles: the correctly rounded sum ---- */

/* J. R. Shewchuk's growing expansion, rounded half to even as Python's math.fsum does. */
static double exact_reference(const double *x, int n) {
    static double part[4096];
    int parts = 0;
    for (int i = 0; i < n; i++) {
        volatile double v = x[i];
        int kept = 0;
        for (int k = 0; k < parts; k++) {
            volatile double y = part[k], t;
            if (fabs(v) < fabs(y)) t = v, v = y, y = t;
            volatile double high = v + y, low = y - (high - v);
            if (low != 0) part[kept++] = low;
            v = high;
        }
        part[kept++] = v;
        parts = kept;
    }
    volatile double high = 0, low = 0;
    while (parts > 0) {
        volatile double v = high, y = part[--parts];
        high = v + y;
        low = y - (high - v);
        if (low != 0) break;
    }
    if (parts > 0 && ((low < 0 && part[parts - 1] < 0) || (low > 0 && part[parts - 1] > 0))) {
        volatile double twice = low * 2, v = high + twice;
        if (twice == v - high) high = v;
    }
    return high;
}

static double sum_of(const double *x, int n) {
    struct hr_agg agg = agg_of("sum", 1, T(HR_DOUBLE));
    struct state s = {0};
    for (int i = 0; i < n; i++) fold(&agg, &s, &x[i]);
    _Alignas(16) double value;
    uint64_t valid = ~0ull;
    struct hr_column out = {&value, &valid, agg.result};
    ck_assert(agg.fn->final(&agg, s.bytes, &out, 0, &err) && (valid & 1));
    return value;
}

/* Values of every size down to subnormals, half of them taken away again. */
START_TEST(sums_of_doubles_are_correctly_rounded) {
    enum { MOST = 300 };
    uint64_t seed = 77 + (uint64_t)_i;
    for (int round = 0; round < 300; round++) {
        double x[MOST];
        int n = 0, spread = (int)random_below(&seed, 2000) + 1, rows = (int)random_below(&seed, MOST / 2) + 1;
        for (int i = 0; i < rows; i++) {
            double v = ldexp((double)(random_bits(&seed) >> 11) * 0x1p-53, (int)random_below(&seed, (uint64_t)spread) - spread / 2);
            x[n++] = random_below(&seed, 2) ? v : -v;
            if (random_below(&seed, 3)) x[n] = -x[n - 1] * (random_below(&seed, 4) ? 1 : 1 + 0x1p-52), n++;
        }
        double want = exact_reference(x, n), got = sum_of(x, n);
        MUST(got == want, "round %d of %d, spread %d: %a, not %a", round, _i, spread, got, want);
        arena_reset(&arena);
    }
}
END_TEST

static const struct {
    double x[6];
    int n;
    double sum;
} sums[] = {
    {{1e308, 1e308, -1e308}, 3, 1e308}, {{1e308, 1e308}, 2, INFINITY}, {{-DBL_MAX, -DBL_MAX, DBL_MAX, DBL_MAX}, 4, 0},
    {{DBL_MAX, 0x1p969}, 2, DBL_MAX}, {{DBL_MAX, 0x1p970}, 2, INFINITY}, {{1e100, 1, -1e100}, 3, 1}, {{0x1p53, 1, 1}, 3, 0x1p53 + 2},
    {{0x1p53, 1}, 2, 0x1p53}, {{0x1p53 + 2, 1}, 2, 0x1p53 + 4}, {{0x1p53, 1, 0x1p-1074}, 3, 0x1p53 + 2}, {{0x1p53, 1, -0x1p-1074}, 3, 0x1p53},
    {{0x1p-1074, 0x1p-1074}, 2, 0x1p-1073}, {{DBL_MIN, -0x1p-1074}, 2, DBL_MIN - 0x1p-1074}, {{-0x1p-1074, 0x1p-1074}, 2, 0}, {{0x1p-80, 0x1p-81}, 2, 0x1.8p-80},
    {{-0.0}, 1, 0}, {{-0.0, -0.0}, 2, 0}, {{0.1, 0.2, 0.3}, 3, 0.6}, {{0.1, 0.1, 0.1, 0.1, 0.1, 0.1}, 6, 0.6000000000000001},
    {{0x1p46, 0x1p46, 0x1p46, -0x1p46}, 4, 0x1p47}, {{INFINITY, 1}, 2, INFINITY}, {{-INFINITY, 1e308, 1e308}, 3, -INFINITY},
    {{NAN, 1}, 2, NAN}, {{INFINITY, -INFINITY}, 2, NAN}, {{INFINITY, INFINITY}, 2, INFINITY}, {{NAN, INFINITY}, 2, NAN},
};

START_TEST(sums_at_the_limits) {
    double got = sum_of(sums[_i].x, sums[_i].n), want = sums[_i].sum;
    ck_assert_msg(isnan(want) ? isnan(got) : got == want && signbit(got) == signbit(want), "%a, not %a", got, want);
}
END_TEST

/* More than 128 bits of fixed point hold, and back: the way in which a sum leaves the common path. */
START_TEST(sums_that_outgrow_the_fixed_point) {
    struct hr_agg agg = agg_of("sum", 1, T(HR_DOUBLE));
    struct state s = {0};
    double large = 0x1.fffffffffffffp46, small = 0x1p-80;
    for (int i = 0; i < 20; i++) fold(&agg, &s, &large); /* 2^46 * 20 > 2^47, the most that 128 bits hold */
    fold(&agg, &s, &small);
    save_and_load(&agg, &s);
    large = -large;
    for (int i = 0; i < 20; i++) fold(&agg, &s, &large);
    ck_assert_str_eq(result(&agg, &s), text_of(&arena, T(HR_DOUBLE), &small));
}
END_TEST

/* The mean of values whose sum has no double. */
START_TEST(means_of_doubles) {
    struct hr_agg agg = agg_of("avg", 1, T(HR_DOUBLE));
    static const struct { double x[4]; int n; const char *mean; } means[] = {
        {{1, 2}, 2, "1.5"}, {{DBL_MAX, DBL_MAX}, 2, "1.7976931348623157E308"}, {{DBL_MAX, DBL_MAX, DBL_MAX, -DBL_MAX}, 4, "8.988465674311579E307"},
        {{0x1p-1074, 0}, 2, "0.0"}, {{INFINITY, 1}, 2, "Infinity"}, {{NAN, 1}, 2, "NaN"}, {{-INFINITY, INFINITY}, 2, "NaN"}, {{1e16, 1, -1e16}, 3, "0.3333333333333333"},
    };
    for (size_t i = 0; i < COUNT(means); i++) {
        struct state s = {0};
        for (int k = 0; k < means[i].n; k++) fold(&agg, &s, &means[i].x[k]);
        ck_assert_str_eq(result(&agg, &s), means[i].mean);
    }
}
END_TEST

/* ---- whole numbers and decimals ---- */

static const struct {
    const char *name, *type, *value[5], *result; /* NULL: an error */
} totals[] = {
    {"sum", "INT", {"2147483647", "2147483647"}, "4294967294"}, {"sum", "BIGINT", {"9223372036854775807", "-5", "3"}, "9223372036854775805"},
    {"sum", "BIGINT", {"9223372036854775807", "1"}, NULL}, {"sum", "BIGINT", {"-9223372036854775808", "-1"}, NULL}, {"sum", "BIGINT", {"-9223372036854775808"}, "-9223372036854775808"},
    {"sum", "BIGINT", {"9223372036854775807", "9223372036854775807", "-9223372036854775807"}, "9223372036854775807"},
    {"sum", "DECIMAL(5,2)", {"999.99", "0.01", "-0.02"}, "999.98"}, {"sum", "DECIMAL(38,0)", {"99999999999999999999999999999999999999", "1"}, "NULL"},
    {"sum", "DECIMAL(38,0)", {"99999999999999999999999999999999999999", "99999999999999999999999999999999999999", "-99999999999999999999999999999999999999"}, "99999999999999999999999999999999999999"},
    {"sum", "DECIMAL(38,0)", {"-99999999999999999999999999999999999999", "-1"}, "NULL"}, {"sum", "DECIMAL(38,2)", {"-1.25", "1.25"}, "0.00"},
    {"avg", "INT", {"1", "2"}, "1.5"}, {"avg", "INT", {"-1", "-2", "-2"}, "-1.6666666666666667"}, {"avg", "BIGINT", {"9223372036854775807", "9223372036854775807"}, "9.223372036854776E18"},
    {"avg", "DECIMAL(5,2)", {"1.00", "1.00", "1.01"}, "1.003333"}, {"avg", "DECIMAL(5,2)", {"0.01", "0.00", "0.01"}, "0.006667"}, {"avg", "DECIMAL(5,2)", {"-0.01", "0.00", "-0.01"}, "-0.006667"},
    {"avg", "DECIMAL(38,0)", {"99999999999999999999999999999999999999"}, "NULL"}, {"avg", "DECIMAL(38,38)", {"0.00000000000000000000000000000000000001", "0"}, "0.00000000000000000000000000000000000001"},
    {"min", "DOUBLE", {"NaN", "Infinity", "1"}, "1.0"}, {"max", "DOUBLE", {"1", "NaN", "Infinity"}, "NaN"}, {"min", "DOUBLE", {"0", "-0"}, "-0.0"}, {"max", "DOUBLE", {"-0", "0"}, "0.0"},
    {"min", "STRING", {"b", "abc", "ab"}, "ab"}, {"max", "STRING", {"", "a", "Z"}, "a"}, {"min", "STRING", {"", "a"}, ""}, {"max", "BOOLEAN", {"false", "true"}, "true"},
    {"min", "DATE", {"2024-01-01", "1969-12-31"}, "1969-12-31"}, {"max", "TIMESTAMP", {"1969-12-31", "2024-01-01 00:00:00.000001"}, "2024-01-01 00:00:00.000001"},
    {"max", "DECIMAL(5,2)", {"-1.00", "-0.99"}, "-0.99"}, {"count", "STRING", {"a", "", "b"}, "3"},
};

START_TEST(totals_by_type) {
    struct hr_type type = type_of(totals[_i].type);
    struct hr_agg agg = agg_of(totals[_i].name, 1, type);
    struct state s = {0};
    for (int k = 0; k < 5 && totals[_i].value[k]; k++) {
        _Alignas(16) char value[16];
        value_of(type, totals[_i].value[k], value, &arena);
        fold(&agg, &s, value);
    }
    const char *got = result(&agg, &s);
    if (totals[_i].result) ck_assert_str_eq(got ? got : err.text, totals[_i].result);
    else ck_assert_msg(!got && err.code == HR_EFAIL && strstr(err.text, "does not fit BIGINT"), "%s", got ? got : err.text);
}
END_TEST

/* Half up by the test's own division, at every number of rows. */
START_TEST(means_of_decimals_round_half_up) {
    uint64_t seed = 12;
    for (int round = 0; round < 3000; round++) {
        struct hr_agg agg = agg_of("avg", 1, DECIMAL(10, 2));
        struct state s = {0};
        int rows = (int)random_below(&seed, 50) + 1;
        hr_int128 sum = 0;
        for (int i = 0; i < rows; i++) {
            _Alignas(16) hr_int128 v;
            random_value(&seed, DECIMAL(10, 2), &v, &arena);
            sum += v;
            fold(&agg, &s, &v);
        }
        hr_int128 scaled = (sum < 0 ? -sum : sum) * 10000, mean = (2 * scaled + rows) / (2 * rows);
        if (sum < 0) mean = -mean;
        const char *want = text_of(&arena, DECIMAL(14, 6), &mean), *got = result(&agg, &s);
        MUST(!strcmp(got, want), "%d rows: %s, not %s", rows, got, want);
        arena_reset(&arena);
    }
}
END_TEST

/* ---- types ---- */

static const struct {
    const char *name, *type, *result; /* NULL: refused */
} result_types[] = {
    {"sum", "INT", "BIGINT"}, {"sum", "BIGINT", "BIGINT"}, {"sum", "DOUBLE", "DOUBLE"}, {"sum", "DECIMAL(18,2)", "DECIMAL(28,2)"}, {"sum", "DECIMAL(30,2)", "DECIMAL(38,2)"},
    {"avg", "INT", "DOUBLE"}, {"avg", "BIGINT", "DOUBLE"}, {"avg", "DOUBLE", "DOUBLE"}, {"avg", "DECIMAL(18,2)", "DECIMAL(22,6)"}, {"avg", "DECIMAL(38,36)", "DECIMAL(38,38)"}, {"mean", "INT", "DOUBLE"},
    {"sum", "STRING", "DOUBLE"}, {"sum", "BOOLEAN", NULL}, {"sum", "DATE", NULL}, {"avg", "TIMESTAMP", NULL}, {"avg", "STRING", "DOUBLE"},
    {"min", "STRING", "STRING"}, {"max", "DECIMAL(5,2)", "DECIMAL(5,2)"}, {"min", "BOOLEAN", "BOOLEAN"}, {"max", "DATE", "DATE"}, {"count", "STRING", "BIGINT"},
};

START_TEST(results_have_sparks_types) {
    struct hr_agg agg;
    char name[24];
    bool ok = agg_bind(result_types[_i].name, 1, type_of(result_types[_i].type), &agg, &err);
    ck_assert_msg(ok == !!result_types[_i].result, "%s", err.text);
    if (ok) ck_assert_str_eq(type_name(agg.result, name), result_types[_i].result);
    else ck_assert_int_eq(err.code, HR_ECONFIG);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("aggregates");
    TCase *t = tcase_create("aggregates");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, order_never_shows, 0, COUNT(uses));
    tcase_add_loop_test(t, nothing_folded, 0, COUNT(uses));
    tcase_add_loop_test(t, damaged_states_are_refused, 0, COUNT(uses));
    tcase_add_loop_test(t, sums_of_doubles_are_correctly_rounded, 0, 10);
    tcase_add_loop_test(t, sums_at_the_limits, 0, COUNT(sums));
    tcase_add_test(t, sums_that_outgrow_the_fixed_point);
    tcase_add_test(t, means_of_doubles);
    tcase_add_loop_test(t, totals_by_type, 0, COUNT(totals));
    tcase_add_test(t, means_of_decimals_round_half_up);
    tcase_add_loop_test(t, results_have_sparks_types, 0, COUNT(result_types));
    suite_add_tcase(suite, t);
    return suite_run(suite);
}
