/*
 * config.h: a pipeline file as a tree with places, the faults found in it, and options filled from
 * tables.  Knows YAML and tables, and no plug-in by name.
 * Everything returned lives in the document's arena until document_free().
 */
#ifndef HR_CONFIG_H
#define HR_CONFIG_H

#include "core/base/base.h"

enum yaml_kind { YAML_SCALAR, YAML_MAP, YAML_LIST };

struct yaml {
    enum yaml_kind kind;
    struct hr_place place;  /* of its first character (file = the document) */
    struct hr_place end;    /* behind its last */
    const char *text;       /* scalar: after ${} expansion */
    const char *raw;        /* scalar: as it stands in the file */
    bool quoted;
    bool folded;            /* scalar: of several lines of the file, that YAML makes one of */
    int n;
    struct yaml_entry *entry;
};
struct yaml_entry {
    const char *key; /* NULL in a list */
    struct hr_place key_place;
    struct yaml *value;
};

struct yaml_fault {
    struct hr_place place;
    int width; /* of the carets */
    const char *text;
};

struct setting { /* --set NAME=VALUE */
    const char *name, *value;
};
struct secret { /* part of the file that no excerpt may show */
    struct hr_place from, to;
};

struct document {
    struct arena arena;
    const char *path;
    char *source;     /* the file's bytes */
    size_t size;
    struct yaml *root;
    int faults;
    struct yaml_fault *fault;
    int secrets;
    struct secret *secret;
};

/* Read, parse and expand. False when faults were found so far (also: unreadable, empty, larger than
 * 1 MiB, not a mapping, duplicate keys, anchors and aliases, unset ${NAME} without default). */
bool document_load(struct document *, const char *path, const struct setting *settings, int n_settings);
void document_fault(struct document *, struct hr_place, int width, const char *format, ...) HR_PRINTF(4, 5);
/* Fault at byte `at`, `n` bytes long, of a scalar's text: its place in the file if the text stands
 * there verbatim, else the scalar's start. */
void document_fault_in(struct document *, struct hr_place scalar, const char *text, size_t at, size_t n,
                       const char *format, ...) HR_PRINTF(6, 7);
/* No excerpt will show this value, and no line at all. */
void document_hide(struct document *, const struct yaml *);
/* All faults, in the order of the file, each "path:line:col: text", the line, the carets. */
void document_print(const struct document *, FILE *);
void document_free(struct document *);
/* "; did you mean 'x'?" or "". candidates ends with NULL. */
const char *document_suggestion(struct document *, const char *name, const char *const *candidates);

/* Entry of a map, or NULL. */
struct yaml *yaml_get(const struct yaml *map, const char *key);

/* Fill the struct from the map by the table: types, choices, defaults, required, unknown options with
 * "did you mean". `reserved` names keys to skip ("id"). `who` begins each fault: "to_date". */
bool options_fill(struct document *, const struct yaml *map, const struct hr_option *table,
                  const char *who, const char *const *reserved, void *self);
/* The table as text for `headrace plugins NAME`, and the beginning of a line of it. */
void options_print(const struct hr_option *table, FILE *);
void option_print(const char *name, const char *takes, const char *help, FILE *);

bool duration_parse(const char *text, int64_t *us);
bool bytes_parse(const char *text, int64_t *n);
/* 16777216 as "16MiB". Returns out. */
const char *bytes_text(int64_t n, char out[24]);

/* `limits:`: each with a default, and each may change between runs. */
struct limits {
    struct hr_bytes memory; /* of state in memory: beyond it, state moves to disk */
    struct hr_bytes state;  /* of one node's state, wherever it is */
    int64_t groups;         /* of one node */
    struct hr_bytes record; /* of one input record */
    int64_t depth;          /* levels of JSON */
    struct hr_bytes outbox; /* of an epoch's rows that wait in the checkpoint for a sink */
};
void limits_read(struct document *, struct limits *);
void limits_print(const struct limits *, FILE *);

/* The pipeline file's fixed part. Nodes are in order: source, operators, sinks. */
struct node_config {
    const char *plugin;  /* its name */
    const char *id;      /* unique */
    enum hr_kind kind;
    struct hr_place place;      /* of the plug-in's name */
    const struct yaml *options; /* its map; may be NULL */
    int input;                  /* number of the node it reads; -1: none, or dead letters */
    int reads;                  /* a sink: number of the dead letters it reads; -1: none */
    int letters;                /* number of the dead letters it writes; -1: none */
};
struct letters_config { /* `errors: NAME`: bad rows of one node or of several */
    const char *name;
};
struct pipeline_config {
    const char *name;
    bool available_now;
    int64_t trigger_us;
    const char *checkpoint; /* NULL: none */
    struct limits limits;
    int nodes, sinks; /* the sinks are the last of the nodes */
    struct node_config *node;
    int letters;
    struct letters_config *letter;
};
bool pipeline_read(struct document *, struct pipeline_config *);

#endif
