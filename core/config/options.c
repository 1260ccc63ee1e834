/* Options filled from tables: the one place that knows how each type of option is written. */
#include "core/config/config.h"
#include "core/expr/expr.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct filling {
    struct document *document;
    const struct hr_option *option;
    const char *who;
    void *at; /* the field */
};

static bool refuse(const struct filling *f, const struct yaml *v, const char *wants) {
    bool show = v->kind == YAML_SCALAR && !f->option->secret;
    document_fault(f->document, v->place, v->kind == YAML_SCALAR ? (int)strlen(v->text) : 1, "%s: %s wants %s%s%s%s",
                   f->who, f->option->name, wants, show ? ", not '" : "", show ? v->text : "", show ? "'" : "");
    return false;
}

/* In flow style a comma ends a value: "{where: f(a, b)}" arrives torn. */
static bool is_torn(const struct yaml *v) {
    int open = 0;
    for (const char *p = v->text; *p; p++) open += (*p == '(') - (*p == ')');
    return !v->quoted && open > 0;
}

/* The lines behind a comment are in it, too, where YAML has made one line of them. */
static bool is_swallowed(const struct filling *f, const struct yaml *v) {
    bool sql = f->option->type == HR_OPT_SQL || f->option->type == HR_OPT_MAP || f->option->type == HR_OPT_LIST;
    return v->folded && sql && expr_comment_to_end(v->text);
}

static bool check_scalar(const struct filling *f, const struct yaml *v) {
    if (v->kind != YAML_SCALAR) return refuse(f, v, "one value");
    if (!*v->text && !v->quoted) return refuse(f, v, "a value");
    if (is_swallowed(f, v)) {
        document_fault(f->document, v->place, 1, "%s: %s: a comment goes to the end of its line, and YAML makes one line of these: begin them with |",
                       f->who, f->option->name);
        return false;
    }
    if (!is_torn(v)) return true;
    document_fault(f->document, v->place, (int)strlen(v->text), "%s: %s: a parenthesis stays open; a value with a comma inside {} or []? quote it",
                   f->who, f->option->name);
    return false;
}

static struct hr_sql sql_of(const struct yaml *v) { return (struct hr_sql){v->text, v->place}; }

static bool fill_list(const struct filling *f, const struct yaml *v) {
    struct hr_list *list = f->at;
    struct yaml_entry self = {.value = (struct yaml *)v};
    const struct yaml_entry *entry = v->kind == YAML_LIST ? v->entry : &self;
    int n = v->kind == YAML_LIST ? v->n : 1;
    if (v->kind == YAML_MAP) return refuse(f, v, "a list");
    struct hr_sql *item = arena_zalloc(&f->document->arena, ((size_t)n + 1) * sizeof *item);
    bool ok = true;
    for (int i = 0; i < n; i++) {
        ok &= check_scalar(f, entry[i].value);
        item[i] = sql_of(entry[i].value);
    }
    *list = (struct hr_list){n, item};
    return ok;
}

/* A value without a name is called by its text, and everybody sees names: explain, sinks, the view in the checkpoint. */
static bool check_name(const struct filling *f, const struct yaml *v) {
    if (!v->raw || (!strstr(v->raw, "${file:") && !secret_touches(v->text, 0, strlen(v->text)))) return true;
    document_fault(f->document, v->place, 1, "%s: %s: what holds a secret needs a name of its own: {name: expression}", f->who, f->option->name);
    return false;
}

/* A scalar or a list has values without names. */
static bool fill_map(const struct filling *f, const struct yaml *v) {
    struct hr_map *map = f->at;
    struct yaml_entry self = {.value = (struct yaml *)v};
    const struct yaml_entry *entry = v->kind == YAML_SCALAR ? &self : v->entry;
    int n = v->kind == YAML_SCALAR ? 1 : v->n;
    struct hr_map_item *item = arena_zalloc(&f->document->arena, ((size_t)n + 1) * sizeof *item);
    bool ok = true;
    for (int i = 0; i < n; i++) {
        const struct yaml *value = entry[i].value;
        ok &= check_scalar(f, value) && (entry[i].key || check_name(f, value));
        item[i] = (struct hr_map_item){entry[i].key ? entry[i].key : "",
                                       entry[i].key ? entry[i].key_place : value->place, sql_of(value)};
    }
    *map = (struct hr_map){n, item};
    return ok;
}

static bool fill_bool(const struct filling *f, const struct yaml *v) {
    bool *out = f->at;
    *out = !strcmp(v->text, "true");
    return *out || !strcmp(v->text, "false") || refuse(f, v, "true or false");
}

static bool fill_int(const struct filling *f, const struct yaml *v) {
    char *end;
    errno = 0;
    long long n = strtoll(v->text, &end, 10);
    if (*end || end == v->text || errno) return refuse(f, v, "a whole number");
    *(int64_t *)f->at = n;
    return true;
}

static bool fill_double(const struct filling *f, const struct yaml *v) {
    char *end;
    double d = strtod(v->text, &end);
    *(double *)f->at = d;
    return (!*end && end != v->text && isfinite(d)) || refuse(f, v, "a number");
}

