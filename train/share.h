/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SHARE_H
#define SFT_SHARE_H
/* The sequences of a micro-step, arranged so that what several of them begin with is computed once.
 *
 * A group is a run of sequences and the tokens that all of them begin with.  The pass computes those once; each sequence's other tokens follow, see them and
 * send their gradients back to them.  Groups are chosen to save the most tokens; what saves nothing stays in the order in which it came. */
#include <stdint.h>
#include "mem.h"
#include "pack.h"

struct share_seq {
	uint32_t *ids;             /* n tokens, at least 1 */
	uint8_t  *mask;            /* [n] */
	uint32_t n;
	float    weight;           /* as pack_add takes them */
	uint64_t key;
	struct shard_rivals rivals;
};

struct share_group {
	uint32_t first, n;         /* members: order[first .. first + n - 1] */
	uint32_t prefix;           /* tokens in common; 0 for a sequence by itself */
};

/* `struct share s = {0}` is empty and ready; buffers are kept. */
struct share {
	struct share_seq *seq;     /* nseq, in the order in which they came */
	uint32_t nseq, cap_seq;
	uint32_t *ids;             /* the tokens of all of them */
	uint8_t  *mask;
	size_t   ntok, cap_tok;
	struct arena rivals;       /* memory of theirs */
	uint32_t *order;           /* [nseq] */
	struct share_group *group; /* ngroups, together all of order[] */
	uint32_t ngroups, cap_plan;
};

enum { SHARE_LEAST = 16 };         /* tokens: a shorter beginning is not worth a segment of its own */

void share_reset(struct share *s);
/* Appends a copy. */
void share_add(struct share *s, const uint32_t *ids, const uint8_t *mask, uint32_t n, float weight, uint64_t key);
/* Rivals of the sequence that was added last; a copy. */
void share_rivals(struct share *s, const struct shard_rivals *r);
/* Groups of all that was added; !ON: each sequence by itself, in order. */
void share_plan(struct share *s, bool on);
void share_free(struct share *s);

#endif
