/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_KEYSET_H
#define SFT_KEYSET_H
/* A set of 128-bit hashes in a flat table: 16 bytes a slot (20 with numbers), between 3/8 and 3/4 full.  Two keys are taken
 * for the same when their hashes are; among a billion keys that happens by chance once in 10^20 runs. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "hash.h"

struct keyset {
	struct hash128 *slot;      /* all zero: free */
	uint32_t *number;          /* of the slot's key, in order of arrival; NULL if not wanted */
	size_t n, cap;
};

/* NUMBERED: keep the numbers. */
void keyset_init(struct keyset *k, bool numbered);
void keyset_release(struct keyset *k);
/* Put H in.  *ADDED: it was not there.  *NUMBER (may be NULL; needs a numbered set): its number, 0 for the first key.
 * SFT_SYSTEM if there is no memory to grow, or at 2^32 - 1 keys. */
int  keyset_add(struct keyset *k, struct hash128 h, bool *added, uint32_t *number, struct err *e);
bool keyset_has(const struct keyset *k, struct hash128 h);
/* H as the set has it: never all zero. */
struct hash128 keyset_key(struct hash128 h);
/* Bytes there are, and bytes it would have at most while it takes one more key. */
uint64_t keyset_bytes(const struct keyset *k);
uint64_t keyset_growth(const struct keyset *k);
/* The slot of H will be looked at soon: a table of millions is in no cache, and a core waits for some 16 lines at a time; what is asked for
 * beyond that is lost. */
enum { KEYSET_AHEAD = 16 };
static inline void keyset_soon(const struct keyset *k, struct hash128 h)
{
	if (k->cap)
		__builtin_prefetch(&k->slot[h.lo & (k->cap - 1)], 1);
}

#endif
