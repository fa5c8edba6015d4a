/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics of one or several files, side by side. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "figures.h"
#include "report.h"
#include "svgrange.h"

struct side { /* one file */
	const struct report_input *in;
	struct figure *f;
	size_t n;
	double items;
};

struct sides {
	struct side *s;
	const char **name;
	size_t n;
	const struct figure **all; /* the first of each name, in order */
	size_t nall, cap;
};

static void gather(struct report *r, struct sides *x)
{
	size_t count = report_count(r, INPUT_METRICS);

	memset(x, 0, sizeof *x);
	x->s = mem_new((count + 1) * sizeof *x->s);
	x->name = mem_new((count + 1) * sizeof *x->name);
	for (size_t k = 0; k < count; k++) {
		const struct report_input *in = report_nth(r, INPUT_METRICS, k);
		struct side *s = &x->s[x->n];

		s->in = in;
		s->f = figures_read(json_get(in->doc, "metrics"), &r->arena, &s->n);
		s->items = figures_number(in->doc, "n");
		if (s->n == 0)
			continue; /* agreement alone */
		x->name[x->n++] = in->name;
		for (size_t i = 0; i < s->n; i++) {
			bool known = false;

			for (size_t j = 0; j < x->nall; j++)
				known |= strcmp(x->all[j]->name, s->f[i].name) == 0;
			if (known)
				continue;
			ARRAY_ROOM(x->all, x->nall, x->cap);
			x->all[x->nall++] = &s->f[i];
		}
	}
}

static void release(struct sides *x)
{
	mem_free(x->s);
	mem_free(x->name);
	mem_free(x->all);
}

/* --- one picture: the values from FIRST to LAST, which share a metric and a scale --- */

struct rows {
	struct range_row *row;
	char (*title)[64];
	size_t n;
};

static struct rows rows_of(const struct sides *x, size_t first, size_t last)
{
	struct rows rows = { mem_new((last - first) * x->n * sizeof *rows.row), mem_new((last - first) * sizeof *rows.title), 0 };

	for (size_t k = first; k < last; k++) {
		bool head = true;

		figures_title(x->all[k]->name, rows.title[k - first]);
		if (x->all[k]->lower)
			strncat(rows.title[k - first], " \xe2\x86\x93", 63 - strlen(rows.title[k - first]));
		for (size_t i = 0; i < x->n; i++) {
			const struct figure *f = figures_find(x->s[i].f, x->s[i].n, x->all[k]->name);

			if (f == NULL)
				continue;
			rows.row[rows.n] = (struct range_row){ .series = (unsigned)i, .v = f->v, .lo = f->lo, .hi = f->hi };
			if (head) {
				rows.row[rows.n].label = rows.title[k - first];
				rows.row[rows.n].nlabel = strlen(rows.title[k - first]);
			}
			rows.n++;
			head = false;
		}
	}
	return rows;
}

static void picture(struct report *r, const struct sides *x, size_t first, size_t last)
{
	const struct figure *f = x->all[first];
	struct rows rows = rows_of(x, first, last);
	struct range_chart c = { .row = rows.row,
				 .n = rows.n,
				 .lo = NAN,
				 .hi = f->scale == FIGURE_UNIT ? 1 : NAN,
				 .mark = NAN,
				 .places = figures_places(f),
				 .title = f->metric };

	page_figure(&r->page, "%s%s%s", f->scale == FIGURE_FREE ? rows.title[0] : f->metric,
		    isfinite(f->lo) ? ", with 95% intervals" : "", f->lower ? "; \xe2\x86\x93: less is better" : "");
	page_legend(&r->page, x->name, x->n);
	c.id = r->page.id;
	c.desc = "Bars, one for each value and file; the numbers stand in the table of all values below.";
	svg_ranges(&r->page.body, &c);
	page_figure_end(&r->page);
	mem_free(rows.row);
	mem_free(rows.title);
}

/* --- all values --- */

