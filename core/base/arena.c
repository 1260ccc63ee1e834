/* Arenas: memory that is freed all at once. */
#include "core/base/base.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ALIGN = 16, FIRST_BLOCK = 4096, LARGEST_STEP = 1 << 20 };

struct arena_block {
    struct arena_block *older;
    size_t size; /* of the memory behind this header */
};
_Static_assert(sizeof(struct arena_block) % ALIGN == 0, "blocks keep the alignment");

void out_of_memory(void) {
    static const char text[] = "headrace: error: out of memory; nothing committed is lost\n";
    if (write(2, text, sizeof text - 1) < 0) _exit(HR_EFAIL);
    _exit(HR_EFAIL);
}

void *xmalloc(size_t n) {
    void *p = malloc(n ? n : 1);
    if (!p) out_of_memory();
    return p;
}

void *xcalloc(size_t n, size_t size) {
    void *p = calloc(n ? n : 1, size ? size : 1);
    if (!p) out_of_memory();
    return p;
}

void *xrealloc(void *p, size_t n) {
    p = realloc(p, n ? n : 1);
    if (!p) out_of_memory();
    return p;
}

static void add_block(struct arena *a, size_t n) {
    size_t size = a->block ? 2 * a->block->size : FIRST_BLOCK;
    if (size > LARGEST_STEP) size = LARGEST_STEP;
    if (size < n) size = n;
    if (size > SIZE_MAX - sizeof(struct arena_block)) out_of_memory();
    struct arena_block *b = xmalloc(sizeof *b + size);
    *b = (struct arena_block){a->block, size};
    a->block = b;
    a->p = (char *)(b + 1);
    a->end = a->p + size;
    a->bytes += size;
}

void *arena_alloc(struct arena *a, size_t n) {
    if (n > SIZE_MAX - ALIGN) out_of_memory();
    n = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (!a->block || (size_t)(a->end - a->p) < n) add_block(a, n);
    void *p = a->p;
    a->p += n;
    return p;
}

void *arena_zalloc(struct arena *a, size_t n) { return memset(arena_alloc(a, n), 0, n); }

char *arena_strndup(struct arena *a, const char *s, size_t n) {
    char *p = arena_alloc(a, n + 1);
    if (n) memcpy(p, s, n);
    p[n] = '\0';
    return p;
}

char *arena_strdup(struct arena *a, const char *s) { return arena_strndup(a, s, strlen(s)); }

char *arena_printf(struct arena *a, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    char *p = arena_alloc(a, (size_t)(n < 0 ? 0 : n) + 1);
    *p = '\0';
    if (n >= 0) vsnprintf(p, (size_t)n + 1, format, again);
    va_end(again);
    va_end(args);
    return p;
}

/* The largest block is kept, so that a batch loop soon stops asking malloc. */
void arena_reset(struct arena *a) {
    struct arena_block *keep = a->block;
    for (struct arena_block *b = a->block; b; b = b->older)
        if (b->size > keep->size) keep = b;
    for (struct arena_block *b = a->block, *older; b; b = older) {
        older = b->older;
        if (b != keep) free(b);
    }
    a->block = keep;
    if (!keep) return;
    keep->older = NULL;
    a->bytes = keep->size;
    a->p = (char *)(keep + 1);
    a->end = a->p + keep->size;
}

void arena_free(struct arena *a) {
    arena_reset(a);
    free(a->block);
    *a = (struct arena){0};
}
