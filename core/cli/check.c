/* headrace check FILE... */
#include "core/cli/cli.h"
#include "core/engine/connect.h"

static const char usage[] =
    "usage: headrace check FILE ... [--connect] [--set NAME=VALUE] [--plugin-dir DIR]\n\n"
    "Reports every fault of every file; exit 3 where there is one.\n"
    "--connect also opens the source: is it there, and are its records? Exit 1 where it is not.\n";

static int check_source(const struct plan *plan, const char *file) {
    struct hr_error err = {0};
    int64_t lag;
    if (!connect_source(plan, (struct hr_positions){0}, &lag, &err)) {
        log_line(HR_ERROR, "%s: %s", file, err.text);
        return err.code;
    }
    printf("%s: %s: can be opened\n", file, plan_source(plan)->id);
    return HR_OK;
}

int cli_check(int argc, char **argv) {
    struct cli c;
    if (!cli_parse(&c, argc, argv, usage, CLI_OPTIONS("set", "plugin-dir", "connect"))) return c.exit;
    if (!c.files) return cli_usage("check", "a pipeline file is wanted");
    registry_load(&engine_host, c.dir, c.dirs);
    int code = HR_OK;
    for (int i = 0; i < c.files; i++) {
        struct plan plan;
        if (!cli_load(&c, c.file[i], &plan)) {
            code = HR_ECONFIG;
            continue;
        }
        printf("%s: ok\n", c.file[i]);
        if (!plan.config.checkpoint) printf("%s: keeps nothing: it has no checkpoint\n", c.file[i]);
        if (plan.not_rereadable) printf("%s: %s: %s\n", c.file[i], plan_source(&plan)->id, plan.not_rereadable);
        int reached = c.connect ? check_source(&plan, c.file[i]) : HR_OK;
        if (reached && !code) code = reached;
        plan_free(&plan);
    }
    return code;
}
