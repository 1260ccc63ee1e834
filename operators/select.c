/*
 * select: these columns and no others.
 *
 *   operators:
 *     - select: {columns: [SellerID, "upper(name)"]}
 *     - select: {columns: {seller: SellerID, net: total - tax}}
 *
 * 1. A list gives columns or expressions, called as they are written; a mapping gives their names.
 * 2. Every expression sees the columns as they come in.
 */
#include "operators/names.h"

struct select {
    struct hr_map columns;

    struct hr_expr **expr;
    const char **name;
};

static const struct hr_option options[] = {
    HR_REQUIRED(struct select, columns, "a list of expressions, or name: expression"),
    {0},
};

static bool bind(void *self, struct hr_bind *b) {
    struct select *s = self;
    s->expr = hr_pipeline_alloc(b, ((size_t)s->columns.n + 1) * sizeof *s->expr);
    s->name = hr_pipeline_alloc(b, ((size_t)s->columns.n + 1) * sizeof *s->name);
    bool ok = s->columns.n > 0 || hr_fault(b, &s->columns, "at least one column is wanted");
    for (int i = 0; i < s->columns.n; i++) {
        struct hr_type type;
        s->expr[i] = hr_expr_bind(b, &s->columns.item[i].value, &type);
        s->name[i] = expression_name(b, &s->columns.item[i]);
        ok &= s->expr[i] && hr_output(b, s->name[i], type) >= 0;
    }
    return ok;
}

static void need(const void *self, const uint8_t *out, uint8_t *in) {
    const struct select *s = self;
    for (int i = 0; i < s->columns.n; i++)
        if (out[i]) hr_expr_need(s->expr[i], in);
}

static bool process(const void *self, struct hr_lane *lane, const struct hr_batch *in, struct hr_batch *out) {
    const struct select *s = self;
    for (int i = 0; i < s->columns.n; i++)
        if (lane->wanted[i] && !hr_eval(lane, s->expr[i], in, &out->column[i])) return false;
    return true;
}

static bool spark(const void *self, struct hr_spark *s) {
    const struct select *o = self;
    hr_spark_put(s, "%s.select(", s->input);
    for (int i = 0; i < o->columns.n; i++)
        hr_spark_put(s, "\n    F.expr(%s).alias(%s),", hr_spark_sql(s, &o->columns.item[i].value), hr_spark_string(s, o->name[i]));
    return hr_spark_put(s, "\n)");
}

HR_PLUGIN(operator, select) = {
    .kind = HR_OPERATOR,
    .name = "select",
    .about = "these columns and no others",
    .options = options,
    .self_size = sizeof(struct select),
    .spark = spark,
    .op = {.bind = bind, .need = need, .process = process},
};
HR_MODULE(HR_RECORD(operator, select));
