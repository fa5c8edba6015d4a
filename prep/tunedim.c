/* SPDX-License-Identifier: Apache-2.0 */
#include "tunedim.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static double whole_numbers(const struct tune_dim *d)
{
	return floor(d->hi) - ceil(d->lo) + 1;
}

size_t dim_range_levels(const struct tune_dim *d)
{
	if (d->lo == d->hi)
		return 1;
	return d->kind == DIM_INT && whole_numbers(d) <= DIM_INTS ? (size_t)whole_numbers(d) : DIM_PARTS;
}

bool dim_active(const struct tune_dim *dim, size_t n, const struct tune_choice *choice)
{
	for (size_t i = 0; i < dim[n].nwhen; i++) {
		int level = choice[dim[n].when[i].dim].level;

		if (level < 0 || !(dim[n].when[i].levels >> level & 1))
			return false;
	}
	return true;
}

const char *dim_text(struct arena *a, const struct tune_dim *d, double u)
{
	char text[40];
	double v;

	if (d->kind == DIM_WORDS)
		return d->word[(size_t)(u * (double)d->levels)];
	if (d->kind == DIM_INT)
		snprintf(text, sizeof text, "%.0f", ceil(d->lo) + floor(u * whole_numbers(d)));
	else {
		v = d->kind == DIM_LOG ? exp(log(d->lo) + u * (log(d->hi) - log(d->lo))) : d->lo + u * (d->hi - d->lo);
		snprintf(text, sizeof text, "%.3g", v);
	}
	return arena_str(a, text, strlen(text));
}

static size_t draw_level(const struct tune_dim *d, struct rng *r, const double *p)
{
	double u = rng_unit(r), sum = 0;

	if (p == NULL)
		return (size_t)(u * (double)d->levels);
	for (size_t k = 0; k < d->levels; k++)
		if (u < (sum += p[k]))
			return k;
	return d->levels - 1;
}

struct tune_choice dim_draw(struct arena *a, const struct tune_dim *d, struct rng *r, const double *p)
{
	size_t level = draw_level(d, r, p);
	double within = rng_unit(r);

	/* Rounding must not carry it into the level above. */
	return (struct tune_choice){ (int)level, dim_text(a, d, ((double)level + within * (1 - 1e-9)) / (double)d->levels) };
}

size_t dim_points(const struct tune_dim *dim, size_t n)
{
	size_t all = 1;

	for (size_t i = 0; i < n; i++) {
		bool each = dim[i].kind == DIM_WORDS || dim[i].levels == 1 || (dim[i].kind == DIM_INT && (double)dim[i].levels == whole_numbers(&dim[i]));

		if (!each || all > SIZE_MAX / dim[i].levels)
			return SIZE_MAX;
		all *= dim[i].levels;
	}
	return all;
}
