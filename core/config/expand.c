/*
 * ${NAME}, ${NAME:-default} and ${file:PATH} inside scalar values.
 *
 * 1. They are replaced after parsing: what a variable or a file holds can never become YAML.
 * 2. A variable that is not set and has no default is a fault.
 * 3. ${file:PATH} is a secret: the file without the newline at its end. No line ever shows the value.
 * 4. The file belongs to root or to the user, and not everybody may write to it: else somebody else would choose the
 *    secret. Everybody may read it, as in a container, where /run/secrets is nobody else's.
 */
#include "core/config/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_SECRET = 64 * 1024 };

static bool is_name(const char *s, size_t n) {
    if (!n || (*s >= '0' && *s <= '9')) return false;
    for (size_t i = 0; i < n; i++)
        if (!((s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9') || s[i] == '_'))
            return false;
    return true;
}

/* Like the shell's :- an empty value counts as unset where there is a default. */
static const char *value_of(const char *name, const struct expansion *e) {
    for (int i = e->settings - 1; i >= 0; i--)
        if (!strcmp(e->setting[i].name, name)) {
            e->used[i] = true;
            return e->setting[i].value;
        }
    return getenv(name);
}

/* ---- ${file:PATH} ---- */

/* NULL: this file may hold a secret. */
static const char *distrust(int fd) {
    struct stat st;
    if (fd < 0 || fstat(fd, &st)) return strerror(errno);
    if (!S_ISREG(st.st_mode)) return "it is not a file";
    if (st.st_mode & S_IWOTH) return "everybody may write to it";
    if (st.st_uid != 0 && st.st_uid != geteuid()) return "it belongs to neither root nor you";
    return NULL;
}

/* Its text in *out, with a NUL. Returns why not, or NULL. */
static const char *read_secret(const char *path, char *out) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const char *why = distrust(fd);
    size_t n = 0;
    for (ssize_t got = 1; !why && got && n <= MOST_SECRET; n += (size_t)got)
        if ((got = read(fd, out + n, MOST_SECRET + 1 - n)) < 0) return close(fd), strerror(errno);
    if (fd >= 0) close(fd);
    if (why) return why;
    if (n > MOST_SECRET) return "it is larger than 64 KiB";
    if (n && out[n - 1] == '\n') n--;
    if (n && out[n - 1] == '\r') n--;
    out[n] = '\0';
    return n == 0 ? "it is empty" : memchr(out, '\0', n) ? "it holds a NUL byte" : NULL;
}

static bool expand_file(struct document *d, struct hr_place place, const char *path, const struct expansion *e,
                        struct hr_buffer *out) {
    if (e->shown) return document_fault(d, place, 1, "${file:%s}: no secret may stand here: everybody sees this value", path), false;
    char *value = xmalloc(MOST_SECRET + 2);
    const char *why = read_secret(path, value);
    if (why) {
        document_fault(d, place, 1, "${file:%s}: no secret from there: %s", path, why);
    } else {
        secret_add(value);
        buffer_puts(out, value);
    }
    free(value);
    return !why;
}

/* ---- all of a text ---- */

static bool expand_one(struct document *d, struct hr_place place, const char *inside, size_t n, const struct expansion *e,
                       struct hr_buffer *out) {
    if (n > 5 && !memcmp(inside, "file:", 5)) return expand_file(d, place, arena_strndup(&d->arena, inside + 5, n - 5), e, out);
    size_t name_n = 0;
    while (name_n < n && !(inside[name_n] == ':' && name_n + 1 < n && inside[name_n + 1] == '-')) name_n++;
    bool has_default = name_n < n;
    char *name = arena_strndup(&d->arena, inside, name_n);
    if (!is_name(name, name_n)) {
        document_fault(d, place, 1, "a variable is ${NAME}, ${NAME:-default} or ${file:PATH}");
        return false;
    }
    const char *value = value_of(name, e);
    if (has_default && (!value || !*value)) {
        buffer_put(out, inside + name_n + 2, n - name_n - 2);
        return true;
    }
    if (value) return buffer_puts(out, value), true;
    document_fault(d, place, 1, "${%s} is not set: export %s, use --set %s=VALUE, or write ${%s:-default}", name, name,
                   name, name);
    return false;
}

const char *expand(struct document *d, struct hr_place place, const char *text, const struct expansion *e) {
    if (!strstr(text, "${")) return text;
    struct hr_buffer out = {0};
    const char *p = text;
    bool ok = true;
    for (const char *open; ok && (open = strstr(p, "${")) != NULL;) {
        const char *close = strchr(open, '}');
        buffer_put(&out, p, (size_t)(open - p));
        if (close) ok = expand_one(d, place, open + 2, (size_t)(close - open) - 2, e, &out);
        else document_fault(d, place, 1, "'${' is never closed by '}'"), ok = false;
        if (close) p = close + 1;
    }
    buffer_puts(&out, p);
    const char *result = ok ? arena_strndup(&d->arena, out.p, out.n) : text;
    buffer_free(&out);
    return result;
}
