/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_BATCHES_H
#define SFT_BATCHES_H
#include <stddef.h>

#include "threads.h"

/* omap_run() with as many zeroed items of SIZE bytes as NTHREADS threads need; RELEASE gives back what an item holds. */
int batches_run(const struct omap *m, size_t size, void (*release)(void *item), int nthreads);

#endif
