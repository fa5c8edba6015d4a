/* SPDX-License-Identifier: Apache-2.0 */
#include "compareout.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "csvline.h"
#include "textable.h"

enum { SHOWN = 10 };            /* regressions that the table names */

/* --- JSON --- */

static void range(struct jw *w, const char *key, double lo, double hi)
{
	jw_key(w, key);
	jw_arr(w);
	jw_double(w, lo);
	jw_double(w, hi);
	jw_arr_end(w);
}

static void difference_json(struct jw *w, const struct difference *d, bool several)
{
	jw_obj(w);
	jw_key(w, "a");
	jw_double(w, d->a);
	jw_key(w, "b");
	jw_double(w, d->b);
	range(w, "a_ci", d->a_lo, d->a_hi);
	range(w, "b_ci", d->b_lo, d->b_hi);
	jw_key(w, "difference");
	jw_double(w, d->diff);
	range(w, "difference_ci", d->lo, d->hi);
	jw_key(w, "p_value");
	jw_double(w, d->p);
	if (several) {
		jw_key(w, "p_holm");
		jw_double(w, d->p_holm);
	}
	jw_obj_end(w);
}

static void contest_json(struct jw *w, const struct contest *c)
{
	jw_key(w, "win");
	jw_uint(w, c->win);
	jw_key(w, "tie");
	jw_uint(w, c->tie);
	jw_key(w, "loss");
	jw_uint(w, c->loss);
	jw_key(w, "net_win_rate");
	jw_double(w, c->net);
	jw_key(w, "effect_size");
	jw_double(w, c->effect);
	jw_key(w, "mcnemar_p");
	jw_double(w, c->p);
	jw_key(w, "odds_ratio");
	jw_double(w, c->odds);
	if (isnan(c->odds)) {
		jw_key(w, "reason");
		jw_str(w, c->win + c->loss ? "the odds ratio needs wins and losses" : "no item differs");
	} else {
		range(w, "odds_ratio_ci", c->odds_lo, c->odds_hi);
	}
}

static void metric_json_(const struct paired *p, size_t k, struct jw *w)
{
	const struct difference *d = paired_of(p, k);
	const char *const *names;
	size_t nv = metric_values(p->a.m[k], &names);
	struct contest c;

	paired_contest(p, k, &c);
	jw_key(w, p->name[k]);
	jw_obj(w);
	contest_json(w, &c);
	jw_key(w, "values");
	jw_obj(w);
	for (size_t v = 0; v < nv; v++) {
		jw_key(w, names[v]);
		difference_json(w, &d[v], p->several);
	}
	jw_obj_end(w);
	jw_obj_end(w);
}

static void metrics_json(const struct paired *p, struct jw *w)
{
	jw_key(w, "metrics");
	jw_obj(w);
	for (size_t k = 0; k < p->nmetrics; k++)
		metric_json_(p, k, w);
	jw_obj_end(w);
}

/* Items of one outcome: right before and wrong now (STEP -1), or the other way round (1). */
static void changed_json(const struct paired *p, size_t k, int step, const char *key, struct jw *w)
{
	jw_key(w, key);
	jw_arr(w);
	for (size_t i = 0; i < p->a.n; i++)
		if (p->b.item[k][p->of_b[i]] - p->a.item[k][i] == step)
			jw_strn(w, p->id.e[i].key, p->id.e[i].n);
	jw_arr_end(w);
}

static void changes_json(const struct paired *p, struct jw *w)
{
	for (size_t k = 0; k < p->nmetrics; k++)
		if (strcmp(p->name[k], "accuracy") == 0) {
			changed_json(p, k, -1, "regressions", w);
			changed_json(p, k, 1, "gains", w);
		}
}

