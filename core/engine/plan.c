/* From a pipeline file to a bound plan: options, bind forward, prune backward. */
#include "core/engine/plan.h"
#include "core/engine/bind.h"

#include <string.h>

static const char *const kind_word[] = {"", "source", "operator", "sink"};

static bool find_plugin(struct plan *p, struct node *node, const struct node_config *c) {
    const struct registered *r = registry_find(c->kind, c->plugin);
    node->config = c;
    node->id = c->id;
    if (r) {
        node->plugin = r->plugin;
        node->from = r->from;
        return true;
    }
    const char *near = closest(c->plugin, registry_names(c->kind));
    document_fault(&p->document, c->place, (int)strlen(c->plugin), "no %s '%s'; %s%s%s", kind_word[c->kind], c->plugin,
                   near ? "did you mean '" : "none is built in, nor a module of ", near ? near : *registry_folders() ? registry_folders() : "any folder", near ? "'?" : "");
    return false;
}

static bool fill(struct plan *p, struct node *node) {
    static const char *const reserved[] = {"id", "input", "errors", NULL},
                             *const reserved_sink[] = {"id", "input", "errors", "mode", NULL};
    static const struct yaml empty = {.kind = YAML_MAP};
    static const struct hr_option none[] = {{0}};
    struct yaml *here = NULL;
    if (!node->config->options) {
        here = arena_zalloc(&p->arena, sizeof *here);
        *here = empty;
        here->place = node->config->place;
    }
    node->self = arena_zalloc(&p->arena, node->plugin->self_size + 1);
    return options_fill(&p->document, here ? here : node->config->options,
                        node->plugin->options ? node->plugin->options : none, node->plugin->name,
                        node->config->kind == HR_SINK ? reserved_sink : reserved, node->self);
}

static bool call_bind(struct node *node, struct hr_bind *b) {
    switch (node->plugin->kind) {
    case HR_SOURCE: return node->plugin->source.bind(node->self, b);
    case HR_OPERATOR: return node->plugin->op.bind(node->self, b);
    default: return !node->plugin->sink.bind || node->plugin->sink.bind(node->self, b);
    }
}

static bool bind_node(struct plan *p, int i) {
    struct node *node = &p->node[i];
    struct binding binding = {.plan = p, .node = node};
    struct hr_bind b = {.in = i ? plan_input(p, i) : NULL, .id = node->id, .mode = node->mode, .self = node->self,
                        .host = &binding, .record = p->config.limits.record.n};
    int before = p->document.faults;
    if (!call_bind(node, &b)) {
        if (p->document.faults == before) bind_fault(&b, NULL, "refused without a reason");
        return false;
    }
    node->schema = (struct hr_schema){binding.fields, binding.field};
    node->bad_said = arena_zalloc(&p->arena, sizeof *node->bad_said);
    node->wanted = arena_zalloc(&p->arena, (size_t)binding.fields + 1);
    node->bound = arena_alloc(&p->arena, node->plugin->self_size + 1);
    memcpy(node->bound, node->self, node->plugin->self_size);
    return p->document.faults == before;
}

/* ---- sinks ---- */

static bool read_mode(struct plan *p, struct node *sink) {
    static const struct { const char *name; enum hr_mode mode; } words[] = {
        {"append", HR_APPEND}, {"complete", HR_COMPLETE}, {"update", HR_UPDATE}};
    struct yaml *v = sink->config->options ? yaml_get(sink->config->options, "mode") : NULL;
    bool behind = p->state >= 0 && sink->config->input >= p->state;
    int possible = behind ? HR_COMPLETE | HR_UPDATE : HR_APPEND;
    sink->mode = behind ? HR_COMPLETE : HR_APPEND;
    struct hr_place place = v ? v->place : sink->config->place;
    const char *reads = sink->config->reads >= 0 ? p->config.letter[sink->config->reads].name : p->node[sink->config->input].id;
    if (v) {
        sink->mode = 0;
        for (int i = 0; i < 3; i++)
            if (v->kind == YAML_SCALAR && !strcmp(v->text, words[i].name)) sink->mode = words[i].mode;
    }
    if (!sink->mode)
        document_fault(&p->document, place, 1, "%s: mode is append, complete or update", sink->plugin->name);
    else if (!(sink->mode & possible))
        document_fault(&p->document, place, 1, behind ? "%s: '%s' gives the totals of an epoch: mode is complete or update, or another input"
                                                      : "%s: '%s' gives rows as they come: mode complete and update are for what comes behind a group_by",
                       sink->plugin->name, reads);
    else if (!(sink->mode & sink->plugin->sink.modes))
        document_fault(&p->document, place, 1, "%s: this sink cannot do mode %s", sink->plugin->name,
                       sink->mode == HR_APPEND ? "append" : sink->mode == HR_UPDATE ? "update" : "complete");
    else
        return true;
    return false;
}

/* Behind a group_by a row stands for many records: it has no place, and comes again with every epoch. */
static void check_letters(struct plan *p) {
    for (int i = p->state < 0 ? p->nodes : p->state; i < p->nodes; i++) {
        const struct node *node = &p->node[i];
        if (node->config->letters < 0) continue;
        document_fault(&p->document, yaml_get(node->config->options, "errors")->place, 1,
                       "%s: dead letters are of records: behind '%s' there are none", node->plugin->name, p->node[p->state].id);
    }
}

