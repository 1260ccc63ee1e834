/*
 * sum, avg: numbers added up so that the order never shows.
 *
 *   group_by:
 *     keys: [SellerID]
 *     aggregates: {TotalSales: sum(InvoiceTotal_amount), Mean: avg(InvoiceTotal_amount)}
 *
 * 1. Nulls are skipped; over nulls only the result is null.
 * 2. Text is read as DOUBLE. sum: INT and BIGINT give BIGINT, DOUBLE gives DOUBLE, DECIMAL(p,s) gives DECIMAL(min(p+10,38),s).
 * 3. avg: INT, BIGINT and DOUBLE give DOUBLE, DECIMAL(p,s) gives DECIMAL(p+4,s+4), each at most 38.
 * 4. Integers are added in 128 bits, decimals in 192, doubles exactly (exact_sum.h); only the final value
 *    decides: a BIGINT that does not fit stops the job, a DECIMAL that does not fit is null, and is counted as
 *    bad with each epoch that changes it.
 * 5. NaN makes the result NaN, and so do both infinities together.
 */
#include "functions/exact_sum.h"

#include <math.h>
#include <string.h>

#define MOST_ROWS (UINT64_MAX >> 2) /* that two sums can be added */

union number_sum {
    struct exact_sum exact;    /* DOUBLE */
    struct {                   /* INT, BIGINT, DECIMAL: two's complement of 192 bits */
        unsigned __int128 low;
        int64_t high;
        uint64_t rows;         /* of every type */
    };
};
_Static_assert(offsetof(union number_sum, rows) == offsetof(struct exact_sum, rows), "one place for rows");

static bool is_integer(struct hr_type t) { return t.id == HR_INT || t.id == HR_BIGINT; }
static int at_most_38(int n) { return n < 38 ? n : 38; }

static bool check(struct hr_agg *agg, struct hr_error *err) {
    agg->size = sizeof(union number_sum);
    if (agg->args == 1 && agg->arg.id == HR_STRING) agg->arg = (struct hr_type){.id = HR_DOUBLE};
    if (agg->args == 1 && (is_integer(agg->arg) || agg->arg.id == HR_DOUBLE || agg->arg.id == HR_DECIMAL)) return true;
    return hr_fail(err, HR_ECONFIG, "%s adds numbers: CAST(... AS DOUBLE)?", agg->fn->name);
}

static bool sum_type(struct hr_agg *agg, struct hr_error *err) {
    if (!check(agg, err)) return false;
    agg->result = is_integer(agg->arg) ? (struct hr_type){.id = HR_BIGINT} : agg->arg;
    if (agg->arg.id == HR_DECIMAL) agg->result.precision = (uint8_t)at_most_38(agg->arg.precision + 10);
    return true;
}

static bool avg_type(struct hr_agg *agg, struct hr_error *err) {
    if (!check(agg, err)) return false;
    agg->result = (struct hr_type){.id = HR_DOUBLE};
    if (agg->arg.id == HR_DECIMAL)
        agg->result = (struct hr_type){HR_DECIMAL, (uint8_t)at_most_38(agg->arg.precision + 4), (uint8_t)at_most_38(agg->arg.scale + 4)};
    return true;
}

/* ---- folding ---- */

static void add_wide(union number_sum *s, hr_int128 v) {
    unsigned __int128 low = s->low + (unsigned __int128)v;
    s->high += (v < 0 ? -1 : 0) + (low < s->low);
    s->low = low;
}

static bool step(const struct hr_agg *agg, struct hr_agg_memory *memory, char *states, size_t stride,
                 const uint32_t *group, const struct hr_column *arg, struct hr_rows rows, struct hr_error *err) {
    (void)err;
#define FOLD(...)                                                                                  \
    HR_EACH(rows, i) {                                                                             \
        union number_sum *s = (union number_sum *)(states + group[i] * stride);                  \
        s->rows++;                                                                                 \
        __VA_ARGS__;                                                                               \
    }
    switch (agg->arg.id) {
    case HR_INT: FOLD(add_wide(s, ((const int32_t *)arg->at)[i])) break;
    case HR_BIGINT: FOLD(add_wide(s, ((const int64_t *)arg->at)[i])) break;
    case HR_DECIMAL: FOLD(add_wide(s, ((const hr_int128 *)arg->at)[i])) break;
    default: FOLD(exact_add(&s->exact, memory, ((const double *)arg->at)[i])) break;
    }
#undef FOLD
    return true;
}

