/* The simulated source, a pipe or a topic of some partitions, and an operator that finds some records bad. */
#include "tests/sim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- records ---- */

/* Every combination comes up: null keys, null numbers, doubles whose sum depends on the order unless it is exact. */
struct record record_at(int part, int64_t seq) {
    uint64_t h = mix(sim.seed * 1000003 + (uint64_t)part * 7919 + mix((uint64_t)seq));
    struct record r = {.key = (int)(h % KEYS), .no_n = (h >> 8) % 17 == 0, .n = (int64_t)((h >> 16) % 2000001) - 1000000};
    uint64_t g = mix(h);
    r.d = (int64_t)(g % 20000000001) - 10000000000;
    r.x_digits = (int64_t)(g >> 20 & 0xfffff) - 0x80000;
    r.x_exponent = (int)(g >> 44 & 63) - 24;
    r.bad = !r.no_n && ((r.n % 11) + 11) % 11 == 3;
    r.kept = !r.no_n && r.n % 7 != 0 && (!r.bad || sim.plan.policy == HR_ON_ERROR_NULL);
    return r;
}

double record_x(const struct record *r) { return ldexp((double)r->x_digits, r->x_exponent); }

int record_text(int part, int64_t seq, char out[48]) { return snprintf(out, 48, "%d.%lld", part, (long long)seq); }

/* ---- source ---- */

enum { PART, SEQ, K, T, N, D, X, S, COLUMNS };

struct source {
    int64_t next[PARTS], end[PARTS]; /* end: of this run; that of a partition that is not there yet is 0 */
    bool found[PARTS], ends;
    bool again;                      /* a range is read once more */
    void *host;
    struct hr_split split[PARTS];
    char name[PARTS][12];
    struct hr_position at[PARTS];
};

struct chunk {
    int part;
    int64_t first;
    char text[][48]; /* freed with the chunk: nobody may look at it later */
};

static bool bind_source(void *self, struct hr_bind *b) {
    (void)self;
    static const struct { const char *name; struct hr_type type; } columns[COLUMNS] = {
        {"part", {.id = HR_INT}}, {"seq", {.id = HR_BIGINT}}, {"k", {.id = HR_INT}}, {"t", {.id = HR_STRING}},
        {"n", {.id = HR_BIGINT}}, {"d", {HR_DECIMAL, 18, 2}}, {"x", {.id = HR_DOUBLE}}, {"s", {.id = HR_STRING}}};
    for (int i = 0; i < COLUMNS; i++) hr_output(b, columns[i].name, columns[i].type);
    if (sim.plan.pipe) hr_host->not_rereadable(b, "a simulated pipe");
    return true;
}

static int64_t there(int p) {
    if (sim.last) return sim.plan.records[p];
    if (sim.now < sim.plan.appears_us[p]) return 0;
    int64_t n = (sim.now - sim.plan.appears_us[p]) / sim.plan.spacing_us + 1;
    return n < sim.plan.records[p] ? n : sim.plan.records[p];
}

static int part_of(const char *split) {
    int p = split[0] - '0';
    if (p < 0 || p >= sim.plan.parts || split[1]) broken("the source is asked for a split '%s' that it never had", split);
    return p;
}

/* What was read from a pipe and is not in the checkpoint is gone. */
static void open_pipe(struct source *s) {
    if (sim.has_from && sim.from.at[0] < sim.pipe_at) {
        if (sim.losses == LOST) broken("the simulation has no room for another loss");
        sim.lost[sim.losses].from = sim.from.at[0];
        sim.lost[sim.losses++].to = sim.pipe_at;
        event("pipe: %lld to %lld are lost", (long long)sim.from.at[0], (long long)sim.pipe_at);
    } else if (!sim.has_from && sim.pipe_at) {
        sim.lost[sim.losses].from = 0;
        sim.lost[sim.losses++].to = sim.pipe_at;
    }
    s->next[0] = sim.pipe_at;
}

static void remember_from(struct hr_positions from) {
    sim.has_from = from.n > 0;
    memset(&sim.from, 0, sizeof sim.from);
    for (int i = 0; i < from.n; i++) sim.from.at[part_of(from.item[i].split)] = from.item[i].at;
}

