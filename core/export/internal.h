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
    int marks;               /* variables of the file: variables.c */
    const char **mark;
    const struct yaml **asked; /* values that the node put as a whole, with their variables */
    int asks;
    struct hr_buffer before; /* statements that the node needs before its own */
    struct hr_buffer body;   /* the node's expression */
    struct hr_buffer notes;  /* comments above it */
    struct store *store;     /* the checkpoint, with --with-state */
    struct groups *groups;   /* and its totals; NULL: there is no stateful node */
    struct hr_error *err;
};

static inline struct arena *program_arena(const struct program *p) { return &p->plan->arena; }
bool program_refuse(struct program *, struct hr_place, const char *format, ...) HR_PRINTF(3, 4);
void program_note(struct program *, const char *format, ...) HR_PRINTF(2, 3);

/* A schema as a Python string, or where it is long as a variable. */
const char *program_schema(struct program *, const char *text);

/* ---- variables.c ---- */

/* The text as it stands in the file with a mark for each ${NAME} that --set gives no value for. */
const char *variables_marked(struct program *, const char *raw);
/* A place in the value as one in the marked text. False: it lies within what a variable gave. */
bool variables_place(struct program *, const char *raw, size_t *place);
/* Is there a ${NAME} that --set gives no value for? Its name. */
bool variables_in(const struct program *, const char *raw, const char **name);

/* ---- sql.c ---- */

/* The SQL of an expression or of an aggregate call, with marks. NULL: Spark cannot take it, which is a fault now. */
const char *program_sql(struct program *, const struct hr_sql *);
const char *program_call_sql(struct program *, const struct hr_sql *, const struct hr_expr *argument);
/* The scalar of the file that stands at the place. */
const struct yaml *program_scalar(const struct program *, struct hr_place);
void program_asked(struct program *, const struct yaml *);
/* Say which values of the node are those of the export. */
void program_say_fixed(struct program *);

/* ---- names.c ---- */

/* A variable of the program that nothing else is called: the name wished for, or with a number behind it. */
const char *name_new(struct program *, const char *wish);
void names_of_nodes(struct program *);

/* ---- python.c ---- */

/* Text as a Python string, or where there are marks as an expression with the variables. */
const char *python_string(const struct program *, const char *text);
const char *python_value(struct program *, const char *raw);
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
