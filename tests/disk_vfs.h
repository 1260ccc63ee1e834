/*
 * disk_vfs.h: a disk that fails: a VFS of SQLite around the default one, and fsync(), rename() and unlink() of the program
 * itself (linked with --wrap). The test is asked before and after every step, and says what becomes of it.
 *
 * 1. What a file holds since its last sync is not on the disk. A power cut leaves, of each sector of 512 bytes, what it
 *    held at some moment since then; a length, a name, a removal may be the old or the new.
 * 2. An fsync that fails loses what it was to write, as Linux does (sync_loses): the program still sees it, and a later
 *    fsync that succeeds does not bring it back.
 * 3. A kill without a power cut leaves all that was written, and what was not synced is still not on the disk: a power
 *    cut in a later run may take it.
 */
#ifndef TESTS_DISK_VFS_H
#define TESTS_DISK_VFS_H
#include <stdbool.h>
#include <stdint.h>

enum disk_step { DISK_WRITE, DISK_SYNC, DISK_OTHER /* truncation, removal, rename */ };

struct disk_test {
    int (*before)(enum disk_step); /* SQLITE_OK, or the error that the program gets instead */
    int (*after)(enum disk_step);  /* the same, though it was done; not asked after DISK_OTHER */
    bool sync_loses;
};

/* The process goes to the disk by way of it from now on; what files hold that are there already is on the disk. The seed
 * is for what SQLite takes from the VFS's dice. */
void disk_install(const struct disk_test *, uint64_t seed);
/* The last file that was synced again after that had failed; NULL: none. */
extern const char *disk_retried;
/* Leave in the folder what a power cut would: no file may be open, or the process ends at once. */
void disk_cut(uint64_t seed);
/* Another folder follows. */
void disk_forget(void);
#endif