static bool open_source(void *self, const struct hr_open *o) {
    struct source *s = self;
    event("source: open%s", o->until.n ? " to read again" : "");
    if (!sim_before(AT_SOURCE_OPEN, o->err)) return false;
    *s = (struct source){.host = o->host, .again = o->until.n > 0, .ends = o->bounded || sim.last};
    if (!s->again) remember_from(o->from);
    for (int p = 0; p < sim.plan.parts; p++) {
        snprintf(s->name[p], sizeof s->name[p], "%d", p);
        s->split[p] = (struct hr_split){.name = s->name[p], .index = p, .topic = "sim"};
        s->end[p] = s->again ? 0 : there(p);
        s->found[p] = s->end[p] > 0 || p == 0;
        if (sim.plan.latest && !o->from.n && !s->again) s->next[p] = s->end[p];
    }
    for (int i = 0; i < o->from.n; i++) s->next[part_of(o->from.item[i].split)] = o->from.item[i].at;
    for (int i = 0; i < o->until.n; i++) {
        int p = part_of(o->until.item[i].split);
        s->end[p] = o->until.item[i].at;
        s->found[p] = true; /* also where nothing was read of it */
    }
    if (sim.plan.pipe && s->again) broken("a pipe is to be read again");
    if (sim.plan.pipe) open_pipe(s);
    return sim_after(AT_SOURCE_OPEN, o->err);
}

/* The partition to read from, or -1. */
static int choose(struct source *s) {
    int can[PARTS], n = 0;
    for (int p = 0; p < sim.plan.parts; p++) {
        if (!s->again && !s->ends) s->end[p] = there(p);
        if (s->end[p] > 0) s->found[p] = true;
        if (s->next[p] < s->end[p]) can[n++] = p;
    }
    return n ? can[roll((uint64_t)n)] : -1;
}

static enum hr_poll nothing(struct source *s, struct hr_chunk *c) {
    c->retry_us = 1;
    waker_wake(s->host); /* what waits in earnest, waits no longer */
    return HR_IDLE;
}

static enum hr_poll poll_source(void *self, struct hr_chunk *c, struct hr_error *err) {
    struct source *s = self;
    if (!sim_before(AT_POLL, err)) return HR_FAILED;
    if (!sim.last && chance(15)) return nothing(s, c);
    int p = choose(s);
    if (p < 0) return s->ends || s->again ? HR_END : nothing(s, c);
    int64_t n = 1 + (int64_t)roll((uint64_t)sim.plan.chunk);
    if (n > s->end[p] - s->next[p]) n = s->end[p] - s->next[p];
    struct chunk *data = malloc(sizeof *data + (size_t)n * sizeof *data->text);
    data->part = p;
    data->first = s->next[p];
    for (int64_t i = 0; i < n; i++) record_text(p, data->first + i, data->text[i]);
    *c = (struct hr_chunk){.split = &s->split[p], .data = data, .records = (uint32_t)n};
    s->next[p] += n;
    if (sim.plan.pipe) sim.pipe_at = s->next[p];
    int room = s->again ? 4 : 4 * sim.lanes;
    if (++sim.out > room) broken("%d chunks are out, %d may be", sim.out, room);
    event("source: %d: %lld to %lld", p, (long long)data->first, (long long)s->next[p]);
    if (sim_after(AT_POLL, err)) return HR_CHUNK;
    sim.out--;
    free(data);
    return HR_FAILED;
}

static void put_text(struct hr_column *c, uint32_t i, const char *s, size_t n) {
    ((struct hr_text *)c->at)[i] = (struct hr_text){.p = s, .n = (uint32_t)n};
}

