/* Faults with their place: collected, sorted, printed with the line and carets; secrets stay hidden. */
#include "core/config/internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { WIDEST = 160 }; /* characters of a line that an excerpt shows */

static void fault_add(struct document *d, struct hr_place at, int width, const char *text) {
    if ((d->faults & (d->faults - 1)) == 0) {
        struct yaml_fault *more = arena_alloc(&d->arena, (size_t)(d->faults ? 2 * d->faults : 1) * sizeof *more);
        if (d->faults) memcpy(more, d->fault, (size_t)d->faults * sizeof *more);
        d->fault = more;
    }
    d->fault[d->faults++] = (struct yaml_fault){at, width < 1 ? 1 : width, text};
}

void document_fault(struct document *d, struct hr_place at, int width, const char *format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    secret_format(text, sizeof text, format, args);
    va_end(args);
    fault_add(d, at, width, arena_strdup(&d->arena, text));
}

const char *document_suggestion(struct document *d, const char *name, const char *const *candidates) {
    const char *near = closest(name, candidates);
    return near ? arena_printf(&d->arena, "; did you mean '%s'?", near) : "";
}

/* ---- places ---- */

static const char *line_start(const struct document *d, int line) {
    const char *p = d->source;
    for (int i = 1; p && i < line; i++) {
        p = strchr(p, '\n');
        if (p) p++;
    }
    return p;
}

static size_t line_bytes(const char *p) {
    size_t n = strcspn(p, "\n");
    return n && p[n - 1] == '\r' ? n - 1 : n;
}

static bool is_first_byte(char c) { return ((unsigned char)c & 0xC0) != 0x80; }

static int characters(const char *p, size_t n) {
    int count = 0;
    for (size_t i = 0; i < n; i++) count += is_first_byte(p[i]);
    return count;
}

static const char *at_column(const char *line, size_t n, int column) {
    size_t i = 0;
    for (int k = 1; k < column && i < n; k++)
        for (i++; i < n && !is_first_byte(line[i]);) i++;
    return line + i;
}

/* Where byte `at` of a scalar's text stands: in the scalar's first line, or (a literal block) in the
 * line as far below it as the text has line ends before. */
static bool find_in_file(const struct document *d, struct hr_place scalar, const char *text, size_t at, struct hr_place *out) {
    const char *line = line_start(d, scalar.line);
    if (!line) return false;
    const char *p = at_column(line, line_bytes(line), scalar.column);
    p += *p == '"' || *p == '\'';
    if (!strncmp(p, text, strlen(text)) && !strchr(text, '\n')) {
        *out = (struct hr_place){scalar.line, 1 + characters(line, (size_t)(p - line) + at), d};
        return true;
    }
    if (*p != '|') return false;
    size_t start = 0;
    int below = 1;
    for (size_t i = 0; i < at; i++)
        if (text[i] == '\n') start = i + 1, below++;
    line = line_start(d, scalar.line + below);
    if (!line) return false;
    p = line + strspn(line, " ");
    size_t n = strcspn(text + start, "\n");
    if (strncmp(p, text + start, n)) return false;
    *out = (struct hr_place){scalar.line + below, 1 + characters(line, (size_t)(p - line) + at - start), d};
    return true;
}

void document_fault_in(struct document *d, struct hr_place scalar, const char *text, size_t at, size_t n,
                       const char *format, ...) {
    char said[1024];
    va_list args;
    va_start(args, format);
    secret_format(said, sizeof said, format, args);
    va_end(args);
    struct hr_place place;
    size_t whole = strlen(text);
    if (at > whole) at = whole;
    if (n > whole - at) n = whole - at;
    if (find_in_file(d, scalar, text, at, &place)) fault_add(d, place, characters(text + at, n), arena_strdup(&d->arena, said));
    else {
        char *shown = arena_strdup(&d->arena, text);
        secret_mask(shown); /* before it is cut off */
        fault_add(d, scalar, 1, arena_printf(&d->arena, "%s (at character %d of '%.200s')", said, 1 + characters(text, at), shown));
    }
}

/* ---- secrets ---- */

static void hide(struct document *d, const struct yaml *v) {
    struct secret *more = arena_alloc(&d->arena, ((size_t)d->secrets + 1) * sizeof *more);
    if (d->secrets) memcpy(more, d->secret, (size_t)d->secrets * sizeof *more);
    more[d->secrets++] = (struct secret){v->place, v->end};
    d->secret = more;
    secret_add(v->text);
}

void document_hide(struct document *d, const struct yaml *v) {
    if (v->kind == YAML_SCALAR) hide(d, v);
    for (int i = 0; i < v->n; i++) document_hide(d, v->entry[i].value);
}

static void find_secrets(struct document *d, const struct yaml *v) {
    for (int i = 0; i < v->n; i++) {
        const struct yaml_entry *e = &v->entry[i];
        if (e->key && secret_name(e->key, strlen(e->key))) document_hide(d, e->value);
        else find_secrets(d, e->value);
    }
}

