/*
 * generator: rows made of expressions: for demos, benchmarks and long runs.
 *
 *   source:
 *     generator:
 *       rows: 1000000
 *       rate: 50000
 *       seed: 7
 *       columns: {seller: id % 500, amount: "xxhash64(id, seed) % 100000 / 100.0D"}
 *
 * 1. Row number id (0, 1, ...) has the columns given, as expressions over id BIGINT and seed BIGINT:
 *    the same rows every time. Without columns the row is id alone.
 * 2. rows: how many; 0 for no end. rate: rows a second, counted from the start of each run; 0 for as fast
 *    as they are taken.
 * 3. The position is the next id, so a restart goes on where the checkpoint was.
 * 4. available_now needs rows: without an end nothing is ever "all there is".
 */
#include <headrace/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CHUNK = 8 * HR_BATCH };

struct generator {
    int64_t rows, rate, seed;
    struct hr_map columns;

    struct hr_expr **expr;
    int outputs;
    struct hr_split split;
    int64_t next, first, end; /* ids: of the next chunk, where this run began and where it ends; end 0: nowhere */
    int64_t opened_us;
    struct hr_position at;
};

static const struct hr_option options[] = {
    HR_OPTION(struct generator, rows, "0", "how many rows; 0: no end"),
    HR_OPTION(struct generator, rate, "0", "rows a second; 0: as fast as they are taken"),
    HR_OPTION(struct generator, seed, "0", "value of the column seed"),
    HR_OPTION(struct generator, columns, NULL, "name: expression over id and seed (default: id)"),
    {0},
};

static const struct hr_field inputs[] = {{"id", {.id = HR_BIGINT}}, {"seed", {.id = HR_BIGINT}}};
static const struct hr_schema input_schema = {2, inputs};

static bool bind(void *self, struct hr_bind *b) {
    struct generator *g = self;
    static const struct hr_map_item only_id[] = {{.name = "id", .value = {.s = "id"}}};
    struct hr_bind inner = *b;
    if (g->rows < 0) return hr_fault(b, &g->rows, "rows is 0 or more");
    if (g->rate < 0) return hr_fault(b, &g->rate, "rate is 0 or more");
    if (!g->columns.n) g->columns = (struct hr_map){1, only_id};
    inner.in = &input_schema;
    g->outputs = g->columns.n;
    g->expr = hr_pipeline_alloc(b, (size_t)g->outputs * sizeof *g->expr);
    bool ok = true;
    for (int i = 0; i < g->outputs; i++) {
        const struct hr_map_item *item = &g->columns.item[i];
        struct hr_type type;
        if (!*item->name) return hr_fault(b, &item->value, "a mapping is wanted: {name: expression}");
        g->expr[i] = hr_expr_bind(&inner, &item->value, &type);
        ok &= g->expr[i] && hr_output(b, item->name, type) >= 0;
    }
    return ok;
}

static int64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static bool open_(void *self, const struct hr_open *o) {
    struct generator *g = self;
    g->end = o->until.n ? o->until.item[0].at : g->rows;
    if (o->bounded && !g->end) return hr_fail(o->err, HR_EFAIL, "generator: available_now needs rows: there is no end");
    g->split = (struct hr_split){.name = "generator"};
    g->next = g->first = o->from.n ? o->from.item[0].at : 0;
    g->opened_us = now_us();
    return true;
}

/* How many rows the rate allows by now beyond those handed out. */
static int64_t allowed(const struct generator *g, int64_t *retry_us) {
    if (!g->rate) return CHUNK;
    __int128 due = (__int128)(now_us() - g->opened_us) * g->rate / 1000000;
    __int128 n = due - (g->next - g->first);
    if (n <= 0) *retry_us = 1000000 / g->rate + 100;
    return n < CHUNK ? (int64_t)n : CHUNK;
}

static enum hr_poll poll_(void *self, struct hr_chunk *chunk, struct hr_error *err) {
    (void)err;
    struct generator *g = self;
    int64_t left = g->end ? g->end - g->next : CHUNK;
    if (left <= 0) return HR_END;
    int64_t n = allowed(g, &chunk->retry_us);
    if (n <= 0) return HR_IDLE;
    if (n > left) n = left;
    if (n > CHUNK) n = CHUNK;
    *chunk = (struct hr_chunk){.split = &g->split, .data = (void *)(intptr_t)g->next, .records = (uint32_t)n};
    g->next += n;
    return HR_CHUNK;
}

static void put_inputs(const struct generator *g, struct hr_lane *lane, int64_t first, uint32_t n, struct hr_batch *in) {
    in->columns = 2;
    in->column = hr_batch_alloc(lane, 2 * sizeof *in->column);
    for (int k = 0; k < 2; k++) {
        in->column[k] = (struct hr_column){hr_batch_alloc(lane, n * sizeof(int64_t)), NULL, inputs[k].type};
        int64_t *to = in->column[k].at;
        for (uint32_t i = 0; i < n; i++) to[i] = k ? g->seed : first + i;
    }
    in->rows = (struct hr_rows){NULL, n};
    in->size = n;
    in->position = in->column[0].at;
}

static bool fill(const void *self, struct hr_lane *lane, struct hr_chunk *chunk, struct hr_batch *out) {
    const struct generator *g = self;
    uint32_t n = chunk->records - (uint32_t)chunk->cursor;
    if (n > HR_BATCH) n = HR_BATCH;
    if (!n) return true;
    struct hr_batch in = *out;
    put_inputs(g, lane, (int64_t)(intptr_t)chunk->data + (int64_t)chunk->cursor, n, &in);
    chunk->cursor += n;
    out->rows = in.rows;
    out->size = n;
    out->position = in.position;
    for (int i = 0; i < g->outputs; i++)
        if (lane->wanted[i] && !hr_eval(lane, g->expr[i], &in, &out->column[i])) return false;
    return true;
}

static struct hr_positions positions(void *self) {
    struct generator *g = self;
    g->at = (struct hr_position){"generator", g->next, NULL};
    return (struct hr_positions){1, &g->at};
}

/* Nothing is there before it is asked for, unless there is an end: then all of it is. */
static bool caught_up(void *self) {
    const struct generator *g = self;
    return g->end ? g->next >= g->end : true;
}

HR_PLUGIN(source, generator) = {
    .kind = HR_SOURCE,
    .name = "generator",
    .about = "make rows of expressions",
    .options = options,
    .self_size = sizeof(struct generator),
    .source = {.bind = bind, .open = open_, .poll = poll_, .fill = fill, .positions = positions, .caught_up = caught_up},
};
HR_MODULE(HR_RECORD(source, generator));
