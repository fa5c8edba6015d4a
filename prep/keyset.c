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

static int grow(struct keyset *k, struct err *e)
{
	size_t cap = k->cap * 2;
	struct hash128 *slot = mem_try(cap * sizeof *slot);
	uint32_t *number = k->number ? mem_try(cap * sizeof *number) : NULL;

	if (slot == NULL || (k->number && number == NULL)) {
		mem_free(slot);
		mem_free(number);
		return err_set(e, SFT_SYSTEM, "no memory for more than %zu keys", k->n);
	}
	for (size_t i = 0; i < k->cap; i++) {
		size_t to;

		if ((k->slot[i].hi | k->slot[i].lo) == 0)
			continue;
		to = find(slot, cap, k->slot[i]);
		slot[to] = k->slot[i];
		if (number)
			number[to] = k->number[i];
	}
	mem_free(k->slot);
	mem_free(k->number);
	k->slot = slot;
	k->number = number;
	k->cap = cap;
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
