/*
 * Keyed totals for Spark. Where they go on from a checkpoint, its totals come in as the first rows of the stream: every
 * row, old or new, is taken apart into what it is worth to each total, and those are folded. So Spark keeps the old totals
 * in its own state, and its checkpoint alone says whether they were counted.
 */
#include "core/export/internal.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static const struct hr_agg *agg_of(const struct program *p, int i) { return &p->node->groups->shape.agg[i]; }

/* The argument of "sum(a - b)". */
static const char *argument(struct arena *a, const char *sql) {
    const char *open = strchr(sql, '('), *close = strrchr(sql, ')');
    return arena_strndup(a, open + 1, (size_t)(close - open) - 1);
}

/* What $x or $NAME of a part's SQL stands for: NULL ends a list. */
struct meaning {
    const char *name, *sql;
};

static const struct meaning *meaning_of(const struct meaning *m, const char *name, size_t n) {
    while (m->name && (strlen(m->name) != n || strncmp(m->name, name, n))) m++;
    return m->name ? m : NULL;
}

/* The template with a meaning for each $NAME. It is read once, so that what is filled in may hold a $ too. */
static const char *fill_in(struct arena *a, const char *template, const struct meaning *meanings) {
    struct hr_buffer b = {0};
    for (const char *p = template; *p;) {
        size_t n = *p == '$' ? strspn(p + 1, "abcdefghijklmnopqrstuvwxyz_") : 0;
        const struct meaning *m = n ? meaning_of(meanings, p + 1, n) : NULL;
        if (m) buffer_puts(&b, m->sql);
        else buffer_putc(&b, *p);
        p += m ? n + 1 : 1;
    }
    const char *out = arena_strndup(a, b.p, b.n);
    buffer_free(&b);
    return out;
}

static bool is_key(const struct groups_shape *shape, const char *name) {
    for (int i = 0; i < shape->keys; i++)
        if (!strcasecmp(shape->key[i].name, name)) return true; /* as Spark compares them */
    return false;
}

static const char *column_of(const struct program *p, const char *name, const struct hr_part *part) {
    struct arena *a = program_arena(p);
    const char *column = arena_printf(a, "%s_%s", name, part->name);
    while (is_key(&p->plan->node[p->plan->state].groups->shape, column)) column = arena_printf(a, "%s_", column);
    return column;
}

static const char *type_of(struct arena *a, struct hr_type t) {
    char name[24];
    return arena_strdup(a, type_name(t, name));
}

/* ---- the stream ---- */

/* The keys and aggregates in SQL: NULL where Spark cannot take them. */
struct totals {
    const struct hr_map *keys, *aggregates;
    const char **key, **call;
};

static const char *call_sql(struct program *p, const struct hr_map *aggregates, int i) {
    const struct hr_sql *text = &aggregates->item[i].value;
    if (expr_spark_aggregates(agg_of(p, i)->fn->name)) return program_call_sql(p, text, p->node->groups->arg[i]);
    return program_refuse(p, text->place, "%s is an aggregate of a module: Spark has not the same", agg_of(p, i)->fn->name), NULL;
}

/* Once, before the same SQL is put several times. */
static bool totals_sql(struct program *p, struct totals *t) {
    bool ok = true;
    t->key = arena_alloc(program_arena(p), ((size_t)t->keys->n + 1) * sizeof *t->key);
    t->call = arena_alloc(program_arena(p), ((size_t)t->aggregates->n + 1) * sizeof *t->call);
    for (int i = 0; i < t->keys->n; i++) ok &= (t->key[i] = program_sql(p, &t->keys->item[i].value)) != NULL;
    for (int i = 0; i < t->aggregates->n; i++) ok &= (t->call[i] = call_sql(p, t->aggregates, i)) != NULL;
    return ok;
}

/* F.expr("upper(name)").alias("name") */
static void put_column(struct program *p, const char *sql, const char *name) {
    buffer_printf(&p->body, "F.expr(%s).alias(%s)", python_string(p, sql), python_string(p, name));
}

/* "SellerID", or an expression of that name. */
static void put_keys(struct program *p, const struct totals *t, bool named) {
    for (int i = 0; i < t->keys->n; i++) {
        const char *name = python_sql_name(program_arena(p), t->keys->item[i].name);
        if (i) buffer_puts(&p->body, ", ");
        if (named || !strcmp(t->key[i], name)) buffer_puts(&p->body, python_string(p, name));
        else put_column(p, t->key[i], t->keys->item[i].name);
    }
}

/* Spark gives every sum of decimals ten digits more, and cuts a quotient of such sums short: so cast each back. */
static const char *cast_decimal(struct arena *a, const char *sql, struct hr_type t) {
    return t.id == HR_DECIMAL ? arena_printf(a, "CAST(%s AS %s)", sql, type_of(a, t)) : sql;
}

enum { MOST_PARTS = 8 };

