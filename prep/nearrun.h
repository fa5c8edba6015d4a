/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_NEARRUN_H
#define SFT_NEARRUN_H
/* sft-dedup --near and --signatures: one record of each group of those that are the same by key or nearly the same by text, without
 * those that are like a record of other files; or, for one shard of a set, what a join of all shards needs to find the groups.
 *
 * Two passes: signatures and texts are taken while the records go to a scratch file, then what is kept of it is written. */
#include <stdbool.h>
#include <stdint.h>
#include "err.h"
#include "keycols.h"
#include "neardup.h"
#include "rec.h"

struct near {
	const char *column, *id;          /* COLUMN NULL: by key alone; ID NULL: records are called by their number, from 0 */
	const struct wordlist *key;          /* NULL: by text alone; no words: whole records */
	struct neardup_how how;
	enum dedup_keep keep;
	const char *const *against;       /* files: what is similar to a record of theirs, or has its key, is dropped */
	size_t nagainst;
	size_t ngram;                     /* or shares so many words in a row with one; 0: may */
	const char *clusters, *pairs;     /* files, or NULL: id,cluster and a,b,jaccard */
	const char *signatures;           /* file to write instead of records, or NULL */
	uint64_t memory;
	const char *scratch_dir;

	uint64_t records, groups, pair_count;
	uint64_t fate[FATES];             /* how many met each */
};

/* OUT may be NULL where signatures are written. */
int near_run(struct near *n, struct recin *in, struct recout *out, const struct rec_opts *o, const struct tool *t, struct err *e);

#endif
