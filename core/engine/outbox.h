/*
 * outbox.h: rows as bytes, for the checkpoint: what a source that cannot be read again gave to a sink.
 */
#ifndef HR_OUTBOX_H
#define HR_OUTBOX_H

#include "core/base/base.h"

void outbox_put(struct hr_buffer *, const struct hr_schema *, const struct hr_batch *);
/* False also where the rows that were put are of another schema. each(ctx, batch) for every batch that was put; its memory is the arena's, which is reset for each. */
bool outbox_get(const char *p, size_t n, const char *sink, const struct hr_schema *, struct arena *,
                bool (*each)(void *ctx, const struct hr_batch *), void *ctx, struct hr_error *);

#endif
