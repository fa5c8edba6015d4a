/* SPDX-License-Identifier: Apache-2.0 */
#include "bpe.h"

#include <string.h>

#include "mem.h"

enum { SHORT = 96,              /* symbols up to which scanning is quicker than a heap */
       AHEAD = 16 };            /* merges: how far ahead memory is asked for */
static const uint32_t NONE = UINT32_MAX;

static uint64_t pair_hash(const struct bpe_merge *m)
{
	return ((uint64_t)m->left << 32 | m->right) * 0x9E3779B97F4A7C15u;
}

void bpe_merges_init(struct bpe_merges *m, const struct bpe_merge *merges, size_t n)
{
	uint32_t slots = 16;
	unsigned bits = 7;

	while (slots / 4 * 3 < n)
		slots *= 2;
	while ((size_t)1 << bits < 8 * n)
		bits++;
	m->maybe_shift = 64 - bits;
	m->maybe = mem_new((size_t)1 << (bits - 3));
	m->mask = slots - 1;
	if ((m->slot = mem_try((size_t)slots * sizeof *m->slot)) == NULL)       /* in huge pages */
		m->slot = mem_new((size_t)slots * sizeof *m->slot);             /* or this is the end */
	memset(m->slot, 0xff, (size_t)slots * sizeof *m->slot);
	for (size_t k = 0; k < n; k++) {
		uint64_t h = pair_hash(&merges[k]);
		uint32_t i = (uint32_t)(h >> 32) & m->mask;

		if (k + AHEAD < n)
			__builtin_prefetch(&m->slot[(uint32_t)(pair_hash(&merges[k + AHEAD]) >> 32) & m->mask]);
		while (m->slot[i].left != BPE_FREE && (m->slot[i].left != merges[k].left || m->slot[i].right != merges[k].right))
			i = (i + 1) & m->mask;
		m->slot[i] = merges[k];
		m->maybe[(h >> m->maybe_shift) / 64] |= (uint64_t)1 << (h >> m->maybe_shift) % 64;
	}
}

void bpe_merges_free(struct bpe_merges *m)
{
	mem_free(m->slot);
	mem_free(m->maybe);
	*m = (struct bpe_merges){0};
}

void bpe_room_free(struct bpe_room *r)
{
	mem_free(r->sym);
	mem_free(r->first);
	mem_free(r->spare);
	mem_free(r->heap);
	*r = (struct bpe_room){0};
}

/* --- short pieces --- */

/* A symbol and the merge with its right neighbour. */
struct pair {
	struct bpe_sym sym;
	uint32_t rank, into;
};

static inline void look(const struct bpe_merges *m, struct pair *p)
{
	const struct bpe_merge *f = bpe_find(m, p[0].sym.id, p[1].sym.id);

	p->rank = f ? f->rank : NONE;
	p->into = f ? f->into : 0;
}

static void merge_short(const struct bpe_merges *m, struct bpe_room *r)
{
	struct pair p[SHORT];
	size_t last = r->n - 1;

	for (size_t i = 0; i <= last; i++)
		p[i].sym = r->sym[i];
	for (size_t i = 0; i < last; i++)
		look(m, &p[i]);
	for (size_t best; last > 0; ) {
		best = 0;
		for (size_t i = 1; i < last; i++)
			if (p[i].rank < p[best].rank)
				best = i;
		if (p[best].rank == NONE)
			break;
		p[best].sym.id = p[best].into;
		p[best].sym.len += p[best + 1].sym.len;
		last--;
		for (size_t i = best + 1; i <= last; i++)
			p[i] = p[i + 1];
		if (best < last)
			look(m, &p[best]);
		if (best > 0)
			look(m, &p[best - 1]);
	}
	r->n = last + 1;
	for (size_t i = 0; i <= last; i++)
		r->sym[i] = p[i].sym;
}

/* --- long pieces ---
 *
 * Pairs wait as rank << 32 | place.  Those of the start are sorted once and read in order; those that arise while merging
 * go to a heap.  A pair that has changed since it was queued has another rank now (or none) and is passed over. */

static void heap_push(struct bpe_room *r, uint64_t key)
{
	size_t i = r->nheap;

	ARRAY_ROOM(r->heap, r->nheap, r->heap_cap);
	r->nheap++;
	while (i > 0 && r->heap[(i - 1) / 4] > key) {
		r->heap[i] = r->heap[(i - 1) / 4];
		i = (i - 1) / 4;
	}
	r->heap[i] = key;
}

