/* SPDX-License-Identifier: Apache-2.0 */
#include "kappaout.h"

#include <math.h>
#include <string.h>

#include "stats.h"
#include "textable.h"

static const char *const level_name[] = { "nominal", "ordinal", "interval", "ratio" };
static const char *const weight_name[] = { "unweighted", "linear", "quadratic", "ordinal" };

void kappa_compute(const struct rating_table *r, struct kappa_figures *f)
{
	const struct ratings *t = &r->t;
	double sum = 0;

	memset(f, 0, sizeof *f);
	f->percent = agree_percent(t, NULL, 0);
	if (!t->anonymous && agree_cohen_fits(t)) {
		f->npairs = (size_t)t->raters * (t->raters - 1) / 2;
		f->cohen = mem_new((f->npairs + 1) * sizeof *f->cohen);
		agree_cohen(t, NULL, 0, f->cohen);
	}
	f->light = (struct coef){ NAN, t->anonymous ? "raters are not named" : "too many raters and categories for all pairs" };
	for (size_t k = 0; k < f->npairs; k++)
		sum += f->cohen[k].kappa[WEIGHT_NONE].v;
	if (f->npairs)
		f->light = isnan(sum) ? (struct coef){ NAN, "undefined for a pair" } : (struct coef){ sum / (double)f->npairs, NULL };
	f->fleiss = agree_fleiss(t, NULL, 0);
	f->scott = agree_scott(t, NULL, 0);
	for (int k = 0; k < 4; k++) {
		f->alpha[k] = agree_alpha(t, NULL, 0, (enum agree_level)k);
		f->gwet[k] = agree_gwet(t, NULL, 0, (enum agree_weight)k);
	}
}

void kappa_figures_free(struct kappa_figures *f)
{
	mem_free(f->cohen);
	f->cohen = NULL;
}

/* --- the gate --- */

static bool complete(const struct ratings *t)
{
	size_t m = 0;

	for (uint32_t i = 0; i < t->items; i++) {
		size_t n = t->start[i + 1] - t->start[i];
		if (n && m && n != m)
			return false;
		m = n ? n : m;
	}
	return true;
}

static struct coef smallest_cohen(const struct kappa_figures *f, enum agree_weight w)
{
	struct coef least = { INFINITY, NULL };

	if (f->npairs == 0)
		return f->light;
	for (size_t k = 0; k < f->npairs; k++) {
		if (f->cohen[k].kappa[w].reason)
			return f->cohen[k].kappa[w];
		if (f->cohen[k].kappa[w].v < least.v)
			least = f->cohen[k].kappa[w];
	}
	return least;
}

struct coef kappa_gate_value(const struct rating_table *r, const struct kappa_figures *f, const struct kappa_shown *s, const char **name)
{
	enum kappa_gate g = s->gate;

	if (g == GATE_AUTO)
		g = r->t.raters == 2 && !r->t.anonymous ? GATE_COHEN : complete(&r->t) ? GATE_FLEISS : GATE_ALPHA;
	switch (g) {
	case GATE_COHEN:
		*name = r->t.raters == 2 ? "Cohen's kappa" : "the smallest Cohen's kappa";
		return smallest_cohen(f, s->weights);
	case GATE_FLEISS:
		*name = "Fleiss' kappa";
		return f->fleiss;
	case GATE_ALPHA:
		*name = "Krippendorff's alpha";
		return f->alpha[s->level];
	default:
		*name = "percent agreement";
		return f->percent.pooled_pairs;
	}
}

/* --- intervals over items --- */

enum { CI_PERCENT, CI_COHEN, CI_FLEISS, CI_ALPHA, CI_AC1, NCI };
static const char *const ci_name[NCI] = { "percent_agreement", "cohen", "fleiss", "krippendorff", "gwet_ac1" };

struct sampling {
	const struct ratings *t;
	const struct kappa_shown *s;
};

