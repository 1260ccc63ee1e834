/*
 * malloc() for tests/allocations: headrace, but the allocation number FAIL_AT of this process fails, in whichever library it
 * is made: a program's malloc() is everybody's. FAIL_AT=0 writes to stderr at exit how many there were.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);
void *malloc(size_t), *calloc(size_t, size_t), *realloc(void *, size_t), *aligned_alloc(size_t, size_t);

static atomic_long made;
static long fail_at = -1;

static void report(void) { fprintf(stderr, "allocations: %ld\n", (long)made); }

__attribute__((constructor)) static void start(void) {
    const char *text = getenv("FAIL_AT");
    if (!text) return;
    if (strtol(text, NULL, 10) == 0) atexit(report);
    made = 0;
    fail_at = strtol(text, NULL, 10);
}

static int fails(void) {
    if (fail_at < 0 || ++made != fail_at) return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t n) { return fails() ? NULL : __libc_malloc(n); }
void *calloc(size_t n, size_t size) { return fails() ? NULL : __libc_calloc(n, size); }
void *realloc(void *p, size_t n) { return fails() ? NULL : __libc_realloc(p, n); }
void *aligned_alloc(size_t align, size_t n) { return fails() ? NULL : __libc_memalign(align, n); }
