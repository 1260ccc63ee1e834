/* test_store.c: the checkpoint: what is committed comes back, in a file and in memory; what is refused */
#include "core/state/store.h"
#include "tests/aggs.h"

#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEYS = 2, AGGS = 3 };

#ifdef __SANITIZE_ADDRESS__
enum { RUN_UNDER_ASAN = true }; /* it takes its address space beforehand */
#else
enum { RUN_UNDER_ASAN = false };
#endif

static struct arena arena;
static struct hr_error err;
static char path[64];
static uint64_t seed;

/* ---- a job: sums and the like by two keys ---- */

static const struct hr_field key_field[KEYS] = {{"who", {.id = HR_STRING}}, {"odd \"key\"", {.id = HR_DOUBLE}}};
static const char *const agg_name[AGGS] = {"n", "total", "last"};
static struct hr_agg agg[AGGS];
static const struct groups_shape shape = {KEYS, key_field, AGGS, agg_name, agg};
static struct store_node node;
static struct store_job job;

static void job_init(void) {
    agg[0] = agg_of("count", 0, T(HR_NONE));
    agg[1] = agg_of("sum", 1, T(HR_DOUBLE));
    agg[2] = agg_of("max", 1, T(HR_STRING));
    node = (struct store_node){.id = "by_who", .signature = "who, odd: count(*), sum(x), max(s)", .shape = &shape};
    job = (struct store_job){.name = "job", .source = "file in.csv", .nodes = 1, .node = &node};
}

static void setup(void) {
    aggs_init();
    job_init();
    err = (struct hr_error){0};
    seed = 99;
    snprintf(path, sizeof path, "/tmp/headrace-store-%d.db", (int)getpid());
}

static void teardown(void) {
    static const char *const end[] = {"", "-wal", "-shm", "-journal", ".lock", ".new"};
    for (size_t i = 0; i < COUNT(end); i++) unlink(arena_printf(&arena, "%s%s", path, end[i]));
    arena_free(&arena);
}

static struct store *opened(const char *at) {
    struct store *s = store_open(at, &job, &err);
    ck_assert_msg(s != NULL, "%s", err.text);
    return s;
}

static void closed(struct store *s) { ck_assert_msg(store_close(s, &err), "%s", err.text); }

static struct hr_positions at_position(int64_t p0, int64_t p1) {
    struct hr_position *p = arena_alloc(&arena, 2 * sizeof *p);
    p[0] = (struct hr_position){"part-0", p0, NULL};
    p[1] = (struct hr_position){"part-1", p1, NULL};
    return (struct hr_positions){2, p};
}

static bool commit(struct store *s, int64_t epoch, int64_t position) {
    return store_commit(s, epoch, epoch - 1, at_position(position, 2 * position), NULL, 0, &err);
}

/* ---- rows ---- */

/* n rows for `keys` different keys: a null now and then in each column. */
static void fold_rows(struct groups *into, uint32_t n, uint64_t keys) {
    static const char *const words[] = {"", "a", "b\0c", "\xc3\xa9", "long enough to be more than a few bytes"};
    struct hr_text who[HR_BATCH], last[HR_BATCH];
    double odd[HR_BATCH], x[HR_BATCH];
    uint64_t valid[4][HR_BATCH / 64];
    memset(valid, 0xff, sizeof valid);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t key = random_below(&seed, keys);
        char *name = arena_printf(&arena, "who %llu", (unsigned long long)key / 2);
        who[i] = (struct hr_text){name, (uint32_t)strlen(name), 0};
        odd[i] = key % 2 ? -0.5 : 1e300;
        x[i] = (double)random_below(&seed, 1000000) / 100;
        if (random_below(&seed, 50) == 0) x[i] = 1e308;
        const char *word = words[random_below(&seed, COUNT(words))];
        last[i] = (struct hr_text){word, (uint32_t)strlen(word), 0};
        for (int c = 0; c < 4; c++)
            if (random_below(&seed, 10) == 0) valid[c][i >> 6] &= ~(1ull << (i & 63));
    }
    struct hr_column key[KEYS] = {{who, valid[0], T(HR_STRING)}, {odd, valid[1], T(HR_DOUBLE)}};
    struct hr_column arg[AGGS] = {{0}, {x, valid[2], T(HR_DOUBLE)}, {last, valid[3], T(HR_STRING)}};
    ck_assert(groups_fold(into, key, arg, (struct hr_rows){.n = n}, &err));
}

