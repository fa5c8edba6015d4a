/* SPDX-License-Identifier: Apache-2.0 */
/* Which labels are taken for which. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "figures.h"
#include "report.h"
#include "svgheat.h"

enum { MAX_DRAWN = 200, MAX_PAIRS = 20 }; /* labels in the picture; pairs in the table */

struct mistake {
	size_t gold, pred;
	double n, share; /* of the items of the gold label */
};

struct matrix {
	struct heat_name *name;
	double *v, *shade;
	size_t n;
	double wrong;
	struct mistake *m;
	size_t nm;
};

/* A square matrix of counts with as many names as rows? */
static bool is_whole(const struct json *labels, const struct json *rows)
{
	if (labels == NULL || rows == NULL || labels->type != JSON_ARR || rows->type != JSON_ARR || labels->n != rows->n ||
	    labels->n == 0)
		return false;
	for (size_t i = 0; i < rows->n; i++)
		if (labels->item[i].type != JSON_STR || rows->item[i].type != JSON_ARR || rows->item[i].n != rows->n)
			return false;
	return true;
}

static int most_first(const void *a, const void *b)
{
	const struct mistake *x = a, *y = b;

	if (x->n != y->n)
		return x->n > y->n ? -1 : 1;
	if (x->share != y->share)
		return x->share > y->share ? -1 : 1;
	if (x->gold != y->gold)
		return x->gold < y->gold ? -1 : 1;
	return x->pred < y->pred ? -1 : x->pred > y->pred;
}

static void put_row(struct matrix *x, size_t i, const struct json *row, size_t *cap)
{
	double sum = 0;

	for (size_t j = 0; j < x->n; j++)
		sum += x->v[i * x->n + j] = json_double(&row->item[j]);
	for (size_t j = 0; j < x->n; j++) {
		double v = x->v[i * x->n + j];

		x->shade[i * x->n + j] = sum > 0 ? v / sum : 0;
		if (i == j || !(v > 0))
			continue;
		x->wrong += v;
		ARRAY_ROOM(x->m, x->nm, *cap);
		x->m[x->nm++] = (struct mistake){ i, j, v, v / sum };
	}
}

static bool matrix_read(struct matrix *x, const struct json *accuracy)
{
	const struct json *labels = json_get(accuracy, "labels"), *rows = json_get(accuracy, "confusion_matrix");
	size_t cap = 0;

	memset(x, 0, sizeof *x);
	if (!is_whole(labels, rows))
		return false;
	x->n = labels->n;
	x->name = mem_new(x->n * sizeof *x->name);
	x->v = mem_new(x->n * x->n * sizeof *x->v);
	x->shade = mem_new(x->n * x->n * sizeof *x->shade);
	for (size_t i = 0; i < x->n; i++) {
		x->name[i] = (struct heat_name){ labels->item[i].s, labels->item[i].n };
		put_row(x, i, &rows->item[i], &cap);
	}
	if (x->nm)
		qsort(x->m, x->nm, sizeof *x->m, most_first);
	return true;
}

static void matrix_free(struct matrix *x)
{
	mem_free(x->name);
	mem_free(x->v);
	mem_free(x->shade);
	mem_free(x->m);
}

static void picture(struct report *r, const struct matrix *x)
{
	struct heat_chart c = {
		.title = "Confusion matrix",
		.rows = "Reference",
		.cols = "Prediction",
		.name = x->name,
		.n = x->n,
		.v = x->v,
		.shade = x->shade,
		.desc = "References from top to bottom, predictions from left to right; the darker, the larger the share of the "
			"reference's items. The pairs mixed up most often stand in the table below."
	};

	if (x->n > MAX_DRAWN) {
		page_para(&r->page, "muted", "%zu labels: too many to draw.", x->n);
		return;
	}
	page_figure(&r->page, "%zu labels; right answers on the diagonal. Shades are shares of the items of a reference.", x->n);
	c.id = r->page.id;
	svg_heat(&r->page.body, &c);
	page_figure_end(&r->page);
}

