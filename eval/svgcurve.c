/* SPDX-License-Identifier: Apache-2.0 */
#include "svgcurve.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 760, HEIGHT = 240, LEFT = 56, RIGHT = 16, TOP = 24, BOTTOM = 40, LOG_FROM = 30 };

struct plot {
	struct svg s;
	struct axis x, y;
	double w, h;
};

static void grid(struct plot *p, const char *xname, const char *yname)
{
	double right = p->w - RIGHT, bottom = p->h - BOTTOM;
	char text[32];

	for (int64_t k = p->y.first; k <= p->y.last; k++) {
		double y = axis_at(&p->y, axis_tick(&p->y, k));

		svg_line(&p->s, k == p->y.first ? "zero" : "grid", LEFT, y, right, y);
		axis_label(&p->y, k, text);
		svg_text(&p->s, "tick", LEFT - 6, y + 4, SVG_END, text, strlen(text));
	}
	for (int64_t k = p->x.first; k <= p->x.last; k++) {
		double x = axis_at(&p->x, axis_tick(&p->x, k));

		svg_line(&p->s, "grid", x, bottom, x, bottom + 5);
		axis_label(&p->x, k, text);
		svg_text(&p->s, "tick", x, bottom + 18, SVG_MIDDLE, text, strlen(text));
	}
	svg_text(&p->s, "tick strong", right, p->h - 4, SVG_END, xname, strlen(xname));
	svg_textf(&p->s, "tick strong", 4, 14, SVG_START, "%s%s", yname, p->y.log ? " (logarithmic scale)" : "");
}

static void widen(double *lo, double *hi, const double *v, size_t n)
{
	for (size_t i = 0; v && i < n; i++)
		if (isfinite(v[i])) {
			*lo = v[i] < *lo ? v[i] : *lo;
			*hi = v[i] > *hi ? v[i] : *hi;
		}
}

static void put_scales(struct plot *p, const struct curve_chart *c)
{
	double x0 = INFINITY, x1 = -INFINITY, y0 = INFINITY, y1 = -INFINITY;

	if (c->unit) {
		axis_within(&p->x, 0, 1, 5, LEFT, p->w - RIGHT);
		axis_within(&p->y, 0, 1, 5, p->h - BOTTOM, TOP);
		return;
	}
	for (size_t k = 0; k < c->n; k++) {
		widen(&x0, &x1, c->curve[k].x, c->curve[k].n);
		widen(&y0, &y1, c->curve[k].y, c->curve[k].n);
		widen(&y0, &y1, c->curve[k].lo, c->curve[k].n);
		widen(&y0, &y1, c->curve[k].hi, c->curve[k].n);
	}
	y0 = c->zero && y0 > 0 ? 0 : y0;
	if (c->log && y0 > 0 && y1 > LOG_FROM * y0)
		axis_log(&p->y, y0, y1, p->h - BOTTOM, TOP);
	else
		axis_nice(&p->y, y0, y1, 5, p->h - BOTTOM, TOP);
	if (x1 > x0)
		axis_within(&p->x, x0, x1, 8, LEFT, p->w - RIGHT);
	else
		axis_nice(&p->x, x0, x1, 4, LEFT, p->w - RIGHT);
}

static void whiskers(struct plot *p, const struct curve *c)
{
	char class[32];

	snprintf(class, sizeof class, "whisker c%u", c->series % 6);
	for (size_t i = 0; c->lo && c->hi && i < c->n; i++) {
		double x = axis_at(&p->x, c->x[i]), lo = axis_at(&p->y, c->lo[i]), hi = axis_at(&p->y, c->hi[i]);

		if (isfinite(x) && isfinite(lo) && isfinite(hi))
			svg_line(&p->s, class, x, lo, x, hi);
	}
}