struct dump {
    struct hr_buffer text;
    int rows, batches, stop_after;
};

static bool put_rows(void *ctx, const struct hr_batch *b) {
    struct dump *d = ctx;
    d->batches++;
    ck_assert(b->columns == KEYS + AGGS && b->rows.n <= HR_BATCH);
    HR_EACH(b->rows, i) {
        for (int c = 0; c < b->columns; c++) {
            if (c) buffer_putc(&d->text, '|');
            if (!hr_is_null(&b->column[c], i)) value_text(&d->text, b->column[c].type, hr_value(&b->column[c], i));
            else buffer_puts(&d->text, "NULL");
        }
        buffer_putc(&d->text, '\n');
        d->rows++;
    }
    return !d->stop_after || d->batches < d->stop_after;
}

static struct dump dumped(struct store *s, int64_t epoch) {
    struct dump d = {0};
    struct arena rows = {0};
    ck_assert(store_rows(s, 0, epoch, &rows, put_rows, &d, &err));
    arena_free(&rows);
    buffer_putc(&d.text, '\0');
    return d;
}

static void check_same_rows(struct store *s, const struct dump *want) {
    struct dump got = dumped(s, -1);
    ck_assert_msg(got.rows == want->rows && !strcmp(got.text.p, want->text.p), "%d rows, not %d, or other ones", got.rows, want->rows);
    buffer_free(&got.text);
}

