/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "tunesearch.h"

struct policy {
	const struct tune_opts *o;
	double (*weight)[DIM_LEVELS];  /* [ndim]: logits of the levels */
	double (*p)[DIM_LEVELS];       /* their probabilities */
	double baseline;               /* the reward that is expected, learned */
	size_t seen;                   /* trials learned from */
};

/* --- probabilities --- */

static double entropy(const double *p, size_t n, double even)
{
	double h = 0;

	for (size_t k = 0; k < n; k++) {
		double q = (1 - even) * p[k] + even / (double)n;

		h -= q > 0 ? q * log(q) : 0;
	}
	return h;
}

/* Mixes in as much chance as gives P a share FLOOR of the greatest entropy. */
static void keep_entropy(double *p, size_t n, double floor)
{
	double lo = 0, hi = 1, least = floor * log((double)n);

	if (entropy(p, n, 0) >= least)
		return;
	for (int i = 0; i < 40; i++) {
		double mid = (lo + hi) / 2;

		if (entropy(p, n, mid) < least)
			lo = mid;
		else
			hi = mid;
	}
	for (size_t k = 0; k < n; k++)
		p[k] = (1 - hi) * p[k] + hi / (double)n;
}

static void softmax(struct policy *x, size_t i)
{
	size_t n = x->o->dim[i].levels;
	double most = x->weight[i][0], sum = 0;

	for (size_t k = 1; k < n; k++)
		most = x->weight[i][k] > most ? x->weight[i][k] : most;
	for (size_t k = 0; k < n; k++)
		sum += x->p[i][k] = exp(x->weight[i][k] - most);
	for (size_t k = 0; k < n; k++)
		x->p[i][k] /= sum;
	keep_entropy(x->p[i], n, x->o->entropy);
}

struct policy *policy_new(const struct tune_opts *o)
{
	struct policy *x = mem_new(sizeof *x);

	x->o = o;
	x->weight = mem_new(o->ndim * sizeof *x->weight);
	x->p = mem_new(o->ndim * sizeof *x->p);
	for (size_t i = 0; i < o->ndim; i++)
		softmax(x, i);
	return x;
}

void policy_free(struct policy *x)
{
	if (x == NULL)
		return;
	mem_free(x->weight);
	mem_free(x->p);
	mem_free(x);
}

const double *policy_levels(const struct policy *x, size_t i)
{
	return x->p[i];
}

/* --- learning --- */

static double last_value(const struct tune_trial *t)
{
	double v = t->value[t->known - 1];

	return isnan(v) ? INFINITY : v;
}

/* How good trial I is among all: the log-odds of being better than another, greatest for the best. */
static double reward(const struct tune_search *s, size_t i)
{
	double below = 0, v = last_value(&s->trial[i]);

	for (size_t k = 0; k < s->n; k++) {
		double w = last_value(&s->trial[k]);

		below += w < v ? 1 : w == v ? 0.5 : 0;
	}
	below /= (double)s->n;
	return log((1 - below) / below);
}

void policy_learn(struct policy *x, const struct tune_search *s)
{
	double sum = 0;
	size_t n = s->n - x->seen;

	for (size_t t = x->seen; t < s->n; t++) {
		double r = reward(s, t), advantage = r - x->baseline;

		sum += r;
		for (size_t i = 0; i < x->o->ndim; i++) {
			int level = s->trial[t].choice[i].level;

			for (size_t k = 0; level >= 0 && k < x->o->dim[i].levels; k++)
				x->weight[i][k] += x->o->rate * advantage * ((k == (size_t)level) - x->p[i][k]);
		}
	}
	if (n == 0)
		return;
	x->baseline += 0.25 * (sum / (double)n - x->baseline);
	for (size_t i = 0; i < x->o->ndim; i++)
		softmax(x, i);
	x->seen = s->n;
}
