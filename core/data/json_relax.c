/*
 * json_relax.c: rewrite what Spark's JSON reader tolerates as RFC 8259 wants it.
 *
 * Only texts that the validator refused come here, so this may be slow and need not judge: what it
 * doesn't know it copies, and the validator looks at the result again.
 */
#include <string.h>
#include "core/data/json_internal.h"

struct relax {
    const char *p, *end;
    char *out;
};

static void put(struct relax *r, const char *s, size_t n) {
    memcpy(r->out, s, n);
    r->out += n;
}

/* At a quote of either kind; writes a string in double quotes. */
static void relax_string(struct relax *r) {
    char quote = *r->p++;
    *r->out++ = '"';
    while (r->p < r->end && *r->p != quote) {
        char c = *r->p++;
        if (c == '"') {
            put(r, "\\\"", 2);
        } else if (c == '\\' && r->p < r->end) {
            if (*r->p != '\'') *r->out++ = '\\'; /* \' is an escape to Jackson, not to the RFC */
            *r->out++ = *r->p++;
        } else {
            *r->out++ = c;
        }
    }
    if (r->p == r->end) return; /* unterminated: stays so */
    r->p++;
    *r->out++ = '"';
}

static const struct word {
    const char *bare, *quoted;
} words[] = {
    {"NaN", "\"NaN\""},
    {"Infinity", "\"Infinity\""},
    {"+Infinity", "\"Infinity\""},
    {"+INF", "\"Infinity\""},
    {"-Infinity", "\"-Infinity\""},
    {"-INF", "\"-Infinity\""},
};

/* Behind a bare word: does the value end here, and is it a value rather than a name? */
static bool ends_value(const char *p, const char *end) {
    while (p < end && json_blank(*p)) p++;
    return p < end && (*p == ',' || *p == '}' || *p == ']');
}

static bool relax_word(struct relax *r) {
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i].bare);
        if ((size_t)(r->end - r->p) < n || memcmp(r->p, words[i].bare, n) != 0) continue;
        if (!ends_value(r->p + n, r->end)) continue;
        put(r, words[i].quoted, strlen(words[i].quoted));
        r->p += n;
        return true;
    }
    return false;
}

struct hr_text json_relax(struct arena *arena, struct hr_text text) {
    /* the worst growth is +INF, four bytes to ten */
    char *start = arena_alloc(arena, (size_t)text.n * 3 + 1);
    struct relax r = {text.p, text.p + text.n, start};
    for (int64_t depth = 0; r.p < r.end;) {
        char c = *r.p;
        if (c == '"' || c == '\'') {
            relax_string(&r);
        } else if (!relax_word(&r)) {
            *r.out++ = *r.p++;
            if (c == '{' || c == '[') depth++;
            if ((c == '}' || c == ']') && --depth == 0) break;
        }
    }
    return (struct hr_text){.p = start, .n = (uint32_t)(r.out - start)};
}
