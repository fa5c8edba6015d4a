/* SPDX-License-Identifier: Apache-2.0 */
#include "gramtable.h"

#include <string.h>

#include "mem.h"

void gramtable_release(struct gramtable *t)
{
	mem_free(t->slot);
	*t = (struct gramtable){0};
}

void gramtable_clear(struct gramtable *t, size_t n)
{
	t->slots = 16;
	while (t->slots < 2 * n)
		t->slots *= 2;
	if (t->slots > t->cap) {
		t->cap = t->slots;
		t->slot = mem_grow(t->slot, t->cap, sizeof *t->slot);
	}
	memset(t->slot, 0, t->slots * sizeof *t->slot);
}

static struct gramslot *find(const struct gramtable *t, uint64_t h)
{
	size_t i = h & (t->slots - 1);

	while (t->slot[i].count && t->slot[i].key != h)
		i = (i + 1) & (t->slots - 1);
	return &t->slot[i];
}

uint64_t gramtable_add(struct gramtable *t, uint64_t h)
{
	struct gramslot *s = find(t, h);

	s->key = h;
	return ++s->count;
}

bool gramtable_has(const struct gramtable *t, uint64_t h)
{
	return find(t, h)->count != 0;
}
