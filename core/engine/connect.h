/*
 * connect.h: ask what stands behind a plan, without a run: nothing is read, written or committed.
 */
#ifndef HR_CONNECT_H
#define HR_CONNECT_H

#include "core/engine/plan.h"

/* Open the source as a bounded run would that goes on at `from`, and close it again: false and err where it cannot be
 * opened (no answer, no such topic, records gone). *lag: records between `from` and the end; -1 where the source
 * does not count them. */
bool connect_source(const struct plan *, struct hr_positions from, int64_t *lag, struct hr_error *);

#endif