static void slices_json(const struct sliced *c, struct jw *w)
{
	jw_key(w, "by");
	jw_str(w, c->by);
	jw_key(w, "groups");
	jw_arr(w);
	for (size_t k = 0; k < c->name.n; k++) {
		jw_obj(w);
		jw_key(w, "group");
		jw_strn(w, c->name.e[k].key, c->name.e[k].n);
		jw_key(w, "n");
		jw_uint(w, c->slice[k].a.n);
		metrics_json(&c->slice[k], w);
		changes_json(&c->slice[k], w);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

/* Members of a comparison of A and one B. */
static void members_json(const struct sliced *c, struct jw *w)
{
	jw_key(w, "b");
	jw_str(w, c->all.b.path);
	jw_key(w, "paired_by");
	jw_str(w, c->all.by_id ? "id" : "order");
	metrics_json(&c->all, w);
	changes_json(&c->all, w);
	if (c->by)
		slices_json(c, w);
}

void compare_json(const struct sliced *c, size_t n, struct buf *out)
{
	const struct paired *p = &c[0].all;
	struct jw w;

	jw_init(&w, out);
	jw_obj(&w);
	tool_schema_json(&w, "sft.eval/1");
	jw_key(&w, "n");
	jw_uint(&w, p->a.n);
	jw_key(&w, "a");
	jw_str(&w, p->a.path);
	if (n == 1) {
		members_json(c, &w);
	} else {
		jw_key(&w, "comparisons");
		jw_arr(&w);
		for (size_t b = 0; b < n; b++) {
			jw_obj(&w);
			members_json(&c[b], &w);
			jw_obj_end(&w);
		}
		jw_arr_end(&w);
	}
	metric_signatures_json(p->a.m, p->name, p->nmetrics, p->resamples, p->seed, &w);
	jw_obj_end(&w);
	buf_ch(out, '\n');
}

/* --- table --- */

static void p_cell(struct textable *t, double p)
{
	if (p < 0.0001)
		textable_cell(t, "<0.0001");
	else
		textable_number(t, "%.4f", p);
}

static void range_cell(struct textable *t, int places, const char *sign, double lo, double hi)
{
	char form[32];

	snprintf(form, sizeof form, "%%%s.%df..%%%s.%df", sign, places, sign, places);
	if (isnan(lo) || isnan(hi))
		textable_cell(t, "-");
	else
		textable_cell(t, form, lo, hi);
}

/* A, B, their difference and its p-value; with intervals of both where WIDE. */
static void difference_cells(struct textable *t, const struct difference *d, bool wide, bool several)
{
	int places = fabs(d->a) > 1 || fabs(d->b) > 1 ? 2 : 4;
	const char *plain = places == 2 ? "%.2f" : "%.4f", *sign = places == 2 ? "%+.2f" : "%+.4f";

	textable_number(t, plain, d->a);
	if (wide)
		range_cell(t, places, "", d->a_lo, d->a_hi);
	textable_number(t, plain, d->b);
	if (wide)
		range_cell(t, places, "", d->b_lo, d->b_hi);
	textable_number(t, sign, d->diff);
	range_cell(t, places, "+", d->lo, d->hi);
	p_cell(t, d->p);
	if (several)
		p_cell(t, d->p_holm);
}

static void values_table(const struct paired *p, struct buf *out)
{
	static const char *const head[] = { "metric", "A", "95%", "B", "95%", "B - A", "95%", "p", "p (Holm)" };
	struct textable t = { 0 };

	for (size_t k = 0; k + !p->several < sizeof head / sizeof *head; k++)
		textable_head(&t, head[k], k != 0);
	for (size_t k = 0; k < p->nmetrics; k++) {
		const struct difference *d = paired_of(p, k);
		const char *const *names;
		size_t nv = metric_values(p->a.m[k], &names);

		for (size_t v = 0; v < nv; v++) {
			textable_cell(&t, "%s", names[v]);
			difference_cells(&t, &d[v], true, p->several);
			textable_row(&t);
		}
	}
	textable_print(&t, out);
	textable_free(&t);
}

static void contest_table(const struct paired *p, struct buf *out)
{
	static const char *const head[] = { "item by item", "win", "tie", "loss", "net", "effect size", "odds ratio", "McNemar p" };
	struct textable t = { 0 };

	for (size_t k = 0; k < sizeof head / sizeof *head; k++)
		textable_head(&t, head[k], k != 0);
	for (size_t k = 0; k < p->nmetrics; k++) {
		struct contest c;

		paired_contest(p, k, &c);
		textable_cell(&t, "%s", p->name[k]);
		textable_cell(&t, "%llu", (unsigned long long)c.win);
		textable_cell(&t, "%llu", (unsigned long long)c.tie);
		textable_cell(&t, "%llu", (unsigned long long)c.loss);
		textable_cell(&t, "%+.1f%%", 100 * c.net);
		textable_number(&t, "%+.2f", c.effect);
		textable_number(&t, "%.2f", c.odds);
		p_cell(&t, c.p);
		textable_row(&t);
	}
	buf_ch(out, '\n');
	textable_print(&t, out);
	textable_free(&t);
}

static void regressions(const struct paired *p, size_t k, struct buf *out)
{
	struct textable t = { 0 };
	size_t n = 0;

	textable_head(&t, "right in A, wrong in B", false);
	for (size_t i = 0; i < p->a.n; i++)
		if (p->b.item[k][p->of_b[i]] < p->a.item[k][i] && n++ < SHOWN) {
			textable_cell(&t, "%s", p->id.e[i].key);
			textable_row(&t);
		}
	if (n > SHOWN) {
		textable_cell(&t, "... and %zu more (--json lists all)", n - SHOWN);
		textable_row(&t);
	}
	if (n) {
		buf_ch(out, '\n');
		textable_print(&t, out);
	}
	textable_free(&t);
}

static void table(const struct paired *p, struct buf *out)
{
	buf_fmt(out, "A: ");
	buf_str(out, p->a.path);
	buf_str(out, "\nB: ");
	buf_str(out, p->b.path);
	buf_fmt(out, "\n%zu items, paired by %s\n\n", p->a.n, p->by_id ? "id" : "order");
	values_table(p, out);
	contest_table(p, out);
	for (size_t k = 0; k < p->nmetrics; k++)
		if (strcmp(p->name[k], "accuracy") == 0)
			regressions(p, k, out);
}

/* The headline of each metric, slice by slice. */
static void slices_table(const struct sliced *c, struct buf *out)
{
	static const char *const head[] = { "metric", "n", "A", "B", "B - A", "95%", "p", "p (Holm)", "win", "loss" };
	struct textable t = { 0 };

	textable_head(&t, c->by, false);
	for (size_t k = 0; k < sizeof head / sizeof *head; k++)
		textable_head(&t, head[k], k != 0);
	for (size_t s = 0; s < c->name.n; s++)
		for (size_t k = 0; k < c->all.nmetrics; k++) {
			const struct difference *d = paired_of(&c->slice[s], k);
			const char *const *names;
			struct contest x;

			metric_values(c->all.a.m[k], &names);
			paired_contest(&c->slice[s], k, &x);
			textable_clip(&t, c->name.e[s].key, 40);
			textable_cell(&t, "%s", names[0]);
			textable_cell(&t, "%zu", c->slice[s].a.n);
			difference_cells(&t, d, false, true);
			textable_cell(&t, "%llu", (unsigned long long)x.win);
			textable_cell(&t, "%llu", (unsigned long long)x.loss);
			textable_row(&t);
		}
	buf_ch(out, '\n');
	textable_print(&t, out);
	textable_free(&t);
}

void compare_table(const struct sliced *c, size_t n, struct buf *out)
{
	for (size_t b = 0; b < n; b++) {
		if (b)
			buf_ch(out, '\n');
		table(&c[b].all, out);
		if (c[b].by)
			slices_table(&c[b], out);
	}
}

/* --- CSV --- */

static void csv_lines(const struct paired *p, const struct strmap_entry *slice, size_t k, struct csvline *c)
{
	const struct difference *d = paired_of(p, k);
	const char *const *names;
	size_t nv = metric_values(p->a.m[k], &names);

	for (size_t v = 0; v < nv; v++) {
		const double cell[] = { d[v].a, d[v].a_lo, d[v].a_hi, d[v].b, d[v].b_lo, d[v].b_hi, d[v].diff, d[v].lo, d[v].hi, d[v].p, d[v].p_holm };

		csv_str(c, p->b.path);
		csv_text(c, slice ? slice->key : "", slice ? slice->n : 0);
		csv_str(c, names[v]);
		for (size_t i = 0; i < sizeof cell / sizeof *cell; i++)
			csv_real(c, cell[i]);
		csv_uint(c, p->a.n);
		csv_end(c);
	}
}

void compare_csv(const struct sliced *c, size_t n, struct buf *out)
{
	static const char *const head[] = { "system", "group", "metric", "a", "a_low", "a_high", "b", "b_low", "b_high", "difference", "low", "high",
	                                    "p_value", "p_holm", "n" };
	struct csvline line = { out, false };

	csv_head(&line, head, sizeof head / sizeof *head);
	for (size_t b = 0; b < n; b++) {
		for (size_t k = 0; k < c[b].all.nmetrics; k++)
			csv_lines(&c[b].all, NULL, k, &line);
		for (size_t s = 0; s < c[b].name.n; s++)
			for (size_t k = 0; k < c[b].all.nmetrics; k++)
				csv_lines(&c[b].slice[s], &c[b].name.e[s], k, &line);
	}
}
