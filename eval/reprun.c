/* SPDX-License-Identifier: Apache-2.0 */
/* Training runs: loss, learning rate, norm of the gradient, and what the run was asked to do. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "figures.h"
#include "report.h"
#include "svgcurve.h"

struct runs {
	struct report *r;
	const struct report_input **in;
	const char **name;
	size_t n;
	const struct run_log **log; /* those that are drawn: of the runs, or of their stages the one that they are together */
	size_t nlogs;
	struct curve *curve; /* room for two of each */
	struct curve_line *line;
	char (*label)[40];
	size_t nlines;
};

/* --- curves --- */

static struct curve curve_of(const struct thin *t, unsigned series)
{
	double *at = mem_grow(NULL, 2 * THIN_POINTS, sizeof *at);
	struct curve c = { .series = series, .x = at, .y = at + THIN_POINTS };

	c.n = thin_points(t, at, at + THIN_POINTS);
	return c;
}

static void curves_free(struct curve *c, size_t n)
{
	for (size_t k = 0; k < n; k++)
		mem_free((void *)(uintptr_t)c[k].x);
}

static void put_mark(struct runs *s, size_t k, double step, const char *label)
{
	snprintf(s->label[s->nlines], sizeof *s->label, "%s", label);
	s->line[s->nlines] = (struct curve_line){ step, (unsigned)k, s->label[s->nlines] };
	s->nlines++;
}

/* Where a stage begins, where the best checkpoint stands, and where a run went on. */
static void put_marks(struct runs *s)
{
	char label[RUN_NAME];

	for (size_t k = 0; k < s->nlogs; k++) {
		const struct run_log *l = s->log[k];

		for (size_t i = 0; i < l->nstages; i++)
			put_mark(s, k, l->stage[i].from, l->stage[i].name);
		snprintf(label, sizeof label, s->nlogs > 1 ? "best %zu" : "best", k + 1);
		if (isfinite(l->best_step) && l->nstages == 0)  /* stages have a best each */
			put_mark(s, k, l->best_step, label);
		for (size_t i = 0; i < l->nresumed && i < RUN_MARKS; i++)
			put_mark(s, k, l->resumed[i], "resumed");
	}
}

static void loss_chart(struct runs *s)
{
	static const char *const sets[] = { "training", "validation" };
	struct curve_chart c = { .curve = s->curve,
				 .xname = "optimiser step",
				 .yname = "loss",
				 .title = "Loss by step",
				 .line = s->line,
				 .nlines = s->nlines,

				 .height = 300,
				 .log = true,
				 .desc = "Training loss as a thin line, validation loss with marks at each evaluation. The "
					 "numbers stand in the table below." };
	bool one = s->nlogs == 1, stages = one && s->log[0]->nstages;

	for (size_t k = 0; k < s->nlogs; k++) {
		s->curve[c.n] = curve_of(&s->log[k]->loss, (unsigned)k);
		s->curve[c.n++].faint = true;
		s->curve[c.n] = curve_of(&s->log[k]->val, (unsigned)k + one);
		s->curve[c.n++].points = true;
	}
	page_figure(&s->r->page, "%s", stages ? "Loss by step, counted through all stages; a line marks where each begins, from the best of the one before"
				       : one  ? "Loss by step; the line marks the best validation loss"
					      : "Loss by step; thin: training, with marks: validation");
	page_legend(&s->r->page, one ? sets : s->name, one ? 2 : s->nlogs);
	c.id = s->r->page.id;
	svg_curves(&s->r->page.body, &c);
	page_figure_end(&s->r->page);
	curves_free(s->curve, c.n);
}

static void small_chart(struct runs *s, size_t offset, const char *title, const char *yname)
{
	struct curve_chart c = { .curve = s->curve,
				 .xname = "optimiser step",
				 .yname = yname,
				 .title = title,
				 .desc = "A line for each run.",
				 .height = 180,
				 .zero = true };
	size_t some = 0;

	for (size_t k = 0; k < s->nlogs; k++) {
		s->curve[c.n] = curve_of((const struct thin *)(const void *)((const char *)s->log[k] + offset), (unsigned)k);
		some += s->curve[c.n++].n;
	}
	if (some) {
		page_figure(&s->r->page, "%s", title);
		c.id = s->r->page.id;
		svg_curves(&s->r->page.body, &c);
		page_figure_end(&s->r->page);
	}
	curves_free(s->curve, c.n);
}

/* --- tables --- */

static void fact_row(struct page *p, const char *name, const struct run_log *l)
{
	page_row(p);
	page_cell(p, false, "%s", name);
	page_number(p, 0, (double)l->steps);
	page_number(p, 4, l->first_loss);
	page_number(p, 4, l->last_loss);
	page_number(p, 4, l->least_val);
	page_number(p, 0, l->best_step);
	page_number(p, 3, l->most_grad);
	page_number(p, 0, l->tokens);
	page_number(p, 1, l->seconds);
	page_number(p, 0, l->rss / 1048576);
}

