/* SPDX-License-Identifier: Apache-2.0 */
#include "errortable.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rng.h"
#include "stats.h"

enum { TEXT = 400 };            /* bytes that are kept of an example's text */

void errors_init(struct error_table *t, const struct slicer *s, uint64_t min_n, size_t max_examples, uint64_t seed)
{
	memset(t, 0, sizeof *t);
	t->s = s;
	t->min_n = min_n;
	t->max_examples = max_examples;
	t->seed = seed;
}

/* --- examples --- */

/* A copy of T, cut at a character; NULL for NULL. */
static char *excerpt(struct text t)
{
	size_t n = t.n;
	char *out;

	if (t.p == NULL)
		return NULL;
	if (n <= TEXT)
		return mem_strn(t.p, n);
	for (n = TEXT; n > 0 && ((unsigned char)t.p[n] & 0xc0) == 0x80; n--)
		;
	out = mem_grow(NULL, n + 4, 1);
	memcpy(out, t.p, n);
	memcpy(out + n, "\xe2\x80\xa6", 4);
	return out;
}

static void example_free(struct error_example *x)
{
	mem_free((void *)x->id);
	mem_free((void *)x->input);
	mem_free((void *)x->reference);
	mem_free((void *)x->prediction);
}

/* The place of failure WRONG (from 1) among the examples, or nexamples for none: Vitter's algorithm R (ACM TOMS 11, 1985). */
static size_t place_of(struct error_table *t, const struct error_slice *x, uint64_t slice)
{
	struct rng r;
	uint64_t at;

	if (x->nexamples < t->max_examples)
		return x->nexamples;
	rng_init(&r, t->seed, rng_mix(slice) ^ x->wrong);
	at = rng_below(&r, x->wrong);
	return at < t->max_examples ? (size_t)at : t->max_examples;
}

static void keep_example(struct error_table *t, struct error_slice *x, uint64_t slice)
{
	const struct item *it = t->item;
	size_t at = place_of(t, x, slice);
	struct error_example *to;

	if (at >= t->max_examples)
		return;
	if (x->example == NULL)
		x->example = mem_new(t->max_examples * sizeof *x->example);
	to = &x->example[at];
	if (at == x->nexamples)
		x->nexamples++;
	else
		example_free(to);
	*to = (struct error_example){ it->num, it->line, excerpt(it->id), excerpt(slicer_input(t->s)), excerpt(it->ref[0]), excerpt(it->hyp) };
}

/* --- counting --- */

static void count(void *ctx, size_t dim, struct text value)
{
	struct error_table *t = ctx;
	struct buf key = { 0 };
	struct strmap_entry *entry;
	struct error_slice *x;
	uint32_t d = (uint32_t)dim;
	bool added = false;

	if (t->values[dim] > ERRORS_MAX_VALUES)
		return;
	buf_add(&key, &d, sizeof d);
	buf_add(&key, value.p, value.n);
	entry = strmap_put(&t->key, key.p, key.n, t->nslices, &added);
	buf_free(&key);
	if (added) {
		ARRAY_ROOM(t->slice, t->nslices, t->cap);
		t->slice[t->nslices++] = (struct error_slice){ .dim = dim, .value = entry->key + sizeof d, .nvalue = entry->n - sizeof d };
		t->values[dim]++;
	}
	x = &t->slice[entry->value];
	x->n++;
	x->wrong += t->item_wrong;
	if (t->item_wrong && t->max_examples)
		keep_example(t, x, entry->value);
}

int errors_add(struct error_table *t, struct slicer *s, const struct item *it, struct text label, bool wrong, struct err *e)
{
	t->item = it;
	t->item_wrong = wrong;
	t->n++;
	t->wrong += wrong;
	return slicer_item(s, it, label, count, t, e);
}

/* --- ranking --- */

static void slice_free(struct error_slice *x)
{
	for (size_t k = 0; k < x->nexamples; k++)
		example_free(&x->example[k]);
	mem_free(x->example);
}

static void skip(struct error_table *t, size_t dim, const char *reason)
{
	size_t kept = 0;

	t->skip[t->nskips++] = (struct error_skip){ dim, reason };
	for (size_t k = 0; k < t->nslices; k++)
		if (t->slice[k].dim == dim)
			slice_free(&t->slice[k]);
		else
			t->slice[kept++] = t->slice[k];
	t->nslices = kept;
}

/* Left out: a dimension without slices, one that holds all items in one slice, one with too many values, one where no slice has
 * enough items. */
static void skip_idle(struct error_table *t)
{
	for (size_t d = 0; d < slicer_dims(t->s); d++) {
		uint64_t largest = 0;

		for (size_t k = 0; k < t->nslices; k++)
			if (t->slice[k].dim == d && t->slice[k].n > largest)
				largest = t->slice[k].n;
		if (t->values[d] > ERRORS_MAX_VALUES)
			skip(t, d, "more than 10000 values");
		else if (largest == 0)
			skip(t, d, slicer_is_pattern(t->s, d) ? "no item matches" : "no item has it");
		else if (t->values[d] == 1 && largest == t->n)
			skip(t, d, slicer_is_pattern(t->s, d) ? "all items match" : "all items are alike");
		else if (largest < t->min_n)
			skip(t, d, "no slice has enough items");
	}
}

static int by_excess(const void *a, const void *b)
{
	const struct error_slice *x = a, *y = b;
	size_t n = x->nvalue < y->nvalue ? x->nvalue : y->nvalue;
	int c;

	if (x->excess != y->excess)
		return x->excess < y->excess ? 1 : -1;
	if (x->dim != y->dim)
		return x->dim < y->dim ? -1 : 1;
	c = memcmp(x->value, y->value, n);
	return c ? c : (x->nvalue > y->nvalue) - (x->nvalue < y->nvalue);
}

static int by_num(const void *a, const void *b)
{
	const struct error_example *x = a, *y = b;

	return (x->num > y->num) - (x->num < y->num);
}

void errors_rank(struct error_table *t)
{
	double *p;

	skip_idle(t);
	p = mem_grow(NULL, t->nslices + 1, sizeof *p);
	for (size_t k = 0; k < t->nslices; k++) {
		struct error_slice *x = &t->slice[k];

		x->excess = (double)x->wrong - (double)x->n * (double)t->wrong / (double)t->n;
		p[k] = x->p = x->n < t->min_n ? NAN : stats_fisher(x->wrong, x->n, t->wrong, t->n);
		if (x->nexamples > 1)
			qsort(x->example, x->nexamples, sizeof *x->example, by_num);
	}
	stats_holm(p, t->nslices);
	for (size_t k = 0; k < t->nslices; k++)
		t->slice[k].p_holm = p[k];
	mem_free(p);
	if (t->nslices)
		qsort(t->slice, t->nslices, sizeof *t->slice, by_excess);
}

void errors_release(struct error_table *t)
{
	for (size_t k = 0; k < t->nslices; k++)
		slice_free(&t->slice[k]);
	mem_free(t->slice);
	strmap_free(&t->key);
	memset(t, 0, sizeof *t);
}
