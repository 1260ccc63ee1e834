/*
 * group_by: keyed totals, kept in the checkpoint.
 *
 *   operators:
 *     - group_by:
 *         keys: [SellerID]
 *         aggregates: {TotalSales: sum(InvoiceTotal_amount), Invoices: count(*)}
 *
 * 1. keys are columns or expressions: a list calls them as they are written, a mapping gives names.
 *    Without keys all rows are one group.
 * 2. aggregates are calls of one aggregate each, by the name of their column. Without keys there has to be one.
 * 3. Nulls in a key are a group, sorted first; -0.0 and 0.0 are one group, and so are all NaN.
 * 4. Each lane folds into a table of its own; the engine merges them at the end of an epoch.
 */
#include "operators/names.h"

struct group_by {
    struct hr_map keys, aggregates;

    struct hr_groups *groups;
    struct hr_map named; /* the keys, each with a name */
};

static const struct hr_option options[] = {
    HR_OPTION(struct group_by, keys, NULL, "a list of expressions, or name: expression"),
    HR_REQUIRED(struct group_by, aggregates, "name: sum(x), count(*), ..."),
    {0},
};

static bool bind(void *self, struct hr_bind *b) {
    struct group_by *g = self;
    struct hr_map_item *key = hr_pipeline_alloc(b, ((size_t)g->keys.n + 1) * sizeof *key);
    for (int i = 0; i < g->keys.n; i++) {
        key[i] = g->keys.item[i];
        key[i].name = expression_name(b, &g->keys.item[i]);
    }
    for (int i = 0; i < g->aggregates.n; i++)
        if (!*g->aggregates.item[i].name)
            return hr_fault(b, &g->aggregates, "a mapping is wanted: {name: sum(x)}");
    if (!g->keys.n && !g->aggregates.n) return hr_fault(b, &g->aggregates, "keys or aggregates are wanted: there is nothing to keep");
    g->named = (struct hr_map){g->keys.n, key};
    g->groups = hr_groups_bind(b, &g->named, &g->aggregates);
    return g->groups;
}

static void need(const void *self, const uint8_t *out, uint8_t *in) {
    (void)out; /* the state holds every aggregate, read or not */
    hr_groups_need(((const struct group_by *)self)->groups, in);
}

static bool process(const void *self, struct hr_lane *lane, const struct hr_batch *in, struct hr_batch *out) {
    (void)out;
    return hr_fold(lane, ((const struct group_by *)self)->groups, in);
}

static bool spark(const void *self, struct hr_spark *s) {
    const struct group_by *g = self;
    return hr_spark_groups(s, &g->named, &g->aggregates);
}

HR_PLUGIN(operator, group_by) = {
    .kind = HR_OPERATOR,
    .name = "group_by",
    .about = "totals by key, kept in the checkpoint",
    .options = options,
    .self_size = sizeof(struct group_by),
    .spark = spark,
    .op = {.bind = bind, .need = need, .process = process, .stateful = true},
};
HR_MODULE(HR_RECORD(operator, group_by));
