/* Names of the program's variables: every node and everything that a node makes before it has one of its own. */
#include "core/export/internal.h"

#include <string.h>

/* Python's own words, and what every program uses. */
static const char *const reserved[] = {"spark", "args", "query", "running", "totals", "parser", "argparse", "json", "os", "open", "read_secret", "F",
    "SparkSession", "__debug__", "__file__", "__name__", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "False", "filter", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "None", "nonlocal", "not", "or",
    "pass", "raise", "return", "True", "try", "while", "with", "yield", NULL};

static bool is_reserved(const char *name) {
    for (const char *const *word = reserved; *word; word++)
        if (!strcmp(*word, name)) return true;
    return false;
}

static bool is_taken(const struct program *p, const char *name) {
    for (int i = 0; i < p->names; i++)
        if (!strcmp(p->name[i], name)) return true;
    return is_reserved(name);
}

const char *name_new(struct program *p, const char *wish) {
    struct arena *a = program_arena(p);
    const char *name = wish;
    for (int i = 2; is_taken(p, name); i++) name = arena_printf(a, "%s_%d", wish, i);
    const char **more = arena_alloc(a, ((size_t)p->names + 1) * sizeof *more);
    if (p->names) memcpy(more, p->name, (size_t)p->names * sizeof *more);
    more[p->names++] = name;
    p->name = more;
    return name;
}

/* A node is called by its id where it can be, whoever comes first. */
void names_of_nodes(struct program *p) {
    const struct plan *plan = p->plan;
    p->variable = arena_alloc(program_arena(p), (size_t)plan->nodes * sizeof *p->variable);
    for (int i = 0; i < plan->nodes; i++)
        if (!is_reserved(plan->node[i].id)) p->variable[i] = name_new(p, plan->node[i].id);
    for (int i = 0; i < plan->nodes; i++)
        if (is_reserved(plan->node[i].id)) p->variable[i] = name_new(p, arena_printf(program_arena(p), "%s_rows", plan->node[i].id));
}
