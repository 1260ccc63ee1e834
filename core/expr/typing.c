/*
 * Names to columns and functions, and a type for every node, by Spark 3.5's rules without ANSI.
 *
 *   1. A decimal with an integer is a decimal; anything with a DOUBLE is a DOUBLE.
 *   2. In arithmetic a STRING is read as DOUBLE; integers divided give DOUBLE.
 *   3. A STRING compared is cast to the other side's type (to DOUBLE against a DECIMAL).
 *   4. IN and the values of CASE have one type; where one is a STRING, all become STRING.
 *   5. DATE + INT and DATE - INT are days.
 */
#include "core/expr/tree.h"

#include <stdlib.h>
#include <string.h>

#define T(id_) ((struct hr_type){.id = id_})

bool type_fault(const struct typing *ty, size_t at, size_t n, const char *format, ...) {
    va_list args;
    va_start(args, format);
    ty->fault->at = at;
    ty->fault->n = n;
    secret_format(ty->fault->text, sizeof ty->fault->text, format, args);
    va_end(args);
    return false;
}

#define FAULT(ty, t, ...) type_fault((ty), (t)->at, (t)->n, __VA_ARGS__)

const char *type_suggestion(struct arena *arena, const char *name, const char *const *candidates) {
    const char *near = candidates ? closest(name, candidates) : NULL;
    return near ? arena_printf(arena, "; did you mean '%s'?", near) : "";
}

const char *type_shown(const struct typing *ty, size_t at, size_t n, const char *name) {
    return secret_touches(ty->text, at, n) ? "****" : name;
}

static const char *name_of(const struct typing *ty, struct hr_type type) {
    char text[24];
    return type.id == HR_NONE ? "NULL" : arena_strdup(ty->arena, type_name(type, text));
}

/* ---- sets of types ---- */

static bool is_integer(struct hr_type t) { return t.id == HR_INT || t.id == HR_BIGINT; }
static bool is_number(struct hr_type t) { return is_integer(t) || t.id == HR_DOUBLE || t.id == HR_DECIMAL; }

static int max_int(int a, int b) { return a > b ? a : b; }
static int min_int(int a, int b) { return a < b ? a : b; }

static struct hr_type decimal(int precision, int scale) {
    return (struct hr_type){HR_DECIMAL, (uint8_t)precision, (uint8_t)scale};
}

/* The decimal that holds every value of the type. */
static struct hr_type decimal_of(struct hr_type t) {
    return t.id == HR_INT ? decimal(10, 0) : t.id == HR_BIGINT ? decimal(20, 0) : t;
}

static struct hr_type wider_decimal(struct hr_type a, struct hr_type b) {
    int scale = max_int(a.scale, b.scale);
    int whole = max_int(a.precision - a.scale, b.precision - b.scale);
    return decimal(min_int(whole + scale, 38), scale);
}

/* Spark's DecimalType.adjustPrecisionScale: give up digits behind the point, but not the first six. */
static struct hr_type adjusted(int precision, int scale) {
    if (precision <= 38) return decimal(precision, scale);
    int whole = precision - scale;
    return decimal(38, max_int(38 - whole, min_int(scale, 6)));
}

struct hr_type decimal_result(enum tree_kind kind, struct hr_type a, struct hr_type b) {
    int scale = max_int(a.scale, b.scale), whole_a = a.precision - a.scale, whole_b = b.precision - b.scale;
    switch (kind) {
    case TREE_MUL: return adjusted(a.precision + b.precision + 1, a.scale + b.scale);
    case TREE_DIV:
        scale = max_int(6, a.scale + b.precision + 1);
        return adjusted(whole_a + b.scale + scale, scale);
    case TREE_MOD: return adjusted(max_int(min_int(whole_a, whole_b) + scale, 1), scale);
    default: return adjusted(max_int(whole_a, whole_b) + scale + 1, scale);
    }
}

