/*
 * Who reads whom: `input` of a sink, and `errors`, the dead letters of a node.
 *
 * 1. The operators are one chain: each reads the node above it.
 * 2. A sink reads the last operator, or the node or the dead letters that its `input` names.
 * 3. Several nodes may write to the same dead letters. What somebody writes to must have a reader.
 */
#include "core/config/internal.h"

#include <string.h>
#include <strings.h>

static int node_named(const struct pipeline_config *p, const char *id) {
    for (int i = 0; i < p->nodes; i++)
        if (!strcmp(p->node[i].id, id)) return i;
    return -1;
}

static int letters_named(const struct pipeline_config *p, const char *name) {
    for (int i = 0; i < p->letters; i++)
        if (!strcmp(p->letter[i].name, name)) return i;
    return -1;
}

/* ---- dead letters ---- */

static bool is_text(const struct yaml *v, const char *text) { return v && v->kind == YAML_SCALAR && !strcmp(v->text, text); }

static void add_letters(struct document *d, struct pipeline_config *p, struct node_config *n, const struct yaml *v) {
    if (v->kind != YAML_SCALAR || !id_is_valid(v->text)) {
        document_fault(d, v->place, 1, "%s: errors wants one name: letters, digits and _, not beginning with a digit, hr_ or sqlite_", n->plugin);
        return;
    }
    for (int i = 0; i < p->nodes; i++)
        if (!strcasecmp(p->node[i].id, v->text)) {
            document_fault(d, v->place, (int)strlen(v->text), "%s: errors: '%s' is the id of a node", n->plugin, v->text);
            return;
        }
    n->letters = letters_named(p, v->text);
    if (n->letters >= 0) return;
    p->letter[p->letters] = (struct letters_config){v->text};
    n->letters = p->letters++;
}

static void read_errors(struct document *d, struct pipeline_config *p, struct node_config *n) {
    const struct yaml *v = yaml_get(n->options, "errors"), *on_error = yaml_get(n->options, "on_error");
    bool wanted = is_text(on_error, "dead_letter");
    if (n->kind == HR_SINK && v) document_fault(d, v->place, 1, "%s: a sink has no 'errors'", n->plugin);
    else if (v && !wanted) document_fault(d, v->place, 1, "%s: 'errors' goes with on_error: dead_letter", n->plugin);
    else if (wanted && !v) document_fault(d, on_error->place, 11, "%s: on_error: dead_letter wants 'errors: NAME', and a sink with 'input: NAME'", n->plugin);
    else if (v) add_letters(d, p, n, v);
}

/* ---- inputs ---- */

static const char *suggest(struct document *d, const struct pipeline_config *p, const char *name) {
    const char **all = arena_zalloc(&d->arena, ((size_t)p->nodes + (size_t)p->letters + 1) * sizeof *all);
    int n = 0;
    for (int i = 0; i < p->nodes - p->sinks; i++) all[n++] = p->node[i].id;
    for (int i = 0; i < p->letters; i++) all[n++] = p->letter[i].name;
    return document_suggestion(d, name, all);
}

static void read_input(struct document *d, struct pipeline_config *p, int number) {
    struct node_config *n = &p->node[number];
    const struct yaml *v = yaml_get(n->options, "input");
    int above = n->kind == HR_SINK ? p->nodes - p->sinks - 1 : number - 1;
    n->input = above;
    if (!v) return;
    if (n->kind == HR_SOURCE) document_fault(d, v->place, 1, "%s: a source has no 'input'", n->plugin);
    else if (v->kind != YAML_SCALAR) document_fault(d, v->place, 1, "%s: several inputs are not supported: 'input' is the id of one node", n->plugin);
    else if (n->kind == HR_OPERATOR) {
        if (node_named(p, v->text) != above)
            document_fault(d, v->place, (int)strlen(v->text), "%s: the operators are one chain: each reads the node above it, here '%s'", n->plugin, p->node[above].id);
    } else {
        n->input = node_named(p, v->text);
        n->reads = letters_named(p, v->text);
        if (n->input >= p->nodes - p->sinks) document_fault(d, v->place, (int)strlen(v->text), "%s: input: '%s' is a sink: nothing comes out of it", n->plugin, v->text);
        else if (n->input < 0 && n->reads < 0)
            document_fault(d, v->place, (int)strlen(v->text), "%s: input: no node and no errors '%s'%s", n->plugin, v->text, suggest(d, p, v->text));
    }
}

/* Rule 3. */
static void check_read(struct document *d, const struct pipeline_config *p, int letters) {
    const struct yaml *first = NULL;
    for (int i = 0; i < p->nodes; i++) {
        if (p->node[i].reads == letters) return;
        if (p->node[i].letters == letters && !first) first = yaml_get(p->node[i].options, "errors");
    }
    document_fault(d, first->place, (int)strlen(first->text), "nobody reads the dead letters '%s': give a sink 'input: %s'", first->text, first->text);
}

void graph_read(struct document *d, struct pipeline_config *p) {
    p->letter = arena_zalloc(&d->arena, (size_t)p->nodes * sizeof *p->letter);
    for (int i = 0; i < p->nodes; i++) p->node[i].input = p->node[i].reads = p->node[i].letters = -1;
    for (int i = 0; i < p->nodes; i++) read_errors(d, p, &p->node[i]);
    for (int i = 0; i < p->nodes; i++) read_input(d, p, i);
    for (int i = 0; i < p->letters; i++) check_read(d, p, i);
}
