/*
 * The promises, computed once more from the records alone.
 *
 *   1. Epochs: each begins where the one before ended, and positions never go back. What a restart finds is an epoch that was
 *      closed like that; it is the newest that was committed, unless nothing is synced and the power failed.
 *   2. Totals in the checkpoint are those of all records, each once.
 *   3. A sink that remembers shows each epoch once, one after the other, and of each exactly its rows: append rows of a
 *      partition in its order, results in the order of their keys.
 *   4. A plain sink shows each epoch at least once, and exactly so when it is published; what it shows of an epoch that never came to that are rows
 *      which were next. It is given no epoch again after a run that ended well (sim_sink.c).
 *   5. Conservation: each node took in what the one before gave, and in = out + filtered + dropped + dead.
 *   6. Memory: at most four chunks for each lane are out (sim_source.c), and a full inbox keeps no epoch open.
 */
#include "tests/sim.h"

#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* ---- while it runs ---- */

static struct epoch_end end_of(struct hr_positions at) {
    struct epoch_end end = {{0}};
    for (int i = 0; i < at.n; i++) end.at[at.item[i].split[0] - '0'] = at.item[i].at;
    return end;
}

static bool same(const struct epoch_end *a, const struct epoch_end *b) { return !memcmp(a, b, sizeof *a); }

static void not_back(const struct epoch_end *from, const struct epoch_end *to) {
    for (int p = 0; p < PARTS; p++)
        if (to->at[p] < from->at[p]) broken("the position of %d goes back from %lld to %lld", p, (long long)from->at[p], (long long)to->at[p]);
}

static void commit_seen(int64_t epoch, struct epoch_end end) {
    if (epoch >= EPOCHS) broken("the simulation has no room for epoch %lld", (long long)epoch);
    if (epoch) not_back(&sim.end[epoch - 1], &end);
    sim.end[epoch] = end;
    sim.committed = epoch;
}

/* Rule 1. */
void check_start(const struct coordinator *c) {
    int64_t epoch = c->epoch - 1;
    struct epoch_end from = sim.has_from ? sim.from : end_of(c->from);
    event("starts with epoch %lld", (long long)c->epoch);
    if (!epoch && (!sim.started || (sim.undone && !sim.has_from))) sim.end[0] = from;
    sim.started = true;
    if (epoch == sim.committed + 1 && sim.closing.epoch == epoch && same(&sim.closing.end, &from)) commit_seen(epoch, from);
    else if (epoch > sim.committed || (epoch < sim.committed && !sim.undone))
        broken("the checkpoint is at epoch %lld, and %lld is committed", (long long)epoch, (long long)sim.committed);
    else if (!same(&sim.end[epoch], &from)) broken("the checkpoint has other positions than epoch %lld", (long long)epoch);
    sim.committed = epoch;
    for (int i = 0; i < sim.plan.sinks; i++) {
        struct sim_sink *s = &sim.sink[i];
        if (s->fresh && !s->present) s->stay[s->stays - 1].until = epoch;
        if (s->fresh && s->present) s->stay[s->stays++] = (struct stay){epoch, INT64_MAX};
        s->fresh = false;
    }
}

void check_step(const struct coordinator *c, const struct lane *lane, int lanes) {
    static int late; /* steps since the epoch should have been closed */
    (void)lane;
    if (c->published >= c->epoch) broken("epoch %lld is published, and %lld is open", (long long)c->published, (long long)c->epoch);
    if (c->epoch - 1 > sim.committed) commit_seen(c->epoch - 1, end_of(c->from));
    if (c->waiting > 0 && sim.closing.epoch != c->epoch) event("epoch %lld is closed", (long long)c->epoch);
    if (c->waiting > 0) {
        sim.closing.epoch = c->epoch;
        sim.closing.end = end_of(c->to);
        not_back(&sim.end[sim.committed], &sim.closing.end);
    }
    bool due = !c->waiting && c->feed->chunks && (c->stop || sim.now >= c->due);
    late = due ? late + 1 : 0;
    if (late > 2 * 4 * lanes + lanes) broken("epoch %lld is due and is not closed", (long long)c->epoch); /* rule 6 */
}

