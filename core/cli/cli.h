/*
 * cli.h: the commands of the program. Each takes its own argv (argv[0] is the command) and returns
 * an exit code of enum hr_code.
 */
#ifndef HR_CLI_H
#define HR_CLI_H

#include "core/engine/run.h"

/* What the commands share: --set, --plugin-dir and the file. */
struct cli {
    const char *command;
    struct setting setting[64];
    int settings;
    const char *dir[16];
    int dirs;
    const char *trigger, *checkpoint, *progress, *data_dir, *to, *with_state;
    int lanes;
    bool profile;
    bool connect;
    const char **file; /* what is left, in argv */
    int files;
    int exit;          /* set when there is nothing more to do: help, or a usage error */
};

#define CLI_OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})
/* Parse the options that `accepts` names: CLI_OPTIONS("set", "plugin-dir"). False: return exit. */
bool cli_parse(struct cli *, int argc, char **argv, const char *usage, const char *const *accepts);
/* One line on stdout; what is in names cannot steer a terminal. */
void cli_line(const char *format, ...) HR_PRINTF(1, 2);
int cli_usage(const char *command, const char *format, ...) HR_PRINTF(2, 3);
/* Load modules and the plan; prints the faults. */
bool cli_load(struct cli *, const char *file, struct plan *);

int cli_run(int argc, char **argv);
int cli_check(int argc, char **argv);
int cli_explain(int argc, char **argv);
int cli_plugins(int argc, char **argv);
int cli_state(int argc, char **argv);
int cli_export(int argc, char **argv);

/* Where the time of a run went, on stderr. */
void profile_print(const struct plan *, const struct profile *, int lanes, double wall_seconds);

/* The progress of a run on stderr. */
enum progress { PROGRESS_NONE, PROGRESS_LINE, PROGRESS_JSON };
void progress_start(enum progress, const struct plan *);
void progress_report(const struct plan *, const struct epoch_report *);
/* counts: what the run committed, of every node. */
void progress_end(const struct plan *, const struct hr_counts *counts);

#endif
