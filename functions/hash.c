/*
 * Hashes: xxhash64 and crc32.
 *
 *   operators:
 *     - filter: {where: xxhash64(SellerID) % 10 = 0}
 *
 * 1. xxhash64 gives Spark's numbers: XXH64 with seed 42, each value hashed with the hash so far as its seed.
 * 2. Nulls are skipped; over nulls only it is 42. -0.0 hashes as 0.0.
 * 3. INT, DATE and BOOLEAN hash as four bytes; BIGINT, TIMESTAMP, DOUBLE and a DECIMAL of at most 18 digits as
 *    eight; a longer DECIMAL as the fewest bytes of its two's complement, the highest first (Java's BigInteger).
 * 4. crc32 is that of zlib and gzip, as a BIGINT.
 */
#include <headrace/plugin.h>

#include <math.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>
#include <zlib.h>

static uint64_t hash_int(int32_t v, uint64_t seed) { return XXH64(&v, sizeof v, seed); }
static uint64_t hash_bigint(int64_t v, uint64_t seed) { return XXH64(&v, sizeof v, seed); }

static uint64_t hash_double(double v, uint64_t seed) {
    int64_t bits;
    if (v == 0) v = 0;
    memcpy(&bits, &v, sizeof bits);
    if (isnan(v)) bits = INT64_C(0x7ff8000000000000); /* Java's one NaN */
    return hash_bigint(bits, seed);
}

static uint64_t hash_decimal(hr_int128 v, int precision, uint64_t seed) {
    unsigned char bytes[16];
    if (precision <= 18) return hash_bigint((int64_t)v, seed);
    for (int k = 0; k < 16; k++) bytes[k] = (unsigned char)(v >> (120 - 8 * k));
    int from = 0; /* leave out leading bytes that only repeat the sign */
    while (from < 15 && (bytes[from] == 0 || bytes[from] == 0xFF) && (bytes[from] & 0x80) == (bytes[from + 1] & 0x80)) from++;
    return XXH64(bytes + from, (size_t)(16 - from), seed);
}

static uint64_t hash_value(const struct hr_column *c, uint32_t i, uint64_t seed) {
    switch (c->type.id) {
    case HR_BOOLEAN: return hash_int(((const uint8_t *)c->at)[i], seed);
    case HR_INT: case HR_DATE: return hash_int(((const int32_t *)c->at)[i], seed);
    case HR_BIGINT: case HR_TIMESTAMP: return hash_bigint(((const int64_t *)c->at)[i], seed);
    case HR_DOUBLE: return hash_double(((const double *)c->at)[i], seed);
    case HR_DECIMAL: return hash_decimal(((const hr_int128 *)c->at)[i], c->type.precision, seed);
    default: {
        const struct hr_text *t = hr_value(c, i);
        return XXH64(t->n ? t->p : "", t->n, seed);
    }
    }
}

static bool xxhash64(const struct hr_call *c) {
    HR_EACH(c->rows, i) {
        uint64_t hash = 42;
        for (int k = 0; k < c->args; k++)
            if (!hr_is_null(c->arg[k], i)) hash = hash_value(c->arg[k], i, hash);
        ((int64_t *)c->out->at)[i] = (int64_t)hash;
    }
    return true;
}

static bool crc(const struct hr_call *c) {
    HR_EACH(c->rows, i) {
        const struct hr_text *t = hr_value(c->arg[0], i);
        ((int64_t *)c->out->at)[i] = (int64_t)crc32_z(0, (const unsigned char *)t->p, t->n);
    }
    return true;
}

static const struct hr_function table[] = {
    {"xxhash64", "xxhash64(x, ...): 64 bits, Spark's", 1, HR_ARGS, {{0}}, {.id = HR_BIGINT}, NULL, true, xxhash64},
    {"crc32", "crc32(text)", 1, 1, {{.id = HR_STRING}}, {.id = HR_BIGINT}, NULL, false, crc},
    {0},
};

HR_PLUGIN(functions, hash) = {
    .kind = HR_FUNCTIONS,
    .name = "hash",
    .about = "hashes of values",
    .functions = table,
};
HR_MODULE(HR_RECORD(functions, hash));
