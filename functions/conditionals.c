/*
 * Choosing among values: by null, by condition, by order.
 *
 *   operators:
 *     - with: {columns: {place: "coalesce(City, Region, 'none')", discount: "if(amount > 100, 5, 0)", capped: "least(amount, 1000)"}}
 *
 * 1. Names and results are Spark SQL's; all values take one type (numbers the wider, with text all become text).
 * 2. greatest and least skip nulls, and are null only where all are; NaN is greater than every number.
 * 3. All arguments are computed; CASE computes only what it needs.
 */
#include <headrace/plugin.h>

#include <math.h>
#include <string.h>

/* ---- one type for all ---- */

static int whole_digits(struct hr_type t) {
    return t.id == HR_INT ? 10 : t.id == HR_BIGINT ? 20 : t.precision - t.scale;
}

static bool is_number(uint8_t id) { return id == HR_INT || id == HR_BIGINT || id == HR_DOUBLE || id == HR_DECIMAL; }
static bool is_time(uint8_t id) { return id == HR_DATE || id == HR_TIMESTAMP; }

static struct hr_type wider_number(struct hr_type a, struct hr_type b) {
    if (a.id == HR_DOUBLE || b.id == HR_DOUBLE) return (struct hr_type){.id = HR_DOUBLE};
    if (a.id != HR_DECIMAL && b.id != HR_DECIMAL) return a.id > b.id ? a : b;
    int scale = a.scale > b.scale ? a.scale : b.scale;
    int whole = whole_digits(a) > whole_digits(b) ? whole_digits(a) : whole_digits(b);
    return (struct hr_type){HR_DECIMAL, (uint8_t)(whole + scale < 38 ? whole + scale : 38), (uint8_t)scale};
}

/* False: there is no such type. A bare NULL has the id HR_NONE and takes any. */
static bool widen(struct hr_type *into, struct hr_type t) {
    if (t.id == HR_NONE) return true;
    if (into->id == HR_NONE) return *into = t, true;
    if (is_number(into->id) && is_number(t.id)) return *into = wider_number(*into, t), true;
    if (into->id == t.id) return true;
    if (is_time(into->id) && is_time(t.id)) return into->id = HR_TIMESTAMP, true;
    if (into->id == HR_BOOLEAN || t.id == HR_BOOLEAN || (into->id != HR_STRING && t.id != HR_STRING)) return false;
    return *into = (struct hr_type){.id = HR_STRING}, true;
}

static bool unify(int first, int args, struct hr_type *arg, struct hr_type *gives, struct hr_error *err) {
    struct hr_type all = {0};
    for (int k = first; k < args; k++)
        if (!widen(&all, arg[k])) return hr_fail(err, HR_ECONFIG, "these values have no type in common");
    for (int k = first; k < args; k++) arg[k] = all;
    *gives = all;
    return true;
}

static bool type_all(int args, struct hr_type *arg, const struct hr_text *const *constant, struct hr_type *gives, struct hr_error *err) {
    (void)constant;
    return unify(0, args, arg, gives, err);
}

static bool type_if(int args, struct hr_type *arg, const struct hr_text *const *constant, struct hr_type *gives, struct hr_error *err) {
    (void)constant;
    return unify(1, args, arg, gives, err);
}

/* ---- values ---- */

static void take(const struct hr_call *c, const struct hr_column *from, uint32_t i) {
    size_t width = hr_width(c->out->type);
    if (hr_is_null(from, i)) hr_set_null(c->out, i);
    else memcpy((char *)c->out->at + i * width, hr_value(from, i), width);
}

/* Less than, equal to or greater than 0; both are valid and of one type. */
static int compare(const struct hr_column *a, const struct hr_column *b, uint32_t i) {
#define ORDER(T) (((const T *)a->at)[i] > ((const T *)b->at)[i]) - (((const T *)a->at)[i] < ((const T *)b->at)[i])
    switch (a->type.id) {
    case HR_BOOLEAN: return ORDER(uint8_t);
    case HR_INT: case HR_DATE: return ORDER(int32_t);
    case HR_BIGINT: case HR_TIMESTAMP: return ORDER(int64_t);
    case HR_DECIMAL: return ORDER(hr_int128);
    case HR_DOUBLE: {
        double x = ((const double *)a->at)[i], y = ((const double *)b->at)[i];
        return isnan(x) || isnan(y) ? isnan(x) - isnan(y) : ORDER(double);
    }
    default: {
        const struct hr_text *x = hr_value(a, i), *y = hr_value(b, i);
        uint32_t n = x->n < y->n ? x->n : y->n;
        int order = n ? memcmp(x->p, y->p, n) : 0;
        return order ? order : (x->n > y->n) - (x->n < y->n);
    }
    }
#undef ORDER
}

/* ---- functions ---- */

static bool coalesce(const struct hr_call *c) {
    HR_EACH(c->rows, i) {
        int k = 0;
        while (k < c->args - 1 && hr_is_null(c->arg[k], i)) k++;
        take(c, c->arg[k], i);
    }
    return true;
}

static bool if_else(const struct hr_call *c) {
    HR_EACH(c->rows, i) {
        bool is = !hr_is_null(c->arg[0], i) && ((const uint8_t *)c->arg[0]->at)[i];
        take(c, c->arg[is ? 1 : 2], i);
    }
    return true;
}

static bool extreme(const struct hr_call *c, int sign) {
    HR_EACH(c->rows, i) {
        const struct hr_column *best = c->arg[0];
        for (int k = 1; k < c->args; k++) {
            if (hr_is_null(c->arg[k], i)) continue;
            if (hr_is_null(best, i) || sign * compare(c->arg[k], best, i) > 0) best = c->arg[k];
        }
        take(c, best, i);
    }
    return true;
}

static bool greatest(const struct hr_call *c) { return extreme(c, 1); }
static bool least(const struct hr_call *c) { return extreme(c, -1); }

#define ANY {.id = HR_NONE}

static const struct hr_function table[] = {
    {"coalesce", "coalesce(x, ...): the first that is not null", 1, HR_ARGS, {ANY}, ANY, type_all, true, coalesce},
    {"ifnull", "ifnull(x, y): y where x is null", 2, 2, {ANY}, ANY, type_all, true, coalesce},
    {"nvl", "nvl(x, y): y where x is null", 2, 2, {ANY}, ANY, type_all, true, coalesce},
    {"if", "if(condition, x, y)", 3, 3, {{.id = HR_BOOLEAN}}, ANY, type_if, true, if_else},
    {"greatest", "greatest(x, y, ...): nulls skipped", 2, HR_ARGS, {ANY}, ANY, type_all, true, greatest},
    {"least", "least(x, y, ...): nulls skipped", 2, HR_ARGS, {ANY}, ANY, type_all, true, least},
    {0},
};

HR_PLUGIN(functions, conditionals) = {
    .kind = HR_FUNCTIONS,
    .name = "conditionals",
    .about = "choose among values by null, condition or order",
    .functions = table,
};
HR_MODULE(HR_RECORD(functions, conditionals));
