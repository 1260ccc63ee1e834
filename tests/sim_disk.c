/*
 * The disk: a folder in memory, and a SQLite VFS over the machine's own that fails, fills up, dies and forgets.
 *
 * 1. A kill leaves what was written; nothing that the dying process does later arrives.
 * 2. A power cut leaves of every file its sectors as they were last synced, or, of those written since, some old and some new.
 * 3. Files that come and go are there or gone at once: the checkpoint syncs its folder itself.
 */
#include "tests/sim.h"

#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECTOR = 512, FILES = 8 };

struct bytes {
    char *p;
    size_t n;
};

/* What is known of a file by its name: as it was synced, and as it was when the process died. */
static struct remembered_file {
    char name[64];
    struct bytes synced, frozen;
    bool has_synced, has_frozen;
} files[FILES];
static char folder[128];
static uint64_t salt; /* for what SQLite takes from the VFS's dice */

/* ---- the folder ---- */

const char *disk_path(const char *name) {
    static char path[256];
    snprintf(path, sizeof path, "%s%s%.100s", folder, *name ? "/" : "", name);
    return path;
}

static void each_file(void (*each)(const char *name)) {
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.') each(e->d_name);
    if (d) closedir(d);
}

static void drop(const char *name) { unlink(disk_path(name)); }

static void forget(void) {
    for (int i = 0; i < FILES; i++) {
        free(files[i].synced.p);
        free(files[i].frozen.p);
        files[i] = (struct remembered_file){0};
    }
}

void disk_clear(void) {
    each_file(drop);
    forget();
    salt = sim.seed;
}

void disk_close(void) {
    disk_clear();
    rmdir(folder);
}

static struct bytes read_all(const char *path) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st)) broken("%s cannot be read", path);
    struct bytes b = {malloc((size_t)st.st_size + 1), (size_t)st.st_size};
    if (read(fd, b.p, b.n) != (ssize_t)b.n) broken("%s cannot be read", path);
    close(fd);
    return b;
}

static struct remembered_file *file_of(const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    for (int i = 0; i < FILES; i++) {
        if (!files[i].name[0]) snprintf(files[i].name, sizeof files[i].name, "%s", name);
        if (!strcmp(files[i].name, name)) return &files[i];
    }
    broken("the simulated disk has no room for %s", name);
}

/* ---- the end of the process, and what the next one finds ---- */

static bool is_state(const char *name) {
    size_t n = strlen(name);
    return !strcmp(name, "job.db") || !strcmp(name, "job.db-wal") || !strcmp(name, "job.db-journal") ||
           (n > 4 && strstr(name, ".new"));
}

static void freeze(const char *name) {
    if (!is_state(name)) return;
    struct remembered_file *f = file_of(name);
    f->frozen = read_all(disk_path(name));
    f->has_frozen = true;
}

/* Rule 2. Where nothing was ever synced of a new file, all of it may be gone but its name. */
static void lose(struct remembered_file *f) {
    if (!f->has_frozen || strstr(f->name, ".new")) return;
    int keep = (int)roll(3) * 50; /* per cent */
    size_t n = f->synced.n;
    if (f->frozen.n != n && chance(keep)) n = f->frozen.n;
    struct bytes b = {calloc(n + 1, 1), n};
    for (size_t at = 0; at < n; at += SECTOR) {
        size_t size = n - at < SECTOR ? n - at : SECTOR;
        struct bytes from = chance(keep) ? f->frozen : f->synced;
        if (at < from.n) memcpy(b.p + at, from.p + at, from.n - at < size ? from.n - at : size);
    }
    free(f->frozen.p);
    f->frozen = b;
}

void disk_freeze(bool power_cut) {
    each_file(freeze);
    for (int i = 0; power_cut && i < FILES; i++) lose(&files[i]);
}

static void drop_state(const char *name) {
    size_t n = strlen(name);
    if (is_state(name) || (n > 4 && !strcmp(name + n - 4, "-shm"))) drop(name);
}

