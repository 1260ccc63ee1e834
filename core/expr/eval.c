/* A typed tree over a batch: one call of a kernel for each node, results in batch memory. */
#include "core/expr/tree.h"

#include <string.h>

struct scope {
    struct hr_lane *lane;
    const struct hr_batch *batch;
};

static bool eval(const struct scope *, const struct tree *, struct hr_rows, struct hr_column *out);

static bool eval_args(const struct scope *s, const struct tree *t, struct hr_rows rows, struct hr_column *arg) {
    for (int i = 0; i < t->args; i++)
        if (!eval(s, t->arg[i], rows, &arg[i])) return false;
    return true;
}

static struct hr_column boolean(const struct scope *s) {
    struct hr_column c = {.type = {.id = HR_BOOLEAN}};
    hr_column_make(s->lane, &c, s->batch->size);
    return c;
}

/* ---- IN, BETWEEN, NULLIF, CASE: in terms of the other kernels ---- */

/* value = item OR value = item OR ... */
static void eval_in(const struct scope *s, const struct tree *t, struct hr_rows rows, const struct hr_column *arg, struct hr_column *out) {
    for (int i = 1; i < t->args; i++) {
        struct hr_column one = boolean(s), both = boolean(s);
        kernel_compare(TREE_EQ, &arg[0], &arg[i], rows, s->batch->size, &one);
        if (i == 1) {
            *out = one;
            continue;
        }
        kernel_and_or(TREE_OR, out, &one, rows, &both);
        *out = both;
    }
}

/* The key as it is compared with argument i. */
static struct hr_column key_for(const struct scope *s, const struct tree *t, int i, struct hr_rows rows, const struct hr_column *key) {
    if (!memcmp(&key->type, &t->as[i], sizeof key->type)) return *key;
    struct hr_column c = {.type = t->as[i]};
    hr_column_make(s->lane, &c, s->batch->size);
    kernel_cast(s->lane, key, rows, s->batch->size, &c);
    return c;
}

static void eval_between(const struct scope *s, const struct tree *t, struct hr_rows rows, const struct hr_column *arg, struct hr_column *out) {
    struct hr_column low = boolean(s), high = boolean(s);
    struct hr_column first = key_for(s, t, 1, rows, &arg[0]), second = key_for(s, t, 2, rows, &arg[0]);
    kernel_compare(TREE_GE, &first, &arg[1], rows, s->batch->size, &low);
    kernel_compare(TREE_LE, &second, &arg[2], rows, s->batch->size, &high);
    kernel_and_or(TREE_AND, &low, &high, rows, out);
}

static void eval_nullif(const struct scope *s, const struct tree *t, struct hr_rows rows, const struct hr_column *arg, struct hr_column *out) {
    struct hr_column is = boolean(s), value = key_for(s, t, 1, rows, &arg[0]);
    kernel_compare(TREE_EQ, &value, &arg[1], rows, s->batch->size, &is);
    kernel_copy(&arg[0], rows, out);
    HR_EACH(rows, i)
        if (!hr_is_null(&is, i) && ((const uint8_t *)is.at)[i]) hr_set_null(out, i);
}

/* Split the rows: those for which the condition is true, and the rest. */
static void split(const struct scope *s, struct hr_rows rows, const struct hr_column *is, struct hr_rows *yes, struct hr_rows *no) {
    uint16_t *y = hr_batch_alloc(s->lane, (rows.n + 1) * sizeof *y), *n = hr_batch_alloc(s->lane, (rows.n + 1) * sizeof *n);
    uint32_t ny = 0, nn = 0;
    HR_EACH(rows, i) {
        if (((const uint8_t *)is->at)[i] && !hr_is_null(is, i)) y[ny++] = (uint16_t)i;
        else n[nn++] = (uint16_t)i;
    }
    *yes = (struct hr_rows){y, ny};
    *no = (struct hr_rows){n, nn};
}

static bool eval_into(const struct scope *s, const struct tree *t, struct hr_rows rows, struct hr_column *out) {
    struct hr_column value;
    if (!rows.n) return true;
    if (!eval(s, t, rows, &value)) return false;
    kernel_copy(&value, rows, out);
    return true;
}

