/* headrace plugins [NAME] */
#include "core/cli/cli.h"

#include <string.h>
#include <strings.h>

static const char usage[] = "usage: headrace plugins [NAME] [--plugin-dir DIR]\n\n"
                            "Lists the plug-ins and where each came from, or the options of one.\n";
static const char *const kind_word[] = {"", "source", "operator", "sink", "functions", "aggregates", "command"};

static void print_members(const struct hr_plugin *p) {
    if (p->kind == HR_FUNCTIONS)
        for (const struct hr_function *f = p->functions; f->name; f++) printf("  %-16s %s\n", f->name, f->help ? f->help : "");
    if (p->kind == HR_AGGREGATES)
        for (const struct hr_aggregate *a = p->aggregates; a->name; a++) printf("  %-16s %s\n", a->name, a->help ? a->help : "");
}

static void print_one(const struct registered *r) {
    printf("%s %s: %s\n(%s)\n", kind_word[r->plugin->kind], r->plugin->name, r->plugin->about, r->from);
    if (r->plugin->options) options_print(r->plugin->options, stdout);
    if (r->plugin->kind == HR_SINK) printf("  %-20s %s\n", "mode", "append, complete or update (default: complete after group_by, else append)");
    print_members(r->plugin);
}

int cli_plugins(int argc, char **argv) {
    struct cli c;
    if (!cli_parse(&c, argc, argv, usage, "plugin-dir")) return c.exit;
    if (c.files > 1) return cli_usage("plugins", "one name at a time");
    registry_load(&engine_host, c.dir, c.dirs);
    const struct registered *all;
    int n = registry_all(&all), found = 0;
    for (int i = 0; i < n; i++) {
        if (!c.files) printf("%-10s %-14s %-44s %s\n", kind_word[all[i].plugin->kind], all[i].plugin->name,
                             all[i].plugin->about, all[i].from);
        else if (!strcmp(all[i].plugin->name, c.file[0])) {
            print_one(&all[i]);
            found++;
        }
    }
    for (const char *const *why = registry_refused(); why && *why; why++) log_line(HR_WARN, "%s", *why);
    return c.files && !found ? cli_usage("plugins", "no plug-in '%s'", c.file[0]) : HR_OK;
}