/* The type of both where no text is involved; HR_NONE: there is none. A bare NULL takes any. */
static struct hr_type wider_without_text(struct hr_type a, struct hr_type b) {
    if (a.id == HR_NONE) return b;
    if (b.id == HR_NONE || type_equal(a, b)) return a;
    if (is_number(a) && is_number(b)) {
        if (a.id == HR_DOUBLE || b.id == HR_DOUBLE) return T(HR_DOUBLE);
        if (a.id == HR_DECIMAL || b.id == HR_DECIMAL) return wider_decimal(decimal_of(a), decimal_of(b));
        return T(HR_BIGINT);
    }
    bool dates = (a.id == HR_DATE && b.id == HR_TIMESTAMP) || (a.id == HR_TIMESTAMP && b.id == HR_DATE);
    return dates ? T(HR_TIMESTAMP) : T(HR_NONE);
}

static struct hr_type wider(struct hr_type a, struct hr_type b) {
    struct hr_type t = wider_without_text(a, b);
    bool text = (a.id == HR_STRING && b.id != HR_BOOLEAN) || (b.id == HR_STRING && a.id != HR_BOOLEAN);
    return t.id == HR_NONE && text ? T(HR_STRING) : t;
}

/* What two sides are compared as. */
static struct hr_type compared_as(enum tree_kind kind, struct hr_type a, struct hr_type b) {
    struct hr_type t = wider_without_text(a, b);
    if (t.id != HR_NONE) return t;
    struct hr_type other = a.id == HR_STRING ? b : a;
    if (a.id == HR_STRING || b.id == HR_STRING) return other.id == HR_DECIMAL ? T(HR_DOUBLE) : other;
    if (kind != TREE_EQ && kind != TREE_NE && kind != TREE_SAME) return t;
    if (a.id == HR_BOOLEAN && is_number(b)) return b;
    if (b.id == HR_BOOLEAN && is_number(a)) return a;
    return t;
}

/* ---- casts ---- */

static void cast_literal(const struct typing *ty, struct tree *t, struct hr_type to) {
    union tree_value v;
    memset(&v, 0, sizeof v);
    if (!t->null && !value_cast(t->type, &t->value, to, &v, ty->arena)) t->null = true;
    t->value = v;
    t->from = t->type;
    t->type = to;
}

void type_coerce(const struct typing *ty, struct tree **t, struct hr_type to) {
    if (type_equal((*t)->type, to)) return;
    if ((*t)->kind == TREE_LITERAL) {
        cast_literal(ty, *t, to);
        (*t)->coerced = true;
        return;
    }
    struct tree *cast = arena_zalloc(ty->arena, sizeof *cast);
    *cast = (struct tree){.kind = TREE_CAST, .depth = (*t)->depth + 1, .at = (*t)->at, .n = (*t)->n,
                          .type = to, .args = 1};
    cast->arg = arena_alloc(ty->arena, sizeof *cast->arg);
    cast->arg[0] = *t;
    *t = cast;
}

/* Decimals of any scale are compared as they are: rescaling could overflow. */
static void coerce_compared(const struct typing *ty, struct tree **t, struct hr_type to) {
    if (to.id == HR_DECIMAL && is_integer((*t)->type))
        to = decimal_of((*t)->type);
    else if (to.id == HR_DECIMAL && (*t)->type.id == HR_DECIMAL)
        return;
    type_coerce(ty, t, to.id == HR_NONE ? T(HR_BOOLEAN) : to);
}

/* t becomes its own argument, which for Spark is no literal any more. */
static void take_place(struct tree *t, const struct tree *arg) {
    size_t at = t->at, n = t->n;
    *t = *arg;
    t->was_cast = true;
    t->at = at;
    t->n = n;
}

static bool can_cast(struct hr_type from, struct hr_type to) {
    bool from_day = from.id == HR_DATE || from.id == HR_TIMESTAMP, to_day = to.id == HR_DATE || to.id == HR_TIMESTAMP;
    if (from.id == HR_NONE || from.id == HR_STRING || to.id == HR_STRING || from.id == to.id) return true;
    return from_day == to_day;
}