/* ---- records of an epoch ---- */

/* The next record of the partition from `seq` on that comes to the level; `until`: there is none before. */
static int64_t next_at(enum level level, int part, int64_t seq, int64_t until) {
    for (; seq < until; seq++) {
        bool gone = false;
        for (int i = 0; i < sim.losses; i++) gone |= seq >= sim.lost[i].from && seq < sim.lost[i].to;
        struct record r = record_at(part, seq);
        bool there = level == AT_SOURCE || (level == AT_BAD ? r.bad : level == AT_CHECKED ? !r.bad || sim.plan.policy == HR_ON_ERROR_NULL : r.kept);
        if (there && !gone) break;
    }
    return seq;
}

/* NULL, or what is wrong. `whole`: not only the beginning is wanted. */
static const char *rows_differ(const struct sim_sink *s, const struct show *show, bool whole) {
    struct epoch_end at = sim.end[show->epoch - 1];
    const struct epoch_end *until = &sim.end[whole ? show->epoch : sim.committed];
    for (int i = 0; i < show->n; i++) {
        const struct shown_row *r = &show->row[i];
        if (r->part < 0 || r->part >= sim.plan.parts) return "a row of no partition";
        at.at[r->part] = next_at(s->reads, (int)r->part, at.at[r->part], until->at[r->part]);
        if (at.at[r->part] != r->seq) return "another row is next";
        at.at[r->part]++;
    }
    for (int p = 0; whole && p < sim.plan.parts; p++)
        if (next_at(s->reads, p, at.at[p], until->at[p]) < until->at[p]) return "a row is missing";
    return NULL;
}

/* ---- totals ---- */

static struct total {
    bool changed;
    int64_t c, with_n;
    int64_t n, least, most;
    hr_int128 d, x; /* x in 2^-24 */
} total[KEYS];

static void add_record(const struct record *r) {
    struct total *t = &total[r->key];
    t->changed = true;
    t->c++;
    t->d += r->d;
    t->x += r->x_digits * ((hr_int128)1 << (r->x_exponent + 24));
    if (r->no_n) return;
    t->n += r->n;
    if (!t->with_n || r->n < t->least) t->least = r->n;
    if (!t->with_n || r->n > t->most) t->most = r->n;
    t->with_n++;
}

/* How many records the levels saw. */
static uint64_t seen[AT_TOTALS];

static void add_epoch(int64_t epoch) {
    for (int k = 0; k < KEYS; k++) total[k].changed = false;
    for (int p = 0; p < sim.plan.parts; p++) {
        int64_t from = sim.end[epoch - 1].at[p], until = sim.end[epoch].at[p];
        for (int64_t at = from; (at = next_at(AT_SOURCE, p, at, until)) < until; at++) {
            struct record r = record_at(p, at);
            seen[AT_SOURCE]++;
            seen[AT_CHECKED] += !r.bad || sim.plan.policy == HR_ON_ERROR_NULL;
            seen[AT_BAD] += r.bad;
            seen[AT_KEPT] += r.kept;
            if (r.kept) add_record(&r);
        }
    }
}

static double total_x(const struct total *t) { return ldexp((double)t->x, -24); }

/* Null is the first of keys. */
static int key_in_order(int i) { return i ? i - 1 : KEYS - 1; }

static bool in_result(const struct sim_sink *s, const struct total *t) {
    return t->c && (s->mode == HR_COMPLETE || t->changed) && (s->reads == AT_TOTALS || t->c % 2 == 0);
}

static const char *results_differ(const struct sim_sink *s, const struct show *show, bool whole) {
    int n = 0;
    for (int i = 0; i < KEYS; i++) {
        const struct total *t = &total[key_in_order(i)];
        if (!in_result(s, t)) continue;
        if (n == show->n) return whole ? "a group is missing" : NULL;
        const struct shown_row *r = &show->row[n++];
        if (r->key != key_in_order(i)) return "another group is next";
        if (r->c != t->c || r->d != t->d || r->x != total_x(t) || r->no_n != !t->with_n) return "a total is wrong";
        if (!r->no_n && (r->n != t->n || r->least != t->least || r->most != t->most)) return "a total is wrong";
    }
    return n == show->n ? NULL : "there are more groups than there should be";
}

