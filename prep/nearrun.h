/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_NEARRUN_H
#define SFT_NEARRUN_H
/* sft-dedup --near: one record of each group of near-duplicates, without those that are like a record of other files.
 *
 * Two passes: signatures and texts are taken while the records go to a scratch file, then what is kept of it is written. */
#include <stdbool.h>
#include <stdint.h>
#include "dedup.h"
#include "err.h"
#include "minhash.h"
#include "rec.h"

struct near {
	const char *column, *id;          /* ID NULL: records are called by their number, from 0 */
	struct shingling how;
	double threshold;
	enum dedup_keep keep;
	const char *const *against;       /* files: what is similar to a record of theirs is dropped */
	size_t nagainst;
	size_t ngram;                     /* or shares so many words in a row with one; 0: may */
	const char *clusters, *pairs;     /* files, or NULL: id,cluster and a,b,jaccard */
	const char *scratch_dir;

	uint64_t records, groups, pair_count;
	uint64_t contaminated, overlaps;  /* kept out; of these, by an n-gram alone */
};

int near_run(struct near *n, struct recin *in, struct recout *out, const struct rec_opts *o, const struct tool *t, struct err *e);

#endif