void document_find_secrets(struct document *d) {
    static const char *const outward[] = {"source", "sources", "sink", "sinks", NULL};
    for (const char *const *key = outward; *key; key++) {
        const struct yaml *v = yaml_get(d->root, *key);
        if (v) find_secrets(d, v);
    }
}

/* A file that cannot be parsed has no values yet: then the names in its lines decide. The bytes of a line that may be
 * shown: up to the first name that says so. */
static size_t shown_bytes(const char *line, size_t n) {
    for (size_t at = 0; at < n;) {
        size_t end = at;
        while (end < n && (isalnum((unsigned char)line[end]) || strchr("._-", line[end]))) end++;
        if (end > at && secret_name(line + at, end - at)) return end;
        at = end + 1;
    }
    return n;
}

/* Does the line belong to a name above it that says so? */
static bool hangs_below_secret(const struct document *d, int line) {
    size_t indent = strspn(line_start(d, line), " ");
    for (int above = line - 1; above > 0 && indent; above--) {
        const char *p = line_start(d, above);
        size_t n = line_bytes(p), here = strspn(p, " ");
        if (here == n || here >= indent) continue;
        if (shown_bytes(p, n) < n) return true;
        indent = here;
    }
    return false;
}

static bool before(struct hr_place a, int line, int column) {
    return a.line < line || (a.line == line && a.column <= column);
}

static bool is_hidden(const struct document *d, int line, int column) {
    for (int i = 0; i < d->secrets; i++)
        if (before(d->secret[i].from, line, column) && !before(d->secret[i].to, line, column)) return true;
    return false;
}

/* ---- printing ---- */

/* What the excerpt has for the character at p: '*', '?' or itself. */
static char stand_in(const char *p, size_t n, bool hidden) {
    uint32_t code = 0;
    if (hidden) return '*';
    return *p == '\t' || (hr_utf8((const unsigned char *)p, n, &code) && !hr_is_control(code)) ? *p : '?';
}

static void print_excerpt(const struct document *d, const struct yaml_fault *f, FILE *out) {
    const char *line = f->place.line ? line_start(d, f->place.line) : NULL;
    if (!line) return;
    size_t n = line_bytes(line);
    size_t shown = d->root ? n : hangs_below_secret(d, f->place.line) ? 0 : shown_bytes(line, n), hidden = 0;
    int first = f->place.column > WIDEST * 3 / 4 ? f->place.column - WIDEST / 2 : 1, column = 0;
    struct hr_buffer text = {0}, carets = {0};
    bool whole = false; /* the bytes that follow the first one of a character are shown too */
    for (size_t i = 0; i < n; i++) {
        bool begins = is_first_byte(line[i]);
        column += begins;
        if (i >= hidden) hidden = i + secret_at(line + i, n - i);
        if (column < first || column >= first + WIDEST || (!begins && !whole)) continue;
        char c = begins ? stand_in(line + i, n - i, is_hidden(d, f->place.line, column) || i < hidden || i >= shown) : line[i];
        if (begins) whole = c == line[i];
        buffer_putc(&text, c);
        if (begins && column < f->place.column) buffer_putc(&carets, line[i] == '\t' ? '\t' : ' ');
    }
    for (int k = column + 1; k < f->place.column; k++) buffer_putc(&carets, ' ');
    int left = column - f->place.column + 1, width = f->width > left ? left : f->width;
    for (int k = 0; k < (width < 1 ? 1 : width > WIDEST ? WIDEST : width); k++) buffer_putc(&carets, '^');
    fprintf(out, "%6d | %.*s\n       | %.*s\n", f->place.line, (int)text.n, text.p ? text.p : "", (int)carets.n, carets.p);
    buffer_free(&text);
    buffer_free(&carets);
}

/* What stands in a file may not steer the terminal. */
static void print_text(const char *s, FILE *out) {
    struct hr_buffer shown = {0};
    buffer_shown(&shown, s, strlen(s), false);
    fwrite(shown.p, 1, shown.n, out);
    buffer_free(&shown);
}

static int by_place(const void *x, const void *y) {
    const struct yaml_fault *a = x, *b = y;
    if (a->place.line != b->place.line) return a->place.line < b->place.line ? -1 : 1;
    if (a->place.column != b->place.column) return a->place.column < b->place.column ? -1 : 1;
    return strcmp(a->text, b->text);
}

void document_print(const struct document *d, FILE *out) {
    if (!d->faults) return;
    struct yaml_fault *sorted = xmalloc((size_t)d->faults * sizeof *sorted);
    memcpy(sorted, d->fault, (size_t)d->faults * sizeof *sorted);
    qsort(sorted, (size_t)d->faults, sizeof *sorted, by_place);
    for (int i = 0; i < d->faults; i++) {
        if (i && !by_place(&sorted[i - 1], &sorted[i])) continue;
        print_text(d->path, out);
        if (sorted[i].place.line) fprintf(out, ":%d:%d", sorted[i].place.line, sorted[i].place.column);
        fputs(": ", out);
        print_text(sorted[i].text, out);
        fputc('\n', out);
        print_excerpt(d, &sorted[i], out);
    }
    free(sorted);
}