/* CAST also takes a TIMESTAMP for its seconds since 1970, and back. */
static bool can_cast_explicitly(struct hr_type from, struct hr_type to) {
    bool seconds = (from.id == HR_TIMESTAMP && to.id != HR_DATE) || (to.id == HR_TIMESTAMP && from.id != HR_DATE);
    return seconds || can_cast(from, to);
}

/* May an argument of a function become `to` without being asked? */
static bool casts_by_itself(struct hr_type from, struct hr_type to) {
    return can_cast(from, to) && (from.id == to.id || (from.id != HR_BOOLEAN && to.id != HR_BOOLEAN) ||
                                  to.id == HR_STRING || from.id == HR_NONE);
}

/* ---- names ---- */

static bool type_column(const struct typing *ty, struct tree *t) {
    const struct hr_schema *s = ty->schema;
    for (int i = 0; i < s->n; i++)
        if (!strcmp(s->field[i].name, t->name)) {
            t->column = i;
            t->type = s->field[i].type;
            return true;
        }
    const char **names = arena_alloc(ty->arena, ((size_t)s->n + 1) * sizeof *names);
    for (int i = 0; i < s->n; i++) names[i] = s->field[i].name;
    names[s->n] = NULL;
    return FAULT(ty, t, "no column '%s'%s", type_shown(ty, t->at, t->n, t->name), type_suggestion(ty->arena, t->name, names));
}

/* The text of a literal argument, for type(); NULL for anything else and for NULL. */
static const struct hr_text *constant_of(const struct typing *ty, const struct tree *t) {
    if (t->kind != TREE_LITERAL || t->null) return NULL;
    struct hr_text *text = arena_zalloc(ty->arena, sizeof *text);
    if (t->type.id == HR_STRING) {
        *text = t->value.s;
        return text;
    }
    struct hr_buffer b = {0};
    value_text(&b, t->type, &t->value);
    *text = (struct hr_text){arena_strndup(ty->arena, b.p, b.n), (uint32_t)b.n, 0};
    buffer_free(&b);
    return text;
}

static bool find_function(const struct typing *ty, struct tree *t) {
    size_t n = strlen(t->name);
    t->function = ty->catalog->function(t->name);
    if (t->function) return true;
    if (ty->catalog->aggregate && ty->catalog->aggregate(t->name))
        return type_fault(ty, t->at, n, "%s is an aggregate: it stands alone under 'aggregates' of group_by", t->name);
    const char *const *names = ty->catalog->names ? ty->catalog->names() : NULL;
    return type_fault(ty, t->at, n, "no function '%s'%s", type_shown(ty, t->at, n, t->name), type_suggestion(ty->arena, t->name, names));
}

static bool check_count(const struct typing *ty, const struct tree *t) {
    const struct hr_function *f = t->function;
    int most = min_int(f->max_args, HR_ARGS);
    if (t->args >= f->min_args && t->args <= most) return true;
    if (f->min_args == most)
        return FAULT(ty, t, "%s takes %d argument%s, not %d", f->name, most, most == 1 ? "" : "s", t->args);
    return FAULT(ty, t, "%s takes %d to %d arguments, not %d", f->name, f->min_args, most, t->args);
}

