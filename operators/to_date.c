/*
 * to_date: read text as a calendar day.
 *
 *   operators:
 *     - to_date: {column: invoice_Date, format: MM-dd-yy, as: invoice_Date_formatted}
 *
 * 1. format is a Spark datetime pattern (functions/date_pattern.h); yy is a year from 2000 to 2099.
 * 2. All of the text must match: bytes left over, too few digits and days on no calendar (02-30-24) are bad.
 * 3. A null is null and not bad. A DATE stays as it is, a TIMESTAMP gives its day.
 * 4. The result is the column `as`; without it, it takes the place of the column that is read.
 */
#include "functions/date_pattern.h"

#include <string.h>

struct to_date {
    struct hr_name column;
    const char *format, *as;
    int on_error;

    struct date_pattern pattern;
    int from, to, inputs; /* columns: read, written, of the input */
};

static const struct hr_option options[] = {
    HR_REQUIRED(struct to_date, column, "the column to read"),
    HR_OPTION(struct to_date, format, "yyyy-MM-dd", "how the text is written"),
    HR_OPTION(struct to_date, as, NULL, "name of the result (default: the column itself)"),
    HR_ON_ERROR(struct to_date),
    {0},
};

static bool bind(void *self, struct hr_bind *b) {
    struct to_date *t = self;
    const char *why = date_pattern_compile(&t->pattern, t->format, strlen(t->format));
    if (why) hr_fault(b, &t->format, "%s", why);
    t->from = hr_column_index(b, &t->column);
    if (t->from < 0 || why) return false;
    uint8_t id = b->in->field[t->from].type.id;
    if (id != HR_STRING && id != HR_DATE && id != HR_TIMESTAMP)
        return hr_fault(b, &t->column, "column '%s' is neither STRING nor DATE nor TIMESTAMP", t->column.s);
    if (!t->as) t->as = t->column.s;
    t->inputs = t->to = b->in->n;
    for (int i = 0; i < b->in->n; i++) {
        bool here = !strcmp(b->in->field[i].name, t->as);
        if (here) t->to = i;
        if (hr_output(b, b->in->field[i].name, here ? (struct hr_type){.id = HR_DATE} : b->in->field[i].type) < 0) return false;
    }
    return t->to < t->inputs || hr_output(b, t->as, (struct hr_type){.id = HR_DATE}) >= 0;
}

static void need(const void *self, const uint8_t *out, uint8_t *in) {
    const struct to_date *t = self;
    for (int i = 0; i < t->inputs; i++)
        if (i != t->to) in[i] |= out[i];
    /* whoever asked for bad rows to be dropped or to stop the job gets that, whoever reads the result */
    if (out[t->to] || t->on_error != HR_ON_ERROR_NULL) in[t->from] = 1;
}

static bool day_of(const struct to_date *t, const struct hr_column *c, uint32_t i, int32_t *day) {
    int64_t us;
    switch (c->type.id) {
    case HR_DATE: return *day = ((const int32_t *)c->at)[i], true;
    case HR_TIMESTAMP: us = ((const int64_t *)c->at)[i]; break;
    default:
        if (!date_pattern_parse(&t->pattern, ((const struct hr_text *)c->at)[i], &us)) return false;
    }
    return *day = (int32_t)floor_divide(us, DAY_US), true;
}

static bool process(const void *self, struct hr_lane *lane, const struct hr_batch *in, struct hr_batch *out) {
    const struct to_date *t = self;
    const struct hr_column *from = &in->column[t->from];
    struct hr_column *to = &out->column[t->to];
    for (int i = 0; i < t->inputs; i++)
        if (i != t->to) out->column[i] = in->column[i];
    if (!lane->wanted[t->to] && t->on_error == HR_ON_ERROR_NULL) return true;

    hr_column_make(lane, to, in->size);
    HR_EACH(in->rows, i) {
        bool null = hr_is_null(from, i);
        if (!null && day_of(t, from, i, &((int32_t *)to->at)[i])) continue;
        hr_set_null(to, i);
        if (!null && !hr_bad(lane, in, i, t->on_error, ((const struct hr_text *)from->at)[i], "the text is no day in this format"))
            return false;
    }
    out->rows = hr_good_rows(lane, in->rows);
    return true;
}

static bool spark(const void *self, struct hr_spark *s) {
    const struct to_date *t = self;
    const char *column = hr_spark_column(s, t->column.s), *format = hr_spark_option(s, &t->format), *as = hr_spark_string(s, t->as);
    if (t->on_error == HR_ON_ERROR_NULL) return hr_spark_put(s, "%s.withColumn(%s, F.to_date(%s, %s))", s->input, as, column, format);
    if (t->on_error == HR_ON_ERROR_DROP)
        return hr_spark_put(s, "%s.where(F.col(%s).isNull() | F.to_date(%s, %s).isNotNull())\n.withColumn(%s, F.to_date(%s, %s))",
                            s->input, column, column, format, as, column, format);
    return hr_spark_put(s, "%s.withColumn(\n    %s,\n    F.when(F.col(%s).isNull(), None).otherwise(\n"
                        "        F.coalesce(F.to_date(%s, %s), F.raise_error(F.concat(F.lit(\"no day: \"), F.col(%s))).cast(\"date\"))\n    ),\n)",
                        s->input, as, column, column, format, column);
}

HR_PLUGIN(operator, to_date) = {
    .kind = HR_OPERATOR,
    .name = "to_date",
    .about = "read text as a calendar day",
    .options = options,
    .self_size = sizeof(struct to_date),
    .spark = spark,
    .op = {.bind = bind, .need = need, .process = process},
};
HR_MODULE(HR_RECORD(operator, to_date));
