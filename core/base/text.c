/* Hashing, "did you mean", clocks. */
#include "core/base/base.h"

#include <string.h>
#include <strings.h>
#include <time.h>

static uint64_t load(const unsigned char *p, size_t n) {
    uint64_t v = 0;
    if (n) memcpy(&v, p, n);
    return v;
}

uint64_t hash_bytes(const void *data, size_t n, uint64_t seed) {
    const uint64_t k0 = 0xa0761d6478bd642full, k1 = 0xe7037ed1a0b428dbull, k2 = 0x8ebc6af09c88c6e3ull;
    const unsigned char *p = data;
    uint64_t h = seed ^ k0;
    size_t left = n;
    for (; left > 16; left -= 16, p += 16) h = hash_mix(load(p, 8) ^ k1, load(p + 8, 8) ^ h);
    uint64_t a = left > 8 ? load(p, 8) : load(p, left), b = left > 8 ? load(p + 8, left - 8) : 0;
    return hash_mix(k2 ^ n, hash_mix(a ^ k1, b ^ h));
}

/* Optimal string alignment distance (Damerau-Levenshtein without substring edits twice). */
static size_t distance(const char *a, size_t n, const char *b, size_t m) {
    enum { MOST = 64 };
    size_t row[3][MOST + 1];
    if (n > MOST || m > MOST) return SIZE_MAX;
    for (size_t j = 0; j <= m; j++) row[0][j] = j;
    size_t *before = row[2], *last = row[0], *now = row[1];
    for (size_t i = 1; i <= n; i++) {
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
            if (last[j] + 1 < best) best = last[j] + 1;
            if (now[j - 1] + 1 < best) best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
        size_t *old = before;
        before = last;
        last = now;
        now = old;
    }
    return last[m];
}

const char *closest(const char *name, const char *const *candidates) {
    size_t n = strlen(name), most = n / 3 > 1 ? n / 3 : 1;
    const char *best = NULL;
    for (; candidates && *candidates; candidates++) {
        if (!strcasecmp(name, *candidates)) return *candidates;
        size_t d = distance(name, n, *candidates, strlen(*candidates));
        if (d <= most && d < n) {
            best = *candidates;
            most = d - 1;
        }
    }
    return best;
}

static int64_t clock_us(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_monotonic_us(void) { return clock_us(CLOCK_MONOTONIC); }
int64_t clock_wall_us(void) { return clock_us(CLOCK_REALTIME); }
