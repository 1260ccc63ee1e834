/*
 * The checkpoint: a file of any bytes is refused with a word or opened, read and committed to; a saved state of any
 * bytes is refused or taken, and then merged, shown and saved as any other.
 */
#include "tests/fuzz/fuzz.h"
#include "core/state/store.h"

#include <unistd.h>

static const char yaml[] =
    "version: 1\nname: fuzz\nsource: {generator: {rows: 9, columns: {i: id, s: \"concat('s', id)\", x: id / 3.0D, m: \"CAST(id AS DECIMAL(10,2))\"}}}\n"
    "operators:\n  - group_by: {keys: [i, s], aggregates: {sum_i: sum(i), sum_x: sum(x), sum_m: sum(m), mean: avg(x), mean_m: avg(m), n: count(*), least: min(s), most: max(x)}}\n"
    "sink: {null: {}}\n";

static struct plan *plan(void) {
    static struct plan p;
    if (!p.nodes) fuzz_plan(&p, yaml);
    return &p;
}

static void put(const char *path, const uint8_t *data, size_t n) {
    FILE *f = fopen(path, "we");
    CHECK(f && fwrite(data, 1, n, f) == n && !fclose(f), "%s cannot be written", path);
}

static bool each(void *ctx, const struct hr_batch *b) {
    struct hr_buffer *out = ctx;
    HR_EACH(b->rows, i)
        for (int k = 0; k < b->columns; k++)
            if (!hr_is_null(&b->column[k], i)) value_text(out, b->column[k].type, hr_value(&b->column[k], i));
    return true;
}

static void use(struct store *s, bool commit) {
    struct arena a = {0};
    struct hr_buffer out = {0};
    struct hr_error err = {0};
    if (!store_rows(s, 0, -1, &a, each, &out, &err)) CHECK(err.code && *err.text, "failed without a word");
    struct hr_position at = {"0", 7, NULL};
    struct store_counts counts = {"null", {.in = 1}};
    err = (struct hr_error){0};
    if (commit && !store_commit(s, store_epoch(s) + 1, 0, (struct hr_positions){1, &at}, &counts, 1, &err))
        CHECK(err.code && *err.text, "failed without a word");
    arena_free(&a);
    buffer_free(&out);
    store_close(s, &err);
}

static void open_file(const uint8_t *data, size_t n, bool read_only) {
    static const char *const beside[] = {"", "-wal", "-shm", "-journal", ".lock", ".new"};
    char path[128];
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
        snprintf(path, sizeof path, "%s/state.db%s", fuzz_folder(), beside[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/state.db", fuzz_folder());
    put(path, data, n);
    struct arena arena = {0};
    struct store_job job = job_of(plan(), &arena);
    job.read_only = read_only;
    struct hr_error err = {0};
    struct store *s = store_open(path, &job, &err);
    CHECK(s || (err.code && *err.text), "refused without a word");
    if (s) use(s, !read_only);
    arena_free(&arena);
}

/* A group with the key (i, NULL). */
static uint32_t group(struct groups *g, int64_t i) {
    struct hr_buffer key = {0};
    key_put(&key, (struct hr_type){.id = HR_BIGINT}, &i);
    key_put(&key, (struct hr_type){.id = HR_STRING}, NULL);
    uint32_t number = groups_at(g, key.p, key.n);
    CHECK(number != GROUPS_NONE, "no key");
    buffer_free(&key);
    return number;
}

static void load_state(const uint8_t *data, size_t n) {
    const struct groups_shape *shape = &plan()->node[plan()->state].groups->shape;
    int a = data[0] % shape->aggs;
    const struct hr_agg *agg = &shape->agg[a];
    struct groups *g = groups_new(shape);
    struct hr_error err = {0};
    uint32_t one = group(g, 1), two = group(g, 2);
    struct hr_buffer saved = {0};
    if (!agg->fn->load(agg, groups_memory(g), groups_state(g, one, a), data[1], (const char *)data + 2, n - 2, &err)) {
        CHECK(err.code && *err.text, "refused without a word");
    } else {
        _Alignas(16) char value[16];
        uint64_t valid = 1;
        struct hr_column column = {value, &valid, agg->result};
        CHECK(agg->fn->save(agg, groups_state(g, one, a), &saved), "cannot be saved");
        CHECK(agg->fn->load(agg, groups_memory(g), groups_state(g, two, a), agg->fn->version, saved.p, saved.n, &err), "%s", err.text);
        if (agg->fn->merge(agg, groups_memory(g), groups_state(g, two, a), groups_state(g, one, a), &err))
            agg->fn->final(agg, groups_state(g, two, a), &column, 0, &err);
    }
    buffer_free(&saved);
    groups_free(g);
}

void fuzz_one(const uint8_t *data, size_t n) {
    if (n < 3) return;
    fuzz_host();
    if (data[0] == 'S') open_file(data, n, n & 1); /* SQLite's files begin so */
    else load_state(data, n);
}