/* ---- sinks: rules 3 and 4 ---- */

/* How often the sink showed the epoch as it is. */
static int times_shown(const struct sim_sink *s, int64_t epoch) {
    int times = 0;
    for (int i = 0; i < s->shows; i++) {
        const struct show *show = &s->show[i];
        if (show->epoch != epoch) continue;
        bool append = s->mode == HR_APPEND;
        if (append && !show->published && sim.plan.pipe) continue; /* what was next may be lost since */
        const char *why = append ? rows_differ(s, show, show->published) : results_differ(s, show, show->published);
        if (why && !sim.undone) broken("sink %s shows of epoch %lld, in run %d: %s", s->id, (long long)epoch, show->run, why);
        times += show->published && !why;
    }
    return times;
}

static void check_sink(const struct sim_sink *s, int64_t epoch) {
    bool due = false, may = false;
    for (int i = 0; i < s->stays; i++) {
        due |= epoch > s->stay[i].since && epoch < s->stay[i].until;
        may |= epoch > s->stay[i].since && epoch <= s->stay[i].until; /* it left before it was published */
    }
    int times = times_shown(s, epoch);
    if ((due && !times) || (!may && times) || (s->remembers && times > 1))
        broken("sink %s shows epoch %lld %d times", s->id, (long long)epoch, times);
}

static void check_order(const struct sim_sink *s) {
    for (int i = 0; i < s->shows; i++) {
        const struct show *show = &s->show[i];
        int64_t most = sim.committed + !show->published;
        if (!sim.undone && (show->epoch < 1 || show->epoch > most)) broken("sink %s shows epoch %lld, that never was", s->id, (long long)show->epoch);
        if (s->remembers && i && show->epoch <= s->show[i - 1].epoch) broken("sink %s shows epoch %lld late", s->id, (long long)show->epoch);
    }
}

/* ---- the checkpoint: rules 2 and 5 ---- */

static sqlite3_stmt *ask(sqlite3 *db, const char *sql) {
    sqlite3_stmt *q = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK) broken("the checkpoint: %s", sqlite3_errmsg(db));
    return q;
}

static void check_total(sqlite3_stmt *q, int key) {
    const struct total *t = &total[key];
    char d[48];
    hr_int128 abs = t->d < 0 ? -t->d : t->d;
    snprintf(d, sizeof d, "%s%lld.%02d", t->d < 0 ? "-" : "", (long long)(abs / 100), (int)(abs % 100));
    bool ok = sqlite3_column_int64(q, 1) == t->c && !strcmp((const char *)sqlite3_column_text(q, 3), d) && sqlite3_column_double(q, 4) == total_x(t);
    ok &= t->with_n ? sqlite3_column_int64(q, 2) == t->n && sqlite3_column_int64(q, 5) == t->least && sqlite3_column_int64(q, 6) == t->most
                    : sqlite3_column_type(q, 2) == SQLITE_NULL;
    if (!ok) broken("the total of key %d is wrong in the checkpoint: %s and %lld rows, not %s and %lld", key, sqlite3_column_text(q, 3),
                    (long long)sqlite3_column_int64(q, 1), d, (long long)t->c);
}

static void check_totals(sqlite3 *db) {
    sqlite3_stmt *q = ask(db, "SELECT * FROM totals");
    for (int i = 0; i < KEYS; i++) {
        int key = key_in_order(i);
        if (!total[key].c) continue;
        if (sqlite3_step(q) != SQLITE_ROW) broken("key %d is missing in the checkpoint", key);
        const char *text = (const char *)sqlite3_column_text(q, 0);
        int is = !text ? KEYS - 1 : atoi(text + (*text == 'g'));
        if (is != key) broken("key %d stands in the checkpoint for %d", is, key);
        check_total(q, key);
    }
    if (sqlite3_step(q) != SQLITE_DONE) broken("the checkpoint has more keys than the records");
    sqlite3_finalize(q);
}

