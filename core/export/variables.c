/*
 * ${NAME} of the file, which the program reads itself. While its SQL is put together a variable is a mark, bytes that no UTF-8 has
 * and that a name in SQL may have: 0xFF, a number, 0xFE. python_string() makes the variable of it.
 */
#include "core/export/internal.h"

#include <stdlib.h>
#include <string.h>

static const char *setting(const struct program *p, const char *name) {
    for (int i = p->options->settings - 1; i >= 0; i--)
        if (!strcmp(p->options->setting[i].name, name)) return p->options->setting[i].value;
    return NULL;
}

/* A piece of a text: what stands between two variables, or one of them. */
struct piece {
    size_t n;             /* bytes of the file's text */
    const char *variable; /* what stands between ${ and }, or NULL */
    const char *fixed;    /* its value by --set, or NULL */
};

static struct piece next_piece(const struct program *p, const char *raw) {
    struct arena *a = program_arena(p);
    const char *open = strstr(raw, "${"), *close = open ? strchr(open, '}') : NULL;
    if (!close) return (struct piece){.n = strlen(raw)};
    if (open > raw) return (struct piece){.n = (size_t)(open - raw)};
    char *inside = arena_strndup(a, open + 2, (size_t)(close - open) - 2);
    return (struct piece){(size_t)(close + 1 - open), inside, setting(p, arena_strndup(a, inside, strcspn(inside, ":")))};
}

static int mark_of(struct program *p, const char *variable) {
    for (int i = 0; i < p->marks; i++)
        if (!strcmp(p->mark[i], variable)) return i;
    const char **more = arena_alloc(program_arena(p), ((size_t)p->marks + 1) * sizeof *more);
    if (p->marks) memcpy(more, p->mark, (size_t)p->marks * sizeof *more);
    more[p->marks] = variable;
    p->mark = more;
    return p->marks++;
}

const char *variables_marked(struct program *p, const char *raw) {
    struct hr_buffer b = {0};
    for (struct piece at; *raw; raw += at.n) {
        at = next_piece(p, raw);
        if (at.fixed) buffer_puts(&b, at.fixed);
        else if (at.variable) buffer_printf(&b, "\xff%d\xfe", mark_of(p, at.variable));
        else buffer_put(&b, raw, at.n);
    }
    const char *out = arena_strndup(program_arena(p), b.p ? b.p : "", b.n);
    buffer_free(&b);
    return out;
}

/* What headrace put in the place of a variable. */
static size_t value_size(const struct program *p, const char *variable) {
    const char *fallback = strstr(variable, ":-");
    const char *value = getenv(arena_strndup(program_arena(p), variable, fallback ? (size_t)(fallback - variable) : strlen(variable)));
    return fallback && (!value || !*value) ? strlen(fallback + 2) : value ? strlen(value) : 0;
}

bool variables_place(struct program *p, const char *raw, size_t *place) {
    size_t value = 0, marked = 0;
    for (struct piece at; *raw; raw += at.n) {
        at = next_piece(p, raw);
        bool variable = at.variable && !at.fixed;
        size_t n = variable ? value_size(p, at.variable) : at.fixed ? strlen(at.fixed) : at.n;
        if (*place < value + n || (!variable && *place == value + n)) {
            bool inside = variable && *place > value;
            *place = marked + (variable ? 0 : *place - value);
            return !inside;
        }
        value += n;
        marked += variable ? strlen(arena_printf(program_arena(p), "\xff%d\xfe", mark_of(p, at.variable))) : n;
    }
    *place = marked;
    return true;
}

bool variables_in(const struct program *p, const char *raw, const char **name) {
    for (struct piece at; *raw; raw += at.n) {
        at = next_piece(p, raw);
        if (!at.variable || at.fixed || !strncmp(at.variable, "file:", 5)) continue;
        *name = arena_strndup(program_arena(p), at.variable, strcspn(at.variable, ":"));
        return true;
    }
    return false;
}
