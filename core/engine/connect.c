/* One look at the source, for `check --connect` and `state --connect`. */
#include "core/engine/connect.h"
#include "core/engine/replay.h"

bool connect_source(const struct plan *p, struct hr_positions from, int64_t *lag, struct hr_error *err) {
    const struct hr_source *source = &plan_source(p)->plugin->source;
    void *self = plan_source(p)->self;
    struct waker waker;
    waker_init(&waker);
    struct hr_open open = {.from = from, .bounded = true, .job = p->config.name, .err = err, .host = &waker};
    bool ok = source_open(p, &open);
    *lag = -1;
    if (ok && source->lag && !source->lag(self, lag)) *lag = -1;
    source_close(p);
    waker_destroy(&waker);
    return ok;
}
