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
    document_fault(&p->document, c->place, (int)strlen(c->plugin), "no %s '%s'; %s%s%s", kind_word[c->kind],
                   c->plugin, near ? "did you mean '" : "`headrace plugins` lists those found", near ? near : "", near ? "'?" : "");
    return false;
}

static bool fill(struct plan *p, struct node *node) {
    static const char *const reserved[] = {"id", NULL}, *const reserved_sink[] = {"id", "mode", NULL};
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
    struct hr_bind b = {.in = i ? plan_input(p, i) : NULL, .id = node->id, .self = node->self, .host = &binding,
                        .record = p->config.limits.record.n};
    int before = p->document.faults;
    if (!call_bind(node, &b)) {
        if (p->document.faults == before) bind_fault(&b, NULL, "refused without a reason");
        return false;
    }
    node->schema = (struct hr_schema){binding.fields, binding.field};
    node->wanted = arena_zalloc(&p->arena, (size_t)binding.fields + 1);
    if (node->plugin->kind != HR_OPERATOR || !node->plugin->op.stateful) return p->document.faults == before;
    if (p->state >= 0) return bind_fault(&b, NULL, "a second stateful operator is refused for now");
    p->state = i;
    return p->document.faults == before;
}

static bool read_mode(struct plan *p) {
    static const struct { const char *name; enum hr_mode mode; } words[] = {
        {"append", HR_APPEND}, {"complete", HR_COMPLETE}, {"update", HR_UPDATE}};
    struct node *sink = plan_sink(p);
    struct yaml *v = sink->config->options ? yaml_get(sink->config->options, "mode") : NULL;
    enum hr_mode possible = p->state >= 0 ? HR_COMPLETE | HR_UPDATE : HR_APPEND;
    p->mode = p->state >= 0 ? HR_COMPLETE : HR_APPEND;
    struct hr_place place = v ? v->place : sink->config->place;
    if (v) {
        p->mode = 0;
        for (int i = 0; i < 3; i++)
            if (v->kind == YAML_SCALAR && !strcmp(v->text, words[i].name)) p->mode = words[i].mode;
    }
    if (!p->mode)
        document_fault(&p->document, place, 1, "%s: mode is append, complete or update", sink->plugin->name);
    else if (!(p->mode & possible))
        document_fault(&p->document, place, 1, "%s: mode %s", sink->plugin->name,
                       p->state >= 0 ? "append is for pipelines without group_by; use complete or update"
                                     : "complete and update need a group_by before the sink");
    else if (!(p->mode & sink->plugin->sink.modes))
        document_fault(&p->document, place, 1, "%s: this sink cannot do that mode", sink->plugin->name);
    else
        return true;
    return false;
}

/* From the sink back to the source: who needs which column. */
static void prune(struct plan *p) {
    for (int i = p->nodes - 1; i > 0; i--) {
        struct node *node = &p->node[i];
        uint8_t *in = p->node[i - 1].wanted;
        if (node->plugin->kind == HR_OPERATOR)
            node->plugin->op.need(node->self, node->wanted, in);
        else if (node->plugin->sink.need)
            node->plugin->sink.need(node->self, in);
        else
            memset(in, 1, (size_t)plan_input(p, i)->n);
        if (i - 1 == p->state) memset(in, 1, (size_t)plan_input(p, i)->n); /* the state holds them all */
    }
}

/* The plug-in and its required options: a topic, a path. */
static const char *source_identity(struct plan *p) {
    struct node *source = plan_source(p);
    const char *text = source->plugin->name;
    for (const struct hr_option *o = source->plugin->options; o && o->name; o++) {
        struct yaml *v = o->required && source->config->options ? yaml_get(source->config->options, o->name) : NULL;
        if (v && v->kind == YAML_SCALAR) text = arena_printf(&p->arena, "%s %s=%s", text, o->name, v->text);
        for (int i = 0; v && v->kind == YAML_LIST && i < v->n; i++)
            text = arena_printf(&p->arena, "%s %s=%s", text, o->name, v->entry[i].value->text);
    }
    return text;
}

static bool bind_all(struct plan *p) {
    bool ok = true;
    for (int i = 0; i < p->nodes; i++) ok &= find_plugin(p, &p->node[i], &p->config.node[i]);
    for (int i = 0; i < p->nodes; i++) ok &= p->node[i].plugin && fill(p, &p->node[i]);
    for (int i = 0; ok && i < p->nodes; i++) ok = bind_node(p, i);
    return ok && read_mode(p);
}

bool plan_load(struct plan *p, const char *path, const struct setting *settings, int n) {
    *p = (struct plan){.state = -1};
    if (!document_load(&p->document, path, settings, n)) return false;
    bool ok = pipeline_read(&p->document, &p->config);
    if (!p->config.nodes) return false;
    p->nodes = p->config.nodes;
    p->node = arena_zalloc(&p->arena, (size_t)p->nodes * sizeof *p->node);
    if (!bind_all(p) || !ok || p->document.faults) return false;
    prune(p);
    p->source = source_identity(p);
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
