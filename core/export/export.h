/*
 * export.h: a plan as a program for another engine.
 */
#ifndef HR_EXPORT_H
#define HR_EXPORT_H

#include "core/engine/run.h"

struct export_options {
    const char *state;              /* folder that the totals are written to; NULL: start from nothing */
    const struct setting *setting;  /* --set: values that are written out, not left as variables */
    int settings;
};

/* Append a PySpark program. False: faults are in the plan's document, or err says why. */
bool export_spark(struct plan *, const struct export_options *, struct hr_buffer *, struct hr_error *);

#endif
