/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ACMATCH_H
#define SFT_ACMATCH_H
/* Many words at once in a text of code points (Aho and Corasick 1975), walked from right to left: the state at a place
 * knows every word that begins there, the longest first.  That is what leftmost-longest needs: one pass, no going back.
 *
 * Cost: O(length) steps, each a binary search among the children of a node; 24 bytes a node, at most one node for each
 * code point of the words, and 256 KiB.  Read-only once made: threads may share it. */
#include <stddef.h>
#include <stdint.h>

struct acmatch;

/* N words, distinct and not empty: word i is TEXT[END[i-1]] .. TEXT[END[i] - 1] (END[-1] is 0).  At most 2^32 - 2 code
 * points in all; the arrays are not kept. */
struct acmatch *acmatch_new(const uint32_t *text, const uint32_t *end, uint32_t n);
void acmatch_free(struct acmatch *a);                     /* NULL is fine */

/* The state behind a text is 0; C is the code point before it. */
uint32_t acmatch_step(const struct acmatch *a, uint32_t state, uint32_t c);

/* The words that begin at a state:
 *     for (uint32_t k = acmatch_first(a, state); k; k = acmatch_next(a, k))
 *             use(acmatch_word(a, k)); */
uint32_t acmatch_first(const struct acmatch *a, uint32_t state);
uint32_t acmatch_next(const struct acmatch *a, uint32_t k);
uint32_t acmatch_word(const struct acmatch *a, uint32_t k);
/* Code points of word I. */
uint32_t acmatch_length(const struct acmatch *a, uint32_t i);

#endif
