/* SPDX-License-Identifier: Apache-2.0 */
/* Weak slices: what `sft eval errors --json` ranks. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "figures.h"
#include "report.h"
#include "svgrange.h"

enum { MAX_DRAWN = 20, MAX_SAID = 3 };

static const struct json *slices_of(const struct json *doc)
{
	const struct json *s = json_get(doc, "slices");

	return s && s->type == JSON_ARR && s->n ? s : NULL;
}

/* More failures than chance explains, over all slices together? */
static bool is_weak(const struct json *slice)
{
	return figures_number(slice, "p_holm") < 0.05 && figures_number(slice, "excess") > 0;
}

static void say(struct report *r, const struct json *doc, const struct json *slices)
{
	struct buf list = { 0 };
	size_t n = 0;

	for (size_t k = 0; k < slices->n; k++) {
		const struct json *s = &slices->item[k], *name = figures_text(s, "slice");

		if (!is_weak(s))
			continue;
		if (n++ >= MAX_SAID)
			continue;
		buf_str(&list, n > 1 ? "; " : "");
		buf_add(&list, name->s, name->n);
		buf_fmt(&list, " (%.0f of %.0f wrong)", figures_number(s, "errors"), figures_number(s, "n"));
	}
	if (n)
		page_say(&r->page, SAY_BAD, "Weak slices, beyond chance (Holm): %s%s; all items: %.1f%% wrong", list.p,
			 n > MAX_SAID ? " and more" : "", 100 * figures_number(doc, "error_rate"));
	else
		page_say(&r->page, SAY_NOTE,
			 "No slice of %zu fails more often than chance explains (Holm); all items: %.1f%% wrong", slices->n,
			 100 * figures_number(doc, "error_rate"));
	buf_free(&list);
}

static void picture(struct report *r, const struct json *doc, const struct json *slices)
{
	size_t n = slices->n < MAX_DRAWN ? slices->n : MAX_DRAWN;
	struct range_row *row = mem_new((n + 1) * sizeof *row);
	char(*note)[96] = mem_new((n + 1) * sizeof *note);
	struct range_chart c = { .row = row,
				 .n = n,
				 .lo = 0,
				 .hi = 1,
				 .mark = figures_number(doc, "error_rate"),
				 .mark_name = "all",
				 .dots = true,
				 .places = 3,
				 .title = "Error rates by slice" };

	for (size_t k = 0; k < n; k++) {
		const struct json *s = &slices->item[k], *name = figures_text(s, "slice");

		row[k] = (struct range_row){ name->s, name->n, is_weak(s) ? 1 : 0, figures_number(s, "error_rate"), NAN,
					     NAN,     note[k] };
		figures_range(s, "error_rate_ci", &row[k].lo, &row[k].hi);
		snprintf(note[k], sizeof note[k], "%.0f of %.0f%s", figures_number(s, "errors"), figures_number(s, "n"),
			 is_weak(s) ? ", weak" : "");
	}
	page_figure(
		&r->page,
		"Error rates of the %zu slices with the most failures in excess of the average; squares are weak beyond chance",
		n);
	c.id = r->page.id;
	c.desc = "One row for each slice: its error rate with a 95% interval; the line is the rate of all items.";
	svg_ranges(&r->page.body, &c);
	page_figure_end(&r->page);
	mem_free(row);
	mem_free(note);
}

static void table(struct report *r, const struct json *slices)
{
	struct page *p = &r->page;
	char text[16];

	page_details(p, "Table: all %zu slices", slices->n);
	page_table(p, "Slices by failures in excess");
	page_head(p, "Slice", false);
	page_head(p, "Items", true);
	page_head(p, "Wrong", true);
	page_head(p, "Rate", true);
	page_head(p, "In excess", true);
	page_head(p, "p", true);
	page_head(p, "p (Holm)", true);
	for (size_t k = 0; k < slices->n; k++) {
		const struct json *s = &slices->item[k], *name = figures_text(s, "slice");

		page_row(p);
		page_cell_text(p, name->s, name->n);
		page_number(p, 0, figures_number(s, "n"));
		page_number(p, 0, figures_number(s, "errors"));
		page_number(p, 3, figures_number(s, "error_rate"));
		page_number(p, 1, figures_number(s, "excess"));
		figures_p(figures_number(s, "p_value"), text);
		page_cell(p, true, "%s", text);
		figures_p(figures_number(s, "p_holm"), text);
		page_cell(p, true, "%s", text);
	}
	page_table_end(p);
	page_details_end(p);
}

/* Failures in slices that fail more often than the average. */
static void examples(struct report *r, const struct json *slices, int64_t most)
{
	static const char *const keys[] = { "id", "input", "reference", "prediction" };
	struct page *p = &r->page;
	int64_t n = 0;

	for (size_t k = 0; k < slices->n && n < most; k++) {
		const struct json *ex = json_get(&slices->item[k], "examples"), *name = figures_text(&slices->item[k], "slice");

		if (ex == NULL || ex->type != JSON_ARR || !(figures_number(&slices->item[k], "excess") > 0))
			continue;
		for (size_t i = 0; i < ex->n && n < most; i++) {
			if (n++ == 0) {
				page_details(p, "Failures in these slices");
				page_table(p, "Failures");
				page_head(p, "Slice", false);
				page_head(p, "Item", false);
				page_head(p, "Input", false);
				page_head(p, "Reference", false);
				page_head(p, "Prediction", false);
			}
			page_row(p);
			page_cell_text(p, name->s, name->n);
			for (size_t c = 0; c < sizeof keys / sizeof *keys; c++)
				page_cell_json(p, json_get(&ex->item[i], keys[c]));
		}
	}
	if (n) {
		page_table_end(p);
		page_details_end(p);
	}
}

void report_errors(struct report *r)
{
	size_t count = report_count(r, INPUT_ERRORS);

	for (size_t k = 0; k < count; k++) {
		const struct report_input *in = report_nth(r, INPUT_ERRORS, k);
		const struct json *slices = slices_of(in->doc);

		if (k == 0)
			page_section(&r->page, "errors", "Weak slices");
		if (count > 1)
			page_subheading(&r->page, "%s", in->name);
		page_para(&r->page, "muted", "%.0f of %.0f items are wrong (%.1f%%).", figures_number(in->doc, "errors"),
			  figures_number(in->doc, "n"), 100 * figures_number(in->doc, "error_rate"));
		if (slices == NULL)
			continue;
		say(r, in->doc, slices);
		picture(r, in->doc, slices);
		table(r, slices);
		examples(r, slices, r->o->examples);
	}
}