static bool type_call(const struct typing *ty, struct tree *t) {
    if (!find_function(ty, t) || !check_count(ty, t)) return false;
    const struct hr_function *f = t->function;
    struct hr_type type[HR_ARGS];
    const struct hr_text *constant[HR_ARGS];
    for (int i = 0; i < t->args; i++) {
        struct hr_type takes = f->takes[i];
        if (takes.id != HR_NONE) {
            if (!casts_by_itself(t->arg[i]->type, takes))
                return FAULT(ty, t->arg[i], "%s takes %s here, not %s", f->name, name_of(ty, takes),
                             name_of(ty, t->arg[i]->type));
            if (takes.id != HR_DECIMAL || takes.precision) type_coerce(ty, &t->arg[i], takes);
        }
        type[i] = t->arg[i]->type;
        constant[i] = constant_of(ty, t->arg[i]);
    }
    struct hr_error err = {0};
    t->type = f->gives;
    if (f->type && !f->type(t->args, type, constant, &t->type, &err))
        return FAULT(ty, t, "%.400s", err.text[0] ? err.text : "these arguments do not fit");
    for (int i = 0; i < t->args; i++) {
        if (type[i].id == HR_NONE) type[i] = T(HR_STRING); /* NULL, and any type will do */
        if (!can_cast_explicitly(t->arg[i]->type, type[i])) /* the function asks for it */
            return FAULT(ty, t->arg[i], "%s cannot be read as %s", name_of(ty, t->arg[i]->type), name_of(ty, type[i]));
        type_coerce(ty, &t->arg[i], type[i]);
    }
    if (t->type.id == HR_NONE) t->type = T(HR_STRING);
    return true;
}

/* ---- operators ---- */

static bool unfit(const struct typing *ty, const struct tree *t, const char *does) {
    if (t->args == 1) return FAULT(ty, t, "cannot %s %s", does, name_of(ty, t->arg[0]->type));
    return FAULT(ty, t, "cannot %s %s and %s", does, name_of(ty, t->arg[0]->type), name_of(ty, t->arg[1]->type));
}

/* An integer literal beside a decimal needs only its own digits (Spark: literalPickMinimumPrecision). */
static struct hr_type decimal_operand(const struct tree *t) {
    if (t->kind != TREE_LITERAL || t->was_cast || t->null || !is_integer(t->type)) return decimal_of(t->type);
    int64_t v = t->type.id == HR_INT ? t->value.i : t->value.l;
    int digits = 1;
    for (; v / 10; v /= 10) digits++;
    return decimal(digits, 0);
}

static bool type_days(const struct typing *ty, struct tree *t) {
    if (t->kind == TREE_ADD && t->arg[1]->type.id == HR_DATE) {
        struct tree *swap = t->arg[0];
        t->arg[0] = t->arg[1];
        t->arg[1] = swap;
    }
    if (t->kind == TREE_SUB && t->arg[0]->type.id == HR_DATE && t->arg[1]->type.id == HR_DATE)
        return FAULT(ty, t, "days between dates: datediff(end, start)");
    bool days = t->arg[1]->type.id == HR_INT || t->arg[1]->type.id == HR_NONE;
    if ((t->kind != TREE_ADD && t->kind != TREE_SUB) || t->arg[0]->type.id != HR_DATE || !days)
        return unfit(ty, t, "compute with");
    type_coerce(ty, &t->arg[1], T(HR_INT));
    t->type = T(HR_DATE);
    return true;
}

static bool type_arithmetic(const struct typing *ty, struct tree *t) {
    if (t->arg[0]->type.id == HR_DATE || t->arg[1]->type.id == HR_DATE) return type_days(ty, t);
    for (int i = 0; i < 2; i++) {
        if (t->arg[i]->type.id == HR_STRING) type_coerce(ty, &t->arg[i], T(HR_DOUBLE));
        if (!is_number(t->arg[i]->type) && t->arg[i]->type.id != HR_NONE) return unfit(ty, t, "compute with");
    }
    struct hr_type common = wider_without_text(t->arg[0]->type, t->arg[1]->type);
    if (common.id == HR_NONE) common = T(HR_DOUBLE);
    if (t->kind == TREE_DIV && is_integer(common)) common = T(HR_DOUBLE);
    bool decimals = common.id == HR_DECIMAL;
    for (int i = 0; i < 2; i++) {
        struct hr_type to = decimals && t->arg[i]->type.id != HR_NONE ? decimal_operand(t->arg[i]) : common;
        type_coerce(ty, &t->arg[i], to);
    }
    t->type = decimals ? decimal_result(t->kind, t->arg[0]->type, t->arg[1]->type) : common;
    return true;
}

