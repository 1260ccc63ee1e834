/*
 * min, max: the least and the greatest value of any type.
 *
 *   group_by:
 *     keys: [SellerID]
 *     aggregates: {First: min(invoice_Date), Largest: max(InvoiceTotal_amount)}
 *
 * 1. Nulls are skipped; over nulls only the result is null. The result has the type of the argument.
 * 2. Strings are compared as bytes, false is less than true, NaN is greater than every number.
 * 3. -0.0 is less than 0.0 here, though they are equal: so the result does not depend on the order.
 */
#include <headrace/plugin.h>

#include <math.h>
#include <string.h>

struct best {
    _Alignas(16) char value[16]; /* as in a column; a string's bytes are the aggregate's memory */
    uint32_t room;               /* of a string */
    bool any;
};

static bool type(struct hr_agg *agg, struct hr_error *err) {
    (void)err;
    agg->result = agg->arg;
    agg->size = sizeof(struct best);
    return true;
}

static int compare_double(double a, double b) {
    if (isnan(a) || isnan(b)) return isnan(a) - isnan(b);
    if (a == 0 && b == 0) return !!signbit(b) - !!signbit(a);
    return (a > b) - (a < b);
}

static int compare_text(const struct hr_text *a, const struct hr_text *b) {
    uint32_t n = a->n < b->n ? a->n : b->n;
    int order = n ? memcmp(a->p, b->p, n) : 0;
    return order ? order : (a->n > b->n) - (a->n < b->n);
}

static int compare(uint8_t id, const void *x, const void *y) {
#define AS(T) (*(const T *)x > *(const T *)y) - (*(const T *)x < *(const T *)y)
    switch (id) {
    case HR_BOOLEAN: return AS(uint8_t);
    case HR_INT: case HR_DATE: return AS(int32_t);
    case HR_BIGINT: case HR_TIMESTAMP: return AS(int64_t);
    case HR_DOUBLE: return compare_double(*(const double *)x, *(const double *)y);
    case HR_STRING: return compare_text(x, y);
    default: return AS(hr_int128);
    }
#undef AS
}

static void keep(const struct hr_agg *agg, struct hr_agg_memory *memory, struct best *b, const void *value) {
    b->any = true;
    if (agg->arg.id != HR_STRING) {
        memcpy(b->value, value, hr_width(agg->arg));
        return;
    }
    const struct hr_text *text = value;
    struct hr_text *own = (struct hr_text *)b->value;
    if (text->n > b->room) {
        own->p = memory->resize(memory, (void *)own->p, b->room, text->n);
        b->room = text->n;
    }
    if (text->n) memcpy((void *)own->p, text->p, text->n);
    own->n = text->n;
}

static void consider(const struct hr_agg *agg, struct hr_agg_memory *memory, struct best *b, const void *value, int sign) {
    if (!b->any || sign * compare(agg->arg.id, value, b->value) > 0) keep(agg, memory, b, value);
}

static int sign_of(const struct hr_agg *agg) { return agg->fn->name[1] == 'a' ? 1 : -1; /* max or min */ }

static bool step(const struct hr_agg *agg, struct hr_agg_memory *memory, char *states, size_t stride,
                 const uint32_t *group, const struct hr_column *arg, struct hr_rows rows, struct hr_error *err) {
    (void)err;
    int sign = sign_of(agg);
    HR_EACH(rows, i) consider(agg, memory, (struct best *)(states + group[i] * stride), hr_value(arg, i), sign);
    return true;
}

static bool merge(const struct hr_agg *agg, struct hr_agg_memory *memory, void *into, const void *from, struct hr_error *err) {
    (void)err;
    const struct best *b = from;
    if (b->any) consider(agg, memory, into, b->value, sign_of(agg));
    return true;
}

static bool save(const struct hr_agg *agg, const void *state, struct hr_buffer *out) {
    const struct best *b = state;
    const struct hr_text *text = (const struct hr_text *)b->value;
    char any = b->any;
    hr_put(out, &any, 1);
    if (!b->any) return true;
    if (agg->arg.id == HR_STRING) hr_put(out, text->p, text->n);
    else hr_put(out, b->value, hr_width(agg->arg));
    return true;
}

static bool load(const struct hr_agg *agg, struct hr_agg_memory *memory, void *state, int version, const char *p,
                 size_t n, struct hr_error *err) {
    bool text = agg->arg.id == HR_STRING;
    if (version != 1 || n < 1 || (p[0] && !text && n != 1 + hr_width(agg->arg)))
        return hr_fail(err, HR_ECHECKPOINT, "%s: a saved state cannot be read", agg->fn->name);
    if (!p[0]) return true;
    struct hr_text t = {p + 1, (uint32_t)(n - 1), 0};
    _Alignas(16) char value[16];
    if (!text) memcpy(value, p + 1, n - 1);
    keep(agg, memory, state, text ? (const void *)&t : value);
    return true;
}

static bool final(const struct hr_agg *agg, const void *state, struct hr_column *out, uint32_t i, struct hr_error *err) {
    (void)err;
    const struct best *b = state;
    if (b->any) memcpy((char *)out->at + i * hr_width(agg->arg), b->value, hr_width(agg->arg));
    else hr_set_null(out, i);
    return true;
}

static struct hr_type part_type(const struct hr_agg *agg) { return agg->result; }
static const struct hr_part min_parts[] = {{"min", "$x", "min", part_type, final}, {0}};
static const struct hr_part max_parts[] = {{"max", "$x", "max", part_type, final}, {0}};

static const char *differs(const struct hr_agg *agg) {
    return agg->arg.id == HR_DOUBLE ? "Spark keeps the one of -0.0 and 0.0 that came first" : NULL;
}

static const struct hr_aggregate table[] = {
    {"min", "min(x): the least value", 1, type, step, merge, save, load, final, min_parts, "$min", differs, NULL},
    {"max", "max(x): the greatest value", 1, type, step, merge, save, load, final, max_parts, "$max", differs, NULL},
    {0},
};

HR_PLUGIN(aggregates, min_max) = {
    .kind = HR_AGGREGATES,
    .name = "min_max",
    .about = "least and greatest values",
    .aggregates = table,
};
HR_MODULE(HR_RECORD(aggregates, min_max));
