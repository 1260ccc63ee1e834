#include "tests/disk_vfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 16, SECTOR = 512, PATH_BYTES = 512 };

/* A write since the last sync; p NULL: a truncation to `at`. */
struct change { int64_t at; int n; char *p; };

struct tracked {
    char path[PATH_BYTES], before[PATH_BYTES]; /* before: its name on the disk, where a rename is not synced */
    bool lost;     /* an fsync of this process failed */
    bool named;    /* the disk knows that the file is there */
    bool removed;  /* removed, which the disk may not know */
    char *base;    /* as on the disk */
    int64_t size;
    struct change *change;
    int changes;
};

const char *disk_retried;
static struct tracked tracked[FILES];
static int files;
static const struct disk_test *test; /* NULL: not installed */
static uint64_t seed, salt;
static sqlite3_vfs *real, shim;

int __real_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __real_unlink(const char *path);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);
int __wrap_unlink(const char *path);

static void *must(void *p) {
    if (!p) abort();
    return p;
}

static uint64_t next_of(uint64_t *state) {
    uint64_t x = *state += 0x9e3779b97f4a7c15ull;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    return x ^ x >> 29;
}

static uint64_t random_number(void) { return next_of(&seed); }

/* ---- what the disk holds ---- */

static struct tracked *find(const char *path) {
    for (int i = 0; i < files; i++)
        if (!strcmp(tracked[i].path, path)) return &tracked[i];
    return NULL;
}

static void forget_changes(struct tracked *t) {
    for (int i = 0; i < t->changes; i++) free(t->change[i].p);
    t->changes = 0;
}

static void forget(struct tracked *t) {
    forget_changes(t);
    free(t->change);
    free(t->base);
    *t = tracked[--files];
}

/* What was there before this process is on the disk. */
static struct tracked *track(const char *path) {
    struct tracked *t = find(path);
    if (!t) {
        if (files == FILES || strlen(path) >= PATH_BYTES) abort();
        t = &tracked[files++];
        *t = (struct tracked){0};
        memcpy(t->path, path, strlen(path) + 1);
        FILE *f = fopen(path, "r");
        t->named = f != NULL;
        struct stat st = {0};
        if (f && fstat(fileno(f), &st)) abort();
        t->size = st.st_size;
        t->base = must(malloc((size_t)t->size + 1));
        if (f && fread(t->base, 1, (size_t)t->size, f) != (size_t)t->size) abort();
        if (f) fclose(f);
    } else if (t->removed) { /* a new file of that name */
        forget_changes(t);
        t->removed = t->named = false;
        t->size = 0;
    }
    return t;
}

static void note(struct tracked *t, const void *p, int n, int64_t offset) {
    t->change = must(realloc(t->change, ((size_t)t->changes + 1) * sizeof *t->change));
    struct change *c = &t->change[t->changes++];
    *c = (struct change){offset, n, p ? must(malloc((size_t)n + 1)) : NULL};
    if (p) memcpy(c->p, p, (size_t)n);
}

static void grow(struct tracked *t, int64_t size) {
    if (size <= t->size) return;
    t->base = must(realloc(t->base, (size_t)size + 1));
    memset(t->base + t->size, 0, (size_t)(size - t->size));
    t->size = size;
}

static void put_piece(struct tracked *t, int64_t offset, const char *p, int n) {
    grow(t, offset + n);
    memcpy(t->base + offset, p, (size_t)n);
}

/* What is renamed and removed is known. */
static void folder_synced(void) {
    for (int i = 0; i < files; i++) {
        *tracked[i].before = '\0';
        if (tracked[i].removed) tracked[i].named = false;
    }
}

/* SQLite syncs the folder too with the first sync of a journal or -wal that it made. */
static void synced(struct tracked *t) {
    if (!t->named) folder_synced();
    for (int i = 0; i < t->changes; i++) {
        struct change *c = &t->change[i];
        if (c->p) put_piece(t, c->at, c->p, c->n);
        else if (c->at < t->size) t->size = c->at;
    }
    forget_changes(t);
    t->named = true;
}

/* ---- a power cut ---- */

