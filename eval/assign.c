/* SPDX-License-Identifier: Apache-2.0 */
#include "assign.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "rng.h"

struct desk {
	uint32_t raters;
	uint32_t *load, *met;           /* met[a * raters + b]: items that both have */
	uint64_t *draw;                 /* decides between equals, anew for each item */
	struct rng r;
};

static uint32_t meetings(const struct desk *d, uint32_t who, const uint32_t *taken, uint32_t n)
{
	uint32_t sum = 0;

	for (uint32_t k = 0; k < n; k++)
		sum += d->met[(size_t)who * d->raters + taken[k]];
	return sum;
}

static bool has(const uint32_t *taken, uint32_t n, uint32_t who)
{
	for (uint32_t k = 0; k < n; k++)
		if (taken[k] == who)
			return true;
	return false;
}

/* The next rater of an item that has taken[0..n-1]. */
static uint32_t next_rater(const struct desk *d, const uint32_t *taken, uint32_t n)
{
	uint32_t best = d->raters, best_met = 0;

	for (uint32_t k = 0; k < d->raters; k++) {
		uint32_t met;

		if (has(taken, n, k) || (best < d->raters && d->load[k] > d->load[best]))
			continue;
		met = meetings(d, k, taken, n);
		if (best == d->raters || d->load[k] < d->load[best] || met < best_met || (met == best_met && d->draw[k] < d->draw[best])) {
			best = k;
			best_met = met;
		}
	}
	return best;
}

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void give(struct desk *d, uint32_t *taken, uint32_t n)
{
	for (uint32_t k = 0; k < d->raters; k++)
		d->draw[k] = rng_u64(&d->r);
	for (uint32_t k = 0; k < n; k++) {
		uint32_t who = next_rater(d, taken, k);

		for (uint32_t j = 0; j < k; j++) {
			d->met[(size_t)who * d->raters + taken[j]]++;
			d->met[(size_t)taken[j] * d->raters + who]++;
		}
		taken[k] = who;
		d->load[who]++;
	}
	qsort(taken, n, sizeof *taken, ascending);
}

void assign_raters(struct assignment *a, uint32_t items, uint32_t raters, uint32_t per_item, uint32_t shared, uint64_t seed)
{
	struct desk d = { .raters = raters };
	uint32_t *order = mem_grow(NULL, (size_t)items + 1, sizeof *order);

	rng_init(&d.r, seed, 0x61737367);
	d.load = mem_new(raters * sizeof *d.load);
	d.met = mem_new((size_t)raters * raters * sizeof *d.met);
	d.draw = mem_new(raters * sizeof *d.draw);
	rng_permutation(&d.r, order, items);
	a->start = mem_new(((size_t)items + 1) * sizeof *a->start);
	for (uint32_t k = 0; k < items; k++)
		a->start[order[k] + 1] = k < shared ? per_item : 1;
	for (uint32_t k = 0; k < items; k++)
		a->start[k + 1] += a->start[k];
	a->rater = mem_grow(NULL, a->start[items] + 1, sizeof *a->rater);
	for (uint32_t k = 0; k < items; k++)
		give(&d, a->rater + a->start[order[k]], k < shared ? per_item : 1);
	mem_free(order);
	mem_free(d.load);
	mem_free(d.met);
	mem_free(d.draw);
}

void assign_free(struct assignment *a)
{
	mem_free(a->start);
	mem_free(a->rater);
	memset(a, 0, sizeof *a);
}
