/*
 * Files for Spark. Its csv reader has rules of its own for what a number or a BOOLEAN is, so every column is read as text and
 * cast as in SQL; a record with too few or too many fields shows by the column for corrupt records.
 */
#include "sources/file_spark.h"
#include "sources/file_rows.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static void put(struct hr_buffer *b, const char *text) { hr_put(b, text, strlen(text)); }

/* In backquotes where SQL wants them. */
static void put_name(struct hr_buffer *b, const char *name) {
    static const char letters[] = "_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    bool plain = !name[strspn(name, letters)] && !(*name >= '0' && *name <= '9');
    put(b, plain ? "" : "`");
    for (const char *p = name; *p; p++) hr_put(b, *p == '`' ? "``" : p, *p == '`' ? 2 : 1);
    put(b, plain ? "" : "`");
}

static void put_cast(struct hr_buffer *b, const struct hr_field *f) {
    static const char *const names[] = {[HR_BOOLEAN] = "BOOLEAN", [HR_INT] = "INT", [HR_BIGINT] = "BIGINT", [HR_DOUBLE] = "DOUBLE",
                                        [HR_STRING] = "STRING", [HR_DATE] = "DATE", [HR_TIMESTAMP] = "TIMESTAMP"};
    char decimal[24];
    if (f->type.id == HR_STRING) {
        put_name(b, f->name);
        return;
    }
    snprintf(decimal, sizeof decimal, "DECIMAL(%d,%d)", f->type.precision, f->type.scale);
    put(b, "CAST(");
    put_name(b, f->name);
    put(b, " AS ");
    put(b, f->type.id == HR_DECIMAL ? decimal : names[f->type.id]);
    put(b, ")");
}

/* The buffer's text as a Python string; it is empty then. */
static const char *python(struct hr_spark *s, struct hr_buffer *b) {
    hr_put(b, "", 1);
    const char *text = hr_spark_string(s, b->p);
    hr_buffer_free(b);
    *b = (struct hr_buffer){0};
    return text;
}

/* ---- csv ---- */

/* A name for the corrupt records that no column has. */
static const char *corrupt_name(const struct hr_schema *columns) {
    static const char *const names[] = {"_corrupt_record", "_bad_record", "_no_record"};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        bool free = true;
        for (int i = 0; i < columns->n; i++) free &= strcasecmp(columns->field[i].name, names[n]) != 0;
        if (free) return names[n];
    }
    return NULL;
}

static const char *text_schema(struct hr_spark *s, const struct hr_schema *columns, const char *corrupt) {
    struct hr_buffer b = {0};
    for (int i = 0; i < columns->n; i++) {
        put_name(&b, columns->field[i].name);
        put(&b, " STRING, ");
    }
    put(&b, corrupt);
    put(&b, " STRING");
    hr_put(&b, "", 1);
    const char *schema = hr_spark_schema(s, NULL, b.p);
    hr_buffer_free(&b);
    return schema;
}

static void put_good(struct hr_buffer *b, const struct hr_schema *columns, const char *corrupt) {
    put(b, corrupt);
    put(b, " IS NULL");
    for (int i = 0; i < columns->n; i++) {
        if (columns->field[i].type.id == HR_STRING) continue;
        put(b, " AND (");
        put_name(b, columns->field[i].name);
        put(b, " IS NULL OR ");
        put_cast(b, &columns->field[i]);
        put(b, " IS NOT NULL)");
    }
}

/* What becomes of bad rows, by on_error. */
static void put_policy(struct hr_spark *s, const struct file_spark *f, const char *corrupt) {
    struct hr_buffer b = {0};
    bool fail = f->on_error == HR_ON_ERROR_FAIL;
    if (f->on_error == HR_ON_ERROR_NULL) return;
    put(&b, fail ? "IF(" : "");
    put_good(&b, f->columns, corrupt);
    put(&b, fail ? ", true, raise_error('a bad record'))" : "");
    hr_spark_put(s, "\n.where(%s)", python(s, &b));
}

static void put_columns(struct hr_spark *s, const struct file_spark *f, const char *corrupt) {
    struct hr_buffer b = {0};
    bool null = f->on_error == HR_ON_ERROR_NULL; /* a record that is no good as a whole says nothing about any column */
    hr_spark_put(s, "\n.selectExpr(");
    for (int i = 0; i < f->columns->n; i++) {
        const struct hr_field *field = &f->columns->field[i];
        if (null) put(&b, "IF("), put(&b, corrupt), put(&b, " IS NULL, ");
        put_cast(&b, field);
        if (null) put(&b, ", NULL)");
        if (null || field->type.id != HR_STRING) put(&b, " AS "), put_name(&b, field->name);
        hr_spark_put(s, "\n    %s,", python(s, &b));
    }
    hr_spark_put(s, "\n)");
}

