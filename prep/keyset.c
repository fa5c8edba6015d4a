/* SPDX-License-Identifier: Apache-2.0 */
#include "keyset.h"

#include <string.h>

#include "mem.h"

enum { FIRST = 1024 };

void keyset_init(struct keyset *k, bool numbered)
{
	memset(k, 0, sizeof *k);
	k->cap = FIRST;
	k->slot = mem_new(FIRST * sizeof *k->slot);
	k->number = numbered ? mem_new(FIRST * sizeof *k->number) : NULL;
}

void keyset_release(struct keyset *k)
{
	mem_free(k->slot);
	mem_free(k->number);
	memset(k, 0, sizeof *k);
}

struct hash128 keyset_key(struct hash128 h)
{
	h.hi |= (h.hi | h.lo) == 0;
	return h;
}

/* The slot of H: its own, or the free one where it would go. */
static size_t find(const struct hash128 *slot, size_t cap, struct hash128 h)
{
	size_t i = h.lo & (cap - 1);

	while ((slot[i].hi != h.hi || slot[i].lo != h.lo) && (slot[i].hi | slot[i].lo) != 0)
		i = (i + 1) & (cap - 1);
	return i;
}

static bool is_free(const struct keyset *k, size_t i)
{
	return (k->slot[i].hi | k->slot[i].lo) == 0;
}

static void put(struct keyset *k, struct hash128 h, uint32_t number)
{
	size_t at = find(k->slot, k->cap, h);

	k->slot[at] = h;
	if (k->number)
		k->number[at] = number;
}

/* The keys of slots FROM..TO-1, in that order, to where they belong in the table as large as it is now. */
static void settle(struct keyset *k, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		struct hash128 h = k->slot[i];

		if (is_free(k, i))
			continue;
		k->slot[i] = (struct hash128){ 0, 0 };
		put(k, h, k->number ? k->number[i] : 0);
	}
}

struct waiting {
	struct hash128 key;
	uint32_t number;
};

/* Twice the slots, in place.  A key's new slot is in the new half, or not behind its old one where the slots from its home on were settled
 * before it: so begin behind a free slot.  The keys before the first free one, whose run came round from the end, wait aside. */
static int grow(struct keyset *k, struct err *e)
{
	size_t cap = k->cap, first = 0;
	struct hash128 *slot = mem_more(k->slot, cap * sizeof *slot, 2 * cap * sizeof *slot);
	struct waiting *aside;
	uint32_t *number = NULL;

	if (slot)
		k->slot = slot;
	if (slot && k->number && (number = mem_more(k->number, cap * sizeof *number, 2 * cap * sizeof *number)) != NULL)
		k->number = number;
	if (slot == NULL || (k->number && number == NULL))
		return err_set(e, SFT_SYSTEM, "no memory for more than %zu keys", k->n);
	k->cap = 2 * cap;
	while (!is_free(k, first))
		first++;
	aside = mem_grow(NULL, first + 1, sizeof *aside);
	for (size_t i = 0; i < first; i++)
		aside[i] = (struct waiting){ k->slot[i], k->number ? k->number[i] : 0 };
	memset(k->slot, 0, first * sizeof *k->slot);
	settle(k, first, cap);
	for (size_t i = 0; i < first; i++)
		put(k, aside[i].key, aside[i].number);
	mem_free(aside);
	return 0;
}

uint64_t keyset_bytes(const struct keyset *k)
{
	return (uint64_t)k->cap * (sizeof *k->slot + (k->number ? sizeof *k->number : 0));
}

uint64_t keyset_growth(const struct keyset *k)
{
	return k->n >= k->cap / 4 * 3 ? 3 * keyset_bytes(k) : keyset_bytes(k);
}

int keyset_add(struct keyset *k, struct hash128 h, bool *added, uint32_t *number, struct err *e)
{
	size_t at;
	int rc;

	h = keyset_key(h);
	at = find(k->slot, k->cap, h);
	*added = (k->slot[at].hi | k->slot[at].lo) == 0;
	if (*added) {
		if (k->n >= UINT32_MAX)
			return err_set(e, SFT_SYSTEM, "more than %u keys", UINT32_MAX);
		if (k->n >= k->cap / 4 * 3) {
			if ((rc = grow(k, e)) != 0)
				return rc;
			at = find(k->slot, k->cap, h);
		}
		k->slot[at] = h;
		if (k->number)
			k->number[at] = (uint32_t)k->n;
		k->n++;
	}
	if (number)
		*number = k->number[at];
	return 0;
}

bool keyset_has(const struct keyset *k, struct hash128 h)
{
	size_t at;

	h = keyset_key(h);
	at = find(k->slot, k->cap, h);
	return (k->slot[at].hi | k->slot[at].lo) != 0;
}
