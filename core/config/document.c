/* A YAML file to a tree: libyaml's events, and what a pipeline file may not hold. */
#include "core/config/internal.h"
#include "core/data/value.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

enum { MOST_BYTES = 1 << 20, MOST_DEPTH = 32 };

struct loader {
    struct document *document;
    yaml_parser_t parser;
    struct expansion expansion;
    int depth;
};

static struct hr_place nowhere(const struct document *d) { return (struct hr_place){.file = d}; }

static struct hr_place place(const struct document *d, yaml_mark_t m) {
    return (struct hr_place){(int)m.line + 1, (int)m.column + 1, d};
}

/* ---- the file ---- */

static bool read_file(struct document *d, FILE *f) {
    struct stat st;
    if (fstat(fileno(f), &st)) return document_fault(d, nowhere(d), 1, "cannot be read: %s", strerror(errno)), false;
    if (S_ISDIR(st.st_mode))
        return document_fault(d, nowhere(d), 1, "is a directory"), false;
    size_t room = S_ISREG(st.st_mode) && st.st_size < MOST_BYTES ? (size_t)st.st_size : MOST_BYTES;
    d->source = arena_alloc(&d->arena, room + 2);
    d->size = fread(d->source, 1, room + 1, f);
    if (ferror(f)) return document_fault(d, nowhere(d), 1, "cannot be read: %s", strerror(errno)), false;
    if (d->size > MOST_BYTES) return document_fault(d, nowhere(d), 1, "is larger than 1 MiB"), false;
    if (d->size >= 3 && !memcmp(d->source, "\xEF\xBB\xBF", 3)) {
        d->source += 3;
        d->size -= 3;
    }
    d->source[d->size] = '\0';
    return true;
}

/* Why the character at p, of `size` bytes, cannot stand in a pipeline file, or NULL. */
static const char *unfit(const char *p, size_t size, uint32_t code) {
    if (!size) return "this is not UTF-8";
    if (code == '\n' || code == '\t' || (code == '\r' && p[1] == '\n')) return NULL;
    /* YAML ends a line at these too, and so would count other lines than an editor does */
    if (code == '\r' || code == 0x85 || code == 0x2028 || code == 0x2029)
        return "this is a line break that is neither LF nor CRLF (CR, U+0085, U+2028 or U+2029)";
    if (code == 0) return "this is a NUL byte";
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0xfffe || code == 0xffff ? "this is a control character, which YAML does not allow" : NULL;
}

/* Everything behind this can rely on text that is text. */
static bool check_text(struct document *d) {
    struct hr_place at = {1, 1, d};
    for (size_t i = 0, size; i < d->size; i += size, at.column++) {
        uint32_t code = 0;
        size = hr_utf8((const unsigned char *)d->source + i, d->size - i, &code);
        const char *why = unfit(d->source + i, size, code);
        if (why) return document_fault(d, at, 1, "%s", why), false;
        if (code == '\n') at = (struct hr_place){at.line + 1, 0, d};
    }
    return true;
}

/* ---- events ---- */

/* The parser's own words, and what mostly lies behind them. */
static void parse_fault(struct loader *l) {
    const yaml_parser_t *p = &l->parser;
    if (p->error == YAML_MEMORY_ERROR) out_of_memory();
    struct hr_place at = place(l->document, p->problem_mark);
    const char *hint = p->context && strstr(p->context, "flow")    ? "; a value with ${...}, a comma or a colon inside {} or []? quote it"
                       : p->problem && strstr(p->problem, "start any") ? "; a value that begins with a backquote, @ or %? quote it"
                                                                       : "";
    document_fault(l->document, at, 1, "YAML: %s%s%s%s", p->problem ? p->problem : "cannot be parsed",
                   p->context ? " " : "", p->context ? p->context : "", hint);
}

static bool next(struct loader *l, yaml_event_t *e) {
    if (yaml_parser_parse(&l->parser, e)) return true;
    parse_fault(l);
    return false;
}

