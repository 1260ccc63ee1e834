/*
 * null: takes every row and shows none: for benchmarks, and for jobs whose result is the checkpoint.
 *
 *   sink: null
 *
 * 1. Every column counts as read, so nothing is pruned away that another sink would need.
 */
#include <headrace/plugin.h>

static bool take(void *self, const struct hr_batch *batch, struct hr_error *err) {
    (void)self, (void)batch, (void)err;
    return true;
}

static bool spark(const void *self, struct hr_spark *s) {
    (void)self;
    return hr_spark_put(s, "%s.writeStream.format(\"noop\")", s->input);
}

HR_PLUGIN(sink, null) = {
    .kind = HR_SINK,
    .name = "null",
    .about = "take every row and show none",
    .spark = spark,
    .sink = {.modes = HR_APPEND | HR_COMPLETE | HR_UPDATE, .write = take},
};
HR_MODULE(HR_RECORD(sink, null));
