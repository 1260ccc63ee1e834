/*
 * filter: the rows for which a condition is true.
 *
 *   operators:
 *     - filter: {where: InvoiceTotal_amount - discount_amount > 0 AND invoice_Date IS NOT NULL}
 *
 * 1. Rows for which the condition is false or null are left out, and counted as filtered.
 * 2. Nothing is copied: a selection says which rows count.
 */
#include <headrace/plugin.h>

#include <string.h>

struct filter {
    struct hr_sql where;

    struct hr_expr *condition;
    int columns;
};

static const struct hr_option options[] = {
    HR_REQUIRED(struct filter, where, "a condition over the columns"),
    {0},
};

static bool bind(void *self, struct hr_bind *b) {
    struct filter *f = self;
    struct hr_type type;
    f->condition = hr_expr_bind(b, &f->where, &type);
    if (!f->condition) return false;
    if (type.id != HR_BOOLEAN) return hr_fault(b, &f->where, "a condition is true or false: this is no BOOLEAN");
    f->columns = b->in->n;
    for (int i = 0; i < b->in->n; i++)
        if (hr_output(b, b->in->field[i].name, b->in->field[i].type) < 0) return false;
    return true;
}

static void need(const void *self, const uint8_t *out, uint8_t *in) {
    const struct filter *f = self;
    for (int i = 0; i < f->columns; i++) in[i] |= out[i];
    hr_expr_need(f->condition, in);
}

static bool process(const void *self, struct hr_lane *lane, const struct hr_batch *in, struct hr_batch *out) {
    const struct filter *f = self;
    struct hr_column result = {0};
    if (!hr_eval(lane, f->condition, in, &result)) return false;
    uint8_t *keep = hr_batch_alloc(lane, (size_t)in->size + 1);
    const uint8_t *is = result.at;
    HR_EACH(in->rows, i) keep[i] = is[i] && !hr_is_null(&result, i);
    memcpy(out->column, in->column, (size_t)f->columns * sizeof *out->column);
    out->rows = hr_keep(lane, in->rows, keep);
    lane->counts->filtered += in->rows.n - out->rows.n;
    return true;
}

static bool spark(const void *self, struct hr_spark *s) {
    const struct filter *f = self;
    return hr_spark_put(s, "%s.where(%s)", s->input, hr_spark_sql(s, &f->where));
}

HR_PLUGIN(operator, filter) = {
    .kind = HR_OPERATOR,
    .name = "filter",
    .about = "keep the rows for which a condition is true",
    .options = options,
    .self_size = sizeof(struct filter),
    .spark = spark,
    .op = {.bind = bind, .need = need, .process = process},
};
HR_MODULE(HR_RECORD(operator, filter));
