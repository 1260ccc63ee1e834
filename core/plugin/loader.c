/*
 * 1. A module, and the folder it lies in, belongs to root or to the user, and not everybody may write to it:
 *    that is looked at before the file is opened, as opening it could already run its code.
 * 2. It exports headrace_module with our ABI number and our size of the record: that is read from the file's bytes
 *    (module_file.c), so a module of another version never runs.
 * 3. A record without what every plug-in of its kind has to have is refused; the module's others are taken.
 * 4. Modules stay loaded until the process ends: their code may be on some thread's stack.
 */
#include "core/plugin/loader.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_BYTES = 1 << 28 };

#define REFUSE(l, ...) ((l)->refuse((l)->ctx, arena_printf((l)->arena, __VA_ARGS__)))

/* NULL: this owner and these permissions are trusted. */
static const char *distrust(const struct stat *st) {
    if (st->st_mode & S_IWOTH) return "everybody may write to it";
    if (st->st_uid != 0 && st->st_uid != geteuid()) return "it belongs to neither root nor you";
    return NULL;
}

/* NULL: it may be loaded. */
static const char *examine(const struct loader *l, const char *path, size_t n) {
    FILE *f = n <= MOST_BYTES ? fopen(path, "re") : NULL;
    if (!f) return n <= MOST_BYTES ? strerror(errno) : "it is larger than 256 MiB";
    char *bytes = xmalloc(n);
    n = fread(bytes, 1, n, f);
    const char *why = ferror(f) ? strerror(errno) : module_examine(l->arena, bytes, n);
    free(bytes);
    fclose(f);
    return why;
}

static const struct hr_module *open_module(const struct loader *l, const char *path) {
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char *why = dlerror();
        size_t n = strlen(path);
        if (why && !strncmp(why, path, n) && why[n] == ':') why += n + 2;
        REFUSE(l, "%s: refused: not a module: %s", path, why ? why : "cannot be loaded");
        return NULL;
    }
    const struct hr_module *m = dlsym(handle, "headrace_module");
    if (m && m->abi == HR_ABI && m->size == sizeof(struct hr_plugin)) return m;
    REFUSE(l, "%s: refused: it changed while it was loaded", path);
    dlclose(handle);
    return NULL;
}

/* NULL: the file and the folder it lies in are trusted. */
static const char *look_at(const struct loader *l, const char *file, struct stat *st) {
    struct stat folder;
    const char *slash = strrchr(file, '/');
    if (stat(file, st)) return strerror(errno);
    if (!S_ISREG(st->st_mode)) return "it is not a file";
    if (stat(arena_strndup(l->arena, file, (size_t)(slash - file) + 1), &folder)) return strerror(errno);
    const char *why = distrust(&folder);
    return why ? arena_printf(l->arena, "its folder: %s", why) : distrust(st);
}

static bool all_set(const struct hr_plugin *p) {
    const struct hr_source *s = &p->source;
    switch (p->kind) {
    case HR_SOURCE: return s->bind && s->poll && s->fill && s->positions;
    case HR_OPERATOR: return p->op.bind && p->op.need && p->op.process;
    case HR_SINK: return p->sink.modes && p->sink.write;
    case HR_FUNCTIONS: return p->functions != NULL;
    case HR_AGGREGATES: return p->aggregates != NULL;
    case HR_COMMAND: return p->command.run != NULL;
    default: return false;
    }
}

/* NULL: the record has what is called without asking, and a name that can stand in a pipeline file. */
static const char *incomplete(const struct loader *l, const struct hr_plugin *p) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    if (!p->name || !*p->name || p->name[strspn(p->name, letters)]) return "a plug-in's name is letters, digits, _ and -";
    return p->about && all_set(p) ? NULL : arena_printf(l->arena, "the record of '%s' is not complete (plugin.h says what it has to have)", p->name);
}

static void accept_all(const struct loader *l, const struct hr_module *m, const char *path) {
    *m->host = l->host;
    for (const struct hr_plugin *const *p = m->plugins; *p; p++) {
        const char *why = incomplete(l, *p);
        if (why) REFUSE(l, "%s: refused: %s", path, why);
        else l->accept(l->ctx, *p, path);
    }
}

/* A link may lead into another folder: what it leads to is looked at, and opened. */
static void load(const struct loader *l, const char *path) {
    struct stat st = {0};
    char *file = realpath(path, NULL);
    const char *why = file ? look_at(l, file, &st) : strerror(errno);
    if (!why) why = examine(l, file, (size_t)st.st_size);
    if (why) REFUSE(l, "%s: refused: %s", path, why);
    const struct hr_module *m = why ? NULL : open_module(l, file);
    free(file);
    if (m) accept_all(l, m, path);
}

static int is_module(const struct dirent *e) {
    size_t n = strlen(e->d_name);
    return n > 3 && !strcmp(e->d_name + n - 3, ".so");
}

void loader_folder(const struct loader *l, const char *dir, bool must) {
    struct stat st;
    struct dirent **found = NULL;
    int n = scandir(dir, &found, is_module, alphasort);
    if (n < 0 && must) REFUSE(l, "%s: no modules from there: %s", dir, strerror(errno));
    const char *why = n > 0 && stat(dir, &st) == 0 ? distrust(&st) : NULL;
    for (int i = 0; i < n; i++) {
        const char *path = arena_printf(l->arena, "%s/%s", dir, found[i]->d_name);
        if (why) REFUSE(l, "%s: refused: its folder: %s", path, why);
        else load(l, path);
        free(found[i]);
    }
    free(found);
}
