/*
 * Tokens to a tree, by precedence climbing.  From loose to tight, as in Spark's grammar:
 *
 *   OR   AND   NOT   IS NULL, IN, BETWEEN, LIKE   = < <=> ...   + - ||   * / %   unary + -
 */
#include "core/expr/tree.h"

#include <string.h>
#include <strings.h>

enum binding { LOOSEST, BIND_OR, BIND_AND, BIND_NOT, BIND_PREDICATE, BIND_COMPARE, BIND_ADD, BIND_MUL, BIND_UNARY };

struct parser {
    struct arena *arena;
    const char *text;
    struct token token; /* the next one, not yet taken */
    size_t end;         /* of the one taken last */
    int depth;
    struct expr_fault *fault;
};

static struct tree *parse(struct parser *, enum binding);

/* ---- faults and tokens ---- */

static struct tree *fault(struct parser *p, size_t at, size_t n, const char *text) {
    p->fault->at = at;
    p->fault->n = n;
    snprintf(p->fault->text, sizeof p->fault->text, "%s", text);
    return NULL;
}

static struct tree *expected(struct parser *p, const char *what) {
    const struct token *t = &p->token;
    if (t->kind == TOKEN_BAD) return fault(p, t->at, t->n, t->why);
    if (t->kind == TOKEN_END)
        return fault(p, t->at, t->n, arena_printf(p->arena, "expected %s, but the text ends", what));
    if (secret_touches(p->text, t->at, t->n)) /* it may be a piece of one, and is cut off: no mask would find it */
        return fault(p, t->at, t->n, arena_printf(p->arena, "expected %s, not '****'", what));
    return fault(p, t->at, t->n,
                 arena_printf(p->arena, "expected %s, not '%.*s'", what, t->n > 60 ? 60 : (int)t->n, p->text + t->at));
}

static void take(struct parser *p) {
    p->end = p->token.at + p->token.n;
    p->token = lexer_next(p->arena, p->text, p->end);
}

/* The token behind the next one; there is none behind the end. */
static struct token peek(const struct parser *p) {
    return p->token.kind == TOKEN_END ? p->token : lexer_next(p->arena, p->text, p->token.at + p->token.n);
}

static bool is_sign(const struct parser *p, const char *sign) {
    return p->token.kind == TOKEN_SIGN && !strcmp(p->token.sign, sign);
}

static bool token_is_word(const struct token *t, const char *word) {
    return t->kind == TOKEN_NAME && t->n == strlen(word) && !strncasecmp(t->text.p, word, t->n);
}

static bool is_word(const struct parser *p, const char *word) { return token_is_word(&p->token, word); }

static bool take_sign(struct parser *p, const char *sign) {
    bool is = is_sign(p, sign);
    if (is) take(p);
    return is;
}

static bool take_word(struct parser *p, const char *word) {
    bool is = is_word(p, word);
    if (is) take(p);
    return is;
}

/* Words that are no column unless they stand in backquotes. */
static bool is_reserved(const struct parser *p) {
    static const char *const words[] = {"AND",  "OR",   "NOT",  "IS",   "IN",  "BETWEEN", "LIKE", "CASE",
                                        "WHEN", "THEN", "ELSE", "END",  "AS",  NULL};
    for (const char *const *w = words; *w; w++)
        if (is_word(p, *w)) return true;
    return false;
}

/* ---- nodes ---- */

/* A node with room for its arguments, which the caller puts in before node_done(). */
static struct tree *node(struct parser *p, enum tree_kind kind, size_t at, int args) {
    struct tree *t = arena_zalloc(p->arena, sizeof *t);
    t->kind = kind;
    t->at = at;
    t->args = args;
    t->arg = arena_zalloc(p->arena, ((size_t)args + 1) * sizeof *t->arg);
    return t;
}

static struct tree *node_done(struct parser *p, struct tree *t) {
    t->n = p->end - t->at;
    for (int i = 0; i < t->args; i++)
        if (t->arg[i]->depth > t->depth) t->depth = t->arg[i]->depth;
    if (++t->depth > TREE_DEPTH) return fault(p, t->at, t->n, "this expression is nested too deeply");
    return t;
}

static struct tree *unary(struct parser *p, enum tree_kind kind, size_t at, struct tree *a) {
    if (!a) return NULL;
    struct tree *t = node(p, kind, at, 1);
    t->arg[0] = a;
    return node_done(p, t);
}

static struct tree *binary(struct parser *p, enum tree_kind kind, struct tree *a, struct tree *b) {
    if (!b) return NULL;
    struct tree *t = node(p, kind, a->at, 2);
    t->arg[0] = a;
    t->arg[1] = b;
    return node_done(p, t);
}

