/* headrace: the program. Finds the command; a module may bring more of them. */
#include "core/cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const struct { const char *name; int (*run)(int, char **); const char *about; } commands[] = {
    {"run", cli_run, "run a pipeline file"},
    {"check", cli_check, "report every fault of pipeline files"},
    {"explain", cli_explain, "show the bound plan: schemas, pruned columns, state"},
    {"plugins", cli_plugins, "list plug-ins, or one plug-in's options"},
    {"export", cli_export, "write the job for another engine: --to spark"},
    {"state", cli_state, "show what the checkpoint holds"},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void help(FILE *to) {
    registry_load(&engine_host, NULL, 0); /* modules bring commands too */
    fputs("usage: headrace COMMAND [ARGUMENT ...]\n\ncommands:\n", to);
    for (int i = 0; i < COMMANDS; i++) fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].about);
    const struct registered *all;
    int n = registry_all(&all);
    for (int i = 0; i < n; i++)
        if (all[i].plugin->kind == HR_COMMAND)
            fprintf(to, "  %-10s %s\n", all[i].plugin->name, all[i].plugin->about);
    fputs("\n`headrace COMMAND --help` says more; exit codes are in headrace(1).\n", to);
}

/* Commands that modules bring (kafka: broker). */
static int run_other(int argc, char **argv) {
    registry_load(&engine_host, NULL, 0);
    const struct registered *r = registry_find(HR_COMMAND, argv[1]);
    if (r) return r->plugin->command.run(argc - 1, argv + 1);
    const char *names[COMMANDS + 1] = {0};
    for (int i = 0; i < COMMANDS; i++) names[i] = commands[i].name;
    const char *near = closest(argv[1], names);
    for (const char *const *why = registry_refused(); why && *why; why++) log_line(HR_WARN, "%s", *why);
    log_line(HR_ERROR, "no command '%s'; %s%s%s", argv[1], near ? "did you mean '" : "none is built in, nor a module of ",
             near ? near : *registry_folders() ? registry_folders() : "any folder", near ? "'?" : "");
    return HR_EUSAGE;
}

static int command(int argc, char **argv) {
    if (argc < 2) {
        help(stderr);
        return HR_EUSAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        help(stdout);
        return HR_OK;
    }
    if (!strcmp(argv[1], "--version")) {
        printf("headrace %s\n", PACKAGE_VERSION);
        return HR_OK;
    }
    for (int i = 0; i < COMMANDS; i++)
        if (!strcmp(argv[1], commands[i].name)) return commands[i].run(argc - 1, argv + 1);
    return run_other(argc, argv);
}

/* A full disk shows here, for every command: what was printed may be cut off. */
static int end(int code) {
    errno = 0;
    if (!fflush(stdout) && !ferror(stdout)) return code;
    log_line(HR_ERROR, "cannot write to standard output%s%s", errno ? ": " : "", errno ? strerror(errno) : "");
    return code ? code : HR_EFAIL;
}

/* A file that is opened must not take the number of a standard stream that is closed: what is printed would go into it. Read and
 * written the wrong way round, the streams still fail. */
static void keep_standard_streams(void) {
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd) _exit(HR_EFAIL);
}

int main(int argc, char **argv) {
    keep_standard_streams();
    return end(command(argc, argv));
}
