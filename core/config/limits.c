/* `limits:` of a pipeline file: what bounds memory and disk, with defaults that are safe. */
#include "core/config/internal.h"

#include <string.h>

enum { LARGEST_RECORD = 512 << 20 /* lengths of text, and what becomes of it, are 32 bits */, DEEPEST = 1024 };

static const struct hr_option table[] = {
    HR_OPTION(struct limits, memory, "1GiB", "state in memory: beyond it, state moves to disk"),
    HR_OPTION(struct limits, state, "16GiB", "state of a node, wherever it is"),
    HR_OPTION(struct limits, groups, "100000000", "groups of a node"),
    HR_OPTION(struct limits, record, "16MiB", "one input record"),
    HR_OPTION(struct limits, depth, "64", "levels of JSON objects and arrays"),
    HR_OPTION(struct limits, outbox, "64MiB", "rows of one epoch that wait in the checkpoint for a sink"),
    {0},
};

static const struct range {
    const char *name;
    int64_t least, most;
    const char *words;
} ranges[] = {
    {"memory", 1 << 20, INT64_MAX, "1MiB at least"},
    {"state", 1, INT64_MAX, "1 at least"},
    {"groups", 1, 1000000000, "from 1 to 1000000000"},
    {"record", 1, LARGEST_RECORD, "from 1 to 512MiB"},
    {"depth", 1, DEEPEST, "from 1 to 1024"},
    {"outbox", 1, INT64_MAX, "1 at least"},
};

static int64_t *value_of(struct limits *l, const char *name) {
    const struct hr_option *o = table;
    while (strcmp(o->name, name)) o++;
    return (int64_t *)((char *)l + o->offset);
}

/* The value as it was filled in: its text may say it in other ways than a size, such as -5. */
static void check_range(struct document *d, const struct yaml *v, const struct range *r, int64_t n) {
    if (!v || (n >= r->least && n <= r->most)) return;
    document_fault(d, v->place, (int)strlen(v->text), "limits: %s is %s, not %s", r->name, r->words, v->text);
}

void limits_read(struct document *d, struct limits *l) {
    static const struct yaml none = {.kind = YAML_MAP};
    static const char *const reserved[] = {NULL};
    const struct yaml *v = yaml_get(d->root, "limits");
    if (v && v->kind != YAML_MAP) {
        document_fault(d, v->place, 1, "'limits' is a mapping: limits: {record: 16MiB, ...}");
        v = NULL;
    }
    /* What is no number is reported once: it leaves the field as it was, which is in its range. */
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) *value_of(l, ranges[i].name) = ranges[i].least;
    options_fill(d, v ? v : &none, table, "limits", reserved, l);
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        check_range(d, yaml_get(v, ranges[i].name), &ranges[i], *value_of(l, ranges[i].name));
}

void limits_print(const struct limits *l, FILE *out) {
    fputs("limits:", out);
    for (const struct hr_option *o = table; o->name; o++) {
        const int64_t *n = (const int64_t *)((const char *)l + o->offset);
        char size[24];
        if (o->type == HR_OPT_BYTES) fprintf(out, "%s %s %s", o == table ? "" : ",", o->name, bytes_text(*n, size));
        else fprintf(out, ", %s %lld", o->name, (long long)*n);
    }
    fputc('\n', out);
}
