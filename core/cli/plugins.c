/* headrace plugins [NAME] */
#include "core/cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char usage[] = "usage: headrace plugins [NAME] [--plugin-dir DIR]\n\n"
                            "Lists the plug-ins and where each came from, or the options of one, or the functions beside one.\n";
static const char *const kind_word[] = {"", "source", "operator", "sink", "functions", "aggregates", "command"};

static bool has_member(const struct hr_plugin *p, const char *name) {
    if (p->kind == HR_FUNCTIONS)
        for (const struct hr_function *f = p->functions; f->name; f++)
            if (!strcasecmp(f->name, name)) return true;
    if (p->kind == HR_AGGREGATES)
        for (const struct hr_aggregate *a = p->aggregates; a->name; a++)
            if (!strcasecmp(a->name, name)) return true;
    return false;
}

static void print_members(const struct hr_plugin *p) {
    if (p->kind == HR_FUNCTIONS)
        for (const struct hr_function *f = p->functions; f->name; f++) printf("  %-16s %s\n", f->name, f->help ? f->help : "");
    if (p->kind == HR_AGGREGATES)
        for (const struct hr_aggregate *a = p->aggregates; a->name; a++) printf("  %-16s %s\n", a->name, a->help ? a->help : "");
}

static void print_mode(int modes) {
    char words[32];
    snprintf(words, sizeof words, "%s%s%s", modes & HR_APPEND ? "append|" : "", modes & HR_COMPLETE ? "complete|" : "",
             modes & HR_UPDATE ? "update|" : "");
    words[strlen(words) - 1] = '\0'; /* a sink can do something */
    option_print("mode", words, "which rows (default: complete after group_by, else append)", stdout);
    putchar('\n');
}

static void print_one(const struct registered *r) {
    printf("%s %s: %s (%s)\n", kind_word[r->plugin->kind], r->plugin->name, r->plugin->about, r->from);
    if (r->plugin->options) options_print(r->plugin->options, stdout);
    if (r->plugin->kind == HR_SINK) print_mode(r->plugin->sink.modes);
    print_members(r->plugin);
}

static int by_kind_and_name(const void *x, const void *y) {
    const struct registered *a = x, *b = y;
    if (a->plugin->kind != b->plugin->kind) return a->plugin->kind < b->plugin->kind ? -1 : 1;
    return strcmp(a->plugin->name, b->plugin->name);
}

static void print_list(const struct registered *loaded, int n) {
    int name = 0, about = 0;
    struct registered *all = xmalloc((size_t)n * sizeof *all);
    memcpy(all, loaded, (size_t)n * sizeof *all);
    qsort(all, (size_t)n, sizeof *all, by_kind_and_name);
    for (int i = 0; i < n; i++) {
        int wide[] = {(int)strlen(all[i].plugin->name), (int)strlen(all[i].plugin->about)};
        if (wide[0] > name) name = wide[0];
        if (wide[1] > about) about = wide[1];
    }
    for (int i = 0; i < n; i++)
        printf("%-10s  %-*s  %-*s  %s\n", kind_word[all[i].plugin->kind], name, all[i].plugin->name, about,
               all[i].plugin->about, all[i].from);
    free(all);
}

static int unknown(const struct registered *all, int n, const char *name) {
    const char **names = xcalloc((size_t)n + 1, sizeof *names);
    for (int i = 0; i < n; i++) names[i] = all[i].plugin->name;
    const char *near = closest(name, names);
    free(names);
    return cli_usage("plugins", "no plug-in '%s'%s%s%s", name, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

int cli_plugins(int argc, char **argv) {
    struct cli c;
    if (!cli_parse(&c, argc, argv, usage, CLI_OPTIONS("plugin-dir"))) return c.exit;
    if (c.files > 1) return cli_usage("plugins", "one name at a time");
    registry_load(&engine_host, c.dir, c.dirs);
    const struct registered *all;
    int n = registry_all(&all), found = 0;
    if (!c.files) print_list(all, n);
    for (int i = 0; c.files && i < n; i++) {
        if (strcmp(all[i].plugin->name, c.file[0]) && !has_member(all[i].plugin, c.file[0])) continue;
        if (found++) putchar('\n');
        print_one(&all[i]);
    }
    for (const char *const *why = registry_refused(); why && *why; why++) log_line(HR_WARN, "%s", *why);
    return c.files && !found ? unknown(all, n, c.file[0]) : HR_OK;
}
