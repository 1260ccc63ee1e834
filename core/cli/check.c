/* headrace check FILE... */
#include "core/cli/cli.h"

static const char usage[] =
    "usage: headrace check FILE ... [--set NAME=VALUE] [--plugin-dir DIR]\n\n"
    "Reports every fault of every file; exit 3 where there is one.\n";

int cli_check(int argc, char **argv) {
    struct cli c;
    if (!cli_parse(&c, argc, argv, usage, "set plugin-dir")) return c.exit;
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
        plan_free(&plan);
    }
    return code;
}
