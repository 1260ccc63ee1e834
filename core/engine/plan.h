/*
 * plan.h: a bound pipeline: every node with its options filled, its columns typed and pruned.
 * A plan is immutable after plan_load() and owns everything it points to until plan_free().
 */
#ifndef HR_PLAN_H
#define HR_PLAN_H

#include "core/config/config.h"
#include "core/data/json.h"
#include "core/expr/expr.h"
#include "core/plugin/registry.h"
#include "core/state/groups.h"

#include <stdatomic.h>

/* The keyed state of one node: what is evaluated and folded, and how it is kept. */
struct hr_groups {
    struct groups_shape shape;
    struct hr_expr **key, **arg; /* arg[a] NULL: count(*) */
    const struct limits *limits;
    const char *signature;       /* text of keys and aggregates: must match at restart */
};

struct node {
    const char *id;
    const struct hr_plugin *plugin;
    const char *from; /* "built in", or the module's path */
    void *self;
    void *bound;             /* self as bind() left it: what every open() finds */
    struct hr_schema schema; /* of its output; a sink's is empty */
    uint8_t *wanted;         /* of its output, by the nodes that read it */
    struct hr_groups *groups;
    enum hr_mode mode;       /* of a sink */
    const char *target;      /* of a source or sink: plug-in and required options: what the checkpoint knows it by */
    const struct node_config *config;
    atomic_bool *bad_said;   /* its first bad row was told; all that changes in a plan */
};

/* Dead letters as rows: letters.c. */
extern const struct hr_schema letters_schema;

struct plan {
    struct arena arena;
    struct document document;
    struct pipeline_config config;
    int nodes, sinks;
    struct node *node;      /* source, operators, sinks */
    int state;              /* the stateful node, or -1 */
    const char *not_rereadable; /* why the source cannot be read again, or NULL */
};

/* Load, bind and prune. False: the document's faults say why (document_print). */
bool plan_load(struct plan *, const char *path, const struct setting *, int n_settings);
void plan_free(struct plan *);
/* Is what is held of the node's state within `limits:`? */
bool plan_state_fits(const struct node *, const struct groups *held, struct hr_error *);

static inline struct node *plan_source(const struct plan *p) { return &p->node[0]; }
static inline int plan_first_sink(const struct plan *p) { return p->nodes - p->sinks; }
/* Nodes 0..plan_lane_end-1 run in the lanes; the operators behind a stateful one on its result. */
static inline int plan_lane_end(const struct plan *p) { return p->state >= 0 ? p->state + 1 : plan_first_sink(p); }
/* What node i reads. */
static inline const struct hr_schema *plan_input(const struct plan *p, int i) {
    const struct node_config *c = p->node[i].config;
    return c->reads >= 0 ? &letters_schema : &p->node[c->input].schema;
}
/* Is there a sink that takes rows as they come through? */
static inline bool plan_appends(const struct plan *p) {
    for (int i = plan_first_sink(p); i < p->nodes; i++)
        if (p->node[i].mode == HR_APPEND) return true;
    return false;
}

/* The table that plug-ins call. */
extern const struct hr_host engine_host;

#endif