/* Anchors and tags have no meaning here; the node itself is kept, so that its faults show too. */
static void refuse_decoration(struct loader *l, const yaml_event_t *e, const yaml_char_t *anchor, const yaml_char_t *tag) {
    if (anchor) document_fault(l->document, place(l->document, e->start_mark), 1, "anchors and aliases are refused: write it out");
    if (tag) document_fault(l->document, place(l->document, e->start_mark), 1, "tags are refused");
}

static struct yaml *node(struct loader *l, const yaml_event_t *e, enum yaml_kind kind) {
    struct yaml *y = arena_zalloc(&l->document->arena, sizeof *y);
    y->kind = kind;
    y->place = place(l->document, e->start_mark);
    y->end = place(l->document, e->end_mark);
    y->text = "";
    return y;
}

static struct yaml *build(struct loader *, yaml_event_t *);

static struct yaml *build_scalar(struct loader *l, const yaml_event_t *e) {
    struct yaml *y = node(l, e, YAML_SCALAR);
    refuse_decoration(l, e, e->data.scalar.anchor, e->data.scalar.tag);
    y->text = arena_strndup(&l->document->arena, (const char *)e->data.scalar.value, e->data.scalar.length);
    y->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    y->folded = e->data.scalar.style != YAML_LITERAL_SCALAR_STYLE && e->end_mark.line > e->start_mark.line;
    if (memchr(y->text, '\0', e->data.scalar.length)) document_fault(l->document, y->place, 1, "a value may not hold a NUL character");
    return y;
}

static void add(struct loader *l, struct yaml *y, struct yaml_entry entry) {
    if ((y->n & (y->n - 1)) == 0) { /* full at every power of two */
        struct yaml_entry *more = arena_alloc(&l->document->arena, (size_t)(y->n ? 2 * y->n : 1) * sizeof *more);
        if (y->n) memcpy(more, y->entry, (size_t)y->n * sizeof *more);
        y->entry = more;
    }
    y->entry[y->n++] = entry;
}

static bool build_key(struct loader *l, const struct yaml *map, const yaml_event_t *e, struct yaml_entry *entry) {
    entry->key_place = place(l->document, e->start_mark);
    if (e->type != YAML_SCALAR_EVENT) {
        document_fault(l->document, entry->key_place, 1, "a key is a plain word");
        return false;
    }
    entry->key = build_scalar(l, e)->text;
    if (yaml_get(map, entry->key))
        document_fault(l->document, entry->key_place, (int)strlen(entry->key), "'%s' stands here twice", entry->key);
    return true;
}

/* What stands at the top (name, checkpoint, ...) and a node's id show in many places. */
static void expand_value(struct loader *l, struct yaml_entry *entry) {
    if (entry->value->kind != YAML_SCALAR) return;
    l->expansion.shown = l->depth == 1 || (entry->key && !strcmp(entry->key, "id"));
    entry->value->raw = entry->value->text;
    entry->value->text = expand(l->document, entry->value->place, entry->value->raw, &l->expansion);
}

static struct yaml *build_map(struct loader *l, const yaml_event_t *start) {
    struct yaml *y = node(l, start, YAML_MAP);
    refuse_decoration(l, start, start->data.mapping_start.anchor, start->data.mapping_start.tag);
    yaml_event_t e;
    while (next(l, &e)) {
        if (e.type == YAML_MAPPING_END_EVENT) {
            y->end = place(l->document, e.end_mark);
            yaml_event_delete(&e);
            return y;
        }
        struct yaml_entry entry = {0};
        bool ok = build_key(l, y, &e, &entry);
        yaml_event_delete(&e);
        if (!ok || !next(l, &e)) return NULL;
        entry.value = build(l, &e);
        if (!entry.value) return NULL;
        expand_value(l, &entry);
        add(l, y, entry);
    }
    return NULL;
}

static struct yaml *build_list(struct loader *l, const yaml_event_t *start) {
    struct yaml *y = node(l, start, YAML_LIST);
    refuse_decoration(l, start, start->data.sequence_start.anchor, start->data.sequence_start.tag);
    yaml_event_t e;
    while (next(l, &e)) {
        if (e.type == YAML_SEQUENCE_END_EVENT) {
            y->end = place(l->document, e.end_mark);
            yaml_event_delete(&e);
            return y;
        }
        struct yaml_entry entry = {.value = build(l, &e)};
        if (!entry.value) return NULL;
        expand_value(l, &entry);
        add(l, y, entry);
    }
    return NULL;
}

