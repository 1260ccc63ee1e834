/* Options that the commands share. */
#include "core/cli/cli.h"

#include <stdlib.h>
#include <string.h>

int cli_usage(const char *command, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    log_line(HR_ERROR, "%s: %s", command, text);
    return HR_EUSAGE;
}

void cli_line(const char *format, ...) {
    struct hr_buffer text = {0}, line = {0};
    va_list args;
    va_start(args, format);
    buffer_vprintf(&text, format, args);
    va_end(args);
    buffer_shown(&line, text.p, text.n, false);
    buffer_putc(&line, '\n');
    fwrite(line.p, 1, line.n, stdout);
    buffer_free(&text);
    buffer_free(&line);
}

static bool HR_PRINTF(2, 3) wrong(struct cli *c, const char *format, ...) {
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    c->exit = cli_usage(c->command, "%s", text);
    return false;
}

static bool take_setting(struct cli *c, char *text) {
    char *equals = strchr(text, '=');
    if (!equals || equals == text) return wrong(c, "--set wants NAME=VALUE, not '%s'", text);
    if (c->settings == (int)(sizeof c->setting / sizeof c->setting[0])) return wrong(c, "%s: too many", "--set");
    *equals = '\0';
    c->setting[c->settings++] = (struct setting){text, equals + 1};
    return true;
}

static bool take_lanes(struct cli *c, const char *text) {
    char *end;
    long n = strtol(text, &end, 10);
    if (*end || n < 1 || n > 64) return wrong(c, "--lanes wants a number from 1 to 64, not '%s'", text);
    c->lanes = (int)n;
    return true;
}

static bool take(struct cli *c, const char *name, char *value) {
    if (!strcmp(name, "set")) return take_setting(c, value);
    if (!strcmp(name, "lanes")) return take_lanes(c, value);
    if (!strcmp(name, "trigger")) return c->trigger = value, true;
    if (!strcmp(name, "checkpoint")) return c->checkpoint = value, true;
    if (!strcmp(name, "progress")) return c->progress = value, true;
    if (!strcmp(name, "data-dir")) return c->data_dir = value, true;
    if (!strcmp(name, "to")) return c->to = value, true;
    if (!strcmp(name, "with-state")) return c->with_state = value, true;
    if (c->dirs == (int)(sizeof c->dir / sizeof c->dir[0])) return wrong(c, "%s: too many", "--plugin-dir");
    c->dir[c->dirs++] = value;
    return true;
}

static bool no_option(struct cli *c, const char *arg, const char *name, const char *const *accepts) {
    const char *near = closest(name, accepts);
    return wrong(c, "no option '%s'%s%s%s", arg, near ? "; did you mean '--" : "", near ? near : "", near ? "'?" : "");
}

static bool take_option(struct cli *c, int argc, char **argv, int *i, const char *const *accepts) {
    char *arg = argv[*i], *equals = strchr(arg, '='), name[32];
    const char *start = arg + (arg[1] == '-' ? 2 : 0); /* -x is none */
    snprintf(name, sizeof name, "%.*s", equals ? (int)(equals - start) : 31, start);
    const char *const *known = accepts;
    while (*known && strcmp(*known, name)) known++;
    if (!*known) return no_option(c, arg, name, accepts);
    bool *flag = !strcmp(name, "connect") ? &c->connect : !strcmp(name, "profile") ? &c->profile : NULL;
    if (flag && equals) return wrong(c, "--%s takes no value", name);
    if (flag) return *flag = true;
    if (!equals && *i + 1 == argc) return wrong(c, "%s wants a value", arg);
    return take(c, name, equals ? equals + 1 : argv[++*i]);
}

bool cli_parse(struct cli *c, int argc, char **argv, const char *usage, const char *const *accepts) {
    *c = (struct cli){.command = argv[0], .file = (const char **)argv};
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
            fputs(usage, stdout);
            return c->exit = HR_OK, false;
        }
        if (*argv[i] != '-') c->file[c->files++] = argv[i];
        else if (!take_option(c, argc, argv, &i, accepts)) return false;
    }
    return true;
}

bool cli_load(struct cli *c, const char *file, struct plan *plan) {
    bool ok = plan_load(plan, file, c->setting, c->settings);
    if (ok) return true;
    document_print(&plan->document, stderr);
    for (const char *const *why = registry_refused(); why && *why; why++) log_line(HR_WARN, "%s", *why);
    plan_free(plan);
    return false;
}
