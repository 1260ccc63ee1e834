/* A module of any bytes: read, never run. It is refused with a word, or says of itself that it is ours. */
#include "tests/fuzz/fuzz.h"
#include "core/plugin/loader.h"

void fuzz_one(const uint8_t *data, size_t n) {
    struct arena a = {0};
    const char *why = module_examine(&a, (const char *)data, n);
    CHECK(!why || *why, "refused without a word");
    arena_free(&a);
}
