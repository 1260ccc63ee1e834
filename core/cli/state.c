/* headrace state FILE [ID]: what the checkpoint holds, as of the last commit; also while the job runs. */
#include "core/cli/cli.h"
#include "core/engine/connect.h"
#include "core/state/store.h"

#include <string.h>

static const char usage[] = "usage: headrace state FILE [ID] [--connect] [--set NAME=VALUE] [--checkpoint PATH] [--plugin-dir DIR]\n\n"
                            "Shows epoch, positions and counters; with ID the rows of that node, a JSON object each.\n"
                            "--connect also asks the source how many records are waiting.\n";

struct row_printer { const struct hr_schema *schema; struct hr_buffer out, shown; };

static bool print_rows(void *ctx, const struct hr_batch *b) {
    struct row_printer *p = ctx;
    HR_EACH(b->rows, i) {
        p->out.n = 0;
        for (int k = 0; k < p->schema->n; k++) {
            buffer_putc(&p->out, k ? ',' : '{');
            json_quote(&p->out, p->schema->field[k].name, strlen(p->schema->field[k].name));
            buffer_putc(&p->out, ':');
            if (hr_is_null(&b->column[k], i)) buffer_puts(&p->out, "null");
            else value_json(&p->out, p->schema->field[k].type, hr_value(&b->column[k], i));
        }
        buffer_puts(&p->out, "}\n");
        p->shown.n = 0;
        buffer_shown(&p->shown, p->out.p, p->out.n, true);
        fwrite(p->shown.p, 1, p->shown.n, stdout);
    }
    return true;
}

static void print_summary(const struct plan *plan, struct store *store) {
    cli_line("pipeline %s: epoch %lld, published %lld", plan->config.name, (long long)store_epoch(store),
           (long long)store_published(store));
    struct hr_positions at = store_positions(store);
    for (int i = 0; i < at.n; i++) cli_line("  position %s: %lld", at.item[i].split, (long long)at.item[i].at);
    for (int i = 0; i < plan->nodes; i++) {
        struct hr_counts n = store_counts_of(store, plan->node[i].id);
        cli_line("  %s: in %llu, out %llu, filtered %llu, dropped %llu, dead-lettered %llu, bad %llu", plan->node[i].id,
               (unsigned long long)n.in, (unsigned long long)n.out, (unsigned long long)n.filtered,
               (unsigned long long)n.dropped, (unsigned long long)n.dead, (unsigned long long)n.bad);
    }
}

static bool print_lag(const struct plan *plan, struct store *store, struct hr_error *err) {
    int64_t lag;
    if (!connect_source(plan, store_positions(store), &lag, err)) return false;
    if (lag < 0) cli_line("  lag: %s does not count it", plan_source(plan)->id);
    else cli_line("  lag: %lld records", (long long)lag);
    return true;
}

static bool show(const struct plan *plan, struct store *store, const char *id, struct hr_error *err) {
    if (!id) return print_summary(plan, store), true;
    if (plan->state < 0 || strcmp(plan->node[plan->state].id, id))
        return error_set(err, HR_EUSAGE, "state: no stateful node '%s'", id);
    struct arena arena = {0};
    struct row_printer p = {.schema = &plan->node[plan->state].schema};
    bool ok = store_rows(store, 0, -1, &arena, print_rows, &p, err);
    arena_free(&arena);
    buffer_free(&p.out);
    buffer_free(&p.shown);
    return ok;
}

int cli_state(int argc, char **argv) {
    struct cli c;
    struct plan plan;
    if (!cli_parse(&c, argc, argv, usage, CLI_OPTIONS("set", "plugin-dir", "checkpoint", "connect"))) return c.exit;
    if (c.files < 1 || c.files > 2) return cli_usage("state", "a pipeline file and at most a node's id are wanted");
    registry_load(&engine_host, c.dir, c.dirs);
    if (!cli_load(&c, c.file[0], &plan)) return HR_ECONFIG;
    if (c.checkpoint) plan.config.checkpoint = c.checkpoint;
    struct hr_error err = {0};
    struct store_job job = job_of(&plan, &plan.arena);
    job.read_only = true;
    struct store *store = store_there(plan.config.checkpoint, &err) ? store_open(plan.config.checkpoint, &job, &err) : NULL;
    if (store) {
        if (show(&plan, store, c.files == 2 ? c.file[1] : NULL, &err) && c.connect) print_lag(&plan, store, &err);
        store_close(store, &err);
    }
    if (err.code) log_line(HR_ERROR, "%s", err.text);
    plan_free(&plan);
    return err.code;
}
