/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SHARDMIX_H
#define SFT_SHARDMIX_H
/* New token shards of old ones: one after the other, in another order, or a part of them. */
#include <stdint.h>

#include "shard.h"
#include "tool.h"

enum shardmix_job { SHARDMIX_MERGE, SHARDMIX_SHUFFLE, SHARDMIX_SAMPLE };

struct shardmix_opts {
	enum shardmix_job job;
	uint64_t n;                 /* SAMPLE: sequences, without replacement, in the order they have */
	uint64_t seed;              /* SHUFFLE, SAMPLE */
	int64_t pack;               /* tokens of a packed row, 0: no plan; -1: as the inputs have it, which must agree */
	const char *output;         /* NULL or "-": standard output */
};

struct shardmix_totals { uint64_t sequences, tokens; };

/* The sequences of FILES[0..n-1] into one shard, which says in its info what it was made of.  The inputs are mapped, and each sequence is
 * copied by itself: memory is that of the indexes, 20 bytes a sequence and 4 more for SHUFFLE.  Every sequence is checked on its way.
 * SFT_BADDATA: an input is damaged or was made with another tokenizer than the first; SFT_USAGE: pack plans that differ, or SAMPLE
 * wants more than there is. */
int shardmix(const struct shardmix_opts *o, const char *const *files, size_t n, const struct tool *t, struct shardmix_totals *totals, struct err *e);

#endif
