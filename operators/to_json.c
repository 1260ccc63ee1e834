/*
 * to_json: columns to one JSON object.
 *
 *   operators:
 *     - to_json: {columns: [SellerID, TotalSales], as: value}
 *
 * 1. Without columns the object has all of them, in their order.
 * 2. Nulls are left out, as Spark's to_json does.
 * 3. The new column is `as`; the columns that come in stay, but one of that name is replaced.
 */
#include <headrace/plugin.h>

#include <string.h>

struct to_json {
    struct hr_list columns;
    const char *as;

    int inputs, n, out;   /* out: the new column */
    int *from;            /* input columns of the object */
    struct key {
        const char *text; /* "name": */
        size_t size;
    } *key;
};

static const struct hr_option options[] = {
    HR_OPTION(struct to_json, columns, NULL, "columns of the object (default: all)"),
    HR_OPTION(struct to_json, as, "value", "name of the new column"),
    {0},
};

static bool pick(struct to_json *t, struct hr_bind *b) {
    t->n = t->columns.n ? t->columns.n : b->in->n;
    t->from = hr_pipeline_alloc(b, ((size_t)t->n + 1) * sizeof *t->from);
    bool ok = true;
    for (int i = 0; i < t->n; i++) {
        t->from[i] = i;
        if (!t->columns.n) continue;
        struct hr_name name = {t->columns.item[i].s, t->columns.item[i].place};
        t->from[i] = hr_column_index(b, &name);
        ok &= t->from[i] >= 0;
    }
    return ok;
}

/* Names are quoted once, here. */
static void quote_names(struct to_json *t, struct hr_bind *b) {
    struct hr_buffer out = {0};
    t->key = hr_pipeline_alloc(b, ((size_t)t->n + 1) * sizeof *t->key);
    for (int i = 0; i < t->n; i++) {
        const char *name = b->in->field[t->from[i]].name;
        struct hr_text text = {name, (uint32_t)strlen(name), 0};
        hr_buffer_reset(&out);
        hr_put_json(&out, (struct hr_type){.id = HR_STRING}, &text);
        hr_put(&out, ":", 1);
        char *own = hr_pipeline_alloc(b, out.n);
        memcpy(own, out.p, out.n);
        t->key[i] = (struct key){own, out.n};
    }
    hr_buffer_free(&out);
}

static bool bind(void *self, struct hr_bind *b) {
    struct to_json *t = self;
    if (!pick(t, b)) return false;
    quote_names(t, b);
    t->inputs = b->in->n;
    t->out = b->in->n;
    for (int i = 0; i < b->in->n; i++) {
        bool replaced = !strcmp(b->in->field[i].name, t->as);
        if (replaced) t->out = i;
        if (hr_output(b, b->in->field[i].name, replaced ? (struct hr_type){.id = HR_STRING} : b->in->field[i].type) < 0)
            return false;
    }
    return t->out < b->in->n || hr_output(b, t->as, (struct hr_type){.id = HR_STRING}) >= 0;
}

static void need(const void *self, const uint8_t *out, uint8_t *in) {
    const struct to_json *t = self;
    for (int i = 0; i < t->inputs; i++)
        if (i != t->out) in[i] |= out[i];
    for (int i = 0; i < t->n && out[t->out]; i++) in[t->from[i]] = 1;
}

static void write_row(const struct to_json *t, const struct hr_batch *in, uint32_t row, struct hr_buffer *b) {
    bool first = true;
    hr_put(b, "{", 1);
    for (int k = 0; k < t->n; k++) {
        const struct hr_column *c = &in->column[t->from[k]];
        if (hr_is_null(c, row)) continue;
        if (!first) hr_put(b, ",", 1);
        first = false;
        hr_put(b, t->key[k].text, t->key[k].size);
        hr_put_json(b, c->type, hr_value(c, row));
    }
    hr_put(b, "}", 1);
}

static bool process(const void *self, struct hr_lane *lane, const struct hr_batch *in, struct hr_batch *out) {
    const struct to_json *t = self;
    for (int i = 0; i < t->inputs; i++)
        if (i != t->out) out->column[i] = in->column[i];
    if (!lane->wanted[t->out]) return true;
    struct hr_column *value = &out->column[t->out];
    struct hr_buffer b = {0};
    hr_column_make(lane, value, in->size);
    HR_EACH(in->rows, i) {
        hr_buffer_reset(&b);
        write_row(t, in, i, &b);
        char *own = hr_batch_alloc(lane, b.n);
        memcpy(own, b.p, b.n);
        ((struct hr_text *)value->at)[i] = (struct hr_text){own, (uint32_t)b.n, 0};
    }
    hr_buffer_free(&b);
    return true;
}

static bool spark(const void *self, struct hr_spark *s) {
    const struct to_json *t = self;
    hr_spark_put(s, "%s.withColumn(%s, F.to_json(F.struct(", s->input, hr_spark_string(s, t->as));
    for (int i = 0; i < t->columns.n; i++) hr_spark_put(s, "%s%s", i ? ", " : "", hr_spark_column(s, t->columns.item[i].s));
    return hr_spark_put(s, "%s)))", t->columns.n ? "" : "\"*\"");
}

HR_PLUGIN(operator, to_json) = {
    .kind = HR_OPERATOR,
    .name = "to_json",
    .about = "write columns as one JSON object",
    .options = options,
    .self_size = sizeof(struct to_json),
    .spark = spark,
    .op = {.bind = bind, .need = need, .process = process},
};
HR_MODULE(HR_RECORD(operator, to_json));
