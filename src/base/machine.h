/* What a process may have of this machine: memory and cores, within its control groups. Read from /proc and /sys of
 * Linux. */
#ifndef NATARIS_BASE_MACHINE_H
#define NATARIS_BASE_MACHINE_H

#include <stdint.h>

/* Bytes of memory that can still be taken without swapping: what the kernel says is available, or less where a control
 * group (version 1 or 2) of this process or one around it allows less. What of a group's memory is only its cache of
 * files counts as free. 0: unknown; at
 * least 1 when it is known. `root` is put before every path: "/" for the machine itself, a folder for tests. */
uint64_t machine_memory_available(const char *root);
/* Cores that may compute at the same time: those that this process may run on, or fewer where the quota of a control
 * group allows less; at least 1. */
uint32_t machine_cores(const char *root);

#endif
