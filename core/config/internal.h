/* internal.h: what the files of core/config share. */
#ifndef HR_CONFIG_INTERNAL_H
#define HR_CONFIG_INTERNAL_H

#include "core/config/config.h"

/* ---- expand.c ---- */

/* Replace ${NAME} and ${NAME:-default}; settings come before the environment. On a fault returns the
 * text as it was, after document_fault(). used[i] is set where setting i gave a value. */
const char *expand(struct document *, struct hr_place, const char *text, const struct setting *, int n_settings,
                   bool *used);

/* ---- graph.c ---- */

/* Who reads whom: `input` and `errors` of every node. Faults name what is not there. */
void graph_read(struct document *, struct pipeline_config *);
bool id_is_valid(const char *);

#endif
