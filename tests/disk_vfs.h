/*
 * disk_vfs.h: a disk that fails: a VFS of SQLite around the default one, and fsync() and rename() of the program itself
 * (linked with --wrap). Every write, truncation, sync, removal and rename is a step, counted from 1.
 *
 * 1. What a file holds since its last sync is not on the disk. A power cut leaves, of each sector of 512 bytes, what it
 *    held at some moment since then; a length, a name, a removal may be the old or the new.
 * 2. An fsync that fails loses what it was to write, as Linux does: the program still sees it, and a later fsync that
 *    succeeds does not bring it back.
 */
#ifndef TESTS_DISK_VFS_H
#define TESTS_DISK_VFS_H
#include <stdint.h>

enum disk_fault { DISK_FINE, DISK_FULL, DISK_WRITE_ERROR, DISK_SYNC_ERROR, DISK_CUT, DISK_FAULTS };

/* The process goes to the disk by way of it from now on. `fault` at step `at` (the first step from there on that it can
 * hit; a full disk stays full); a cut ends the process. *steps and *hit are told at once: they may be shared memory. */
void disk_install(enum disk_fault, int at, uint64_t seed, int *steps, int *hit);
/* The last file that was synced again after that had failed; NULL: none. */
extern const char *disk_retried;
/* Leave on the disk what a power cut would. */
void disk_cut(void);
#endif