/* SQL of the total over its parts' columns. */
static const char *folded(const struct program *p, const struct hr_agg *agg, const char *name) {
    struct arena *a = program_arena(p);
    struct meaning of[MOST_PARTS + 1] = {0};
    const struct hr_part *part = agg->fn->parts;
    for (int i = 0; i < MOST_PARTS && part->name; i++, part++) {
        const char *fold = arena_printf(a, "%s(%s)", part->fold, python_sql_name(a, column_of(p, name, part)));
        of[i] = (struct meaning){part->name, cast_decimal(a, fold, part->type(agg))};
    }
    const char *sql = fill_in(a, agg->fn->result, of);
    return type_equal(agg->result, agg->fn->parts->type(agg)) ? sql : cast_decimal(a, sql, agg->result);
}

/* One column of a list, a line each. */
static void put_line(struct program *p, const char *sql, const char *name) {
    buffer_puts(&p->body, "\n    ");
    put_column(p, sql, name);
    buffer_putc(&p->body, ',');
}

static void put_totals(struct program *p, const struct totals *t) {
    buffer_puts(&p->body, "\n.agg(");
    for (int i = 0; i < t->aggregates->n; i++) {
        const char *name = t->aggregates->item[i].name;
        put_line(p, p->store ? folded(p, agg_of(p, i), name) : t->call[i], name);
    }
    buffer_puts(&p->body, "\n)");
}

/* What a row is worth to one part of an aggregate. */
static const char *worth(const struct program *p, const struct hr_agg *agg, const struct hr_part *part, const char *call) {
    struct arena *a = program_arena(p);
    const char *x = agg->args ? arena_printf(a, "CAST(%s AS %s)", argument(a, call), type_of(a, agg->arg)) : "0";
    const struct meaning of[] = {{"x", x}, {0}};
    return arena_printf(a, "CAST(%s AS %s)", fill_in(a, part->row, of), type_of(a, part->type(agg)));
}

/* Each row as what it is worth to the totals. */
static void put_parts(struct program *p, const struct totals *t) {
    buffer_puts(&p->body, "\n.select(");
    for (int i = 0; i < t->keys->n; i++) put_line(p, t->key[i], t->keys->item[i].name);
    for (int i = 0; i < t->aggregates->n; i++)
        for (const struct hr_part *part = agg_of(p, i)->fn->parts; part->name; part++)
            put_line(p, worth(p, agg_of(p, i), part, t->call[i]), column_of(p, t->aggregates->item[i].name, part));
    buffer_puts(&p->body, "\n)\n.unionByName(totals)");
}

static const char *schema_of(struct program *p) {
    const struct groups_shape *shape = &p->node->groups->shape;
    struct arena *a = program_arena(p);
    struct hr_buffer b = {0};
    for (int i = 0; i < shape->keys; i++)
        buffer_printf(&b, "%s%s %s", b.n ? ", " : "", python_sql_name(a, shape->key[i].name), type_of(a, shape->key[i].type));
    for (int i = 0; i < shape->aggs; i++)
        for (const struct hr_part *part = shape->agg[i].fn->parts; part->name; part++)
            buffer_printf(&b, "%s%s %s", b.n ? ", " : "", python_sql_name(a, column_of(p, shape->agg_name[i], part)),
                          type_of(a, part->type(&shape->agg[i])));
    const char *out = arena_strndup(a, b.p, b.n);
    buffer_free(&b);
    return out;
}

static bool has_parts(const struct hr_agg *agg) {
    for (const struct hr_part *part = agg->fn->parts; part && part->name; part++)
        if (part->type(agg).id == HR_NONE) return false;
    return agg->fn->parts;
}

static bool can_go_on(struct program *p, const struct hr_map *aggregates) {
    bool ok = true;
    for (int i = 0; i < aggregates->n; i++)
        if (!has_parts(agg_of(p, i)))
            ok = program_refuse(p, aggregates->item[i].value.place, "%s of %s cannot go on from a checkpoint in Spark%s", agg_of(p, i)->fn->name,
                                type_of(program_arena(p), agg_of(p, i)->arg),
                                agg_of(p, i)->fn->parts ? ": its digits would not all be right" : "");
    return ok;
}

static void put_differences(struct program *p) {
    const struct groups_shape *shape = &p->node->groups->shape;
    const char *said[8] = {0};
    int n = 0;
    for (int i = 0; i < shape->aggs; i++) {
        const char *text = shape->agg[i].fn->differs ? shape->agg[i].fn->differs(&shape->agg[i]) : NULL;
        bool new = text != NULL;
        for (int k = 0; k < n; k++) new &= said[k] != text;
        if (!new || n == 8) continue;
        program_note(p, "%s", said[n++] = text);
    }
}

