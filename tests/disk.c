/*
 * disk.c: the checkpoint on a disk that fails: full, an error on write, an error on fsync, a power cut, at each step of a
 * life from creation to close (tests/disk_vfs.h). Afterwards it opens and is, as a whole, at one commit: never a mix,
 * never older than the last one that returned true (after a cut: where commits are synced), and goes on to the end.
 * Every 7th step; FULL=1 (make check-faults): each step, and three power cuts there.
 */
#include "core/state/store_internal.h"
#include "tests/aggs.h"
#include "tests/disk_vfs.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STAGES = 7, ROWS = 12, LONG = 900 }; /* commits: where it starts, then epochs */

/* What the process that works says to the one that checks. */
struct said {
    int steps, hit, done, failed; /* done: commits that returned true */
    struct hr_error err;
};

enum disk_fault { DISK_FINE, DISK_FULL, DISK_WRITE_ERROR, DISK_SYNC_ERROR, DISK_CUT, DISK_FAULTS };
static const char *const name[DISK_FAULTS] = {"none", "disk full", "EIO on write", "EIO on fsync", "power cut"};
static char folder[64], path[80];
static struct said *said;
static struct hr_buffer model[STAGES + 1];

static void die(const char *format, ...) HR_PRINTF(1, 2);
static void die(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fputs("disk: ", stdout);
    vfprintf(stdout, format, args);
    putchar('\n');
    fflush(stdout);
    _exit(1);
}

/* ---- the job: two nodes ---- */

static const struct hr_field name_key = {"who", {.id = HR_STRING}}, number_key = {"k", {.id = HR_BIGINT}};
static const char *const names[] = {"n", "last"};
static struct hr_agg both[2], count[1];
static const struct groups_shape by_name = {1, &name_key, 2, names, both}, by_number = {1, &number_key, 1, names, count};
static struct store_node node[2];
static struct store_job job;

extern const struct hr_plugin hr_aggregates_count, hr_aggregates_min_max;

/* As agg_of(), which belongs into a suite of Check. */
static struct hr_agg use(const struct hr_plugin *of, const char *call, int args, struct hr_type arg) {
    struct hr_agg agg = {.args = args, .arg = arg};
    struct hr_error err = {0};
    for (agg.fn = of->aggregates; agg.fn->name && strcmp(agg.fn->name, call);) agg.fn++;
    if (!agg.fn->name || !agg.fn->type(&agg, &err)) die("%s: %s", call, err.text);
    return agg;
}

static void job_init(bool sync) {
    both[0] = count[0] = use(&hr_aggregates_count, "count", 0, T(HR_NONE));
    both[1] = use(&hr_aggregates_min_max, "max", 1, T(HR_STRING));
    node[0] = (struct store_node){.id = "by_name", .signature = "who", .shape = &by_name};
    node[1] = (struct store_node){.id = "by_number", .signature = "k", .shape = &by_number};
    job = (struct store_job){.name = "job", .source = "here", .nodes = 2, .node = node, .sync = sync};
}

/* Each stage changes some groups of the one before and adds others. */
static bool fold(int stage, struct hr_error *err) {
    static char who_text[ROWS][16], last_text[LONG];
    struct hr_text who[ROWS], last[ROWS];
    int64_t k[ROWS];
    memset(last_text, 'a' + stage, sizeof last_text);
    for (int i = 0; i < ROWS; i++) {
        int n = snprintf(who_text[i], sizeof who_text[i], "who %d", stage * 4 + i);
        who[i] = (struct hr_text){who_text[i], (uint32_t)n, 0};
        last[i] = (struct hr_text){last_text, LONG, 0};
        k[i] = stage + i % 3;
    }
    struct hr_column key = {who, NULL, T(HR_STRING)}, number = {k, NULL, T(HR_BIGINT)}, none = {0};
    struct hr_column arg[2] = {{0}, {last, NULL, T(HR_STRING)}};
    struct hr_rows rows = {.n = ROWS};
    return groups_fold(node[0].groups, &key, arg, rows, err) && groups_fold(node[1].groups, &number, &none, rows, err);
}

static bool commit(struct store *s, int stage, struct hr_error *err) {
    struct hr_position p[2] = {{"a", stage * ROWS, NULL}, {"b", stage * 7, stage % 2 ? "odd" : NULL}};
    struct store_counts counts = {"source", {.in = stage ? ROWS : 0}};
    if (stage && !fold(stage, err)) return false;
    return store_commit(s, stage, stage ? stage - 1 : 0, (struct hr_positions){2, p}, &counts, 1, err);
}

