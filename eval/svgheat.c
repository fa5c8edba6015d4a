/* SPDX-License-Identifier: Apache-2.0 */
#include "svgheat.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MIN_TEXT = 28, LABEL_COLS = 34, HEAD = 20 };

struct plot {
	struct svg s;
	const struct heat_chart *c;
	const struct heat_name *col;
	size_t ncols;
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

/* Columns of the longest of N names, as it is shown. */
static size_t widest_name(const struct heat_name *name, size_t n)
{
	size_t widest = 3;

	for (size_t i = 0; i < n; i++) {
		size_t w = svg_width(name[i].p, name[i].n);

		widest = w > widest ? w : widest;
	}
	return widest > LABEL_COLS ? LABEL_COLS : widest;
}

static void names(struct plot *p)
{
	const struct heat_chart *c = p->c;

	if (p->cell < 7)
		return; /* nobody could read them: they stand in the table and in the tips */
	for (size_t i = 0; i < c->n; i++)
		svg_label(&p->s, p->font, p->left - 5, p->top + ((double)i + 0.5) * p->cell + 3, SVG_END, c->name[i].p, c->name[i].n, LABEL_COLS);
	for (size_t j = 0; j < p->ncols; j++) {
		double at = p->left + ((double)j + 0.5) * p->cell;

		if (!p->upright) {
			svg_label(&p->s, p->font, at, p->top - 6, SVG_MIDDLE, p->col[j].p, p->col[j].n, LABEL_COLS);
			continue;
		}
		buf_fmt(p->s.to, "<g transform=\"translate(%.1f %.1f) rotate(-90)\">", at + 3, p->top - 5);
		svg_label(&p->s, p->font, 0, 0, SVG_START, p->col[j].p, p->col[j].n, LABEL_COLS);
		buf_str(p->s.to, "</g>\n");
	}
}

/* PLACES digits behind the point, or DIGITS that count. */
static void number(const struct heat_chart *c, double v, int digits, char to[32])
{
	if (c->places < 0)
		snprintf(to, 32, "%.*g", digits, v);
	else
		snprintf(to, 32, "%.*f", c->places, v);
}

static void cell(struct plot *p, size_t i, size_t j)
{
	const struct heat_chart *c = p->c;
	size_t k = i * p->ncols + j;
	double v = c->v[k], shade = c->shade[k], x = p->left + (double)j * p->cell, y = p->top + (double)i * p->cell;
	double gap = p->cell > 20 ? 1 : 0.5;
	bool same = c->col == NULL && i == j;
	char text[32];

	if (isnan(v) || (v == 0 && !c->pairs))
		return;
	number(c, v, 3, text);
	buf_fmt(p->s.to, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill-opacity=\"%.2f\"><title>",
		same || c->pairs ? "hit" : "miss", x + gap, y + gap, p->cell - 2 * gap, p->cell - 2 * gap,
		0.14 + 0.86 * (shade < 0 || isnan(shade) ? 0
			       : shade > 1               ? 1
							 : shade));
	svg_tip(p->s.to, c->name[i].p, c->name[i].n);
	buf_str(p->s.to, same ? ": " : c->col ? ", " : " \xe2\x86\x92 ");
	if (!same) {
		svg_tip(p->s.to, p->col[j].p, p->col[j].n);
		buf_str(p->s.to, ": ");
	}
	buf_fmt(p->s.to, "%s</title></rect>\n", text);
	number(c, v, 2, text);
	if (p->cell >= MIN_TEXT && (c->places >= 0 || (double)strlen(text) * 6.4 <= p->cell))
		svg_text(&p->s, shade > 0.45 ? "cell on" : "cell", x + p->cell / 2, y + p->cell / 2 + 4, SVG_MIDDLE, text, strlen(text));
}

/* Lines between every tenth name, so that the eye finds its way. */
static void frame(struct plot *p)
{
	double down = p->cell * (double)p->c->n, across = p->cell * (double)p->ncols;

	for (size_t i = 10; i < p->c->n && p->c->n > 20; i += 10)
		svg_line(&p->s, "grid", p->left, p->top + (double)i * p->cell, p->left + across, p->top + (double)i * p->cell);
	for (size_t j = 10; j < p->ncols && p->ncols > 20; j += 10)
		svg_line(&p->s, "grid", p->left + (double)j * p->cell, p->top, p->left + (double)j * p->cell, p->top + down);
	svg_rect(&p->s, "frame", p->left, p->top, across, down, NULL);
}

/* Room that names take, in pixels. */
static double room_of(const struct plot *p, const struct heat_name *name, size_t n)
{
	return p->cell < 7 ? 12 : (double)widest_name(name, n) * (p->cell >= 16 ? 6.6 : 5) + 12;
}

void svg_heat(struct buf *to, const struct heat_chart *c)
{
	struct plot p = { .c = c, .col = c->col ? c->col : c->name, .ncols = c->col ? c->ncols : c->n };
	double room, down, across;

	p.cell = cell_size(c->n > p.ncols ? c->n : p.ncols);
	down = p.cell * (double)c->n;
	across = p.cell * (double)p.ncols;
	p.font = p.cell >= 16 ? "tick" : "tiny";
	room = room_of(&p, p.col, p.ncols);
	p.upright = room > p.cell;
	p.left = room_of(&p, c->name, c->n) + HEAD;
	p.top = (p.upright ? room : 16) + HEAD;
	svg_begin(&p.s, to, c->id, p.left + across + 8, p.top + down + 8, c->title, c->desc);
	svg_text(&p.s, "tick strong", p.left, 14, SVG_START, c->cols, strlen(c->cols));
	buf_fmt(to, "<g transform=\"translate(14 %.1f) rotate(-90)\">", p.top + down);
	svg_text(&p.s, "tick strong", 0, 0, SVG_START, c->rows, strlen(c->rows));
	buf_str(to, "</g>\n");
	frame(&p);
	names(&p);
	for (size_t i = 0; i < c->n; i++)
		for (size_t j = 0; j < p.ncols; j++)
			cell(&p, i, j);
	svg_end(&p.s);
}