static void sample(void *ctx, const uint32_t *pick, size_t n, double *out)
{
	const struct sampling *c = ctx;
	struct cohen pair;

	out[CI_PERCENT] = agree_percent(c->t, pick, n).pooled_pairs.v;
	out[CI_COHEN] = c->t->raters == 2 && agree_cohen(c->t, pick, n, &pair) ? pair.kappa[c->s->weights].v : NAN;
	out[CI_FLEISS] = agree_fleiss(c->t, pick, n).v;
	out[CI_ALPHA] = agree_alpha(c->t, pick, n, c->s->level).v;
	out[CI_AC1] = agree_gwet(c->t, pick, n, WEIGHT_NONE).v;
}

static void intervals(const struct rating_table *r, const struct kappa_shown *s, double lo[NCI], double hi[NCI])
{
	struct sampling c = { &r->t, s };
	double *samples = mem_grow(NULL, s->resamples * NCI, sizeof *samples);

	stats_bootstrap(s->seed, r->t.items, s->resamples, NCI, sample, &c, samples);
	for (size_t v = 0; v < NCI; v++)
		stats_interval(samples, s->resamples, NCI, v, &lo[v], &hi[v]);
	mem_free(samples);
}

/* --- JSON --- */

static void put(struct jw *w, const char *key, struct coef c)
{
	jw_key(w, key);
	jw_double(w, c.v);
}

static void why(struct jw *w, const char *key, struct coef c)
{
	if (c.reason) {
		jw_key(w, key);
		jw_str(w, c.reason);
	}
}

static void texts(struct jw *w, const char *key, const struct text *t, size_t n)
{
	jw_key(w, key);
	jw_arr(w);
	for (size_t k = 0; k < n; k++)
		jw_strn(w, t[k].p, t[k].n);
	jw_arr_end(w);
}

static void counts_json(const struct rating_table *r, struct jw *w)
{
	const struct ratings *t = &r->t;
	uint64_t rated = 0, pairable = 0;

	for (uint32_t i = 0; i < t->items; i++) {
		rated += t->start[i + 1] > t->start[i];
		pairable += t->start[i + 1] > t->start[i] + 1;
	}
	jw_key(w, "items");
	jw_uint(w, t->items);
	jw_key(w, "items_rated");
	jw_uint(w, rated);
	jw_key(w, "items_pairable");
	jw_uint(w, pairable);
	jw_key(w, "ratings");
	jw_uint(w, t->start[t->items]);
	jw_key(w, "repeats");
	jw_uint(w, r->repeats);
	jw_key(w, "raters");
	if (t->anonymous) {
		jw_null(w);
	} else {
		jw_arr(w);
		for (size_t k = 0; k < r->rater.n; k++)
			jw_strn(w, r->rater.e[k].key, r->rater.e[k].n);
		jw_arr_end(w);
	}
	texts(w, "categories", r->category, t->ncat);
}

