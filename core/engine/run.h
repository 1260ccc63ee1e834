/*
 * run.h: one run of a plan: threads, signals, the checkpoint.
 */
#ifndef HR_RUN_H
#define HR_RUN_H

#include "core/engine/coordinator.h"

/* What tests/simulate.c replaces: threads, signals and the clock. */
struct run_driver {
    int64_t (*now)(void); /* microseconds, never backwards */
    /* Steps lanes and coordinator until the coordinator is done, or sets its `failed` and `err`. */
    void (*drive)(struct coordinator *, struct lane *, int lanes);
};

struct run_options {
    int lanes;              /* 0: run_default_lanes() */
    const char *data_dir;   /* what the paths of sinks are beneath; NULL: the current folder */
    void (*report)(const struct plan *, const struct epoch_report *); /* may be NULL */
    struct hr_counts *counts; /* of every node: what this run committed is added; may be NULL */
    struct profile *profile; /* the sum of what all threads spent; NULL: nobody wants to know */
    const struct run_driver *driver; /* NULL: threads, signals and the machine's clock */
};

/* Run until the source ends or a signal asks to stop. Returns the exit code; err is filled if not 0. */
int run_plan(const struct plan *, const struct run_options *, struct hr_error *);

/* One a processor, at most 4. */
int run_default_lanes(void);

/* Has a signal asked this process to finish? */
bool run_stopping(void);

/* The checkpoint as the plan declares it. */
struct store_job;
struct store_job job_of(const struct plan *, struct arena *);

#endif
