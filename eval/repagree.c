/* SPDX-License-Identifier: Apache-2.0 */
/* Agreement of raters: `sft eval kappa --json`. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "figures.h"
#include "report.h"
#include "svgheat.h"
#include "svgrange.h"

enum { MAX_RATERS = 100 };

static const struct json *kappa_of(const struct report_input *in)
{
	const struct json *k = json_get(json_get(in->doc, "metrics"), "kappa");

	return k && k->type == JSON_OBJ ? k : NULL;
}

/* --- coefficients --- */

static const struct coefficient {
	const char *title, *object, *key, *ci, *reason;
} coefficients[] = {
	{ "Percent agreement", "percent_agreement", "pooled_pairs", "percent_agreement", "percent_agreement" },
	{ "Mean of Cohen's kappa", NULL, "light", NULL, "light" },
	{ "Fleiss' kappa", NULL, "fleiss", "fleiss", "fleiss" },
	{ "Scott's pi", NULL, "scott_pi", NULL, "scott_pi" },
	{ "Krippendorff's alpha", "krippendorff", "nominal", "krippendorff", "krippendorff.nominal" },
	{ "Gwet's AC1", NULL, "gwet_ac1", "gwet_ac1", "gwet_ac1" },
};
enum { NCOEF = sizeof coefficients / sizeof *coefficients };

static double value_of(const struct json *k, const struct coefficient *c)
{
	return figures_number(c->object ? json_get(k, c->object) : k, c->key);
}

static void coefficient_chart(struct report *r, const struct json *k)
{
	struct range_row row[NCOEF + 1];
	struct range_chart c = { .row = row, .lo = 0, .hi = 1, .mark = NAN, .places = 3, .title = "Coefficients of agreement" };
	const struct json *cohen = figures_list(k, "cohen"), *reasons = json_get(k, "reason"),
			  *min = json_get(json_get(k, "gate"), "min");

	for (size_t i = 0; i < NCOEF; i++) {
		const struct coefficient *f = &coefficients[i];
		const struct json *why = json_get(reasons, f->reason);
		bool pair = i == 1 && cohen->n == 1;

		row[c.n] = (struct range_row){ pair ? "Cohen's kappa" : f->title, 0, 0, value_of(k, f), NAN, NAN, NULL };
		row[c.n].nlabel = strlen(row[c.n].label);
		if (f->ci || pair)
			figures_range(json_get(k, "ci"), pair ? "cohen" : f->ci, &row[c.n].lo, &row[c.n].hi);
		if (isnan(row[c.n].v))
			row[c.n].note = why && why->type == JSON_STR ? "undefined" : "-";
		c.n++;
	}
	if (min) {
		c.mark = json_double(min);
		c.mark_name = "gate";
	}
	page_figure(&r->page, "Coefficients%s; 1 is perfect, 0 is what chance gives (percent agreement knows no chance)",
		    json_get(k, "ci") ? ", with 95% intervals" : "");
	c.id = r->page.id;
	c.desc = "Bars for percent agreement and for coefficients that correct for chance.";
	svg_ranges(&r->page.body, &c);
	page_figure_end(&r->page);
}

static void reasons(struct report *r, const struct json *k)
{
	const struct json *why = json_get(k, "reason");

	for (size_t i = 0; why && why->type == JSON_OBJ && i < why->n; i++)
		if (why->member[i].value.type == JSON_STR)
			page_para(&r->page, "muted", "%s is undefined: %s.", why->member[i].key, why->member[i].value.s);
}

/* --- pairs --- */

static size_t rater_at(const struct json *raters, const struct json *name)
{
	for (size_t i = 0; i < raters->n; i++)
		if (raters->item[i].type == JSON_STR && name->type == JSON_STR && raters->item[i].n == name->n &&
		    memcmp(raters->item[i].s, name->s, name->n) == 0)
			return i;
	return SIZE_MAX;
}

