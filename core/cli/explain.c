/* headrace explain FILE: the bound plan. Option values are not shown, and no name of a column holds a secret. */
#include "core/cli/cli.h"

static const char usage[] = "usage: headrace explain FILE [--set NAME=VALUE] [--plugin-dir DIR] [--lanes N]\n\n"
                            "Shows the bound plan: columns with their types, those nobody reads, the state.\n";
static const char *const mode_word[] = {"", "append", "complete", "", "update"};

static void explain_node(const struct plan *p, int i) {
    const struct node *node = &p->node[i];
    const struct letters_config *letter = p->config.letter;
    char type[24];
    bool sink = i >= plan_first_sink(p), after = p->state >= 0 && i > p->state;
    cli_line("%s (%s, %s)%s", node->id, node->plugin->name, node->from,
           sink ? "" : after ? "  on the epoch's result" : "  in each lane");
    for (int k = 0; k < node->schema.n; k++)
        cli_line("    %-24s %s%s", node->schema.field[k].name, type_name(node->schema.field[k].type, type),
               node->wanted[k] ? "" : "  (pruned: nobody reads it)");
    if (node->groups) cli_line("    state: %s", node->groups->signature);
    if (node->config->letters >= 0) cli_line("    errors: %s", letter[node->config->letters].name);
    if (!sink) return;
    cli_line("    input: %s", node->config->reads >= 0 ? letter[node->config->reads].name : p->node[node->config->input].id);
    cli_line("    mode: %s%s", mode_word[node->mode], node->plugin->sink.remembered && p->config.checkpoint ? ", each epoch once" : "");
}

int cli_explain(int argc, char **argv) {
    struct cli c;
    struct plan plan;
    if (!cli_parse(&c, argc, argv, usage, CLI_OPTIONS("set", "plugin-dir", "lanes"))) return c.exit;
    if (c.files != 1) return cli_usage("explain", "one pipeline file is wanted, not %d", c.files);
    registry_load(&engine_host, c.dir, c.dirs);
    if (!cli_load(&c, c.file[0], &plan)) return HR_ECONFIG;
    char every[32] = "available_now";
    if (!plan.config.available_now) snprintf(every, sizeof every, "%g s", (double)plan.config.trigger_us / 1e6);
    cli_line("pipeline %s, trigger %s, checkpoint %s", plan.config.name, every, plan.config.checkpoint ? plan.config.checkpoint : "none");
    cli_line("lanes %d", c.lanes ? c.lanes : run_default_lanes());
    limits_print(&plan.config.limits, stdout);
    for (int i = 0; i < plan.nodes; i++) explain_node(&plan, i);
    plan_free(&plan);
    return HR_OK;
}
