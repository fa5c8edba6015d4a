/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "agree.h"
#include "mem.h"

enum { MAX_CELLS = 64 << 20 };

static size_t pairs_of(const struct ratings *t)
{
	return (size_t)t->raters * (t->raters - (t->raters > 0)) / 2;
}

bool agree_cohen_fits(const struct ratings *t)
{
	size_t cells;

	return !__builtin_mul_overflow((size_t)t->ncat * t->ncat, pairs_of(t), &cells) && cells <= MAX_CELLS;
}

/* Place of the pair A < B in the order (0,1), (0,2), ... (1,2)... */
static size_t pair_at(const struct ratings *t, uint32_t a, uint32_t b)
{
	return (size_t)a * (2 * (size_t)t->raters - a - 1) / 2 + (b - a - 1);
}

static struct coef kappa(const uint32_t *cell, uint32_t q, double n, const double *row, const double *col, const double *place,
                         enum agree_weight w)
{
	double seen = 0, chance = 0;

	for (uint32_t a = 0; a < q; a++)
		for (uint32_t b = 0; b < q; b++) {
			double d = fabs(place[a] - place[b]);

			if (a == b)
				continue;
			d = w == WEIGHT_NONE ? 1 : w == WEIGHT_LINEAR ? d : d * d;
			seen += d * cell[(size_t)a * q + b];
			chance += d * row[a] * col[b] / n;
		}
	if (n == 0)
		return (struct coef){ NAN, "no item was rated by both" };
	if (chance <= 0)
		return (struct coef){ NAN, "both used one category only: chance agreement is 1" };
	return (struct coef){ 1 - seen / chance, NULL };
}

static void score(const uint32_t *cell, uint32_t q, bool fixed, struct cohen *c)
{
	double *row = mem_new(((size_t)3 * q + 1) * sizeof *row), *col = row + q, *place = col + q, same = 0, n = 0, used = 0;

	for (uint32_t a = 0; a < q; a++)
		for (uint32_t b = 0; b < q; b++) {
			double k = cell[(size_t)a * q + b];
			row[a] += k;
			col[b] += k;
			n += k;
			same += a == b ? k : 0;
		}
	for (uint32_t a = 0; a < q; a++) {
		place[a] = used;
		used += fixed || row[a] + col[a] > 0;
	}
	c->n = (uint64_t)n;
	c->agreement = n > 0 ? same / n : NAN;
	for (unsigned w = 0; w < 3; w++)
		c->kappa[w] = kappa(cell, q, n, row, col, place, (enum agree_weight)w);
	mem_free(row);
}

bool agree_cohen(const struct ratings *t, const double *weight, struct cohen *out)
{
	size_t q2 = (size_t)t->ncat * t->ncat, np = pairs_of(t), k = 0;
	uint32_t *cell;

	if (!agree_cohen_fits(t) || t->anonymous)
		return false;
	cell = mem_new((np * q2 + 1) * sizeof *cell);
	for (size_t item = 0; item < t->items; item++) {
		uint32_t times = weight ? (uint32_t)weight[item] : 1;

		for (size_t a = t->start[item]; times && a < t->start[item + 1]; a++)
			for (size_t b = a + 1; b < t->start[item + 1]; b++)
				cell[pair_at(t, t->r[a].rater, t->r[b].rater) * q2 + (size_t)t->r[a].cat * t->ncat + t->r[b].cat] += times;
	}
	for (uint32_t a = 0; a < t->raters; a++)
		for (uint32_t b = a + 1; b < t->raters; b++, k++) {
			out[k] = (struct cohen){ .a = a, .b = b };
			score(cell + k * q2, t->ncat, t->fixed, &out[k]);
		}
	mem_free(cell);
	return true;
}
