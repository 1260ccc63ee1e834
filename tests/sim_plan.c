/* Chance: dice, the plan of a seed, the fault of a run. And the list of events, for the seed that fails. */
#include "tests/sim.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sim sim;

/* splitmix64 (Sebastiano Vigna) */
uint64_t mix(uint64_t x) {
    x += 0x9e3779b97f4a7c15ull;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return x ^ x >> 31;
}

uint64_t roll(uint64_t n) { return mix(sim.dice++) % n; }
bool chance(int percent) { return (int)roll(100) < percent; }

/* ---- events ---- */

enum { KEPT = 50, WIDTH = 160 };
static char events[KEPT][WIDTH];
static uint64_t happened;

void event(const char *format, ...) {
    char *line = events[happened++ % KEPT];
    int n = snprintf(line, WIDTH, "run %d, %lld us: ", sim.run, (long long)sim.now);
    va_list args;
    va_start(args, format);
    vsnprintf(line + n, (size_t)(WIDTH - n), format, args);
    va_end(args);
}

void broken(const char *format, ...) {
    va_list args;
    va_start(args, format);
    printf("simulate: seed %llu: ", (unsigned long long)sim.seed);
    vprintf(format, args);
    va_end(args);
    printf("\nlast events:\n");
    for (uint64_t i = happened > KEPT ? happened - KEPT : 0; i < happened; i++) printf("  %s\n", events[i % KEPT]);
    printf("the pipeline:\n");
    FILE *f = fopen(disk_path("job.yaml"), "r");
    for (int c; f && (c = getc(f)) != EOF;) putchar(c);
    printf("again: tests/simulate %llu\n", (unsigned long long)sim.seed);
    fflush(stdout);
    _exit(SIM_BROKEN);
}

/* ---- faults ---- */

static const char *const place_name[PLACES] = {"a step", "source open", "poll", "sink open", "remembered", "begin", "write", "flush",
                                               "publish", "disk write", "disk sync"};
static const char *const fate_name[] = {"", "fails", "has lost rows", "is killed", "loses power"};

static void strike(struct hr_error *err) {
    sim.fired = true;
    const char *when = sim.fault.after ? "after it took effect" : "before";
    event("%s %s, %s", place_name[sim.fault.place], fate_name[sim.fault.fate], when);
    if (sim.fault.fate == KILL || sim.fault.fate == POWER_CUT) {
        sim.dead = true;
        sim.cut = sim.fault.fate == POWER_CUT;
    }
    if (err)
        error_set(err, sim.fault.fate == REPEAT ? HR_EREPEAT : HR_EFAIL, "simulated: %s %s, %s", place_name[sim.fault.place],
                  fate_name[sim.fault.fate], when);
}

bool sim_before(enum place place, struct hr_error *err) {
    if (sim.dead) return err && error_set(err, HR_EFAIL, "simulated: dead");
    if (!sim.fault.fate || place != sim.fault.place) return true;
    if (sim.fired) return !sim.fault.lasting;
    if (++sim.visits < sim.fault.n) return true;
    sim.pending = sim.fault.after;
    if (!sim.pending) strike(err);
    return sim.pending;
}

bool sim_after(enum place place, struct hr_error *err) {
    if (!sim.pending || place != sim.fault.place) return true;
    sim.pending = false;
    strike(err);
    return false;
}

/* How often a place is come to in a run, more or less. */
static const int often[PLACES] = {[AT_STEP] = 300, [AT_SOURCE_OPEN] = 2, [AT_POLL] = 80, [AT_SINK_OPEN] = 4, [AT_REMEMBERED] = 2,
                                  [AT_BEGIN] = 12, [AT_WRITE] = 60, [AT_FLUSH] = 12, [AT_PUBLISH] = 12, [AT_DISK_WRITE] = 150,
                                  [AT_DISK_SYNC] = 30};

void fault_draw(void) {
    sim.fault = (struct fault){0};
    if (sim.last || chance(20)) return;
    enum place place = (enum place)roll(PLACES);
    enum fate fate = chance(40) ? FAIL : sim.plan.cuts && chance(50) ? POWER_CUT : KILL;
    if ((place == AT_WRITE || place == AT_FLUSH || place == AT_PUBLISH) && chance(15)) fate = REPEAT;
    if (place == AT_STEP && fate == FAIL) fate = KILL;
    int n = 1 + (int)roll((uint64_t)(chance(40) ? 3 : often[place]));
    sim.fault = (struct fault){place, fate, n, place != AT_STEP && chance(50), place == AT_DISK_WRITE && fate == FAIL && chance(50)};
}

/* ---- the plan ---- */

static void draw_sink(int i) {
    struct sim_sink *s = &sim.sink[i];
    *s = (struct sim_sink){.present = true, .fresh = true, .clean = -1};
    snprintf(s->id, sizeof s->id, "%c", 'a' + i);
    s->remembers = chance(60);
    s->elsewhere = s->remembers || chance(50);
    enum level levels[] = {AT_SOURCE, AT_CHECKED, AT_KEPT, AT_TOTALS, AT_EVEN};
    s->reads = levels[roll(3 + (uint64_t)sim.plan.state + (uint64_t)sim.plan.even)];
    if (i == 0) s->reads = sim.plan.even ? AT_EVEN : sim.plan.state ? AT_TOTALS : AT_KEPT; /* the last node has a reader */
    if (i == 1 && sim.plan.policy == HR_ON_ERROR_DEAD_LETTER) s->reads = AT_BAD;
    s->mode = s->reads < AT_TOTALS ? HR_APPEND : chance(50) ? HR_COMPLETE : HR_UPDATE;
}

