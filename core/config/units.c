/* Durations and sizes: a whole number and a unit. */
#include "core/config/config.h"

#include <string.h>

struct unit {
    const char *name;
    int64_t factor;
};

static bool parse(const char *text, const struct unit *units, int64_t *out) {
    int64_t v = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *p - '0', &v)) return false;
    if (p == text) return false;
    for (; units->name; units++)
        if (!strcmp(units->name, p)) return !__builtin_mul_overflow(v, units->factor, out);
    return false;
}

/* A hundred years at most, so that nobody who adds a duration to a time has to look for an overflow. */
bool duration_parse(const char *text, int64_t *us) {
    static const struct unit units[] = {{"us", 1},           {"ms", 1000},          {"s", 1000000},
                                        {"m", 60000000},     {"h", 3600000000},     {"d", 86400000000},
                                        {NULL, 0}};
    return parse(text, units, us) && *us <= 100 * 365 * 86400000000;
}

static const struct unit sizes[] = {{"", 1}, {"B", 1}, {"KiB", 1024}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {NULL, 0}};

bool bytes_parse(const char *text, int64_t *n) { return parse(text, sizes, n); }

const char *bytes_text(int64_t n, char out[24]) {
    const struct unit *best = sizes;
    for (const struct unit *u = sizes; u->name; u++)
        if (u->factor > best->factor && n % u->factor == 0) best = u;
    snprintf(out, 24, "%lld%s", (long long)(n / best->factor), best->name);
    return out;
}
