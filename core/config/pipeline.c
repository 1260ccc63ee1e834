/* The fixed part of a pipeline file: top-level keys, nodes and their ids. */
#include "core/config/config.h"

#include <string.h>
#include <strings.h>

static const char *const known[] = {"version", "name", "trigger", "checkpoint", "source", "operators", "sink", "limits", NULL};

static void check_keys(struct document *d) {
    static const char *const graph[] = {"sources", "sinks", NULL};
    for (int i = 0; i < d->root->n; i++) {
        const struct yaml_entry *e = &d->root->entry[i];
        bool ok = false, planned = false;
        for (const char *const *k = known; *k; k++) ok |= !strcmp(*k, e->key);
        for (const char *const *k = graph; *k; k++) planned |= !strcmp(*k, e->key);
        if (planned) document_fault(d, e->key_place, (int)strlen(e->key), "'%s' is not supported: a pipeline is a chain of source, operators and sink", e->key);
        else if (!ok) document_fault(d, e->key_place, (int)strlen(e->key), "no key '%s'%s", e->key, document_suggestion(d, e->key, known));
    }
}

/* Text of a required or optional top-level key; NULL: none, or a fault. */
static const char *top_text(struct document *d, const char *key, bool required) {
    struct yaml *v = yaml_get(d->root, key);
    if (!v) {
        if (required) document_fault(d, d->root->place, 1, "'%s' is missing", key);
        return NULL;
    }
    if (v->kind == YAML_SCALAR && *v->text) return v->text;
    document_fault(d, v->place, 1, "'%s' wants one value", key);
    return NULL;
}

static void read_trigger(struct document *d, struct pipeline_config *p) {
    const char *text = top_text(d, "trigger", false);
    p->trigger_us = 5000000;
    if (!text) return;
    p->available_now = !strcmp(text, "available_now");
    if (!p->available_now && (!duration_parse(text, &p->trigger_us) || p->trigger_us <= 0))
        document_fault(d, yaml_get(d->root, "trigger")->place, (int)strlen(text), "trigger wants a duration such as 5s, or available_now, not '%s'", text);
}

static void read_head(struct document *d, struct pipeline_config *p) {
    const char *version = top_text(d, "version", true);
    if (version && strcmp(version, "1"))
        document_fault(d, yaml_get(d->root, "version")->place, (int)strlen(version), "version %s is not known: this is version 1", version);
    p->name = top_text(d, "name", true);
    for (const char *c = p->name; c && *c; c++)
        if ((unsigned char)*c < ' ') {
            document_fault(d, yaml_get(d->root, "name")->place, 1, "a name may not hold control characters");
            break;
        }
    p->checkpoint = top_text(d, "checkpoint", false);
    read_trigger(d, p);
    limits_read(d, &p->limits);
}

/* ---- nodes ---- */

/* `plugin: {options}` or just `plugin`. */
static bool read_node(struct document *d, const struct yaml *v, enum hr_kind kind, struct node_config *out) {
    *out = (struct node_config){.kind = kind, .plugin = v->text, .place = v->place};
    if (v->kind == YAML_SCALAR && *v->text) return true;
    if (v->kind != YAML_MAP || v->n != 1) {
        const struct hr_place at = v->kind == YAML_MAP && v->n > 1 ? v->entry[1].key_place : v->place;
        document_fault(d, at, 1, v->kind == YAML_MAP && v->n > 1
                       ? "one plug-in at a time: its options are indented below its name" : "a node is `plug-in: {options}`");
        return false;
    }
    const struct yaml *options = v->entry[0].value;
    out->plugin = v->entry[0].key;
    out->place = v->entry[0].key_place;
    if (options->kind == YAML_SCALAR && !*options->text) return true;
    if (options->kind != YAML_MAP) {
        document_fault(d, options->place, 1, "%s: options are a mapping", out->plugin);
        return false;
    }
    out->options = options;
    return true;
}

static int read_nodes(struct document *d, struct pipeline_config *p) {
    const struct yaml *source = yaml_get(d->root, "source"), *sink = yaml_get(d->root, "sink"),
                      *operators = yaml_get(d->root, "operators");
    int n = 0, count = operators && operators->kind == YAML_LIST ? operators->n : 0;
    p->node = arena_zalloc(&d->arena, ((size_t)count + 2) * sizeof *p->node);
    bool ok = source && sink;
    if (!source) document_fault(d, d->root->place, 1, "'source' is missing");
    if (!sink) document_fault(d, d->root->place, 1, "'sink' is missing");
    if (operators && operators->kind != YAML_LIST && !(operators->kind == YAML_SCALAR && !*operators->text)) {
        document_fault(d, operators->place, 1, "'operators' is a list");
        ok = false;
    }
    if (source) ok &= read_node(d, source, HR_SOURCE, &p->node[n++]);
    for (int i = 0; i < count; i++) ok &= read_node(d, operators->entry[i].value, HR_OPERATOR, &p->node[n++]);
    if (sink) ok &= read_node(d, sink, HR_SINK, &p->node[n++]);
    return ok ? n : 0;
}

/* ---- ids ---- */

static bool is_id(const char *s) {
    if (!*s || (*s >= '0' && *s <= '9')) return false;
    for (const char *p = s; *p; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || *p == '_')) return false;
    return strncasecmp(s, "hr_", 3) && strncasecmp(s, "sqlite_", 7);
}

static bool is_taken(const struct pipeline_config *p, const char *id) {
    for (int i = 0; i < p->nodes; i++)
        if (p->node[i].id && !strcasecmp(p->node[i].id, id)) return true;
    return false;
}

static void given_id(struct document *d, struct pipeline_config *p, struct node_config *n) {
    static const char *const reserved[] = {"input", "errors", NULL};
    for (const char *const *r = reserved; *r; r++) {
        struct yaml *v = yaml_get(n->options, *r);
        if (v) document_fault(d, v->place, 1, "%s: '%s' is not supported: each node reads the one before it", n->plugin, *r);
    }
    struct yaml *id = yaml_get(n->options, "id");
    if (!id) return;
    if (id->kind != YAML_SCALAR || !is_id(id->text))
        document_fault(d, id->place, 1, "%s: an id is letters, digits and _, does not begin with a digit, hr_ or sqlite_", n->plugin);
    else if (is_taken(p, id->text)) document_fault(d, id->place, (int)strlen(id->text), "%s: id '%s' is taken", n->plugin, id->text);
    else n->id = id->text;
}

/* Given ids first, so that a default never takes one away. */
static void give_ids(struct document *d, struct pipeline_config *p) {
    for (int i = 0; i < p->nodes; i++) given_id(d, p, &p->node[i]);
    for (int i = 0; i < p->nodes; i++) {
        struct node_config *n = &p->node[i];
        if (n->id) continue;
        const char *id = n->plugin;
        for (int k = 2; is_taken(p, id); k++) id = arena_printf(&d->arena, "%s_%d", n->plugin, k);
        n->id = id;
    }
}

bool pipeline_read(struct document *d, struct pipeline_config *p) {
    *p = (struct pipeline_config){0};
    check_keys(d);
    read_head(d, p);
    p->nodes = read_nodes(d, p);
    give_ids(d, p);
    return !d->faults;
}
