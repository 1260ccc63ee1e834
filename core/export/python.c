/* Values as Python source. */
#include "core/export/internal.h"

#include <stdlib.h>
#include <string.h>

/* One ${file:PATH}, ${NAME} or ${NAME:-default}; like the pipeline file's, an empty value counts as unset where there is a default. */
static const char *variable(const struct program *p, const char *inside, bool alone) {
    struct arena *a = program_arena(p);
    const char *fallback = strstr(inside, ":-");
    if (!strncmp(inside, "file:", 5)) return arena_printf(a, "read_secret(%s)", python_string(p, inside + 5));
    if (!fallback) return arena_printf(a, "os.environ[%s]", python_string(p, inside));
    const char *name = python_string(p, arena_strndup(a, inside, (size_t)(fallback - inside)));
    return arena_printf(a, alone ? "os.environ.get(%s) or %s" : "(os.environ.get(%s) or %s)", name, python_string(p, fallback + 2));
}

/* Where the next variable stands; without one, the end of the text. */
struct mark {
    const char *at, *end, *variable;
};

static struct mark next_mark(const struct program *p, const char *text) {
    for (const char *at = text; (at = strchr(at, 0xff)); at++) {
        char *end;
        unsigned long i = strtoul(at + 1, &end, 10);
        if ((unsigned char)*end == 0xfe && i < (unsigned long)p->marks) return (struct mark){at, end + 1, p->mark[i]};
    }
    text += strlen(text);
    return (struct mark){text, text, NULL};
}

/* A piece without variables, in quotes. */
static void put_quoted(struct hr_buffer *b, const char *text, size_t n) {
    buffer_putc(b, '"');
    for (const char *c = text; c < text + n; c++) {
        if (*c == '"' || *c == '\\') buffer_printf(b, "\\%c", *c);
        else if (*c == '\n') buffer_puts(b, "\\n");
        else if ((unsigned char)*c < ' ' || *c == 0x7f) buffer_printf(b, "\\x%02x", *c);
        else buffer_putc(b, *c);
    }
    buffer_putc(b, '"');
}

const char *python_string(const struct program *p, const char *text) {
    struct hr_buffer b = {0};
    for (const char *from = text; *from || !b.n;) {
        struct mark m = next_mark(p, from);
        if (m.at > from || !m.variable) {
            buffer_puts(&b, b.n ? " + " : "");
            put_quoted(&b, from, (size_t)(m.at - from));
        }
        if (m.variable) buffer_printf(&b, "%s%s", b.n ? " + " : "", variable(p, m.variable, m.at == text && !*m.end));
        from = m.end;
    }
    const char *out = arena_strndup(program_arena(p), b.p, b.n);
    buffer_free(&b);
    return out;
}

const char *python_value(struct program *p, const char *raw) { return python_string(p, variables_marked(p, raw)); }

const char *python_sql_name(struct arena *a, const char *name) {
    size_t plain = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    if (!name[plain] && !(*name >= '0' && *name <= '9')) return name;
    struct hr_buffer b = {0};
    buffer_putc(&b, '`');
    for (const char *p = name; *p; p++) buffer_printf(&b, *p == '`' ? "``" : "%c", *p);
    buffer_putc(&b, '`');
    const char *out = arena_strndup(a, b.p, b.n);
    buffer_free(&b);
    return out;
}

void python_statement(struct hr_buffer *out, const char *name, const char *chain) {
    if (!strchr(chain, '\n')) {
        buffer_printf(out, "%s = %s\n", name, chain);
        return;
    }
    buffer_printf(out, "%s = (\n    ", name);
    for (const char *p = chain; *p; p++) {
        buffer_putc(out, *p);
        if (*p == '\n') buffer_puts(out, "    ");
    }
    buffer_puts(out, "\n)\n");
}