/* Cohen's kappa of all pairs into V [n x n]; NaN where there is none. */
static void pair_values(const struct json *raters, const struct json *cohen, double *v)
{
	size_t n = raters->n;

	for (size_t i = 0; i < n * n; i++)
		v[i] = NAN;
	for (size_t i = 0; i < cohen->n; i++) {
		const struct json *pair = json_get(&cohen->item[i], "raters");
		size_t a, b;

		if (pair == NULL || pair->type != JSON_ARR || pair->n != 2)
			continue;
		a = rater_at(raters, &pair->item[0]);
		b = rater_at(raters, &pair->item[1]);
		if (a != SIZE_MAX && b != SIZE_MAX)
			v[a * n + b] = v[b * n + a] = figures_number(&cohen->item[i], "unweighted");
	}
}

static void matrix(struct report *r, const struct heat_name *name, const double *v, size_t n)
{
	struct heat_chart c = {
		.title = "Cohen's kappa of all pairs of raters",
		.rows = "Rater",
		.cols = "Rater",
		.name = name,
		.n = n,
		.v = v,
		.shade = v,
		.pairs = true,
		.places = 2,
		.desc = "A square for each pair; the darker, the higher kappa. The numbers stand in the table below."
	};

	page_figure(&r->page, "Cohen's kappa of all pairs of raters");
	c.id = r->page.id;
	svg_heat(&r->page.body, &c);
	page_figure_end(&r->page);
}

static void pairs_table(struct report *r, const struct json *cohen)
{
	static const char *const keys[] = { "agreement", "unweighted", "linear", "quadratic" };
	struct page *p = &r->page;

	page_details(p, "Table: all %zu pairs of raters", cohen->n);
	page_table(p, "Pairs of raters");
	page_head(p, "Rater", false);
	page_head(p, "Rater", false);
	page_head(p, "Items", true);
	page_head(p, "Agreement", true);
	page_head(p, "Kappa", true);
	page_head(p, "Linear", true);
	page_head(p, "Quadratic", true);
	for (size_t i = 0; i < cohen->n; i++) {
		const struct json *x = &cohen->item[i], *pair = json_get(x, "raters");

		if (pair == NULL || pair->type != JSON_ARR || pair->n != 2 || pair->item[0].type != JSON_STR ||
		    pair->item[1].type != JSON_STR)
			continue;
		page_row(p);
		page_cell_text(p, pair->item[0].s, pair->item[0].n);
		page_cell_text(p, pair->item[1].s, pair->item[1].n);
		page_number(p, 0, figures_number(x, "n"));
		for (size_t v = 0; v < sizeof keys / sizeof *keys; v++)
			page_number(p, 4, figures_number(x, keys[v]));
	}
	page_table_end(p);
	page_details_end(p);
}

static void pairs(struct report *r, const struct json *raters, const struct json *cohen)
{
	size_t n = raters->n;
	struct heat_name *name = mem_new(n * sizeof *name);
	double *v = mem_new(n * n * sizeof *v);

	for (size_t i = 0; i < n; i++)
		name[i] = raters->item[i].type == JSON_STR ? (struct heat_name){ raters->item[i].s, raters->item[i].n }
							   : (struct heat_name){ "?", 1 };
	pair_values(raters, cohen, v);
	if (n > 2)
		matrix(r, name, v, n);
	pairs_table(r, cohen);
	mem_free(name);
	mem_free(v);
}

/* --- raters and labels --- */

static bool is_true(const struct json *obj, const char *key)
{
	const struct json *v = json_get(obj, key);

	return v && v->type == JSON_BOOL && v->b;
}

/* How often each rater says what the others say: who stands apart, or drifts, is marked. */
static void by_rater(struct report *r, const struct json *list)
{
	struct range_row *row = mem_new(list->n * sizeof *row);
	char(*note)[96] = mem_new(list->n * sizeof *note);
	struct range_chart c = { .row = row,
				 .n = list->n,
				 .lo = 0,
				 .hi = 1,
				 .mark = NAN,
				 .dots = true,
				 .title = "Agreement of each rater with the others" };

	for (size_t k = 0; k < list->n; k++) {
		const struct json *x = &list->item[k], *name = figures_text(x, "rater");
		bool apart = is_true(x, "stands_apart"), drifts = is_true(x, "drifts");

		row[k] = (struct range_row){ name->s, name->n, apart || drifts, figures_number(x, "agreement_with_others"),
					     NAN,     NAN,     note[k] };
		figures_range(x, "ci95", &row[k].lo, &row[k].hi);
		snprintf(note[k], sizeof note[k], "%.3f of %.0f%s%s", row[k].v, figures_number(x, "judged"),
			 apart ? ", apart" : "", drifts ? ", drifts" : "");
		if (apart)
			page_say(&r->page, SAY_BAD, "Rater %s stands apart: agrees with the others on %.1f%% of items", name->s,
				 100 * row[k].v);
		if (drifts)
			page_say(&r->page, SAY_BAD,
				 "Rater %s drifts: agrees with the others on %.1f%% of items at first, %.1f%% later", name->s,
				 100 * figures_number(x, "early"), 100 * figures_number(x, "late"));
	}
	page_figure(
		&r->page,
		"Share of items on which each rater agrees with the others, with 95%% intervals; squares stand apart or drift");
	c.id = r->page.id;
	c.desc = "A dot for each rater.";
	svg_ranges(&r->page.body, &c);
	page_figure_end(&r->page);
	mem_free(row);
	mem_free(note);
}

