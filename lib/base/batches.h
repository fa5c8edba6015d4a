/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_BATCHES_H
#define SFT_BATCHES_H
#include <stddef.h>

#include "err.h"
#include "threads.h"

/* omap_run() with as many zeroed items of SIZE bytes as NTHREADS threads need; RELEASE gives back what an item holds.
 * Reading and writing run at the same time, so M's read fills READ_ERROR and its write fills E; where only reading failed, E becomes
 * READ_ERROR.  Returns 0, or E's status. */
int batches_run(const struct omap *m, size_t size, void (*release)(void *item), int nthreads, const struct err *read_error, struct err *e);

#endif
