/* The simulated sinks. Two kinds: one that remembers holds an epoch back and shows it at once with its number; a plain one
 * shows rows as they are written. What was shown outlasts everything. */
#include "tests/sim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct sink {
    const char *name;
    struct sim_sink *sink;
    const struct hr_schema *rows;
};

static const struct hr_option options[] = {HR_REQUIRED(struct sink, name, "which of the simulation's sinks"), {0}};

static int column(const struct sink *k, const char *name) {
    for (int i = 0; i < k->rows->n; i++)
        if (!strcmp(k->rows->field[i].name, name)) return i;
    broken("sink %s: no column '%s'", k->name, name);
}

static const void *value(const struct sink *k, const struct hr_batch *b, uint32_t i, const char *name) {
    const struct hr_column *c = &b->column[column(k, name)];
    if (!c->at) broken("sink %s: column '%s' is not there", k->name, name);
    return hr_is_null(c, i) ? NULL : hr_value(c, i);
}

static int64_t integer(const struct sink *k, const struct hr_batch *b, uint32_t i, const char *name) {
    const int64_t *v = value(k, b, i, name);
    if (!v) broken("sink %s: '%s' is null", k->name, name);
    return *v;
}

static bool is_text(const struct hr_text *t, const char *s) { return t && t->n == strlen(s) && !memcmp(t->p, s, t->n); }

/* ---- rows ---- */

static int key_of(const struct sink *k, const struct hr_batch *b, uint32_t i) {
    const void *v = value(k, b, i, sim.plan.text_key ? "t" : "k");
    if (!v) return KEYS - 1;
    if (!sim.plan.text_key) return *(const int32_t *)v;
    const struct hr_text *t = v;
    if (t->n != 3 || t->p[0] != 'g') broken("sink %s: a key that no record has", k->name);
    return (t->p[1] - '0') * 10 + t->p[2] - '0';
}

static struct shown_row total_row(const struct sink *k, const struct hr_batch *b, uint32_t i) {
    struct shown_row r = {.key = key_of(k, b, i), .c = integer(k, b, i, "c"), .no_n = !value(k, b, i, "n")};
    if (!r.no_n) {
        r.n = integer(k, b, i, "n");
        r.least = integer(k, b, i, "least");
        r.most = integer(k, b, i, "most");
    }
    r.d = *(const hr_int128 *)value(k, b, i, "d");
    r.x = *(const double *)value(k, b, i, "x");
    return r;
}

/* The values of a record are what they were at the source. */
static struct shown_row record_row(const struct sink *k, const struct hr_batch *b, uint32_t i) {
    int part = *(const int32_t *)value(k, b, i, "part");
    int64_t seq = integer(k, b, i, "seq");
    struct record r = record_at(part, seq);
    char text[48];
    record_text(part, seq, text);
    const int64_t *n = value(k, b, i, "n");
    const int32_t *key = value(k, b, i, "k");
    if (r.no_n ? n != NULL : !n || *n != r.n) broken("sink %s: n of %s is another", k->name, text);
    if (r.key == KEYS - 1 ? key != NULL : !key || *key != r.key) broken("sink %s: k of %s is another", k->name, text);
    if (*(const hr_int128 *)value(k, b, i, "d") != r.d) broken("sink %s: d of %s is another", k->name, text);
    if (*(const double *)value(k, b, i, "x") != record_x(&r)) broken("sink %s: x of %s is another", k->name, text);
    if (!is_text(value(k, b, i, "s"), text)) broken("sink %s: s of %s is another", k->name, text);
    return (struct shown_row){.part = part, .seq = seq};
}

static struct shown_row letter_row(const struct sink *k, const struct hr_batch *b, uint32_t i) {
    int part = *(const int32_t *)value(k, b, i, "partition");
    int64_t seq = integer(k, b, i, "offset");
    char text[48];
    record_text(part, seq, text);
    if (!is_text(value(k, b, i, "value"), text) || !is_text(value(k, b, i, "topic"), "sim") ||
        !is_text(value(k, b, i, "node"), "checked") || !is_text(value(k, b, i, "reason"), "it is 3 of 11"))
        broken("sink %s: the dead letter of %s is another", k->name, text);
    return (struct shown_row){.part = part, .seq = seq};
}

static void add(struct show *s, struct shown_row r) {
    if (s->n == s->room) {
        s->room = s->room ? 2 * s->room : 16;
        s->row = xrealloc(s->row, (size_t)s->room * sizeof *s->row);
    }
    s->row[s->n++] = r;
}

/* ---- the calls ---- */

static bool open_sink(void *self, const struct hr_sink_open *o) {
    struct sink *k = self;
    if (!sim_before(AT_SINK_OPEN, o->err)) return false;
    for (int i = 0; i < sim.plan.sinks; i++)
        if (!strcmp(sim.sink[i].id, k->name)) k->sink = &sim.sink[i];
    k->rows = o->rows;
    k->sink->open = true;
    k->sink->begun = false;
    k->sink->next = 0;
    return sim_after(AT_SINK_OPEN, o->err);
}

