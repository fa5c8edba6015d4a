/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "csvline.h"
#include "kappaout.h"
#include "textable.h"

/* Most pairs, labels and raters that a table for people shows. */
enum { MAX_PAIRS = 190, MAX_LABELS = 40, MAX_RATERS = 60 };

/* --- coefficients, in one order for the table and for CSV --- */

struct line {
	char name[48];
	struct coef c;
	int ci;                         /* CI_*, or -1 */
};

static void add(struct line *to, size_t *n, const char *name, struct coef c, int ci)
{
	snprintf(to[*n].name, sizeof to[*n].name, "%s", name);
	to[*n].c = c;
	to[(*n)++].ci = ci;
}

enum { MAX_LINES = 20 };

static size_t lines(const struct rating_table *r, const struct kappa_figures *f, const struct kappa_shown *s, struct line to[MAX_LINES])
{
	size_t n = 0;
	char name[48];

	add(to, &n, "percent agreement", f->percent.pooled_pairs, CI_PERCENT);
	if (r->t.raters == 2 && f->npairs)
		for (int k = 0; k < 3; k++)
			add(to, &n, k == 0 ? "Cohen's kappa" : k == 1 ? "  linear" : "  quadratic", f->cohen[0].kappa[k], k == s->weights ? CI_COHEN : -1);
	else
		add(to, &n, "mean of Cohen's kappa", f->light, -1);
	add(to, &n, "Fleiss' kappa", f->fleiss, CI_FLEISS);
	add(to, &n, "Scott's pi", f->scott, -1);
	for (int k = 0; k < 4; k++) {
		snprintf(name, sizeof name, k ? "  %s" : "Krippendorff's alpha, %s", kappa_level[k]);
		add(to, &n, name, f->alpha[k], k == s->level ? CI_ALPHA : -1);
	}
	add(to, &n, "Gwet's AC1", f->gwet[WEIGHT_NONE], CI_AC1);
	for (int k = 1; k < 4; k++) {
		snprintf(name, sizeof name, k > 1 ? "  %s" : "Gwet's AC2, %s", kappa_weight[k]);
		add(to, &n, name, f->gwet[k], -1);
	}
	return n;
}

/* --- table --- */

static void heads(struct textable *t, const char *const *name, size_t n, size_t left)
{
	for (size_t k = 0; k < n; k++)
		textable_head(t, name[k], k >= left);
}

static void finish(struct textable *t, struct buf *out)
{
	textable_print(t, out);
	textable_free(t);
}

static void bounds(struct textable *t, struct kappa_interval x)
{
	textable_number(t, "%.4f", x.lo);
	textable_number(t, "%.4f", x.hi);
}

static void coefficients_table(const struct rating_table *r, const struct kappa_figures *f, const struct kappa_shown *s, struct buf *out)
{
	struct line line[MAX_LINES];
	size_t n = lines(r, f, s, line);
	struct textable t = { 0 };

	textable_head(&t, "coefficient", false);
	textable_head(&t, "value", true);
	if (s->ci) {
		textable_head(&t, "low", true);
		textable_head(&t, "high", true);
	}
	textable_head(&t, "", false);
	for (size_t k = 0; k < n; k++) {
		textable_cell(&t, "%s", line[k].name);
		textable_number(&t, "%.4f", line[k].c.v);
		if (s->ci)
			bounds(&t, line[k].ci < 0 ? (struct kappa_interval){ NAN, NAN } : f->ci[line[k].ci]);
		textable_cell(&t, "%s", line[k].c.reason ? line[k].c.reason : "");
		textable_row(&t);
	}
	finish(&t, out);
}

static void pairs_table(const struct rating_table *r, const struct kappa_figures *f, const struct kappa_shown *s, struct buf *out)
{
	static const char *const head[] = { "rater", "rater", "n", "agreement", "kappa", "linear", "quadratic", "low", "high" };
	struct textable t = { 0 };

	heads(&t, head, f->pair_ci ? 9 : 7, 2);
	for (size_t k = 0; k < f->npairs; k++) {
		const struct cohen *c = &f->cohen[k];

		textable_cell(&t, "%s", r->rater.e[c->a].key);
		textable_cell(&t, "%s", r->rater.e[c->b].key);
		textable_cell(&t, "%llu", (unsigned long long)c->n);
		textable_number(&t, "%.4f", c->agreement);
		for (int v = 0; v < 3; v++)
			textable_number(&t, "%.4f", c->kappa[v].v);
		if (f->pair_ci)
			bounds(&t, f->pair_ci[k]);
		textable_row(&t);
	}
	if (f->pair_ci)
		buf_fmt(out, "\n(low and high are of %s kappa)\n", kappa_weight[s->weights]);
	else
		buf_ch(out, '\n');
	finish(&t, out);
}

static void labels_table(const struct rating_table *r, const struct kappa_figures *f, struct buf *out)
{
	static const char *const head[] = { "label", "n", "agreement", "alpha", "low", "high" };
	struct textable t = { 0 };

	heads(&t, head, f->label_ci ? 6 : 4, 1);
	textable_head(&t, "most confused with", false);
	for (uint32_t k = 0; k < r->t.ncat && k < MAX_LABELS; k++) {
		const struct by_label *x = &f->label[k];

		textable_clip(&t, r->category[k].p, 40);
		textable_cell(&t, "%.0f", x->n);
		textable_number(&t, "%.4f", x->agreement.v);
		textable_number(&t, "%.4f", x->alpha.v);
		if (f->label_ci)
			bounds(&t, f->label_ci[k]);
		if (x->other != k)
			textable_clip(&t, r->category[x->other].p, 40);
		textable_row(&t);
	}
	buf_ch(out, '\n');
	finish(&t, out);
	if (r->t.ncat > MAX_LABELS)
		buf_fmt(out, "(%u more labels: --json, --csv)\n", r->t.ncat - MAX_LABELS);
}

