/* The calls that a plug-in's bind() makes: columns, expressions, schemas, keyed state. */
#include "core/engine/bind.h"

#include <string.h>
#include <strings.h>

static struct binding *of(struct hr_bind *b) { return b->host; }
static struct arena *arena(struct hr_bind *b) { return &of(b)->plan->arena; }

/* Every field type that carries a place begins with the text and the place. */
static struct hr_place place_within(const void *field) { return ((const struct hr_sql *)field)->place; }

/* A field inside the node's struct is found in the option table, and its place in the file. */
static struct hr_place place_of(struct hr_bind *b, const void *field) {
    const struct node *node = of(b)->node;
    const char *self = b->self, *at = field;
    if (!field || at < self || at >= self + node->plugin->self_size)
        return field ? place_within(field) : node->config->place;
    const struct hr_option *best = NULL;
    for (const struct hr_option *o = node->plugin->options; o && o->name; o++)
        if (o->offset <= (size_t)(at - self) && (!best || o->offset > best->offset)) best = o;
    struct yaml *value = best && node->config->options ? yaml_get(node->config->options, best->name) : NULL;
    return value ? value->place : node->config->place;
}

bool bind_fault(struct hr_bind *b, const void *field, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    secret_format(text, sizeof text, format, args);
    va_end(args);
    document_fault(&of(b)->plan->document, place_of(b, field), 1, "%s: %s", of(b)->node->plugin->name, text);
    return false;
}

/* ", did you mean 'x'?" or "" for a name that is not among the fields. */
static const char *suggestion(struct hr_bind *b, const struct hr_schema *schema, const char *name) {
    const char **names = arena_alloc(arena(b), ((size_t)schema->n + 1) * sizeof *names);
    for (int i = 0; i < schema->n; i++) names[i] = schema->field[i].name;
    names[schema->n] = NULL;
    const char *near = closest(name, names);
    return near ? arena_printf(arena(b), "; did you mean '%s'?", near) : "";
}

int bind_column(struct hr_bind *b, const struct hr_name *name) {
    for (int i = 0; i < b->in->n; i++)
        if (!strcmp(b->in->field[i].name, name->s)) return i;
    struct hr_place at = name->place.line ? name->place : of(b)->node->config->place;
    document_fault(&of(b)->plan->document, at, (int)strlen(name->s), "%s: no column '%s'%s",
                   of(b)->node->plugin->name, name->s, suggestion(b, b->in, name->s));
    return -1;
}

int bind_output(struct hr_bind *b, const char *name, struct hr_type type) {
    struct binding *g = of(b);
    if (secret_touches(name, 0, strlen(name))) { /* of a schema, or of an option such as `as` */
        bind_fault(b, NULL, "a secret cannot be part of a column's name: everybody sees it");
        return -1;
    }
    for (int i = 0; i < g->fields; i++)
        if (!strcasecmp(g->field[i].name, name)) {
            bind_fault(b, NULL, "columns '%s' and '%s' differ only in case or not at all", g->field[i].name, name);
            return -1;
        }
    if (g->fields == g->room) {
        int room = g->room ? 2 * g->room : 16;
        struct hr_field *more = arena_alloc(arena(b), (size_t)room * sizeof *more);
        if (g->fields) memcpy(more, g->field, (size_t)g->fields * sizeof *more);
        g->field = more;
        g->room = room;
    }
    g->field[g->fields] = (struct hr_field){arena_strdup(arena(b), name), type};
    return g->fields++;
}

void *bind_alloc(struct hr_bind *b, size_t n) { return arena_zalloc(arena(b), n); }

static void fault_in_sql(struct hr_bind *b, const struct hr_sql *sql, const struct expr_fault *f) {
    document_fault_in(&of(b)->plan->document, sql->place.line ? sql->place : of(b)->node->config->place,
                      sql->s, f->at, f->n, "%s: %s", of(b)->node->plugin->name, f->text);
}

struct hr_expr *bind_expr(struct hr_bind *b, const struct hr_sql *sql, struct hr_type *type) {
    struct expr_fault fault = {0};
    struct hr_expr *e = expr_compile(arena(b), registry_catalog(), sql->s, b->in, &fault);
    if (!e)
        fault_in_sql(b, sql, &fault);
    else if (type)
        *type = expr_type(e);
    return e;
}

