/*
 * with: new columns by expression.
 *
 *   operators:
 *     - with:
 *         columns: {net: InvoiceTotal_amount - tax_amount, seller: "coalesce(SellerID, 0)"}
 *
 * 1. Every expression sees the columns as they come in, not each other's results.
 * 2. A name that is there already is replaced in its place; other names are added behind, in order.
 */
#include <headrace/plugin.h>

#include <string.h>

struct with {
    struct hr_map columns;

    int inputs;
    struct hr_expr **replace; /* of each input column, or NULL; then of each added one */
    int outputs;
};

static const struct hr_option options[] = {
    HR_REQUIRED(struct with, columns, "name: expression"),
    {0},
};

/* The expression of that name, and marks it as taken. */
static struct hr_expr *take(struct with *w, struct hr_expr **compiled, bool *taken, const char *name) {
    for (int k = 0; k < w->columns.n; k++)
        if (!taken[k] && !strcmp(w->columns.item[k].name, name)) return taken[k] = true, compiled[k];
    return NULL;
}

static bool compile(struct with *w, struct hr_bind *b, struct hr_expr **compiled, struct hr_type *type) {
    bool ok = true;
    for (int k = 0; k < w->columns.n; k++) {
        const struct hr_map_item *item = &w->columns.item[k];
        if (!*item->name) return hr_fault(b, &item->value, "a mapping is wanted: {name: expression}");
        compiled[k] = hr_expr_bind(b, &item->value, &type[k]);
        ok &= compiled[k] != NULL;
    }
    return ok;
}

static bool bind(void *self, struct hr_bind *b) {
    struct with *w = self;
    size_t n = (size_t)w->columns.n;
    struct hr_expr **compiled = hr_pipeline_alloc(b, (n + 1) * sizeof *compiled);
    struct hr_type *type = hr_pipeline_alloc(b, (n + 1) * sizeof *type);
    bool *taken = hr_pipeline_alloc(b, n + 1);
    if (!compile(w, b, compiled, type)) return false;
    w->inputs = b->in->n;
    w->replace = hr_pipeline_alloc(b, ((size_t)b->in->n + n + 1) * sizeof *w->replace);
    for (int i = 0; i < w->inputs; i++, w->outputs++) {
        const struct hr_field *f = &b->in->field[i];
        struct hr_type as = f->type;
        w->replace[i] = take(w, compiled, taken, f->name);
        for (size_t k = 0; k < n && w->replace[i]; k++)
            if (compiled[k] == w->replace[i]) as = type[k];
        if (hr_output(b, f->name, as) < 0) return false;
    }
    for (size_t k = 0; k < n; k++) {
        if (taken[k]) continue;
        w->replace[w->outputs++] = compiled[k];
        if (hr_output(b, w->columns.item[k].name, type[k]) < 0) return false;
    }
    return true;
}

static void need(const void *self, const uint8_t *out, uint8_t *in) {
    const struct with *w = self;
    for (int i = 0; i < w->outputs; i++) {
        if (!out[i]) continue;
        if (w->replace[i]) hr_expr_need(w->replace[i], in);
        else in[i] = 1;
    }
}

static bool process(const void *self, struct hr_lane *lane, const struct hr_batch *in, struct hr_batch *out) {
    const struct with *w = self;
    for (int i = 0; i < w->outputs; i++) {
        if (!lane->wanted[i]) continue;
        if (!w->replace[i]) out->column[i] = in->column[i];
        else if (!hr_eval(lane, w->replace[i], in, &out->column[i])) return false;
    }
    return true;
}

static bool spark(const void *self, struct hr_spark *s) {
    const struct with *w = self;
    hr_spark_put(s, "%s.withColumns(\n    {", s->input);
    for (int i = 0; i < w->columns.n; i++)
        hr_spark_put(s, "\n        %s: F.expr(%s),", hr_spark_string(s, w->columns.item[i].name), hr_spark_sql(s, &w->columns.item[i].value));
    return hr_spark_put(s, "\n    }\n)");
}

HR_PLUGIN(operator, with) = {
    .kind = HR_OPERATOR,
    .name = "with",
    .about = "add or replace columns by expression",
    .options = options,
    .self_size = sizeof(struct with),
    .spark = spark,
    .op = {.bind = bind, .need = need, .process = process},
};
HR_MODULE(HR_RECORD(operator, with));
