/* The comments of the pipeline file, each with the part of the file that it stands at. */
#include "core/export/internal.h"

#include <string.h>

/* Does byte `column` (from 1) of the line lie within a scalar? Behind the | or > at `block` it does not. */
static bool in_scalar(const struct yaml *y, int line, int column, int block) {
    if (y->kind == YAML_SCALAR) {
        if (y->place.line == line && y->place.column == block) return false;
        bool after = line > y->place.line || (line == y->place.line && column >= y->place.column);
        bool before = line < y->end.line || (line == y->end.line && column < y->end.column);
        return after && before;
    }
    for (int i = 0; i < y->n; i++)
        if (in_scalar(y->entry[i].value, line, column, block)) return true;
    return false;
}

/* Where a comment begins in this line, or NULL. */
static const char *comment_in(const struct plan *p, const char *line, size_t n, int number) {
    int column = 1, block = 0; /* in characters, as libyaml counts */
    for (size_t i = 0; i < n; i++) {
        bool apart = i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t';
        if (line[i] == '#' && apart && !in_scalar(p->document.root, number, column, block)) return line + i;
        if (line[i] == '|' || line[i] == '>') block = column;
        else if (!strchr("-+0123456789 \t", line[i])) block = 0;
        column += ((unsigned char)line[i] & 0xC0) != 0x80;
    }
    return NULL;
}

/* A part of the file: the lines it has, and whose comments stand there. */
struct part {
    int from, to, of;
};

/* The last line of its own text: a block's end is only known from what follows it. */
static int last_line(const struct yaml *y, int line) {
    if (y->kind == YAML_SCALAR) return y->end.line > line ? y->end.line : line;
    for (int i = 0; i < y->n; i++) {
        if (y->entry[i].key && y->entry[i].key_place.line > line) line = y->entry[i].key_place.line;
        line = last_line(y->entry[i].value, line);
    }
    return line;
}

/* A top key. Those that hold nodes have nothing else: they stand for their first. */
static struct part part_of_key(const struct plan *p, const struct yaml_entry *e) {
    int from = e->key_place.line;
    if (!strcmp(e->key, "source")) return (struct part){from, from, 0};
    if (!strcmp(e->key, "operators")) return (struct part){from, from, 1};
    if (!strncmp(e->key, "sink", 4)) return (struct part){from, from, plan_first_sink(p)};
    bool run = !strcmp(e->key, "trigger") || !strcmp(e->key, "checkpoint");
    return (struct part){from, last_line(e->value, from), run ? COMMENTS_RUN : COMMENTS_TOP};
}

static struct part part_of_node(const struct plan *p, int i) {
    const struct node_config *c = p->node[i].config;
    return (struct part){c->place.line, c->options ? last_line(c->options, c->place.line) : c->place.line, i};
}

/* Whose is a comment: on a line of its own of the part that it stands in, or before; else of the part that the line is of. */
static int owner(const struct plan *p, int line, bool own_line) {
    const struct yaml *root = p->document.root;
    struct part on = {.of = COMMENTS_TOP}, in = {.of = COMMENTS_RUN}, next = {.from = 1 << 30, .of = COMMENTS_RUN};
    for (int i = 0; i < root->n + p->nodes; i++) {
        struct part part = i < root->n ? part_of_key(p, &root->entry[i]) : part_of_node(p, i - root->n);
        if (part.from <= line && part.from >= on.from) on = part;
        if (part.from < line && line < part.to) in = part;
        if (part.from > line && part.from <= next.from) next = part;
    }
    return !own_line ? on.of : in.from ? in.of : next.of;
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
