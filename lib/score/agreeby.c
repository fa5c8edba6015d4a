/* SPDX-License-Identifier: Apache-2.0 */
#include "agreeby.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "stats.h"

/* --- counts of an item --- */

/* The ratings of one item by category. */
struct counts {
	uint32_t *cat, *n, len;
	uint32_t *at;                   /* [ncat]: place in cat + 1, 0 for categories that are not there */
};

static void count_item(struct counts *c, const struct rating *r, size_t m)
{
	for (uint32_t k = 0; k < c->len; k++)
		c->at[c->cat[k]] = 0;
	c->len = 0;
	for (size_t k = 0; k < m; k++) {
		uint32_t *at = &c->at[r[k].cat];

		if (*at == 0) {
			c->cat[c->len] = r[k].cat;
			c->n[c->len++] = 0;
			*at = c->len;
		}
		c->n[*at - 1]++;
	}
}

static void counts_open(struct counts *c, const struct ratings *t)
{
	c->len = 0;
	c->cat = mem_grow(NULL, (size_t)t->ncat + 1, sizeof *c->cat);
	c->n = mem_grow(NULL, (size_t)t->ncat + 1, sizeof *c->n);
	c->at = mem_new(((size_t)t->ncat + 1) * sizeof *c->at);
}

static void counts_close(struct counts *c)
{
	mem_free(c->cat);
	mem_free(c->n);
	mem_free(c->at);
}

/* --- by label --- */

/* Of each category over items with two ratings or more: its ratings, its pairs with itself and with others. */
struct meeting {
	double n, same, apart;
};

static void meet(struct counts *c, double m, double w, struct meeting *x, double *pair, uint32_t ncat)
{
	for (uint32_t a = 0; a < c->len; a++) {
		struct meeting *y = &x[c->cat[a]];
		double n = c->n[a];

		y->n += w * n;
		y->same += w * n * (n - 1) / (m - 1);
		y->apart += w * n * (m - n) / (m - 1);
		for (uint32_t b = 0; pair && b < c->len; b++)
			if (a != b)
				pair[(size_t)c->cat[a] * ncat + c->cat[b]] += w * n * c->n[b] / (m - 1);
	}
}

static void label_figures(const struct meeting *x, double all, struct by_label *out)
{
	static const char none[] = "no item with this label has two ratings", only[] = "all ratings are of one category: chance agreement is 1";

	out->agreement = x->n > 0 ? (struct coef){ x->same / x->n, NULL } : (struct coef){ NAN, none };
	if (x->n == 0)
		out->alpha = (struct coef){ NAN, none };
	else if (x->n == all)
		out->alpha = (struct coef){ NAN, only };
	else
		out->alpha = (struct coef){ 1 - (all - 1) * x->apart / (x->n * (all - x->n)), NULL };
}

void agree_by_label(const struct ratings *t, const double *weight, struct by_label *out)
{
	struct meeting *x = mem_new(((size_t)t->ncat + 1) * sizeof *x);
	double *pair = t->ncat <= 4096 ? mem_new(((size_t)t->ncat * t->ncat + 1) * sizeof *pair) : NULL, all = 0;
	struct counts c;

	memset(out, 0, t->ncat * sizeof *out);
	counts_open(&c, t);
	for (uint32_t i = 0; i < t->items; i++) {
		size_t m = t->start[i + 1] - t->start[i];
		double w = weight ? weight[i] : 1;

		count_item(&c, t->r + t->start[i], m);
		for (uint32_t a = 0; a < c.len; a++)
			out[c.cat[a]].n += w * c.n[a];
		if (m < 2)
			continue;
		meet(&c, (double)m, w, x, pair, t->ncat);
		all += w * (double)m;
	}
	for (uint32_t a = 0; a < t->ncat; a++) {
		label_figures(&x[a], all, &out[a]);
		out[a].other = a;
		for (uint32_t b = 0; pair && b < t->ncat; b++)
			if (pair[(size_t)a * t->ncat + b] > out[a].meets) {
				out[a].meets = pair[(size_t)a * t->ncat + b];
				out[a].other = b;
			}
	}
	counts_close(&c);
	mem_free(x);
	mem_free(pair);
}

