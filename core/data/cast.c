/* CAST between any two types: by way of the widest representation of each kind. */
#include "core/data/value.h"

#include <math.h>
#include <string.h>

static const int64_t day_us = 86400000000;

static bool to_text(struct hr_type from, const void *in, struct hr_text *out, struct arena *a) {
    struct hr_buffer b = {0};
    value_string(&b, from, in);
    out->p = arena_strndup(a, b.p, b.n);
    out->n = (uint32_t)b.n;
    buffer_free(&b);
    return true;
}

/* Whole numbers, with a timestamp as its seconds (Spark). */
static bool whole(struct hr_type from, const void *in, hr_int128 *out) {
    double d;
    int64_t us;
    switch (from.id) {
    case HR_BOOLEAN: *out = *(const uint8_t *)in; return true;
    case HR_INT: *out = *(const int32_t *)in; return true;
    case HR_BIGINT: *out = *(const int64_t *)in; return true;
    case HR_TIMESTAMP:
        us = *(const int64_t *)in;
        *out = us / 1000000 - (us % 1000000 < 0);
        return true;
    case HR_DOUBLE:
        d = trunc(*(const double *)in);
        if (!(fabs(d) < 0x1p126)) return false;
        *out = (hr_int128)d;
        return true;
    case HR_DECIMAL: {
        hr_int128 v, unit = 1;
        memcpy(&v, in, 16);
        for (int i = 0; i < from.scale; i++) unit *= 10;
        *out = v / unit;
        return true;
    }
    default: return false;
    }
}

static bool to_integer(struct hr_type from, const void *in, struct hr_type to, void *out) {
    hr_int128 v;
    if (!whole(from, in, &v)) return false;
    if (to.id == HR_INT) {
        *(int32_t *)out = (int32_t)v;
        return v >= INT32_MIN && v <= INT32_MAX;
    }
    *(int64_t *)out = (int64_t)v;
    return v >= INT64_MIN && v <= INT64_MAX;
}

static bool to_double(struct hr_type from, const void *in, double *out) {
    hr_int128 v;
    if (from.id == HR_DECIMAL) {
        memcpy(&v, in, 16);
        *out = decimal_to_double(v, from.scale);
        return true;
    }
    if (from.id == HR_TIMESTAMP) return *out = (double)*(const int64_t *)in / 1e6, true;
    if (!whole(from, in, &v)) return false;
    *out = (double)v;
    return true;
}

/* A double's decimal value is that of its shortest text, as in Spark. */
static bool to_decimal(struct hr_type from, const void *in, struct hr_type to, void *out) {
    hr_int128 v;
    if (from.id == HR_DOUBLE) {
        struct hr_buffer b = {0};
        if (!isfinite(*(const double *)in)) return false;
        value_text(&b, from, in);
        bool fits = decimal_parse(b.p, b.n, to.precision, to.scale, out);
        buffer_free(&b);
        return fits;
    }
    int scale = 0;
    if (from.id == HR_DECIMAL) memcpy(&v, in, 16), scale = from.scale;
    else if (from.id == HR_TIMESTAMP) v = *(const int64_t *)in, scale = 6;
    else if (!whole(from, in, &v)) return false;
    if (!decimal_rescale(v, scale, to.scale, &v)) return false;
    memcpy(out, &v, 16);
    return decimal_fits(v, to.precision);
}

static bool to_boolean(struct hr_type from, const void *in, uint8_t *out) {
    hr_int128 v;
    if (from.id == HR_DATE) return false;
    if (from.id == HR_DOUBLE) return *out = *(const double *)in != 0, true;
    if (from.id == HR_DECIMAL) memcpy(&v, in, 16);
    else if (from.id == HR_TIMESTAMP) v = *(const int64_t *)in;
    else if (!whole(from, in, &v)) return false;
    *out = v != 0;
    return true;
}

static bool number_to_timestamp(struct hr_type from, const void *in, int64_t *out) {
    hr_int128 v;
    if (from.id == HR_BOOLEAN) return *out = *(const uint8_t *)in, true; /* microseconds: Spark's oddity */
    if (from.id == HR_DOUBLE) {
        double us = *(const double *)in * 1e6;
        if (!(fabs(us) < 0x1p63)) return false;
        return *out = (int64_t)us, true;
    }
    if (from.id == HR_DECIMAL) { /* with its fraction; what is finer than a microsecond is cut off */
        memcpy(&v, in, 16);
        int scale = from.scale;
        for (; scale > 6; scale--) v /= 10;
        if (!decimal_rescale(v, scale, 6, &v) || v != (int64_t)v) return false;
        return *out = (int64_t)v, true;
    }
    return whole(from, in, &v) && !__builtin_mul_overflow(v, (hr_int128)1000000, out);
}

static bool to_timestamp(struct hr_type from, const void *in, int64_t *out) {
    if (from.id == HR_DATE) return !__builtin_mul_overflow((int64_t)*(const int32_t *)in, day_us, out);
    return number_to_timestamp(from, in, out) && timestamp_valid(*out);
}

static bool to_date(struct hr_type from, const void *in, int32_t *out) {
    if (from.id != HR_TIMESTAMP) return false;
    int64_t us = *(const int64_t *)in;
    *out = (int32_t)(us / day_us - (us % day_us < 0));
    return true;
}

bool value_cast(struct hr_type from, const void *in, struct hr_type to, void *out, struct arena *a) {
    if (type_equal(from, to)) return memcpy(out, in, hr_width(to)), true;
    if (from.id == HR_STRING) return value_parse(to, *(const struct hr_text *)in, out);
    switch (to.id) {
    case HR_STRING: return to_text(from, in, out, a);
    case HR_BOOLEAN: return to_boolean(from, in, out);
    case HR_INT: case HR_BIGINT: return from.id != HR_DATE && to_integer(from, in, to, out);
    case HR_DOUBLE: return from.id != HR_DATE && to_double(from, in, out);
    case HR_DATE: return to_date(from, in, out);
    case HR_TIMESTAMP: return to_timestamp(from, in, out);
    default: return from.id != HR_DATE && to_decimal(from, in, to, out);
    }
}
