/* A run's progress on stderr: a live line, or JSON in the names of Spark's StreamingQueryProgress. */
#include "core/cli/cli.h"

#include <string.h>
#include <time.h>

static enum progress kind;
static int64_t started, last_us;
static uint64_t total;
static char run_id[40];

void progress_start(enum progress k, const struct plan *plan) {
    kind = k;
    log_over_line(k == PROGRESS_LINE);
    started = last_us = clock_monotonic_us();
    uint64_t a = hash_bytes(plan->config.name, strlen(plan->config.name), (uint64_t)clock_wall_us());
    snprintf(run_id, sizeof run_id, "%016llx", (unsigned long long)a);
}

static void put_positions(struct hr_buffer *b, const char *name, struct hr_positions at) {
    buffer_printf(b, "\"%s\":{", name);
    for (int i = 0; i < at.n; i++) {
        if (i) buffer_putc(b, ',');
        json_quote(b, at.item[i].split, strlen(at.item[i].split));
        buffer_printf(b, ":%lld", (long long)at.item[i].at);
    }
    buffer_putc(b, '}');
}

static void put_name(struct hr_buffer *b, const char *key, const char *value) {
    buffer_printf(b, "\"%s\":", key);
    json_quote(b, value, strlen(value));
    buffer_putc(b, ',');
}

/* Spark knows one sink and calls it that; here they are a list. */
static void put_sinks(struct hr_buffer *b, const struct plan *p, const struct epoch_report *r) {
    buffer_puts(b, "\"sinks\":[");
    for (int i = 0; i < p->sinks; i++) {
        const struct node *sink = &p->node[plan_first_sink(p) + i];
        buffer_puts(b, i ? ",{" : "{");
        put_name(b, "id", sink->id);
        put_name(b, "description", sink->target);
        buffer_printf(b, "\"numOutputRows\":%llu}", (unsigned long long)r->rows[i]);
    }
    buffer_putc(b, ']');
}

/* Rows of the input: a bad total stands at its node, and what is behind it comes again with each epoch. */
static bool has_bad(const struct plan *p, int i, const struct hr_counts *counts) { return (p->state < 0 || i < p->state) && counts[i].bad; }

static void put_bad(struct hr_buffer *b, const struct plan *p, const struct epoch_report *r) {
    int n = 0;
    for (int i = 0; i < p->nodes; i++) {
        const struct hr_counts *c = &r->counts[i];
        if (!has_bad(p, i, r->counts)) continue;
        buffer_puts(b, n++ ? "," : "\"observedMetrics\":{");
        json_quote(b, p->node[i].id, strlen(p->node[i].id));
        buffer_printf(b, ":{\"bad\":%llu,\"dropped\":%llu,\"deadLettered\":%llu}", (unsigned long long)c->bad,
                      (unsigned long long)c->dropped, (unsigned long long)c->dead);
    }
    if (n) buffer_puts(b, "},");
}

static void report_json(const struct plan *p, const struct epoch_report *r, double seconds) {
    struct hr_buffer b = {0};
    char when[32];
    time_t t = (time_t)(clock_wall_us() / 1000000);
    struct tm tm;
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
    buffer_putc(&b, '{');
    put_name(&b, "id", p->config.name);
    put_name(&b, "runId", run_id);
    put_name(&b, "name", p->config.name);
    put_name(&b, "timestamp", when);
    buffer_printf(&b, "\"batchId\":%lld,\"numInputRows\":%llu,\"inputRowsPerSecond\":%.1f,\"processedRowsPerSecond\":%.1f,",
                  (long long)r->epoch - 1, (unsigned long long)r->records, (double)r->records / seconds,
                  (double)r->records / seconds);
    buffer_printf(&b, "\"durationMs\":{\"addBatch\":%lld,\"walCommit\":%lld,\"commitOffsets\":%lld,\"triggerExecution\":%lld},",
                  (long long)r->wait_us / 1000, (long long)r->commit_us / 1000, (long long)r->publish_us / 1000,
                  (long long)r->total_us / 1000);
    if (p->state >= 0)
        buffer_printf(&b, "\"stateOperators\":[{\"numRowsTotal\":%llu,\"numRowsUpdated\":%llu,\"customMetrics\":{\"bad\":%llu}}],",
                      (unsigned long long)r->groups, (unsigned long long)r->changed, (unsigned long long)r->unfit);
    put_bad(&b, p, r);
    buffer_puts(&b, "\"sources\":[{");
    put_name(&b, "description", plan_source(p)->target);
    put_positions(&b, "startOffset", r->from);
    buffer_putc(&b, ',');
    put_positions(&b, "endOffset", r->to);
    buffer_puts(&b, "}],");
    put_sinks(&b, p, r);
    buffer_put(&b, "}\n", 3); /* with the NUL */
    secret_mask(b.p);
    struct hr_buffer shown = {0};
    buffer_shown(&shown, b.p, strlen(b.p), true);
    fwrite(shown.p, 1, shown.n, stderr);
    buffer_free(&shown);
    buffer_free(&b);
}

static long resident_mib(void) {
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f) return 0;
    if (fscanf(f, "%*s %ld", &pages) != 1) pages = 0;
    fclose(f);
    return pages / 256;
}

static void report_line(const struct plan *p, const struct epoch_report *r, double seconds) {
    fprintf(stderr, "\r\033[K%s: epoch %lld, %llu rows (%.0f/s)", p->config.name, (long long)r->epoch,
            (unsigned long long)total, (double)r->records / seconds);
    if (r->lag >= 0) fprintf(stderr, ", lag %lld", (long long)r->lag);
    if (p->state >= 0) fprintf(stderr, ", %llu groups", (unsigned long long)r->groups);
    if (r->unfit) fprintf(stderr, " (%llu totals do not fit)", (unsigned long long)r->unfit);
    fprintf(stderr, ", %ld MiB", resident_mib());
}

/* Once: each such epoch writes groups that the next one changes again. */
static void say_early(const struct plan *p) {
    static bool said;
    char size[24];
    if (said) return;
    said = true;
    log_line(HR_WARN, "%s: epochs end before their trigger, as the groups that change in one are too many for limits: {memory: %s}; "
             "results are the same, but more memory lets it run faster", p->config.name, bytes_text(p->config.limits.memory.n, size));
}

/* At the end: how many there were, and what became of them. */
static void say_bad(const struct node *node, const struct hr_counts *c) {
    const char *what = c->dropped ? "dropped" : c->dead ? "dead letters" : "null instead";
    log_line(HR_WARN, "%s: %llu of %llu rows were bad (%s)", node->id, (unsigned long long)c->bad, (unsigned long long)c->in, what);
}

void progress_report(const struct plan *p, const struct epoch_report *r) {
    int64_t now = clock_monotonic_us();
    double seconds = (double)(now - last_us + 1) / 1e6;
    last_us = now;
    total += r->records;
    if (r->early) say_early(p);
    if (kind == PROGRESS_JSON) report_json(p, r, seconds);
    if (kind == PROGRESS_LINE) report_line(p, r, seconds);
}

void progress_end(const struct plan *p, const struct hr_counts *counts) {
    if (kind == PROGRESS_LINE && total) fputc('\n', stderr);
    log_over_line(false);
    for (int i = 0; kind != PROGRESS_JSON && i < p->nodes; i++)
        if (has_bad(p, i, counts)) say_bad(&p->node[i], &counts[i]);
}