static struct hr_counts counts_of(sqlite3 *db, const char *id) {
    sqlite3_stmt *q = ask(db, "SELECT rows_in, rows_out, filtered, dropped, dead, bad FROM hr_counters WHERE id = ?");
    sqlite3_bind_text(q, 1, id, -1, SQLITE_STATIC);
    uint64_t n[6] = {0};
    for (int i = 0, there = sqlite3_step(q) == SQLITE_ROW; there && i < 6; i++) n[i] = (uint64_t)sqlite3_column_int64(q, i);
    sqlite3_finalize(q);
    return (struct hr_counts){n[0], n[1], n[2], n[3], n[4], n[5]};
}

static void count_is(const char *id, const char *what, uint64_t is, uint64_t wanted) {
    if (is != wanted) broken("node %s: %llu %s, not %llu", id, (unsigned long long)is, what, (unsigned long long)wanted);
}

static void check_counts(sqlite3 *db) {
    struct hr_counts rows = counts_of(db, "rows"), checked = counts_of(db, "checked"), kept = counts_of(db, "kept"),
                     totals = counts_of(db, "totals"), even = counts_of(db, "even");
    bool takes_out = sim.plan.policy != HR_ON_ERROR_NULL;
    count_is("rows", "came out", rows.out, seen[AT_SOURCE]);
    count_is("checked", "came in", checked.in, seen[AT_SOURCE]);
    count_is("checked", "came out", checked.out, seen[AT_CHECKED]);
    count_is("checked", "are bad", checked.bad, seen[AT_BAD]);
    count_is("checked", "are dropped or dead", checked.dropped + checked.dead, takes_out ? seen[AT_BAD] : 0);
    count_is("kept", "came in", kept.in, seen[AT_CHECKED]);
    count_is("kept", "came out", kept.out, seen[AT_KEPT]);
    count_is("kept", "are filtered", kept.filtered, seen[AT_CHECKED] - seen[AT_KEPT]);
    if (sim.plan.state) count_is("totals", "came in", totals.in, seen[AT_KEPT]);
    count_is("even", "are accounted for", even.out + even.filtered, even.in);
    for (int i = 0; i < sim.plan.sinks; i++) {
        const struct sim_sink *s = &sim.sink[i];
        if (s->mode == HR_APPEND && s->stays == 1 && !s->stay[0].since && s->present)
            count_is(s->id, "came in", counts_of(db, s->id).in, seen[s->reads]);
    }
}

static void check_checkpoint(const char *path) {
    sqlite3 *db = NULL;
    if (sqlite3_open(path, &db) != SQLITE_OK) broken("the checkpoint cannot be opened");
    sqlite3_stmt *q = ask(db, "SELECT epoch, published FROM hr_meta");
    if (sqlite3_step(q) != SQLITE_ROW || sqlite3_column_int64(q, 0) != sim.committed || sqlite3_column_int64(q, 1) != sim.committed)
        broken("the checkpoint is at epoch %lld, published %lld; both should be %lld", (long long)sqlite3_column_int64(q, 0),
               (long long)sqlite3_column_int64(q, 1), (long long)sim.committed);
    sqlite3_finalize(q);
    if (sim.plan.state) check_totals(db);
    check_counts(db);
    sqlite3_close(db);
}

/* ---- all of it ---- */

void check_all(const char *checkpoint) {
    memset(total, 0, sizeof total);
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < sim.plan.sinks; i++) check_order(&sim.sink[i]);
    for (int64_t e = 1; e <= sim.committed; e++) {
        add_epoch(e);
        for (int i = 0; i < sim.plan.sinks; i++) check_sink(&sim.sink[i], e);
    }
    for (int p = 0; p < sim.plan.parts; p++)
        if (next_at(AT_SOURCE, p, sim.end[sim.committed].at[p], sim.plan.records[p]) < sim.plan.records[p])
            broken("partition %d was read to %lld of %lld", p, (long long)sim.end[sim.committed].at[p], (long long)sim.plan.records[p]);
    check_checkpoint(checkpoint);
}
