/* SPDX-License-Identifier: Apache-2.0 */
/* Before and after: the differences of `sft eval compare --json`. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "figures.h"
#include "report.h"
#include "svgrange.h"

enum { MAX_IDS = 200 };

struct difference {
	const char *metric, *name;
	double a, b, a_lo, a_hi, b_lo, b_hi, d, lo, hi, p, holm;
};

static struct difference difference_of(const char *metric, const struct json_member *m)
{
	struct difference x = { .metric = metric, .name = m->key };
	const struct json *v = &m->value;

	x.a = figures_number(v, "a");
	x.b = figures_number(v, "b");
	x.d = figures_number(v, "difference");
	x.p = figures_number(v, "p_value");
	x.holm = figures_number(v, "p_holm");
	figures_range(v, "a_ci", &x.a_lo, &x.a_hi);
	figures_range(v, "b_ci", &x.b_lo, &x.b_hi);
	figures_range(v, "difference_ci", &x.lo, &x.hi);
	return x;
}

static double p_of(const struct difference *x)
{
	return isnan(x->holm) ? x->p : x->holm;
}

/* Better: 1; worse: -1; nothing that the interval and the test are sure of: 0. */
static int outcome(const struct difference *x)
{
	bool sure = x->lo > 0 || x->hi < 0;

	if (isnan(x->lo))
		sure = p_of(x) < 0.05;
	if (!sure || x->d == 0 || isnan(x->d))
		return 0;
	return (x->d < 0) == figures_lower(x->name) ? 1 : -1;
}

/* --- names --- */

/* What a system is called: as its predictions are, where they are in the report too, else by the last part of its path. */
static const char *system_name(const struct report *r, const char *path)
{
	const char *slash = strrchr(path, '/');

	for (size_t k = 0; k < r->n; k++)
		if (r->in[k].kind == INPUT_PREDICTIONS && strcmp(r->in[k].path, path) == 0)
			return r->in[k].name;
	return slash && slash[1] ? slash + 1 : path;
}

/* --- one comparison --- */

static void say(struct report *r, const char *a, const char *b, const struct difference *x)
{
	static const char *const word[] = { "worse", "no difference beyond chance", "better" };
	enum verdict verdict[] = { SAY_BAD, SAY_NOTE, SAY_GOOD };
	int k = outcome(x) + 1, places = figures_scale(x->name) == FIGURE_UNIT ? 3 : 2;
	char title[64], p[16];

	figures_title(x->name, title);
	figures_p(p_of(x), p);
	page_say(&r->page, verdict[k], "%s: %.*f (%s) to %.*f (%s), %+.*f [%+.*f, %+.*f], p %s%s: %s", title, places, x->a, a,
		 places, x->b, b, places, x->d, places, x->lo, places, x->hi, p[0] == '<' ? "" : "= ", p, word[k]);
}

/* The differences of one scale around the line of no difference. */
static void picture(struct report *r, const struct difference *d, size_t n, enum figure_scale scale, const char *a, const char *b)
{
	struct range_row *row = mem_new((n + 1) * sizeof *row);
	char(*title)[64] = mem_new((n + 1) * sizeof *title);
	struct range_chart c = { .row = row,
				 .lo = NAN,
				 .hi = NAN,
				 .mark = 0,
				 .mark_name = "no difference",
				 .dots = true,
				 .sign = true,
				 .places = scale == FIGURE_UNIT ? 3 : 2,
				 .title = "Differences" };
	bool lower = false;

	for (size_t k = 0; k < n; k++) {
		if (figures_scale(d[k].name) != scale)
			continue;
		figures_title(d[k].name, title[c.n]);
		lower |= figures_lower(d[k].name);
		if (figures_lower(d[k].name))
			strncat(title[c.n], " \xe2\x86\x93", 63 - strlen(title[c.n]));
		row[c.n] =
			(struct range_row){ title[c.n], strlen(title[c.n]), outcome(&d[k]) < 0 ? 1 : 0, d[k].d, d[k].lo, d[k].hi,
					    NULL };
		c.n++;
	}
	if (c.n) {
		page_figure(&r->page, "%s minus %s, with 95%% intervals%s", b, a, lower ? "; \xe2\x86\x93: less is better" : "");
		c.id = r->page.id;
		c.desc = "One row for each value: the difference and its interval. The numbers stand in the table below.";
		svg_ranges(&r->page.body, &c);
		page_figure_end(&r->page);
	}
	mem_free(row);
	mem_free(title);
}

static void range_cell(struct page *p, int places, double lo, double hi)
{
	if (isnan(lo))
		page_cell(p, true, "-");
	else
		page_cell(p, true, "%.*f..%.*f", places, lo, places, hi);
}

