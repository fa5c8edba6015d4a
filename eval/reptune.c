/* SPDX-License-Identifier: Apache-2.0 */
/* A search of sft tune: its trials as parallel coordinates, what mattered, the best again. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "figures.h"
#include "report.h"
#include "svgcurve.h"
#include "svgparallel.h"
#include "svgrange.h"

enum { AXES = 24, LINES = 2000, ROWS = 200, DIM_MAX = 64 };

struct search {
	struct page *p;
	const struct json *doc, *trials, *choices;
	size_t n, naxes; /* trials and choices that are shown */
};

static bool flag(const struct json *v, const char *key)
{
	const struct json *x = json_get(v, key);

	return x && x->type == JSON_BOOL && x->b;
}

static const struct json *chosen(const struct search *s, size_t trial, size_t choice)
{
	return json_get(json_get(&s->trials->item[trial], "choices"), figures_text(&s->choices->item[choice], "name")->s);
}

/* --- parallel coordinates --- */

static struct parallel_text text_of(const struct json *v)
{
	return v->type == JSON_STR ? (struct parallel_text){ v->s, v->n } : (struct parallel_text){ v->raw, v->nraw };
}

/* The place of TEXT among the values of a choice; NaN where it is none. */
static double place(const struct json *values, const struct json *v)
{
	for (size_t k = 0; v && v->type == JSON_STR && k < values->n; k++)
		if (json_is(&values->item[k], v->s))
			return (double)k;
	return NAN;
}

static double number_of(const struct json *v)
{
	char *end;
	double x;

	if (v == NULL || v->type != JSON_STR)
		return NAN;
	x = strtod(v->s, &end);
	return *end == '\0' && isfinite(x) ? x : NAN;
}

/* The scale of choice K, and where each trial lies on it. */
static void choice_axis(const struct search *s, size_t k, struct parallel_axis *a, struct parallel_text *word, double *at)
{
	const struct json *c = &s->choices->item[k], *values = figures_list(c, "values");

	*a = (struct parallel_axis){ .name = text_of(figures_text(c, "name")), .lo = figures_number(c, "low"), .hi = figures_number(c, "high") };
	a->log = json_is(figures_text(c, "kind"), "log");
	if (values->n) {
		a->word = word;
		a->nwords = values->n < DIM_MAX ? values->n : DIM_MAX;
		for (size_t i = 0; i < a->nwords; i++)
			word[i] = text_of(&values->item[i]);
	}
	for (size_t i = 0; i < s->n; i++) {
		const struct json *v = chosen(s, i, k);
		double x = values->n ? place(values, v) : number_of(v);

		at[i * (s->naxes + 1) + k] = values->n && x >= DIM_MAX ? NAN : x;
	}
}

/* The last scale: what came out. */
static void value_axis(const struct search *s, struct parallel_axis *a, double *at)
{
	double lo = INFINITY, hi = -INFINITY;

	for (size_t i = 0; i < s->n; i++) {
		double v = figures_number(&s->trials->item[i], "value");

		at[i * (s->naxes + 1) + s->naxes] = v;
		lo = v < lo ? v : lo;
		hi = v > hi ? v : hi;
	}
	*a = (struct parallel_axis){ .name = text_of(figures_text(s->doc, "metric")), .lo = lo, .hi = hi, .log = lo > 0 && hi > 30 * lo };
	if (!(lo <= hi))
		a->lo = a->hi = NAN;
}

static void picture(struct search *s, struct report *r)
{
	struct parallel_axis axis[AXES + 1];
	struct parallel_text *word = mem_new((s->naxes + 1) * DIM_MAX * sizeof *word);
	double *at = mem_new((s->n + 1) * (s->naxes + 1) * sizeof *at), *good = mem_new((s->n + 1) * sizeof *good);
	struct parallel_chart c = { .axis = axis, .naxes = s->naxes + 1, .at = at, .good = good, .n = s->n, .title = "Trials by their choices",
		.desc = "A line for each trial, through what it chose to what came out; the better it is among all, the darker. The table below has them all." };

	for (size_t k = 0; k < s->naxes; k++)
		choice_axis(s, k, &axis[k], word + k * DIM_MAX, at);
	value_axis(s, &axis[s->naxes], at);
	for (size_t i = 0; i < s->n; i++) /* they come best first */
		good[i] = s->n > 1 ? 1 - (double)i / (double)(s->n - 1) : 1;
	page_figure(s->p, "Trials by their choices: the darker the better, the best in another colour");
	c.id = r->page.id;
	svg_parallel(&s->p->body, &c);
	page_figure_end(s->p);
	mem_free(word);
	mem_free(at);
	mem_free(good);
}

/* --- what mattered --- */

static void mattered(struct search *s, struct report *r)
{
	struct range_row *row = mem_new((s->naxes + 1) * sizeof *row);
	struct range_chart c = { .row = row, .n = s->naxes, .lo = 0, .hi = 1, .mark = NAN, .places = 2, .title = "What mattered",
		.desc = "A bar for each choice. The numbers stand in the table below." };
	struct page *p = s->p;

	for (size_t k = 0; k < s->naxes; k++) {
		struct parallel_text name = text_of(figures_text(&s->choices->item[k], "name"));

		row[k] = (struct range_row){ name.p, name.n, 0, figures_number(&s->choices->item[k], "explained"), NAN, NAN, NULL };
	}
	page_figure(p, "What mattered: the share of the variance that each choice explains by itself (chance taken off)");
	c.id = r->page.id;
	svg_ranges(&p->body, &c);
	page_figure_end(p);
	page_table(p, "What mattered");
	page_head(p, "Choice", false);
	page_head(p, "Share explained", true);
	page_head(p, "Trials", true);
	for (size_t k = 0; k < s->naxes; k++) {
		page_row(p);
		page_cell_json(p, figures_text(&s->choices->item[k], "name"));
		page_number(p, 2, figures_number(&s->choices->item[k], "explained"));
		page_number(p, 0, figures_number(&s->choices->item[k], "trials"));
	}
	page_table_end(p);
	mem_free(row);
}

