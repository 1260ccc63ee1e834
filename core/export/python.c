/* Values as Python source. */
#include "core/export/internal.h"

#include <string.h>

const char *python_string(struct arena *arena, const char *text) {
    struct hr_buffer b = {0};
    buffer_putc(&b, '"');
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\') buffer_printf(&b, "\\%c", *p);
        else if (*p == '\n') buffer_puts(&b, "\\n");
        else if ((unsigned char)*p < ' ' || *p == 0x7f) buffer_printf(&b, "\\x%02x", *p);
        else buffer_putc(&b, *p);
    }
    buffer_putc(&b, '"');
    const char *out = arena_strndup(arena, b.p, b.n);
    buffer_free(&b);
    return out;
}

static const char *setting(const struct program *p, const char *name) {
    for (int i = p->options->settings - 1; i >= 0; i--)
        if (!strcmp(p->options->setting[i].name, name)) return p->options->setting[i].value;
    return NULL;
}

/* One ${file:PATH}, ${NAME} or ${NAME:-default}; like the pipeline file's, an empty value counts as unset where there is a default. */
static const char *variable(const struct program *p, const char *inside, size_t n, bool alone) {
    struct arena *a = program_arena(p);
    char *name = arena_strndup(a, inside, n), *fallback = strstr(name, ":-");
    if (!strncmp(name, "file:", 5)) return arena_printf(a, "open(%s).read().rstrip()", python_string(a, name + 5));
    if (!fallback) return arena_printf(a, "os.environ[%s]", python_string(a, name));
    *fallback = '\0';
    return arena_printf(a, "%sos.environ.get(%s) or %s%s", alone ? "" : "(", python_string(a, name), python_string(a, fallback + 2),
                        alone ? "" : ")");
}

static void add(struct program const *p, struct hr_buffer *out, struct hr_buffer *text, const char *piece) {
    if (text->n) {
        buffer_printf(out, "%s%s", out->n ? " + " : "", python_string(program_arena(p), arena_strndup(program_arena(p), text->p, text->n)));
        text->n = 0;
    }
    if (piece) buffer_printf(out, "%s%s", out->n ? " + " : "", piece);
}

const char *python_value(const struct program *p, const char *raw) {
    struct arena *a = program_arena(p);
    struct hr_buffer out = {0}, text = {0};
    for (const char *at = raw; *at;) {
        const char *open = strstr(at, "${"), *close = open ? strchr(open, '}') : NULL;
        if (!close) {
            buffer_puts(&text, at);
            break;
        }
        buffer_put(&text, at, (size_t)(open - at));
        size_t n = (size_t)(close - open) - 2, name = 0;
        while (name < n && open[2 + name] != ':') name++;
        const char *fixed = setting(p, arena_strndup(a, open + 2, name));
        if (fixed) buffer_puts(&text, fixed);
        else add(p, &out, &text, variable(p, open + 2, n, open == raw && !close[1]));
        at = close + 1;
    }
    if (!out.n) {
        buffer_putc(&text, '\0');
        buffer_puts(&out, python_string(a, text.p));
    } else {
        add(p, &out, &text, NULL);
    }
    const char *result = arena_strndup(a, out.p, out.n);
    buffer_free(&out);
    buffer_free(&text);
    return result;
}

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
