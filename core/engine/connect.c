/* One look at the source, for `check --connect` and `state --connect`. */
#include "core/engine/connect.h"
#include "core/engine/feed.h"

bool connect_source(const struct plan *p, struct hr_positions from, int64_t *lag, struct hr_error *err) {
    const struct node *node = plan_source(p);
    const struct hr_source *source = &node->plugin->source;
    struct waker waker;
    waker_init(&waker);
    struct hr_open open = {.from = from, .bounded = true, .job = p->config.name, .err = err, .host = &waker};
    bool ok = !source->open || source->open(node->self, &open);
    *lag = -1;
    if (ok && source->lag && !source->lag(node->self, lag)) *lag = -1;
    if (source->close) source->close(node->self);
    waker_destroy(&waker);
    return ok;
}
