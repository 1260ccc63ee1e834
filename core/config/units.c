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

bool duration_parse(const char *text, int64_t *us) {
    static const struct unit units[] = {{"us", 1},           {"ms", 1000},          {"s", 1000000},
                                        {"m", 60000000},     {"h", 3600000000},     {"d", 86400000000},
                                        {NULL, 0}};
    return parse(text, units, us);
}

bool bytes_parse(const char *text, int64_t *n) {
    static const struct unit units[] = {{"", 1}, {"B", 1}, {"KiB", 1024}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {NULL, 0}};
    return parse(text, units, n);
}