static void worst(struct report *r, const struct matrix *x)
{
	struct page *p = &r->page;
	size_t shown = x->nm < MAX_PAIRS ? x->nm : MAX_PAIRS;

	if (x->nm == 0) {
		page_para(p, "muted", "No label is taken for another.");
		return;
	}
	page_para(p, "lead", shown < x->nm ? "Mixed up most often (%zu of %zu pairs):" : "Mixed up (%zu pairs):", shown, x->nm);
	page_table(p, "Labels mixed up most often");
	page_head(p, "Reference", false);
	page_head(p, "Prediction", false);
	page_head(p, "Items", true);
	page_head(p, "Share of the reference", true);
	for (size_t k = 0; k < shown; k++) {
		const struct heat_name *a = &x->name[x->m[k].gold], *b = &x->name[x->m[k].pred];

		page_row(p);
		page_cell_text(p, a->p, a->n);
		page_cell_text(p, b->p, b->n);
		page_number(p, 0, x->m[k].n);
		page_cell(p, true, "%.1f%%", 100 * x->m[k].share);
	}
	page_table_end(p);
}

/* --- label by label --- */

static int least_f1(const void *a, const void *b)
{
	const struct json *x = *(const struct json *const *)a, *y = *(const struct json *const *)b;
	double fx = figures_number(x, "f1"), fy = figures_number(y, "f1");

	if (fx != fy)
		return fx < fy ? -1 : 1;
	return x < y ? -1 : x > y; /* in the order of the file */
}

static void labels(struct report *r, const struct json *per_class)
{
	static const char *const keys[] = { "precision", "recall", "f1" };
	struct page *p = &r->page;
	const struct json **order;

	if (per_class == NULL || per_class->type != JSON_ARR)
		return;
	order = mem_new((per_class->n + 1) * sizeof *order);
	for (size_t k = 0; k < per_class->n; k++)
		order[k] = &per_class->item[k];
	qsort(order, per_class->n, sizeof *order, least_f1);
	page_details(p, "Table: precision, recall and F1 of all %zu labels, lowest F1 first", per_class->n);
	page_table(p, "Labels");
	page_head(p, "Label", false);
	page_head(p, "Precision", true);
	page_head(p, "Recall", true);
	page_head(p, "F1", true);
	page_head(p, "Items", true);
	for (size_t k = 0; k < per_class->n; k++) {
		const struct json *label = json_get(order[k], "label");

		page_row(p);
		page_cell_json(p, label);
		for (size_t v = 0; v < sizeof keys / sizeof *keys; v++)
			page_number(p, 3, figures_number(order[k], keys[v]));
		page_number(p, 0, figures_number(order[k], "support"));
	}
	page_table_end(p);
	page_details_end(p);
	mem_free(order);
}

void report_confusion(struct report *r)
{
	size_t count = report_count(r, INPUT_METRICS), last = SIZE_MAX;
	struct matrix x;

	for (size_t k = 0; k < count; k++)
		if (is_whole(json_get(json_get(json_get(report_nth(r, INPUT_METRICS, k)->doc, "metrics"), "accuracy"), "labels"),
			     json_get(json_get(json_get(report_nth(r, INPUT_METRICS, k)->doc, "metrics"), "accuracy"),
				      "confusion_matrix")))
			last = k;
	if (last == SIZE_MAX)
		return;
	page_section(&r->page, "confusion", "Confusion of labels");
	for (size_t k = last + 1; k-- > 0;) {
		const struct report_input *in = report_nth(r, INPUT_METRICS, k);
		const struct json *accuracy = json_get(json_get(in->doc, "metrics"), "accuracy");

		if (!matrix_read(&x, accuracy))
			continue;
		if (k < last)
			page_details(&r->page, "The same for %s", in->name);
		else if (count > 1)
			page_subheading(&r->page, "%s", in->name);
		picture(r, &x);
		worst(r, &x);
		labels(r, json_get(accuracy, "per_class"));
		if (k < last)
			page_details_end(&r->page);
		matrix_free(&x);
	}
}
