/* SPDX-License-Identifier: Apache-2.0 */
#include "splitplan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

/* --- sizes --- */

uint64_t split_size(uint64_t n, double f)
{
	return f < 1 ? (uint64_t)ceil((double)n * f) : (uint64_t)f;
}

struct quota {
	size_t class;
	uint64_t rest;                 /* of class's n * total / sum: the remainder, over sum */
	uint64_t n;
};

static int by_remainder(const void *a, const void *b)
{
	const struct quota *p = a, *q = b;

	if (p->rest != q->rest)
		return p->rest > q->rest ? -1 : 1;
	if (p->n != q->n)
		return p->n > q->n ? -1 : 1;
	return p->class < q->class ? -1 : 1;
}

/* TOTAL shared among K parts of N[i] by largest remainder into SHARE[i]; TOTAL is at most the sum of N. */
static void largest_remainder(const uint64_t *n, size_t k, uint64_t total, uint64_t *share)
{
	struct quota *q = mem_grow(NULL, k + 1, sizeof *q);
	uint64_t sum = 0, left = total;

	for (size_t i = 0; i < k; i++)
		sum += n[i];
	for (size_t i = 0; i < k; i++) {
		unsigned __int128 exact = (unsigned __int128)n[i] * total;

		share[i] = sum ? (uint64_t)(exact / sum) : 0;
		q[i] = (struct quota){ i, sum ? (uint64_t)(exact % sum) : 0, n[i] };
		left -= share[i];
	}
	qsort(q, k, sizeof *q, by_remainder);
	for (size_t i = 0; i < left && i < k; i++)
		share[q[i].class]++;
	mem_free(q);
}

int split_sizes(struct split_class *c, size_t k, double val, double test, struct err *e)
{
	uint64_t *n = mem_grow(NULL, k + 1, sizeof *n), *share = mem_grow(NULL, k + 1, sizeof *share), sum = 0, nval, ntest;

	for (size_t i = 0; i < k; i++)
		sum += n[i] = c[i].n;
	nval = split_size(sum, val);
	ntest = split_size(sum, test);
	if (nval > sum || ntest > sum - nval) {
		mem_free(n);
		mem_free(share);
		return err_set(e, SFT_BADDATA, "%llu records for val and %llu for test, of %llu (expected at least as many as they are)",
		               (unsigned long long)nval, (unsigned long long)ntest, (unsigned long long)sum);
	}
	largest_remainder(n, k, nval, share);
	for (size_t i = 0; i < k; i++)
		n[i] -= c[i].val = share[i];
	largest_remainder(n, k, ntest, share);
	for (size_t i = 0; i < k; i++)
		c[i].test = share[i];
	mem_free(n);
	mem_free(share);
	return 0;
}

/* --- cuts --- */

static bool at_most(struct split_rank a, struct split_rank b)
{
	return a.hash != b.hash ? a.hash < b.hash : a.num <= b.num;
}

enum side split_side(const struct split_cut *c, struct split_rank r)
{
	if (c->val && at_most(r, c->val_last))
		return SIDE_VAL;
	return c->test && at_most(c->test_first, r) ? SIDE_TEST : SIDE_TRAIN;
}

/* A cut that is looked for: the rank number AT (from 0) of a class, in bin BIN, where BEFORE ranks are in lower bins. */
struct border {
	uint32_t class;
	bool wanted;
	uint64_t at, bin, before;
};

struct found {
	size_t border;
	struct split_rank rank;
};

struct split_finder {
	const struct split_class *class;
	size_t k;
	uint32_t *count;               /* bins of all classes */
	size_t *first;                 /* of each class: its first bin; k + 1 of them */
	uint8_t *shift;                /* of each class: hash >> shift / 2 >> (shift + 1) / 2 is the bin, as 64 is no shift */
	struct border *border;         /* 2 a class: the last of val, the first of test */
	struct found *found;
	size_t nfound, cap;
	bool located;
	struct split_cut *cut;
};

static unsigned bin_bits(uint64_t n)
{
	unsigned bits = 0;

	while (bits < 30 && n >> bits > 64)
		bits++;
	return bits;
}

struct split_finder *split_finder_new(const struct split_class *c, size_t k)
{
	struct split_finder *f = mem_new(sizeof *f);