static void by_label(struct report *r, const struct json *list)
{
	struct page *p = &r->page;

	page_details(p, "Table: agreement by label");
	page_table(p, "Labels");
	page_head(p, "Label", false);
	page_head(p, "Ratings", true);
	page_head(p, "Agreement", true);
	page_head(p, "Alpha", true);
	page_head(p, "Confused with", false);
	for (size_t k = 0; k < list->n; k++) {
		const struct json *x = &list->item[k], *name = figures_text(x, "label"), *other = json_get(x, "most_confused_with");

		page_row(p);
		page_cell_text(p, name->s, name->n);
		page_number(p, 0, figures_number(x, "n"));
		page_number(p, 3, figures_number(x, "agreement"));
		page_number(p, 3, figures_number(x, "alpha"));
		page_cell_json(p, other);
	}
	page_table_end(p);
	page_details_end(p);
}

/* --- the section --- */

static void say(struct report *r, const struct json *k)
{
	const struct json *gate = json_get(k, "gate"), *met = json_get(gate, "met"), *name = json_get(gate, "coefficient"),
			  *raters = figures_list(k, "raters");
	double alpha = figures_number(json_get(k, "krippendorff"), "nominal");

	if (met && met->type == JSON_BOOL && name && name->type == JSON_STR)
		page_say(&r->page, met->b ? SAY_GOOD : SAY_BAD, "Agreement: %s is %.3f, the gate of %.2f is %s", name->s,
			 figures_number(gate, "value"), figures_number(gate, "min"), met->b ? "met" : "not met");
	else
		page_say(&r->page, SAY_NOTE,
			 "Agreement of %zu raters on %.0f items: %.1f%% of pairs equal, Krippendorff's alpha %.3f",
			 raters->n, figures_number(k, "items"),
			 100 * figures_number(json_get(k, "percent_agreement"), "pooled_pairs"), alpha);
}

static void one(struct report *r, const struct json *k)
{
	const struct json *raters = figures_list(k, "raters"), *cohen = figures_list(k, "cohen");

	say(r, k);
	page_para(&r->page, "muted", "%.0f items, %zu raters, %.0f ratings.", figures_number(k, "items"), raters->n,
		  figures_number(k, "ratings"));
	coefficient_chart(r, k);
	reasons(r, k);
	if (raters->n && cohen->n && raters->n <= MAX_RATERS)
		pairs(r, raters, cohen);
	else if (cohen->n)
		pairs_table(r, cohen);
	if (figures_list(k, "by_rater")->n)
		by_rater(r, figures_list(k, "by_rater"));
	if (figures_list(k, "labels")->n)
		by_label(r, figures_list(k, "labels"));
}

void report_agreement(struct report *r)
{
	size_t count = report_count(r, INPUT_METRICS), n = 0;

	for (size_t i = 0; i < count; i++)
		n += kappa_of(report_nth(r, INPUT_METRICS, i)) != NULL;
	if (n)
		page_section(&r->page, "agreement", "Agreement of raters");
	for (size_t i = 0; i < count; i++) {
		const struct report_input *in = report_nth(r, INPUT_METRICS, i);

		if (kappa_of(in) == NULL)
			continue;
		if (n > 1)
			page_subheading(&r->page, "%s", in->name);
		one(r, kappa_of(in));
	}
}
