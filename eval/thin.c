/* SPDX-License-Identifier: Apache-2.0 */
#include "thin.h"

static void join(struct thin_bucket *a, const struct thin_bucket *b)
{
	if (b->min < a->min) {
		a->min = b->min;
		a->xmin = b->xmin;
	}
	if (b->max > a->max) {
		a->max = b->max;
		a->xmax = b->xmax;
	}
}

/* Buckets two by two. */
static void halve(struct thin *t)
{
	for (size_t k = 0; k < THIN_BUCKETS / 2; k++) {
		t->b[k] = t->b[2 * k];
		join(&t->b[k], &t->b[2 * k + 1]);
	}
	t->n = THIN_BUCKETS / 2;
	t->per *= 2;
	t->in = t->per;
}

void thin_add(struct thin *t, double x, double y)
{
	struct thin_bucket one = { x, y, x, y };

	if (t->per == 0)
		t->per = t->in = 1;
	t->count++;
	if (t->in < t->per && t->n > 0) {
		join(&t->b[t->n - 1], &one);
		t->in++;
		return;
	}
	if (t->n == THIN_BUCKETS)
		halve(t);
	t->b[t->n++] = one;
	t->in = 1;
}

size_t thin_points(const struct thin *t, double *x, double *y)
{
	size_t n = 0;

	for (size_t k = 0; k < t->n; k++) {
		const struct thin_bucket *b = &t->b[k];
		int first = b->xmin <= b->xmax;

		x[n] = first ? b->xmin : b->xmax;
		y[n++] = first ? b->min : b->max;
		if (b->xmin == b->xmax)
			continue;
		x[n] = first ? b->xmax : b->xmin;
		y[n++] = first ? b->max : b->min;
	}
	return n;
}