	f->class = c;
	f->k = k;
	f->first = mem_new((k + 1) * sizeof *f->first);
	f->shift = mem_new(k + 1);
	for (size_t i = 0; i < k; i++) {
		unsigned bits = bin_bits(c[i].n);

		f->first[i + 1] = f->first[i] + ((size_t)1 << bits);
		f->shift[i] = (uint8_t)(64 - bits);
	}
	f->count = mem_new((f->first[k] + 1) * sizeof *f->count);
	f->border = mem_new(2 * k * sizeof *f->border);
	f->cut = mem_new(k * sizeof *f->cut);
	return f;
}

static uint64_t bin_of(const struct split_finder *f, uint32_t class, uint64_t hash)
{
	unsigned shift = f->shift[class];

	return hash >> shift / 2 >> (shift + 1) / 2;
}

void split_count(struct split_finder *f, uint32_t class, struct split_rank r)
{
	f->count[f->first[class] + bin_of(f, class, r.hash)]++;
}

static void locate(struct split_finder *f, size_t i, uint64_t at)
{
	struct border *b = &f->border[i];
	const uint32_t *count = f->count + f->first[i / 2];

	b->class = (uint32_t)(i / 2);
	b->wanted = true;
	b->at = at;
	while (b->before + count[b->bin] <= at)
		b->before += count[b->bin++];
}

static void locate_all(struct split_finder *f)
{
	for (size_t i = 0; i < f->k; i++) {
		const struct split_class *c = &f->class[i];

		if (c->val)
			locate(f, 2 * i, c->val - 1);
		if (c->test)
			locate(f, 2 * i + 1, c->n - c->test);
	}
	f->located = true;
}

void split_collect(struct split_finder *f, uint32_t class, struct split_rank r)
{
	uint64_t bin = bin_of(f, class, r.hash);

	if (!f->located)
		locate_all(f);
	for (size_t i = 2 * (size_t)class; i < 2 * (size_t)class + 2; i++)
		if (f->border[i].wanted && f->border[i].bin == bin) {
			ARRAY_ROOM(f->found, f->nfound, f->cap);
			f->found[f->nfound++] = (struct found){ i, r };
		}
}

static int by_border(const void *a, const void *b)
{
	const struct found *p = a, *q = b;

	if (p->border != q->border)
		return p->border < q->border ? -1 : 1;
	if (p->rank.hash != q->rank.hash)
		return p->rank.hash < q->rank.hash ? -1 : 1;
	return p->rank.num < q->rank.num ? -1 : p->rank.num > q->rank.num;
}

const struct split_cut *split_cuts(struct split_finder *f)
{
	if (f->nfound)
		qsort(f->found, f->nfound, sizeof *f->found, by_border);
	for (size_t i = 0, begin = 0; i < f->nfound; i++) {
		const struct border *b = &f->border[f->found[i].border];
		struct split_cut *c = &f->cut[b->class];

		if (i && f->found[i].border != f->found[i - 1].border)
			begin = i;
		if (i - begin != b->at - b->before)
			continue;
		if (f->found[i].border % 2 == 0) {
			c->val = true;
			c->val_last = f->found[i].rank;
		} else {
			c->test = true;
			c->test_first = f->found[i].rank;
		}
	}
	return f->cut;
}

void split_finder_free(struct split_finder *f)
{
	if (f == NULL)
		return;
	mem_free(f->count);
	mem_free(f->first);
	mem_free(f->shift);
	mem_free(f->border);
	mem_free(f->found);
	mem_free(f->cut);
	mem_free(f);
}

/* --- groups --- */

/* Does SIZE more bring HAVE nearer to WANT, or no farther? */
static bool nearer(uint64_t have, uint64_t size, uint64_t want)
{
	uint64_t now = want - have, then = have + size > want ? have + size - want : want - have - size;

	return then <= now;
}

void split_offer(struct split_taker *t, uint64_t rank, uint64_t size)
{
	t->full |= t->have >= t->want;
	if (t->full)
		return;
	if (!t->seen)                          /* all may be too large: one is nearer to what was asked for than none */
		t->first = t->last = rank;
	t->seen = true;
	if (nearer(t->have, size, t->want)) {
		t->first = t->any ? t->first : rank;
		t->last = rank;
		t->any = true;
		t->have += size;
	} else if (t->any) {
		t->full = true;
	}
}

bool split_took(const struct split_taker *t, uint64_t rank)
{
	uint64_t low = t->first < t->last ? t->first : t->last, high = t->first < t->last ? t->last : t->first;

	return t->seen && low <= rank && rank <= high;
}
