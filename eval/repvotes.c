/* SPDX-License-Identifier: Apache-2.0 */
/* Blind votes: `sft eval ab tally --json`. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "figures.h"
#include "report.h"
#include "svgrange.h"

/* Share of votes for B of a pair, ties left out, from those for A. */
static void share_of_b(const struct json *pair, double *v, double *lo, double *hi)
{
	double a = figures_number(pair, "win_rate_without_ties"), alo, ahi;

	figures_range(pair, "ci95_wilson_without_ties", &alo, &ahi);
	*v = 1 - a;
	*lo = 1 - ahi;
	*hi = 1 - alo;
}

static void say(struct report *r, const struct json *pair)
{
	double v, lo, hi;
	char p[16];
	const char *a = figures_text(pair, "a")->s, *b = figures_text(pair, "b")->s;

	share_of_b(pair, &v, &lo, &hi);
	if (isnan(v))
		return;
	figures_p(figures_number(pair, "sign_test_p"), p);
	if (lo > 0.5 || hi < 0.5)
		page_say(&r->page, SAY_GOOD, "Voters prefer %s to %s: %.0f%% [%.0f%%, %.0f%%] of votes that are no ties, p %s",
			 lo > 0.5 ? b : a, lo > 0.5 ? a : b, 100 * (lo > 0.5 ? v : 1 - v), 100 * (lo > 0.5 ? lo : 1 - hi),
			 100 * (lo > 0.5 ? hi : 1 - lo), p);
	else
		page_say(&r->page, SAY_NOTE,
			 "Voters see no difference beyond chance between %s and %s: %.0f%% [%.0f%%, %.0f%%] for the latter, p %s",
			 a, b, 100 * v, 100 * lo, 100 * hi, p);
}

static void pairs_chart(struct report *r, const struct json *pairs)
{
	struct range_row *row = mem_new((pairs->n + 1) * sizeof *row);
	struct range_chart c = { .row = row,
				 .n = pairs->n,
				 .lo = 0,
				 .hi = 1,
				 .mark = 0.5,
				 .mark_name = "even",
				 .dots = true,
				 .places = 3,
				 .title = "Win rates" };
	struct buf *label = mem_new((pairs->n + 1) * sizeof *label);

	for (size_t k = 0; k < pairs->n; k++) {
		const struct json *x = &pairs->item[k];

		buf_str(&label[k], figures_text(x, "b")->s);
		buf_str(&label[k], " against ");
		buf_str(&label[k], figures_text(x, "a")->s);
		row[k] = (struct range_row){ .label = label[k].p, .nlabel = label[k].n };
		share_of_b(x, &row[k].v, &row[k].lo, &row[k].hi);
	}
	page_figure(&r->page, "Win rates without ties, with 95%% intervals (Wilson)");
	c.id = r->page.id;
	c.desc =
		"A dot for each pair of systems; right of the middle the first named wins. The numbers stand in the table below.";
	svg_ranges(&r->page.body, &c);
	page_figure_end(&r->page);
	for (size_t k = 0; k < pairs->n; k++)
		buf_free(&label[k]);
	mem_free(label);
	mem_free(row);
}

static void pairs_table(struct report *r, const struct json *pairs)
{
	static const char *const counts[] = { "n", "win", "tie", "loss" };
	struct page *p = &r->page;
	char text[16];

	page_table(p, "Pairs of systems");
	page_head(p, "A", false);
	page_head(p, "B", false);
	page_head(p, "Votes", true);
	page_head(p, "A wins", true);
	page_head(p, "Ties", true);
	page_head(p, "B wins", true);
	page_head(p, "Sign test p", true);
	for (size_t k = 0; k < pairs->n; k++) {
		const struct json *x = &pairs->item[k];

		page_row(p);
		page_cell(p, false, "%s", figures_text(x, "a")->s);
		page_cell(p, false, "%s", figures_text(x, "b")->s);
		for (size_t v = 0; v < sizeof counts / sizeof *counts; v++)
			page_number(p, 0, figures_number(x, counts[v]));
		figures_p(figures_number(x, "sign_test_p"), text);
		page_cell(p, true, "%s", text);
	}
	page_table_end(p);
}

/* Strengths of more than two systems. */
static void strengths(struct report *r, const struct json *systems)
{
	struct range_row *row = mem_new((systems->n + 1) * sizeof *row);
	struct range_chart c = { .row = row,
				 .n = systems->n,
				 .lo = NAN,
				 .hi = NAN,
				 .mark = 0,
				 .mark_name = "mean",
				 .dots = true,
				 .sign = true,
				 .places = 2,
				 .title = "Strengths of the systems" };
	bool finite = false;

	for (size_t k = 0; k < systems->n; k++) {
		const struct json *x = &systems->item[k];

		row[k] = (struct range_row){ .label = figures_text(x, "name")->s,
					     .nlabel = strlen(figures_text(x, "name")->s),
					     .v = figures_number(x, "log_strength") };
		figures_range(x, "ci95_log_strength", &row[k].lo, &row[k].hi);
		finite |= isfinite(row[k].v);
	}
	if (systems->n > 2 && finite) {
		page_figure(&r->page, "Strengths of the systems (Bradley and Terry; natural logarithms), with 95%% intervals");
		c.id = r->page.id;
		c.desc = "A dot for each system, the strongest first.";
		svg_ranges(&r->page.body, &c);
		page_figure_end(&r->page);
	}
	mem_free(row);
}

void report_votes(struct report *r)
{
	size_t count = report_count(r, INPUT_VOTES);

	for (size_t k = 0; k < count; k++) {
		const struct report_input *in = report_nth(r, INPUT_VOTES, k);
		const struct json *pairs = figures_list(in->doc, "pairs"), *agreement = json_get(in->doc, "agreement");

		if (k == 0)
			page_section(&r->page, "votes", "Votes");
		if (count > 1)
			page_subheading(&r->page, "%s", in->name);
		page_para(&r->page, "muted",
			  "%.0f votes (voters: %.0f); the left answer won %.0f times, the right one %.0f times, %.0f ties.",
			  figures_number(in->doc, "votes"), figures_number(in->doc, "voters"), figures_number(in->doc, "left"),
			  figures_number(in->doc, "right"), figures_number(in->doc, "tie"));
		for (size_t i = 0; i < pairs->n; i++)
			say(r, &pairs->item[i]);
		pairs_chart(r, pairs);
		pairs_table(r, pairs);
		strengths(r, figures_list(json_get(in->doc, "bradley_terry"), "systems"));
		if (agreement && agreement->type == JSON_OBJ)
			page_para(&r->page, "muted", "Voters agree on %.1f%% of pairs of votes; Krippendorff's alpha %.3f.",
				  100 * figures_number(agreement, "pooled_pairs"),
				  figures_number(agreement, "krippendorff_alpha"));
	}
}