static bool type_signed(const struct typing *ty, struct tree *t) {
    struct hr_type type = t->arg[0]->type;
    if (type.id == HR_STRING || type.id == HR_NONE) type = T(HR_DOUBLE);
    if (!is_number(type)) return unfit(ty, t, t->kind == TREE_NEG ? "negate" : "compute with");
    type_coerce(ty, &t->arg[0], type);
    t->type = type;
    if (t->kind == TREE_PLUS) take_place(t, t->arg[0]);
    return true;
}

/* Each pair by itself, as Spark does for BETWEEN, nullif and CASE key WHEN: arg[0] is cast when it is compared. */
static bool type_pairs(const struct typing *ty, struct tree *t, int first, int end, int step) {
    struct hr_type key = t->arg[0]->type;
    t->as = arena_zalloc(ty->arena, ((size_t)t->args + 1) * sizeof *t->as);
    for (int i = first; i < end; i += step) {
        enum tree_kind kind = t->kind == TREE_BETWEEN ? TREE_LE : TREE_EQ;
        struct hr_type with = compared_as(kind, key, t->arg[i]->type);
        if (with.id == HR_NONE && (key.id != HR_NONE || t->arg[i]->type.id != HR_NONE))
            return FAULT(ty, t->arg[i], "cannot compare %s with %s", name_of(ty, key), name_of(ty, t->arg[i]->type));
        coerce_compared(ty, &t->arg[i], with);
        t->as[i] = with.id == HR_NONE ? T(HR_BOOLEAN) : with.id != HR_DECIMAL ? with
                 : is_integer(key) ? decimal_of(key) : key.id == HR_DECIMAL ? key : with;
    }
    if (key.id == HR_NONE) type_coerce(ty, &t->arg[0], T(HR_BOOLEAN));
    t->type = T(HR_BOOLEAN);
    return true;
}

/* The type that all of some values take; where one is a STRING all become STRING, whatever the others are. */
static struct hr_type common_start(const struct tree *t, int first, int end, int step) {
    for (int i = first; i < end; i += step)
        if (t->arg[i]->type.id == HR_STRING) return T(HR_STRING);
    return T(HR_NONE);
}

static bool type_in(const struct typing *ty, struct tree *t) {
    struct hr_type common = common_start(t, 0, t->args, 1);
    for (int i = 0; i < t->args; i++) {
        struct hr_type with = wider(common, t->arg[i]->type);
        if (with.id == HR_NONE && (common.id != HR_NONE || t->arg[i]->type.id != HR_NONE))
            return FAULT(ty, t->arg[i], "cannot compare %s with %s", name_of(ty, common), name_of(ty, t->arg[i]->type));
        common = with;
    }
    for (int i = 0; i < t->args; i++) coerce_compared(ty, &t->arg[i], common);
    t->type = T(HR_BOOLEAN);
    return true;
}

static bool type_compared(const struct typing *ty, struct tree *t) {
    struct hr_type a = t->arg[0]->type, b = t->arg[1]->type, with = compared_as(t->kind, a, b);
    if (with.id == HR_NONE && (a.id != HR_NONE || b.id != HR_NONE))
        return FAULT(ty, t->arg[1], "cannot compare %s with %s", name_of(ty, a), name_of(ty, b));
    for (int i = 0; i < 2; i++) coerce_compared(ty, &t->arg[i], with);
    t->type = T(HR_BOOLEAN);
    return true;
}

static bool require_boolean(const struct typing *ty, struct tree **t, const char *where) {
    struct hr_type type = (*t)->type;
    if (type.id != HR_BOOLEAN && type.id != HR_NONE)
        return FAULT(ty, *t, "%s takes BOOLEAN, not %s", where, name_of(ty, type));
    type_coerce(ty, t, T(HR_BOOLEAN));
    return true;
}

static bool type_logic(const struct typing *ty, struct tree *t) {
    static const char *const name[] = {"AND", "OR", "NOT"};
    for (int i = 0; i < t->args; i++)
        if (!require_boolean(ty, &t->arg[i], name[t->kind - TREE_AND])) return false;
    t->type = T(HR_BOOLEAN);
    return true;
}