/* One number of the file, as anybody can read it beside a running job. */
static int64_t number_in_file(const char *sql) {
    sqlite3 *db;
    sqlite3_stmt *q;
    ck_assert_int_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    ck_assert_msg(sqlite3_prepare_v2(db, sql, -1, &q, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    ck_assert_int_eq(sqlite3_step(q), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    sqlite3_close(db);
    return n;
}

static void change_file(const char *sql) {
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

/* ---- what is committed comes back ---- */

/* Epoch by epoch, closed and opened in between; at the end all is as in a table that was never stored. */
START_TEST(state_comes_back) {
    struct groups *model = NULL;
    struct store *s = opened(path);
    ck_assert_int_eq(store_epoch(s), 0);
    ck_assert_int_eq(store_positions(s).n, 0);
    model = groups_new(&shape);
    for (int64_t epoch = 1; epoch <= 12; epoch++) {
        struct groups *delta = groups_new(&shape);
        fold_rows(delta, (uint32_t)random_below(&seed, 300), epoch % 4 ? 40 : 3000);
        ck_assert(groups_merge(node.groups, delta, &err) && groups_merge(model, delta, &err));
        groups_free(delta);
        ck_assert_msg(commit(s, epoch, epoch * 10), "%s", err.text);
        struct dump before = dumped(s, -1);
        if (epoch % 2) {
            closed(s);
            s = opened(path);
            ck_assert_int_eq(store_epoch(s), epoch);
            ck_assert_int_eq(store_published(s), epoch - 1);
            check_same_rows(s, &before);
        }
        buffer_free(&before.text);
    }
    struct dump stored = dumped(s, -1);
    groups_free(node.groups);
    node.groups = model; /* the rows of the table that was never stored, by the same way out */
    check_same_rows(s, &stored);
    ck_assert_int_gt(stored.rows, 200);
    buffer_free(&stored.text);
    closed(s);
}
END_TEST

/* A total of everything: the key of its one group is no bytes at all. */
START_TEST(state_without_keys_comes_back) {
    struct groups_shape whole = shape;
    whole.keys = 0;
    node.shape = &whole;
    struct store *s = opened(path);
    double x[] = {1.5, 2};
    struct hr_text last[] = {{"a", 1, 0}, {"b", 1, 0}};
    struct hr_column arg[AGGS] = {{0}, {x, NULL, T(HR_DOUBLE)}, {last, NULL, T(HR_STRING)}};
    ck_assert(groups_fold(node.groups, NULL, arg, (struct hr_rows){.n = 2}, &err) && commit(s, 1, 1));
    closed(s);
    s = opened(path);
    ck_assert_uint_eq(groups_count(node.groups), 1);
    closed(s);
    ck_assert_int_eq(number_in_file("SELECT n = 2 AND total = 3.5 AND last = 'b' FROM by_who"), 1);
}
END_TEST

START_TEST(positions_come_back) {
    struct store *s = opened(path);
    ck_assert(commit(s, 0, 7)); /* where it starts: no epoch */
    ck_assert_int_eq(store_epoch(s), 0);
    closed(s);
    s = opened(path);
    struct hr_positions at = store_positions(s);
    ck_assert_int_eq(at.n, 2);
    ck_assert_str_eq(at.item[0].split, "part-0");
    ck_assert_int_eq(at.item[0].at, 7);
    ck_assert_int_eq(at.item[1].at, 14);
    ck_assert(commit(s, 1, 8));
    /* another split joins; the detail of one changes though its position does not */
    struct hr_position more[] = {{"part-1", 16, "ino 7"}, {"part-2", 1, "ino 9"}};
    ck_assert(store_commit(s, 2, 1, (struct hr_positions){2, more}, NULL, 0, &err));
    closed(s);
    s = opened(path);
    at = store_positions(s);
    ck_assert_int_eq(at.n, 3);
    ck_assert_int_eq(at.item[0].at, 8);
    ck_assert_ptr_null(at.item[0].detail);
    ck_assert_int_eq(at.item[1].at, 16);
    ck_assert_str_eq(at.item[1].detail ? at.item[1].detail : "none", "ino 7");
    ck_assert_str_eq(at.item[2].detail ? at.item[2].detail : "none", "ino 9");
    closed(s);
}
END_TEST

START_TEST(counters_add_up) {
    struct store *s = opened(path);
    for (int64_t epoch = 1; epoch <= 3; epoch++) {
        struct store_counts counts[] = {{"source", {.in = 10, .out = 9, .filtered = 1}}, {"by_who", {.in = 9, .dropped = 2, .dead = 4, .bad = 3}}};
        ck_assert(store_commit(s, epoch, epoch, at_position(epoch, epoch), counts, 2, &err));
        if (epoch == 2) closed(s), s = opened(path);
    }
    struct hr_counts a = store_counts_of(s, "source"), b = store_counts_of(s, "by_who"), none = store_counts_of(s, "nobody");
    ck_assert(a.in == 30 && a.out == 27 && a.filtered == 3 && a.dropped == 0 && a.bad == 0);
    ck_assert(b.in == 27 && b.out == 0 && b.dropped == 6 && b.dead == 12 && b.bad == 9);
    ck_assert(none.in == 0 && none.out == 0);
    closed(s);
}
END_TEST

/* A commit writes the rows of the groups that changed, and those carry its epoch. */
START_TEST(only_changed_rows_are_written) {
    struct store *s = opened(path);
    fold_rows(node.groups, HR_BATCH, 5000);
    ck_assert(commit(s, 1, 1));
    int64_t all = groups_count(node.groups);
    struct groups *delta = groups_new(&shape);
    fold_rows(delta, 10, 5000);
    ck_assert(groups_merge(node.groups, delta, &err));
    uint32_t changed = groups_count(delta);
    groups_free(delta);
    ck_assert(commit(s, 2, 2));
    ck_assert(commit(s, 3, 3)); /* nothing changed */
    ck_assert_int_eq(number_in_file("SELECT count(*) FROM hr_state_by_who WHERE hr_epoch = 2"), changed);
    ck_assert_int_eq(number_in_file("SELECT count(*) FROM hr_state_by_who WHERE hr_epoch = 3"), 0);
    ck_assert_int_eq(number_in_file("SELECT count(*) FROM by_who"), groups_count(node.groups));
    for (int round = 0; round < 2; round++) { /* and so it is after a restart */
        struct dump one = dumped(s, 1), two = dumped(s, 2), three = dumped(s, 3);
        ck_assert_int_eq(two.rows, changed);
        ck_assert_int_eq(one.rows + two.rows, groups_count(node.groups));
        ck_assert_int_eq(three.rows + three.batches, 0);
        ck_assert_int_ge(one.rows, all - changed);
        buffer_free(&one.text), buffer_free(&two.text), buffer_free(&three.text);
        closed(s);
        s = opened(path);
    }
    closed(s);
}
END_TEST

/* More rows than a batch holds come in several, in the order of keys, until the reader has had enough. */
START_TEST(rows_come_in_batches) {
    struct store *s = opened(NULL);
    for (int i = 0; i < 5; i++) fold_rows(node.groups, HR_BATCH, 100000);
    ck_assert(commit(s, 1, 1));
    struct dump all = dumped(s, -1), some = {.stop_after = 1};
    ck_assert_int_eq(all.rows, groups_count(node.groups));
    ck_assert_int_eq(all.batches, (all.rows + HR_BATCH - 1) / HR_BATCH);
    ck_assert_int_ge(all.batches, 3);
    ck_assert_msg(!strncmp(all.text.p, "NULL|NULL|", 10), "nulls are not first: %.80s", all.text.p);
    struct arena rows = {0};
    ck_assert(!store_rows(s, 0, -1, &rows, put_rows, &some, &err));
    ck_assert_int_eq(some.batches, 1);
    ck_assert_int_eq(err.code, 0);
    arena_free(&rows);
    buffer_free(&all.text), buffer_free(&some.text);
    closed(s);
}
END_TEST

START_TEST(memory_is_as_a_file) {
    struct store *file = opened(path);
    fold_rows(node.groups, 500, 60);
    struct groups *of_file = node.groups, *copy = groups_new(&shape);
    ck_assert(groups_merge(copy, of_file, &err) && commit(file, 1, 5));
    struct dump want = dumped(file, -1);
    closed(file);
    struct store *s = opened(NULL);
    ck_assert(groups_merge(node.groups, copy, &err));
    groups_free(copy);
    struct store_counts counts[] = {{"source", {.in = 15, .bad = 5}}};
    ck_assert(store_commit(s, 1, 0, at_position(5, 10), counts, 1, &err));
    check_same_rows(s, &want);
    ck_assert(store_epoch(s) == 1 && store_positions(s).n == 2 && store_counts_of(s, "source").bad == 5);
    buffer_free(&want.text);
    closed(s);
    s = opened(NULL); /* and keeps nothing */
    ck_assert(store_epoch(s) == 0 && groups_count(node.groups) == 0);
    closed(s);
}
END_TEST

START_TEST(published_is_kept) {
    struct store *s = opened(path);
    ck_assert(commit(s, 1, 1));
    ck_assert(store_commit(s, 0, 1, (struct hr_positions){0}, NULL, 0, &err));
    ck_assert_int_eq(store_published(s), 1);
    closed(s);
    s = opened(path);
    ck_assert_int_eq(store_published(s), 1);
    ck_assert_int_eq(store_epoch(s), 1);
    closed(s);
}
END_TEST

/* ---- files ---- */

/* A run that never came to commit leaves nothing; one that did leaves the one file, for its owner only. */
START_TEST(what_is_left_behind) {
    closed(opened(path));
    ck_assert_int_ne(access(path, F_OK), 0);
    struct store *s = opened(path);
    ck_assert(commit(s, 1, 1));
    closed(s);
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
    ck_assert_int_ne(access(arena_printf(&arena, "%s-wal", path), F_OK), 0);
}
END_TEST

/* A reader sees what is committed while the job goes on, and keeps nobody out. */
START_TEST(readers_see_what_is_committed) {
    struct store *s = opened(path);
    fold_rows(node.groups, 100, 20);
    ck_assert(commit(s, 1, 1));
    struct dump want = dumped(s, -1);
    fold_rows(node.groups, 100, 20);
    struct store_node other = node;
    struct store_job reading = job;
    reading.node = &other;
    reading.read_only = true;
    struct store *reader = store_open(path, &reading, &err);
    ck_assert_msg(reader != NULL, "%s", err.text);
    ck_assert(commit(s, 2, 2)); /* though somebody is reading */
    ck_assert_int_eq(store_epoch(reader), 1);
    check_same_rows(reader, &want);
    closed(reader);
    closed(s);
    buffer_free(&want.text);
    reader = store_open(path, &reading, &err);
    ck_assert(reader && store_epoch(reader) == 2);
    closed(reader);
}
END_TEST

/* ---- many splits ---- */

/* Not even a square of their number: 20,000 took 9 GiB. */
START_TEST(splits_take_memory_once_each) {
    enum { SPLITS = 20000 };
    struct hr_position *p = arena_alloc(&arena, SPLITS * sizeof *p);
    for (int i = 0; i < SPLITS; i++) p[i] = (struct hr_position){arena_printf(&arena, "in/%05d.csv", i), i, NULL};
    struct rlimit before, little;
    ck_assert_int_eq(getrlimit(RLIMIT_AS, &before), 0);
    little = before;
    little.rlim_cur = (rlim_t)1 << 30;
    struct store *s = opened(path);
    bool limited = !RUN_UNDER_ASAN && !setrlimit(RLIMIT_AS, &little);
    bool ok = store_commit(s, 1, 0, (struct hr_positions){SPLITS, p}, NULL, 0, &err);
    for (int i = 0; i < SPLITS; i++) p[i].at++;
    ok = ok && store_commit(s, 2, 1, (struct hr_positions){SPLITS, p}, NULL, 0, &err);
    if (limited) setrlimit(RLIMIT_AS, &before);
    ck_assert_msg(ok, "%s", err.text);
    ck_assert_int_eq(store_positions(s).n, SPLITS);
    for (int i = 0; i < SPLITS; i++) ck_assert_int_eq(store_positions(s).item[i].at, i + 1);
    closed(s);
    s = opened(path);
    ck_assert_int_eq(store_positions(s).n, SPLITS);
    closed(s);
}
END_TEST

/* ---- refusals ---- */

static void check_refused(const char *why) {
    err = (struct hr_error){0};
    struct store *s = store_open(path, &job, &err);
    ck_assert_msg(!s, "opened, though %s", why);
    ck_assert_msg(err.code == HR_ECHECKPOINT && strstr(err.text, why) && strstr(err.text, path), "code %d: %s", err.code, err.text);
}

START_TEST(other_jobs_are_refused) {
    struct store *s = opened(path);
    ck_assert(commit(s, 1, 1));
    closed(s);
    job.name = "other";
    check_refused("its name is 'job', this one's is 'other'");
    job_init();
    job.source = "file other.csv";
    check_refused("its source is");
    job_init();
    node.signature = "who: count(*)";
    check_refused("its state is");
    job_init();
    node.id = "by_whom";
    check_refused("its state is");
    job_init();
    closed(opened(path)); /* nothing was harmed */
}
END_TEST

/* As text, in the arena. */
static char *bytes_of_file(void) {
    FILE *f = fopen(path, "r");
    struct hr_buffer b = {0};
    for (int c; (c = getc(f)) != EOF;) buffer_printf(&b, "%02x", c);
    fclose(f);
    char *text = arena_strndup(&arena, b.p, b.n);
    buffer_free(&b);
    return text;
}

static const struct {
    const char *sql, *why;
} damage[] = {
    {"UPDATE hr_meta SET checksum = checksum + 1", "do not add up"}, {"UPDATE hr_positions SET position = 99 WHERE split = 'part-0'", "do not add up"},
    {"DELETE FROM hr_positions", "do not add up"}, {"DELETE FROM hr_state_by_who WHERE hr_key = (SELECT min(hr_key) FROM hr_state_by_who)", "do not add up"},
    {"UPDATE hr_state_by_who SET s0 = x'01ff00000000000000'", "does not match its checksum"}, {"UPDATE hr_state_by_who SET hr_epoch = 9", "does not match its checksum"},
    {"UPDATE hr_state_by_who SET s1 = x''", "damaged"}, {"DELETE FROM hr_meta", "no meta row"}, {"PRAGMA user_version = 4711", "format 4711"}, {"PRAGMA application_id = 1", "is not a headrace checkpoint"},
    {"DROP VIEW by_who; DROP TABLE hr_state_by_who", ""}, {"DROP TABLE hr_positions", ""},
    {"UPDATE hr_state_by_who SET c0 = c0 || 'z' WHERE c0 IS NOT NULL", "does not match its checksum"}, {"UPDATE hr_state_by_who SET c1 = c1 + 0.5", "does not match its checksum"},
    {"UPDATE hr_state_by_who SET c2 = c2 + 1", "does not match its checksum"}, {"UPDATE hr_state_by_who SET c3 = NULL WHERE c3 IS NOT NULL", "does not match its checksum"},
    {"UPDATE hr_meta SET published = 1", "do not add up"}, {"UPDATE hr_meta SET epoch = 2", "do not add up"}, {"UPDATE hr_counters SET rows_in = 9", "do not add up"},
    {"DELETE FROM hr_counters", "do not add up"}, {"UPDATE hr_sinks SET since = 1", "do not add up"}, {"DELETE FROM hr_sinks", "do not add up"},
    {"UPDATE hr_meta SET pipeline = 'zzz'", "do not add up"}, {"DELETE FROM hr_outbox", "do not add up"}, {"UPDATE hr_outbox SET checksum = checksum + 1", "do not add up"},
    {"UPDATE hr_positions SET detail = 'y'", "do not add up"}, {"UPDATE hr_positions SET detail_before = 'y'", "do not add up"},
};

START_TEST(damaged_files_are_refused) {
    static struct store_sink sink = {"out", "file path=out", 0};
    job.sinks = 1;
    job.sink = &sink;
    struct store *s = opened(path);
    fold_rows(node.groups, 50, 10);
    struct hr_position at = {"part-0", 1, "ino 7"};
    struct store_counts counts = {"source", {.in = 50}};
    ck_assert(store_commit(s, 0, 0, (struct hr_positions){1, &at}, NULL, 0, &err));
    at.at = 2;
    store_outbox_put(s, 0, "rows", 4);
    ck_assert(store_commit(s, 1, 0, (struct hr_positions){1, &at}, &counts, 1, &err));
    closed(s);
    change_file(damage[_i].sql);
    char *before = bytes_of_file();
    err = (struct hr_error){0};
    s = store_open(path, &job, &err);
    ck_assert_msg(!s && err.code && strstr(err.text, damage[_i].why) && strstr(err.text, path), "%s: code %d: %s", damage[_i].sql, err.code, err.text);
    ck_assert_msg(!strcmp(before, bytes_of_file()), "%s: the file that was refused is another now", damage[_i].sql);
}
END_TEST

/* What no lock keeps apart, as its file was removed: the second commit has not seen the first. */
START_TEST(two_writers_are_noticed) {
    struct store *one = opened(path);
    ck_assert(commit(one, 1, 1));
    struct store_node other_node = node;
    struct store_job other = job;
    other.node = &other_node;
    struct store *two = store_open(path, &other, &err); /* a process does not lock itself out */
    ck_assert_msg(two != NULL, "%s", err.text);
    ck_assert(commit(one, 2, 2));
    ck_assert(!commit(two, 2, 3));
    ck_assert_msg(strstr(err.text, "another process has written to it") != NULL, "%s", err.text);
    err = (struct hr_error){0};
    store_close(two, &err);
    ck_assert(commit(one, 3, 4));
    closed(one);
    ck_assert_int_eq(number_in_file("SELECT epoch FROM hr_meta"), 3);
}
END_TEST

START_TEST(files_of_others_are_refused) {
    FILE *f = fopen(path, "w");
    fputs("this is no database, though it is long enough to be taken for one, if nobody looks\n", f);
    fclose(f);
    check_refused("");
    unlink(path);
    change_file("CREATE TABLE theirs(a); INSERT INTO theirs VALUES(1)");
    check_refused("is not a headrace checkpoint");
    ck_assert_int_eq(number_in_file("SELECT count(*) FROM theirs"), 1);
    unlink(path);
    f = fopen(arena_printf(&arena, "%s-wal", path), "w");
    fclose(f);
    check_refused("is gone, but");
}
END_TEST

START_TEST(places_without_room_are_refused) {
    snprintf(path, sizeof path, "/tmp/headrace-nowhere-%d/x.db", (int)getpid());
    check_refused("cannot lock");
    snprintf(path, sizeof path, "/tmp/headrace-store-%d.db", (int)getpid());
    ck_assert_int_eq(mkdir(path, 0700), 0);
    check_refused("is not a file");
    ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("store");
    TCase *t = tcase_create("store");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, state_comes_back);
    tcase_add_test(t, state_without_keys_comes_back);
    tcase_add_test(t, positions_come_back);
    tcase_add_test(t, counters_add_up);
    tcase_add_test(t, only_changed_rows_are_written);
    tcase_add_test(t, rows_come_in_batches);
    tcase_add_test(t, memory_is_as_a_file);
    tcase_add_test(t, published_is_kept);
    tcase_add_test(t, what_is_left_behind);
    tcase_add_test(t, readers_see_what_is_committed);
    tcase_add_test(t, splits_take_memory_once_each);
    tcase_add_test(t, other_jobs_are_refused);
    tcase_add_loop_test(t, damaged_files_are_refused, 0, COUNT(damage));
    tcase_add_test(t, two_writers_are_noticed);
    tcase_add_test(t, files_of_others_are_refused);
    tcase_add_test(t, places_without_room_are_refused);
    suite_add_tcase(suite, t);
    return suite_run(suite);
}
