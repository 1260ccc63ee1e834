/*
 * fuzz.h: what the fuzz targets share.
 *
 * A target is one file with fuzz_one(), called with bytes that may be anything; what must hold is checked with
 * CHECK. Under `configure --enable-fuzzing` (clang) libFuzzer makes the bytes; without it the program has a main()
 * that replays the files it is given, so that `make check` knows every crash that was ever found.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include "core/engine/lane.h"
#include "core/engine/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition, ...)                                                                                         \
    do {                                                                                                              \
        if (condition) break;                                                                                         \
        fprintf(stderr, "%s:%d: %s does not hold: ", __FILE__, __LINE__, #condition);                                  \
        fprintf(stderr, __VA_ARGS__);                                                                                 \
        fputc('\n', stderr);                                                                                          \
        abort();                                                                                                      \
    } while (0)

/* The target: called once for each input. */
void fuzz_one(const uint8_t *data, size_t n);

/* A host whose batch memory is one malloc a piece, so that a sanitizer sees a byte too many; until fuzz_free(). */
const struct hr_host *fuzz_host(void);
void *fuzz_alloc(size_t n);
/* A copy of exactly n bytes. */
char *fuzz_copy(const void *p, size_t n);
void fuzz_free(void);

/* Bytes as a file without a name: its path lives until fuzz_free(). */
const char *fuzz_file(const void *p, size_t n);
/* A folder of this process, removed at its end. */
const char *fuzz_folder(void);
/* A plan that must be good: a program's own text. */
void fuzz_plan(struct plan *, const char *yaml);

#endif
