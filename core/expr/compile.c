/* Text to a compiled expression, or to one use of an aggregate. */
#include "core/expr/tree.h"

#include <string.h>
#include <strings.h>

/* A bare NULL is a STRING. */
static bool type_whole(const struct typing *ty, struct tree **t) {
    if (!type_tree(ty, *t)) return false;
    if ((*t)->type.id == HR_NONE) type_coerce(ty, t, (struct hr_type){.id = HR_STRING});
    return true;
}

static struct hr_expr *expr_of(struct arena *arena, const struct tree *t) {
    struct hr_expr *e = arena_alloc(arena, sizeof *e);
    e->root = t;
    return e;
}

struct hr_expr *expr_compile(struct arena *arena, const struct expr_catalog *catalog, const char *text,
                             const struct hr_schema *schema, struct expr_fault *fault) {
    struct typing ty = {arena, text, catalog, schema, fault};
    struct tree *t = parse_expression(arena, text, fault);
    return t && type_whole(&ty, &t) ? expr_of(arena, t) : NULL;
}

static const char *unknown_aggregate(struct arena *arena, const struct expr_catalog *catalog, const char *name, const char *shown) {
    if (catalog->function(name)) return arena_printf(arena, "%s is no aggregate: its result differs from row to row", name);
    const char *const *names = catalog->names ? catalog->names() : NULL;
    return arena_printf(arena, "no aggregate '%s'%s", shown, type_suggestion(arena, name, names));
}

bool expr_compile_aggregate(struct arena *arena, const struct expr_catalog *catalog, const char *text,
                            const struct hr_schema *schema, struct hr_agg *agg, struct hr_expr **arg,
                            struct expr_fault *fault) {
    struct typing ty = {arena, text, catalog, schema, fault};
    struct aggregate_call call;
    struct hr_error err = {0};
    *arg = NULL;
    *agg = (struct hr_agg){0};
    if (!parse_aggregate(arena, text, &call, fault)) return false;
    agg->fn = catalog->aggregate(call.name);
    if (!agg->fn) return type_fault(&ty, call.at, call.n, "%s", unknown_aggregate(arena, catalog, call.name,
                                                                               type_shown(&ty, call.at, call.n, call.name)));
    struct tree *t = call.arg;
    if (t && !type_whole(&ty, &t)) return false;
    if (!t && strcasecmp(agg->fn->name, "count"))
        return type_fault(&ty, call.at, call.n, "%s takes one argument: only count takes *", call.name);
    agg->args = t != NULL;
    if (t) agg->arg = t->type;
    if (!agg->fn->type(agg, &err)) return type_fault(&ty, call.at, call.n, "%.400s", err.text);
    if (!t) return true;
    type_coerce(&ty, &t, agg->arg);
    *arg = expr_of(arena, t);
    return true;
}
