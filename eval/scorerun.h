/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SCORERUN_H
#define SFT_SCORERUN_H
/* All items of a stream into a scoring, on several threads: batches are read in order, what depends on an item alone is measured on any
 * thread, and figures are added in the order read, so that they are the same bits for every number of threads.
 *
 * Memory: NTHREADS + 1 batches of at most 512 items and about 128 KiB of plain lines, or as rec_read_batch() reads them. */
#include "outfile.h"
#include "pairs.h"
#include "scoring.h"

/* ITEMS (may be NULL): a line for each item.  SFT_BADDATA with FILE:LINE. */
int scorerun(struct scoring *s, struct pairs *p, struct outfile *items, int nthreads, struct err *e);

#endif
