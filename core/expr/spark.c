/*
 * What Spark has of the language: every function, and what it does otherwise. tests/spark compares all of it with Spark;
 * what differs there on purpose (tests/spark/differences) has its sentence here.
 */
#include "core/expr/tree.h"

#include <string.h>
#include <strings.h>

#define YEARS "Spark goes on before the year 1 and after 9999, where a date is null here"
#define TOO_FAR "Spark stops at a time that is too far away, which is null here"
#define LETTERS "Spark may turn one letter into two, as ß into SS"
#define LAST_DIGIT "the last digit may differ: Java's library rounds otherwise"
static const char wraps[] = "Spark wraps an integer that does not fit, or takes the nearest; here it is null";

/* What is Spark's as it is. */
static const char *const plain[] = {
    "ceil", "ceiling", "coalesce", "concat", "concat_ws", "contains", "date_format", "date_trunc", "datediff", "day", "dayofmonth",
    "dayofweek", "dayofyear", "endswith", "floor", "hour", "if", "ifnull", "instr", "last_day", "length", "lpad", "ltrim", "minute",
    "month", "nvl", "quarter", "replace", "rpad", "rtrim", "second", "sign", "signum", "split_part", "sqrt", "startswith", "substr",
    "substring", "to_date", "to_timestamp", "trim", "trunc", "xxhash64", "year",
};

static const struct spark_function functions[] = {
    {"abs", false, wraps},
    {"add_months", false, YEARS "; it stops at one that is too far away"},
    {"crc32", true, NULL},
    {"date_add", true, YEARS},
    {"date_sub", true, YEARS},
    {"exp", false, LAST_DIGIT},
    {"greatest", true, NULL},
    {"least", true, NULL},
    {"ln", false, LAST_DIGIT},
    {"log10", false, LAST_DIGIT},
    {"lower", false, LETTERS},
    {"pow", false, LAST_DIGIT},
    {"power", false, LAST_DIGIT},
    {"round", false, wraps},
    {"timestamp_millis", true, TOO_FAR},
    {"timestamp_seconds", true, TOO_FAR},
    {"unix_millis", true, NULL},
    {"unix_seconds", true, NULL},
    {"upper", false, LETTERS},
};

const struct spark_function *spark_function(const char *name) {
    static const struct spark_function as_it_is = {0};
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (!strcasecmp(functions[i].name, name)) return &functions[i];
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (!strcasecmp(plain[i], name)) return &as_it_is;
    return NULL;
}

bool expr_spark_aggregates(const char *name) {
    static const char *const names[] = {"count", "sum", "avg", "mean", "min", "max"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcasecmp(names[i], name)) return true;
    return false;
}

/* ---- what differs ---- */

static bool is_integer(struct hr_type t) { return t.id == HR_INT || t.id == HR_BIGINT; }
static bool is_time(struct hr_type t) { return t.id == HR_DATE || t.id == HR_TIMESTAMP; }

static const char *cast_differs(struct hr_type from, struct hr_type to) {
    if (is_integer(to) && from.id == HR_STRING) return "Spark also reads a point alone, as 0";
    if (to.id == HR_DECIMAL && from.id == HR_STRING) return "Spark also reads digits of other scripts, and no zero from 0e38 on";
    if (is_integer(to) && from.id != HR_STRING && from.id != HR_BOOLEAN && from.id != HR_INT) return wraps;
    if (to.id == HR_DOUBLE && from.id == HR_STRING) return "Spark also reads numbers as Java writes them, such as 1d and 0x1p3";
    if (is_time(to) && from.id == HR_STRING) return "Spark also reads words such as now, other time zones, and years beyond 1 to 9999";
    if (to.id == HR_TIMESTAMP && from.id != HR_DATE) return YEARS;
    if (to.id == HR_STRING && from.id == HR_DOUBLE) return "Spark on a Java before 19 may print a double with a digit more";
    return to.id == HR_DECIMAL && from.id == HR_TIMESTAMP ? "Spark casts a time by way of a double, and loses its last digits" : NULL;
}

/* Do two decimals together need more digits than a type has? */
static bool is_too_wide(const struct tree *t) {
    struct hr_type a = t->arg[0]->type;
    for (int i = 1; i < t->args; i++) {
        struct hr_type b = t->arg[i]->type;
        int scale = a.scale > b.scale ? a.scale : b.scale, whole = a.precision - a.scale, other = b.precision - b.scale;
        if (a.id == HR_DECIMAL && b.id == HR_DECIMAL && (whole > other ? whole : other) + scale > 38) return true;
    }
    return false;
}