void plan_draw(void) {
    struct sim_plan *p = &sim.plan;
    static const int chunks[] = {1, 3, 10, 40}, batches[] = {1, 4, 64};
    p->pipe = chance(20);
    p->latest = !p->pipe && chance(20);
    p->parts = p->pipe ? 1 : 1 + (int)roll(PARTS);
    p->chunk = chunks[roll(4)];
    p->batch = batches[roll(3)];
    p->spacing_us = 1 + (20000 + (int)roll(200000)) / (p->chunk * 40);
    p->cuts = chance(40);
    p->text_key = chance(50);
    p->state = chance(70);
    p->even = p->state && chance(30);
    p->policy = chance(50) ? HR_ON_ERROR_DEAD_LETTER : (enum hr_on_error)roll(2);
    for (int i = 0; i < p->parts; i++) {
        p->records[i] = 1 + (int64_t)roll((uint64_t)(p->chunk * 40));
        p->appears_us[i] = i && chance(50) ? (int64_t)roll(100000) : 0;
    }
    int least = p->policy == HR_ON_ERROR_DEAD_LETTER ? 2 : 1;
    p->sinks = least + (int)roll((uint64_t)(SINKS - least + 1));
    bool elsewhere = false;
    for (int i = 0; i < p->sinks; i++) {
        draw_sink(i);
        elsewhere |= sim.sink[i].elsewhere;
    }
    /* What is shown here stays shown, so with power cuts either all is synced or nothing: sinks that come and go
     * must not change that. */
    if (p->cuts && elsewhere) sim.sink[0].elsewhere = true;
    sim.undone = p->cuts && !elsewhere;
    p->changes = chance(50) && !sim.undone;
}

static void draw_trigger(void) {
    static const int triggers[] = {1000, 2000, 10000, 50000};
    sim.trigger_us = triggers[roll(4)];
    sim.available_now = chance(15);
}

/* Only after a run that got to know the sinks it had: whether one that died earlier did, nobody can say. */
void plan_change(void) {
    draw_trigger();
    sim.lanes = 1 + (int)roll(5);
    sim.memory = chance(30) ? 1024 << roll(6) : 0;
    int fixed = sim.plan.policy == HR_ON_ERROR_DEAD_LETTER ? 2 : 1;
    for (int i = fixed; sim.plan.changes && sim.drove && i < sim.plan.sinks; i++) {
        struct sim_sink *s = &sim.sink[i];
        if (!chance(20) || s->stays == (int)(sizeof s->stay / sizeof *s->stay)) continue;
        s->present = !s->present;
        s->fresh = true;
        event("sink %s %s the pipeline", s->id, s->present ? "comes to" : "leaves");
    }
}

void plan_write(const char *path) {
    static const char *const words[] = {"null", "drop", "fail", "dead_letter"}, *const level[] = {"rows", "checked", "kept", "bad", "totals", "even"};
    const struct sim_plan *p = &sim.plan;
    FILE *f = fopen(path, "w");
    if (!f) broken("%s cannot be written", path);
    fprintf(f, "version: 1\nname: simulated\ncheckpoint: %s\n", disk_path("job.db"));
    if (sim.available_now) fputs("trigger: available_now\n", f);
    else fprintf(f, "trigger: %dms\n", sim.trigger_us / 1000);
    enum { ROW = 96 }; /* bytes in the outbox, at most: half of it is for the chunks that are out when it is half full */
    if (p->pipe) fprintf(f, "limits: {outbox: %d}\n", 2 * 4 * sim.lanes * p->chunk * ROW * p->sinks);
    const char *key = p->text_key ? "t" : "k", *errors = p->policy == HR_ON_ERROR_DEAD_LETTER ? ", errors: bad" : "";
    fprintf(f, "source: {sim_source: {id: rows}}\noperators:\n  - sim_check: {id: checked, on_error: %s%s}\n", words[p->policy], errors);
    fputs("  - filter: {id: kept, where: n % 7 <> 0}\n", f);
    if (p->state)
        fprintf(f, "  - group_by: {id: totals, keys: [%s], aggregates: {c: count(*), n: sum(n), d: sum(d), x: sum(x), least: min(n), most: max(n)}}\n", key);
    if (p->even) fputs("  - filter: {id: even, where: c % 2 = 0}\n", f);
    fputs("sinks:\n", f);
    for (int i = 0; i < p->sinks; i++) {
        const struct sim_sink *s = &sim.sink[i];
        if (!s->present) continue;
        fprintf(f, "  - sim_%s: {id: %s, name: %s, input: %s, mode: %s}\n", s->remembers ? "remembers" : s->elsewhere ? "plain" : "local",
                s->id, s->id, level[s->reads], s->mode == HR_APPEND ? "append" : s->mode == HR_COMPLETE ? "complete" : "update");
    }
    fclose(f);
}
