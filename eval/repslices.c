/* SPDX-License-Identifier: Apache-2.0 */
/* Reliability by slice: the groups of `sft eval --by`, weakest first. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figures.h"
#include "report.h"
#include "stats.h"
#include "svgrange.h"

enum { MAX_DRAWN = 30 }; /* slices in the picture; the table has all */

struct slice {
	const char *name;
	size_t n;
	double items, v; /* of the last file */
	bool lower;
	size_t place;
};

struct slices {
	struct report *r;
	const struct report_input **in; /* the files that have groups by the same column */
	const char **name;
	size_t nin;
	struct slice *slice;
	size_t n;
};

static const struct json *groups(const struct report_input *in)
{
	const struct json *g = json_get(in->doc, "groups");

	return g && g->type == JSON_ARR && g->n ? g : NULL;
}

/* The figure NAME of group SLICE in a file; a share of items without an interval gets Wilson's. */
static bool figure_of(struct report *r, const struct report_input *in, const struct slice *slice, const char *name,
		      struct figure *out)
{
	const struct json *g = groups(in);
	const struct figure *f;
	size_t nf;

	for (size_t k = 0; k < g->n; k++) {
		const struct json *group = json_get(&g->item[k], "group"), *m = json_get(&g->item[k], "metrics");

		if (group == NULL || group->type != JSON_STR || group->n != slice->n ||
		    memcmp(group->s, slice->name, group->n) != 0)
			continue;
		f = figures_read(m, &r->arena, &nf);
		if ((f = figures_find(f, nf, name)) == NULL)
			return false;
		*out = *f;
		if (isnan(f->lo) && strcmp(name, "accuracy") == 0)
			stats_wilson(figures_number(json_get(m, "accuracy"), "right"), figures_number(&g->item[k], "n"), &out->lo,
				     &out->hi);
		return true;
	}
	return false;
}