static bool remembered(void *self, int64_t *epoch, struct hr_error *err) {
    const struct sim_sink *s = ((struct sink *)self)->sink;
    if (!sim_before(AT_REMEMBERED, err)) return false;
    *epoch = s->shows ? s->show[s->shows - 1].epoch : 0;
    event("sink %s: remembers %lld", s->id, (long long)*epoch);
    return sim_after(AT_REMEMBERED, err);
}

static struct show *show_add(struct sim_sink *s, struct show show) {
    s->show = xrealloc(s->show, ((size_t)s->shows + 1) * sizeof *s->show);
    s->show[s->shows] = show;
    return &s->show[s->shows++];
}

/* Where rows go now. */
static struct show *current(struct sim_sink *s) { return s->remembers ? &s->held : &s->show[s->shows - 1]; }

static bool begin(void *self, int64_t epoch, struct hr_error *err) {
    struct sim_sink *s = ((struct sink *)self)->sink;
    if (!sim_before(AT_BEGIN, err)) return false;
    event("sink %s: begin %lld", s->id, (long long)epoch);
    if (!s->open || s->begun) broken("sink %s: begin comes to a sink that is not ready", s->id);
    if (s->next && epoch != s->next) broken("sink %s: epoch %lld begins, %lld is next", s->id, (long long)epoch, (long long)s->next);
    if (epoch <= s->clean && !s->remembers) broken("sink %s: epoch %lld is shown again although the run ended well", s->id, (long long)epoch);
    s->begun = true;
    s->next = epoch;
    struct show show = {.epoch = epoch, .run = sim.run};
    if (s->remembers) free(s->held.row), s->held = show;
    else show_add(s, show);
    return sim_after(AT_BEGIN, err);
}

static bool write_rows(void *self, const struct hr_batch *b, struct hr_error *err) {
    struct sink *k = self;
    struct sim_sink *s = k->sink;
    if (!sim_before(AT_WRITE, err)) return false;
    if (!s->begun) broken("sink %s: rows come before begin", s->id);
    event("sink %s: %u rows", s->id, b->rows.n);
    HR_EACH(b->rows, i)
        add(current(s), s->reads == AT_BAD ? letter_row(k, b, i) : s->mode == HR_APPEND ? record_row(k, b, i) : total_row(k, b, i));
    if (!sim.last && chance(3)) sim.busy_until = sim.now + (int64_t)roll(5000); /* it is full for a while */
    return sim_after(AT_WRITE, err);
}

static bool flush_sink(void *self, struct hr_error *err) {
    struct sim_sink *s = ((struct sink *)self)->sink;
    if (!sim_before(AT_FLUSH, err)) return false;
    if (!s->begun) broken("sink %s: flush comes before begin", s->id);
    event("sink %s: flush", s->id);
    return sim_after(AT_FLUSH, err);
}

static bool publish(void *self, int64_t epoch, struct hr_error *err) {
    struct sim_sink *s = ((struct sink *)self)->sink;
    if (!sim_before(AT_PUBLISH, err)) return false;
    event("sink %s: publish %lld", s->id, (long long)epoch);
    if (!s->begun || epoch != s->next) broken("sink %s: epoch %lld is published, %lld was begun", s->id, (long long)epoch, (long long)s->next);
    if (s->remembers) {
        show_add(s, s->held);
        s->held = (struct show){0};
    }
    s->show[s->shows - 1].published = true;
    s->begun = false;
    s->next = epoch + 1;
    return sim_after(AT_PUBLISH, err);
}

static void close_sink(void *self) {
    struct sim_sink *s = ((struct sink *)self)->sink;
    if (s) s->open = false;
}

#define CALLS                                                                                      \
    .modes = HR_APPEND | HR_COMPLETE | HR_UPDATE, .open = open_sink, .begin = begin, .write = write_rows, .flush = flush_sink, \
    .publish = publish, .close = close_sink

const struct hr_plugin sim_sink_local = {.kind = HR_SINK, .name = "sim_local", .options = options, .self_size = sizeof(struct sink),
                                         .sink = {CALLS}};
const struct hr_plugin sim_sink_plain = {.kind = HR_SINK, .name = "sim_plain", .options = options, .self_size = sizeof(struct sink),
                                         .sink = {CALLS, .elsewhere = true}};
const struct hr_plugin sim_sink_remembers = {.kind = HR_SINK, .name = "sim_remembers", .options = options,
                                             .self_size = sizeof(struct sink),
                                             .sink = {CALLS, .elsewhere = true, .remembered = remembered}};

/* ---- between runs ---- */

void sink_forget(void) {
    for (int i = 0; i < sim.plan.sinks; i++) {
        free(sim.sink[i].held.row);
        sim.sink[i].held = (struct show){0};
        sim.sink[i].open = false;
    }
}

void sink_clear(void) {
    sink_forget();
    for (int i = 0; i < sim.plan.sinks; i++) {
        for (int k = 0; k < sim.sink[i].shows; k++) free(sim.sink[i].show[k].row);
        free(sim.sink[i].show);
    }
}
