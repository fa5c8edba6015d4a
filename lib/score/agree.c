/* SPDX-License-Identifier: Apache-2.0 */
#include "agree.h"

#include <math.h>
#include <string.h>

#include "mem.h"

#define ONE_CATEGORY "all ratings are of one category: chance agreement is 1"
#define NO_PAIRS "no item has two ratings"

static struct coef defined(double v)
{
	return (struct coef){ v, NULL };
}

static struct coef undefined(const char *why)
{
	return (struct coef){ NAN, why };
}

/* 1 - observed / expected disagreement. */
static struct coef ratio(double observed, double expected, const char *why)
{
	return expected > 0 ? defined(1 - observed / expected) : undefined(why);
}

/* --- an item as counts of its categories --- */

struct tally {
	const struct ratings *t;
	const double *weight;
	size_t next;
	uint32_t *count;                /* per category; zero but for those in cat[] */
	uint32_t *cat, ncat;            /* the categories of this item */
	double m;                       /* its ratings */
	double w;                       /* how often it counts */
};

static void tally_open(struct tally *y, const struct ratings *t, const double *weight)
{
	memset(y, 0, sizeof *y);
	y->t = t;
	y->weight = weight;
	y->count = mem_new((t->ncat + 1) * sizeof *y->count);
	y->cat = mem_new((t->ncat + 1) * sizeof *y->cat);
}

static bool tally_next(struct tally *y)
{
	size_t item;

	for (uint32_t k = 0; k < y->ncat; k++)
		y->count[y->cat[k]] = 0;
	y->ncat = 0;
	while (y->weight && y->next < y->t->items && y->weight[y->next] == 0)
		y->next++;
	if (y->next == y->t->items)
		return false;
	item = y->next++;
	y->w = y->weight ? y->weight[item] : 1;
	y->m = (double)(y->t->start[item + 1] - y->t->start[item]);
	for (size_t k = y->t->start[item]; k < y->t->start[item + 1]; k++) {
		uint32_t c = y->t->r[k].cat;
		if (y->count[c]++ == 0)
			y->cat[y->ncat++] = c;
	}
	return true;
}

static void tally_close(struct tally *y)
{
	mem_free(y->count);
	mem_free(y->cat);
}

/* Ordered pairs of ratings of this item that agree. */
static double agreeing(const struct tally *y)
{
	double sum = 0;

	for (uint32_t k = 0; k < y->ncat; k++) {
		double c = y->count[y->cat[k]];
		sum += c * (c - 1);
	}
	return sum;
}

struct agree_percent agree_percent(const struct ratings *t, const double *weight)
{
	double pairs = 0, same = 0, items = 0, mean = 0, equal = 0;
	struct tally y;

	tally_open(&y, t, weight);
	while (tally_next(&y)) {
		double all = y.m * (y.m - 1), a = agreeing(&y);
		if (y.m < 2)
			continue;
		pairs += y.w * all;
		same += y.w * a;
		items += y.w;
		mean += y.w * (a / all);
		equal += y.ncat == 1 ? y.w : 0;
	}
	tally_close(&y);
	if (items == 0)
		return (struct agree_percent){ undefined(NO_PAIRS), undefined(NO_PAIRS), undefined(NO_PAIRS) };
	return (struct agree_percent){ defined(same / pairs), defined(mean / items), defined(equal / items) };
}

/* --- Fleiss and Scott --- */

struct coef agree_fleiss(const struct ratings *t, const double *weight)
{
	double *share = mem_new((t->ncat + 1) * sizeof *share), m = 0, items = 0, observed = 0, chance = 0;
	const char *why = NULL;
	struct tally y;

	tally_open(&y, t, weight);
	while (why == NULL && tally_next(&y)) {
		if (y.m == 0)
			continue;
		if (items > 0 && y.m != m)
			why = "items have different numbers of ratings (Krippendorff's alpha allows that)";
		m = y.m;
		items += y.w;
		observed += m > 1 ? y.w * (agreeing(&y) / (m * (m - 1))) : 0;
		for (uint32_t k = 0; k < y.ncat; k++)
			share[y.cat[k]] += y.w * y.count[y.cat[k]];
	}
	tally_close(&y);
	for (uint32_t k = 0; k < t->ncat; k++)
		chance += items > 0 ? (share[k] / (items * m)) * (share[k] / (items * m)) : 0;
	mem_free(share);
	if (why == NULL && m < 2)
		why = NO_PAIRS;
	if (why)
		return undefined(why);
	return ratio(1 - observed / items, 1 - chance > 1e-15 ? 1 - chance : 0, ONE_CATEGORY);
}

