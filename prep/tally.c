/* SPDX-License-Identifier: Apache-2.0 */
#include "tally.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EXACT_BITS = 12, EXACT = 1 << EXACT_BITS, STEPS = EXACT / 2, BUCKETS = EXACT + (32 - EXACT_BITS) * STEPS };

/* --- lengths --- */

static size_t bucket_of(uint64_t v)
{
	unsigned bits;

	if (v < EXACT)
		return (size_t)v;
	bits = 63 - (unsigned)__builtin_clzll(v);           /* of the leading one */
	return EXACT + (bits - EXACT_BITS) * (size_t)STEPS + (size_t)(v >> (bits - (EXACT_BITS - 1))) - STEPS;
}

/* The least length of bucket K. */
static uint64_t bucket_floor(size_t k)
{
	size_t over = k - EXACT;

	return k < EXACT ? k : (uint64_t)(STEPS + over % STEPS) << (over / STEPS + 1);
}

void lengths_add(struct lengths *l, uint64_t v)
{
	v = v < UINT32_MAX ? v : UINT32_MAX;
	if (l->count == NULL)
		l->count = mem_new(BUCKETS * sizeof *l->count);
	l->min = l->n == 0 || v < l->min ? v : l->min;
	l->max = v > l->max ? v : l->max;
	l->count[bucket_of(v)]++;
	l->n++;
	l->sum += v;
}

void lengths_free(struct lengths *l)
{
	mem_free(l->count);
	*l = (struct lengths){0};
}

uint64_t lengths_quantile(const struct lengths *l, double q)
{
	double want = ceil(q * (double)l->n);
	uint64_t rank = want < 1 ? 1 : (uint64_t)want, seen = 0;

	for (size_t k = 0; l->n && k < BUCKETS; k++)
		if ((seen += l->count[k]) >= rank)
			return bucket_floor(k) > l->min ? bucket_floor(k) : l->min;
	return l->max;
}

double lengths_mean(const struct lengths *l)
{
	return l->n ? (double)l->sum / (double)l->n : 0;
}

static uint64_t nice_width(uint64_t least)
{
	static const uint64_t step[] = { 1, 2, 5 };

	for (uint64_t ten = 1;; ten *= 10)
		for (size_t i = 0; i < 3; i++)
			if (step[i] * ten >= least)
				return step[i] * ten;
}

void lengths_histogram(const struct lengths *l, struct histogram *h)
{
	uint64_t most = lengths_quantile(l, 0.99) + 1;

	*h = (struct histogram){ .width = nice_width((most + HISTOGRAM_BINS - 2) / (HISTOGRAM_BINS - 1)) };
	for (size_t k = 0; l->n && k < BUCKETS; k++) {
		uint64_t at = bucket_floor(k) / h->width;
		size_t bin = at < HISTOGRAM_BINS - 1 ? (size_t)at : HISTOGRAM_BINS - 1;

		h->count[bin] += l->count[k];
		if (l->count[k] && bin + 1 > h->n)
			h->n = bin + 1;
	}
}

/* --- values --- */

void tally_add(struct tally *t, const char *value, size_t n)
{
	struct strmap_entry *have = strmap_find(&t->map, value, n);

	t->n++;
	if (have)
		have->value++;
	else if (t->map.n < TALLY_MAX)
		strmap_put(&t->map, value, n, 1, NULL);
	else
		t->others++;
}

void tally_free(struct tally *t)
{
	strmap_free(&t->map);
	*t = (struct tally){0};
}

static int by_count(const void *x, const void *y)
{
	const struct strmap_entry *a = *(const struct strmap_entry *const *)x, *b = *(const struct strmap_entry *const *)y;
	size_t n = a->n < b->n ? a->n : b->n;
	int order;

	if (a->value != b->value)
		return a->value > b->value ? -1 : 1;
	order = memcmp(a->key, b->key, n);
	return order ? order : (a->n > b->n) - (a->n < b->n);
}

const struct strmap_entry **tally_ranked(const struct tally *t)
{
	const struct strmap_entry **list = mem_new((t->map.n + 1) * sizeof *list);

	for (size_t i = 0; i < t->map.n; i++)
		list[i] = &t->map.e[i];
	qsort(list, t->map.n, sizeof *list, by_count);
	return list;
}

double tally_evenness(const struct tally *t)
{
	double h = 0;

	if (t->map.n < 2)
		return 1;
	for (size_t i = 0; i < t->map.n; i++) {
		double p = (double)t->map.e[i].value / (double)t->n;

		h -= p * log(p);
	}
	return h / log((double)t->map.n);
}

/* --- what files share --- */

struct place {
	uint64_t key, file;
};

void shared_init(struct shared *s, uint64_t memory, const char *dir)
{
	memset(s, 0, sizeof *s);
	s->sort = extsort_new(sizeof(struct place), 0, memory, dir);
}

void shared_release(struct shared *s)
{
	extsort_free(s->sort);
	s->sort = NULL;
}

int shared_put(struct shared *s, uint64_t key, unsigned file, struct err *e)
{
	const struct place p = { key, file };

	return extsort_put(s->sort, &p, e);
}

/* One text, with how many records of each file have it. */
static void count_text(struct shared *s, const uint64_t *records)
{
	for (size_t a = 0; a < SHARED_FILES; a++) {
		if (records[a] == 0)
			continue;
		s->twice[a] += records[a] - 1;
		s->largest[a] = records[a] > s->largest[a] ? records[a] : s->largest[a];
		for (size_t b = 0; b < SHARED_FILES; b++)
			s->in[a][b] += records[b];
	}
}

int shared_count(struct shared *s, struct err *e)
{
	uint64_t records[SHARED_FILES] = {0}, key = 0;
	const void *next;
	bool any = false;
	int rc = extsort_rewind(s->sort, e);

	while (rc == 0 && (rc = extsort_get(s->sort, &next, e)) == 0 && next) {
		const struct place *p = next;

		if (any && p->key != key) {
			count_text(s, records);
			memset(records, 0, sizeof records);
		}
		records[p->file]++;
		key = p->key;
		any = true;
	}
	if (rc == 0)
		count_text(s, records);
	return rc;
}
