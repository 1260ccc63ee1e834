/*
 * Values that no line may show.
 *
 * 1. They are told here when a pipeline file is loaded, before threads start, and stay until the process ends.
 * 2. A value of fewer than LEAST bytes is not looked for: it would be found everywhere. Its place in the file is
 *    hidden all the same. Of a value of several lines (a PEM key) each line counts.
 * 3. Text that was cut off may end within a value: that rest is hidden too.
 */
#include "core/base/base.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LEAST = 6, STARS = 4 }; /* fewer, so that masking never makes text longer */
static const char stars[STARS + 1] = "****";

static struct hr_text *secret;
static size_t secrets;

static void add_line(const char *p, size_t n) {
    if (n < LEAST) return;
    for (size_t i = 0; i < secrets; i++)
        if (secret[i].n == n && !memcmp(secret[i].p, p, n)) return;
    char *copy = memcpy(xmalloc(n), p, n);
    secret = xrealloc(secret, (secrets + 1) * sizeof *secret);
    secret[secrets++] = (struct hr_text){copy, (uint32_t)n, 0};
}

void secret_add(const char *value) {
    for (const char *line = value; *line;) {
        size_t n = strcspn(line, "\r\n");
        add_line(line, n);
        line += n + strspn(line + n, "\r\n");
    }
}

size_t secret_at(const char *p, size_t n) {
    size_t longest = 0;
    for (size_t i = 0; i < secrets; i++)
        if (secret[i].n > longest && secret[i].n <= n && !memcmp(p, secret[i].p, secret[i].n)) longest = secret[i].n;
    return longest;
}

bool secret_touches(const char *text, size_t at, size_t n) {
    size_t whole = secrets ? strlen(text) : 0;
    for (size_t i = 0; i < whole && i < at + n; i++) {
        size_t here = secret_at(text + i, whole - i);
        if (here && i + here > at) return true;
    }
    return false;
}

void secret_mask(char *text) {
    char *to = text;
    size_t n = secrets ? strlen(text) : 0;
    for (const char *p = text, *end = text + n; p < end;) {
        size_t hidden = secret_at(p, (size_t)(end - p));
        if (!hidden) *to++ = *p++;
        else {
            memcpy(to, stars, STARS);
            to += STARS;
            p += hidden;
        }
    }
    if (n) *to = '\0';
}

/* How many of the last bytes are the beginning of a value? */
static size_t begun_at_end(const char *text, size_t n) {
    for (size_t i = 0; i < secrets; i++)
        for (size_t k = secret[i].n - 1; k >= LEAST; k--)
            if (k <= n && !memcmp(text + n - k, secret[i].p, k)) return k;
    return 0;
}

void secret_format(char *text, size_t size, const char *format, va_list args) {
    int n = vsnprintf(text, size, format, args);
    if (n < 0) *text = '\0';
    if (n >= 0 && (size_t)n >= size) text[size - 1 - begun_at_end(text, size - 1)] = '\0';
    secret_mask(text);
}

const char *secret_identity(struct arena *a, const char *text) {
    struct hr_buffer out = {0};
    for (const char *end = text + strlen(text); text < end;) {
        size_t hidden = secret_at(text, (size_t)(end - text));
        if (hidden) buffer_printf(&out, "%s%04x", stars, (unsigned)(hash_bytes(text, hidden, 0) & 0xffff));
        else buffer_putc(&out, *text);
        text += hidden ? hidden : 1;
    }
    char *result = arena_strndup(a, out.p, out.n);
    buffer_free(&out);
    return result;
}

/* ---- names ---- */

static bool is_one_of(const char *p, size_t n, const char *const *words) {
    for (; *words; words++)
        if (strlen(*words) == n && !strncasecmp(p, *words, n)) return true;
    return false;
}

bool secret_name(const char *name, size_t n) {
    static const char *const words[] = {"password", "passwd", "pass", "pwd", "passphrase", "secret", "token", "credential", "credentials",
                                        "jaas",     "oauthbearer", NULL};
    static const char *const key[] = {"key", "apikey", NULL};
    size_t count = 0;
    bool has_key = false;
    for (size_t at = 0; at < n; count++) {
        size_t end = at;
        while (end < n && !strchr("._-", name[end])) end++;
        if (is_one_of(name + at, end - at, words)) return true;
        has_key |= is_one_of(name + at, end - at, key);
        at = end + 1;
    }
    return has_key && (count > 1 || n > 3); /* `key` alone is a column */
}