static bool widen_value(const struct typing *ty, const struct tree *value, struct hr_type *common) {
    struct hr_type with = wider(*common, value->type);
    if (with.id == HR_NONE && common->id != HR_NONE)
        return FAULT(ty, value, "the values of CASE have no common type: %s and %s", name_of(ty, *common),
                     name_of(ty, value->type));
    *common = with;
    return true;
}

static bool type_case(const struct typing *ty, struct tree *t) {
    int first = t->keyed, end = t->args - t->has_else;
    if (t->keyed && !type_pairs(ty, t, first, end, 2)) return false;
    for (int i = first; i < end && !t->keyed; i += 2)
        if (!require_boolean(ty, &t->arg[i], "WHEN")) return false;
    struct hr_type common = common_start(t, first + 1, end, 2);
    if (t->has_else && t->arg[end]->type.id == HR_STRING) common = T(HR_STRING);
    for (int i = first + 1; i < end; i += 2)
        if (!widen_value(ty, t->arg[i], &common)) return false;
    if (t->has_else && !widen_value(ty, t->arg[end], &common)) return false;
    if (common.id == HR_NONE) common = T(HR_STRING);
    for (int i = first + 1; i < end; i += 2) type_coerce(ty, &t->arg[i], common);
    if (t->has_else) type_coerce(ty, &t->arg[end], common);
    t->type = common;
    return true;
}

static bool type_like(const struct typing *ty, struct tree *t) {
    for (int i = 0; i < 2; i++) type_coerce(ty, &t->arg[i], T(HR_STRING));
    t->type = T(HR_BOOLEAN);
    return true;
}

/* x where both differ or one is null, and so of the type of x. */
static bool type_nullif(const struct typing *ty, struct tree *t) {
    if (t->arg[0]->type.id == HR_NONE) type_coerce(ty, &t->arg[0], T(HR_STRING));
    if (!type_pairs(ty, t, 1, 2, 1)) return false;
    t->type = t->arg[0]->type;
    return true;
}

static bool type_cast(const struct typing *ty, struct tree *t) {
    if (!can_cast_explicitly(t->arg[0]->type, t->type))
        return FAULT(ty, t, "cannot cast %s to %s", name_of(ty, t->arg[0]->type), name_of(ty, t->type));
    if (t->arg[0]->type.id != HR_NONE && t->arg[0]->kind != TREE_LITERAL) return true;
    /* A literal is cast now, and takes the place of the cast. */
    cast_literal(ty, t->arg[0], t->type);
    take_place(t, t->arg[0]);
    return true;
}

bool type_tree(const struct typing *ty, struct tree *t) {
    for (int i = 0; i < t->args; i++)
        if (!type_tree(ty, t->arg[i])) return false;
    switch (t->kind) {
    case TREE_LITERAL: return true;
    case TREE_COLUMN: return type_column(ty, t);
    case TREE_CAST: return type_cast(ty, t);
    case TREE_CALL: return type_call(ty, t);
    case TREE_ADD: case TREE_SUB: case TREE_MUL: case TREE_DIV: case TREE_MOD: return type_arithmetic(ty, t);
    case TREE_NEG: case TREE_PLUS: return type_signed(ty, t);
    case TREE_EQ: case TREE_NE: case TREE_LT: case TREE_LE: case TREE_GT: case TREE_GE: case TREE_SAME:
        return type_compared(ty, t);
    case TREE_IN: return type_in(ty, t);
    case TREE_BETWEEN: return type_pairs(ty, t, 1, t->args, 1);
    case TREE_NULLIF: return type_nullif(ty, t);
    case TREE_AND: case TREE_OR: case TREE_NOT: return type_logic(ty, t);
    case TREE_IS_NULL:
        if (t->arg[0]->type.id == HR_NONE) type_coerce(ty, &t->arg[0], T(HR_STRING));
        t->type = T(HR_BOOLEAN);
        return true;
    case TREE_LIKE: return type_like(ty, t);
    case TREE_CASE: return type_case(ty, t);
    }
    return false;
}