struct coef agree_scott(const struct ratings *t, const double *weight)
{
	double *share, items = 0, same = 0, chance = 0;
	struct tally y;

	if (t->raters != 2 || t->anonymous)
		return undefined("defined for two raters (Fleiss' kappa is its like for more)");
	share = mem_new((t->ncat + 1) * sizeof *share);
	tally_open(&y, t, weight);
	while (tally_next(&y)) {
		if (y.m < 2)
			continue;
		items += y.w;
		same += y.ncat == 1 ? y.w : 0;
		for (uint32_t k = 0; k < y.ncat; k++)
			share[y.cat[k]] += y.w * y.count[y.cat[k]];
	}
	tally_close(&y);
	for (uint32_t k = 0; k < t->ncat; k++)
		chance += items > 0 ? (share[k] / (2 * items)) * (share[k] / (2 * items)) : 0;
	mem_free(share);
	if (items == 0)
		return undefined(NO_PAIRS);
	return ratio(1 - same / items, 1 - chance > 1e-15 ? 1 - chance : 0, ONE_CATEGORY);
}

/* --- Krippendorff --- */

/* Pairable values per category, running sums of them, and what lies between two categories at a level. */
struct distance {
	enum agree_level level;
	const double *value, *below;    /* below[k]: values in categories before k; below[ncat]: all */
};

static double distance(const struct distance *d, uint32_t a, uint32_t b)
{
	double x;
	uint32_t lo = a < b ? a : b, hi = a < b ? b : a;

	switch (d->level) {
	case LEVEL_NOMINAL:
		return a != b;
	case LEVEL_ORDINAL:
		x = d->below[hi + 1] - d->below[lo] - (d->below[lo + 1] - d->below[lo] + d->below[hi + 1] - d->below[hi]) / 2;
		return x * x;
	case LEVEL_INTERVAL:
		x = d->value[a] - d->value[b];
		return x * x;
	default:
		x = d->value[a] + d->value[b];
		x = x != 0 ? (d->value[a] - d->value[b]) / x : 0;
		return x * x;
	}
}

static double expected(const struct distance *d, uint32_t ncat)
{
	double sum = 0;

	for (uint32_t a = 0; a < ncat; a++) {
		double na = d->below[a + 1] - d->below[a];
		for (uint32_t b = 0; na > 0 && b < a; b++)
			sum += 2 * na * (d->below[b + 1] - d->below[b]) * distance(d, a, b);
	}
	return sum;
}

static double observed(struct tally *y, const struct distance *d)
{
	double sum = 0;

	while (tally_next(y))
		for (uint32_t a = 0; y->m > 1 && a < y->ncat; a++)
			for (uint32_t b = 0; b < a; b++) {
				double pairs = y->w * 2 * y->count[y->cat[a]] * y->count[y->cat[b]];
				sum += pairs * distance(d, y->cat[a], y->cat[b]) / (y->m - 1);
			}
	return sum;
}

struct coef agree_alpha(const struct ratings *t, const double *weight, enum agree_level level)
{
	double *below = mem_new((t->ncat + 2) * sizeof *below), all, seen, chance;
	struct distance d = { level, t->value, below };
	struct tally y;

	if (level != LEVEL_NOMINAL && (t->value == NULL && (level != LEVEL_ORDINAL || !t->ordered))) {
		mem_free(below);
		return undefined(level == LEVEL_ORDINAL ? "categories are not numbers and --categories gives no order" : "categories are not numbers");
	}
	tally_open(&y, t, weight);
	while (tally_next(&y))
		for (uint32_t k = 0; y.m > 1 && k < y.ncat; k++)
			below[y.cat[k] + 1] += y.w * y.count[y.cat[k]];
	for (uint32_t k = 0; k < t->ncat; k++)
		below[k + 1] += below[k];
	all = below[t->ncat];
	y.next = 0;
	seen = observed(&y, &d);
	tally_close(&y);
	chance = expected(&d, t->ncat);
	mem_free(below);
	if (all == 0)
		return undefined(NO_PAIRS);
	return ratio((all - 1) * seen, chance, ONE_CATEGORY);
}