bool bind_schema(struct hr_bind *b, const struct hr_sql *sql, struct hr_schema *schema) {
    struct expr_fault fault = {.n = 1};
    struct hr_error err = {0};
    if (schema_parse(arena(b), sql->s, schema, &fault.at, &err)) return true;
    snprintf(fault.text, sizeof fault.text, "%.500s", err.text);
    fault_in_sql(b, sql, &fault);
    return false;
}

struct hr_json *bind_json(struct hr_bind *b, const struct hr_schema *schema, const struct hr_json_options *o) {
    struct hr_json_options with = *o;
    if (!with.corrupt) with.corrupt = hr_corrupt_column(schema);
    if (!with.depth) with.depth = (int)of(b)->plan->config.limits.depth;
    return json_reader_new(arena(b), schema, &with);
}

/* ---- keyed state ---- */

static bool bind_keys(struct hr_bind *b, const struct hr_map *keys, struct hr_groups *g, struct hr_buffer *sign) {
    struct hr_field *field = bind_alloc(b, ((size_t)keys->n + 1) * sizeof *field);
    bool ok = true;
    for (int i = 0; i < keys->n; i++) {
        const struct hr_map_item *k = &keys->item[i];
        char type[24];
        g->key[i] = bind_expr(b, &k->value, &field[i].type);
        if (!g->key[i]) { ok = false; continue; }
        field[i].name = k->name;
        ok &= bind_output(b, k->name, field[i].type) >= 0;
        buffer_printf(sign, "%s%s = %s %s", i ? ", " : "keys ", k->name, k->value.s, type_name(field[i].type, type));
    }
    g->shape.keys = keys->n;
    g->shape.key = field;
    return ok;
}

static bool bind_aggregates(struct hr_bind *b, const struct hr_map *aggs, struct hr_groups *g, struct hr_buffer *sign) {
    struct hr_agg *agg = bind_alloc(b, ((size_t)aggs->n + 1) * sizeof *agg);
    const char **name = bind_alloc(b, ((size_t)aggs->n + 1) * sizeof *name);
    bool ok = true;
    for (int i = 0; i < aggs->n; i++) {
        const struct hr_map_item *a = &aggs->item[i];
        struct expr_fault fault = {0};
        char type[24];
        if (!expr_compile_aggregate(arena(b), registry_catalog(), a->value.s, b->in, &agg[i], &g->arg[i], &fault)) {
            fault_in_sql(b, &a->value, &fault);
            ok = false;
            continue;
        }
        name[i] = a->name;
        ok &= bind_output(b, a->name, agg[i].result) >= 0;
        buffer_printf(sign, "%s%s = %s %s", i ? ", " : "; aggregates ", a->name, a->value.s,
                      type_name(agg[i].result, type));
        if (g->arg[i]) buffer_printf(sign, " of %s", type_name(expr_type(g->arg[i]), type)); /* a state is of that */
    }
    g->shape.aggs = aggs->n;
    g->shape.agg = agg;
    g->shape.agg_name = name;
    return ok;
}

struct hr_groups *bind_groups(struct hr_bind *b, const struct hr_map *keys, const struct hr_map *aggs) {
    struct hr_groups *g = bind_alloc(b, sizeof *g);
    g->limits = &of(b)->plan->config.limits;
    g->key = bind_alloc(b, ((size_t)keys->n + 1) * sizeof *g->key);
    g->arg = bind_alloc(b, ((size_t)aggs->n + 1) * sizeof *g->arg);
    struct hr_buffer sign = {0};
    bool ok = bind_keys(b, keys, g, &sign);
    ok &= bind_aggregates(b, aggs, g, &sign);
    buffer_putc(&sign, '\0');
    g->signature = secret_identity(arena(b), sign.p);
    buffer_free(&sign);
    if (!ok) return NULL;
    of(b)->node->groups = g;
    return g;
}

void bind_groups_need(const struct hr_groups *g, uint8_t *in) {
    for (int i = 0; i < g->shape.keys; i++) expr_need(g->key[i], in);
    for (int i = 0; i < g->shape.aggs; i++)
        if (g->arg[i]) expr_need(g->arg[i], in);
}

void bind_not_rereadable(struct hr_bind *b, const char *why) {
    of(b)->plan->not_rereadable = arena_strdup(arena(b), why);
}
