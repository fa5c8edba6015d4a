/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SVGHEAT_H
#define SFT_SVGHEAT_H
/* A table of numbers as shades. */
#include "svg.h"

struct heat_name {
	const char *p;
	size_t n;
};

struct heat_chart {
	const char *id, *title, *desc;
	const char *rows, *cols;      /* what they are */
	const struct heat_name *name; /* of the rows, N of them */
	size_t n;
	const struct heat_name *col; /* of the columns; NULL: the rows', the table is square */
	size_t ncols;
	const double *v;     /* [rows x columns], row by row; NaN is not drawn, nor is 0 unless PAIRS */
	bool pairs;          /* each cell says how well two go together: all are of class "hit" */
	const double *shade; /* how dark, 0..1 */
	int places;          /* digits of the numbers behind the point, where the cells have room for them; -1: two digits that count */
};

/* Cells on the diagonal of a square are of class "hit", others of class "miss", unless PAIRS; where there are many the cells are small and have
 * no numbers. */
void svg_heat(struct buf *to, const struct heat_chart *c);

#endif
