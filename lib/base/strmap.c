/* SPDX-License-Identifier: Apache-2.0 */
#include "strmap.h"

#include <string.h>

#include "hash.h"

static size_t probe(const struct strmap *m, const char *key, size_t n, uint64_t h)
{
	size_t i = h & (m->nslots - 1);

	while (m->slot[i]) {
		const struct strmap_entry *e = &m->e[m->slot[i] - 1];
		if (e->hash == h && e->n == n && memcmp(e->key, key, n) == 0)
			break;
		i = (i + 1) & (m->nslots - 1);
	}
	return i;
}

struct strmap_entry *strmap_find(const struct strmap *m, const char *key, size_t n)
{
	size_t i;

	if (m->nslots == 0)
		return NULL;
	i = probe(m, key, n, hash64(key, n, 0));
	return m->slot[i] ? &m->e[m->slot[i] - 1] : NULL;
}

static void more_slots(struct strmap *m)
{
	mem_free(m->slot);
	m->nslots = m->nslots ? m->nslots * 2 : 32;
	m->slot = mem_new(m->nslots * sizeof *m->slot);
	for (size_t k = 0; k < m->n; k++) {
		size_t i = m->e[k].hash & (m->nslots - 1);
		while (m->slot[i])
			i = (i + 1) & (m->nslots - 1);
		m->slot[i] = (uint32_t)k + 1;
	}
}

struct strmap_entry *strmap_put(struct strmap *m, const char *key, size_t n, uint64_t value, bool *added)
{
	uint64_t h = hash64(key, n, 0);
	size_t i;

	if (2 * (m->n + 1) > m->nslots)
		more_slots(m);
	i = probe(m, key, n, h);
	if (added)
		*added = m->slot[i] == 0;
	if (m->slot[i] == 0) {
		ARRAY_ROOM(m->e, m->n, m->cap);
		m->e[m->n] = (struct strmap_entry){ arena_str(&m->arena, key, n), n, value, h };
		m->slot[i] = (uint32_t)++m->n;
	}
	return &m->e[m->slot[i] - 1];
}

void strmap_free(struct strmap *m)
{
	mem_free(m->e);
	mem_free(m->slot);
	arena_release(&m->arena);
	memset(m, 0, sizeof *m);
}
