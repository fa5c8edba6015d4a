/* SPDX-License-Identifier: Apache-2.0 */
#include "tuneshow.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "tunestat.h"

static const struct trial_rung *last(const struct trial *t)
{
	return &t->rung[t->known - 1];
}

/* --- order --- */

struct ranked {
	const struct trial *t;
	double cost;
};

/* Those that came furthest first, then the best; the failed last. */
static int better(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	bool fx = isnan(x->cost), fy = isnan(y->cost);

	if (fx != fy)
		return fx ? 1 : -1;
	if (!fx && x->t->known != y->t->known)
		return x->t->known > y->t->known ? -1 : 1;
	if (!fx && x->cost != y->cost)
		return x->cost < y->cost ? -1 : 1;
	return x->t->number < y->t->number ? -1 : 1;
}

/* The trials that know a rung, best first; *N of them, for mem_free. */
static struct ranked *rank(const struct tune_run *r, size_t *n)
{
	struct ranked *v = mem_new((r->ntrial + 1) * sizeof *v);

	*n = 0;
	for (size_t i = 0; i < r->ntrial; i++)
		if (r->trial[i].known)
			v[(*n)++] = (struct ranked){ &r->trial[i], trial_cost(r->s, last(&r->trial[i])) };
	qsort(v, *n, sizeof *v, better);
	return v;
}

/* --- what mattered --- */

/* The share that choice D explains of the values at the first rung, which all trials reached, and of how many trials. */
static double explained(const struct tune_run *r, size_t d, size_t *n)
{
	double *value = mem_new((r->ntrial + 1) * sizeof *value), share;
	int *group = mem_new((r->ntrial + 1) * sizeof *group);

	*n = 0;
	for (size_t i = 0; i < r->ntrial; i++) {
		const struct trial *t = &r->trial[i];

		if (t->known == 0 || t->rung[0].failed || t->choice[d].level < 0)
			continue;
		value[*n] = t->rung[0].value;
		group[(*n)++] = t->choice[d].level;
	}
	share = stat_explained(value, group, *n, r->s->dim[d].levels);
	mem_free(value);
	mem_free(group);
	return share;
}

static bool shown(const struct tune_run *r, size_t d)
{
	return r->s->dim[d].levels > 1 || r->s->dim[d].kind != DIM_WORDS;
}

/* --- the table --- */

struct cells {
	struct buf text;               /* one after the other, each with its NUL */
	size_t *at;                    /* where each begins */
	size_t n, cap;
};