static uint64_t heap_pop(struct bpe_room *r)
{
	uint64_t top = r->heap[0], key = r->heap[--r->nheap];
	size_t n = r->nheap, i = 0;

	for (size_t c = 1; c < n; c = 4 * i + 1) {
		size_t least = c, last = c + 4 < n ? c + 4 : n;

		for (size_t k = c + 1; k < last; k++)
			if (r->heap[k] < r->heap[least])
				least = k;
		if (r->heap[least] >= key)
			break;
		r->heap[i] = r->heap[least];
		i = least;
	}
	r->heap[i] = key;
	return top;
}

/* Radix sort of the ranks (the upper halves); places are in order already and stay so. */
static void sort_by_rank(struct bpe_room *r, size_t n)
{
	for (unsigned shift = 32; shift < 64; shift += 8) {
		size_t at[257] = {0};
		uint64_t *from = r->first;

		for (size_t i = 0; i < n; i++)
			at[(from[i] >> shift & 0xff) + 1]++;
		if (n == 0 || at[(from[0] >> shift & 0xff) + 1] == n)
			continue;
		for (int k = 0; k < 256; k++)
			at[k + 1] += at[k];
		for (size_t i = 0; i < n; i++)
			r->spare[at[from[i] >> shift & 0xff]++] = from[i];
		r->first = r->spare;
		r->spare = from;
	}
}

static void links_fit(struct bpe_room *r)
{
	if (r->n <= r->links_cap)
		return;
	r->links_cap = r->n + (r->n < 1 << 16 ? r->n / 4 : 0);      /* a very long word seldom has a longer one behind it */
	mem_free(r->first);
	mem_free(r->spare);
	r->first = mem_grow(NULL, r->links_cap, sizeof *r->first);
	r->spare = mem_grow(NULL, r->links_cap, sizeof *r->spare);
}

static size_t queue_start(const struct bpe_merges *m, struct bpe_room *r)
{
	size_t n = 0;

	for (uint32_t i = 0; i + 1 < r->n; i++) {
		const struct bpe_merge *f = bpe_find(m, r->sym[i].id, r->sym[i + 1].id);

		if (f)
			r->first[n++] = (uint64_t)f->rank << 32 | i;
	}
	sort_by_rank(r, n);
	r->prev = (uint32_t *)r->spare;
	r->next = r->prev + r->n;
	for (uint32_t i = 0; i < r->n; i++) {
		r->prev[i] = i ? i - 1 : NONE;
		r->next[i] = i + 1 < r->n ? i + 1 : NONE;
	}
	return n;
}

/* Merge the symbol at I with its right neighbour J; queue the pairs that arise. */
static void join(const struct bpe_merges *m, struct bpe_room *r, uint32_t i, uint32_t j, uint32_t into)
{
	const struct bpe_merge *f;
	uint32_t p = r->prev[i], n = r->next[j];

	r->sym[i].id = into;
	r->sym[i].len += r->sym[j].len;
	r->sym[j].len = 0;
	r->next[i] = n;
	if (n != NONE) {
		r->prev[n] = i;
		if ((f = bpe_find(m, into, r->sym[n].id)) != NULL)
			heap_push(r, (uint64_t)f->rank << 32 | i);
	}
	if (p != NONE && (f = bpe_find(m, r->sym[p].id, into)) != NULL)
		heap_push(r, (uint64_t)f->rank << 32 | p);
}

static void merge_long(const struct bpe_merges *m, struct bpe_room *r)
{
	size_t nfirst, at = 0, kept = 0;

	links_fit(r);
	r->nheap = 0;
	nfirst = queue_start(m, r);
	while (at < nfirst || r->nheap) {
		uint64_t key = r->nheap && (at == nfirst || r->heap[0] < r->first[at]) ? heap_pop(r) : r->first[at++];
		uint32_t i = (uint32_t)key, j = r->next[i];
		const struct bpe_merge *f;

		if (r->sym[i].len == 0 || j == NONE)
			continue;
		f = bpe_find(m, r->sym[i].id, r->sym[j].id);
		if (f && f->rank == key >> 32)
			join(m, r, i, j, f->into);
	}
	for (size_t i = 0; i < r->n; i++)
		if (r->sym[i].len)
			r->sym[kept++] = r->sym[i];
	r->n = kept;
}

void bpe_merge_all(const struct bpe_merges *m, struct bpe_room *r)
{
	if (r->n < 2)
		return;
	if (r->n <= SHORT)
		merge_short(m, r);
	else
		merge_long(m, r);
}
