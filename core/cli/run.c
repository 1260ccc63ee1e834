/* headrace run FILE */
#include "core/cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: headrace run FILE [OPTION ...]\n\n"
    "  --trigger T            5s, 500ms, ... or available_now, instead of the file's\n"
    "  --checkpoint PATH      instead of the file's\n"
    "  --progress auto|json|none  on stderr; auto: a line on a terminal, else none\n"
    "  --profile              at the end, on stderr: rows, batches, bytes and processor time of each node\n"
    "  --data-dir DIR         what the paths of sinks are beneath (default: the current folder)\n"
    "  --lanes N              workers (default: one a processor, at most 4)\n"
    "  --set NAME=VALUE       a value for ${NAME} in the file\n"
    "  --plugin-dir DIR       look for modules there first\n";

static bool override(struct cli *c, struct plan *plan) {
    if (c->checkpoint) plan->config.checkpoint = c->checkpoint;
    if (!c->trigger) return true;
    plan->config.available_now = !strcmp(c->trigger, "available_now");
    return plan->config.available_now ||
           (duration_parse(c->trigger, &plan->config.trigger_us) && plan->config.trigger_us > 0);
}

static bool progress_kind(const struct cli *c, enum progress *kind) {
    const char *s = c->progress ? c->progress : "auto";
    *kind = !strcmp(s, "json") ? PROGRESS_JSON
            : !strcmp(s, "auto") && isatty(2) ? PROGRESS_LINE : PROGRESS_NONE;
    return !strcmp(s, "json") || !strcmp(s, "auto") || !strcmp(s, "none");
}

int cli_run(int argc, char **argv) {
    struct cli c;
    struct plan plan;
    enum progress kind;
    static const char *const accepts[] = {"set", "plugin-dir", "trigger", "checkpoint", "progress", "profile", "lanes", "data-dir", NULL};
    if (!cli_parse(&c, argc, argv, usage, accepts)) return c.exit;
    if (c.files != 1) return cli_usage("run", "one pipeline file is wanted, not %d", c.files);
    if (!progress_kind(&c, &kind)) return cli_usage("run", "--progress is auto, json or none");
    registry_load(&engine_host, c.dir, c.dirs);
    if (!cli_load(&c, c.file[0], &plan)) return HR_ECONFIG;
    if (!override(&c, &plan)) {
        plan_free(&plan);
        return cli_usage("run", "--trigger wants a duration (5s, 100ms) or available_now, not '%s'", c.trigger);
    }
    if (!plan.config.checkpoint) log_line(HR_INFO, "%s keeps nothing: it has no checkpoint", plan.config.name);
    if (plan.config.checkpoint && plan.not_rereadable)
        log_line(HR_WARN, "%s: %s", plan_source(&plan)->id, plan.not_rereadable);
    struct hr_error err = {0};
    struct profile profile;
    profile_init(&profile, plan.nodes);
    struct hr_counts *counts = xcalloc((size_t)plan.nodes, sizeof *counts);
    struct run_options options = {.lanes = c.lanes ? c.lanes : run_default_lanes(), .data_dir = c.data_dir, .counts = counts,
                                  .report = progress_report, .profile = c.profile ? &profile : NULL};
    int64_t start = clock_monotonic_us();
    progress_start(kind, &plan);
    int code = run_plan(&plan, &options, &err);
    progress_end(&plan, counts);
    free(counts);
    if (c.profile) profile_print(&plan, &profile, options.lanes, (double)(clock_monotonic_us() - start) / 1e6);
    profile_free(&profile);
    if (code) log_line(HR_ERROR, "%s", err.text);
    plan_free(&plan);
    return code;
}