static bool merge(const struct hr_agg *agg, struct hr_agg_memory *memory, void *into, const void *from, struct hr_error *err) {
    (void)err;
    union number_sum *a = into;
    const union number_sum *b = from;
    a->rows += b->rows;
    if (agg->arg.id == HR_DOUBLE) {
        exact_merge(&a->exact, memory, &b->exact);
        return true;
    }
    unsigned __int128 low = a->low + b->low;
    a->high += b->high + (low < a->low);
    a->low = low;
    return true;
}

/* ---- saving ---- */

static bool save(const struct hr_agg *agg, const void *state, struct hr_buffer *out) {
    const union number_sum *s = state;
    hr_put(out, &s->rows, 8);
    if (agg->arg.id == HR_DOUBLE) {
        exact_save(&s->exact, out);
        return true;
    }
    hr_put(out, &s->low, 16);
    hr_put(out, &s->high, 8);
    return true;
}

static bool load(const struct hr_agg *agg, struct hr_agg_memory *memory, void *state, int version, const char *p,
                 size_t n, struct hr_error *err) {
    union number_sum *s = state;
    bool ok = version == 1 && n >= 8;
    if (ok) memcpy(&s->rows, p, 8);
    if (ok && agg->arg.id == HR_DOUBLE) {
        ok = exact_load(&s->exact, memory, p + 8, n - 8);
    } else if (ok && (ok = n == 32)) {
        memcpy(&s->low, p + 8, 16);
        memcpy(&s->high, p + 24, 8);
        ok = s->high <= (int64_t)(s->rows & MOST_ROWS) && s->high >= -(int64_t)(s->rows & MOST_ROWS); /* a row carries 1 at most */
    }
    ok = ok && s->rows <= MOST_ROWS;
    return ok || hr_fail(err, HR_ECHECKPOINT, "%s: a saved state cannot be read", agg->fn->name);
}

/* ---- results ---- */

/* The sum as digits of 32 bits, low first, and its sign: room for a factor of 10^4 more. */
struct magnitude {
    uint32_t digit[8];
    bool negative;
};

static struct magnitude magnitude_of(const union number_sum *s) {
    struct magnitude m = {.negative = s->high < 0};
    unsigned __int128 low = s->low;
    uint64_t high = (uint64_t)s->high;
    if (m.negative) {
        low = -low;
        high = ~high + (low == 0);
    }
    for (int i = 0; i < 4; i++) m.digit[i] = (uint32_t)(low >> 32 * i);
    m.digit[4] = (uint32_t)high;
    m.digit[5] = (uint32_t)(high >> 32);
    return m;
}

