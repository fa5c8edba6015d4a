/* SPDX-License-Identifier: Apache-2.0 */
/* Items that look alike, counted. */
#include <stdlib.h>
#include <string.h>

#include "agree.h"
#include "mem.h"
#include "rng.h"

static void grow_slots(struct kinds *k)
{
	k->nslots = k->nslots ? k->nslots * 2 : 1024;
	mem_free(k->slot);
	k->slot = mem_new(k->nslots * sizeof *k->slot);
	for (uint32_t i = 0; i < k->t.items; i++) {
		size_t at = k->hash[i] & (k->nslots - 1);

		while (k->slot[at])
			at = (at + 1) & (k->nslots - 1);
		k->slot[at] = i + 1;
	}
}

static uint32_t add_kind(struct kinds *k, const struct rating *r, size_t n, uint64_t h)
{
	struct ratings *to = &k->t;

	if (to->items == k->cap) {
		k->cap = k->cap ? k->cap * 2 : 256;
		k->hash = mem_grow(k->hash, k->cap, sizeof *k->hash);
		k->many = mem_grow(k->many, k->cap, sizeof *k->many);
		to->start = mem_grow(to->start, k->cap + 1, sizeof *to->start);
	}
	while (k->nr + n > k->cap_r) {
		k->cap_r = k->cap_r ? k->cap_r * 2 : 1024;
		to->r = mem_grow(to->r, k->cap_r, sizeof *to->r);
	}
	k->hash[to->items] = h;
	k->many[to->items] = 0;
	to->start[to->items] = k->nr;
	if (n)
		memcpy(to->r + k->nr, r, n * sizeof *r);
	k->nr += n;
	to->start[to->items + 1] = k->nr;
	return to->items++;
}

/* Rows are short: eight bytes at a time, mixed as in wyhash's and rapidhash's inner loop. */
static uint64_t hash_row(const struct rating *r, size_t n)
{
	uint64_t h = n;

	for (size_t k = 0; k < n; k++) {
		unsigned __int128 m = (unsigned __int128)(h ^ 0x9e3779b97f4a7c15u) * (((uint64_t)r[k].rater << 32 | r[k].cat) ^ 0xd6e8feb86659fd93u);

		h = (uint64_t)m ^ (uint64_t)(m >> 64);
	}
	return rng_mix(h);
}

static bool same_row(const struct rating *a, const struct rating *b, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (a[k].rater != b[k].rater || a[k].cat != b[k].cat)
			return false;
	return true;
}

static uint32_t find_kind(struct kinds *k, const struct rating *r, size_t n)
{
	const struct ratings *to = &k->t;
	uint64_t h = hash_row(r, n);
	size_t at;

	if (2 * (size_t)to->items >= k->nslots)
		grow_slots(k);
	for (at = h & (k->nslots - 1); k->slot[at]; at = (at + 1) & (k->nslots - 1)) {
		uint32_t i = k->slot[at] - 1;

		if (k->hash[i] == h && to->start[i + 1] - to->start[i] == n && same_row(to->r + to->start[i], r, n))
			return i;
	}
	k->slot[at] = to->items + 1;
	return add_kind(k, r, n, h);
}

static int by_category(const void *a, const void *b)
{
	const struct rating *x = a, *y = b;

	return (x->cat > y->cat) - (x->cat < y->cat);
}

/* Ratings without raters, in the order of their categories. */
static const struct rating *in_order(const struct rating *r, size_t n, struct rating *scratch)
{
	for (size_t k = 0; k < n; k++)
		scratch[k] = r[k];
	qsort(scratch, n, sizeof *scratch, by_category);
	for (size_t k = 0; k < n; k++)
		scratch[k].rater = (uint32_t)k;
	return scratch;
}

void kinds_again(struct kinds *k, uint32_t kind)
{
	ARRAY_ROOM(k->kind, k->items, k->items_cap);
	k->kind[k->items++] = kind;
	k->many[kind]++;
}

uint32_t kinds_add(struct kinds *k, const struct rating *r, size_t n)
{
	uint32_t kind = find_kind(k, r, n);

	kinds_again(k, kind);
	return kind;
}

void agree_collapse(const struct ratings *t, struct kinds *k)
{
	struct rating *scratch = mem_new(((size_t)t->raters + 1) * sizeof *scratch);

	*k = (struct kinds){ .t = *t };
	k->t.items = 0;
	k->t.start = NULL;
	k->t.r = NULL;
	for (uint32_t i = 0; i < t->items; i++) {
		const struct rating *r = t->r + t->start[i];
		size_t n = t->start[i + 1] - t->start[i];

		kinds_add(k, t->anonymous ? in_order(r, n, scratch) : r, n);
	}
	mem_free(scratch);
}

void kinds_release(struct kinds *k)
{
	ratings_release(&k->t);
	mem_free(k->many);
	mem_free(k->kind);
	mem_free(k->slot);
	mem_free(k->hash);
	memset(k, 0, sizeof *k);
}

void ratings_release(struct ratings *t)
{
	mem_free(t->start);
	mem_free(t->r);
	t->start = NULL;
	t->r = NULL;
}
