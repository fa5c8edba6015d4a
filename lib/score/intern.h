/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_INTERN_H
#define SFT_INTERN_H
/* Words of one segment as small numbers, so that every comparison after this is one of integers.
 *
 * The words of the answer get numbers 0, 1, ...; a word of a reference gets the number of the equal word of the answer, or
 * INTERN_NONE: it can match nothing.  Exact: the bytes are compared, not only their hashes.  Memory is that of the longest
 * segment seen.  `struct intern t = {0}`. */
#include <stddef.h>
#include <stdint.h>
#include "words.h"

#define INTERN_NONE UINT32_MAX

/* Up to 16 bytes, A and B are the word itself (its ends, which overlap), and with its length all of it; else A is its hash. */
struct intern_slot {
	uint64_t a, b;
	struct text word;
	uint32_t epoch, id;
};

struct intern {
	struct intern_slot *slot;
	size_t nslots;
	uint32_t epoch, n;          /* n: words numbered since intern_begin() */
};

struct ids {
	uint32_t *v;
	size_t n, cap;
};

/* Forget all; room for N words.  The words put must live until the next intern_begin(). */
void intern_begin(struct intern *t, size_t n);
uint32_t intern_put(struct intern *t, struct text word);        /* its number, a new one if need be */
uint32_t intern_find(const struct intern *t, struct text word); /* or INTERN_NONE */
void intern_free(struct intern *t);

/* W as numbers into TO: put_words() begins anew and numbers them, find_words() looks them up. */
void put_words(struct intern *t, const struct words *w, struct ids *to);
void find_words(const struct intern *t, const struct words *w, struct ids *to);
uint32_t *ids_room(struct ids *to, size_t n);                   /* space for N; to->n = N */

#endif