static void cell(struct cells *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void cell(struct cells *c, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	ARRAY_ROOM(c->at, c->n, c->cap);
	c->at[c->n++] = c->text.n;
	buf_add(&c->text, text, strlen(text) + 1);
}

/* Rows of COLS cells; the first RIGHT columns are numbers. */
static void print_cells(const struct cells *c, size_t cols, size_t right, struct buf *out)
{
	int wide[64] = {0};

	for (size_t i = 0; i < c->n; i++) {
		int w = (int)strlen(c->text.p + c->at[i]);

		wide[i % cols] = w > wide[i % cols] ? w : wide[i % cols];
	}
	for (size_t i = 0; i < c->n; i++) {
		const char *text = c->text.p + c->at[i];
		size_t k = i % cols;

		if (k + 1 == cols && k >= right)
			buf_fmt(out, "%s\n", text);
		else
			buf_fmt(out, k < right ? "%*s%s" : "%-*s%s", wide[k], text, k + 1 == cols ? "\n" : "  ");
	}
}

static void free_cells(struct cells *c)
{
	buf_free(&c->text);
	mem_free(c->at);
}

static void head(const struct tune_run *r, struct cells *c)
{
	const struct tune_space *s = r->s;

	cell(c, "trial");
	cell(c, "%s", s->diversity.name ? "objective" : s->metric.name);
	if (s->diversity.name) {
		cell(c, "%s", s->metric.name);
		cell(c, "%s", s->diversity.name);
	}
	if (s->nsource)
		cell(c, "steps");
	for (size_t d = 0; d < s->ndim; d++)
		if (shown(r, d))
			cell(c, "%s", s->dim[d].name);
}

static void row(const struct tune_run *r, const struct trial *t, struct cells *c)
{
	const struct tune_space *s = r->s;
	const struct trial_rung *g = last(t);

	cell(c, "%zu", t->number);
	cell(c, g->failed ? "failed" : "%.4f", g->value);
	if (s->diversity.name) {
		cell(c, "%.4f", g->quality);
		cell(c, "%.4f", g->diversity);
	}
	if (s->nsource)
		cell(c, "%.0f", g->steps);
	for (size_t d = 0; d < s->ndim; d++)
		if (shown(r, d))
			cell(c, "%s", t->choice[d].text ? t->choice[d].text : "-");
}

static void best_again(const struct tune_run *r, const struct trial *t, struct buf *out)
{
	struct tune_space *s = r->s;
	struct trial_commands c = {0};

	trial_commands(s, t, t->known - 1, "best", "best/data", true, &c);
	buf_fmt(out, "\nthe best, trial %zu, lies in %s; again:\n", t->number, trial_folder(s, t));
	if (c.n > 1)
		buf_fmt(out, "  mkdir -p best%s\n", strcmp(c.line[0].v[0], "augment") == 0 ? "/data" : "");
	for (size_t i = 0; i < c.n; i++) {
		buf_str(out, "  sft");
		plan_print_words(&c.line[i], out);
	}
	trial_commands_free(&c);
}

static void what_mattered(const struct tune_run *r, struct buf *out)
{
	const struct tune_space *s = r->s;
	struct cells c = {0};

	buf_fmt(out, "\nwhat mattered: share of the variance of %s%s that each choice explains by itself\n", s->diversity.name ? "the objective" : s->metric.name,
	        s->search.nrungs > 1 ? " at the first rung" : "");
	cell(&c, "share");
	cell(&c, "trials");
	cell(&c, "choice");
	for (size_t d = 0; d < s->ndim; d++) {
		size_t n;
		double share = explained(r, d, &n);

		if (!shown(r, d))
			continue;
		cell(&c, isnan(share) ? "-" : "%.2f", share);
		cell(&c, "%zu", n);
		cell(&c, "%s", s->dim[d].name);
	}
	print_cells(&c, 3, 2, out);
	free_cells(&c);
}

void tune_table(const struct tune_run *r, size_t rows, struct buf *out)
{
	const struct trial *best = tune_best(r);
	struct cells c = {0};
	size_t n, cols;
	struct ranked *v = rank(r, &n);

	buf_fmt(out, "%zu trials, %.4g whole runs, best first\n", n, r->runs);
	head(r, &c);
	cols = c.n;
	for (size_t i = 0; i < n && i < rows; i++)
		row(r, v[i].t, &c);
	print_cells(&c, cols, 2 + (r->s->diversity.name ? 2 : 0) + (r->s->nsource ? 1 : 0), out);
	if (n > rows)
		buf_fmt(out, "... and %zu more\n", n - rows);
	if (best)
		best_again(r, best, out);
	what_mattered(r, out);
	free_cells(&c);
	mem_free(v);
}

/* --- JSON --- */

static void key_str(struct jw *w, const char *key, const char *v)   { jw_key(w, key); jw_str(w, v); }
static void key_num(struct jw *w, const char *key, double v)        { jw_key(w, key); jw_number(w, v); }

static void json_choices(const struct tune_run *r, struct jw *w)
{
	static const char *const kind[] = { "words", "linear", "log", "int" };

	jw_key(w, "choices");
	jw_arr(w);
	for (size_t d = 0; d < r->s->ndim; d++) {
		const struct tune_dim *x = &r->s->dim[d];
		size_t n;
		double share = explained(r, d, &n);

		if (!shown(r, d))
			continue;
		jw_obj(w);
		key_str(w, "name", x->name);
		key_str(w, "kind", kind[x->kind]);
		if (x->kind == DIM_WORDS) {
			jw_key(w, "values");
			jw_arr(w);
			for (size_t k = 0; k < x->levels; k++)
				jw_str(w, x->word[k]);
			jw_arr_end(w);
		} else {
			key_num(w, "low", x->lo);
			key_num(w, "high", x->hi);
		}
		key_num(w, "explained", share);
		key_num(w, "trials", (double)n);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

static bool on_front(const struct tune_run *r, const struct ranked *v, size_t n, size_t i)
{
	double *a = mem_new(n * sizeof *a), *b = mem_new(n * sizeof *b);
	bool yes;

	for (size_t k = 0; k < n; k++) {
		a[k] = last(v[k].t)->quality;
		b[k] = last(v[k].t)->diversity;
	}
	yes = stat_pareto(a, r->s->metric.lower ? -1 : 1, b, r->s->diversity.lower ? -1 : 1, n, i);
	mem_free(a);
	mem_free(b);
	return yes;
}

static void json_trial(const struct tune_run *r, const struct ranked *v, size_t n, size_t i, struct jw *w)
{
	const struct trial *t = v[i].t;
	const struct trial_rung *g = last(t);

	jw_obj(w);
	key_num(w, "trial", (double)t->number);
	jw_key(w, "failed");
	jw_bool(w, g->failed);
	key_num(w, "value", g->value);
	if (r->s->diversity.name) {
		key_num(w, "quality", g->quality);
		key_num(w, "diversity", g->diversity);
		jw_key(w, "front");
		jw_bool(w, on_front(r, v, n, i));
	}
	key_num(w, "rung", (double)t->known);
	key_num(w, "steps", g->steps);
	key_num(w, "trained_tokens", g->trained);
	jw_key(w, "seconds");
	jw_double(w, round(g->seconds * 1000) / 1000);
	jw_key(w, "choices");
	jw_obj(w);
	for (size_t d = 0; d < r->s->ndim; d++)
		if (shown(r, d) && t->choice[d].text)
			key_str(w, r->s->dim[d].name, t->choice[d].text);
	jw_obj_end(w);
	jw_obj_end(w);
}

static void json_best(const struct tune_run *r, const struct trial *t, struct jw *w)
{
	struct trial_commands c = {0};

	trial_commands(r->s, t, t->known - 1, "best", "best/data", true, &c);
	jw_key(w, "best");
	jw_obj(w);
	key_num(w, "trial", (double)t->number);
	key_num(w, "value", last(t)->value);
	key_str(w, "folder", trial_folder(r->s, t));
	jw_key(w, "commands");
	trial_commands_json(&c, w);
	jw_obj_end(w);
	trial_commands_free(&c);
}

void tune_json(const struct tune_run *r, struct buf *out)
{
	static const char *const kind[] = { "random", "asha", "policy" };
	const struct tune_space *s = r->s;
	const struct trial *best = tune_best(r);
	struct jw w;
	size_t n;
	struct ranked *v = rank(r, &n);

	jw_init(&w, out);
	jw_obj(&w);
	tool_schema_json(&w, "sft.tune/1");
	key_str(&w, "search", kind[s->search.kind]);
	key_str(&w, "metric", s->metric.name);
	if (s->diversity.name) {
		key_str(&w, "diversity", s->diversity.name);
		key_num(&w, "diversity_weight", s->diversity_weight);
	}
	jw_key(&w, "lower_is_better");
	jw_bool(&w, s->metric.lower);
	if (s->search.kind == TUNE_ASHA) {
		jw_key(&w, "rungs");
		jw_arr(&w);
		for (size_t i = 0; i < s->search.nrungs; i++)
			jw_double(&w, s->search.rung[i]);
		jw_arr_end(&w);
	}
	jw_key(&w, "spent");
	jw_obj(&w);
	key_num(&w, "runs", round(r->runs * 1e6) / 1e6);
	jw_key(&w, "seconds");
	jw_double(&w, round(r->seconds * 1000) / 1000);
	key_num(&w, "trained_tokens", r->tokens);
	jw_obj_end(&w);
	json_choices(r, &w);
	jw_key(&w, "trials");
	jw_arr(&w);
	for (size_t i = 0; i < n; i++)
		json_trial(r, v, n, i, &w);
	jw_arr_end(&w);
	if (best)
		json_best(r, best, &w);
	jw_obj_end(&w);
	buf_ch(out, '\n');
	mem_free(v);
}
