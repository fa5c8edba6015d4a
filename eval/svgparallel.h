/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SVGPARALLEL_H
#define SFT_SVGPARALLEL_H
/* Parallel coordinates (A. Inselberg, The Visual Computer 1, 1985): an upright scale for each choice, and a line for each trial through what it chose. */
#include "svg.h"

struct parallel_text {
	const char *p;
	size_t n;
};

struct parallel_axis {
	struct parallel_text name;
	const struct parallel_text *word; /* NWORDS places, from the top; NULL: a scale of numbers LO..HI */
	size_t nwords;
	double lo, hi;
	bool log; /* 0 < LO < HI */
};

struct parallel_chart {
	const char *id, *title, *desc;
	const struct parallel_axis *axis;
	size_t naxes;
	const double *at; /* [n x naxes]: a number, or the place of a word; NaN: no such choice, which lies below the scale */
	const double *good; /* [n]: 0 the worst ... 1 the best, which is how dark a line is */
	size_t n;
	size_t best; /* a line that stands out; n: none */
};

void svg_parallel(struct buf *to, const struct parallel_chart *c);

#endif
