/*
 * The disk: a folder in memory, below tests/disk_vfs.h.
 *
 * 1. A kill leaves what was written; nothing that the dying process does later arrives.
 * 2. A power cut takes what was not synced, also of runs that were killed before.
 */
#include "tests/disk_vfs.h"
#include "tests/sim.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[128];

const char *disk_path(const char *name) {
    static char path[256];
    snprintf(path, sizeof path, "%s%s%.100s", folder, *name ? "/" : "", name);
    return path;
}

/* ---- what becomes of a step ---- */

static int before(enum disk_step kind) {
    if (kind == DISK_OTHER) return sim.dead ? SQLITE_IOERR : SQLITE_OK;
    if (sim_before(kind == DISK_WRITE ? AT_DISK_WRITE : AT_DISK_SYNC, NULL)) return SQLITE_OK;
    if (kind == DISK_SYNC) return SQLITE_IOERR_FSYNC;
    return sim.dead || chance(50) ? SQLITE_IOERR_WRITE : SQLITE_FULL;
}

static int after(enum disk_step kind) {
    if (sim_after(kind == DISK_WRITE ? AT_DISK_WRITE : AT_DISK_SYNC, NULL)) return SQLITE_OK;
    return kind == DISK_WRITE ? SQLITE_IOERR_WRITE : SQLITE_IOERR_FSYNC;
}

static const struct disk_test test = {before, after, .sync_loses = false};

/* ---- the folder ---- */

static void each_file(void (*each)(const char *name)) {
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.') each(e->d_name);
    if (d) closedir(d);
}

static void drop(const char *name) { remove(disk_path(name)); }

static void drop_memory(const char *name) {
    size_t n = strlen(name);
    if (n > 4 && !strcmp(name + n - 4, "-shm")) drop(name);
}

void disk_clear(void) {
    each_file(drop);
    disk_forget();
    disk_install(&test, sim.seed);
}

void disk_restart(bool power_cut) {
    each_file(drop_memory);
    if (power_cut) disk_cut(roll(UINT64_MAX));
}

void disk_open(void) {
    const char *tmp = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/headrace-simulate-XXXXXX", access("/dev/shm", W_OK) ? tmp && *tmp ? tmp : "/tmp" : "/dev/shm");
    if (!mkdtemp(folder)) broken("%s cannot be made", folder);
}

void disk_close(void) {
    each_file(drop);
    rmdir(folder);
}
