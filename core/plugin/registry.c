/* Every plug-in of this process. Filled once, before threads start; read-only afterwards. */
#include "core/plugin/registry.h"
#include "core/plugin/loader.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#ifndef HR_PKGLIBDIR
#define HR_PKGLIBDIR ""
#endif

static struct {
    struct arena arena;
    struct registered *item;
    int n;
    const char **refused;
    int refusals;
    const char *folders;
} all; /* in the order of registry_load() */

/* An earlier one hides a later one. */
static void accept(void *ctx, const struct hr_plugin *p, const char *from) {
    (void)ctx;
    for (int i = 0; i < all.n; i++)
        if (all.item[i].plugin->kind == p->kind && !strcmp(all.item[i].plugin->name, p->name)) return;
    all.item = xrealloc(all.item, ((size_t)all.n + 1) * sizeof *all.item);
    all.item[all.n++] = (struct registered){p, from};
}

static void refuse(void *ctx, const char *why) {
    (void)ctx;
    all.refused = xrealloc(all.refused, ((size_t)all.refusals + 2) * sizeof *all.refused);
    all.refused[all.refusals++] = why;
    all.refused[all.refusals] = NULL;
}

static void load_folder(const struct loader *l, const char *dir, bool must) {
    all.folders = all.folders ? arena_printf(&all.arena, "%s, %s", all.folders, dir) : arena_strdup(&all.arena, dir);
    loader_folder(l, dir, must);
}

static void load_path(const struct loader *l, const char *path) {
    while (path && *path) {
        size_t n = strcspn(path, ":");
        if (n) load_folder(l, arena_strndup(&all.arena, path, n), true);
        path += n + (path[n] == ':');
    }
}

void registry_load(const struct hr_host *host, const char *const *dirs, int n_dirs) {
    registry_unload();
    hr_host = host;
    for (const struct hr_plugin *const *p = hr_builtin; *p; p++) accept(NULL, *p, "built in");
    struct loader loader = {.host = host, .arena = &all.arena, .accept = accept, .refuse = refuse};
    for (int i = 0; i < n_dirs; i++) load_folder(&loader, dirs[i], true);
    load_path(&loader, getenv("HEADRACE_PLUGIN_PATH"));
    if (*HR_PKGLIBDIR) load_folder(&loader, HR_PKGLIBDIR, false);
}

void registry_unload(void) {
    free(all.item);
    free(all.refused);
    arena_free(&all.arena);
    memset(&all, 0, sizeof all);
}

const struct registered *registry_find(enum hr_kind kind, const char *name) {
    for (int i = 0; i < all.n; i++)
        if (all.item[i].plugin->kind == kind && !strcmp(all.item[i].plugin->name, name)) return &all.item[i];
    return NULL;
}

int registry_all(const struct registered **out) {
    *out = all.item;
    return all.n;
}

const char *const *registry_names(enum hr_kind kind) {
    const char **name = arena_alloc(&all.arena, ((size_t)all.n + 1) * sizeof *name);
    int n = 0;
    for (int i = 0; i < all.n; i++)
        if (all.item[i].plugin->kind == kind) name[n++] = all.item[i].plugin->name;
    name[n] = NULL;
    return name;
}

const char *registry_folders(void) { return all.folders ? all.folders : ""; }
const char *const *registry_refused(void) { return all.refused; }

/* ---- functions and aggregates: tables inside records ---- */

static const struct hr_function *find_function(const char *name) {
    for (int i = 0; i < all.n; i++) {
        if (all.item[i].plugin->kind != HR_FUNCTIONS) continue;
        for (const struct hr_function *f = all.item[i].plugin->functions; f->name; f++)
            if (!strcasecmp(f->name, name)) return f;
    }
    return NULL;
}

static const struct hr_aggregate *find_aggregate(const char *name) {
    for (int i = 0; i < all.n; i++) {
        if (all.item[i].plugin->kind != HR_AGGREGATES) continue;
        for (const struct hr_aggregate *a = all.item[i].plugin->aggregates; a->name; a++)
            if (!strcasecmp(a->name, name)) return a;
    }
    return NULL;
}

static const char *const *callable_names(void) {
    size_t n = 0, room = 1;
    for (int pass = 0;; pass++) {
        const char **name = arena_alloc(&all.arena, room * sizeof *name);
        n = 0;
        for (int i = 0; i < all.n; i++) {
            const struct hr_plugin *p = all.item[i].plugin;
            if (p->kind == HR_FUNCTIONS)
                for (const struct hr_function *f = p->functions; f->name; f++, n++)
                    if (pass) name[n] = f->name;
            if (p->kind == HR_AGGREGATES)
                for (const struct hr_aggregate *a = p->aggregates; a->name; a++, n++)
                    if (pass) name[n] = a->name;
        }
        if (pass) return name[n] = NULL, name;
        room = n + 1;
    }
}

const struct expr_catalog *registry_catalog(void) {
    static const struct expr_catalog catalog = {find_function, find_aggregate, callable_names};
    return &catalog;
}
