/* The comments of the pipeline file, each with the part of the file that it stands at. */
#include "core/export/internal.h"

#include <string.h>

/* Does byte `column` (from 1) of the line lie within a scalar? */
static bool in_scalar(const struct yaml *y, int line, int column) {
    if (y->kind == YAML_SCALAR) {
        bool after = line > y->place.line || (line == y->place.line && column >= y->place.column);
        bool before = line < y->end.line || (line == y->end.line && column < y->end.column);
        return after && before;
    }
    for (int i = 0; i < y->n; i++)
        if (in_scalar(y->entry[i].value, line, column)) return true;
    return false;
}

/* Where a comment begins in this line, or NULL. */
static const char *comment_in(const struct plan *p, const char *line, size_t n, int number) {
    int column = 1; /* in characters, as libyaml counts */
    for (size_t i = 0; i < n; i++) {
        bool apart = i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t';
        if (line[i] == '#' && apart && !in_scalar(p->document.root, number, column)) return line + i;
        column += ((unsigned char)line[i] & 0xC0) != 0x80;
    }
    return NULL;
}

/* The part that begins at or behind a line of its own, or that holds what stands before a comment. */
static int owner(const struct plan *p, int line, bool own_line) {
    int best = COMMENTS_TOP, best_line = own_line ? 1 << 30 : 0;
    for (int i = 0; i < p->nodes; i++) {
        const struct node_config *c = p->node[i].config;
        int from = c->place.line, to = c->options ? c->options->end.line : from;
        if (line >= from && line <= to && !own_line) return i;
        if (own_line && line > from && line < to) return i;
        if (own_line ? from > line && from < best_line : from <= line && from > best_line) best = i, best_line = from;
    }
    for (int i = 0; i < p->document.root->n; i++) {
        const struct yaml_entry *e = &p->document.root->entry[i];
        int from = e->key_place.line;
        bool run = !strcmp(e->key, "trigger") || !strcmp(e->key, "checkpoint"), top = !strcmp(e->key, "version") || !strcmp(e->key, "name");
        if (!run && !top) continue;
        if (own_line ? from > line && from < best_line : from <= line && from > best_line) {
            best = run ? COMMENTS_RUN : COMMENTS_TOP;
            best_line = from;
        }
    }
    return own_line && best_line == 1 << 30 ? COMMENTS_RUN : best;
}

void comments_put(const struct plan *p, int of, struct hr_buffer *out) {
    const char *line = p->document.source, *all_end = line + p->document.size;
    for (int number = 1; line < all_end; number++) {
        const char *end = memchr(line, '\n', (size_t)(all_end - line));
        size_t n = (size_t)((end ? end : all_end) - line);
        const char *comment = comment_in(p, line, n, number);
        if (comment && owner(p, number, strspn(line, " \t") == (size_t)(comment - line)) == of) {
            size_t size = n - (size_t)(comment - line);
            while (size && (comment[size - 1] == '\r' || comment[size - 1] == ' ')) size--;
            buffer_put(out, comment, size);
            buffer_putc(out, '\n');
        }
        line = end ? end + 1 : all_end;
    }
}