static void facts(struct runs *s)
{
	struct page *p = &s->r->page;

	page_table(p, "Runs");
	page_head(p, "Run", false);
	page_head(p, "Steps", true);
	page_head(p, "First loss", true);
	page_head(p, "Last loss", true);
	page_head(p, "Best validation loss", true);
	page_head(p, "at step", true);
	page_head(p, "Largest gradient", true);
	page_head(p, "Tokens", true);
	page_head(p, "Seconds", true);
	page_head(p, "Peak memory, MiB", true);
	for (size_t k = 0; k < s->n; k++)
		fact_row(p, s->name[k], s->in[k]->log);
	if (s->r->o->stages && s->n > 1)
		fact_row(p, "all stages", &s->r->join.log);
	page_table_end(p);
}

static void evaluations(struct runs *s, size_t k)
{
	const struct run_log *l = s->in[k]->log;
	struct page *p = &s->r->page;
	struct curve c;

	if (l->undefined)
		page_para(p, "bad", "%s: %llu values of the log are no numbers (a loss that is not finite).", s->name[k],
			  (unsigned long long)l->undefined);
	if (l->evals == 0)
		return;
	c = curve_of(&l->val, 0);
	page_details(p, "Table: %zu of %llu evaluations of %s", c.n, (unsigned long long)l->evals, s->name[k]);
	page_table(p, "Evaluations");
	page_head(p, "Step", false);
	page_head(p, "Validation loss", true);
	page_head(p, "Perplexity", true);
	for (size_t i = 0; i < c.n; i++) {
		page_row(p);
		page_cell(p, true, "%.0f%s", c.x[i], c.x[i] == l->best_step ? " (best)" : "");
		page_number(p, 4, c.y[i]);
		page_number(p, 3, exp(c.y[i]));
	}
	page_table_end(p);
	page_details_end(p);
	curves_free(&c, 1);
}

/* --- what was asked for --- */

static void members(struct page *p, const struct json *obj)
{
	for (size_t k = 0; k < obj->n; k++) {
		const struct json *v = &obj->member[k].value;

		if (strcmp(obj->member[k].key, "commands") == 0 || strcmp(obj->member[k].key, "schema") == 0)
			continue;
		if (v->type == JSON_OBJ) {
			members(p, v);
			continue;
		}
		page_row(p);
		page_cell_text(p, obj->member[k].key, obj->member[k].nkey);
		page_cell_json(p, v);
	}
}

static void config(struct runs *s, size_t k)
{
	const struct json *doc = s->in[k]->doc, *list = json_get(doc, "commands");
	struct page *p = &s->r->page;

	if (doc == NULL || doc->type != JSON_OBJ)
		return;
	page_details(p, "Command and settings of %s", s->name[k]);
	if (list && list->type == JSON_ARR)
		page_commands(p, list);
	page_table(p, "Settings");
	page_head(p, "Setting", false);
	page_head(p, "Value", false);
	members(p, doc);
	page_table_end(p);
	page_details_end(p);
}

static void say(struct runs *s, size_t k)
{
	const struct run_log *l = s->in[k]->log;

	if (isfinite(l->least_val))
		page_say(&s->r->page, SAY_NOTE, "Training (%s): best validation loss %.4f at step %.0f of %.0f", s->name[k],
			 l->least_val, l->best_step, l->last_step);
	else
		page_say(&s->r->page, SAY_NOTE, "Training (%s): loss %.4f at first, %.4f at step %.0f", s->name[k], l->first_loss,
			 l->last_loss, l->last_step);
	if (isfinite(l->last_val) && l->last_val > 1.1 * l->least_val)
		page_say(&s->r->page, SAY_BAD, "%s: the validation loss rose to %.4f after its best, which is overfitting",
			 s->name[k], l->last_val);
}

void report_runs(struct report *r)
{
	struct runs s = { .r = r, .n = report_count(r, INPUT_RUN) };

	if (s.n == 0)
		return;
	s.in = mem_new(s.n * sizeof *s.in);
	s.name = mem_new(s.n * sizeof *s.name);
	s.curve = mem_new(2 * s.n * sizeof *s.curve);
	s.log = mem_new(s.n * sizeof *s.log);
	s.line = mem_new(s.n * (2 * RUN_MARKS + 1) * sizeof *s.line);
	s.label = mem_new(s.n * (2 * RUN_MARKS + 1) * sizeof *s.label);
	page_section(&r->page, "training", "Training");
	for (size_t k = 0; k < s.n; k++) {
		s.in[k] = report_nth(r, INPUT_RUN, k);
		s.name[k] = s.in[k]->name;
		s.log[k] = s.in[k]->log;
		say(&s, k);
	}
	s.nlogs = s.n;
	if (r->o->stages) {
		s.log[0] = &r->join.log;
		s.nlogs = 1;
	}
	put_marks(&s);
	loss_chart(&s);
	small_chart(&s, offsetof(struct run_log, lr), "Learning rate", "rate");
	small_chart(&s, offsetof(struct run_log, grad), "Norm of the gradient, before clipping", "norm");
	facts(&s);
	for (size_t k = 0; k < s.n; k++) {
		evaluations(&s, k);
		config(&s, k);
	}
	mem_free(s.in);
	mem_free(s.name);
	mem_free(s.curve);
	mem_free(s.log);
	mem_free(s.line);
	mem_free(s.label);
}
