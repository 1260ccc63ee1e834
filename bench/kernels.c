/*
 * kernels: the rate of single kernels, on one thread, over the data of the invoice job.
 *
 *   kernels FILE       an NDJSON file of invoices, as `produce -l` prints it
 *
 * prints a line each: name, nanoseconds an item, MB of input a second. Each runs over the same items until half a second
 * is over; the items are more than fit in the first-level cache and fewer than in the last. strtod stands beside the
 * parser of doubles for a measure. They set no thresholds: they show which kernel a change moved.
 */
#include <stdlib.h>
#include <string.h>

#include "core/data/json.h"
#include "functions/date_pattern.h"

enum { ITEMS = 4 * HR_BATCH, HALF_A_SECOND = 500000 };

struct work {
    struct hr_text json[ITEMS], amount[ITEMS], date[ITEMS];
    double value[ITEMS];
    struct date_pattern pattern;
    struct hr_json *reader;
    struct arena keep, batch;
    struct hr_buffer out;
    uint64_t sink; /* results go here, so that no compiler leaves them out */
};

static const struct hr_field invoice[] = {
    {"SellerID", {.id = HR_INT}}, {"InvoiceTotal_amount", {.id = HR_DOUBLE}}, {"tax_amount", {.id = HR_DOUBLE}},
    {"invoice_Date", {.id = HR_STRING}},
};
enum { FIELDS = sizeof invoice / sizeof *invoice };

__attribute__((noreturn)) static void die(const char *what) {
    fprintf(stderr, "kernels: %s\n", what);
    exit(1);
}

/* ---- the kernels: all items once ---- */

static void from_json(struct work *w) {
    for (uint32_t at = 0; at < ITEMS; at += HR_BATCH) {
        struct hr_column text = {w->json + at, NULL, {.id = HR_STRING}}, out[FIELDS];
        const char *reason[HR_BATCH];
        arena_reset(&w->batch);
        for (int f = 0; f < FIELDS; f++)
            out[f] = (struct hr_column){arena_alloc(&w->batch, HR_BATCH * sizeof(struct hr_text)),
                                        arena_zalloc(&w->batch, HR_BATCH / 8), invoice[f].type};
        json_reader_read(w->reader, &w->batch, &text, (struct hr_rows){NULL, HR_BATCH}, out, reason);
        w->sink += (uint64_t)((int32_t *)out[0].at)[HR_BATCH - 1] + out[1].valid[0];
    }
}

static void hash_short(struct work *w) {
    for (int i = 0; i < ITEMS; i++) w->sink ^= hash_bytes(w->amount[i].p, w->amount[i].n, 0);
}

static void hash_long(struct work *w) {
    for (int i = 0; i < ITEMS; i++) w->sink ^= hash_bytes(w->json[i].p, w->json[i].n, 0);
}

static void date(struct work *w) {
    int64_t us = 0;
    for (int i = 0; i < ITEMS; i++) w->sink += (uint64_t)date_pattern_parse(&w->pattern, w->date[i], &us) + (uint64_t)us;
}

static void double_cast(struct work *w) {
    double x = 0;
    for (int i = 0; i < ITEMS; i++) w->sink += (uint64_t)value_parse((struct hr_type){.id = HR_DOUBLE}, w->amount[i], &x) + (uint64_t)x;
}

static void double_strtod(struct work *w) {
    for (int i = 0; i < ITEMS; i++) w->sink += (uint64_t)strtod(w->amount[i].p, NULL);
}

static void double_write(struct work *w) {
    w->out.n = 0;
    for (int i = 0; i < ITEMS; i++) value_text(&w->out, (struct hr_type){.id = HR_DOUBLE}, &w->value[i]);
    w->sink += w->out.n;
}

/* ---- around them ---- */

static void run(const char *name, void (*kernel)(struct work *), struct work *w, const struct hr_text *input) {
    double bytes = 0;
    for (int i = 0; i < ITEMS; i++) bytes += input[i].n;
    kernel(w);
    int64_t start = clock_monotonic_us(), took, times = 0;
    do {
        kernel(w);
        times++;
    } while ((took = clock_monotonic_us() - start) < HALF_A_SECOND);
    printf("%s %.2f %.0f\n", name, (double)took * 1000 / (double)(times * ITEMS), bytes * (double)times / (double)took);
}

/* The text of a field as it stands in the record. */
static struct hr_text field(struct hr_text json, const char *name) {
    const char *p = memmem(json.p, json.n, name, strlen(name));
    if (!p) die("a record without all of the invoice's fields");
    p += strlen(name);
    size_t n = *p == '"' ? strcspn(++p, "\"") : strcspn(p, ",}");
    return (struct hr_text){.p = p, .n = (uint32_t)n};
}

static void load(struct work *w, const char *path) {
    FILE *f = fopen(path, "r");
    if (!f) die("cannot open the file");
    char *line = NULL;
    size_t room = 0;
    for (int i = 0; i < ITEMS; i++) {
        ssize_t n = getline(&line, &room, f);
        if (n < 2) die("the file has too few records");
        w->json[i] = (struct hr_text){.p = arena_strndup(&w->keep, line, (size_t)n - 1), .n = (uint32_t)n - 1};
        w->amount[i] = field(w->json[i], "\"InvoiceTotal_amount\":");
        w->date[i] = field(w->json[i], "\"invoice_Date\":");
        w->value[i] = strtod(w->amount[i].p, NULL);
    }
    free(line);
    fclose(f);
}

int main(int argc, char **argv) {
    static struct work w;
    static const struct hr_schema schema = {FIELDS, invoice};
    if (argc != 2) die("usage: kernels FILE");
    load(&w, argv[1]);
    w.reader = json_reader_new(&w.keep, &schema, &(struct hr_json_options){.strict = true});
    if (date_pattern_compile(&w.pattern, "MM-dd-yy", 8)) die("MM-dd-yy");
    run("from_json", from_json, &w, w.json);
    run("hash_amount", hash_short, &w, w.amount);
    run("hash_record", hash_long, &w, w.json);
    run("to_date", date, &w, w.date);
    run("double_read", double_cast, &w, w.amount);
    run("double_read_strtod", double_strtod, &w, w.amount);
    run("double_write", double_write, &w, w.amount);
    buffer_free(&w.out);
    arena_free(&w.batch);
    arena_free(&w.keep);
    return fflush(stdout) || w.sink == 42;
}
