/* SPDX-License-Identifier: Apache-2.0 */
/* Does a system know how sure it may be?  The metric calibration: accuracy by confidence. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "figures.h"
#include "report.h"
#include "stats.h"
#include "svgcurve.h"

enum { MAX_BINS = 100 };

struct bins { /* of one file: those that hold items */
	double confidence[MAX_BINS], accuracy[MAX_BINS], lo[MAX_BINS], hi[MAX_BINS], n[MAX_BINS], size[MAX_BINS];
	size_t used;
};

static const struct json *calibration_of(const struct report_input *in)
{
	return json_get(json_get(in->doc, "metrics"), "calibration");
}

static const struct json *bins_of(const struct report_input *in)
{
	const struct json *b = json_get(calibration_of(in), "bins");

	return b && b->type == JSON_ARR && b->n && b->n <= MAX_BINS ? b : NULL;
}

static void read_bins(const struct json *list, struct bins *b)
{
	double all = 0;

	b->used = 0;
	for (size_t k = 0; k < list->n; k++) {
		const struct json *x = &list->item[k];
		double n = figures_number(x, "n"), a = figures_number(x, "accuracy");
		size_t at = b->used;

		if (!(n > 0))
			continue;
		b->confidence[at] = figures_number(x, "confidence");
		b->accuracy[at] = a;
		b->n[at] = n;
		stats_wilson(a * n, n, &b->lo[at], &b->hi[at]);
		all += n;
		b->used++;
	}
	for (size_t k = 0; k < b->used; k++)
		b->size[k] = 3 + 9 * sqrt(b->n[k] / all); /* its area tells how many items it stands for */
}

struct files {
	const struct report_input **in;
	const char **name;
	struct bins *b;
	size_t n;
};

static void reliability(struct report *r, const struct files *f)
{
	struct curve *curve = mem_new(f->n * sizeof *curve);
	struct curve_chart c = { .curve = curve,
				 .n = f->n,
				 .xname = "confidence",
				 .yname = "accuracy",
				 .title = "Reliability",
				 .unit = true,
				 .desc = "Accuracy of the answers of each bin of confidence. On the diagonal confidence is "
					 "right; below it the system is too sure." };

	for (size_t k = 0; k < f->n; k++)
		curve[k] = (struct curve){ .series = (unsigned)k,
					   .x = f->b[k].confidence,
					   .y = f->b[k].accuracy,
					   .lo = f->b[k].lo,
					   .hi = f->b[k].hi,
					   .n = f->b[k].used,
					   .size = f->b[k].size,
					   .points = true,
					   .loose = true };
	page_figure(&r->page, "Accuracy by confidence, with 95%% intervals; larger marks stand for more items; below the "
			      "diagonal a system is too sure");
	page_legend(&r->page, f->name, f->n);
	c.id = r->page.id;
	svg_curves(&r->page.body, &c);
	page_figure_end(&r->page);
	mem_free(curve);
}

static void histogram(struct report *r, const struct files *f)
{
	size_t bins = bins_of(f->in[0])->n;
	struct column_chart c = { .title = "Confidence",
				  .xname = "confidence",
				  .yname = "items",
				  .from = 0,
				  .to = 1,
				  .bins = bins,
				  .nseries = f->n,
				  .desc = "How many answers have which confidence." };
	double *v = mem_new(f->n * bins * sizeof *v);

	for (size_t k = 0; k < f->n; k++) {
		const struct json *b = bins_of(f->in[k]);

		for (size_t i = 0; i < b->n && i < bins; i++)
			v[k * bins + i] = figures_number(&b->item[i], "n");
	}
	c.v = v;
	page_figure(&r->page, "How many answers have which confidence");
	c.id = r->page.id;
	svg_columns(&r->page.body, &c);
	page_figure_end(&r->page);
	mem_free(v);
}

static void table(struct report *r, const struct files *f)
{
	struct page *p = &r->page;

	page_details(p, "Table: bins of confidence");
	page_table(p, "Bins of confidence");
	page_head(p, "File", false);
	page_head(p, "Mean confidence", true);
	page_head(p, "Accuracy", true);
	page_head(p, "95% low", true);
	page_head(p, "95% high", true);
	page_head(p, "Items", true);
	for (size_t k = 0; k < f->n; k++)
		for (size_t i = 0; i < f->b[k].used; i++) {
			page_row(p);
			page_cell(p, false, "%s", f->name[k]);
			page_number(p, 3, f->b[k].confidence[i]);
			page_number(p, 3, f->b[k].accuracy[i]);
			page_number(p, 3, f->b[k].lo[i]);
			page_number(p, 3, f->b[k].hi[i]);
			page_number(p, 0, f->b[k].n[i]);
		}
	page_table_end(p);
	page_details_end(p);
}

/* Mean confidence against accuracy. */
static void say(struct report *r, const struct files *f)
{
	const struct report_input *in = f->in[f->n - 1];
	double mean = figures_number(calibration_of(in), "mean_confidence"),
	       right = figures_number(calibration_of(in), "mean_accuracy");

	if (isnan(mean) || isnan(right))
		return;
	if (mean > right + 0.05)
		page_say(&r->page, SAY_BAD, "%s is too sure of itself: mean confidence %.2f, accuracy %.2f", in->name, mean,
			 right);
	else if (mean < right - 0.05)
		page_say(&r->page, SAY_NOTE, "%s is less sure than it may be: mean confidence %.2f, accuracy %.2f", in->name,
			 mean, right);
}

void report_calibration(struct report *r)
{
	size_t count = report_count(r, INPUT_METRICS);
	struct files f = { mem_new((count + 1) * sizeof *f.in), mem_new((count + 1) * sizeof *f.name),
			   mem_new((count + 1) * sizeof *f.b), 0 };

	for (size_t k = 0; k < count; k++) {
		const struct report_input *in = report_nth(r, INPUT_METRICS, k);

		if (bins_of(in) == NULL)
			continue;
		f.in[f.n] = in;
		f.name[f.n] = in->name;
		read_bins(bins_of(in), &f.b[f.n++]);
	}
	if (f.n) {
		page_section(&r->page, "calibration", "Calibration");
		buf_str(&r->page.body, "<div class=\"pair\">\n");
		reliability(r, &f);
		histogram(r, &f);
		buf_str(&r->page.body, "</div>\n");
		table(r, &f);
		say(r, &f);
	}
	mem_free(f.in);
	mem_free(f.name);
	mem_free(f.b);
}
