/* SPDX-License-Identifier: Apache-2.0 */
#include "labels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

uint32_t labels_id(struct labels *l, struct text label)
{
	bool added;
	struct strmap_entry *x = strmap_put(&l->name, label.p ? label.p : "", label.n, l->name.n, &added);

	if (added) {
		size_t count = l->name.n - 1;
		ARRAY_ROOM(l->c, count, l->cap);
		l->c[count] = (struct label_counts){ 0, 0, 0 };
	}
	return (uint32_t)x->value;
}

void labels_add(struct labels *l, uint32_t gold, uint32_t pred, bool right)
{
	uint32_t key[2] = { gold, pred };

	l->n++;
	l->right += right;
	l->c[gold].gold++;
	l->c[pred].pred++;
	l->c[gold].right += right;
	strmap_put(&l->cell, (const char *)key, sizeof key, 0, NULL)->value++;
}

void labels_give(struct labels *l, struct text label)
{
	l->given = mem_grow(l->given, (size_t)l->ngiven + 1, sizeof *l->given);
	l->given[l->ngiven++] = labels_id(l, label);
}

/* UTF-8 sorts by bytes as it does by code points. */
static int by_name(const void *a, const void *b, void *ctx)
{
	const struct strmap_entry *e = ctx, *x = &e[*(const uint32_t *)a], *y = &e[*(const uint32_t *)b];
	int c = memcmp(x->key, y->key, x->n < y->n ? x->n : y->n);

	return c ? c : (x->n > y->n) - (x->n < y->n);
}

uint32_t *labels_order(const struct labels *l, size_t *n)
{
	uint32_t *order;

	*n = l->given ? l->ngiven : l->name.n;
	order = mem_grow(NULL, *n ? *n : 1, sizeof *order);
	for (size_t i = 0; i < *n; i++)
		order[i] = l->given ? l->given[i] : (uint32_t)i;
	if (l->given == NULL)
		qsort_r(order, *n, sizeof *order, by_name, l->name.e);
	return order;
}

uint64_t labels_cell(const struct labels *l, uint32_t gold, uint32_t pred)
{
	uint32_t key[2] = { gold, pred };
	const struct strmap_entry *x = strmap_find(&l->cell, (const char *)key, sizeof key);

	return x ? x->value : 0;
}

static double ratio(double a, double b)
{
	return b > 0 ? a / b : 0;
}

static struct prf_scores prf(double right, double pred, double gold)
{
	return (struct prf_scores){ ratio(right, pred), ratio(right, gold), ratio(2 * right, pred + gold) };
}

struct prf_scores labels_prf(const struct label_counts *c)
{
	return prf((double)c->right, (double)c->pred, (double)c->gold);
}

static double mcc(const struct labels *l, const struct label_counts *c, double n, double *balanced)
{
	double right = 0, tp = 0, pp = 0, tt = 0, recall = 0, classes = 0, denom;

	for (size_t k = 0; k < l->name.n; k++) {
		double t = (double)c[k].gold, p = (double)c[k].pred;

		right += (double)c[k].right;
		tp += t * p;
		pp += p * p;
		tt += t * t;
		if (c[k].gold) {
			recall += (double)c[k].right / t;
			classes++;
		}
	}
	*balanced = ratio(recall, classes);
	denom = sqrt(n * n - pp) * sqrt(n * n - tt);
	return denom > 0 ? (right * n - tp) / denom : 0;
}

void labels_scores(const struct labels *l, const struct label_counts *c, uint64_t n, uint64_t right, const uint32_t *order,
                   size_t norder, struct label_scores *out)
{
	double sr = 0, sp = 0, sg = 0, counted = 0;

	memset(out, 0, sizeof *out);
	out->accuracy = ratio((double)right, (double)n);
	out->mcc = mcc(l, c, (double)n, &out->balanced_accuracy);
	for (size_t i = 0; i < norder; i++) {
		const struct label_counts *k = &c[order[i]];
		struct prf_scores x = labels_prf(k);
		double g = (double)k->gold;

		if (l->given == NULL && k->gold == 0 && k->pred == 0)
			continue;               /* a label of other items only (a resample) */
		counted++;
		sr += (double)k->right;
		sp += (double)k->pred;
		sg += g;
		out->macro.precision += x.precision;
		out->macro.recall += x.recall;
		out->macro.f1 += x.f1;
		out->weighted.precision += g * x.precision;
		out->weighted.recall += g * x.recall;
		out->weighted.f1 += g * x.f1;
	}
	out->micro = prf(sr, sp, sg);
	out->macro = (struct prf_scores){ ratio(out->macro.precision, counted), ratio(out->macro.recall, counted), ratio(out->macro.f1, counted) };
	out->weighted = (struct prf_scores){ ratio(out->weighted.precision, sg), ratio(out->weighted.recall, sg), ratio(out->weighted.f1, sg) };
}

void labels_free(struct labels *l)
{
	strmap_free(&l->name);
	strmap_free(&l->cell);
	mem_free(l->c);
	mem_free(l->given);
	memset(l, 0, sizeof *l);
}
