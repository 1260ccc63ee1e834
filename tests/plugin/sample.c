/*
 * sample: keep one row of every few: an example of a plug-in outside headrace's tree.
 *
 *   operators:
 *     - sample: {every: 10}
 *
 * 1. Rows are chosen by their position in the source (offset, byte, id), so a restart chooses the same.
 * 2. Results of a group_by have no position: they pass.
 *
 * Build and use it (HACKING.md explains each part):
 *
 *   cc -std=gnu11 -shared -fPIC $(pkg-config --cflags headrace) sample.c -o sample.so
 *   headrace run pipeline.yaml --plugin-dir .
 */
#include <headrace/plugin.h>

#include <string.h>

struct sample {
    int64_t every;
    int columns;
};

static const struct hr_option options[] = {
    HR_REQUIRED(struct sample, every, "keep one row of this many"),
    {0},
};

static bool bind(void *self, struct hr_bind *b) {
    struct sample *s = self;
    if (s->every < 1) return hr_fault(b, &s->every, "every wants a number from 1, not %lld", (long long)s->every);
    s->columns = b->in->n;
    for (int i = 0; i < b->in->n; i++)
        if (hr_output(b, b->in->field[i].name, b->in->field[i].type) < 0) return false;
    return true;
}

static void need(const void *self, const uint8_t *out, uint8_t *in) {
    const struct sample *s = self;
    memcpy(in, out, (size_t)s->columns);
}

static bool process(const void *self, struct hr_lane *lane, const struct hr_batch *in, struct hr_batch *out) {
    const struct sample *s = self;
    for (int c = 0; c < s->columns; c++) out->column[c] = in->column[c];
    if (!in->position) return true;
    uint8_t *keep = hr_batch_alloc(lane, in->size);
    HR_EACH(in->rows, i) keep[i] = in->position[i] % s->every == 0;
    out->rows = hr_keep(lane, in->rows, keep);
    lane->counts->filtered += in->rows.n - out->rows.n;
    return true;
}

HR_PLUGIN(operator, sample) = {
    .kind = HR_OPERATOR,
    .name = "sample",
    .about = "keep one row of every few",
    .options = options,
    .self_size = sizeof(struct sample),
    .op = {.bind = bind, .need = need, .process = process},
};
HR_MODULE(HR_RECORD(operator, sample));
