/* SPDX-License-Identifier: Apache-2.0 */
#include "svgheat.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MIN_TEXT = 28, LABEL_COLS = 34, HEAD = 20 };

struct plot {
	struct svg s;
	const struct heat_chart *c;
	double cell, left, top; /* of the first cell */
	const char *font;       /* class of the names */
	bool upright;           /* those of the columns have no room to lie */
};

static double cell_size(size_t n)
{
	if (n <= 6)
		return 52;
	if (n <= 12)
		return 40;
	if (n <= 20)
		return 28;
	return n <= 50 ? 16 : n <= 100 ? 11 : 1000.0 / (double)n;
}

/* Columns of the longest name, as it is shown. */
static size_t widest_name(const struct heat_chart *c)
{
	size_t widest = 3;

	for (size_t i = 0; i < c->n; i++) {
		size_t w = svg_width(c->name[i].p, c->name[i].n);

		widest = w > widest ? w : widest;
	}
	return widest > LABEL_COLS ? LABEL_COLS : widest;
}

static void names(struct plot *p)
{
	const struct heat_chart *c = p->c;

	if (p->cell < 7)
		return; /* nobody could read them: they stand in the table and in the tips */
	for (size_t i = 0; i < c->n; i++) {
		double at = ((double)i + 0.5) * p->cell;

		svg_label(&p->s, p->font, p->left - 5, p->top + at + 3, SVG_END, c->name[i].p, c->name[i].n, LABEL_COLS);
		if (!p->upright) {
			svg_label(&p->s, p->font, p->left + at, p->top - 6, SVG_MIDDLE, c->name[i].p, c->name[i].n, LABEL_COLS);
			continue;
		}
		buf_fmt(p->s.to, "<g transform=\"translate(%.1f %.1f) rotate(-90)\">", p->left + at + 3, p->top - 5);
		svg_label(&p->s, p->font, 0, 0, SVG_START, c->name[i].p, c->name[i].n, LABEL_COLS);
		buf_str(p->s.to, "</g>\n");
	}
}

static void cell(struct plot *p, size_t i, size_t j)
{
	const struct heat_chart *c = p->c;
	double v = c->v[i * c->n + j], shade = c->shade[i * c->n + j], x = p->left + (double)j * p->cell,
	       y = p->top + (double)i * p->cell;
	double gap = p->cell > 20 ? 1 : 0.5;

	if (isnan(v) || (v == 0 && !c->pairs))
		return;
	buf_fmt(p->s.to, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill-opacity=\"%.2f\"><title>",
		i == j || c->pairs ? "hit" : "miss", x + gap, y + gap, p->cell - 2 * gap, p->cell - 2 * gap,
		0.14 + 0.86 * (shade < 0 || isnan(shade) ? 0
			       : shade > 1               ? 1
							 : shade));
	svg_tip(p->s.to, c->name[i].p, c->name[i].n);
	buf_str(p->s.to, i == j ? ": " : " \xe2\x86\x92 ");
	if (i != j) {
		svg_tip(p->s.to, c->name[j].p, c->name[j].n);
		buf_str(p->s.to, ": ");
	}
	buf_fmt(p->s.to, "%.*f</title></rect>\n", c->places, v);
	if (p->cell >= MIN_TEXT)
		svg_textf(&p->s, shade > 0.45 ? "cell on" : "cell", x + p->cell / 2, y + p->cell / 2 + 4, SVG_MIDDLE, "%.*f",
			  c->places, v);
}

/* Lines between every tenth name, so that the eye finds its way. */
static void frame(struct plot *p)
{
	double side = p->cell * (double)p->c->n;

	for (size_t i = 10; i < p->c->n && p->c->n > 20; i += 10) {
		double at = (double)i * p->cell;

		svg_line(&p->s, "grid", p->left, p->top + at, p->left + side, p->top + at);
		svg_line(&p->s, "grid", p->left + at, p->top, p->left + at, p->top + side);
	}
	svg_rect(&p->s, "frame", p->left, p->top, side, side, NULL);
}

void svg_heat(struct buf *to, const struct heat_chart *c)
{
	struct plot p = { .c = c, .cell = cell_size(c->n) };
	double room, side = p.cell * (double)c->n;

	p.font = p.cell >= 16 ? "tick" : "tiny";
	room = p.cell < 7 ? 12 : (double)widest_name(c) * (p.cell >= 16 ? 6.6 : 5) + 12;
	p.upright = room > p.cell;
	p.left = room + HEAD;
	p.top = (p.upright ? room : 16) + HEAD;
	svg_begin(&p.s, to, c->id, p.left + side + 8, p.top + side + 8, c->title, c->desc);
	svg_text(&p.s, "tick strong", p.left, 14, SVG_START, c->cols, strlen(c->cols));
	buf_fmt(to, "<g transform=\"translate(14 %.1f) rotate(-90)\">", p.top + side);
	svg_text(&p.s, "tick strong", 0, 0, SVG_START, c->rows, strlen(c->rows));
	buf_str(to, "</g>\n");
	frame(&p);
	names(&p);
	for (size_t i = 0; i < c->n; i++)
		for (size_t j = 0; j < c->n; j++)
			cell(&p, i, j);
	svg_end(&p.s);
}
