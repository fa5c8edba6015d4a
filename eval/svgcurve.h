/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SVGCURVE_H
#define SFT_SVGCURVE_H
/* Curves over one scale, and columns of a histogram. */
#include "svg.h"

struct curve {
	unsigned series; /* its colour and mark */
	const double *x, *y;
	const double *lo, *hi; /* intervals of y; NULL: none */
	size_t n;
	const double *size; /* radius of each mark; NULL: 4 */
	bool points;        /* marks at the points */
	bool loose;         /* no line between them */
	bool faint;         /* drawn thin, behind the others */
};

struct curve_line { /* across the plot, from bottom to top */
	double x;
	unsigned series;
	const char *name;
};

struct curve_chart {
	const char *id, *title, *desc, *xname, *yname;
	const struct curve *curve;
	size_t n;
	const struct curve_line *line;
	size_t nlines;
	bool unit;     /* both scales are 0..1, with the diagonal */
	bool zero;     /* the scale of y begins at 0 */
	bool log;      /* it may be logarithmic: where the greatest value is more than 30 times the least */
	double height; /* 0: the usual one */
};

void svg_curves(struct buf *to, const struct curve_chart *c);

struct column_chart {
	const char *id, *title, *desc, *xname, *yname;
	double from, to; /* of the bins together */
	const double *v; /* [series x bins]: how high */
	size_t bins, nseries;
};

void svg_columns(struct buf *to, const struct column_chart *c);

#endif
