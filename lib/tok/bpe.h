/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_BPE_H
#define SFT_BPE_H
/* Byte-pair encoding: symbols of a piece of text are merged, the pair of lowest rank first, the leftmost of equal ones first.
 *
 * Short pieces are merged by scanning, long ones with a heap: O(n log n), so that a whole document may be one piece.  The
 * merges are one hash table; nothing here knows text, only ids. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpe_merge {
	uint32_t left, right;       /* ids of the pair */
	uint32_t rank;              /* lower is earlier; equal ranks: the leftmost pair first */
	uint32_t into;              /* id of what they become */
};

struct bpe_merges {
	struct bpe_merge *slot;     /* open addressing; left == BPE_FREE: free */
	uint32_t mask;              /* slots - 1, a power of two */
	uint64_t *maybe;            /* a filter, small enough for the cache: most pairs are no merge, and most of them end here */
	unsigned maybe_shift;       /* 64 - log2 of its bits */
};
#define BPE_FREE UINT32_MAX

/* MERGES[0..n-1]; where a pair is there twice the later one counts. */
void bpe_merges_init(struct bpe_merges *m, const struct bpe_merge *merges, size_t n);
void bpe_merges_free(struct bpe_merges *m);

/* The merge of a pair, or NULL. */
static inline const struct bpe_merge *bpe_find(const struct bpe_merges *m, uint32_t left, uint32_t right)
{
	uint64_t h = ((uint64_t)left << 32 | right) * 0x9E3779B97F4A7C15u, bit = h >> m->maybe_shift;
	uint32_t i = (uint32_t)(h >> 32) & m->mask;

	if (!(m->maybe[bit / 64] >> bit % 64 & 1))
		return NULL;
	for (; m->slot[i].left != BPE_FREE; i = (i + 1) & m->mask)
		if (m->slot[i].left == left && m->slot[i].right == right)
			return &m->slot[i];
	return NULL;
}

/* A symbol: before merging a character or byte, after it a token. */
struct bpe_sym {
	uint32_t id, len;           /* token, bytes of the piece */
};

/* Working memory of a thread. */
struct bpe_room {
	struct bpe_sym *sym;
	size_t n, cap;
	uint64_t *first, *heap;     /* long pieces: queued pairs, rank << 32 | place */
	uint64_t *spare;            /* room to sort them, then for the links: */
	uint32_t *prev, *next;
	size_t nheap, heap_cap, links_cap;
};
void bpe_room_free(struct bpe_room *r);
static inline void bpe_add(struct bpe_room *r, uint32_t id, uint32_t len);

/* Merges r->sym[0..r->n-1] in place. */
void bpe_merge_all(const struct bpe_merges *m, struct bpe_room *r);

#include "mem.h"
static inline void bpe_add(struct bpe_room *r, uint32_t id, uint32_t len)
{
	ARRAY_ROOM(r->sym, r->n, r->cap);
	r->sym[r->n++] = (struct bpe_sym){ id, len };
}

#endif
