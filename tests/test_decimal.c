/* test_decimal.c: decimals on 128-bit integers: rounding and limits, one way against another */
#include "tests/values.h"

#include <math.h>

static struct arena arena;

static void teardown(void) { arena_free(&arena); }

static hr_int128 power10(int n) {
    hr_int128 v = 1;
    while (n-- > 0) v *= 10;
    return v;
}

static hr_int128 random_wide(uint64_t *seed) {
    _Alignas(16) char value[16];
    random_value(seed, DECIMAL(38, 0), value, &arena);
    return *(hr_int128 *)value;
}

START_TEST(precision_is_a_limit) {
    for (int p = 1; p <= 38; p++) {
        hr_int128 most = power10(p) - 1;
        ck_assert(decimal_fits(most, p) && decimal_fits(-most, p));
        ck_assert(!decimal_fits(most + 1, p) && !decimal_fits(-most - 1, p));
    }
    hr_int128 least = (hr_int128)((unsigned __int128)1 << 127);
    ck_assert(!decimal_fits(least, 38) && !decimal_fits(-(least + 1), 38));
}
END_TEST

/* Half up, away from zero, with an integer division of the test's own. */
START_TEST(rescaling_rounds_half_up) {
    uint64_t seed = 3;
    for (int i = 0; i < 200000; i++) {
        int from = (int)random_below(&seed, 39), to = (int)random_below(&seed, 39);
        hr_int128 v = random_wide(&seed), got = 0, want;
        if (from - to > 0 && random_below(&seed, 3) == 0) /* the middle, and beside it */
            v = v / power10(from - to) / 10 * power10(from - to) + power10(from - to) / 2 + (hr_int128)random_below(&seed, 3) - 1;
        bool ok = decimal_rescale(v, from, to, &got), fits = true;
        if (to >= from) {
            fits = !__builtin_mul_overflow(v, power10(to - from), &want);
        } else {
            hr_int128 unit = power10(from - to), up = v < 0 ? -v : v;
            want = up / unit + (up % unit >= unit - up % unit);
            if (v < 0) want = -want;
        }
        MUST(ok == fits && (!ok || got == want), "%s from scale %d to %d: %s", text_of(&arena, DECIMAL(38, 0), &v), from, to, text_of(&arena, DECIMAL(38, 0), &got));
        arena_reset(&arena);
    }
}
END_TEST

START_TEST(rescaling_beyond_all_digits) {
    hr_int128 got = 1, most = power10(38) - 1;
    ck_assert(decimal_rescale(most, 40, 0, &got) && got == 0);
    ck_assert(decimal_rescale(0, 0, 50, &got) && got == 0);
    ck_assert(!decimal_rescale(1, 0, 50, &got));
    ck_assert(decimal_rescale(1, 0, 38, &got) && got == power10(38));
    ck_assert(decimal_rescale(most, 38, 0, &got) && got == 1);
}
END_TEST

/* The text of a decimal of one scale read as another is the decimal rescaled: two ways to one value. */
START_TEST(parsing_agrees_with_rescaling) {
    uint64_t seed = 4;
    for (int i = 0; i < 100000; i++) {
        int scale = (int)random_below(&seed, 39), to = (int)random_below(&seed, 39);
        hr_int128 v = random_wide(&seed), parsed = 0, rescaled = 0;
        const char *text = text_of(&arena, DECIMAL(38, scale), &v);
        bool read = decimal_parse(text, strlen(text), 38, to, &parsed);
        bool fits = decimal_rescale(v, scale, to, &rescaled) && decimal_fits(rescaled, 38);
        MUST(read == fits && (!read || parsed == rescaled), "%s to scale %d: read %d, fits %d", text, to, read, fits);
        /* an exponent moves the point, in either writing */
        int e = (int)random_below(&seed, 60) - 30;
        text = arena_printf(&arena, "%se%d", text_of(&arena, DECIMAL(38, 0), &v), e);
        read = decimal_parse(text, strlen(text), 38, to, &parsed);
        fits = to + e >= 0 ? decimal_rescale(v, 0, to + e, &rescaled) : decimal_rescale(v, -e, to, &rescaled);
        fits = fits && decimal_fits(rescaled, 38);
        MUST(read == fits && (!read || parsed == rescaled), "%s to scale %d: read %d, fits %d", text, to, read, fits);
        arena_reset(&arena);
    }
}
END_TEST

/* Nothing but a number is one, and not a byte behind the text is read. */
START_TEST(random_bytes_are_refused) {
    static const char letters[] = "0159.-+eE ";
    uint64_t seed = 6;
    int taken = 0;
    for (int i = 0; i < 200000; i++) {
        size_t n = random_below(&seed, 9);
        char bytes[9];
        for (size_t k = 0; k < n; k++) bytes[k] = letters[random_below(&seed, sizeof letters - 1)];
        char *exact = exact_bytes(bytes, n), *end;
        hr_int128 v;
        bytes[n] = '\0';
        strtod(bytes, &end);
        bool number = n && !*end && *bytes != ' ';
        bool ok = decimal_parse(exact, n, 38, 4, &v);
        free(exact);
        MUST(!ok || number, "'%s' is taken", bytes);
        MUST(ok || !number || fabs(strtod(bytes, NULL)) >= 1e34, "'%s' is refused", bytes);
        taken += ok;
    }
    ck_assert_int_gt(taken, 1000);
}
END_TEST

/* Correctly rounded: the double of the shortest text, and of neighbours of the middle between two doubles. */
START_TEST(decimals_as_doubles) {
    uint64_t seed = 8;
    for (int i = 0; i < 50000; i++) {
        hr_int128 v = random_wide(&seed);
        int scale = (int)random_below(&seed, 39);
        double want = strtod(text_of(&arena, DECIMAL(38, scale), &v), NULL), got = decimal_to_double(v, scale);
        MUST(got == want, "%s: %a, not %a", text_of(&arena, DECIMAL(38, scale), &v), got, want);
        arena_reset(&arena);
    }
    hr_int128 middle = ((hr_int128)1 << 53) + 1;
    ck_assert(decimal_to_double(middle, 0) == 0x1p53);
    ck_assert(decimal_to_double(middle * power10(20) + 1, 20) == 0x1p53 + 2);
    ck_assert(decimal_to_double(-(middle * power10(20) - 1), 20) == -0x1p53);
    ck_assert(!signbit(decimal_to_double(0, 5)));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("decimal");
    TCase *t = tcase_create("decimal");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, NULL, teardown);
    tcase_add_test(t, precision_is_a_limit);
    tcase_add_test(t, rescaling_rounds_half_up);
    tcase_add_test(t, rescaling_beyond_all_digits);
    tcase_add_test(t, parsing_agrees_with_rescaling);
    tcase_add_test(t, random_bytes_are_refused);
    tcase_add_test(t, decimals_as_doubles);
    suite_add_tcase(suite, t);
    return suite_run(suite);
}