static void multiply(struct magnitude *m, uint32_t by) {
    uint64_t carry = 0;
    for (int i = 0; i < 8; i++) {
        carry += (uint64_t)m->digit[i] * by;
        m->digit[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

/* Half up, away from zero. */
static void divide(struct magnitude *m, uint64_t by) {
    unsigned __int128 rest = 0;
    for (int i = 7; i >= 0; i--) {
        rest = rest << 32 | m->digit[i];
        m->digit[i] = (uint32_t)(rest / by);
        rest %= by;
    }
    for (int i = 0; rest * 2 >= by && i < 8 && ++m->digit[i] == 0; i++) {}
}

/* False: more digits than the precision has. */
static bool decimal_of(const struct magnitude *m, int precision, hr_int128 *out) {
    hr_int128 limit = 1, v = 0;
    for (int i = 0; i < precision; i++) limit *= 10;
    if (m->digit[4] | m->digit[5] | m->digit[6] | m->digit[7] || m->digit[3] >> 31) return false;
    for (int i = 3; i >= 0; i--) v = v << 32 | m->digit[i];
    *out = m->negative ? -v : v;
    return v < limit;
}

static bool decimal_final(const union number_sum *s, struct hr_type result, int more_scale, uint64_t rows, struct hr_column *out, uint32_t i) {
    struct magnitude m = magnitude_of(s);
    for (int k = 0; k < more_scale; k++) multiply(&m, 10);
    divide(&m, rows);
    if (!decimal_of(&m, result.precision, &((hr_int128 *)out->at)[i])) hr_set_null(out, i);
    return true;
}

static double wide_to_double(const union number_sum *s) {
    /* an integer sum of fewer than 2^64 rows of 64 bits: 128 bits are enough */
    return s->high < 0 ? -(double)(-s->low) : (double)s->low;
}

static bool sum_final(const struct hr_agg *agg, const void *state, struct hr_column *out, uint32_t i, struct hr_error *err) {
    const union number_sum *s = state;
    if (!s->rows) {
        hr_set_null(out, i);
    } else if (agg->arg.id == HR_DOUBLE) {
        ((double *)out->at)[i] = exact_round(&s->exact, 0);
    } else if (agg->arg.id == HR_DECIMAL) {
        return decimal_final(s, agg->result, 0, 1, out, i);
    } else {
        hr_int128 v = (hr_int128)s->low;
        if (v < INT64_MIN || v > INT64_MAX) return hr_fail(err, HR_EFAIL, "sum: a total does not fit BIGINT: sum a DECIMAL(38,0) instead");
        ((int64_t *)out->at)[i] = (int64_t)v;
    }
    return true;
}

static bool avg_final(const struct hr_agg *agg, const void *state, struct hr_column *out, uint32_t i, struct hr_error *err) {
    (void)err;
    const union number_sum *s = state;
    if (!s->rows) {
        hr_set_null(out, i);
        return true;
    }
    if (agg->arg.id == HR_DECIMAL) return decimal_final(s, agg->result, agg->result.scale - agg->arg.scale, s->rows, out, i);
    double mean;
    if (agg->arg.id != HR_DOUBLE) {
        mean = wide_to_double(s) / (double)s->rows;
    } else {
        double sum = exact_round(&s->exact, 0);
        bool too_large = isinf(sum) && !s->exact.wide->flags; /* the sum, not the mean */
        mean = too_large ? ldexp(exact_round(&s->exact, -64) / (double)s->rows, 64) : sum / (double)s->rows;
    }
    ((double *)out->at)[i] = mean;
    return true;
}

static bool some(const struct hr_agg *agg, const void *state) {
    (void)agg;
    return ((const union number_sum *)state)->rows > 0;
}

/* ---- for Spark: a mean goes on from its sum and its count ---- */

static struct hr_type part_sum_type(const struct hr_agg *agg) {
    struct hr_agg sum = *agg;
    sum_type(&sum, NULL);
    return sum.result;
}

/* Spark cuts a quotient of decimals to 38 digits, as many of them before the point as the dividend may have. So the sum
 * of a mean is given the 34 digits that leave the mean's own scale, and is rounded once. Of scale 0 or 1 the quotient keeps
 * six: it is rounded twice then, which shows once there are more than 10^(24 - p) rows. None: the digits would be wrong. */
static struct hr_type part_dividend_type(const struct hr_agg *agg) {
    struct hr_type t = part_sum_type(agg);
    if (agg->arg.id != HR_DECIMAL) return t;
    if (agg->arg.precision > (agg->arg.scale < 2 ? 12 : 24)) return (struct hr_type){0};
    if (agg->arg.scale >= 2) t.precision = 34;
    return t;
}

static struct hr_type part_count_type(const struct hr_agg *agg) {
    (void)agg;
    return (struct hr_type){.id = HR_BIGINT};
}

static bool part_sum(const struct hr_agg *agg, const void *state, struct hr_column *out, uint32_t i, struct hr_error *err) {
    struct hr_agg sum = *agg;
    sum.result = out->type;
    return sum_final(&sum, state, out, i, err);
}

static bool part_count(const struct hr_agg *agg, const void *state, struct hr_column *out, uint32_t i, struct hr_error *err) {
    (void)agg, (void)err;
    ((int64_t *)out->at)[i] = (int64_t)((const union number_sum *)state)->rows;
    return true;
}

static const struct hr_part sum_parts[] = {{"sum", "$x", "sum", part_sum_type, part_sum}, {0}};
static const struct hr_part avg_parts[] = {{"sum", "$x", "sum", part_dividend_type, part_sum},
                                           {"count", "IF($x IS NULL, 0, 1)", "sum", part_count_type, part_count}, {0}};

static const char *differs(const struct hr_agg *agg) {
    if (agg->arg.id == HR_DOUBLE) return "Spark adds doubles in the order in which rows arrive: the last digits may differ";
    if (agg->arg.id == HR_DECIMAL) return "Spark gives null for a total whose sum was too large on the way";
    return agg->result.id == HR_BIGINT ? "Spark wraps a total that does not fit BIGINT, and goes on" : NULL;
}

static const struct hr_aggregate table[] = {
    {"sum", "sum(number): total, exact whatever the order", 1, sum_type, step, merge, save, load, sum_final, sum_parts, "$sum", differs, some},
    {"avg", "avg(number): mean", 1, avg_type, step, merge, save, load, avg_final, avg_parts, "$sum / $count", differs, some},
    {"mean", "mean(number): avg", 1, avg_type, step, merge, save, load, avg_final, avg_parts, "$sum / $count", differs, some},
    {0},
};

HR_PLUGIN(aggregates, sum) = {
    .kind = HR_AGGREGATES,
    .name = "sum",
    .about = "totals and means",
    .aggregates = table,
};
HR_MODULE(HR_RECORD(aggregates, sum));