/* Arguments as they come. */
struct list {
    int n, room;
    struct tree **item;
};

static bool list_add(struct parser *p, struct list *l, struct tree *t) {
    if (!t) return false;
    if (l->n == l->room) {
        int room = l->room ? 2 * l->room : 8;
        struct tree **more = arena_alloc(p->arena, (size_t)room * sizeof *more);
        if (l->n) memcpy(more, l->item, (size_t)l->n * sizeof *more);
        l->item = more;
        l->room = room;
    }
    l->item[l->n++] = t;
    return true;
}

static struct tree *node_of_list(struct parser *p, enum tree_kind kind, size_t at, const struct list *l) {
    struct tree *t = node(p, kind, at, 0);
    t->args = l->n;
    t->arg = l->item;
    return node_done(p, t);
}

/* "a, b, c)" behind the opening parenthesis. */
static bool parse_list(struct parser *p, struct list *l) {
    do
        if (!list_add(p, l, parse(p, LOOSEST))) return false;
    while (take_sign(p, ","));
    return take_sign(p, ")") || expected(p, "',' or ')'");
}

/* ---- what stands on its own ---- */

static struct tree *number(struct parser *p, size_t at, bool negative) {
    struct tree *t = node(p, TREE_LITERAL, at, 0);
    struct token token = p->token;
    const char *why = lexer_number(token.text, negative, &t->type, &t->value);
    if (why) return fault(p, token.at, token.n, why);
    take(p);
    return node_done(p, t);
}

static struct tree *string(struct parser *p) {
    struct tree *t = node(p, TREE_LITERAL, p->token.at, 0);
    t->type = (struct hr_type){.id = HR_STRING};
    t->value.s = p->token.text;
    take(p);
    return node_done(p, t);
}

static struct tree *word_literal(struct parser *p, struct hr_type type, bool null, uint8_t b) {
    struct tree *t = node(p, TREE_LITERAL, p->token.at, 0);
    t->type = type;
    t->null = null;
    t->value.b = b;
    take(p);
    return node_done(p, t);
}

/* DATE '2024-01-31', TIMESTAMP '...': the word was looked at, and a string follows it. */
static struct tree *dated(struct parser *p, struct hr_type type) {
    struct tree *t = node(p, TREE_LITERAL, p->token.at, 0);
    t->type = type;
    take(p);
    if (!value_parse(type, p->token.text, &t->value))
        return fault(p, p->token.at, p->token.n, type.id == HR_DATE ? "this is no date" : "this is no timestamp");
    take(p);
    return node_done(p, t);
}

static struct tree *column(struct parser *p) {
    struct tree *t = node(p, TREE_COLUMN, p->token.at, 0);
    t->name = arena_strndup(p->arena, p->token.text.p, p->token.text.n);
    take(p);
    return node_done(p, t);
}

static struct tree *call(struct parser *p) {
    struct token name = p->token;
    struct list l = {0};
    take(p);
    take(p); /* the parenthesis */
    if (!take_sign(p, ")") && !parse_list(p, &l)) return NULL;
    bool nullif = token_is_word(&name, "NULLIF");
    if (nullif && l.n != 2) return fault(p, name.at, name.n, arena_printf(p->arena, "nullif takes 2 arguments, not %d", l.n));
    struct tree *t = node_of_list(p, nullif ? TREE_NULLIF : TREE_CALL, name.at, &l);
    if (t) t->name = arena_strndup(p->arena, name.text.p, name.text.n);
    return t;
}

static struct tree *cast(struct parser *p) {
    size_t at = p->token.at;
    take(p);
    take(p); /* the parenthesis */
    struct tree *of = parse(p, LOOSEST);
    if (!of) return NULL;
    if (!is_word(p, "AS")) return expected(p, "AS and a type");
    size_t type_at = p->token.at + p->token.n;
    take(p);
    const char *s = p->text + (p->token.kind == TOKEN_END ? type_at : p->token.at);
    struct hr_type type;
    if (p->token.kind == TOKEN_BAD || !type_parse(&s, &type)) return expected(p, "a type (" TYPE_NAMES ")");
    p->end = (size_t)(s - p->text);
    p->token = lexer_next(p->arena, p->text, p->end);
    if (!take_sign(p, ")")) return expected(p, "')'");
    struct tree *t = unary(p, TREE_CAST, at, of);
    if (t) t->type = type;
    return t;
}