/* --- by rater --- */

/* What is needed to take one rating away: the two most frequent categories, how often they are there, how many are as frequent as
 * the first. */
struct lead {
	uint32_t first, second, n, n2, shared;
};

static struct lead lead_of(const struct counts *c)
{
	struct lead l = { 0 };

	for (uint32_t k = 0; k < c->len; k++) {
		if (c->n[k] > l.n) {
			l = (struct lead){ c->cat[k], l.first, c->n[k], l.n, 1 };
		} else {
			l.shared += c->n[k] == l.n;
			if (c->n[k] > l.n2) {
				l.second = c->cat[k];
				l.n2 = c->n[k];
			}
		}
	}
	return l;
}

/* The most frequent category of an item without one rating of category MINE, which occurs N times; false where there is none. */
static bool consensus(const struct lead *l, uint32_t mine, uint32_t n, uint32_t *cat)
{
	*cat = l->first;
	if (n < l->n)
		return l->shared == 1;
	if (l->shared > 1) {                    /* mine is one of the first: another is now alone in front, if there were two */
		*cat = l->first == mine ? l->second : l->first;
		return l->shared == 2;
	}
	return l->n - 1 > l->n2;                /* mine is the first, and stays it */
}

/* What the others say to a rating. */
enum { ALONE, HIT, MISS };

/* A kind of miss. */
struct miss {
	uint32_t rater, says, where;
	uint64_t n;
};

struct judging {
	uint8_t *verdict;               /* of each rating of the kinds */
	struct miss *miss;
	size_t nmiss, cap;
};

/* The verdict on each rating of each kind of item, and the misses. */
static void judge(struct judging *j, const struct ratings *kinds, const double *many, struct by_rater *out)
{
	struct counts c;

	j->verdict = mem_new(kinds->start[kinds->items] + 1);
	counts_open(&c, kinds);
	for (uint32_t i = 0; i < kinds->items; i++) {
		size_t m = kinds->start[i + 1] - kinds->start[i];
		struct lead l;

		count_item(&c, kinds->r + kinds->start[i], m);
		l = lead_of(&c);
		for (size_t k = kinds->start[i]; k < kinds->start[i + 1]; k++) {
			const struct rating *x = &kinds->r[k];
			struct by_rater *to = &out[x->rater];
			uint64_t n = (uint64_t)many[i];
			uint32_t others;

			to->n += n;
			if (m < 2 || !consensus(&l, x->cat, c.n[c.at[x->cat] - 1], &others))
				continue;
			to->judged += n;
			j->verdict[k] = x->cat == others ? HIT : MISS;
			to->hits += x->cat == others ? n : 0;
			if (x->cat == others)
				continue;
			ARRAY_ROOM(j->miss, j->nmiss, j->cap);
			j->miss[j->nmiss++] = (struct miss){ x->rater, x->cat, others, n };
		}
	}
	counts_close(&c);
}

static int by_kind(const void *a, const void *b)
{
	const struct miss *x = a, *y = b;

	if (x->rater != y->rater)
		return x->rater < y->rater ? -1 : 1;
	if (x->says != y->says)
		return x->says < y->says ? -1 : 1;
	return (x->where > y->where) - (x->where < y->where);
}

static void frequent_misses(struct judging *j, struct by_rater *out)
{
	uint64_t n = 0;

	if (j->nmiss)
		qsort(j->miss, j->nmiss, sizeof *j->miss, by_kind);
	for (size_t k = 0; k < j->nmiss; k++) {
		const struct miss *x = &j->miss[k];
		struct by_rater *to = &out[x->rater];

		n = k && by_kind(x - 1, x) == 0 ? n + x->n : x->n;
		if (n > to->misses) {
			to->misses = n;
			to->says = x->says;
			to->where = x->where;
		}
	}
}

