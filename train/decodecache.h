/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_DECODECACHE_H
#define SFT_DECODECACHE_H
/* What decode.c (answers), choices.c (scores) and choicebest.c (the best of them) share: the cache, the rows of a common beginning in it, and a pass under
 * construction.  Nothing else includes this. */
#include "decode.h"

enum { PASS_TOKENS = 1024 };        /* prompts longer than this take several passes */

struct decoder {
	struct model *m;
	struct kv_cache *kv;
	/* rows 0 .. nprefix-1 of the cache hold these tokens at positions 0 .. */
	uint32_t *prefix;
	uint32_t nprefix, prefix_cap;
	/* the pass */
	uint32_t *ids, *pos, *row;      /* [n] and the cache row of each */
	uint32_t n, cap;
	struct kern_seg *seg;
	uint32_t nseg, seg_cap;
	uint32_t *out, *target;         /* [nout] */
	uint32_t nout, out_cap;
	float    *logp;                 /* [out_cap] */
	float    *logits;               /* [DECODE_TOGETHER, vocab] */
	struct sampler sampler;
};

/* ROWS of cache; grows it if need be, and then nothing is cached. */
int  decoder_rows(struct decoder *d, uint64_t rows, struct err *e);
/* How many of the first tokens of IDS the cache holds as its prefix. */
uint32_t decoder_cached(const struct decoder *d, const uint32_t *ids, uint32_t n);
/* Rows 0 .. n-1 hold IDS from now on: computes those that are missing. */
int  decoder_prefix(struct decoder *d, const uint32_t *ids, uint32_t n, struct err *e);
/* The same where the caller's own passes have computed them. */
void decoder_hold(struct decoder *d, const uint32_t *ids, uint32_t n);

void pass_reset(struct decoder *d);
/* N tokens of a sequence, at positions POS.., into cache rows ROW..: they see rows 0 .. SHARED-1 and rows OWN .. ROW+i. */
void pass_tokens(struct decoder *d, const uint32_t *ids, uint32_t n, uint32_t pos, uint32_t row, uint32_t shared, uint32_t own);
/* An output of the pass's token AT (its number in the pass, ascending). */
void pass_out(struct decoder *d, uint32_t at, uint32_t target);
/* Runs it: LOGITS [nout, vocab], or where NULL d->logp of the targets. */
int  pass_run(struct decoder *d, float *logits, struct err *e);

#endif
