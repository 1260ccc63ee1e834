/*
 * simulate: the engine in a world of its own, run from a seed: runs of it come to grief in all ways, and in the end nothing is
 * lost or doubled.
 *
 *   simulate [SEED [COUNT]]     seeds SEED, SEED+1, ...; 1 and 1,500 where they are not given
 *
 * 1. A seed draws records, a pipeline and sinks; then runs one after the other, each with its own number of lanes, trigger and
 *    sinks. In a run, lanes, coordinator and clock take turns by the dice, and at most one fault strikes: a call fails, the
 *    process is killed, the power goes, before or after the call took effect.
 * 2. The last run is undisturbed. Then what came out is compared with what the records say (sim_check.c).
 * 3. The same seed is the same run, on every machine with the same SQLite: it decides how many writes a commit has.
 * 4. A seed that fails prints itself, the last events and the pipeline.
 */
#include "tests/sim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern const struct hr_plugin hr_operator_group_by, hr_operator_filter, hr_aggregates_sum, hr_aggregates_min_max, hr_aggregates_count;
extern const struct hr_plugin *const hr_builtin[];
const struct hr_plugin *const hr_builtin[] = {&sim_source, &sim_check, &sim_sink_plain, &sim_sink_local, &sim_sink_remembers,
                                              &hr_operator_group_by, &hr_operator_filter, &hr_aggregates_sum,
                                              &hr_aggregates_min_max, &hr_aggregates_count, NULL};

static bool stopped; /* the run was asked to end */

/* ---- a run: who takes the next step ---- */

static int64_t now(void) { return sim.now; }

struct turns {
    int weight[64], all;
    int idle;
};

static void turns_draw(struct turns *t, int actors) {
    static const int weights[] = {1, 1, 4, 16};
    *t = (struct turns){.all = 0};
    for (int i = 0; i < actors; i++) t->all += t->weight[i] = weights[roll(4)];
}

static int turns_next(const struct turns *t) {
    int at = (int)roll((uint64_t)t->all), i = 0;
    while ((at -= t->weight[i]) >= 0) i++;
    return i;
}

/* When nobody has anything to do, the time passes faster. */
static void tick(struct turns *t, const struct coordinator *c, int actors, enum step s) {
    t->idle = s == STEP_WORKED ? 0 : t->idle + 1;
    sim.now += (int64_t)roll(60);
    int64_t wait = coordinator_wait_us(c);
    if (t->idle > 4 * actors) sim.now += 1 + (int64_t)roll(wait < 2000 ? (uint64_t)wait : 2000);
}

static void drive(struct coordinator *c, struct lane *lane, int lanes) {
    enum { MOST = 500000 };
    struct turns turns;
    int actors = lanes + 1, stop_at = sim.last ? MOST : 20 + (int)roll(chance(50) ? 200 : 3000);
    turns_draw(&turns, actors);
    check_start(c);
    sim.drove = true;
    for (int i = 0; i < MOST; i++) {
        if (!sim_before(AT_STEP, &c->err)) {
            c->failed = true;
            return;
        }
        if (i == stop_at) event("is asked to stop");
        stopped = c->stop = i >= stop_at;
        int who = turns_next(&turns);
        if (who == lanes && sim.now < sim.busy_until) who = (int)roll((uint64_t)lanes);
        enum step s = who < lanes ? lane_step(&lane[who]) : coordinator_step(c);
        if (who == lanes) check_step(c, lane, lanes);
        if (who == lanes && s == STEP_DONE) return;
        tick(&turns, c, actors, s);
    }
    broken("the run does not come to an end");
}

/* ---- a seed ---- */

/* A failure of source or sink ends the run, unless the user ended it first. */
static void check_outcome(int code, const struct hr_error *err) {
    bool at_plugin = sim.fault.place != AT_STEP && sim.fault.place != AT_DISK_WRITE && sim.fault.place != AT_DISK_SYNC;
    if (code && (!sim.fired || sim.last)) broken("the run ends with %d: %s", code, err->text);
    if (!code && sim.fired && !sim.dead && at_plugin && sim.fault.fate == FAIL && !stopped) broken("nobody heard of a failure");
    if (code && !sim.dead && at_plugin && sim.fault.fate == FAIL && strncmp(err->text, "simulated: ", 11)) broken("the run ends with another error: %s", err->text);
}

