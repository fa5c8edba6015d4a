/* SPDX-License-Identifier: Apache-2.0 */
#include "svgrange.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PLOT = 420, NOTE = 170, ROW = 18, GAP = 6, HEAD = 24, FOOT = 20, LABEL_COLS = 34 };

/* Where the plot is. */
struct plot {
	struct svg s;
	const struct range_chart *c;
	struct axis x;
	double top, bottom, left, right;
};

/* Room for the longest label, at 7.5 pixels a column; not too little, so that pictures below each other line up. */
static double label_room(const struct range_chart *c)
{
	size_t widest = 18;

	for (size_t i = 0; i < c->n; i++)
		if (c->row[i].label) {
			size_t w = svg_width(c->row[i].label, c->row[i].nlabel);

			widest = w > widest ? w : widest;
		}
	return 7.5 * (double)(widest < LABEL_COLS ? widest : LABEL_COLS) + 12;
}

static void widen(double *lo, double *hi, double v)
{
	if (!isfinite(v))
		return;
	*lo = v < *lo ? v : *lo;
	*hi = v > *hi ? v : *hi;
}

static void put_scale(struct plot *p)
{
	const struct range_chart *c = p->c;
	double lo = INFINITY, hi = -INFINITY;

	widen(&lo, &hi, c->lo);
	widen(&lo, &hi, c->hi);
	widen(&lo, &hi, c->mark);
	if (!c->dots)
		widen(&lo, &hi, 0);
	for (size_t i = 0; i < c->n; i++) {
		widen(&lo, &hi, c->row[i].v);
		widen(&lo, &hi, c->row[i].lo);
		widen(&lo, &hi, c->row[i].hi);
	}
	axis_nice(&p->x, lo, hi, 6, p->left, p->right);
}

static double height(const struct range_chart *c)
{
	double h = HEAD;

	for (size_t i = 0; i < c->n; i++)
		h += ROW + (c->row[i].label && i ? GAP : 0);
	return h + FOOT;
}

static void grid(struct plot *p)
{
	char text[32];

	for (int64_t k = p->x.first; k <= p->x.last; k++) {
		double x = axis_at(&p->x, axis_tick(&p->x, k));

		svg_line(&p->s, k == 0 ? "zero" : "grid", x, p->top, x, p->bottom);
		axis_label(&p->x, k, text);
		svg_text(&p->s, "tick", x, p->top - 7, SVG_MIDDLE, text, strlen(text));
	}
}

static void note_of(const struct range_chart *c, const struct range_row *r, char *to, size_t size)
{
	if (r->note)
		snprintf(to, size, "%s", r->note);
	else if (!isfinite(r->v))
		snprintf(to, size, "-");
	else if (isfinite(r->lo) && isfinite(r->hi))
		snprintf(to, size, c->sign ? "%+.*f [%+.*f, %+.*f]" : "%.*f [%.*f, %.*f]", c->places, r->v, c->places, r->lo,
			 c->places, r->hi);
	else
		snprintf(to, size, c->sign ? "%+.*f" : "%.*f", c->places, r->v);
}

static void whisker(struct plot *p, const struct range_row *r, double y)
{
	double lo = axis_at(&p->x, r->lo), hi = axis_at(&p->x, r->hi);

	if (!isfinite(lo) || !isfinite(hi))
		return;
	svg_line(&p->s, "whisker", lo, y, hi, y);
	svg_line(&p->s, "whisker", lo, y - 4, lo, y + 4);
	svg_line(&p->s, "whisker", hi, y - 4, hi, y + 4);
}

static void row(struct plot *p, const struct range_row *r, double top)
{
	double y = top + ROW / 2.0, x = axis_at(&p->x, r->v), zero = axis_at(&p->x, 0);
	char note[160], class[32];

	note_of(p->c, r, note, sizeof note);
	snprintf(class, sizeof class, "%s c%u", p->c->dots ? "dot" : "bar", r->series % 6);
	if (isfinite(x) && !p->c->dots)
		svg_rect(&p->s, class, x < zero ? x : zero, top + 2, fabs(x - zero), ROW - 4, note);
	whisker(p, r, y);
	if (isfinite(x) && p->c->dots)
		svg_mark(&p->s, class, r->series, x, y, 5, note);
	svg_text(&p->s, "note", p->right + 10, y + 4, SVG_START, note, strlen(note));
}

static void rows(struct plot *p)
{
	double y = p->top;

	for (size_t i = 0; i < p->c->n; i++) {
		const struct range_row *r = &p->c->row[i];

		if (r->label) {
			y += i ? GAP : 0;
			svg_label(&p->s, "label", p->left - 10, y + 13, SVG_END, r->label, r->nlabel, LABEL_COLS);
		}
		row(p, r, y);
		y += ROW;
	}
}

void svg_ranges(struct buf *to, const struct range_chart *c)
{
	double h = height(c), x;
	struct plot p = { .c = c, .top = HEAD, .bottom = h - FOOT + 4, .left = label_room(c) };

	p.right = p.left + PLOT;
	put_scale(&p);
	svg_begin(&p.s, to, c->id, p.right + NOTE, h, c->title, c->desc);
	grid(&p);
	if (isfinite(c->mark)) {
		x = axis_at(&p.x, c->mark);
		svg_line(&p.s, "mark", x, p.top, x, p.bottom);
		if (c->mark_name)
			svg_text(&p.s, "tick strong", x, p.bottom + 12, SVG_MIDDLE, c->mark_name, strlen(c->mark_name));
	}
	rows(&p);
	svg_end(&p.s);
}
