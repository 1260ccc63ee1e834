/* internal.h: what the files of core/export share: the program while it is written. */
#ifndef HR_EXPORT_INTERNAL_H
#define HR_EXPORT_INTERNAL_H

#include "core/export/export.h"
#include "core/state/store.h"

struct program {
    struct hr_spark spark; /* of the node being written; its host is this */
    struct plan *plan;
    const struct export_options *options;
    const struct node *node;
    const char **variable;   /* of each node */
    int names;               /* taken by nodes and what they need */
    const char **name;
    struct hr_buffer before; /* statements that the node needs before its own */
    struct hr_buffer body;   /* the node's expression */
    struct hr_buffer notes;  /* comments above it */
    struct store *store;     /* the checkpoint, with --with-state */
    struct groups *groups;   /* and its totals; NULL: there is no stateful node */
    struct hr_error *err;
};

static inline struct arena *program_arena(const struct program *p) { return &p->plan->arena; }
bool program_refuse(struct program *, struct hr_place, const char *format, ...) HR_PRINTF(3, 4);
/* The SQL of an expression that stands in the file, for Spark. One that holds a secret is refused, and NULL. */
const char *program_sql(struct program *, const struct hr_sql *);
void program_note(struct program *, const char *format, ...) HR_PRINTF(2, 3);

/* ---- names.c ---- */

/* A variable of the program that nothing else is called: the name wished for, or with a number behind it. */
const char *name_new(struct program *, const char *wish);
void names_of_nodes(struct program *);

/* ---- python.c ---- */

/* A Python string, or an expression that reads the variables of `raw` from the environment. */
const char *python_string(struct arena *, const char *text);
const char *python_value(const struct program *, const char *raw);
/* A column's name as SQL wants it. */
const char *python_sql_name(struct arena *, const char *name);
/* A chain: one line, or in parentheses with a line for each link. */
void python_statement(struct hr_buffer *, const char *variable, const char *chain);

/* ---- comments.c ---- */

/* The file's comments that belong to the top, to node i, and to the trigger and checkpoint. */
enum { COMMENTS_TOP = -1, COMMENTS_RUN = -2 };
void comments_put(const struct plan *, int of, struct hr_buffer *);

/* ---- totals.c ---- */

bool totals_put(struct program *, const struct hr_map *keys, const struct hr_map *aggregates);
/* The totals of the checkpoint to the folder. */
bool totals_write(struct program *);

#endif
