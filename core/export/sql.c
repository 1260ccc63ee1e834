/* Expressions of the file for Spark: their SQL, what Spark does otherwise, and what it has not. */
#include "core/export/internal.h"

#include <string.h>

static const struct yaml *scalar_at(const struct yaml *y, struct hr_place place) {
    if (y->kind == YAML_SCALAR) return y->place.line == place.line && y->place.column == place.column ? y : NULL;
    for (int i = 0; i < y->n; i++) {
        const struct yaml *found = scalar_at(y->entry[i].value, place);
        if (found) return found;
    }
    return NULL;
}

const struct yaml *program_scalar(const struct program *p, struct hr_place place) { return scalar_at(p->plan->document.root, place); }

/* A program is read by many, and Spark shows expressions in its plans: no secret goes there. */
static bool tells_no_secret(struct program *p, const struct hr_sql *text, const struct yaml *y) {
    if (!(y && y->raw && strstr(y->raw, "${file:")) && !secret_touches(text->s, 0, strlen(text->s))) return true;
    return program_refuse(p, text->place, "a secret in SQL would stand in the program");
}

/* The casts to write out, at their places in the marked text. */
static bool place_inserts(struct program *p, const struct hr_sql *text, const char *raw, struct expr_spark *spark) {
    for (int i = 0; i < spark->inserts; i++)
        if (!variables_place(p, raw, &spark->insert[i].at))
            return program_refuse(p, text->place, "Spark does not cast here by itself, and a variable stands in the way: write the CAST");
    return true;
}

static const char *sql_of(struct program *p, const struct hr_sql *text, const struct hr_expr *e) {
    const struct yaml *y = program_scalar(p, text->place);
    const char *raw = y && y->raw ? y->raw : text->s;
    struct expr_spark spark = {0};
    if (!tells_no_secret(p, text, y)) return NULL;
    if (e) expr_for_spark(program_arena(p), e, &spark);
    if (spark.unknown) return program_refuse(p, text->place, "%s is a function of a module: Spark has not the same", spark.unknown), NULL;
    if (!place_inserts(p, text, raw, &spark)) return NULL;
    for (int i = 0; i < spark.differences; i++) program_note(p, "%s", spark.difference[i]);
    if (y) program_asked(p, y);
    return expr_sql(program_arena(p), variables_marked(p, raw), spark.insert, spark.inserts);
}

const char *program_sql(struct program *p, const struct hr_sql *text) {
    struct expr_fault fault = {0};
    return sql_of(p, text, expr_compile(program_arena(p), registry_catalog(), text->s, p->spark.in, &fault));
}

const char *program_call_sql(struct program *p, const struct hr_sql *text, const struct hr_expr *argument) { return sql_of(p, text, argument); }

/* ---- what does not stay a variable ---- */

void program_asked(struct program *p, const struct yaml *y) {
    const struct yaml **more = arena_alloc(program_arena(p), ((size_t)p->asks + 1) * sizeof *more);
    if (p->asks) memcpy(more, p->asked, (size_t)p->asks * sizeof *more);
    more[p->asks++] = y;
    p->asked = more;
}

static bool was_asked(const struct program *p, const struct yaml *y) {
    for (int i = 0; i < p->asks; i++)
        if (p->asked[i] == y) return true;
    return false;
}

/* An expression in a list is the name of a column too. */
static void say_fixed(struct program *p, const struct yaml *y, bool named) {
    const char *name;
    if (y->kind == YAML_SCALAR && y->raw && !(named && was_asked(p, y)) && variables_in(p, y->raw, &name))
        program_note(p, "${%s}: %s at the export", name, was_asked(p, y) ? "a column has the name that it gave" : "the program has the value that it had");
    for (int i = 0; i < y->n; i++) {
        const char *key = y->entry[i].key;
        if (!key || (strcmp(key, "id") && strcmp(key, "input"))) say_fixed(p, y->entry[i].value, key);
    }
}

void program_say_fixed(struct program *p) {
    if (p->node->config->options) say_fixed(p, p->node->config->options, true);
}