/* --- Gwet --- */

/* How near categories A and B are, 1 for the same; RANGE is the largest distance of two. */
static double closeness(const struct ratings *t, enum agree_weight how, double range, uint32_t a, uint32_t b)
{
	double place = fabs((double)a - (double)b), x = t->value ? fabs(t->value[a] - t->value[b]) : place, q = t->ncat;

	switch (how) {
	case WEIGHT_NONE:      return a == b;
	case WEIGHT_LINEAR:    return 1 - x / range;
	case WEIGHT_QUADRATIC: return 1 - (x / range) * (x / range);
	default:               return 1 - place * (place + 1) / (q * (q - 1));
	}
}

static double range_of(const struct ratings *t)
{
	double lo, hi;

	if (t->value == NULL)
		return (double)t->ncat - 1;
	lo = hi = t->value[0];
	for (uint32_t k = 1; k < t->ncat; k++) {
		lo = t->value[k] < lo ? t->value[k] : lo;
		hi = t->value[k] > hi ? t->value[k] : hi;
	}
	return hi - lo;
}

/* The weights as a table, or NULL for those of AC1; *SUM of them. */
static double *weights(const struct ratings *t, enum agree_weight how, double *sum)
{
	size_t q = t->ncat;
	double *w, range = range_of(t);

	*sum = (double)q;
	if (how == WEIGHT_NONE)
		return NULL;
	w = mem_grow(NULL, q * q, sizeof *w);
	*sum = 0;
	for (uint32_t a = 0; a < q; a++)
		for (uint32_t b = 0; b < q; b++)
			*sum += w[a * q + b] = closeness(t, how, range, a, b);
	return w;
}

/* Ordered pairs of ratings of this item, each by its weight. */
static double weighted_pairs(const struct tally *y, const double *w)
{
	double sum = 0;

	if (w == NULL)
		return agreeing(y);
	for (uint32_t a = 0; a < y->ncat; a++) {
		double near = 0;
		for (uint32_t b = 0; b < y->ncat; b++)
			near += w[(size_t)y->cat[a] * y->t->ncat + y->cat[b]] * y->count[y->cat[b]];
		sum += y->count[y->cat[a]] * (near - 1);
	}
	return sum;
}

struct coef agree_gwet(const struct ratings *t, const double *weight, enum agree_weight how)
{
	double *share, *w, sum, items = 0, pairable = 0, pa = 0, pe = 0, q = t->ncat;
	struct tally y;

	if (t->ncat < 2)
		return undefined(ONE_CATEGORY);
	if (how != WEIGHT_NONE && t->value == NULL && !t->ordered)
		return undefined("categories are not numbers and --categories gives no order");
	if (how != WEIGHT_NONE && t->ncat > 4096)
		return undefined("more than 4096 categories");
	share = mem_new(t->ncat * sizeof *share);
	w = weights(t, how, &sum);
	tally_open(&y, t, weight);
	while (tally_next(&y)) {
		if (y.m == 0)
			continue;
		items += y.w;
		for (uint32_t k = 0; k < y.ncat; k++)
			share[y.cat[k]] += y.w * (y.count[y.cat[k]] / y.m);
		if (y.m > 1) {
			pairable += y.w;
			pa += y.w * (weighted_pairs(&y, w) / (y.m * (y.m - 1)));
		}
	}
	tally_close(&y);
	for (uint32_t k = 0; items > 0 && k < t->ncat; k++)
		pe += share[k] / items * (1 - share[k] / items);
	pe *= sum / (q * (q - 1));
	mem_free(share);
	mem_free(w);
	if (pairable == 0)
		return undefined(NO_PAIRS);
	return ratio(1 - pa / pairable, 1 - pe > 1e-15 ? 1 - pe : 0, ONE_CATEGORY);
}