/* --- quality against diversity --- */

static void front(struct search *s, struct report *r)
{
	static const char *const sets[] = { "trials", "the front" };
	double *x = mem_new(4 * (s->n + 1) * sizeof *x), *y = x + s->n, *fx = y + s->n, *fy = fx + s->n;
	struct curve curve[2] = { { .series = 0, .x = x, .y = y, .points = true, .loose = true }, { .series = 1, .x = fx, .y = fy, .points = true, .loose = true } };
	struct curve_chart c = { .curve = curve, .n = 2, .xname = figures_text(s->doc, "diversity")->s, .yname = figures_text(s->doc, "metric")->s,
		.title = "Quality against diversity", .desc = "A mark for each trial; those that no other beats in both are the front." };

	for (size_t i = 0; i < s->n; i++) {
		const struct json *t = &s->trials->item[i];
		bool on = flag(t, "front");
		double a = figures_number(t, "diversity"), b = figures_number(t, "quality");
		struct curve *to = &curve[on];

		if (!isfinite(a) || !isfinite(b))
			continue;
		(on ? fx : x)[to->n] = a;
		(on ? fy : y)[to->n++] = b;
	}
	page_figure(s->p, "Quality against diversity of the answers");
	page_legend(s->p, sets, 2);
	c.id = r->page.id;
	svg_curves(&s->p->body, &c);
	page_figure_end(s->p);
	mem_free(x);
}

/* --- the trials --- */

static void trial_row(struct search *s, size_t i)
{
	const struct json *t = &s->trials->item[i];
	struct page *p = s->p;

	page_row(p);
	page_cell(p, false, "%.0f", figures_number(t, "trial"));
	if (flag(t, "failed"))
		page_cell(p, true, "failed");
	else
		page_number(p, 4, figures_number(t, "value"));
	if (json_get(s->doc, "diversity")) {
		page_number(p, 4, figures_number(t, "quality"));
		page_number(p, 4, figures_number(t, "diversity"));
	}
	page_number(p, 0, figures_number(t, "steps"));
	page_number(p, 0, figures_number(t, "trained_tokens"));
	page_number(p, 1, figures_number(t, "seconds"));
	for (size_t k = 0; k < s->naxes; k++)
		page_cell_json(p, chosen(s, i, k));
}

static void table(struct search *s)
{
	struct page *p = s->p;

	page_details(p, "Table: %zu of %zu trials", s->n < ROWS ? s->n : ROWS, s->trials->n);
	page_table(p, "Trials, best first");
	page_head(p, "Trial", false);
	page_head(p, json_get(s->doc, "diversity") ? "Objective" : "Value", true);
	if (json_get(s->doc, "diversity")) {
		page_head(p, "Quality", true);
		page_head(p, "Diversity", true);
	}
	page_head(p, "Steps", true);
	page_head(p, "Trained tokens", true);
	page_head(p, "Seconds", true);
	for (size_t k = 0; k < s->naxes; k++)
		page_head(p, figures_text(&s->choices->item[k], "name")->s, false);
	for (size_t i = 0; i < s->n && i < ROWS; i++)
		trial_row(s, i);
	page_table_end(p);
	page_details_end(p);
}

static void best(struct search *s, const char *name)
{
	const struct json *b = json_get(s->doc, "best");
	double value = figures_number(b, "value");

	if (b == NULL || !isfinite(value))
		return;
	page_say(s->p, SAY_NOTE, "Search (%s, %zu trials by %s): the best %s is %.4f, of trial %.0f", name, s->trials->n, figures_text(s->doc, "search")->s,
		 json_get(s->doc, "diversity") ? "objective" : figures_text(s->doc, "metric")->s, value, figures_number(b, "trial"));
	page_para(s->p, "muted", "The best again:");
	page_commands(s->p, figures_list(b, "commands"));
}

void report_tune(struct report *r)
{
	const struct report_input *in;

	for (size_t k = 0; (in = report_nth(r, INPUT_TUNE, k)) != NULL; k++) {
		struct search s = { .p = &r->page, .doc = in->doc, .trials = figures_list(in->doc, "trials"), .choices = figures_list(in->doc, "choices") };

		s.n = s.trials->n < LINES ? s.trials->n : LINES;
		s.naxes = s.choices->n < AXES ? s.choices->n : AXES;
		if (k == 0)
			page_section(&r->page, "search", "Search");
		if (report_count(r, INPUT_TUNE) > 1)
			page_subheading(&r->page, "%s", in->name);
		if (s.n == 0)
			continue;
		picture(&s, r);
		best(&s, in->name);
		if (json_get(s.doc, "diversity"))
			front(&s, r);
		mattered(&s, r);
		table(&s);
	}
}
