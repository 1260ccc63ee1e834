/* The fixed part of a pipeline file: top-level keys, nodes and their ids. */
#include "core/config/internal.h"

#include <string.h>
#include <strings.h>

static const char *const known[] = {"version", "name", "trigger", "checkpoint", "source", "operators", "sink", "sinks", "limits", NULL};

static void check_keys(struct document *d) {
    for (int i = 0; i < d->root->n; i++) {
        const struct yaml_entry *e = &d->root->entry[i];
        bool ok = false;
        for (const char *const *k = known; *k; k++) ok |= !strcmp(*k, e->key);
        if (!strcmp(e->key, "sources")) document_fault(d, e->key_place, 7, "'sources' is not supported: a pipeline has one source");
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

/* It stands in lines that a terminal shows. */
static bool has_control(const char *text) {
    uint32_t code = 0;
    for (size_t left = strlen(text), n; left; text += n, left -= n)
        if (!(n = hr_utf8((const unsigned char *)text, left, &code)) || hr_is_control(code)) return true;
    return false;
}

static void read_head(struct document *d, struct pipeline_config *p) {
    const char *version = top_text(d, "version", true);
    if (version && strcmp(version, "1"))
        document_fault(d, yaml_get(d->root, "version")->place, (int)strlen(version), "version %s is not known: this is version 1", version);
    p->name = top_text(d, "name", true);
    if (p->name && has_control(p->name)) document_fault(d, yaml_get(d->root, "name")->place, 1, "a name may not hold control characters");
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

/* A list that may be left out, or empty. NULL: it is neither. */
static const struct yaml *list_of(struct document *d, const char *key) {
    static const struct yaml empty = {.kind = YAML_LIST};
    const struct yaml *v = yaml_get(d->root, key);
    if (!v || (v->kind == YAML_SCALAR && !*v->text)) return &empty;
    if (v->kind == YAML_LIST) return v;
    document_fault(d, v->place, 1, "'%s' is a list", key);
    return NULL;
}

/* `sink`, or the list `sinks`. */
static const struct yaml *sinks_of(struct document *d) {
    const struct yaml *one = yaml_get(d->root, "sink"), *several = yaml_get(d->root, "sinks");
    if (one && several) {
        document_fault(d, several->place, 1, "'sink' and 'sinks' are both given: several sinks are all in the list 'sinks'");
        return NULL;
    }
    if (one) {
        struct yaml *list = arena_zalloc(&d->arena, sizeof *list);
        *list = (struct yaml){.kind = YAML_LIST, .place = one->place, .n = 1,
                              .entry = arena_zalloc(&d->arena, sizeof *list->entry)};
        list->entry[0].value = (struct yaml *)one;
        return list;
    }
    const struct yaml *list = list_of(d, "sinks");
    if (!list || list->n) return list;
    document_fault(d, several ? several->place : d->root->place, 1, several ? "'sinks' has no sink" : "'sink' is missing");
    return NULL;
}

static bool read_nodes(struct document *d, struct pipeline_config *p) {
    const struct yaml *source = yaml_get(d->root, "source"), *sinks = sinks_of(d), *operators = list_of(d, "operators");
    bool ok = source && sinks && operators;
    if (!source) document_fault(d, d->root->place, 1, "'source' is missing");
    int n = 0, count = (operators ? operators->n : 0) + (sinks ? sinks->n : 0);
    p->node = arena_zalloc(&d->arena, ((size_t)count + 1) * sizeof *p->node);
    if (source) ok &= read_node(d, source, HR_SOURCE, &p->node[n++]);
    for (int i = 0; operators && i < operators->n; i++) ok &= read_node(d, operators->entry[i].value, HR_OPERATOR, &p->node[n++]);
    for (int i = 0; sinks && i < sinks->n; i++) ok &= read_node(d, sinks->entry[i].value, HR_SINK, &p->node[n++]);
    p->nodes = ok ? n : 0;
    p->sinks = ok ? sinks->n : 0;
    return ok;
}

/* ---- ids ---- */

bool id_is_valid(const char *s) {
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
    struct yaml *id = yaml_get(n->options, "id");
    if (!id) return;
    if (id->kind != YAML_SCALAR || !id_is_valid(id->text))
        document_fault(d, id->place, 1, "%s: an id is letters, digits and _, does not begin with a digit, hr_ or sqlite_", n->plugin);
    else if (is_taken(p, id->text)) document_fault(d, id->place, (int)strlen(id->text), "%s: id '%s' is taken", n->plugin, id->text);
    else n->id = id->text;
}

/* How many nodes before i are named after the same plug-in: mostly, that many names are taken. */
static int named_before(const struct pipeline_config *p, int i) {
    int n = 0;
    for (int k = 0; k < i; k++) n += !strcmp(p->node[k].plugin, p->node[i].plugin) && !yaml_get(p->node[k].options, "id");
    return n;
}

/* Given ids first, so that a default never takes one away. */
static void give_ids(struct document *d, struct pipeline_config *p) {
    for (int i = 0; i < p->nodes; i++) given_id(d, p, &p->node[i]);
    for (int i = 0; i < p->nodes; i++) {
        struct node_config *n = &p->node[i];
        if (n->id) continue;
        const char *id = n->plugin;
        for (int k = 1 + named_before(p, i); is_taken(p, id); k++) id = arena_printf(&d->arena, "%s_%d", n->plugin, k);
        n->id = id;
    }
}

bool pipeline_read(struct document *d, struct pipeline_config *p) {
    *p = (struct pipeline_config){0};
    check_keys(d);
    read_head(d, p);
    if (read_nodes(d, p)) {
        give_ids(d, p);
        graph_read(d, p);
    }
    return !d->faults;
}
