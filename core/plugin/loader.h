/* loader.h: modules: which files are looked at, and which are refused before they are used. */
#ifndef HR_LOADER_H
#define HR_LOADER_H

#include "core/base/base.h"

struct loader {
    const struct hr_host *host;
    struct arena *arena; /* owns all text below */
    void (*accept)(void *ctx, const struct hr_plugin *, const char *path);
    void (*refuse)(void *ctx, const char *why); /* one line that names the file */
    void *ctx;
};

/* NULL: the bytes are a module built for this program. Else why not, perhaps in the arena. Runs none of it. */
const char *module_examine(struct arena *, const char *bytes, size_t n);
/* Every *.so of the folder, in the order of names. A folder that is not there is refused if `must`. */
void loader_folder(const struct loader *, const char *dir, bool must);

#endif