/* Of each sector the first few changes arrived. How few: one cut is all or nothing, another one tears. */
static void arrive(struct tracked *t) {
    static const int share[] = {0, 1, 128, 240, 256}; /* of 256, that a sector takes one more change */
    int going_on = share[random_number() % 5];
    size_t sectors = (size_t)t->size / SECTOR + 1;
    for (int i = 0; i < t->changes; i++)
        if (t->change[i].p && (size_t)(t->change[i].at + t->change[i].n) / SECTOR + 1 > sectors) sectors = (size_t)(t->change[i].at + t->change[i].n) / SECTOR + 1;
    bool *stopped = must(calloc(sectors, sizeof *stopped));
    for (int i = 0; i < t->changes; i++) {
        const struct change *c = &t->change[i];
        if (!c->p && (int)(random_number() % 256) < going_on && c->at < t->size) t->size = c->at;
        for (int64_t from = 0, n; c->p && from < c->n; from += n) {
            int64_t sector = (c->at + from) / SECTOR;
            n = (sector + 1) * SECTOR - (c->at + from);
            if (n > c->n - from) n = c->n - from;
            if ((int)(random_number() % 256) >= going_on) stopped[sector] = true;
            if (!stopped[sector]) put_piece(t, c->at + from, c->p + from, (int)n);
        }
    }
    free(stopped);
}

/* The name that it has now, or none. */
static bool stays(struct tracked *t) {
    if (*t->before && random_number() % 2) memcpy(t->path, t->before, PATH_BYTES);
    if (t->removed) return t->named && random_number() % 2;
    return t->named || random_number() % 2;
}

static void put(const struct tracked *t) {
    int fd = open(t->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, t->base, (size_t)t->size) != t->size || close(fd)) abort();
}

void disk_cut(uint64_t number) {
    seed = number;
    for (int i = 0; i < files; i++) __real_unlink(tracked[i].path);
    for (int i = files - 1; i >= 0; i--) {
        struct tracked *t = &tracked[i];
        arrive(t);
        if (!stays(t)) {
            forget(t);
            continue;
        }
        put(t);
        forget_changes(t);
        *t->before = '\0';
        t->removed = false;
        t->named = true;
    }
}

void disk_forget(void) {
    while (files) forget(&tracked[0]);
}

/* ---- the VFS ---- */

struct shim_file {
    sqlite3_file base;
    struct tracked *t; /* NULL: a temporary file */
};

static sqlite3_file *under(sqlite3_file *f) { return (sqlite3_file *)((struct shim_file *)f + 1); }
static struct tracked *of(sqlite3_file *f) { return ((struct shim_file *)f)->t; }

static int write_(sqlite3_file *f, const void *p, int n, sqlite3_int64 offset) {
    int code = of(f) ? test->before(DISK_WRITE) : SQLITE_OK;
    if (code) return code;
    if (of(f)) note(of(f), p, n, offset);
    code = under(f)->pMethods->xWrite(under(f), p, n, offset);
    return code || !of(f) ? code : test->after(DISK_WRITE);
}
static int truncate_(sqlite3_file *f, sqlite3_int64 size) {
    if (of(f) && test->before(DISK_OTHER)) return SQLITE_IOERR_TRUNCATE;
    if (of(f)) note(of(f), NULL, 0, size);
    return under(f)->pMethods->xTruncate(under(f), size);
}
/* A rollback may sync a file whose fsync failed: it has written the pages again, from the journal. */
static bool rolls_back(const char *path) {
    char journal[PATH_BYTES + 16];
    snprintf(journal, sizeof journal, "%s-journal", path);
    return access(journal, F_OK) == 0;
}
/* The real one is not wanted: its disk is not the one that is tried. */
static int sync_(sqlite3_file *f, int flags) {
    (void)flags;
    if (!of(f)) return SQLITE_OK;
    int code = test->before(DISK_SYNC);
    if (of(f)->lost && !rolls_back(of(f)->path)) disk_retried = of(f)->path;
    of(f)->lost |= code != SQLITE_OK;
    if (!code) synced(of(f));
    else if (test->sync_loses) forget_changes(of(f));
    return code ? code : test->after(DISK_SYNC);
}
static int close_(sqlite3_file *f) { return under(f)->pMethods->xClose(under(f)); }
static int read_(sqlite3_file *f, void *p, int n, sqlite3_int64 o) { return under(f)->pMethods->xRead(under(f), p, n, o); }
static int size_(sqlite3_file *f, sqlite3_int64 *n) { return under(f)->pMethods->xFileSize(under(f), n); }
static int lock_(sqlite3_file *f, int how) { return under(f)->pMethods->xLock(under(f), how); }
static int unlock_(sqlite3_file *f, int how) { return under(f)->pMethods->xUnlock(under(f), how); }
static int reserved_(sqlite3_file *f, int *out) { return under(f)->pMethods->xCheckReservedLock(under(f), out); }
static int control_(sqlite3_file *f, int op, void *arg) { return under(f)->pMethods->xFileControl(under(f), op, arg); }
static int sector_(sqlite3_file *f) { return under(f)->pMethods->xSectorSize(under(f)); }
static int traits_(sqlite3_file *f) { return under(f)->pMethods->xDeviceCharacteristics(under(f)); }
static int map_(sqlite3_file *f, int page, int size, int make, void volatile **p) { return under(f)->pMethods->xShmMap(under(f), page, size, make, p); }
static int shm_lock_(sqlite3_file *f, int from, int n, int how) { return under(f)->pMethods->xShmLock(under(f), from, n, how); }
static void barrier_(sqlite3_file *f) { under(f)->pMethods->xShmBarrier(under(f)); }
static int unmap_(sqlite3_file *f, int gone) { return under(f)->pMethods->xShmUnmap(under(f), gone); }

