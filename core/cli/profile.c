/* headrace run --profile: a table on stderr of where the processor time went. */
#include "core/cli/cli.h"

#include <sys/resource.h>

static int64_t process_ns(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return ((int64_t)used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000000 +
           ((int64_t)used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000;
}

static double peak_mib(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)used.ru_maxrss / 1024;
}

static void line(const char *name, const struct profile_spent *s, int64_t all) {
    char rows[24] = "", bytes[24] = "", each[24] = "";
    if (s->rows) {
        snprintf(rows, sizeof rows, "%llu", (unsigned long long)s->rows);
        snprintf(each, sizeof each, "%.1f", (double)s->ns / (double)s->rows);
    }
    if (s->bytes) snprintf(bytes, sizeof bytes, "%llu", (unsigned long long)s->bytes);
    fprintf(stderr, "%-16.40s %12s %9llu %14s %9.3f %8s %5.1f%%\n", name, rows, (unsigned long long)s->times, bytes,
            (double)s->ns / 1e9, each, 100 * (double)s->ns / (double)all);
}

void profile_print(const struct plan *plan, const struct profile *p, int lanes, double wall) {
    static const char *const parts[PROFILE_PARTS] = {"(feed)", "(merge)", "(commit)", "(publish)"};
    int64_t all = process_ns() + 1;
    struct profile_spent rest = {.ns = all - p->in_nodes};
    fprintf(stderr, "profile: %s: %.3f s, %.3f s of processor time, %d lane%s, %.1f MiB at most\n", plan->config.name, wall,
            (double)all / 1e9, lanes, lanes == 1 ? "" : "s", peak_mib());
    fprintf(stderr, "%-16s %12s %9s %14s %9s %8s %6s\n", "node", "rows", "batches", "bytes", "seconds", "ns/row", "share");
    for (int i = 0; i < p->nodes; i++) line(plan->node[i].id, &p->node[i], all);
    for (int i = 0; i < PROFILE_PARTS; i++) {
        line(parts[i], &p->part[i], all);
        rest.ns -= p->part[i].ns;
    }
    line("(elsewhere)", &rest, all);
}