static void cohen_json(const struct rating_table *r, const struct kappa_figures *f, struct jw *w)
{
	jw_key(w, "cohen");
	jw_arr(w);
	for (size_t k = 0; k < f->npairs; k++) {
		const struct cohen *c = &f->cohen[k];
		const struct strmap_entry *a = &r->rater.e[c->a], *b = &r->rater.e[c->b];

		jw_obj(w);
		jw_key(w, "raters");
		jw_arr(w);
		jw_strn(w, a->key, a->n);
		jw_strn(w, b->key, b->n);
		jw_arr_end(w);
		jw_key(w, "n");
		jw_uint(w, c->n);
		jw_key(w, "agreement");
		jw_double(w, c->agreement);
		for (int v = 0; v < 3; v++)
			put(w, weight_name[v], c->kappa[v]);
		why(w, "reason", c->kappa[WEIGHT_NONE]);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

static void coefficients_json(const struct kappa_figures *f, struct jw *w)
{
	jw_key(w, "percent_agreement");
	jw_obj(w);
	put(w, "pooled_pairs", f->percent.pooled_pairs);
	put(w, "mean_of_items", f->percent.mean_of_items);
	put(w, "all_raters_equal", f->percent.all_raters_equal);
	jw_obj_end(w);
	put(w, "light", f->light);
	put(w, "fleiss", f->fleiss);
	put(w, "scott_pi", f->scott);
	jw_key(w, "krippendorff");
	jw_obj(w);
	for (int k = 0; k < 4; k++)
		put(w, level_name[k], f->alpha[k]);
	jw_obj_end(w);
	put(w, "gwet_ac1", f->gwet[WEIGHT_NONE]);
	jw_key(w, "gwet_ac2");
	jw_obj(w);
	for (int k = 1; k < 4; k++)
		put(w, weight_name[k], f->gwet[k]);
	jw_obj_end(w);
}

/* Why a coefficient above is null: keys are its name, "krippendorff.ordinal" for one inside an object. */
static void reasons_json(const struct kappa_figures *f, struct jw *w)
{
	char key[48];

	jw_key(w, "reason");
	jw_obj(w);
	why(w, "percent_agreement", f->percent.pooled_pairs);
	why(w, "light", f->light);
	why(w, "fleiss", f->fleiss);
	why(w, "scott_pi", f->scott);
	for (int k = 0; k < 4; k++) {
		snprintf(key, sizeof key, "krippendorff.%s", level_name[k]);
		why(w, key, f->alpha[k]);
	}
	why(w, "gwet_ac1", f->gwet[WEIGHT_NONE]);
	for (int k = 1; k < 4; k++) {
		snprintf(key, sizeof key, "gwet_ac2.%s", weight_name[k]);
		why(w, key, f->gwet[k]);
	}
	jw_obj_end(w);
}

static void gate_json(const struct rating_table *r, const struct kappa_figures *f, const struct kappa_shown *s, struct jw *w)
{
	const char *name;
	struct coef c = kappa_gate_value(r, f, s, &name);

	jw_key(w, "gate");
	jw_obj(w);
	jw_key(w, "coefficient");
	jw_str(w, name);
	put(w, "value", c);
	why(w, "reason", c);
	jw_key(w, "min");
	jw_double(w, s->min);
	jw_key(w, "met");
	jw_bool(w, c.v >= s->min);
	jw_obj_end(w);
}

static void ci_json(const struct rating_table *r, const struct kappa_shown *s, struct jw *w)
{
	double lo[NCI], hi[NCI];

	intervals(r, s, lo, hi);
	jw_key(w, "ci");
	jw_obj(w);
	jw_key(w, "level");
	jw_double(w, 0.95);
	jw_key(w, "method");
	jw_str(w, "bootstrap over items (percentile)");
	jw_key(w, "resamples");
	jw_uint(w, s->resamples);
	for (int v = 0; v < NCI; v++) {
		jw_key(w, ci_name[v]);
		if (isnan(lo[v])) {
			jw_null(w);
			continue;
		}
		jw_arr(w);
		jw_double(w, lo[v]);
		jw_double(w, hi[v]);
		jw_arr_end(w);
	}
	jw_obj_end(w);
}

void kappa_json(const struct rating_table *r, const struct kappa_figures *f, const struct kappa_shown *s, struct buf *out)
{
	static const char *const repeat[] = { "error", "first", "last" };
	char sig[160];
	struct jw w;

	jw_init(&w, out);
	jw_obj(&w);
	jw_key(&w, "schema");
	jw_str(&w, "sft.eval/1");
	jw_key(&w, "version");
	jw_str(&w, SFT_VERSION);
	jw_key(&w, "n");
	jw_uint(&w, r->t.items);
	jw_key(&w, "metrics");
	jw_obj(&w);
	jw_key(&w, "kappa");
	jw_obj(&w);
	counts_json(r, &w);
	coefficients_json(f, &w);
	cohen_json(r, f, &w);
	reasons_json(f, &w);
	if (!isnan(s->min))
		gate_json(r, f, s, &w);
	if (s->resamples)
		ci_json(r, s, &w);
	jw_obj_end(&w);
	jw_obj_end(&w);
	jw_key(&w, "signature");
	jw_obj(&w);
	jw_key(&w, "kappa");
	snprintf(sig, sizeof sig, "level:%s|weights:%s|repeat:%s|version:%s", level_name[s->level], weight_name[s->weights],
	         repeat[s->repeat], SFT_VERSION);
	jw_str(&w, sig);
	jw_obj_end(&w);
	jw_obj_end(&w);
	buf_ch(out, '\n');
}

/* --- table --- */

static void line(struct textable *t, bool ci, const char *name, struct coef c, double lo, double hi)
{
	textable_cell(t, "%s", name);
	textable_number(t, "%.4f", c.v);
	if (ci) {
		textable_number(t, "%.4f", lo);
		textable_number(t, "%.4f", hi);
	}
	textable_cell(t, "%s", c.reason ? c.reason : "");
	textable_row(t);
}

static void coefficients_table(const struct rating_table *r, const struct kappa_figures *f, const struct kappa_shown *s, struct buf *out)
{
	double lo[NCI], hi[NCI];
	struct textable t = { 0 };
	bool ci = s->resamples > 0;

	if (ci)
		intervals(r, s, lo, hi);
	for (int v = 0; v < NCI && !ci; v++)
		lo[v] = hi[v] = NAN;
	textable_head(&t, "coefficient", false);
	textable_head(&t, "value", true);
	if (ci) {
		textable_head(&t, "low", true);
		textable_head(&t, "high", true);
	}
	textable_head(&t, "", false);
	line(&t, ci, "percent agreement", f->percent.pooled_pairs, lo[CI_PERCENT], hi[CI_PERCENT]);
	if (r->t.raters == 2 && f->npairs)
		for (int k = 0; k < 3; k++)
			line(&t, ci, k == 0 ? "Cohen's kappa" : k == 1 ? "  linear" : "  quadratic", f->cohen[0].kappa[k],
			     k == (int)s->weights ? lo[CI_COHEN] : NAN, k == (int)s->weights ? hi[CI_COHEN] : NAN);
	else
		line(&t, ci, "mean of Cohen's kappa", f->light, NAN, NAN);
	line(&t, ci, "Fleiss' kappa", f->fleiss, lo[CI_FLEISS], hi[CI_FLEISS]);
	line(&t, ci, "Scott's pi", f->scott, NAN, NAN);
	for (int k = 0; k < 4; k++) {
		char name[48];
		bool shown = k == (int)s->level;

		snprintf(name, sizeof name, k ? "  %s" : "Krippendorff's alpha, %s", level_name[k]);
		line(&t, ci, name, f->alpha[k], shown ? lo[CI_ALPHA] : NAN, shown ? hi[CI_ALPHA] : NAN);
	}
	line(&t, ci, "Gwet's AC1", f->gwet[WEIGHT_NONE], lo[CI_AC1], hi[CI_AC1]);
	for (int k = 1; k < 4; k++) {
		char name[48];

		snprintf(name, sizeof name, k > 1 ? "  %s" : "Gwet's AC2, %s", weight_name[k]);
		line(&t, ci, name, f->gwet[k], NAN, NAN);
	}
	textable_print(&t, out);
	textable_free(&t);
}

static void pairs_table_(const struct rating_table *r, const struct kappa_figures *f, struct buf *out)
{
	struct textable t = { 0 };

	textable_head(&t, "rater", false);
	textable_head(&t, "rater", false);
	textable_head(&t, "n", true);
	textable_head(&t, "agreement", true);
	for (int k = 0; k < 3; k++)
		textable_head(&t, k ? weight_name[k] : "kappa", true);
	for (size_t k = 0; k < f->npairs; k++) {
		const struct cohen *c = &f->cohen[k];

		textable_cell(&t, "%s", r->rater.e[c->a].key);
		textable_cell(&t, "%s", r->rater.e[c->b].key);
		textable_cell(&t, "%llu", (unsigned long long)c->n);
		textable_number(&t, "%.4f", c->agreement);
		for (int v = 0; v < 3; v++)
			textable_number(&t, "%.4f", c->kappa[v].v);
		textable_row(&t);
	}
	buf_ch(out, '\n');
	textable_print(&t, out);
	textable_free(&t);
}

void kappa_table(const struct rating_table *r, const struct kappa_figures *f, const struct kappa_shown *s, struct buf *out)
{
	buf_fmt(out, "%u items, %u raters, %zu ratings, %u categories\n\n", r->t.items, r->t.raters, r->t.start[r->t.items], r->t.ncat);
	coefficients_table(r, f, s, out);
	if (r->t.raters > 2 && f->npairs && f->npairs <= 190)
		pairs_table_(r, f, out);
}
