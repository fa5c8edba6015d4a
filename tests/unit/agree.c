/* SPDX-License-Identifier: Apache-2.0 */
/* Agreement: what must hold for any table, and the tables where a coefficient is undefined. */
#include "agree.h"

#include <math.h>
#include <stdlib.h>

#include "mem.h"
#include "rng.h"
#include "test.h"

enum { RATERS = 4, ITEMS = 60, CATS = 4 };

struct table {
	struct ratings t;
	size_t start[ITEMS + 1];
	struct rating r[ITEMS * RATERS];
	double value[CATS];
};

/* cell[i][k]: category of item i by rater k, -1 for none. */
static void fill(struct table *x, int cell[ITEMS][RATERS], uint32_t items, uint32_t raters, uint32_t cats)
{
	size_t n = 0;

	for (uint32_t i = 0; i < items; i++) {
		x->start[i] = n;
		for (uint32_t k = 0; k < raters; k++)
			if (cell[i][k] >= 0)
				x->r[n++] = (struct rating){ k, (uint32_t)cell[i][k] };
	}
	x->start[items] = n;
	for (uint32_t c = 0; c < CATS; c++)
		x->value[c] = c + 1;
	x->t = (struct ratings){ items, raters, cats, x->start, x->r, x->value, true, false, false };
}

static bool near(struct coef a, double b)
{
	return fabs(a.v - b) < 1e-12;
}

static void perfect_agreement_is_one(void)
{
	int cell[ITEMS][RATERS];
	struct cohen pair[6];
	struct table x;

	for (int i = 0; i < ITEMS; i++)
		for (int k = 0; k < RATERS; k++)
			cell[i][k] = i % CATS;
	fill(&x, cell, ITEMS, RATERS, CATS);
	CHECK(near(agree_fleiss(&x.t, NULL), 1));
	for (int k = 0; k < 4; k++) {
		CHECK(near(agree_alpha(&x.t, NULL, (enum agree_level)k), 1));
		CHECK(near(agree_gwet(&x.t, NULL, (enum agree_weight)k), 1));
	}
	CHECK(agree_cohen(&x.t, NULL, pair));
	for (int p = 0; p < 6; p++)
		for (int w = 0; w < 3; w++)
			CHECK(near(pair[p].kappa[w], 1) && pair[p].n == ITEMS);
	CHECK(near(agree_percent(&x.t, NULL).pooled_pairs, 1) && near(agree_percent(&x.t, NULL).all_raters_equal, 1));
}

/* Items in another order, and raters in another order, change nothing but the order of summation. */
static void order_does_not_count(void)
{
	int a[ITEMS][RATERS], b[ITEMS][RATERS];
	uint32_t pick[ITEMS];
	struct table x, y;
	struct rng r;

	rng_init(&r, 3, 0);
	for (int i = 0; i < ITEMS; i++)
		for (int k = 0; k < RATERS; k++)
			a[i][k] = (int)rng_below(&r, CATS + 1) - 1;
	rng_permutation(&r, pick, ITEMS);
	for (int i = 0; i < ITEMS; i++)
		for (int k = 0; k < RATERS; k++)
			b[i][k] = a[pick[i]][(k + 1) % RATERS];
	fill(&x, a, ITEMS, RATERS, CATS);
	fill(&y, b, ITEMS, RATERS, CATS);
	for (int k = 0; k < 4; k++) {
		CHECK(near(agree_alpha(&x.t, NULL, (enum agree_level)k), agree_alpha(&y.t, NULL, (enum agree_level)k).v));
		CHECK(near(agree_gwet(&x.t, NULL, (enum agree_weight)k), agree_gwet(&y.t, NULL, (enum agree_weight)k).v));
	}
	CHECK(near(agree_percent(&x.t, NULL).mean_of_items, agree_percent(&y.t, NULL).mean_of_items.v));
	CHECK(agree_fleiss(&x.t, NULL).reason != NULL);      /* not complete */
}

static void same_coefficients(const struct ratings *a, const double *wa, const struct ratings *b, const double *wb)
{
	struct cohen x[6], y[6];

	for (int k = 0; k < 4; k++) {
		CHECK(near(agree_alpha(a, wa, (enum agree_level)k), agree_alpha(b, wb, (enum agree_level)k).v));
		CHECK(near(agree_gwet(a, wa, (enum agree_weight)k), agree_gwet(b, wb, (enum agree_weight)k).v));
	}
	CHECK(near(agree_percent(a, wa).mean_of_items, agree_percent(b, wb).mean_of_items.v));
	CHECK(near(agree_percent(a, wa).all_raters_equal, agree_percent(b, wb).all_raters_equal.v));
	CHECK(agree_cohen(a, wa, x) == !a->anonymous && agree_cohen(b, wb, y) == !a->anonymous);
	for (int p = 0; p < 6 && !a->anonymous; p++)
		CHECK(x[p].n == y[p].n && near(x[p].kappa[WEIGHT_LINEAR], y[p].kappa[WEIGHT_LINEAR].v));
}

