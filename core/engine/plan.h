/*
 * plan.h: a bound pipeline: every node with its options filled, its columns typed and pruned.
 * A plan is immutable after plan_bind() and owns everything it points to until plan_free().
 */
#ifndef HR_PLAN_H
#define HR_PLAN_H

#include "core/config/config.h"
#include "core/data/json.h"
#include "core/expr/expr.h"
#include "core/plugin/registry.h"
#include "core/state/groups.h"

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
    struct hr_schema schema; /* of its output; a sink's is empty */
    uint8_t *wanted;         /* of its output, by the nodes after it */
    struct hr_groups *groups;
    const struct node_config *config;
};

struct plan {
    struct arena arena;
    struct document document;
    struct pipeline_config config;
    int nodes;
    struct node *node;      /* source, operators, sink */
    int state;              /* the stateful node, or -1 */
    enum hr_mode mode;      /* of the sink */
    const char *source;     /* what identifies the source for the checkpoint */
    const char *not_rereadable; /* why the source cannot be read again, or NULL */
};

/* Load, bind and prune. False: the document's faults say why (document_print). */
bool plan_load(struct plan *, const char *path, const struct setting *, int n_settings);
void plan_free(struct plan *);
/* Is what is held of the node's state within `limits:`? */
bool plan_state_fits(const struct node *, const struct groups *held, struct hr_error *);

static inline struct node *plan_source(const struct plan *p) { return &p->node[0]; }
static inline struct node *plan_sink(const struct plan *p) { return &p->node[p->nodes - 1]; }
/* Nodes 1..plan_lane_end-1 run in the lanes; the operators behind a stateful one on its result. */
static inline int plan_lane_end(const struct plan *p) { return p->state >= 0 ? p->state + 1 : p->nodes - 1; }
/* The columns that node i reads. */
static inline const struct hr_schema *plan_input(const struct plan *p, int i) { return &p->node[i - 1].schema; }

/* The table that plug-ins call. */
extern const struct hr_host engine_host;

#endif
