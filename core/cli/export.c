/* headrace export --to spark FILE */
#include "core/cli/cli.h"
#include "core/export/export.h"

#include <string.h>

static const char usage[] =
    "usage: headrace export --to spark FILE [OPTION ...]\n\n"
    "Writes the same job as a PySpark Structured Streaming program (Spark 3.5 and 4) to standard output.\n\n"
    "  --with-state DIR   go on from the checkpoint: offsets in the program, totals in DIR; stop the job first\n"
    "  --checkpoint PATH  instead of the file's\n"
    "  --set NAME=VALUE   a value for ${NAME} in the file; without it the program reads the variable itself\n"
    "  --plugin-dir DIR   look for modules there first\n";

int cli_export(int argc, char **argv) {
    struct cli c;
    struct plan plan;
    if (!cli_parse(&c, argc, argv, usage, CLI_OPTIONS("to", "with-state", "set", "checkpoint", "plugin-dir"))) return c.exit;
    if (c.files != 1) return cli_usage("export", "one pipeline file is wanted, not %d", c.files);
    if (!c.to) return cli_usage("export", "--to spark is wanted");
    if (strcmp(c.to, "spark")) return cli_usage("export", "--to knows spark, and not '%s'", c.to);
    registry_load(&engine_host, c.dir, c.dirs);
    if (!cli_load(&c, c.file[0], &plan)) return HR_ECONFIG;
    if (c.checkpoint) plan.config.checkpoint = c.checkpoint;
    struct hr_error err = {0};
    struct hr_buffer out = {0};
    struct export_options options = {c.with_state, c.setting, c.settings};
    bool ok = export_spark(&plan, &options, &out, &err);
    document_print(&plan.document, stderr);
    if (ok && (fwrite(out.p, 1, out.n, stdout) != out.n || fflush(stdout))) ok = error_set(&err, HR_EFAIL, "export: cannot write the program");
    if (err.code) log_line(HR_ERROR, "%s", err.text);
    buffer_free(&out);
    plan_free(&plan);
    return ok ? HR_OK : err.code ? err.code : HR_ECONFIG;
}