static struct tree *case_when(struct parser *p) {
    size_t at = p->token.at;
    struct list l = {0};
    take(p);
    bool keyed = !is_word(p, "WHEN");
    if (keyed && !list_add(p, &l, parse(p, LOOSEST))) return NULL;
    if (!is_word(p, "WHEN")) return expected(p, "WHEN");
    while (take_word(p, "WHEN")) {
        if (!list_add(p, &l, parse(p, LOOSEST))) return NULL;
        if (!take_word(p, "THEN")) return expected(p, "THEN");
        if (!list_add(p, &l, parse(p, LOOSEST))) return NULL;
    }
    bool has_else = take_word(p, "ELSE");
    if (has_else && !list_add(p, &l, parse(p, LOOSEST))) return NULL;
    if (!take_word(p, "END")) return expected(p, "WHEN, ELSE or END");
    struct tree *t = node_of_list(p, TREE_CASE, at, &l);
    if (t) {
        t->keyed = keyed;
        t->has_else = has_else;
    }
    return t;
}

static struct tree *parenthesised(struct parser *p) {
    size_t at = p->token.at;
    take(p);
    struct tree *t = parse(p, LOOSEST);
    if (!t) return NULL;
    if (!take_sign(p, ")")) return expected(p, "an operator or ')'");
    t->at = at; /* so that a fault shows the parentheses too */
    t->n = p->end - at;
    return t;
}

static struct tree *word(struct parser *p) {
    struct token next = peek(p);
    bool opens = next.kind == TOKEN_SIGN && !strcmp(next.sign, "(");
    if (is_word(p, "CASE")) return case_when(p);
    if (is_reserved(p)) return expected(p, "a value");
    if (is_word(p, "CAST") && opens) return cast(p);
    if (opens) return call(p);
    if (is_word(p, "NULL")) return word_literal(p, (struct hr_type){0}, true, 0);
    if (is_word(p, "TRUE")) return word_literal(p, (struct hr_type){.id = HR_BOOLEAN}, false, 1);
    if (is_word(p, "FALSE")) return word_literal(p, (struct hr_type){.id = HR_BOOLEAN}, false, 0);
    if (next.kind == TOKEN_STRING && is_word(p, "DATE")) return dated(p, (struct hr_type){.id = HR_DATE});
    if (next.kind == TOKEN_STRING && is_word(p, "TIMESTAMP")) return dated(p, (struct hr_type){.id = HR_TIMESTAMP});
    return column(p);
}

static struct tree *primary(struct parser *p) {
    switch (p->token.kind) {
    case TOKEN_NUMBER: return number(p, p->token.at, false);
    case TOKEN_STRING: return string(p);
    case TOKEN_QUOTED_NAME: return column(p);
    case TOKEN_NAME: return word(p);
    default: return is_sign(p, "(") ? parenthesised(p) : expected(p, "a value");
    }
}

static struct tree *prefixed(struct parser *p) {
    size_t at = p->token.at;
    if (take_word(p, "NOT")) return unary(p, TREE_NOT, at, parse(p, BIND_NOT));
    if (take_sign(p, "+")) return unary(p, TREE_PLUS, at, parse(p, BIND_UNARY));
    if (!take_sign(p, "-")) return primary(p);
    /* The sign belongs to the number: -2147483648 is an INT though 2147483648 is not. */
    if (p->token.kind == TOKEN_NUMBER) return number(p, at, true);
    return unary(p, TREE_NEG, at, parse(p, BIND_UNARY));
}

/* ---- what stands between or behind ---- */

static const struct {
    const char *sign;
    enum binding binding;
    enum tree_kind kind;
} operators[] = {
    {"=", BIND_COMPARE, TREE_EQ},  {"==", BIND_COMPARE, TREE_EQ}, {"!=", BIND_COMPARE, TREE_NE},
    {"<>", BIND_COMPARE, TREE_NE}, {"<", BIND_COMPARE, TREE_LT},  {"<=", BIND_COMPARE, TREE_LE},
    {">", BIND_COMPARE, TREE_GT},  {">=", BIND_COMPARE, TREE_GE}, {"<=>", BIND_COMPARE, TREE_SAME},
    {"+", BIND_ADD, TREE_ADD},     {"-", BIND_ADD, TREE_SUB},     {"||", BIND_ADD, TREE_CALL},
    {"*", BIND_MUL, TREE_MUL},     {"/", BIND_MUL, TREE_DIV},     {"%", BIND_MUL, TREE_MOD},
};
#define OPERATORS ((int)(sizeof operators / sizeof *operators))

static int operator_at(const struct parser *p) {
    for (int i = 0; p->token.kind == TOKEN_SIGN && i < OPERATORS; i++)
        if (!strcmp(p->token.sign, operators[i].sign)) return i;
    return -1;
}

static struct tree *in_list(struct parser *p, struct tree *value) {
    struct list l = {0};
    if (!take_sign(p, "(")) return expected(p, "'('");
    list_add(p, &l, value);
    return parse_list(p, &l) ? node_of_list(p, TREE_IN, value->at, &l) : NULL;
}

