/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_GRAMTABLE_H
#define SFT_GRAMTABLE_H
/* Counts of hashes, for one text after another: memory is kept from text to text, 16 bytes a slot, at most half full. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gramtable {
	struct gramslot {
		uint64_t key, count;   /* count 0: free */
	} *slot;
	size_t slots, cap;             /* in use now (a power of two); allocated */
};
void gramtable_release(struct gramtable *t);
/* Empty, with room for N hashes.  O(N). */
void gramtable_clear(struct gramtable *t, size_t n);
/* How often H was added, this time included. */
uint64_t gramtable_add(struct gramtable *t, uint64_t h);
bool gramtable_has(const struct gramtable *t, uint64_t h);

#endif
