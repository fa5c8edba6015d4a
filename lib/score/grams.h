/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_GRAMS_H
#define SFT_GRAMS_H
/* Clipped n-gram matches between an answer and its references.
 *
 * The n-grams of the answer, of orders 1 to MAX, are the nodes of a trie kept in one hash table (node, symbol) -> node, so an
 * n-gram of any order is one 32-bit number and no string is built.  A reference walks the trie from each of its positions
 * and leaves it where the answer has no such n-gram. */
#include <stddef.h>
#include <stdint.h>

struct gram {
	uint32_t count;         /* occurrences in the answer */
	uint32_t seen;          /* in the reference being read */
	uint32_t best;          /* most in any reference, at most count */
};

struct grams {
	uint64_t *key;          /* parent node << 32 | symbol; GRAMS_FREE */
	uint32_t *child;
	size_t nslots, cap_slots;
	struct gram *g;         /* g[1..n]: the nodes */
	size_t n, cap;
	unsigned max, shift;    /* shift: 64 - log2(nslots) */
};

/* Begin anew with the n-grams of orders 1..MAX of IDS.  Any symbol values but UINT32_MAX. */
void grams_answer(struct grams *g, const uint32_t *ids, size_t n, unsigned max);

/* Add to match[o-1], o = 1..max, what reference IDS matches beyond the references given since grams_answer():
 * afterwards match[o-1] = sum over n-grams of min(count in the answer, largest count in one reference). */
void grams_reference(struct grams *g, const uint32_t *ids, size_t n, uint64_t *match);
/* Forget the references, keep the answer. */
void grams_forget(struct grams *g);
void grams_free(struct grams *g);

/* n-grams of order O in a sequence of N. */
static inline uint64_t grams_total(size_t n, unsigned o)
{
	return n >= o ? n - o + 1 : 0;
}

#endif