static int weakest_first(const void *a, const void *b)
{
	const struct slice *x = a, *y = b;
	double d = x->lower ? y->v - x->v : x->v - y->v;

	if (d != 0 && !isnan(d))
		return d < 0 ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

static void read_slices(struct slices *s, const char *name)
{
	const struct report_input *last = s->in[s->nin - 1];
	const struct json *g = groups(last);
	struct figure f;

	s->slice = mem_new(g->n * sizeof *s->slice);
	s->n = 0;
	for (size_t k = 0; k < g->n; k++) {
		const struct json *group = json_get(&g->item[k], "group");
		struct slice *x = &s->slice[s->n];

		if (group == NULL || group->type != JSON_STR)
			continue;
		*x = (struct slice){ .name = group->s, .n = group->n, .items = figures_number(&g->item[k], "n"), .place = k };
		if (!figure_of(s->r, last, x, name, &f))
			continue;
		x->v = f.v;
		x->lower = f.lower;
		s->n++;
	}
	qsort(s->slice, s->n, sizeof *s->slice, weakest_first);
}

static void picture(struct slices *s, const struct figure *whole, const char *by)
{
	struct page *p = &s->r->page;
	size_t drawn = s->n < MAX_DRAWN ? s->n : MAX_DRAWN;
	struct range_row *row = mem_new((drawn * s->nin + 1) * sizeof *row);
	struct range_chart c = { .row = row,
				 .lo = whole->scale == FIGURE_UNIT ? 0 : NAN,
				 .hi = whole->scale == FIGURE_UNIT ? 1 : NAN,
				 .mark = whole->v,
				 .mark_name = "all",
				 .dots = true,
				 .places = figures_places(whole) };
	struct buf labels = { 0 };
	size_t *from = mem_new((drawn + 1) * sizeof *from);
	char title[64];

	for (size_t k = 0; k < drawn; k++) {
		from[k] = labels.n;
		buf_add(&labels, s->slice[k].name, s->slice[k].n);
		buf_fmt(&labels, " (n = %.0f)", s->slice[k].items);
	}
	from[drawn] = labels.n;
	for (size_t k = 0; k < drawn; k++)
		for (size_t i = 0, first = c.n; i < s->nin; i++) {
			struct figure f;

			if (!figure_of(s->r, s->in[i], &s->slice[k], whole->name, &f))
				continue;
			row[c.n] = (struct range_row){ .series = (unsigned)i, .v = f.v, .lo = f.lo, .hi = f.hi };
			if (c.n == first) {
				row[c.n].label = labels.p + from[k];
				row[c.n].nlabel = from[k + 1] - from[k];
			}
			c.n++;
		}
	figures_title(whole->name, title);
	if (drawn < s->n)
		page_figure(p, "%s by %s, the %zu weakest of %zu; the line is the value of all items", title, by, drawn, s->n);
	else
		page_figure(p, "%s by %s, weakest first; the line is the value of all items", title, by);
	page_legend(p, s->name, s->nin);
	c.id = p->id;
	c.title = title;
	c.desc = "One row for each slice: dots with 95% intervals. The numbers stand in the table below.";
	svg_ranges(&p->body, &c);
	page_figure_end(p);
	mem_free(row);
	mem_free(from);
	buf_free(&labels);
}

static void table(struct slices *s, const struct figure *whole, const char *by)
{
	struct page *p = &s->r->page;
	char title[64];

	figures_title(whole->name, title);
	page_details(p, "Table: %s of all %zu slices", title, s->n);
	page_table(p, "Slices");
	page_head(p, by, false);
	page_head(p, "Items", true);
	for (size_t i = 0; i < s->nin; i++) {
		page_head(p, s->nin > 1 ? s->name[i] : title, true);
		page_head(p, "95% low", true);
		page_head(p, "95% high", true);
	}
	for (size_t k = 0; k < s->n; k++) {
		page_row(p);
		page_cell_text(p, s->slice[k].name, s->slice[k].n);
		page_number(p, 0, s->slice[k].items);
		for (size_t i = 0; i < s->nin; i++) {
			struct figure f = { .v = NAN, .lo = NAN, .hi = NAN };

			figure_of(s->r, s->in[i], &s->slice[k], whole->name, &f);
			page_number(p, figures_places(whole), f.v);
			page_number(p, figures_places(whole), f.lo);
			page_number(p, figures_places(whole), f.hi);
		}
	}
	page_table_end(p);
	page_details_end(p);
}

static const char *by_of(const struct report_input *in)
{
	const struct json *by = json_get(in->doc, "by");

	return by && by->type == JSON_STR ? by->s : "slice";
}

/* A figure by slice; those after the first are folded. */
static void one(struct slices *s, const struct figure *whole, const char *by, bool fold)
{
	char title[64];

	figures_title(whole->name, title);
	if (fold)
		page_details(&s->r->page, "%s by %s", title, by);
	picture(s, whole, by);
	table(s, whole, by);
	if (fold)
		page_details_end(&s->r->page);
}

/* The first value of each metric. */
static void draw(struct slices *s)
{
	const struct report_input *last = s->in[s->nin - 1];
	const char *metric = "", *by = by_of(last);
	size_t n, drawn = 0;
	struct figure *f = figures_read(json_get(last->doc, "metrics"), &s->r->arena, &n);

	for (size_t k = 0; k < n; k++) {
		if (strcmp(f[k].metric, metric) == 0)
			continue;
		metric = f[k].metric;
		read_slices(s, f[k].name);
		if (s->n)
			one(s, &f[k], by, drawn++ > 0);
		mem_free(s->slice);
	}
}

void report_slices(struct report *r)
{
	size_t count = report_count(r, INPUT_METRICS);
	struct slices s = { .r = r };
	const char *by = NULL;

	s.in = mem_new((count + 1) * sizeof *s.in);
	s.name = mem_new((count + 1) * sizeof *s.name);
	for (size_t k = 0; k < count; k++) {
		const struct report_input *in = report_nth(r, INPUT_METRICS, k);

		if (groups(in) == NULL || (by && strcmp(by, by_of(in)) != 0))
			continue;
		by = by_of(in);
		s.name[s.nin] = in->name;
		s.in[s.nin++] = in;
	}
	if (s.nin) {
		page_section(&r->page, "slices", "Slices");
		draw(&s);
	}
	mem_free(s.in);
	mem_free(s.name);
}