/* ---- what is in a checkpoint, as text ---- */

static bool put_rows(void *ctx, const struct hr_batch *b) {
    struct hr_buffer *out = ctx;
    HR_EACH(b->rows, i) {
        for (int c = 0; c < b->columns; c++) value_text(out, b->column[c].type, hr_value(&b->column[c], i)), buffer_putc(out, '|');
        buffer_putc(out, '\n');
    }
    return true;
}

static struct hr_buffer dump(struct store *s) {
    struct hr_buffer b = {0};
    struct hr_error err = {0};
    struct hr_positions at = store_positions(s);
    struct arena a = {0};
    for (int i = 0; i < at.n; i++) buffer_printf(&b, "%s at %lld %s\n", at.item[i].split, (long long)at.item[i].at, at.item[i].detail ? at.item[i].detail : "");
    buffer_printf(&b, "epoch %lld, %llu rows\n", (long long)store_epoch(s), (unsigned long long)store_counts_of(s, "source").in);
    for (int n = 0; n < 2; n++)
        if (!store_rows(s, n, -1, &a, put_rows, &b, &err)) die("rows cannot be read: %s", err.text);
    arena_free(&a);
    buffer_putc(&b, '\0');
    return b;
}

static void make_model(void) {
    struct hr_error err = {0};
    struct store *s = store_open(NULL, &job, &err);
    if (!s) die("%s", err.text);
    for (int i = 0; i <= STAGES; i++) {
        model[i] = dump(s); /* before commit i */
        if (i < STAGES && !commit(s, i, &err)) die("%s", err.text);
    }
    store_close(s, &err);
}

/* ---- what becomes of a step: it fails from step `at` on, the first that can ---- */

static enum disk_fault fault;
static int fault_at;
static uint64_t fault_seed;

static int before(enum disk_step kind) {
    static const bool can[DISK_FAULTS][3] = {[DISK_FULL] = {[DISK_WRITE] = true}, [DISK_WRITE_ERROR] = {[DISK_WRITE] = true},
                                             [DISK_SYNC_ERROR] = {[DISK_SYNC] = true}, [DISK_CUT] = {true, true, true}};
    if (++said->steps < fault_at || !can[fault][kind] || (said->hit && fault != DISK_FULL)) return SQLITE_OK;
    if (!said->hit) said->hit = said->steps;
    if (fault == DISK_FULL) return SQLITE_FULL; /* and stays so */
    if (fault == DISK_WRITE_ERROR) return SQLITE_IOERR_WRITE;
    if (fault == DISK_SYNC_ERROR) return SQLITE_IOERR_FSYNC;
    disk_cut(fault_seed);
    _exit(0);
}

static int fine(enum disk_step kind) { return (void)kind, SQLITE_OK; }

static const struct disk_test failing = {before, fine, .sync_loses = true}, good = {fine, fine, .sync_loses = true};

/* ---- a life on that disk ---- */

/* Two runs, so that one of them opens what the other closed. */
static bool live(struct hr_error *err) {
    for (int stage = 0; stage < STAGES;) {
        struct store *s = store_open(path, &job, err);
        if (!s) return false;
        s->wal_pages = 12;
        bool ok = true;
        for (int end = stage + STAGES / 2 + 1; ok && stage < end && stage < STAGES; stage++) {
            ok = commit(s, stage, err);
            said->done += ok;
        }
        ok = store_close(s, err) && ok;
        if (!ok) return false;
    }
    return true;
}

