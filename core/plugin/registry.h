/*
 * registry.h: every plug-in that this process knows, built in or loaded.
 */
#ifndef HR_REGISTRY_H
#define HR_REGISTRY_H

#include "core/base/base.h"
#include "core/config/config.h"
#include "core/expr/expr.h"

/* The generated table of built-ins. */
extern const struct hr_plugin *const hr_builtin[];

struct registered {
    const struct hr_plugin *plugin;
    const char *from; /* "built in" or the module's path */
};

/* Take in the built-ins, then modules of --plugin-dir, HEADRACE_PLUGIN_PATH and the installed folder. Of two plug-ins, functions
 * or aggregates of one name the first is taken, so that no module changes what a pipeline means that runs without it.
 * A module that is refused is one line of registry_refused() (and the rest goes on: loading fails only when the
 * pipeline needs what is missing). host is handed to every accepted module before it is used. */
void registry_load(const struct hr_host *host, const char *const *dirs, int n_dirs);
const struct registered *registry_find(enum hr_kind, const char *name);
/* All, in that order. */
int registry_all(const struct registered **out);
/* Names of one kind, ending with NULL, for "did you mean". */
const char *const *registry_names(enum hr_kind);
/* The folders that were looked through: "a, b"; "" without any. */
const char *registry_folders(void);
/* Why modules were refused, a line each, ending with NULL. */
const char *const *registry_refused(void);
const struct expr_catalog *registry_catalog(void);
void registry_unload(void);

#endif
