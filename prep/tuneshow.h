/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TUNESHOW_H
#define SFT_TUNESHOW_H
/* A search as a table and as JSON (sft.tune/1, which sft report draws). */
#include "tunerun.h"

/* The best ROWS trials, how to have the best again, what mattered.  No times: the same trials give the same table. */
void tune_table(const struct tune_run *r, size_t rows, struct buf *out);
void tune_json(const struct tune_run *r, struct buf *out);

#endif
