/*
 * A file of any bytes through the file source: lines, ndjson and csv. Rows, their places and what is said of a file
 * that is refused do not depend on where the borders of the buffer fall.
 */
#include "tests/fuzz/fuzz.h"
#include "sources/file_read.h"

enum { HEAD = 4 };

static const char *const formats[] = {"lines", "ndjson, schema: \"a INT, b STRING, c DOUBLE\"", "csv, schema: \"a INT, b STRING, c DATE\"",
                                      "csv, schema: \"a INT, b STRING, c DECIMAL(8,2)\", header: false"};
static const char *const delimiters[] = {",", ";", "|", "\\t"};
static const char *const policies[] = {"null", "drop", "fail"};

static void put_row(struct hr_buffer *out, const struct hr_batch *b, uint32_t i) {
    buffer_printf(out, "%lld:", (long long)b->position[i]);
    for (int k = 0; k < b->columns; k++) {
        if (hr_is_null(&b->column[k], i)) buffer_puts(out, "NULL");
        else value_text(out, b->column[k].type, hr_value(&b->column[k], i));
        buffer_putc(out, '|');
    }
    buffer_putc(out, '\n');
}

static bool read_chunk(const struct plan *p, struct hr_lane *lane, struct hr_chunk *chunk, struct hr_buffer *out) {
    const struct hr_source *source = &plan_source(p)->plugin->source;
    bool ok = true;
    for (;;) {
        struct hr_batch b = batch_of(((struct lane_node *)lane->host)->batch, &plan_source(p)->schema);
        b.split = chunk->split;
        lane->good = NULL;
        ok = source->fill(plan_source(p)->self, lane, chunk, &b);
        if (!ok || (!b.size && !b.rows.n)) break;
        HR_EACH(b.rows, i) put_row(out, &b, i);
    }
    source->release(plan_source(p)->self, chunk);
    return ok;
}

static void read_all(const char *yaml, size_t chunk_bytes, struct hr_buffer *out) {
    struct plan plan;
    fuzz_plan(&plan, yaml);
    const struct hr_source *source = &plan_source(&plan)->plugin->source;
    struct arena batch = {0};
    struct hr_error err = {0};
    struct hr_counts counts = {0};
    struct waker waker;
    waker_init(&waker);
    struct lane_node node = {.node = plan_source(&plan), .batch = &batch};
    struct hr_lane lane = {.counts = &counts, .err = &err, .wanted = plan_source(&plan)->wanted, .host = &node};
    struct hr_open open = {.bounded = true, .job = "fuzz", .err = &err, .host = &waker};
    file_chunk_bytes = chunk_bytes;
    bool ok = source->open(plan_source(&plan)->self, &open);
    for (enum hr_poll what = HR_CHUNK; ok && what != HR_END;) {
        struct hr_chunk chunk = {0};
        what = source->poll(plan_source(&plan)->self, &chunk, &err);
        CHECK(what != HR_IDLE, "a file keeps us waiting");
        ok = what != HR_FAILED && (what != HR_CHUNK || read_chunk(&plan, &lane, &chunk, out));
    }
    CHECK(ok || (err.code && *err.text), "failed without a word");
    buffer_printf(out, "bad %llu, dropped %llu, %.*s\n", (unsigned long long)counts.bad, (unsigned long long)counts.dropped,
                  err.code ? 1023 : 0, err.text);
    source->close(plan_source(&plan)->self);
    waker_destroy(&waker);
    plan_free(&plan);
    arena_free(&batch);
}

void fuzz_one(const uint8_t *data, size_t n) {
    if (n < HEAD) return;
    unsigned how = data[0];
    char yaml[512], record[32] = "16MiB";
    if (data[1]) snprintf(record, sizeof record, "%d", data[1]);
    snprintf(yaml, sizeof yaml,
             "version: 1\nname: fuzz\nlimits: {record: %s}\nsource:\n  file: {path: \"%s\", format: %s, delimiter: \"%s\", on_error: %s}\nsink: {console: {}}\n",
             record, fuzz_file(data + HEAD, n - HEAD), formats[how & 3], delimiters[how >> 2 & 3], policies[(how >> 4 & 15) % 3]);
    struct hr_buffer whole = {0}, pieces = {0};
    read_all(yaml, 8192, &whole);
    read_all(yaml, 1 + data[2], &pieces);
    /* with on_error fail the rows before a bad one come or not, as batches go */
    if ((how >> 4 & 15) % 3 != 2)
        CHECK(whole.n == pieces.n && !memcmp(whole.p, pieces.p, whole.n), "pieces of %d:\n%.*s\nor\n%.*s", 1 + data[2], (int)whole.n,
              whole.p, (int)pieces.n, pieces.p);
    buffer_free(&whole);
    buffer_free(&pieces);
}