static void values_table(struct report *r, const struct difference *d, size_t n, const char *a, const char *b)
{
	struct page *p = &r->page;
	bool holm = n && !isnan(d[0].holm);
	char title[64], text[16];

	page_table(p, "Differences");
	page_head(p, "Value", false);
	page_head(p, a, true);
	page_head(p, "95%", true);
	page_head(p, b, true);
	page_head(p, "95%", true);
	page_head(p, "Difference", true);
	page_head(p, "95%", true);
	page_head(p, "p", true);
	if (holm)
		page_head(p, "p (Holm)", true);
	for (size_t k = 0; k < n; k++) {
		int places = figures_scale(d[k].name) == FIGURE_UNIT ? 4 : 2;

		figures_title(d[k].name, title);
		page_row(p);
		page_cell(p, false, "%s", title);
		page_number(p, places, d[k].a);
		range_cell(p, places, d[k].a_lo, d[k].a_hi);
		page_number(p, places, d[k].b);
		range_cell(p, places, d[k].b_lo, d[k].b_hi);
		page_cell(p, true, "%+.*f", places, d[k].d);
		range_cell(p, places, d[k].lo, d[k].hi);
		figures_p(d[k].p, text);
		page_cell(p, true, "%s", text);
		figures_p(d[k].holm, text);
		if (holm)
			page_cell(p, true, "%s", text);
	}
	page_table_end(p);
}

static void contests(struct report *r, const struct json *metrics)
{
	struct page *p = &r->page;
	char text[16];

	page_table(p, "Item by item");
	page_head(p, "Item by item", false);
	page_head(p, "Better", true);
	page_head(p, "Alike", true);
	page_head(p, "Worse", true);
	page_head(p, "Odds ratio", true);
	page_head(p, "McNemar p", true);
	for (size_t k = 0; k < metrics->n; k++) {
		const struct json *m = &metrics->member[k].value;

		page_row(p);
		page_cell(p, false, "%s", metrics->member[k].key);
		page_number(p, 0, figures_number(m, "win"));
		page_number(p, 0, figures_number(m, "tie"));
		page_number(p, 0, figures_number(m, "loss"));
		page_number(p, 2, figures_number(m, "odds_ratio"));
		figures_p(figures_number(m, "mcnemar_p"), text);
		page_cell(p, true, "%s", text);
	}
	page_table_end(p);
}

/* Items that changed sides, by id. */
static void changed(struct report *r, const struct json *doc, const char *key, const char *what)
{
	const struct json *ids = json_get(doc, key);
	struct page *p = &r->page;

	if (ids == NULL || ids->type != JSON_ARR || ids->n == 0)
		return;
	page_details(p, "%s: %zu", what, ids->n);
	buf_str(&p->body, "<ul class=\"ids\">");
	for (size_t k = 0; k < ids->n && k < MAX_IDS; k++) {
		const struct json *v = &ids->item[k];

		buf_str(&p->body, "<li>");
		page_text(&p->body, v->type == JSON_STR ? v->s : v->raw, v->type == JSON_STR ? v->n : v->nraw);
		buf_str(&p->body, "</li>\n");
	}
	buf_str(&p->body, "</ul>\n");
	if (ids->n > MAX_IDS)
		page_para(p, "muted", "... and %zu more.", ids->n - MAX_IDS);
	page_details_end(p);
}

static void one(struct report *r, const struct json *doc, const char *a)
{
	const struct json *metrics = json_get(doc, "metrics");
	const char *b = system_name(r, figures_text(doc, "b")->s);
	struct difference *d = NULL;
	size_t n = 0, cap = 0;

	if (metrics == NULL || metrics->type != JSON_OBJ)
		return;
	for (size_t k = 0; k < metrics->n; k++) {
		const struct json *values = json_get(&metrics->member[k].value, "values");

		for (size_t v = 0; values && values->type == JSON_OBJ && v < values->n; v++) {
			ARRAY_ROOM(d, n, cap);
			d[n] = difference_of(metrics->member[k].key, &values->member[v]);
			if (v == 0)
				say(r, a, b, &d[n]);
			n++;
		}
	}
	page_subheading(&r->page, "%s, then %s", a, b);
	for (int scale = FIGURE_UNIT; scale <= FIGURE_FREE; scale++)
		picture(r, d, n, (enum figure_scale)scale, a, b);
	page_details(&r->page, "Table: all differences");
	values_table(r, d, n, a, b);
	page_details_end(&r->page);
	contests(r, metrics);
	changed(r, doc, "regressions", "Right before, wrong now");
	changed(r, doc, "gains", "Wrong before, right now");
	mem_free(d);
}

void report_compare(struct report *r)
{
	for (size_t k = 0; k < report_count(r, INPUT_COMPARE); k++) {
		const struct json *doc = report_nth(r, INPUT_COMPARE, k)->doc, *several = json_get(doc, "comparisons");
		const char *a = system_name(r, figures_text(doc, "a")->s);

		if (k == 0)
			page_section(&r->page, "compare", "Before and after");
		page_para(&r->page, "muted", "%.0f items that all systems answered.", figures_number(doc, "n"));
		if (several == NULL)
			one(r, doc, a);
		for (size_t b = 0; several && several->type == JSON_ARR && b < several->n; b++)
			one(r, &several->item[b], a);
	}
}
