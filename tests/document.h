/* document.h: pipeline files from text for the tests of core/config: each is p.yaml in a folder of its own. */
#ifndef TESTS_DOCUMENT_H
#define TESTS_DOCUMENT_H
#include "core/config/config.h"
#include "tests/unit.h"

#include <stdio.h>
#include <unistd.h>

static char document_folder[64];

static inline void document_setup(void) {
    snprintf(document_folder, sizeof document_folder, "/tmp/headrace-config-XXXXXX");
    ck_assert(mkdtemp(document_folder) && chdir(document_folder) == 0);
}

static inline void document_teardown(void) {
    unlink("p.yaml");
    ck_assert(chdir("/") == 0);
    rmdir(document_folder);
}

static inline bool document_of_bytes(struct document *d, const char *text, size_t n, const struct setting *settings, int n_settings) {
    FILE *f = fopen("p.yaml", "w");
    ck_assert(f && fwrite(text, 1, n, f) == n && fclose(f) == 0);
    return document_load(d, "p.yaml", settings, n_settings);
}

static inline bool document_of(struct document *d, const char *text) { return document_of_bytes(d, text, strlen(text), NULL, 0); }

/* What document_print() prints, in the document's arena. */
static inline const char *document_printed(struct document *d) {
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    document_print(d, out);
    fclose(out);
    const char *copy = arena_strndup(&d->arena, text, n);
    free(text);
    return copy;
}
#endif