/* The state is worth something without a sink: it can be looked at. Other operators are not. */
static void check_unread(struct plan *p) {
    int last = plan_first_sink(p) - 1;
    for (int i = plan_first_sink(p); i < p->nodes; i++)
        if (p->node[i].config->input == last) return;
    if (last == p->state || last == 0) return;
    document_fault(&p->document, p->node[last].config->place, (int)strlen(p->node[last].plugin->name),
                   "%s: nobody reads '%s': give a sink 'input: %s', or leave it out", p->node[last].plugin->name, p->node[last].id, p->node[last].id);
}

/* Mark what node i needs of the node it reads, beside what others need. */
static void need(struct plan *p, int i) {
    struct node *node = &p->node[i];
    int columns = plan_input(p, i)->n;
    if (node->config->input < 0) return;
    uint8_t *wanted = p->node[node->config->input].wanted, *in = arena_zalloc(&p->arena, (size_t)columns + 1);
    if (node->plugin->kind == HR_OPERATOR) node->plugin->op.need(node->self, node->wanted, in);
    else if (node->plugin->sink.need) node->plugin->sink.need(node->self, in);
    else memset(in, 1, (size_t)columns);
    if (node->config->input == p->state) memset(in, 1, (size_t)columns); /* the state holds them all */
    for (int c = 0; c < columns; c++) wanted[c] |= in[c];
}

/* From the sinks back to the source: who needs which column. */
static void prune(struct plan *p) {
    for (int i = p->nodes - 1; i > 0; i--) need(p, i);
}

/* The plug-in and its required options: a topic, a path. */
static const char *target_of(struct plan *p, const struct node *node) {
    const char *text = node->plugin->name;
    for (const struct hr_option *o = node->plugin->options; o && o->name; o++) {
        struct yaml *v = o->required && node->config->options ? yaml_get(node->config->options, o->name) : NULL;
        if (v && v->kind == YAML_SCALAR) text = arena_printf(&p->arena, "%s %s=%s", text, o->name, v->text);
        for (int i = 0; v && v->kind == YAML_LIST && i < v->n; i++)
            text = arena_printf(&p->arena, "%s %s=%s", text, o->name, v->entry[i].value->text);
    }
    return secret_identity(&p->arena, text);
}

static bool is_stateful(const struct node *n) { return n->plugin && n->plugin->kind == HR_OPERATOR && n->plugin->op.stateful; }

static void find_state(struct plan *p) {
    for (int i = 0; i < plan_first_sink(p); i++) {
        if (!is_stateful(&p->node[i])) continue;
        if (p->state < 0) p->state = i;
        else document_fault(&p->document, p->node[i].config->place, 1, "%s: a second stateful operator is refused for now", p->node[i].plugin->name);
    }
}

/* Is every plug-in known up to node i? What an unknown one would give nobody knows. */
static bool is_known(const struct plan *p, int i) {
    for (; i >= 0; i--)
        if (!p->node[i].plugin) return false;
    return true;
}

/* As many faults as can be told: a node is bound where its options are good and what it reads is known. */
static void bind_all(struct plan *p) {
    bool *good = arena_zalloc(&p->arena, (size_t)p->nodes);
    for (int i = 0; i < p->nodes; i++) good[i] = find_plugin(p, &p->node[i], &p->config.node[i]) && fill(p, &p->node[i]);
    find_state(p);
    for (int i = 0; i < p->nodes; i++) {
        struct node *node = &p->node[i];
        const struct node_config *c = node->config;
        bool sink = i >= plan_first_sink(p);
        if (sink && c->input < 0 && c->reads < 0) continue; /* a fault already */
        if (sink && node->plugin && is_known(p, c->input)) good[i] &= read_mode(p, node);
        good[i] = good[i] && (c->input < 0 || good[c->input]) && bind_node(p, i);
    }
    if (p->document.faults) return;
    check_letters(p);
    check_unread(p);
}

bool plan_load(struct plan *p, const char *path, const struct setting *settings, int n) {
    *p = (struct plan){.state = -1};
    if (!document_load(&p->document, path, settings, n)) return false;
    bool ok = pipeline_read(&p->document, &p->config);
    if (!p->config.nodes) return false;
    p->nodes = p->config.nodes;
    p->sinks = p->config.sinks;
    p->node = arena_zalloc(&p->arena, (size_t)p->nodes * sizeof *p->node);
    bind_all(p);
    if (!ok || p->document.faults) return false;
    prune(p);
    for (int i = 0; i < p->nodes; i++)
        if (p->node[i].plugin->kind != HR_OPERATOR) p->node[i].target = target_of(p, &p->node[i]);
    return true;
}

bool plan_state_fits(const struct node *n, const struct groups *held, struct hr_error *err) {
    const struct limits *limits = n->groups->limits;
    char size[24];
    if (groups_count(held) > limits->groups)
        return error_set(err, HR_EFAIL, "%s: %u groups are more than limits.groups (%lld)", n->id, groups_count(held), (long long)limits->groups);
    if (groups_bytes(held) > (uint64_t)limits->state.n)
        return error_set(err, HR_EFAIL, "%s: %zu bytes of state are more than limits.state (%s)", n->id, groups_bytes(held),
                         bytes_text(limits->state.n, size));
    return true;
}

void plan_free(struct plan *p) {
    document_free(&p->document);
    arena_free(&p->arena);
}
