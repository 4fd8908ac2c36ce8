/* A power cut for SQLite: a file system layer, "powercut", over the usual one. It lets everything through to real files
 * but keeps for each file what a disk would surely hold (written and synced) and what it might (written since). When
 * the power goes, every operation fails; afterwards the files are made what a disk could show: of the unsynced writes
 * an arbitrary subset of the sectors, of unsynced directory entries an arbitrary subset. One at a time; thread-safe. */
#ifndef NATARIS_TESTS_SUPPORT_POWERCUT_VFS_H
#define NATARIS_TESTS_SUPPORT_POWERCUT_VFS_H

#include <stdbool.h>
#include <stdint.h>

#define POWERCUT_VFS "powercut"

/* Power on: what is in the files now is taken for synced. The same seed loses the same of the same operations. */
void powercut_begin(uint64_t seed);
/* The power goes with the n-th write, sync, truncation or deletion from now; that one is not done. */
void powercut_cut_after(uint64_t operations);
bool powercut_is_off(void);
/* After every connection was closed: leaves on disk what survived, and forgets. Also cuts the power if it is on. */
void powercut_restore(void);

#endif