/* What lies there is one commit, whole; it can be gone on from to the end. */
static void check(const char *what, int at, uint64_t seed, int least) {
    struct hr_error err = {0};
    char shm[sizeof path + 8];
    snprintf(shm, sizeof shm, "%s-shm", path);
    unlink(shm); /* memory, gone with the power */
    struct store *s = store_open(path, &job, &err);
    if (!s) die("%s at step %d, seed %llu: does not open: %s", what, at, (unsigned long long)seed, err.text);
    int stage = (int)store_epoch(s) + (store_positions(s).n > 0);
    struct hr_buffer got = dump(s);
    if (stage < least || stage > said->done + 1)
        die("%s at step %d, seed %llu: at commit %d; %d had been done, at least %d have to be there", what, at, (unsigned long long)seed, stage, said->done, least);
    if (strcmp(got.p, model[stage].p)) die("%s at step %d, seed %llu: commit %d is not whole", what, at, (unsigned long long)seed, stage);
    buffer_free(&got);
    for (; stage < STAGES; stage++)
        if (!commit(s, stage, &err)) die("%s at step %d, seed %llu: does not go on: %s", what, at, (unsigned long long)seed, err.text);
    got = dump(s);
    if (strcmp(got.p, model[STAGES].p)) die("%s at step %d, seed %llu: ends otherwise", what, at, (unsigned long long)seed);
    buffer_free(&got);
    store_close(s, &err);
}

static void clean(void) {
    static const char *const end[] = {"", "-wal", "-shm", "-journal", ".lock", ".new", ".new-journal"};
    struct arena a = {0};
    for (size_t i = 0; i < COUNT(end); i++) unlink(arena_printf(&a, "%s%s", path, end[i]));
    arena_free(&a);
}

/* True in a process of its own, which is gone with all that it knew; false after it. */
static bool in_process(const char *what, int at) {
    int status;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) return true;
    if (child < 0 || waitpid(child, &status, 0) != child) die("no process");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 1) exit(1); /* it said why */
    if (status) die("%s at step %d: the process ended with %x", what, at, (unsigned)status);
    return false;
}

/* False: the life ended before that step. */
static bool try_at(enum disk_fault which, int at, uint64_t seed) {
    clean();
    *said = (struct said){0};
    if (in_process(name[which], at)) {
        fault = which, fault_at = at, fault_seed = seed;
        disk_install(&failing, seed);
        said->failed = !live(&said->err);
        /* one that is still being made is removed: it does not matter what SQLite tries on it */
        if (disk_retried && !strstr(disk_retried, ".new")) die("%s at step %d: an fsync of %s that failed was tried again", name[which], at, disk_retried);
        if (which == DISK_SYNC_ERROR) disk_cut(seed); /* what it lost shows when the memory is gone */
        _exit(0);
    }
    if (said->failed && (!strstr(said->err.text, "checkpoint ") || !said->err.code)) die("%s at step %d: not named: '%s'", name[which], at, said->err.text);
    if (said->hit && which != DISK_CUT && !said->failed) die("%s at step %d: passed over", name[which], at);
    bool power = which == DISK_CUT || which == DISK_SYNC_ERROR;
    if (in_process(name[which], at)) {
        disk_install(&good, seed + 1);
        check(name[which], at, seed, power && !job.sync ? 0 : said->done);
        fflush(stdout);
        _exit(0);
    }
    return said->hit;
}

int main(void) {
    bool full = getenv("FULL") != NULL;
    int seeds = full ? 3 : 1, stride = full ? 1 : 7;
    aggs_init();
    snprintf(folder, sizeof folder, "/tmp/headrace-disk-%d", (int)getpid());
    if (mkdir(folder, 0700)) die("%s cannot be made", folder);
    snprintf(path, sizeof path, "%s/state.db", folder);
    said = mmap(NULL, sizeof *said, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    job_init(true);
    make_model();
    for (enum disk_fault which = DISK_FULL; which < DISK_FAULTS; which++) {
        int tries = 0, named = 0, steps = 0;
        for (int sync = 0; sync < 2; sync++) {
            job_init(sync);
            for (int at = 1; ; at += stride) {
                bool hit = false;
                for (int seed = 0; seed < (which == DISK_CUT ? seeds : 1); seed++) {
                    hit = try_at(which, at, (uint64_t)(1000 * at + seed));
                    tries += hit;
                    named += said->failed;
                }
                if (!hit) break;
                if (which != DISK_CUT) at = said->hit; /* those between cannot fail that way */
                steps = at;
            }
        }
        if (tries < 20) die("%s: only %d tries", name[which], tries);
        printf("guarantee: %s of the checkpoint | any | any | state and positions at one commit, %s | tests/disk\n", name[which],
               which == DISK_CUT ? "none lost where commits are synced" : "the failure named, gone on from");
        printf("disk: %s: %d tries at the %d steps of a checkpoint's life, %d ended with its name, all whole\n", name[which], tries, steps, named);
    }
    clean();
    rmdir(folder);
    return 0;
}
