/*
 * from_json: a column of JSON objects to typed columns.
 *
 *   operators:
 *     - from_json:
 *         column: value
 *         schema: SellerID INT, InvoiceTotal_amount DOUBLE, invoice_Date STRING
 *         keep: [offset]
 *         on_error: drop
 *
 * 1. The output is the columns of the schema, then those named in keep. Names are case-sensitive.
 * 2. A record that is not one JSON object is bad: all its columns are null. A field of the wrong type is
 *    bad: only its column is null. Null, empty and blank text is all nulls, and not bad.
 * 3. A column _corrupt_record STRING in the schema takes the raw text of a bad record.
 * 4. strict: true reads RFC 8259 and nothing else; false also what Spark's reader lets through: single
 *    quotes, bare NaN and Infinity, text behind the object.
 * 5. Columns that nobody reads are not built; they are looked at only where on_error asks for it.
 */
#include <headrace/plugin.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct from_json {
    struct hr_name column;
    struct hr_sql schema;
    struct hr_list keep;
    bool strict;
    int on_error;

    struct hr_schema fields;
    struct hr_json *reader;
    int text, *kept; /* input columns */
};

static const struct hr_option options[] = {
    HR_OPTION(struct from_json, column, "value", "the column to read"),
    HR_REQUIRED(struct from_json, schema, "names and types: a INT, b DOUBLE, ..."),
    HR_OPTION(struct from_json, keep, NULL, "input columns to keep"),
    HR_OPTION(struct from_json, strict, "true", "RFC 8259 only; false: what Spark lets through too"),
    HR_ON_ERROR(struct from_json),
    {0},
};

static bool bind_kept(struct from_json *f, struct hr_bind *b) {
    f->kept = hr_pipeline_alloc(b, ((size_t)f->keep.n + 1) * sizeof *f->kept);
    for (int i = 0; i < f->keep.n; i++) {
        struct hr_name name = {f->keep.item[i].s, f->keep.item[i].place};
        f->kept[i] = hr_column_index(b, &name);
        if (f->kept[i] < 0 || hr_output(b, name.s, b->in->field[f->kept[i]].type) < 0) return false;
    }
    return true;
}

static bool bind(void *self, struct hr_bind *b) {
    struct from_json *f = self;
    f->text = hr_column_index(b, &f->column);
    if (!hr_schema_bind(b, &f->schema, &f->fields) || f->text < 0) return false;
    if (b->in->field[f->text].type.id != HR_STRING)
        return hr_fault(b, &f->column, "column '%s' is not STRING", f->column.s);
    for (int i = 0; i < f->fields.n; i++)
        if (hr_output(b, f->fields.field[i].name, f->fields.field[i].type) < 0) return false;
    struct hr_json_options o = {.strict = f->strict, .check_all = f->on_error != HR_ON_ERROR_NULL};
    f->reader = hr_json_bind(b, &f->fields, &o);
    return f->reader && bind_kept(f, b);
}

static void need(const void *self, const uint8_t *out, uint8_t *in) {
    const struct from_json *f = self;
    in[f->text] = 1;
    for (int i = 0; i < f->keep.n; i++) in[f->kept[i]] |= out[f->fields.n + i];
}

static bool process(const void *self, struct hr_lane *lane, const struct hr_batch *in, struct hr_batch *out) {
    const struct from_json *f = self;
    const char **reason = hr_batch_alloc(lane, ((size_t)in->size + 1) * sizeof *reason);
    for (int i = 0; i < f->fields.n; i++)
        if (lane->wanted[i]) hr_column_make(lane, &out->column[i], in->size);
    for (int i = 0; i < f->keep.n; i++) out->column[f->fields.n + i] = in->column[f->kept[i]];
    if (!hr_json_read(lane, f->reader, &in->column[f->text], in->rows, out->column, reason)) return false;

    const struct hr_text *text = in->column[f->text].at;
    HR_EACH(in->rows, i)
        if (reason[i] && !hr_bad(lane, in, i, f->on_error, text[i], reason[i])) return false;
    out->rows = hr_good_rows(lane, in->rows);
    return true;
}

static bool keeps(const struct from_json *f, const char *name) {
    for (int i = 0; i < f->keep.n; i++)
        if (!strcasecmp(f->keep.item[i].s, name)) return true;
    return false;
}

static void note_differences(const struct from_json *f, struct hr_spark *s) {
    bool dates = false, decimals = false;
    for (int i = 0; i < f->fields.n; i++) {
        dates |= f->fields.field[i].type.id == HR_DATE;
        decimals |= f->fields.field[i].type.id == HR_DECIMAL;
    }
    if (f->strict) hr_spark_note(s, "Spark lets bare NaN and Infinity through, and text behind the object");
    hr_spark_note(s, "Spark reads half of a surrogate pair as ?, and keeps the first of two fields of one name where the last is bad");
    if (dates) hr_spark_note(s, "Spark takes text of digits for a DATE in days since 1970");
    if (decimals) hr_spark_note(s, "Spark reads a decimal in text with commas");
}

/* Bad records are found by Spark's own column for them, also where nobody asked for it. */
static bool spark(const void *self, struct hr_spark *s) {
    const struct from_json *f = self;
    bool drop = f->on_error == HR_ON_ERROR_DROP, own = drop && !hr_corrupt_column(&f->fields);
    char row[16] = "row"; /* what was read, under a name that no kept column has */
    for (int i = 1; keeps(f, row); i++) snprintf(row, sizeof row, "row%d", i);
    note_differences(f, s);
    hr_spark_put(s, "%s.select(F.from_json(%s, %s, {\"mode\": \"%s\"%s}).alias(\"%s\")", s->input, hr_spark_column(s, f->column.s),
                 hr_spark_schema(s, &f->schema, own ? ", _corrupt_record STRING" : ""), f->on_error == HR_ON_ERROR_FAIL ? "FAILFAST" : "PERMISSIVE",
                 f->strict ? ", \"allowSingleQuotes\": \"false\"" : "", row);
    for (int i = 0; i < f->keep.n; i++) hr_spark_put(s, ", %s", hr_spark_column(s, f->keep.item[i].s));
    hr_spark_put(s, ")\n.select(\"%s.*\"", row);
    for (int i = 0; i < f->keep.n; i++) hr_spark_put(s, ", %s", hr_spark_column(s, f->keep.item[i].s));
    hr_spark_put(s, ")");
    if (drop) hr_spark_put(s, "\n.where(\"_corrupt_record IS NULL\")");
    return !own || hr_spark_put(s, "\n.drop(\"_corrupt_record\")");
}

HR_PLUGIN(operator, from_json) = {
    .kind = HR_OPERATOR,
    .name = "from_json",
    .about = "read JSON objects into typed columns",
    .options = options,
    .self_size = sizeof(struct from_json),
    .spark = spark,
    .op = {.bind = bind, .need = need, .process = process},
};
HR_MODULE(HR_RECORD(operator, from_json));
