/* SPDX-License-Identifier: Apache-2.0 */
#include "svgparallel.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { HEIGHT = 300, TOP = 40, BOTTOM = 36, NONE = 12, LEFT = 20, RIGHT = 110, STEP = 130, TICKS = 5, SHADES = 5, LABEL_COLS = 15, MANY_WORDS = 16 };

struct plot {
	struct svg s;
	const struct parallel_chart *c;
};

static double x_of(size_t k)
{
	return LEFT + (double)k * STEP;
}

/* Word K of N: even distances, a single one in the middle. */
static double y_of_word(double k, size_t n)
{
	double share = n > 1 ? k / (double)(n - 1) : 0.5;

	return TOP + share * (HEIGHT - TOP - BOTTOM);
}

static void scale(struct axis *a, const struct parallel_axis *x)
{
	if (x->log && x->lo > 0 && x->hi > x->lo)
		axis_log(a, x->lo, x->hi, HEIGHT - BOTTOM, TOP);
	else
		axis_nice(a, x->lo, x->hi, TICKS, HEIGHT - BOTTOM, TOP);
}

static void words(struct plot *p, const struct parallel_axis *x, double at)
{
	for (size_t k = 0; k < x->nwords; k++) {
		double y = y_of_word((double)k, x->nwords);

		svg_line(&p->s, "zero", at, y, at + 4, y);
		if (x->nwords <= MANY_WORDS || k % (x->nwords / MANY_WORDS + 1) == 0)
			svg_label(&p->s, "tick", at + 7, y + 4, SVG_START, x->word[k].p, x->word[k].n, LABEL_COLS);
	}
}

static void numbers(struct plot *p, const struct parallel_axis *x, double at)
{
	struct axis a;
	char text[32];

	scale(&a, x);
	for (int64_t k = a.first; k <= a.last; k++) {
		double y = axis_at(&a, axis_tick(&a, k));

		axis_label(&a, k, text);
		svg_line(&p->s, "zero", at, y, at + 4, y);
		svg_text(&p->s, "tick", at + 7, y + 4, SVG_START, text, strlen(text));
	}
}

/* Below the scale: where the lines go that have nothing there. */
static void none(struct plot *p, size_t k)
{
	const struct parallel_chart *c = p->c;

	for (size_t i = 0; i < c->n; i++)
		if (isnan(c->at[i * c->naxes + k])) {
			svg_text(&p->s, "tick", x_of(k) + 7, HEIGHT - NONE + 4, SVG_START, "none", 4);
			return;
		}
}

static void put_axis(struct plot *p, size_t k)
{
	const struct parallel_axis *x = &p->c->axis[k];
	double at = x_of(k);

	svg_line(&p->s, "zero", at, TOP, at, HEIGHT - BOTTOM);
	svg_label(&p->s, "tick strong", at, 16, SVG_START, x->name.p, x->name.n, LABEL_COLS);
	if (x->word)
		words(p, x, at);
	else
		numbers(p, x, at);
	none(p, k);
}

static void put_line(struct plot *p, size_t i, const char *class)
{
	const struct parallel_chart *c = p->c;
	double *x = mem_new(2 * c->naxes * sizeof *x), *y = x + c->naxes;

	for (size_t k = 0; k < c->naxes; k++) {
		double v = c->at[i * c->naxes + k];
		struct axis a;

		x[k] = x_of(k);
		y[k] = HEIGHT - NONE;
		if (isnan(v))
			continue;
		if (c->axis[k].word) {
			y[k] = y_of_word(v, c->axis[k].nwords);
		} else {
			scale(&a, &c->axis[k]);
			y[k] = axis_at(&a, v);
		}
	}
	svg_polyline(&p->s, class, x, y, c->naxes);
	mem_free(x);
}

void svg_parallel(struct buf *to, const struct parallel_chart *c)
{
	static const char *const shade[SHADES] = { "curve c0 p0", "curve c0 p1", "curve c0 p2", "curve c0 p3", "curve c0 p4" };
	struct plot p = { .c = c };

	svg_begin(&p.s, to, c->id, x_of(c->naxes ? c->naxes - 1 : 0) + RIGHT, HEIGHT, c->title, c->desc);
	for (int k = 0; k < SHADES; k++) /* the good ones above the others */
		for (size_t i = c->n; i-- > 0;)
			if (i != c->best && (int)(c->good[i] * (SHADES - 1) + 0.5) == k)
				put_line(&p, i, shade[k]);
	for (size_t k = 0; k < c->naxes; k++)
		put_axis(&p, k);
	if (c->best < c->n)
		put_line(&p, c->best, "curve c1");
	svg_end(&p.s);
}
