/* SPDX-License-Identifier: Apache-2.0 */
#include "drift.h"

#include <math.h>

/* Rows up to X, a fraction. */
static double given(const struct drift *d, double x)
{
	double within = x < d->horizon ? x : d->horizon;
	double sum = within * (d->from + (d->to - d->from) * within / (2 * d->horizon));

	return d->n * (sum + (x - within) * d->to);
}

uint64_t drift_due(const struct drift *d, double x)
{
	return (uint64_t)floor(given(d, x) + 0.5);
}

double drift_when(const struct drift *d, uint64_t k)
{
	double due = (double)k + 0.5, end = given(d, d->horizon), y = due / d->n, a = (d->to - d->from) / (2 * d->horizon), root;

	if (due > end)
		return d->to > 0 ? d->horizon + (due - end) / (d->n * d->to) : INFINITY;
	root = d->from * d->from + 4 * a * y;           /* a x^2 + from x = y, in the form that does not cancel */
	return 2 * y / (d->from + sqrt(root > 0 ? root : 0));
}
