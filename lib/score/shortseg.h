/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SHORTSEG_H
#define SFT_SHORTSEG_H
/* Matches with an answer of at most 64 words, as sets of its places: one machine word is a set, and nothing is hashed but words.
 *
 * The places of the answer where the n-gram stands that begins at word j of a reference are mask[j] & mask[j+1] >> 1 & ...: all
 * places of one n-gram, or none.  A reference takes the lowest of them that it has not taken yet, so that an n-gram takes
 * min(count in the answer, count in the reference) places, and of several references the union has as many as the largest of these
 * says: clipped counts, as grams.h counts them for longer answers.  The masks are also those of the bit-parallel LCS (lcs.h).
 *
 * `struct shortseg s = {0}`; no memory of the answer's length is kept. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "words.h"

enum { SHORTSEG_WORDS = 64, SHORTSEG_SLOTS = 128, SHORTSEG_ORDERS = 16 };

struct shortseg {
	struct shortseg_slot {
		uint64_t a, b;          /* the word itself up to 16 bytes, zeros behind it; else its hash */
		uint64_t places;
		struct text word;
		uint32_t epoch;
	} slot[SHORTSEG_SLOTS];
	uint32_t epoch;
	uint64_t *mask;                 /* [n] of the reference read last, and SHORTSEG_ORDERS zeros */
	size_t n, cap, answer;
};

/* Begin anew with the words of an answer, which must live until the last reference is read; false: they are too many. */
bool shortseg_answer(struct shortseg *s, const struct words *w);
/* Read a reference. */
void shortseg_reference(struct shortseg *s, const struct words *w);
/* Of the reference read last: add to taken[o-1], o = 1..MAX <= SHORTSEG_ORDERS, the places whose n-gram of order o it matches. */
void shortseg_grams(const struct shortseg *s, unsigned max, uint64_t *taken);
/* The length of its longest common subsequence with the answer. */
size_t shortseg_lcs(const struct shortseg *s);
void shortseg_free(struct shortseg *s);

#endif
