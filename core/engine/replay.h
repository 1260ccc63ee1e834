/*
 * replay.h: a range of the source once more, through the same operators.
 */
#ifndef HR_REPLAY_H
#define HR_REPLAY_H

#include "core/engine/lane.h"

/* Open the source for the range, call take(ctx, work) for each chunk in order, close it. State is not touched.
 * HR_EDATALOSS where the source does not end at `until`: what was taken is not the epoch then.
 * False without an error where a signal asked to end in between: nothing of the range may count as published. */
bool replay(const struct plan *, struct hr_positions from, struct hr_positions until,
            bool (*take)(void *ctx, const struct work *), void *ctx, struct hr_error *);

/* Open and close the source or a sink: `self` is as bind() left it. */
bool source_open(const struct plan *, const struct hr_open *);
void source_close(const struct plan *);

#endif