static bool fill_choice(const struct filling *f, const struct yaml *v) {
    size_t n = strlen(v->text);
    int index = 0;
    for (const char *p = f->option->choices; p; index++) {
        size_t here = strcspn(p, "|");
        if (here == n && !memcmp(p, v->text, n)) return *(int *)f->at = index, true;
        p = p[here] ? p + here + 1 : NULL;
    }
    char wants[256];
    snprintf(wants, sizeof wants, "one of %s", f->option->choices);
    return refuse(f, v, wants);
}

static bool fill_value(const struct filling *f, const struct yaml *v) {
    if (f->option->type == HR_OPT_LIST) return fill_list(f, v);
    if (f->option->type == HR_OPT_MAP) return fill_map(f, v);
    if (!check_scalar(f, v)) return false;
    switch (f->option->type) {
    case HR_OPT_BOOL: return fill_bool(f, v);
    case HR_OPT_INT: return fill_int(f, v);
    case HR_OPT_DOUBLE: return fill_double(f, v);
    case HR_OPT_NAME: return *(struct hr_name *)f->at = (struct hr_name){v->text, v->place}, true;
    case HR_OPT_SQL: return *(struct hr_sql *)f->at = sql_of(v), true;
    case HR_OPT_DURATION: return duration_parse(v->text, &((struct hr_duration *)f->at)->us) || refuse(f, v, "a duration such as 5s or 100ms");
    case HR_OPT_BYTES: return bytes_parse(v->text, &((struct hr_bytes *)f->at)->n) || refuse(f, v, "a size such as 16MiB");
    case HR_OPT_ENUM: return fill_choice(f, v);
    default: return *(const char **)f->at = v->text, true;
    }
}

static bool fill_option(struct document *d, const struct yaml *map, const struct hr_option *o, const char *who, void *self) {
    struct filling f = {d, o, who, (char *)self + o->offset};
    struct yaml *v = yaml_get(map, o->name);
    if (v && o->secret) document_hide(d, v);
    if (v) return fill_value(&f, v);
    if (o->fallback) {
        struct yaml fallback = {.kind = YAML_SCALAR, .text = o->fallback, .quoted = true};
        return fill_value(&f, &fallback);
    }
    if (!o->required) return true;
    document_fault(d, map->place, 1, "%s: option '%s' is missing: %s", who, o->name, o->help);
    return false;
}

/* ---- unknown names ---- */

static bool is_known(const char *key, const struct hr_option *table, const char *const *reserved) {
    for (const struct hr_option *o = table; o->name; o++)
        if (!strcmp(o->name, key)) return true;
    for (; *reserved; reserved++)
        if (!strcmp(*reserved, key)) return true;
    return false;
}

static const char *suggestion(struct document *d, const char *key, const struct hr_option *table, const char *const *reserved) {
    const char *name[64];
    int n = 0;
    for (const struct hr_option *o = table; o->name && n < 60; o++) name[n++] = o->name;
    for (; *reserved && n < 63; reserved++) name[n++] = *reserved;
    name[n] = NULL;
    return document_suggestion(d, key, name);
}

bool options_fill(struct document *d, const struct yaml *map, const struct hr_option *table, const char *who,
                  const char *const *reserved, void *self) {
    bool ok = true;
    for (int i = 0; i < map->n; i++) {
        const struct yaml_entry *e = &map->entry[i];
        if (is_known(e->key, table, reserved)) continue;
        bool torn = e->value->kind == YAML_SCALAR && !*e->value->text && !e->value->quoted;
        document_fault(d, e->key_place, (int)strlen(e->key), "%s: no option '%s'%s%s", who, e->key,
                       suggestion(d, e->key, table, reserved),
                       torn ? "; a value with a comma inside {}? quote it" : "");
        ok = false;
    }
    for (const struct hr_option *o = table; o->name; o++) ok &= fill_option(d, map, o, who, self);
    return ok;
}

/* ---- the manual ---- */

static const char *const type_word[] = {
    [HR_OPT_STRING] = "text",   [HR_OPT_BOOL] = "true|false", [HR_OPT_INT] = "number",        [HR_OPT_DOUBLE] = "number",
    [HR_OPT_NAME] = "column",   [HR_OPT_SQL] = "SQL",         [HR_OPT_LIST] = "list",         [HR_OPT_MAP] = "mapping",
    [HR_OPT_DURATION] = "5s, 100ms, ...", [HR_OPT_BYTES] = "16MiB, ...", [HR_OPT_ENUM] = NULL,
};

void option_print(const char *name, const char *takes, const char *help, FILE *out) {
    fprintf(out, "  %-16s  %-26s  %s", name, takes, help);
}

void options_print(const struct hr_option *table, FILE *out) {
    for (const struct hr_option *o = table; o->name; o++) {
        option_print(o->name, o->type == HR_OPT_ENUM ? o->choices : type_word[o->type], o->help, out);
        if (o->required) fputs(" (required)", out);
        else if (o->fallback) fprintf(out, " (default: %s)", o->fallback);
        fputc('\n', out);
    }
}
