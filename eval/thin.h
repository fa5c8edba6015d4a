/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_THIN_H
#define SFT_THIN_H
/* A long curve in little memory: neighbouring points share a bucket, of which the least and the greatest value are kept where
 * they stood.  However long the curve, its peaks and pits are those of all points. */
#include <stddef.h>
#include <stdint.h>

enum { THIN_BUCKETS = 400, THIN_POINTS = 2 * THIN_BUCKETS };

struct thin_bucket {
	double xmin, min, xmax, max; /* the least value and where, the greatest and where */
};

struct thin { /* `struct thin t = {0}` is empty */
	struct thin_bucket b[THIN_BUCKETS];
	size_t n;                /* buckets begun */
	uint64_t per, in, count; /* points a bucket, points in the last one, points in all */
};

void thin_add(struct thin *t, double x, double y); /* x ascending, both finite */
/* The points that are left, in order of x: at most THIN_POINTS into X and Y. */
size_t thin_points(const struct thin *t, double *x, double *y);

#endif
