/* internal.h: what the files of core/config share. */
#ifndef HR_CONFIG_INTERNAL_H
#define HR_CONFIG_INTERNAL_H

#include "core/config/config.h"

/* ---- expand.c ---- */

/* What gives the values. */
struct expansion {
    const struct setting *setting; /* --set: before the environment */
    int settings;
    bool *used;                    /* which of them gave one */
    bool shown;                    /* the value is one that everybody sees: no secret may stand in it */
};
/* Replace ${NAME}, ${NAME:-default} and ${file:PATH}. On a fault returns the text as it was, after document_fault(). */
const char *expand(struct document *, struct hr_place, const char *text, const struct expansion *);

/* ---- fault.c ---- */

/* Hide the values of sources and sinks whose names say that they are secrets. */
void document_find_secrets(struct document *);

/* ---- graph.c ---- */

/* Who reads whom: `input` and `errors` of every node. Faults name what is not there. */
void graph_read(struct document *, struct pipeline_config *);
bool id_is_valid(const char *);

#endif