/* The node that begins with this event, which is deleted. NULL: parsing cannot go on. */
static struct yaml *build(struct loader *l, yaml_event_t *e) {
    struct yaml *y = NULL;
    if (++l->depth > MOST_DEPTH) document_fault(l->document, place(l->document, e->start_mark), 1, "nested deeper than %d levels", MOST_DEPTH);
    else if (e->type == YAML_SCALAR_EVENT) y = build_scalar(l, e);
    else if (e->type == YAML_MAPPING_START_EVENT) y = build_map(l, e);
    else if (e->type == YAML_SEQUENCE_START_EVENT) y = build_list(l, e);
    else {
        document_fault(l->document, place(l->document, e->start_mark), 1, "anchors and aliases are refused: write it out");
        y = node(l, e, YAML_SCALAR);
    }
    l->depth--;
    yaml_event_delete(e);
    return y;
}

static void build_document(struct loader *l) {
    struct document *d = l->document;
    yaml_event_t e;
    for (bool more = true; more && next(l, &e);) {
        if (e.type == YAML_STREAM_START_EVENT || e.type == YAML_DOCUMENT_END_EVENT) {
            yaml_event_delete(&e);
            continue;
        }
        if (e.type == YAML_DOCUMENT_START_EVENT && !d->root) {
            yaml_event_delete(&e);
            if (!next(l, &e)) return;
            d->root = build(l, &e);
            more = d->root != NULL;
            continue;
        }
        if (e.type != YAML_STREAM_END_EVENT) document_fault(d, place(d, e.start_mark), 3, "a second document: one file is one pipeline");
        more = false;
        yaml_event_delete(&e);
    }
}

/* A later --set of the same name counts. */
static bool is_overridden(const struct setting *settings, int n, int i) {
    for (int k = i + 1; k < n; k++)
        if (!strcmp(settings[k].name, settings[i].name)) return true;
    return false;
}

static void parse(struct document *d, const struct setting *settings, int n_settings) {
    struct loader l = {.document = d, .expansion = {.setting = settings, .settings = n_settings}};
    l.expansion.used = arena_zalloc(&d->arena, (size_t)n_settings + 1);
    if (!yaml_parser_initialize(&l.parser)) out_of_memory();
    yaml_parser_set_input_string(&l.parser, (const unsigned char *)d->source, d->size);
    build_document(&l);
    yaml_parser_delete(&l.parser);
    document_find_secrets(d);
    if (d->faults) return;
    if (!d->root || (d->root->kind == YAML_SCALAR && !*d->root->text && !d->root->quoted))
        document_fault(d, nowhere(d), 1, "is empty: a pipeline file is a YAML mapping (version, name, source, ...)");
    else if (d->root->kind != YAML_MAP)
        document_fault(d, d->root->place, 1, "a pipeline file is a YAML mapping (version, name, source, ...), not a %s",
                       d->root->kind == YAML_LIST ? "list" : "scalar");
    for (int i = 0; !d->faults && i < n_settings; i++)
        if (!l.expansion.used[i] && !is_overridden(settings, n_settings, i))
            document_fault(d, nowhere(d), 1, "--set %s: the file has no ${%s}", settings[i].name, settings[i].name);
}

bool document_load(struct document *d, const char *path, const struct setting *settings, int n_settings) {
    *d = (struct document){.path = path};
    FILE *f = fopen(path, "re");
    if (!f) {
        document_fault(d, nowhere(d), 1, "cannot be read: %s", strerror(errno));
        return false;
    }
    bool ok = read_file(d, f);
    fclose(f);
    if (ok && check_text(d)) parse(d, settings, n_settings);
    return !d->faults;
}

void document_free(struct document *d) { arena_free(&d->arena); }

struct yaml *yaml_get(const struct yaml *map, const char *key) {
    for (int i = 0; map && map->kind == YAML_MAP && i < map->n; i++)
        if (map->entry[i].key && !strcmp(map->entry[i].key, key)) return map->entry[i].value;
    return NULL;
}