/* Each value is computed only for the rows that take it. */
static bool eval_case(const struct scope *s, const struct tree *t, struct hr_rows rows, struct hr_column *out) {
    struct hr_column key;
    int end = t->args - t->has_else;
    if (t->keyed && !eval(s, t->arg[0], rows, &key)) return false;
    for (int i = t->keyed; i < end && rows.n; i += 2) {
        struct hr_column when, is;
        struct hr_rows yes;
        if (!eval(s, t->arg[i], rows, &when)) return false;
        if (t->keyed) {
            struct hr_column with = key_for(s, t, i, rows, &key);
            is = boolean(s);
            kernel_compare(TREE_EQ, &with, &when, rows, s->batch->size, &is);
        } else {
            is = when;
        }
        split(s, rows, &is, &yes, &rows);
        if (!eval_into(s, t->arg[i + 1], yes, out)) return false;
    }
    if (t->has_else) return eval_into(s, t->arg[end], rows, out);
    HR_EACH(rows, i) hr_set_null(out, i);
    return true;
}

/* ---- calls ---- */

static struct hr_rows valid_rows(const struct scope *s, struct hr_rows rows, const struct hr_column *out) {
    uint16_t *sel = hr_batch_alloc(s->lane, (rows.n + 1) * sizeof *sel);
    uint32_t n = 0;
    HR_EACH(rows, i) {
        sel[n] = (uint16_t)i;
        n += !hr_is_null(out, i);
    }
    return (struct hr_rows){sel, n};
}

static bool eval_call(const struct scope *s, const struct tree *t, struct hr_rows rows, struct hr_column *arg, struct hr_column *out) {
    struct hr_call call = {.args = t->args, .out = out, .rows = rows, .lane = s->lane};
    bool nulls = false;
    for (int i = 0; i < t->args; i++) {
        call.arg[i] = &arg[i];
        if (t->function->nulls) continue;
        kernel_nulls(&arg[i], s->batch->size, out);
        nulls |= arg[i].valid != NULL;
    }
    if (nulls) call.rows = valid_rows(s, rows, out);
    return !call.rows.n || t->function->eval(&call);
}

/* ---- all of it ---- */

static bool eval(const struct scope *s, const struct tree *t, struct hr_rows rows, struct hr_column *out) {
    uint32_t size = s->batch->size;
    if (t->kind == TREE_COLUMN) {
        *out = s->batch->column[t->column];
        return true;
    }
    *out = (struct hr_column){.type = t->type};
    hr_column_make(s->lane, out, size);
    if (!rows.n) return true;
    if (t->kind == TREE_CASE) return eval_case(s, t, rows, out);
    struct hr_column *arg = hr_batch_alloc(s->lane, ((size_t)t->args + 1) * sizeof *arg);
    if (!eval_args(s, t, rows, arg)) return false;
    switch (t->kind) {
    case TREE_LITERAL: kernel_fill(t, rows, out); return true;
    case TREE_CAST: kernel_cast(s->lane, &arg[0], rows, size, out); return true;
    case TREE_CALL: return eval_call(s, t, rows, arg, out);
    case TREE_ADD: case TREE_SUB: case TREE_MUL: case TREE_DIV: case TREE_MOD:
        kernel_arithmetic(t->kind, &arg[0], &arg[1], rows, size, out);
        return true;
    case TREE_NEG: kernel_negate(&arg[0], rows, size, out); return true;
    case TREE_EQ: case TREE_NE: case TREE_LT: case TREE_LE: case TREE_GT: case TREE_GE: case TREE_SAME:
        kernel_compare(t->kind, &arg[0], &arg[1], rows, size, out);
        return true;
    case TREE_AND: case TREE_OR: kernel_and_or(t->kind, &arg[0], &arg[1], rows, out); return true;
    case TREE_NOT: kernel_not(&arg[0], rows, size, out); return true;
    case TREE_IS_NULL: kernel_is_null(&arg[0], rows, out); return true;
    case TREE_IN: eval_in(s, t, rows, arg, out); return true;
    case TREE_BETWEEN: eval_between(s, t, rows, arg, out); return true;
    case TREE_LIKE: kernel_like(&arg[0], &arg[1], rows, size, out); return true;
    case TREE_NULLIF: eval_nullif(s, t, rows, arg, out); return true;
    case TREE_COLUMN: case TREE_CASE: case TREE_PLUS: break;
    }
    return true;
}

bool expr_eval(const struct hr_expr *e, struct hr_lane *lane, const struct hr_batch *batch, struct hr_column *out) {
    struct scope s = {lane, batch};
    return eval(&s, e->root, batch->rows, out);
}

struct hr_type expr_type(const struct hr_expr *e) { return e->root->type; }

static void need(const struct tree *t, uint8_t *in) {
    if (t->kind == TREE_COLUMN) in[t->column] = 1;
    for (int i = 0; i < t->args; i++) need(t->arg[i], in);
}

void expr_need(const struct hr_expr *e, uint8_t *in) { need(e->root, in); }