static void note_types(struct hr_spark *s, const struct hr_schema *columns) {
    bool number = false, time = false;
    for (int i = 0; i < columns->n; i++) {
        number |= columns->field[i].type.id == HR_DOUBLE;
        time |= columns->field[i].type.id == HR_DATE || columns->field[i].type.id == HR_TIMESTAMP;
    }
    if (number) hr_spark_note(s, "Spark also reads numbers as Java writes them, such as 1d and 0x1p3");
    if (time) hr_spark_note(s, "Spark also reads words such as now, other time zones, and years beyond 1 to 9999");
}

static bool read_csv(struct hr_spark *s, const struct file_spark *f) {
    const char *corrupt = corrupt_name(f->columns);
    if (!corrupt) return hr_spark_refuse(s, f->schema, "no name is left for Spark's column of corrupt records");
    if (f->header) hr_spark_note(s, "Spark wants the columns of the file in the order of the schema, and all of them");
    hr_spark_note(s, "text behind a closing quote, or a quote that is never closed, is a field to Spark");
    hr_spark_note(s, "where lines end with CRLF, Spark makes an LF of one within quotes");
    note_types(s, f->columns);
    hr_spark_put(s, "\n.schema(%s)\n.option(\"header\", %s)\n.option(\"enforceSchema\", False)\n.option(\"multiLine\", True)\n.option(\"escape\", '\"')",
                 text_schema(s, f->columns, corrupt), f->header ? "True" : "False");
    hr_spark_put(s, "\n.option(\"nullValue\", \"\\0\")  # so that only a field without quotes is null");
    if (*f->delimiter != ',') hr_spark_put(s, "\n.option(\"sep\", %s)", hr_spark_string(s, f->delimiter));
    if (strcmp(corrupt, "_corrupt_record")) hr_spark_put(s, "\n.option(\"columnNameOfCorruptRecord\", \"%s\")", corrupt);
    hr_spark_put(s, "\n.csv(os.path.dirname(%s) or \".\")", f->path);
    put_policy(s, f, corrupt);
    put_columns(s, f, corrupt);
    return true;
}

/* ---- the other formats ---- */

static bool read_ndjson(struct hr_spark *s, const struct file_spark *f) {
    static const char *const mode[] = {"PERMISSIVE", "DROPMALFORMED", "FAILFAST"};
    hr_spark_note(s, "of a line that is an array Spark makes a row for each of its objects");
    return hr_spark_put(s, "\n.schema(%s)\n.option(\"mode\", \"%s\")\n.option(\"lineSep\", \"\\n\")\n.json(os.path.dirname(%s) or \".\")",
                        hr_spark_schema(s, f->schema, ""), mode[f->on_error], f->path);
}

/* Spark's own rule for the end of a line takes a bare CR for one too. */
static bool read_lines(struct hr_spark *s, const struct file_spark *f) {
    return hr_spark_put(s, "\n.option(\"lineSep\", \"\\n\")\n.text(os.path.dirname(%s) or \".\")\n"
                        ".selectExpr(\"IF(endswith(value, '\\\\r'), left(value, length(value) - 1), value) AS value\")", f->path);
}

bool file_spark_read(struct hr_spark *s, const struct file_spark *f) {
    if (f->format == FILE_CSV) return read_csv(s, f);
    return f->format == FILE_NDJSON ? read_ndjson(s, f) : read_lines(s, f);
}

bool file_spark_plain_decimals(struct hr_spark *s) {
    struct hr_buffer b = {0};
    bool some = false;
    for (int i = 0; i < s->in->n; i++) {
        const struct hr_field *f = &s->in->field[i];
        if (f->type.id != HR_DECIMAL || f->type.scale <= 6) continue; /* Java uses no exponent for these */
        put(&b, "format_number(");
        put_name(&b, f->name);
        put(&b, ", '0.");
        for (int k = 0; k < f->type.scale; k++) put(&b, "0");
        put(&b, "')");
        const char *sql = python(s, &b);
        some = hr_spark_put(s, "\n.withColumn(%s, F.expr(%s))", hr_spark_string(s, f->name), sql);
    }
    return some;
}
