/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_MEMROOM_H
#define SFT_MEMROOM_H
/* How much more memory this process can have. */
#include <stdint.h>

/* Bytes, and in *LIMIT (a constant text) what sets the bound: the machine's available memory, a memory limit of the control group
 * (version 2, or 1) or of one above it, or the limit of the address space (RLIMIT_AS).  Pages of files that can be read again
 * count as free.  UINT64_MAX where nothing is known. */
uint64_t memroom(const char **limit);
/* The same of a machine whose /proc and /sys lie under the folder ROOT; limits that only the system call knows (RLIMIT_AS) are this process's own. */
uint64_t memroom_under(const char *root, const char **limit);

#endif