/* A sample of the items is the table of what was drawn, and kinds of items with their numbers are the table. */
static void weights_and_kinds(void)
{
	int a[ITEMS][RATERS], b[ITEMS][RATERS];
	double weight[ITEMS] = { 0 };
	struct table x, y;
	struct kinds kinds;
	struct rng r;

	rng_init(&r, 5, 0);
	for (int i = 0; i < ITEMS; i++)
		for (int k = 0; k < RATERS; k++)
			a[i][k] = (int)rng_below(&r, 3) - (k > 1);
	for (int i = 0; i < ITEMS; i++) {
		uint64_t from = rng_below(&r, ITEMS);

		weight[from]++;
		memcpy(b[i], a[from], sizeof b[i]);
	}
	fill(&x, a, ITEMS, RATERS, CATS);
	fill(&y, b, ITEMS, RATERS, CATS);
	same_coefficients(&x.t, weight, &y.t, NULL);
	for (int anonymous = 0; anonymous < 2; anonymous++) {
		x.t.anonymous = anonymous;
		agree_collapse(&x.t, &kinds);
		CHECK(kinds.items == ITEMS && kinds.t.items < ITEMS && kinds.kind[0] == 0);
		same_coefficients(&x.t, NULL, &kinds.t, kinds.many);
		kinds_release(&kinds);
	}
}

/* For two raters on a complete table, Fleiss' kappa is Scott's pi. */
static void two_raters(void)
{
	int cell[ITEMS][RATERS];
	struct table x;
	struct rng r;

	rng_init(&r, 4, 0);
	for (int i = 0; i < ITEMS; i++)
		for (int k = 0; k < RATERS; k++)
			cell[i][k] = (int)rng_below(&r, CATS);
	fill(&x, cell, ITEMS, 2, CATS);
	CHECK(near(agree_scott(&x.t, NULL), agree_fleiss(&x.t, NULL).v));
}

static void undefined_has_a_reason(void)
{
	int cell[ITEMS][RATERS] = { { 0 } };
	struct cohen pair;
	struct table x;

	fill(&x, cell, 5, 2, 1);                /* one category */
	CHECK(agree_fleiss(&x.t, NULL).reason && agree_scott(&x.t, NULL).reason && agree_alpha(&x.t, NULL, LEVEL_NOMINAL).reason);
	CHECK(agree_gwet(&x.t, NULL, WEIGHT_NONE).reason && isnan(agree_gwet(&x.t, NULL, WEIGHT_LINEAR).v));
	CHECK(agree_cohen(&x.t, NULL, &pair) && pair.kappa[0].reason && pair.agreement == 1);
	CHECK(near(agree_percent(&x.t, NULL).pooled_pairs, 1));
	for (int i = 0; i < 5; i++)
		cell[i][i % 2] = -1;            /* nobody rates what the other does */
	cell[0][1] = 1;
	fill(&x, cell, 5, 2, 2);
	CHECK(agree_percent(&x.t, NULL).pooled_pairs.reason && agree_alpha(&x.t, NULL, LEVEL_NOMINAL).reason);
	CHECK(agree_cohen(&x.t, NULL, &pair) && pair.n == 0 && pair.kappa[0].reason && isnan(pair.agreement));
	CHECK(agree_gwet(&x.t, NULL, WEIGHT_NONE).reason && agree_fleiss(&x.t, NULL).reason);
	x.t.value = NULL;                       /* words without an order */
	x.t.ordered = false;
	CHECK(agree_alpha(&x.t, NULL, LEVEL_INTERVAL).reason && agree_alpha(&x.t, NULL, LEVEL_ORDINAL).reason);
	CHECK(agree_gwet(&x.t, NULL, WEIGHT_QUADRATIC).reason != NULL);
}

/* Krippendorff's own example (2011, C): 4 observers, 12 units, alpha nominal 0.743, ordinal 0.815, interval 0.849, ratio 0.797. */
static void krippendorff_example(void)
{
	static const int unit[12][4] = {
		{ 1, 1, 0, 1 }, { 2, 2, 3, 2 }, { 3, 3, 3, 3 }, { 3, 3, 3, 3 }, { 2, 2, 2, 2 }, { 1, 2, 3, 4 },
		{ 4, 4, 4, 4 }, { 1, 1, 2, 1 }, { 2, 2, 2, 2 }, { 0, 5, 5, 5 }, { 0, 0, 1, 1 }, { 0, 3, 0, 0 },
	};
	static const double want[] = { 0.743, 0.815, 0.849, 0.797 };
	static const double value[] = { 1, 2, 3, 4, 5 };
	int cell[ITEMS][RATERS] = { { 0 } };
	struct table x;

	for (int i = 0; i < 12; i++)
		for (int k = 0; k < 4; k++)
			cell[i][k] = unit[i][k] - 1;
	fill(&x, cell, 12, 4, 5);
	x.t.value = value;
	for (int k = 0; k < 4; k++)
		CHECK(fabs(agree_alpha(&x.t, NULL, (enum agree_level)k).v - want[k]) < 0.0006);
}

/* Weights go by the place among the categories that the pair used, unless the list is fixed; values of scikit-learn 1.9.1. */
static void places_of_categories(void)
{
	int cell[ITEMS][RATERS] = { { 0, 0 }, { 0, 3 }, { 3, 3 }, { 1, 3 }, { 1, 1 } };
	struct cohen used, fixed;
	struct table x;

	fill(&x, cell, 5, 2, CATS);             /* category 2 never occurs */
	CHECK(agree_cohen(&x.t, NULL, &used));
	x.t.fixed = true;
	CHECK(agree_cohen(&x.t, NULL, &fixed));
	CHECK(used.kappa[WEIGHT_NONE].v == fixed.kappa[WEIGHT_NONE].v);
	CHECK(near(used.kappa[WEIGHT_LINEAR], 0.4));
	CHECK(near(fixed.kappa[WEIGHT_LINEAR], 14. / 39));
}

int main(void)
{
	TEST(perfect_agreement_is_one);
	TEST(order_does_not_count);
	TEST(weights_and_kinds);
	TEST(two_raters);
	TEST(undefined_has_a_reason);
	TEST(places_of_categories);
	TEST(krippendorff_example);
	return test_end();
}
