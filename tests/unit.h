/*
 * unit.h: what every unit suite needs: types in short, numbers from a seed, and its end.
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "core/base/base.h"

#define T(id_) ((struct hr_type){.id = id_})
#define DECIMAL(p, s) ((struct hr_type){HR_DECIMAL, p, s})
#define COUNT(a) (sizeof(a) / sizeof *(a))

/* ck_assert_msg() without its note of every success, which in a loop costs more than the test. */
#define MUST(condition, ...)                                                                       \
    do {                                                                                           \
        if (!(condition)) ck_abort_msg(__VA_ARGS__);                                               \
    } while (0)

/* splitmix64 (Sebastiano Vigna): a fixed seed gives the same numbers everywhere. */
static inline uint64_t random_bits(uint64_t *seed) {
    uint64_t x = *seed += 0x9e3779b97f4a7c15ull;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return x ^ x >> 31;
}

static inline uint64_t random_below(uint64_t *seed, uint64_t n) { return random_bits(seed) % n; }

/* Memory of exactly n bytes, so that a sanitizer sees a byte read too many. The caller frees it. */
static inline char *exact_bytes(const void *p, size_t n) {
    char *copy = malloc(n ? n : 1);
    if (n) memcpy(copy, p, n);
    return copy;
}

/* All tests of the suite; what main() returns. */
static inline int suite_run(Suite *suite) {
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
#endif