static const sqlite3_io_methods methods = {
    .iVersion = 2, .xClose = close_, .xRead = read_, .xWrite = write_, .xTruncate = truncate_, .xSync = sync_,
    .xFileSize = size_, .xLock = lock_, .xUnlock = unlock_, .xCheckReservedLock = reserved_, .xFileControl = control_,
    .xSectorSize = sector_, .xDeviceCharacteristics = traits_, .xShmMap = map_, .xShmLock = shm_lock_,
    .xShmBarrier = barrier_, .xShmUnmap = unmap_,
};

static int open_(sqlite3_vfs *vfs, const char *path, sqlite3_file *f, int flags, int *out) {
    (void)vfs;
    f->pMethods = NULL;
    struct tracked *t = path ? track(path) : NULL;
    int code = real->xOpen(real, path, under(f), flags, out);
    ((struct shim_file *)f)->t = t;
    if (under(f)->pMethods) f->pMethods = &methods;
    return code;
}

static int delete_(sqlite3_vfs *vfs, const char *path, int sync) {
    (void)vfs;
    struct tracked *t = find(path);
    if (t && test->before(DISK_OTHER)) return SQLITE_IOERR_DELETE;
    if (t) t->removed = true;
    if (t && sync) folder_synced();
    return real->xDelete(real, path, 0);
}

/* What SQLite writes is then the same in every run of a seed. */
static int randomness_(sqlite3_vfs *vfs, int n, char *out) {
    (void)vfs;
    for (int i = 0; i < n; i++) out[i] = (char)(next_of(&salt) >> 32);
    return n;
}

/* ---- the program's own ---- */

static int refused(void) {
    errno = EIO;
    return -1;
}

int __wrap_fsync(int fd) {
    if (!test) return __real_fsync(fd);
    char link[64], path[PATH_BYTES];
    struct stat st;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0 || fstat(fd, &st)) abort();
    path[n] = '\0';
    struct tracked *t = find(path);
    bool fails = test->before(DISK_SYNC) != SQLITE_OK;
    if (!fails && S_ISDIR(st.st_mode)) folder_synced();
    if (!fails && t) synced(t);
    if (fails && t && test->sync_loses) forget_changes(t);
    return fails || test->after(DISK_SYNC) ? refused() : 0;
}

int __wrap_rename(const char *from, const char *to) {
    struct tracked *t = find(from), *other = find(to);
    if (!test) return __real_rename(from, to);
    if (test->before(DISK_OTHER)) return refused();
    if (other && !other->removed) abort(); /* nothing replaces a file */
    if (other) forget(other);
    t = find(from);
    if (t) memcpy(t->before, from, strlen(from) + 1);
    if (t) memcpy(t->path, to, strlen(to) + 1);
    return __real_rename(from, to);
}

int __wrap_unlink(const char *path) {
    struct tracked *t = find(path);
    if (!test || !t) return __real_unlink(path);
    if (test->before(DISK_OTHER)) return refused();
    t->removed = true;
    return __real_unlink(path);
}

void disk_install(const struct disk_test *the_test, uint64_t number) {
    test = the_test;
    salt = number;
    if (real) return;
    real = sqlite3_vfs_find(NULL);
    shim = *real;
    shim.zName = "disk";
    shim.szOsFile = (int)sizeof(struct shim_file) + real->szOsFile;
    shim.xOpen = open_;
    shim.xDelete = delete_;
    shim.xRandomness = randomness_;
    if (sqlite3_vfs_register(&shim, 1)) abort();
}
