/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_PACK_H
#define SFT_PACK_H
/* Sequences put one after the other into one pass of the model: no padding, positions that restart, a segment for each, so that no token
 * sees another sequence; outputs only at positions whose next token the loss counts. */
#include <stdint.h>
#include "model.h"
#include "shard.h"

/* `struct pack p = {0}` is empty and ready.  Buffers are kept from pass to pass. */
struct pack {
	uint32_t n, nout, nseg;
	uint32_t *ids, *pos;              /* [n] */
	uint32_t *out, *target;           /* [nout]; a row that sequences share stands there once for each of them */
	float    *weight;                 /* [nout] */
	uint32_t *rival_out, *rival_first, *rival_id;   /* [nrival], [nrival + 1], [nid] */
	float    *rival_weight;           /* [nrival] */
	uint32_t nrival, nid, rival_cap, id_cap;
	uint64_t *key;                    /* [n] */
	float    *noise;                  /* [n] */
	float     neftune;                /* NEFTune's alpha divided by the root of the width, 0: no noise; set by the owner */
	struct kern_seg *seg;             /* [nseg] */
	uint32_t ntok_cap, nout_cap, nseg_cap;
};

void pack_reset(struct pack *p);
/* Append N tokens.  MASK [n]: 1 where the token is a target (position 0 never is); NULL: all are.  WEIGHT: of each target's gradient.  KEY: the
 * sequence's random number, from which its tokens' come. */
void pack_add(struct pack *p, const uint32_t *ids, const uint8_t *mask, uint32_t n, float weight, uint64_t key);
/* Append the N tokens that several sequences begin with; returns the row of the first. */
uint32_t pack_prefix(struct pack *p, const uint32_t *ids, uint32_t n);
/* The same as pack_add() of a sequence whose first SHARED tokens lie from row PREFIX on: only the others are appended, and see those. */
void pack_branch(struct pack *p, uint32_t prefix, uint32_t shared, const uint32_t *ids, const uint8_t *mask, uint32_t n, float weight, uint64_t key);
/* What must not be said in the sequence that was added last, whose first output was NOUT before: R's positions must be trained ones.  WEIGHT: of each
 * position's gradient. */
void pack_rivals(struct pack *p, uint32_t nout, const uint8_t *mask, uint32_t n, const struct shard_rivals *r, float weight);
/* B borrows P's buffers until the next pack_add. */
void pack_batch(const struct pack *p, struct batch *b);
void pack_free(struct pack *p);

#endif
