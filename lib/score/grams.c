/* SPDX-License-Identifier: Apache-2.0 */
#include "grams.h"

#include <stdbool.h>
#include <string.h>

#include "mem.h"

#define GRAMS_FREE UINT64_MAX    /* no node has this number with this symbol: symbols are below UINT32_MAX */

static size_t slot_of(const struct grams *g, uint64_t key)
{
	size_t i = (size_t)((key * 0x9e3779b97f4a7c15u) >> g->shift);   /* the top bits: all of the node and the symbol are in them */

	while (g->key[i] != key && g->key[i] != GRAMS_FREE)
		i = (i + 1) & (g->nslots - 1);
	return i;
}

static void room(struct grams *g, size_t nodes)
{
	size_t want = 64;

	g->shift = 64 - 6;
	for (; want < 2 * nodes; want *= 2)
		g->shift--;
	if (want > g->cap_slots) {
		g->key = mem_grow(g->key, want, sizeof *g->key);
		g->child = mem_grow(g->child, want, sizeof *g->child);
		g->cap_slots = want;
	}
	if (nodes + 1 > g->cap) {
		g->cap = nodes + nodes / 2 + 64;
		g->g = mem_grow(g->g, g->cap, sizeof *g->g);
	}
	g->nslots = want;
	memset(g->key, 0xff, want * sizeof *g->key);
}

void grams_answer(struct grams *g, const uint32_t *ids, size_t n, unsigned max)
{
	room(g, n * max);
	g->n = 0;
	g->max = max;
	for (size_t at = 0; at < n; at++) {
		size_t end = n - at < max ? n : at + max;
		uint32_t node = 0;

		for (size_t k = at; k < end; k++) {
			uint64_t key = (uint64_t)node << 32 | ids[k];
			size_t i = slot_of(g, key);

			if (g->key[i] == GRAMS_FREE) {
				g->key[i] = key;
				g->child[i] = (uint32_t)++g->n;
				g->g[g->n] = (struct gram){ 0, 0, 0 };
			}
			node = g->child[i];
			g->g[node].count++;
		}
	}
}

void grams_reference(struct grams *g, const uint32_t *ids, size_t n, uint64_t *match)
{
	for (size_t k = 1; k <= g->n; k++)
		g->g[k].seen = 0;
	for (size_t at = 0; at < n; at++) {
		uint32_t node = 0;

		for (unsigned o = 0; o < g->max && at + o < n; o++) {
			size_t i = slot_of(g, (uint64_t)node << 32 | ids[at + o]);
			struct gram *x;

			if (ids[at + o] == UINT32_MAX || g->key[i] == GRAMS_FREE)
				break;
			node = g->child[i];
			x = &g->g[node];
			if (++x->seen > x->best && x->best < x->count) {
				x->best++;
				match[o]++;
			}
		}
	}
}

void grams_forget(struct grams *g)
{
	for (size_t k = 1; k <= g->n; k++)
		g->g[k].best = 0;
}

void grams_free(struct grams *g)
{
	mem_free(g->key);
	mem_free(g->child);
	mem_free(g->g);
	memset(g, 0, sizeof *g);
}