/* How many of the first half of each rater's judged ratings, in time, are hits: into early[]. */
struct halves {
	uint64_t *left, *early;         /* ratings of the first half that are still to come; hits among those that came */
	uint32_t open;                  /* raters that have some left */
};

static inline void next_in_time(struct halves *h, uint32_t rater, bool hit)
{
	if (h->left[rater] == 0)
		return;
	h->early[rater] += hit;
	h->open -= --h->left[rater] == 0;
}

static void first_halves(const struct judging *j, const struct kinds *k, const uint32_t *place, size_t places, struct halves *h)
{
	uint32_t *at = place ? mem_new((places + 1) * sizeof *at) : NULL;       /* by time: 0, or rater * 2 + 1 + (is it a hit) */
	size_t r = 0;

	for (uint32_t i = 0; i < k->items && h->open; i++)
		for (size_t v = k->t.start[k->kind[i]]; v < k->t.start[k->kind[i] + 1]; v++, r++) {
			uint32_t rater = k->t.r[v].rater;

			if (j->verdict[v] == ALONE)
				continue;
			if (at)
				at[place[r]] = rater * 2 + 1 + (j->verdict[v] == HIT);
			else
				next_in_time(h, rater, j->verdict[v] == HIT);
		}
	for (size_t p = 0; at && p < places && h->open; p++)
		if (at[p])
			next_in_time(h, (at[p] - 1) / 2, (at[p] - 1) % 2);
	mem_free(at);
}

/* One rater's figures but for p, which needs all raters; EARLY of the hits are in the first half. */
static void rater_figures(struct by_rater *x, uint64_t early)
{
	uint64_t half = x->judged / 2, rest = x->judged - half, late = x->hits - early;

	x->rate = x->lo = x->hi = x->early = x->late = x->p = x->p_drift = NAN;
	if (x->judged == 0)
		return;
	x->rate = (double)x->hits / (double)x->judged;
	stats_wilson((double)x->hits, (double)x->judged, &x->lo, &x->hi);
	if (half == 0)
		return;
	x->early = (double)early / (double)half;
	x->late = (double)late / (double)rest;
	if (half >= BY_RATER_MIN)
		x->p_drift = stats_fisher(rest - late, rest, x->judged - x->hits, x->judged);
}

static void correct(struct by_rater *out, uint32_t raters)
{
	double *p = mem_new(((size_t)raters * 2 + 1) * sizeof *p), *drift = p + raters;

	for (uint32_t k = 0; k < raters; k++) {
		p[k] = out[k].p;
		drift[k] = out[k].p_drift;
	}
	stats_holm(p, raters);
	stats_holm(drift, raters);
	for (uint32_t k = 0; k < raters; k++) {
		out[k].p = p[k];
		out[k].p_drift = drift[k];
	}
	mem_free(p);
}

void agree_by_rater(const struct kinds *kinds, const uint32_t *place, size_t places, struct by_rater *out)
{
	const struct ratings *t = &kinds->t;
	uint64_t *left = mem_new(((size_t)t->raters + 1) * 2 * sizeof *left), *early = left + t->raters + 1, all = 0, misses = 0;
	struct halves h = { .left = left, .early = early };
	struct judging j = { 0 };

	memset(out, 0, t->raters * sizeof *out);
	judge(&j, t, kinds->many, out);
	frequent_misses(&j, out);
	for (uint32_t k = 0; k < t->raters; k++)
		h.open += (left[k] = out[k].judged / 2) > 0;
	first_halves(&j, kinds, place, places, &h);
	for (uint32_t k = 0; k < t->raters; k++) {
		rater_figures(&out[k], early[k]);
		all += out[k].judged;
		misses += out[k].judged - out[k].hits;
	}
	for (uint32_t k = 0; k < t->raters; k++)
		if (out[k].judged >= BY_RATER_MIN && out[k].judged < all)
			out[k].p = stats_fisher(out[k].judged - out[k].hits, out[k].judged, misses, all);
	correct(out, t->raters);
	mem_free(j.verdict);
	mem_free(j.miss);
	mem_free(left);
}