void disk_thaw(void) {
    each_file(drop_state);
    for (int i = 0; i < FILES; i++) {
        struct remembered_file *f = &files[i];
        if (f->has_frozen) {
            int fd = open(disk_path(f->name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
            if (fd < 0 || write(fd, f->frozen.p, f->frozen.n) != (ssize_t)f->frozen.n) broken("%s cannot be written", f->name);
            close(fd);
        }
        free(f->synced.p);
        f->synced = f->frozen;
        f->has_synced = f->has_frozen;
        f->frozen = (struct bytes){0};
        f->has_frozen = false;
    }
}

/* ---- the VFS ---- */

struct file {
    sqlite3_file base;
    struct remembered_file *known; /* NULL: of no interest */
    sqlite3_file *real;
    char path[256];
};

static sqlite3_vfs *machine;
static sqlite3_file *real(sqlite3_file *f) { return ((struct file *)f)->real; }

static void note_synced(struct file *f) {
    if (!f->known || !sim.plan.cuts) return;
    free(f->known->synced.p);
    f->known->synced = read_all(f->path);
    f->known->has_synced = true;
}

static int close_file(sqlite3_file *f) { return real(f)->pMethods ? real(f)->pMethods->xClose(real(f)) : SQLITE_OK; }
static int read_file(sqlite3_file *f, void *p, int n, sqlite3_int64 at) { return real(f)->pMethods->xRead(real(f), p, n, at); }

static int write_file(sqlite3_file *f, const void *p, int n, sqlite3_int64 at) {
    bool known = ((struct file *)f)->known;
    if (sim.dead) return SQLITE_IOERR_WRITE;
    if (known && !sim_before(AT_DISK_WRITE, NULL)) return sim.dead || chance(50) ? SQLITE_IOERR_WRITE : SQLITE_FULL;
    int rc = real(f)->pMethods->xWrite(real(f), p, n, at);
    return known && !sim_after(AT_DISK_WRITE, NULL) ? SQLITE_IOERR_WRITE : rc;
}

static int sync_file(sqlite3_file *f, int flags) {
    (void)flags; /* the folder lies in memory */
    bool known = ((struct file *)f)->known;
    if (sim.dead || (known && !sim_before(AT_DISK_SYNC, NULL))) return SQLITE_IOERR_FSYNC;
    note_synced((struct file *)f);
    return known && !sim_after(AT_DISK_SYNC, NULL) ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int truncate_file(sqlite3_file *f, sqlite3_int64 n) {
    return sim.dead ? SQLITE_IOERR_TRUNCATE : real(f)->pMethods->xTruncate(real(f), n);
}

static int file_size(sqlite3_file *f, sqlite3_int64 *n) { return real(f)->pMethods->xFileSize(real(f), n); }
static int lock(sqlite3_file *f, int how) { return real(f)->pMethods->xLock(real(f), how); }
static int unlock(sqlite3_file *f, int how) { return real(f)->pMethods->xUnlock(real(f), how); }
static int reserved(sqlite3_file *f, int *out) { return real(f)->pMethods->xCheckReservedLock(real(f), out); }
static int control(sqlite3_file *f, int op, void *arg) { return real(f)->pMethods->xFileControl(real(f), op, arg); }
static int sector(sqlite3_file *f) { (void)f; return SECTOR; }
static int device(sqlite3_file *f) { (void)f; return 0; } /* promises nothing */
static int shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **p) {
    return real(f)->pMethods->xShmMap(real(f), page, size, extend, p);
}
static int shm_lock(sqlite3_file *f, int at, int n, int flags) { return real(f)->pMethods->xShmLock(real(f), at, n, flags); }
static void shm_barrier(sqlite3_file *f) { real(f)->pMethods->xShmBarrier(real(f)); }
static int shm_unmap(sqlite3_file *f, int drop_it) { return real(f)->pMethods->xShmUnmap(real(f), drop_it); }

static const sqlite3_io_methods methods = {
    .iVersion = 2, .xClose = close_file, .xRead = read_file, .xWrite = write_file, .xTruncate = truncate_file, .xSync = sync_file,
    .xFileSize = file_size, .xLock = lock, .xUnlock = unlock, .xCheckReservedLock = reserved, .xFileControl = control,
    .xSectorSize = sector, .xDeviceCharacteristics = device, .xShmMap = shm_map, .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier, .xShmUnmap = shm_unmap};

static int open_file(sqlite3_vfs *v, const char *name, sqlite3_file *file, int flags, int *out) {
    (void)v;
    struct file *f = (struct file *)file;
    *f = (struct file){.real = (sqlite3_file *)(f + 1)};
    int rc = machine->xOpen(machine, name, f->real, flags, out);
    if (rc != SQLITE_OK) return rc;
    f->base.pMethods = &methods;
    if (!name || !is_state(strrchr(name, '/') + 1)) return rc;
    snprintf(f->path, sizeof f->path, "%s", name);
    f->known = file_of(name);
    if (!f->known->has_synced && strcmp(f->known->name, "job.db-wal")) note_synced(f); /* it was synced under another name */
    return rc;
}

static int delete_file(sqlite3_vfs *v, const char *name, int sync) {
    (void)v, (void)sync;
    if (sim.dead) return SQLITE_IOERR_DELETE;
    struct remembered_file *known = file_of(name);
    free(known->synced.p);
    known->synced = (struct bytes){0};
    known->has_synced = false;
    return machine->xDelete(machine, name, 0);
}

static int randomness(sqlite3_vfs *v, int n, char *out) {
    (void)v;
    for (int i = 0; i < n; i++) out[i] = (char)mix(salt++);
    return n;
}

static void register_vfs(void) {
    static sqlite3_vfs vfs;
    machine = sqlite3_vfs_find(NULL);
    vfs = *machine;
    vfs.zName = "simulated";
    vfs.szOsFile = (int)sizeof(struct file) + machine->szOsFile;
    vfs.xOpen = open_file;
    vfs.xDelete = delete_file;
    vfs.xRandomness = randomness;
    sqlite3_vfs_register(&vfs, 1);
}

void disk_open(void) {
    const char *tmp = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/headrace-simulate-XXXXXX", access("/dev/shm", W_OK) ? tmp && *tmp ? tmp : "/tmp" : "/dev/shm");
    if (!mkdtemp(folder)) broken("%s cannot be made", folder);
    register_vfs();
}
