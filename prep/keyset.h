/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_KEYSET_H
#define SFT_KEYSET_H
/* A set of hashes in a flat table: five to a cache line, between 7/16 and 7/8 full, so 15 to 29 bytes a key (4 to 9 more with numbers).  Of the
 * 128 bits of a hash 96 are kept.  Two keys are taken for the same when those are; among a billion keys that happens by chance once in
 * 10^11 runs. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "hash.h"

enum { KEYSET_LINE = 5 };

/* Keys that belong here, or in the lines before it that are full, in order of arrival. */
struct keyset_line {
	uint32_t n;
	uint32_t lo[KEYSET_LINE];  /* of hash128.lo the lower half, of hash128.hi the halves */
	uint32_t mid[KEYSET_LINE], hi[KEYSET_LINE];
};

struct keyset {
	struct keyset_line *line;
	uint32_t *number;          /* of a slot's key, in order of arrival; NULL if not wanted */
	size_t n, lines;
};

/* NUMBERED: keep the numbers. */
void keyset_init(struct keyset *k, bool numbered);
void keyset_release(struct keyset *k);
/* Put H in.  *ADDED: it was not there.  *NUMBER (may be NULL; needs a numbered set): its number, 0 for the first key.
 * SFT_SYSTEM if there is no memory to grow, or at 2^32 - 1 keys. */
int  keyset_add(struct keyset *k, struct hash128 h, bool *added, uint32_t *number, struct err *e);
bool keyset_has(const struct keyset *k, struct hash128 h);
/* H as the set has it, 96 bits of it. */
struct hash128 keyset_key(struct hash128 h);
/* The slots there are, and the key in slot I; false: none. */
size_t keyset_slots(const struct keyset *k);
bool keyset_at(const struct keyset *k, size_t i, struct hash128 *h);
/* Bytes there are, and bytes it would have at most while it takes one more key. */
uint64_t keyset_bytes(const struct keyset *k);
uint64_t keyset_growth(const struct keyset *k);
/* H will be looked for soon: a table of millions is in no cache, and a core waits for some 16 lines at a time; what is asked for beyond that
 * is lost. */
enum { KEYSET_AHEAD = 16 };
static inline void keyset_soon(const struct keyset *k, struct hash128 h)
{
	if (k->lines)
		__builtin_prefetch(&k->line[h.hi & (k->lines - 1)], 1);
}

#endif
