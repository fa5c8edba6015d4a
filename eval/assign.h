/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ASSIGN_H
#define SFT_ASSIGN_H
/* Who labels what: items to raters, so that loads and pairs of raters are as even as can be. */
#include <stddef.h>
#include <stdint.h>

struct assignment {
	size_t *start;                  /* item i goes to rater[start[i]..start[i + 1] - 1], ascending */
	uint32_t *rater;
};

/* Of ITEMS, SHARED drawn by SEED go to PER_ITEM raters each (1 <= PER_ITEM <= RATERS), the others to one.  Loads differ by one at most
 * (all items, and the shared ones alone); of the raters with the least load those are taken that have met each other least.
 * Time O(items * PER_ITEM * RATERS). */
void assign_raters(struct assignment *a, uint32_t items, uint32_t raters, uint32_t per_item, uint32_t shared, uint64_t seed);
void assign_free(struct assignment *a);

#endif
