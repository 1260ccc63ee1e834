/*
 * bind.h: what stands behind struct hr_bind while one node is bound.
 */
#ifndef HR_BIND_H
#define HR_BIND_H

#include "core/engine/plan.h"

struct binding {
    struct plan *plan;
    struct node *node;
    struct hr_field *field; /* the output so far, in the plan's arena */
    int fields, room;
};

bool bind_fault(struct hr_bind *, const void *field, const char *format, ...) HR_PRINTF(3, 4);
int bind_column(struct hr_bind *, const struct hr_name *);
int bind_output(struct hr_bind *, const char *name, struct hr_type);
void *bind_alloc(struct hr_bind *, size_t);
struct hr_expr *bind_expr(struct hr_bind *, const struct hr_sql *, struct hr_type *);
bool bind_schema(struct hr_bind *, const struct hr_sql *, struct hr_schema *);
struct hr_json *bind_json(struct hr_bind *, const struct hr_schema *, const struct hr_json_options *);
struct hr_groups *bind_groups(struct hr_bind *, const struct hr_map *keys, const struct hr_map *aggregates);
void bind_groups_need(const struct hr_groups *, uint8_t *in);
void bind_not_rereadable(struct hr_bind *, const char *why);

#endif