/* Only whole results can be sorted. */
static bool all_complete(const struct plan *plan) {
    for (int i = plan_first_sink(plan); i < plan->nodes; i++) {
        int reads = plan->node[i].config->input;
        if (reads >= plan->state && plan->node[i].mode != HR_COMPLETE) return false;
    }
    return true;
}

bool totals_put(struct program *p, const struct hr_map *keys, const struct hr_map *aggregates) {
    struct totals t = {.keys = keys, .aggregates = aggregates};
    if (!totals_sql(p, &t) || (p->store && !can_go_on(p, aggregates))) return false;
    put_differences(p);
    buffer_puts(&p->body, p->spark.input);
    if (p->store) {
        const char *schema = program_schema(p, schema_of(p));
        buffer_printf(&p->before, "# The totals so far, as the first rows of the stream: they are read once.\n"
                                  "totals = spark.readStream.schema(%s).json(args.totals)\n\n", schema);
        put_parts(p, &t);
        buffer_putc(&p->body, '\n');
    }
    buffer_puts(&p->body, ".groupBy(");
    put_keys(p, &t, p->store != NULL);
    buffer_putc(&p->body, ')');
    put_totals(p, &t);
    if (!all_complete(p->plan) || !keys->n) return true;
    buffer_puts(&p->body, "\n.orderBy(");
    put_keys(p, &t, true);
    buffer_putc(&p->body, ')');
    return true;
}

/* ---- the totals as a file ---- */

/* A value that Spark's JSON reader gives back as it was. */
static bool put_value(struct program *p, struct hr_buffer *out, struct hr_type t, const void *value) {
    const struct hr_text *text = value;
    if (t.id == HR_STRING && !utf8_valid(text->p, text->n))
        return error_set(p->err, HR_ECHECKPOINT, "export: a key or total holds bytes that are no UTF-8: JSON cannot carry them to Spark");
    if (t.id != HR_TIMESTAMP) return value_json(out, t, value), true;
    buffer_putc(out, '"'); /* to_json would cut off the microseconds */
    value_text(out, t, value);
    buffer_puts(out, "Z\"");
    return true;
}

static void put_name(struct hr_buffer *out, const char *name, bool first) {
    if (!first) buffer_putc(out, ',');
    json_quote(out, name, strlen(name));
    buffer_putc(out, ':');
}

static bool put_group(struct program *p, uint32_t g, struct hr_buffer *out) {
    const struct groups_shape *shape = &p->plan->node[p->plan->state].groups->shape;
    _Alignas(16) char value[16];
    uint64_t valid;
    buffer_putc(out, '{');
    for (int i = 0; i < shape->keys; i++) {
        const void *key = groups_key_value(p->groups, g, i);
        put_name(out, shape->key[i].name, i == 0);
        if (!key) buffer_puts(out, "null");
        else if (!put_value(p, out, shape->key[i].type, key)) return false;
    }
    for (int i = 0; i < shape->aggs; i++) {
        const struct hr_agg *agg = &shape->agg[i];
        const void *state = groups_state(p->groups, g, i);
        for (const struct hr_part *part = agg->fn->parts; part->name; part++) {
            struct hr_column column = {value, &valid, part->type(agg)};
            valid = 1;
            put_name(out, column_of(p, shape->agg_name[i], part), shape->keys + i == 0 && part == agg->fn->parts);
            if (!part->value(agg, state, &column, 0, p->err)) return false;
            if (hr_is_null(&column, 0) && agg->fn->some && agg->fn->some(agg, state))
                return error_set(p->err, HR_EFAIL, "export: a total of %s does not fit its type: it cannot be handed to Spark", shape->agg_name[i]);
            if (hr_is_null(&column, 0)) buffer_puts(out, "null");
            else if (!put_value(p, out, column.type, value)) return false;
        }
    }
    buffer_puts(out, "}\n");
    return true;
}

bool totals_write(struct program *p) {
    const char *folder = p->options->state, *path = arena_printf(program_arena(p), "%s/totals.json", folder);
    if (mkdir(folder, 0777) && errno != EEXIST) return error_set(p->err, HR_EFAIL, "export: %s: %s", folder, strerror(errno));
    FILE *f = fopen(path, "wxe"); /* what another export wrote is not overwritten */
    if (!f) return error_set(p->err, HR_EFAIL, "export: %s: %s", path, strerror(errno));
    struct hr_buffer line = {0};
    uint32_t n;
    const uint32_t *group = groups_sorted(p->groups, &n);
    bool ok = true;
    for (uint32_t i = 0; ok && i < n; i++) {
        line.n = 0;
        ok = put_group(p, group[i], &line) && fwrite(line.p, 1, line.n, f) == line.n;
    }
    buffer_free(&line);
    ok = !fflush(f) && !ferror(f) && ok;
    if (fclose(f) || !ok) {
        remove(path);
        return error_set(p->err, HR_EFAIL, "export: %s: %s", path, strerror(errno));
    }
    return true;
}
