/*
 * json_reference.c: one record the plain way, which says what a record means.
 *
 * Three steps: json_validate() looks at every byte, jsmn cuts the text into tokens, and a walk over
 * the root's names converts the values of those that the schema has.
 */
#include <limits.h>
#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>
#include "core/data/json_internal.h"

struct json_tokens {
    jsmntok_t *token;
    size_t room;
};

static struct hr_text token_text(struct hr_text text, const jsmntok_t *t) {
    return (struct hr_text){.p = text.p + t->start, .n = (uint32_t)(t->end - t->start)};
}

static struct json_value token_value(struct hr_text text, const jsmntok_t *t) {
    struct hr_text v = token_text(text, t);
    return (struct json_value){v, t->type == JSMN_STRING ? '"' : *v.p};
}

/* Room for that many tokens, at least doubled; what it was stays with the batch. */
static struct json_tokens *make_room(struct json_reading *r, size_t tokens) {
    if (!r->tokens) r->tokens = arena_zalloc(r->context.arena, sizeof *r->tokens);
    struct json_tokens *t = r->tokens;
    if (tokens <= t->room) return t;
    size_t room = t->room ? t->room : 128;
    while (room < tokens) room *= 2;
    t->token = arena_alloc(r->context.arena, room * sizeof *t->token);
    t->room = room;
    return t;
}

/* Token 0 is the root; a name's value is the token behind it, and what lies in that value begins
 * before its end. Returns the first thing that was wrong, or NULL. */
static const char *read_members(struct json_reading *r, struct hr_text text, int tokens, uint32_t row) {
    const jsmntok_t *t = r->tokens->token + 1, *end = r->tokens->token + tokens;
    const char *wrong = NULL;
    while (t + 1 < end) {
        struct hr_text name = json_unescape(r->context.arena, token_text(text, t));
        const jsmntok_t *value = t + 1;
        int f = json_find(r->json, name);
        if (f != JSON_UNKNOWN) {
            const char *why = json_read_field(r, f, token_value(text, value), row);
            if (!wrong) wrong = why;
        }
        t = value + 1;
        if (value->type == JSMN_OBJECT || value->type == JSMN_ARRAY)
            while (t < end && t->start < value->end) t++;
    }
    return wrong;
}

/* Why the text is not JSON, or NULL. A lenient reader rewrites *text and looks again. */
static const char *check_text(struct json_reading *r, struct hr_text *text, size_t *tokens) {
    const struct hr_json *j = r->json;
    const char *fault = json_validate(*text, j->depth, tokens);
    if (!fault || j->strict) return fault;
    struct hr_text relaxed = json_relax(r->context.arena, *text);
    if (relaxed.n > INT_MAX || json_validate(relaxed, j->depth, tokens)) return fault;
    *text = relaxed;
    return NULL;
}

const char *json_reference(struct json_reading *r, struct hr_text text, uint32_t row) {
    size_t tokens;
    const char *fault = check_text(r, &text, &tokens);
    if (fault) return fault;
    if (*text.p != '{') return "JSON: not an object";
    struct json_tokens *t = make_room(r, tokens);
    jsmn_parser parser;
    jsmn_init(&parser);
    int found = jsmn_parse(&parser, text.p, text.n, t->token, (unsigned)t->room);
    if (found < 0 || (size_t)found != tokens) return "JSON: cannot be read";
    return read_members(r, text, found, row);
}
