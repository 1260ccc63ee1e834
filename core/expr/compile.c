/* Text to a compiled expression, or to one use of an aggregate. */
#include "core/expr/tree.h"

#include <string.h>
#include <strings.h>

static struct hr_expr *finish(const struct typing *ty, struct tree *t) {
    if (!type_tree(ty, t)) return NULL;
    if (t->type.id == HR_NONE) type_coerce(ty, &t, (struct hr_type){.id = HR_STRING});
    struct hr_expr *e = arena_alloc(ty->arena, sizeof *e);
    e->root = t;
    return e;
}

struct hr_expr *expr_compile(struct arena *arena, const struct expr_catalog *catalog, const char *text,
                             const struct hr_schema *schema, struct expr_fault *fault) {
    struct typing ty = {arena, catalog, schema, fault};
    struct tree *t = parse_expression(arena, text, fault);
    return t ? finish(&ty, t) : NULL;
}

static const char *unknown_aggregate(struct arena *arena, const struct expr_catalog *catalog, const char *name) {
    if (catalog->function(name)) return arena_printf(arena, "%s is no aggregate: its result differs from row to row", name);
    const char *const *names = catalog->names ? catalog->names() : NULL;
    return arena_printf(arena, "no aggregate '%s'%s", name, type_suggestion(arena, name, names));
}

bool expr_compile_aggregate(struct arena *arena, const struct expr_catalog *catalog, const char *text,
                            const struct hr_schema *schema, struct hr_agg *agg, struct hr_expr **arg,
                            struct expr_fault *fault) {
    struct typing ty = {arena, catalog, schema, fault};
    struct aggregate_call call;
    struct hr_error err = {0};
    *arg = NULL;
    *agg = (struct hr_agg){0};
    if (!parse_aggregate(arena, text, &call, fault)) return false;
    agg->fn = catalog->aggregate(call.name);
    if (!agg->fn) return type_fault(&ty, call.at, call.n, "%s", unknown_aggregate(arena, catalog, call.name));
    if (call.arg && !(*arg = finish(&ty, call.arg))) return false;
    if (!call.arg && strcasecmp(agg->fn->name, "count"))
        return type_fault(&ty, call.at, call.n, "%s takes one argument: only count takes *", call.name);
    agg->args = call.arg != NULL;
    if (call.arg) agg->arg = expr_type(*arg);
    return agg->fn->type(agg, &err) || type_fault(&ty, call.at, call.n, "%.400s", err.text);
}
