/*
 * count: rows, or values.
 *
 *   group_by:
 *     keys: [SellerID]
 *     aggregates: {Invoices: count(*), Taxed: count(tax_amount)}
 *
 * 1. count(*) counts rows, count(x) those where x is not null; both give BIGINT and never null.
 */
#include <headrace/plugin.h>

#include <string.h>

static bool type(struct hr_agg *agg, struct hr_error *err) {
    (void)err;
    agg->result = (struct hr_type){.id = HR_BIGINT};
    agg->size = sizeof(int64_t);
    return true;
}

static bool step(const struct hr_agg *agg, struct hr_agg_memory *memory, char *states, size_t stride,
                 const uint32_t *group, const struct hr_column *arg, struct hr_rows rows, struct hr_error *err) {
    (void)agg, (void)memory, (void)arg, (void)err;
    HR_EACH(rows, i) ++*(int64_t *)(states + group[i] * stride);
    return true;
}

static bool merge(const struct hr_agg *agg, struct hr_agg_memory *memory, void *into, const void *from, struct hr_error *err) {
    (void)agg, (void)memory;
    int64_t *n = into;
    return !__builtin_add_overflow(*n, *(const int64_t *)from, n) || hr_fail(err, HR_EFAIL, "count: more than BIGINT holds");
}

static bool save(const struct hr_agg *agg, const void *state, struct hr_buffer *out) {
    (void)agg;
    hr_put(out, state, 8);
    return true;
}

static bool load(const struct hr_agg *agg, struct hr_agg_memory *memory, void *state, int version, const char *p,
                 size_t n, struct hr_error *err) {
    (void)agg, (void)memory;
    if (version != 1 || n != 8) return hr_fail(err, HR_ECHECKPOINT, "count: a saved state cannot be read");
    memcpy(state, p, 8);
    return *(int64_t *)state >= 0 || hr_fail(err, HR_ECHECKPOINT, "count: a saved state cannot be read");
}

static bool final(const struct hr_agg *agg, const void *state, struct hr_column *out, uint32_t i, struct hr_error *err) {
    (void)agg, (void)err;
    ((int64_t *)out->at)[i] = *(const int64_t *)state;
    return true;
}

static struct hr_type part_type(const struct hr_agg *agg) { return agg->result; }
static const struct hr_part parts[] = {{"count", "IF($x IS NULL, 0, 1)", "sum", part_type, final}, {0}};

static const struct hr_aggregate table[] = {
    {"count", "count(*): rows; count(x): values that are not null", 1, type, step, merge, save, load, final, parts,
     "coalesce($count, 0)", NULL, NULL},
    {0},
};

HR_PLUGIN(aggregates, count) = {
    .kind = HR_AGGREGATES,
    .name = "count",
    .about = "rows and values counted",
    .aggregates = table,
};
HR_MODULE(HR_RECORD(aggregates, count));