static const char *pattern_differs(const struct tree *pattern) {
    if (pattern->kind != TREE_LITERAL) return "Spark stops at a pattern that ends in its escape character, and finds no character beyond U+FFFF";
    for (uint32_t i = 0; !pattern->null && i < pattern->value.s.n; i++)
        if ((unsigned char)pattern->value.s.p[i] >= 0xF0) return "Spark finds no character beyond U+FFFF";
    return NULL;
}

static const char *differs(const struct tree *t) {
    switch (t->kind) {
    case TREE_LITERAL: return t->was_cast && t->from.id ? cast_differs(t->from, t->type) : NULL;
    case TREE_CAST: return cast_differs(t->arg[0]->type, t->type);
    case TREE_ADD: case TREE_SUB: case TREE_MUL: case TREE_NEG: return is_integer(t->type) ? wraps : t->type.id == HR_DATE ? YEARS : NULL;
    case TREE_LIKE: return pattern_differs(t->arg[1]);
    case TREE_EQ: case TREE_NE: case TREE_LT: case TREE_LE: case TREE_GT: case TREE_GE: case TREE_SAME: case TREE_IN: case TREE_BETWEEN: case TREE_NULLIF:
        return is_too_wide(t) ? "Spark compares decimals that together need more than 38 digits as null" : NULL;
    default: return NULL;
    }
}

/* ---- the casts that Spark wants ---- */

static bool is_null(const struct tree *t) { return t->kind == TREE_LITERAL && t->coerced && !t->from.id; }

/* Of nothing but NULL Spark makes a VOID, and headrace a STRING. */
static bool is_void(const struct tree *t) {
    if (t->kind == TREE_NULLIF) return is_null(t->arg[0]);
    int first = t->kind == TREE_CASE ? t->keyed + 1 : 0, step = t->kind == TREE_CASE ? 2 : 1;
    for (int i = first; i < t->args - t->has_else; i += step)
        if (!is_null(t->arg[i])) return false;
    return t->args && (t->kind == TREE_CASE || t->kind == TREE_CALL) && (!t->has_else || is_null(t->arg[t->args - 1]));
}

/* Is what became of argument i to be told? */
static bool tells(const struct tree *t, int i, const struct spark_function *f) {
    const struct tree *arg = t->arg[i];
    bool changed = arg->coerced || (arg->kind == TREE_CAST && arg->n == arg->arg[0]->n);
    bool condition = t->kind == TREE_CASE && !t->keyed && i % 2 == 0 && i < t->args - t->has_else;
    return changed && ((f && f->casts) || (is_null(arg) && (condition || is_void(t))));
}

struct look {
    struct arena *arena;
    struct expr_spark *out;
    int room;
};

static void insert(struct look *l, size_t at, bool ends, const char *text) {
    struct expr_spark *o = l->out;
    if (o->inserts == l->room) {
        struct expr_insert *more = arena_alloc(l->arena, (size_t)(l->room = 2 * l->room + 8) * sizeof *more);
        if (o->inserts) memcpy(more, o->insert, (size_t)o->inserts * sizeof *more);
        o->insert = more;
    }
    int i = o->inserts++;
    for (; i && o->insert[i - 1].at > at; i--) o->insert[i] = o->insert[i - 1];
    o->insert[i] = (struct expr_insert){at, ends, text};
}

static void say(struct look *l, const char *difference) {
    struct expr_spark *o = l->out;
    for (int i = 0; i < o->differences; i++)
        if (!strcmp(o->difference[i], difference)) return;
    const char **more = arena_alloc(l->arena, ((size_t)o->differences + 1) * sizeof *more);
    if (o->differences) memcpy(more, o->difference, (size_t)o->differences * sizeof *more);
    more[o->differences++] = difference;
    o->difference = more;
}

static void look_at(struct look *l, const struct tree *t, bool told) {
    char type[24];
    const struct spark_function *f = t->kind == TREE_CALL ? spark_function(t->name) : NULL;
    if (t->kind == TREE_CALL && !f && !l->out->unknown) l->out->unknown = t->name;
    const char *difference = f ? f->differs : differs(t);
    if (difference && !(f && difference == wraps && !is_integer(t->type))) say(l, difference);
    if (told) insert(l, t->at, false, "CAST(");
    for (int i = 0; i < t->args; i++) look_at(l, t->arg[i], tells(t, i, f));
    if (told) insert(l, t->at + t->n, true, arena_printf(l->arena, " AS %s)", type_name(t->type, type)));
}

void expr_for_spark(struct arena *arena, const struct hr_expr *e, struct expr_spark *out) {
    *out = (struct expr_spark){0};
    struct look l = {.arena = arena, .out = out};
    look_at(&l, e->root, is_null(e->root));
}
