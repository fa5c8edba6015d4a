/* SPDX-License-Identifier: Apache-2.0 */
/* Agreement round by round: `sft eval agree history --json`. */
#include <math.h>
#include <string.h>

#include "figures.h"
#include "report.h"
#include "svgrange.h"

struct merges { /* of all rounds, in order */
	const struct json **merge;
	struct buf *name; /* "round1, merge 2" */
	size_t n, cap;
};

static void gather(const struct json *doc, struct merges *m)
{
	const struct json *rounds = figures_list(doc, "rounds");

	memset(m, 0, sizeof *m);
	for (size_t k = 0; k < rounds->n; k++) {
		const struct json *name = json_get(&rounds->item[k], "round"), *list = figures_list(&rounds->item[k], "merges");

		for (size_t i = 0; i < list->n; i++) {
			if (m->n == m->cap) {
				m->cap = m->cap ? 2 * m->cap : 8;
				m->merge = mem_grow(m->merge, m->cap, sizeof *m->merge);
				m->name = mem_grow(m->name, m->cap, sizeof *m->name);
			}
			m->merge[m->n] = &list->item[i];
			m->name[m->n] = (struct buf){ 0 };
			if (name && name->type == JSON_STR)
				buf_add(&m->name[m->n], name->s, name->n);
			buf_fmt(&m->name[m->n], list->n > 1 ? ", merge %zu" : "", i + 1);
			m->n++;
		}
	}
}

static void picture(struct report *r, const struct merges *m)
{
	struct range_row *row = mem_new((m->n + 1) * sizeof *row);
	struct range_chart c = { .row = row,
				 .n = m->n,
				 .lo = 0,
				 .hi = 1,
				 .mark = figures_number(m->merge[m->n - 1], "min"),
				 .mark_name = "gate",
				 .places = 3,
				 .title = "Agreement round by round" };

	for (size_t k = 0; k < m->n; k++) {
		const struct json *x = m->merge[k];
		double v = figures_number(x, "value");

		row[k] = (struct range_row){ m->name[k].p, m->name[k].n, 0,   isnan(v) ? figures_number(x, "krippendorff") : v,
					     NAN,          NAN,          NULL };
	}
	page_figure(&r->page,
		    "Agreement round by round: the gate's coefficient, or Krippendorff's alpha where there was no gate");
	c.id = r->page.id;
	c.desc = "A bar for each merge. The numbers stand in the table below.";
	svg_ranges(&r->page.body, &c);
	page_figure_end(&r->page);
	mem_free(row);
}

static void table(struct report *r, const struct merges *m)
{
	static const struct {
		const char *key, *head;
		int places;
	} columns[] = {
		{ "items", "Items", 0 },        { "ratings", "Ratings", 0 },
		{ "missing", "Missing", 0 },    { "percent_agreement", "Agreement", 3 },
		{ "light", "Cohen", 3 },        { "fleiss", "Fleiss", 3 },
		{ "krippendorff", "Alpha", 3 }, { "disagreements", "Split", 0 },
		{ "resolved", "Settled", 0 },   { "tie", "Ties", 0 },
	};
	enum { COLUMNS = sizeof columns / sizeof *columns };
	struct page *p = &r->page;

	page_table(p, "Rounds");
	page_head(p, "Round", false);
	for (size_t c = 0; c < COLUMNS; c++)
		page_head(p, columns[c].head, true);
	for (size_t k = 0; k < m->n; k++) {
		page_row(p);
		page_cell_text(p, m->name[k].p ? m->name[k].p : "", m->name[k].n);
		for (size_t c = 0; c < COLUMNS; c++)
			page_number(p, columns[c].places, figures_number(m->merge[k], columns[c].key));
	}
	page_table_end(p);
}

void report_rounds(struct report *r)
{
	size_t count = report_count(r, INPUT_ROUNDS);
	struct merges m;

	for (size_t k = 0; k < count; k++) {
		if (k == 0)
			page_section(&r->page, "rounds", "Rounds of annotation");
		gather(report_nth(r, INPUT_ROUNDS, k)->doc, &m);
		if (m.n) {
			picture(r, &m);
			table(r, &m);
		} else {
			page_para(&r->page, "muted", "No labels have been merged yet.");
		}
		for (size_t i = 0; i < m.n; i++)
			buf_free(&m.name[i]);
		mem_free(m.merge);
		mem_free(m.name);
	}
}