static void put_record(struct hr_column *c, uint32_t i, const struct chunk *data, int64_t at) {
    static char keys[KEYS][4];
    struct record r = record_at(data->part, data->first + at);
    bool null_key = r.key == KEYS - 1;
    snprintf(keys[r.key], sizeof keys[r.key], "g%02d", r.key);
    if (c[PART].at) ((int32_t *)c[PART].at)[i] = data->part;
    if (c[SEQ].at) ((int64_t *)c[SEQ].at)[i] = data->first + at;
    if (c[K].at) ((int32_t *)c[K].at)[i] = r.key;
    if (c[K].at && null_key) hr_set_null(&c[K], i);
    if (c[T].at) put_text(&c[T], i, keys[r.key], 3);
    if (c[T].at && null_key) hr_set_null(&c[T], i);
    if (c[N].at) ((int64_t *)c[N].at)[i] = r.n;
    if (c[N].at && r.no_n) hr_set_null(&c[N], i);
    if (c[D].at) ((hr_int128 *)c[D].at)[i] = r.d;
    if (c[X].at) ((double *)c[X].at)[i] = record_x(&r);
    if (c[S].at) put_text(&c[S], i, data->text[at], strlen(data->text[at]));
}

static bool fill(const void *self, struct hr_lane *lane, struct hr_chunk *c, struct hr_batch *out) {
    (void)self;
    const struct chunk *data = c->data;
    uint32_t left = c->records - (uint32_t)c->cursor;
    if (!left) return true;
    uint32_t n = 1 + (uint32_t)roll((uint64_t)sim.plan.batch);
    if (n > left) n = left;
    for (int k = 0; k < COLUMNS; k++)
        if (lane->wanted[k]) hr_column_make(lane, &out->column[k], n);
    int64_t *position = hr_batch_alloc(lane, n * sizeof *position);
    for (uint32_t i = 0; i < n; i++) {
        put_record(out->column, i, data, (int64_t)(c->cursor + i));
        position[i] = data->first + (int64_t)(c->cursor + i);
    }
    c->cursor += n;
    out->rows = (struct hr_rows){NULL, n};
    out->size = n;
    out->position = position;
    return true;
}

static void release(void *self, struct hr_chunk *c) {
    (void)self;
    sim.out--;
    free(c->data);
}

static struct hr_positions positions(void *self) {
    struct source *s = self;
    int n = 0;
    for (int p = 0; p < sim.plan.parts; p++)
        if (s->found[p]) s->at[n++] = (struct hr_position){s->name[p], s->next[p], NULL};
    return (struct hr_positions){n, s->at};
}

static bool caught_up(void *self) { return choose(self) < 0; }

static void close_source(void *self) {
    (void)self;
    if (sim.out) broken("%d chunks were not given back before the source is closed", sim.out);
}

const struct hr_plugin sim_source = {
    .kind = HR_SOURCE, .name = "sim_source", .self_size = sizeof(struct source),
    .source = {.bind = bind_source, .open = open_source, .poll = poll_source, .fill = fill, .release = release,
               .positions = positions, .caught_up = caught_up, .close = close_source}};

/* ---- the operator ---- */

struct check {
    int on_error;
    int n, s;
    int columns;
};

static const struct hr_option check_options[] = {HR_ON_ERROR(struct check), {0}};

static bool bind_check(void *self, struct hr_bind *b) {
    struct check *c = self;
    static const struct hr_name n = {.s = "n"}, s = {.s = "s"};
    c->n = hr_column_index(b, &n);
    c->s = hr_column_index(b, &s);
    c->columns = b->in->n;
    for (int i = 0; i < b->in->n; i++) hr_output(b, b->in->field[i].name, b->in->field[i].type);
    return true;
}

static void need(const void *self, const uint8_t *out, uint8_t *in) {
    const struct check *c = self;
    memcpy(in, out, (size_t)c->columns);
    in[c->n] = in[c->s] = 1;
}

static bool process(const void *self, struct hr_lane *lane, const struct hr_batch *in, struct hr_batch *out) {
    const struct check *c = self;
    const int64_t *n = in->column[c->n].at;
    const struct hr_text *s = in->column[c->s].at;
    HR_EACH(in->rows, i)
        if (!hr_is_null(&in->column[c->n], i) && ((n[i] % 11) + 11) % 11 == 3 && !hr_bad(lane, in, i, c->on_error, s[i], "it is 3 of 11"))
            return false;
    memcpy(out->column, in->column, (size_t)c->columns * sizeof *out->column);
    out->rows = hr_good_rows(lane, in->rows);
    return true;
}

const struct hr_plugin sim_check = {
    .kind = HR_OPERATOR, .name = "sim_check", .options = check_options, .self_size = sizeof(struct check),
    .op = {.bind = bind_check, .need = need, .process = process}};