static void miss_cell(struct textable *t, const struct rating_table *r, const struct by_rater *x)
{
	struct buf text = { 0 };

	if (x->misses)
		buf_fmt(&text, "%s where others say %s: %llu", r->category[x->says].p, r->category[x->where].p, (unsigned long long)x->misses);
	textable_clip(t, text.p ? text.p : "-", 80);
	buf_free(&text);
}

static void raters_table(const struct rating_table *r, const struct kappa_figures *f, struct buf *out)
{
	static const char *const head[] = { "rater", "n", "with others", "low", "high", "p below", "early", "late", "p drift" };
	struct textable t = { 0 };

	heads(&t, head, 9, 1);
	textable_head(&t, "", false);
	textable_head(&t, "most frequent miss", false);
	for (uint32_t k = 0; k < r->t.raters && k < MAX_RATERS; k++) {
		const struct by_rater *x = &f->rater[k];

		textable_clip(&t, r->rater.e[k].key, 40);
		textable_cell(&t, "%llu", (unsigned long long)x->n);
		textable_number(&t, "%.4f", x->rate);
		bounds(&t, (struct kappa_interval){ x->lo, x->hi });
		textable_number(&t, "%.4f", x->p);
		textable_number(&t, "%.4f", x->early);
		textable_number(&t, "%.4f", x->late);
		textable_number(&t, "%.4f", x->p_drift);
		textable_cell(&t, "%s%s%s", rater_apart(x) ? "APART" : "", rater_apart(x) && rater_drifts(x) ? " " : "", rater_drifts(x) ? "DRIFTS" : "");
		miss_cell(&t, r, x);
		textable_row(&t);
	}
	buf_ch(out, '\n');
	finish(&t, out);
	if (r->t.raters > MAX_RATERS)
		buf_fmt(out, "(%u more raters: --json, --csv)\n", r->t.raters - MAX_RATERS);
}

void kappa_table(const struct rating_table *r, const struct kappa_figures *f, const struct kappa_shown *s, struct buf *out)
{
	buf_fmt(out, "%u items, %u raters, %llu ratings, %u categories\n\n", r->t.items, r->t.raters, (unsigned long long)kappa_ratings(f), r->t.ncat);
	coefficients_table(r, f, s, out);
	if (r->t.raters > 2 && f->npairs && f->npairs <= MAX_PAIRS)
		pairs_table(r, f, s, out);
	labels_table(r, f, out);
	if (f->rater)
		raters_table(r, f, out);
}

/* --- CSV --- */

static void csv_line(struct csvline *c, const char *figure, struct text name, struct text other, double v, struct kappa_interval x, uint64_t n,
                     const char *note)
{
	csv_str(c, figure);
	csv_text(c, name.p, name.n);
	csv_text(c, other.p ? other.p : "", other.n);
	csv_real(c, v);
	csv_real(c, x.lo);
	csv_real(c, x.hi);
	csv_uint(c, n);
	csv_str(c, note);
	csv_end(c);
}

static struct text text_of(const char *s)
{
	return (struct text){ s, strlen(s) };
}

static void coefficients_csv(const struct rating_table *r, const struct kappa_figures *f, const struct kappa_shown *s, struct csvline *c)
{
	const struct kappa_interval none = { NAN, NAN };
	struct line line[MAX_LINES];
	size_t n = lines(r, f, s, line);
	const char *group = "";

	for (size_t k = 0; k < n; k++) {                /* "  linear" is of the coefficient above it */
		bool part = line[k].name[0] == ' ';
		char *comma = strchr(line[k].name, ',');

		if (comma)
			*comma = '\0';
		group = part ? group : line[k].name;
		csv_line(c, "coefficient", text_of(group), text_of(part ? line[k].name + 2 : comma ? comma + 2 : ""), line[k].c.v,
		         line[k].ci < 0 ? none : f->ci[line[k].ci], r->t.items, line[k].c.reason);
	}
}

void kappa_csv(const struct rating_table *r, const struct kappa_figures *f, const struct kappa_shown *s, struct buf *out)
{
	static const char *const head[] = { "figure", "name", "other", "value", "low", "high", "n", "note" };
	const struct kappa_interval none = { NAN, NAN };
	struct csvline c = { out, false };

	csv_head(&c, head, sizeof head / sizeof *head);
	coefficients_csv(r, f, s, &c);
	for (size_t k = 0; k < f->npairs; k++) {
		const struct cohen *x = &f->cohen[k];

		csv_line(&c, "pair", text_of(r->rater.e[x->a].key), text_of(r->rater.e[x->b].key), x->kappa[s->weights].v,
		         f->pair_ci ? f->pair_ci[k] : none, x->n, x->kappa[s->weights].reason);
	}
	for (uint32_t k = 0; k < r->t.ncat; k++)
		csv_line(&c, "label", r->category[k], f->label[k].other == k ? (struct text){ "", 0 } : r->category[f->label[k].other],
		         f->label[k].agreement.v, f->label_ci ? f->label_ci[k] : none, (uint64_t)f->label[k].n, f->label[k].agreement.reason);
	for (uint32_t k = 0; f->rater && k < r->t.raters; k++)
		csv_line(&c, "rater", text_of(r->rater.e[k].key), (struct text){ "", 0 }, f->rater[k].rate,
		         (struct kappa_interval){ f->rater[k].lo, f->rater[k].hi }, f->rater[k].judged,
		         rater_apart(&f->rater[k]) ? "apart" : rater_drifts(&f->rater[k]) ? "drifts" : "");
}
