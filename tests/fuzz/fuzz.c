/* What the fuzz targets share: see fuzz.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create */
#endif
#include "tests/fuzz/fuzz.h"

#include <ftw.h>
#include <sys/mman.h>
#include <unistd.h>

static struct hr_host host;
static void **block;
static size_t blocks, room;
static int file[8], files;
static char folder[64];

void *fuzz_alloc(size_t n) {
    if (blocks == room) block = xrealloc(block, (room = room ? 2 * room : 64) * sizeof *block);
    void *p = xmalloc(n);
    return block[blocks++] = memset(p, 0xAA, n ? n : 1);
}

char *fuzz_copy(const void *p, size_t n) {
    char *copy = fuzz_alloc(n);
    return n ? memcpy(copy, p, n) : copy;
}

void fuzz_free(void) {
    while (blocks) free(block[--blocks]);
    while (files) close(file[--files]);
    free(block);
    block = NULL;
    room = 0;
}

static void *batch_alloc(struct hr_lane *lane, size_t n) {
    (void)lane;
    return fuzz_alloc(n);
}

const struct hr_host *fuzz_host(void) {
    if (!host.abi) {
        host = engine_host;
        host.batch_alloc = batch_alloc;
        registry_load(&host, NULL, 0);
    }
    return &host;
}

static void write_all(int fd, const char *p, size_t n) {
    for (ssize_t put; n; p += put, n -= (size_t)put) CHECK((put = write(fd, p, n)) > 0, "a file cannot be written");
}

const char *fuzz_file(const void *p, size_t n) {
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    CHECK(fd >= 0 && files < 8, "no file");
    write_all(fd, p, n);
    file[files++] = fd;
    char *path = fuzz_alloc(32);
    snprintf(path, 32, "/proc/self/fd/%d", fd);
    return path;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void remove_folder(void) { nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS); }

const char *fuzz_folder(void) {
    if (*folder) return folder;
    snprintf(folder, sizeof folder, "/tmp/headrace-fuzz.XXXXXX");
    CHECK(mkdtemp(folder) != NULL, "no folder");
    atexit(remove_folder);
    return folder;
}

void fuzz_plan(struct plan *p, const char *yaml) {
    fuzz_host();
    if (plan_load(p, fuzz_file(yaml, strlen(yaml)), NULL, 0)) return;
    document_print(&p->document, stderr);
    CHECK(false, "the target's own plan is no good");
}

/* ---- libFuzzer, or the files of a corpus ---- */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    char *copy = fuzz_copy(data, n);
    fuzz_one((const uint8_t *)copy, n);
    fuzz_free();
    return 0;
}

#ifndef HR_FUZZING
int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "re");
        CHECK(f, "%s cannot be opened", argv[i]);
        struct hr_buffer b = {0};
        char piece[4096];
        for (size_t n; (n = fread(piece, 1, sizeof piece, f)) > 0;) buffer_put(&b, piece, n);
        fclose(f);
        LLVMFuzzerTestOneInput((const uint8_t *)(b.p ? b.p : ""), b.n);
        buffer_free(&b);
    }
    printf("%s: %d inputs\n", argv[0], argc - 1);
    return argc > 1 ? 0 : 77;
}
#endif
