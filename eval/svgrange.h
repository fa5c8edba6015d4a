/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SVGRANGE_H
#define SFT_SVGRANGE_H
/* Values with their intervals, row by row: as bars from zero, or as dots. */
#include "svg.h"

struct range_row {
	const char *label; /* begins a group; NULL: one more of the group above */
	size_t nlabel;
	unsigned series;  /* its colour and mark: c0, c1, ... */
	double v, lo, hi; /* NaN: not known */
	const char *note; /* behind the row; NULL: the value and the interval */
};

struct range_chart {
	const char *id, *title, *desc;
	const struct range_row *row; /* none before the first label */
	size_t n;
	double lo, hi; /* what the scale shows at least; NaN: what there is */
	double mark;   /* a line across all rows: an average, no difference; NaN: none */
	const char *mark_name;
	int places;      /* digits of notes behind the point */
	bool dots, sign; /* SIGN: notes with + and - */
};

void svg_ranges(struct buf *to, const struct range_chart *c);

#endif
