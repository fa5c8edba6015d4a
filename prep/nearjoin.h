/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_NEARJOIN_H
#define SFT_NEARJOIN_H
/* sft-dedup --join and --drop: the groups of a whole set from the signatures of its shards, and what that means for a shard.
 *
 * The shards are one stream, in the order of the files; all that comes out, shard behind shard, is what one run over that stream
 * writes. */
#include <stdint.h>
#include "nearrun.h"
#include "outfile.h"

/* Signature files PATHS[0..k-1]: verdicts go to DIR/NAME.drop for each DIR/NAME.sig.  Uses keep, clusters, pairs, memory and
 * scratch_dir of N, and fills in its figures.  SFT_BADDATA where the files were not made alike. */
int near_join(struct near *n, const char *const *paths, size_t k, const char *dir, const struct rec_opts *o, const struct tool *t, struct err *e);

/* The records of IN that the verdicts of PATH keep go to OUT, the others to the rejects; counts into N->fate.  SFT_BADDATA where
 * these are other records than those that were signed. */
int near_drop(struct near *n, const char *path, struct recin *in, struct recout *out, const struct rec_opts *o, struct err *e);

#endif
