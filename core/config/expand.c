/* ${NAME} and ${NAME:-default} inside scalar values, after parsing: what a variable holds can never
 * become YAML. */
#include "core/config/internal.h"

#include <stdlib.h>
#include <string.h>

static bool is_name(const char *s, size_t n) {
    if (!n || (*s >= '0' && *s <= '9')) return false;
    for (size_t i = 0; i < n; i++)
        if (!((s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9') || s[i] == '_'))
            return false;
    return true;
}

/* Like the shell's :- an empty value counts as unset where there is a default. */
static const char *value_of(const char *name, const struct setting *settings, int n, bool *used) {
    for (int i = n - 1; i >= 0; i--)
        if (!strcmp(settings[i].name, name)) {
            used[i] = true;
            return settings[i].value;
        }
    return getenv(name);
}

static bool expand_one(struct document *d, struct hr_place place, const char *inside, size_t n,
                       const struct setting *settings, int n_settings, bool *used, struct hr_buffer *out) {
    size_t name_n = 0;
    while (name_n < n && !(inside[name_n] == ':' && name_n + 1 < n && inside[name_n + 1] == '-')) name_n++;
    bool has_default = name_n < n;
    char *name = arena_strndup(&d->arena, inside, name_n);
    if (!is_name(name, name_n)) {
        document_fault(d, place, 1, "'${%s}': a variable is ${NAME} or ${NAME:-default}", name);
        return false;
    }
    const char *value = value_of(name, settings, n_settings, used);
    if (has_default && (!value || !*value)) {
        buffer_put(out, inside + name_n + 2, n - name_n - 2);
        return true;
    }
    if (value) return buffer_puts(out, value), true;
    document_fault(d, place, 1, "${%s} is not set: export %s, use --set %s=VALUE, or write ${%s:-default}", name, name,
                   name, name);
    return false;
}

const char *expand(struct document *d, struct hr_place place, const char *text, const struct setting *settings,
                   int n_settings, bool *used) {
    if (!strstr(text, "${")) return text;
    struct hr_buffer out = {0};
    const char *result = text, *p = text;
    for (const char *open; (open = strstr(p, "${")) != NULL;) {
        const char *close = strchr(open, '}');
        buffer_put(&out, p, (size_t)(open - p));
        if (!close) {
            document_fault(d, place, 1, "'${' is never closed by '}'");
            goto done;
        }
        if (!expand_one(d, place, open + 2, (size_t)(close - open) - 2, settings, n_settings, used, &out)) goto done;
        p = close + 1;
    }
    buffer_puts(&out, p);
    result = arena_strndup(&d->arena, out.p, out.n);
done:
    buffer_free(&out);
    return result;
}