static void points(struct plot *p, const struct curve *c)
{
	char class[32], tip[80];

	snprintf(class, sizeof class, "dot c%u", c->series % 6);
	for (size_t i = 0; c->points && i < c->n; i++) {
		if (!isfinite(c->x[i]) || !isfinite(c->y[i]))
			continue;
		snprintf(tip, sizeof tip, "%.6g: %.6g", c->x[i], c->y[i]);
		svg_mark(&p->s, class, c->series, axis_at(&p->x, c->x[i]), axis_at(&p->y, c->y[i]), c->size ? c->size[i] : 4,
			 tip);
	}
}

static void curve(struct plot *p, const struct curve *c)
{
	double *at = mem_grow(NULL, 2 * c->n + 1, sizeof *at);
	char class[32];

	for (size_t i = 0; i < c->n; i++) {
		at[i] = axis_at(&p->x, c->x[i]);
		at[c->n + i] = axis_at(&p->y, c->y[i]);
	}
	snprintf(class, sizeof class, "curve %s c%u", c->faint ? "faint" : "full", c->series % 6);
	if (!c->loose)
		svg_polyline(&p->s, class, at, at + c->n, c->n);
	whiskers(p, c);
	points(p, c);
	mem_free(at);
}

static void lines(struct plot *p, const struct curve_chart *c)
{
	for (size_t k = 0; k < c->nlines; k++) {
		double x = axis_at(&p->x, c->line[k].x);
		bool left = x > p->w - 120;

		svg_line(&p->s, "mark", x, TOP - 4, x, p->h - BOTTOM);
		svg_text(&p->s, "tick strong", x + (left ? -4 : 4), TOP + 4 + 12 * (double)(k % 3), left ? SVG_END : SVG_START,
			 c->line[k].name, strlen(c->line[k].name));
	}
}

void svg_curves(struct buf *to, const struct curve_chart *c)
{
	struct plot p = { .w = c->unit ? 360 : WIDTH, .h = c->height > 0 ? c->height : c->unit ? 340 : HEIGHT };

	put_scales(&p, c);
	svg_begin(&p.s, to, c->id, p.w, p.h, c->title, c->desc);
	grid(&p, c->xname, c->yname);
	if (c->unit)
		svg_line(&p.s, "mark", axis_at(&p.x, 0), axis_at(&p.y, 0), axis_at(&p.x, 1), axis_at(&p.y, 1));
	for (int front = 0; front < 2; front++)
		for (size_t k = 0; k < c->n; k++)
			if (c->curve[k].faint == !front)
				curve(&p, &c->curve[k]);
	lines(&p, c);
	svg_end(&p.s);
}

void svg_columns(struct buf *to, const struct column_chart *c)
{
	struct plot p = { .w = 360, .h = 220 };
	double most = 0, step, wide;
	char class[32], tip[80];

	for (size_t i = 0; i < c->bins * c->nseries; i++)
		most = c->v[i] > most ? c->v[i] : most;
	axis_within(&p.x, c->from, c->to, 5, LEFT, p.w - RIGHT);
	axis_nice(&p.y, 0, most, 4, p.h - BOTTOM, TOP);
	p.y.first = p.y.first < 0 ? 0 : p.y.first;
	svg_begin(&p.s, to, c->id, p.w, p.h, c->title, c->desc);
	grid(&p, c->xname, c->yname);
	step = (p.w - RIGHT - LEFT) / (double)c->bins;
	wide = (step - 2) / (double)c->nseries;
	for (size_t b = 0; b < c->bins; b++)
		for (size_t k = 0; k < c->nseries; k++) {
			double v = c->v[k * c->bins + b], y = axis_at(&p.y, v);

			if (!(v > 0))
				continue;
			snprintf(class, sizeof class, "bar c%zu", k % 6);
			snprintf(tip, sizeof tip, "%.6g", v);
			svg_rect(&p.s, class, LEFT + 1 + (double)b * step + (double)k * wide, y, wide, axis_at(&p.y, 0) - y, tip);
		}
	svg_end(&p.s);
}