static int run_once(void) {
    static const struct run_driver driver = {.now = now, .drive = drive};
    sim.run++;
    sim.visits = 0;
    sim.fired = sim.pending = sim.dead = sim.cut = sim.drove = stopped = false;
    sim.busy_until = 0;
    fault_draw();
    plan_write(disk_path("job.yaml"));
    event("%d lanes, trigger %d us, memory %d", sim.lanes, sim.trigger_us, sim.memory);
    struct plan plan;
    if (!plan_load(&plan, disk_path("job.yaml"), NULL, 0)) {
        document_print(&plan.document, stdout);
        broken("the pipeline is refused");
    }
    if (sim.memory) plan.config.limits.memory.n = sim.memory; /* less than a pipeline file may say */
    struct run_options options = {.lanes = sim.lanes, .driver = &driver};
    struct hr_error err = {0};
    int code = run_plan(&plan, &options, &err);
    plan_free(&plan);
    event("ends with %d: %s", code, err.text);
    sink_forget();
    if (sim.out) broken("%d chunks were not given back", sim.out);
    if (sim.dead) disk_restart(sim.cut);
    check_outcome(code, &err);
    for (int i = 0; !code && !sim.fired && i < sim.plan.sinks; i++)
        if (sim.sink[i].present) sim.sink[i].clean = sim.committed;
    return code;
}

static void run_seed(uint64_t seed) {
    sim = (struct sim){.seed = seed, .dice = mix(seed)};
    disk_clear();
    plan_draw();
    for (int runs = (int)roll(8); runs >= 0; runs--) {
        sim.last = runs == 0;
        plan_change();
        run_once();
        sim.now += (int64_t)roll(3000);
    }
    check_all(disk_path("job.db"));
    sink_clear();
}

/* ---- the program: a child that runs the seeds, and who tells of it when it dies ---- */

static uint64_t *running; /* the seed; the parent sees it too */

/* What the engine logs, and what a sanitizer has to say: of interest only when a seed fails. */
static void tell(int log) {
    char text[4096];
    off_t n = lseek(log, 0, SEEK_END);
    lseek(log, n > (off_t)sizeof text ? n - (off_t)sizeof text : 0, SEEK_SET);
    ssize_t got = read(log, text, sizeof text);
    if (got > 0) fwrite(text, 1, (size_t)got, stderr);
}

static _Noreturn void run_seeds(uint64_t first, uint64_t count, int log) {
    dup2(log, 2);
    registry_load(&engine_host, NULL, 0);
    for (*running = first; *running < first + count; ++*running) run_seed(*running);
    registry_unload();
    exit(0);
}

static uint64_t number(const char *s, uint64_t fallback) {
    char *end;
    if (!s) return fallback;
    errno = 0;
    uint64_t n = strtoull(s, &end, 10);
    if (errno || end == s || *end) {
        fprintf(stderr, "usage: simulate [SEED [COUNT]]\n");
        exit(2);
    }
    return n;
}

int main(int argc, char **argv) {
    const char *seeds = getenv("SEEDS");
    uint64_t first = number(argc > 1 ? argv[1] : NULL, 1);
    uint64_t count = number(argc > 2 ? argv[2] : argc > 1 ? "1" : seeds && *seeds ? seeds : NULL, 1500);
    disk_open();
    int log = open(disk_path(""), O_RDWR | O_TMPFILE | O_CLOEXEC, 0600), status = 0;
    running = mmap(NULL, sizeof *running, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child = log < 0 || running == MAP_FAILED ? -1 : fork();
    if (child == 0) run_seeds(first, count, log);
    if (child < 0 || waitpid(child, &status, 0) != child) return perror("simulate"), 1;
    if (status) tell(log);
    disk_close();
    if (status && !(WIFEXITED(status) && WEXITSTATUS(status) == SIM_BROKEN))
        printf("simulate: seed %llu died\nagain: tests/simulate %llu\n", (unsigned long long)*running, (unsigned long long)*running);
    if (status) return 1;
    puts("guarantee: kill, power cut, failure of any call, in any order | simulated | simulated | each epoch once where the sink remembers; nothing lost, nothing doubled | tests/simulate");
    printf("simulate: %llu seeds from %llu: nothing lost, nothing doubled\n", (unsigned long long)count, (unsigned long long)first);
    return 0;
}