static struct tree *between(struct parser *p, struct tree *value) {
    struct list l = {0};
    list_add(p, &l, value);
    if (!list_add(p, &l, parse(p, BIND_COMPARE))) return NULL;
    if (!take_word(p, "AND")) return expected(p, "AND and the upper bound");
    return list_add(p, &l, parse(p, BIND_COMPARE)) ? node_of_list(p, TREE_BETWEEN, value->at, &l) : NULL;
}

/* IS NULL, IN, BETWEEN and LIKE, and their negations. */
static struct tree *predicate(struct parser *p, struct tree *value) {
    struct tree *t;
    bool negated = false;
    if (take_word(p, "IS")) {
        negated = take_word(p, "NOT");
        if (!take_word(p, "NULL")) return expected(p, negated ? "NULL" : "NULL or NOT NULL");
        t = unary(p, TREE_IS_NULL, value->at, value);
    } else {
        negated = take_word(p, "NOT");
        if (take_word(p, "IN"))
            t = in_list(p, value);
        else if (take_word(p, "BETWEEN"))
            t = between(p, value);
        else if (take_word(p, "LIKE"))
            t = binary(p, TREE_LIKE, value, parse(p, BIND_COMPARE));
        else
            return expected(p, "IN, BETWEEN or LIKE");
    }
    return negated ? unary(p, TREE_NOT, value->at, t) : t;
}

static bool at_predicate(const struct parser *p) {
    return is_word(p, "IS") || is_word(p, "NOT") || is_word(p, "IN") || is_word(p, "BETWEEN") || is_word(p, "LIKE");
}

static struct tree *arithmetic(struct parser *p, struct tree *left, int i) {
    take(p);
    struct tree *t = binary(p, operators[i].kind, left, parse(p, operators[i].binding + 1));
    if (t && t->kind == TREE_CALL) t->name = "concat";
    return t;
}

/* Everything that binds tighter than or as tight as `least`. */
static struct tree *parse_within(struct parser *p, enum binding least) {
    struct tree *left = prefixed(p);
    while (left) {
        int i = operator_at(p);
        if (i >= 0 && operators[i].binding >= least)
            left = arithmetic(p, left, i);
        else if (at_predicate(p) && BIND_PREDICATE >= least)
            left = predicate(p, left);
        else if (BIND_AND >= least && take_word(p, "AND"))
            left = binary(p, TREE_AND, left, parse(p, BIND_AND + 1));
        else if (BIND_OR >= least && take_word(p, "OR"))
            left = binary(p, TREE_OR, left, parse(p, BIND_OR + 1));
        else
            break;
    }
    return left;
}

static struct tree *parse(struct parser *p, enum binding least) {
    if (p->depth == TREE_DEPTH) return fault(p, p->token.at, p->token.n, "this expression is nested too deeply");
    p->depth++;
    struct tree *t = parse_within(p, least);
    p->depth--;
    return t;
}

/* ---- all of a text ---- */

static struct parser parser_of(struct arena *arena, const char *text, struct expr_fault *f) {
    return (struct parser){.arena = arena, .text = text, .token = lexer_next(arena, text, 0), .fault = f};
}

struct tree *parse_expression(struct arena *arena, const char *text, struct expr_fault *f) {
    struct parser p = parser_of(arena, text, f);
    struct tree *t = parse(&p, LOOSEST);
    if (t && p.token.kind != TOKEN_END) return expected(&p, "an operator or the end");
    return t;
}

bool parse_aggregate(struct arena *arena, const char *text, struct aggregate_call *c, struct expr_fault *f) {
    struct parser p = parser_of(arena, text, f);
    if (p.token.kind != TOKEN_NAME) return expected(&p, "an aggregate such as sum(x) or count(*)");
    *c = (struct aggregate_call){arena_strndup(arena, p.token.text.p, p.token.text.n), p.token.at, p.token.n, NULL};
    take(&p);
    if (!take_sign(&p, "(")) return expected(&p, "'(': an aggregate such as sum(x) or count(*)");
    if (!take_sign(&p, "*")) {
        struct token next = peek(&p);
        if (is_word(&p, "DISTINCT") && (next.kind == TOKEN_NAME || next.kind == TOKEN_QUOTED_NAME))
            return fault(&p, p.token.at, p.token.n, "DISTINCT is not there: it would need every value in the state");
        c->arg = parse(&p, LOOSEST);
        if (!c->arg) return false;
    }
    if (is_sign(&p, ",")) return fault(&p, p.token.at, p.token.n, "an aggregate takes one argument");
    if (!take_sign(&p, ")")) return expected(&p, "')'");
    if (p.token.kind != TOKEN_END) return expected(&p, "the end: compute with aggregates in a 'with' after group_by");
    return true;
}