static void table(struct report *r, const struct sides *x)
{
	struct page *p = &r->page;
	char title[64];

	page_details(p, "Table: all values");
	page_table(p, "All values");
	page_head(p, "Metric", false);
	page_head(p, "Value", false);
	if (x->n > 1)
		page_head(p, "File", false);
	page_head(p, "Score", true);
	page_head(p, "95% low", true);
	page_head(p, "95% high", true);
	page_head(p, "Items", true);
	for (size_t k = 0; k < x->nall; k++)
		for (size_t i = 0; i < x->n; i++) {
			const struct figure *f = figures_find(x->s[i].f, x->s[i].n, x->all[k]->name);

			if (f == NULL)
				continue;
			figures_title(f->name, title);
			page_row(p);
			page_cell(p, false, "%s", f->metric);
			page_cell(p, false, "%s", title);
			if (x->n > 1)
				page_cell(p, false, "%s", x->name[i]);
			page_number(p, figures_places(f) + 1, f->v);
			page_number(p, figures_places(f) + 1, f->lo);
			page_number(p, figures_places(f) + 1, f->hi);
			page_number(p, 0, x->s[i].items);
		}
	page_table_end(p);
	page_details_end(p);
}

/* How each figure was computed: the signatures. */
static void signatures(struct report *r, const struct sides *x)
{
	struct page *p = &r->page;

	page_details(p, "How it was computed");
	page_table(p, "Signatures");
	page_head(p, "File", false);
	page_head(p, "Metric", false);
	page_head(p, "Signature", false);
	for (size_t i = 0; i < x->n; i++) {
		const struct json *s = json_get(x->s[i].in->doc, "signature");

		for (size_t k = 0; s && s->type == JSON_OBJ && k < s->n; k++) {
			const struct json *v = &s->member[k].value;

			page_row(p);
			page_cell(p, false, "%s", x->name[i]);
			page_cell(p, false, "%s", s->member[k].key);
			page_cell_json(p, v);
		}
	}
	page_table_end(p);
	page_details_end(p);
}

/* --- in short --- */

static void interval(char to[64], const struct figure *f, int places)
{
	if (isfinite(f->lo) && isfinite(f->hi))
		snprintf(to, 64, " [%.*f, %.*f]", places, f->lo, places, f->hi);
	else
		to[0] = '\0';
}

/* First file against last; nothing is tested: the items are not at hand. */
static void say_change(struct report *r, const struct sides *x, const struct figure *a, const struct figure *b)
{
	bool apart = isfinite(a->lo) && isfinite(b->lo) && (a->hi < b->lo || b->hi < a->lo);
	double d = b->v - a->v;
	enum verdict v = !apart ? SAY_NOTE : (d < 0) == a->lower ? SAY_GOOD : SAY_BAD;
	int places = figures_places(a);
	char title[64], ia[64], ib[64];

	figures_title(a->name, title);
	interval(ia, a, places);
	interval(ib, b, places);
	page_say(&r->page, v, "%s: %.*f%s (%s), %.*f%s (%s): %+.*f%s", title, places, a->v, ia, x->name[0], places, b->v, ib,
		 x->name[x->n - 1], places, d,
		 apart             ? "; the intervals do not overlap"
		 : isfinite(a->lo) ? "; the intervals overlap"
				   : "");
}

static void say(struct report *r, const struct sides *x)
{
	const char *last = "";
	char title[64], ci[64];

	for (size_t k = 0; k < x->nall; k++) {
		const struct figure *f = x->all[k], *a, *b;

		if (strcmp(f->metric, last) == 0)
			continue; /* the first value of a metric speaks for it */
		last = f->metric;
		a = figures_find(x->s[0].f, x->s[0].n, f->name);
		b = figures_find(x->s[x->n - 1].f, x->s[x->n - 1].n, f->name);
		if (x->n > 1 && a && b) {
			if (report_count(r, INPUT_COMPARE) == 0)
				say_change(r, x, a, b);
			continue;
		}
		figures_title(f->name, title);
		interval(ci, f, figures_places(f));
		page_say(&r->page, SAY_NOTE, "%s: %.*f%s", title, figures_places(f), f->v, ci);
	}
}

void report_metrics(struct report *r)
{
	struct sides x;

	gather(r, &x);
	if (x.n > 0) {
		say(r, &x);
		page_section(&r->page, "metrics", "Metrics");
		for (size_t k = 0, to; k < x.nall; k = to) {
			const struct figure *f = x.all[k];

			for (to = k + 1; to < x.nall && f->scale != FIGURE_FREE && x.all[to]->scale == f->scale &&
					 strcmp(x.all[to]->metric, f->metric) == 0;)
				to++;
			picture(r, &x, k, to);
		}
		table(r, &x);
		signatures(r, &x);
	}
	release(&x);
}
