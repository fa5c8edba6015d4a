/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kappaout.h"
#include "tool.h"

const char *const kappa_level[4] = { "nominal", "ordinal", "interval", "ratio" };
const char *const kappa_weight[4] = { "unweighted", "linear", "quadratic", "ordinal" };
static const char *const ci_name[NCI] = { "percent_agreement", "cohen", "fleiss", "krippendorff", "gwet_ac1" };

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

static void range(struct jw *w, const char *key, struct kappa_interval x)
{
	jw_key(w, key);
	if (isnan(x.lo)) {
		jw_null(w);
		return;
	}
	jw_arr(w);
	jw_double(w, x.lo);
	jw_double(w, x.hi);
	jw_arr_end(w);
}

static void texts(struct jw *w, const char *key, const struct text *t, size_t n)
{
	jw_key(w, key);
	jw_arr(w);
	for (size_t k = 0; k < n; k++)
		jw_strn(w, t[k].p, t[k].n);
	jw_arr_end(w);
}

static void counts_json(const struct rating_table *r, const struct kappa_figures *f, struct jw *w)
{
	const struct ratings *t = &r->t, *kinds = &f->kinds.t;
	double rated = 0, pairable = 0;

	for (uint32_t i = 0; i < kinds->items; i++) {
		rated += kinds->start[i + 1] > kinds->start[i] ? f->kinds.many[i] : 0;
		pairable += kinds->start[i + 1] > kinds->start[i] + 1 ? f->kinds.many[i] : 0;
	}
	jw_key(w, "items");
	jw_uint(w, t->items);
	jw_key(w, "items_rated");
	jw_uint(w, (uint64_t)rated);
	jw_key(w, "items_pairable");
	jw_uint(w, (uint64_t)pairable);
	jw_key(w, "ratings");
	jw_uint(w, kappa_ratings(f));
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
			put(w, kappa_weight[v], c->kappa[v]);
		why(w, "reason", c->kappa[WEIGHT_NONE]);
		if (f->pair_ci)
			range(w, "ci", f->pair_ci[k]);
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
		put(w, kappa_level[k], f->alpha[k]);
	jw_obj_end(w);
	put(w, "gwet_ac1", f->gwet[WEIGHT_NONE]);
	jw_key(w, "gwet_ac2");
	jw_obj(w);
	for (int k = 1; k < 4; k++)
		put(w, kappa_weight[k], f->gwet[k]);
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
		snprintf(key, sizeof key, "krippendorff.%s", kappa_level[k]);
		why(w, key, f->alpha[k]);
	}
	why(w, "gwet_ac1", f->gwet[WEIGHT_NONE]);
	for (int k = 1; k < 4; k++) {
		snprintf(key, sizeof key, "gwet_ac2.%s", kappa_weight[k]);
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

static void ci_json(const struct kappa_figures *f, const struct kappa_shown *s, struct jw *w)
{
	jw_key(w, "ci");
	jw_obj(w);
	jw_key(w, "level");
	jw_double(w, 0.95);
	jw_key(w, "method");
	jw_str(w, "bootstrap over items (percentile)");
	jw_key(w, "resamples");
	jw_int(w, s->resamples);
	for (int v = 0; v < NCI; v++)
		range(w, ci_name[v], f->ci[v]);
	jw_obj_end(w);
}

static void text_member(struct jw *w, const char *key, struct text t)
{
	jw_key(w, key);
	jw_strn(w, t.p, t.n);
}

static void number(struct jw *w, const char *key, double v)
{
	jw_key(w, key);
	jw_double(w, v);
}

static void labels_json(const struct rating_table *r, const struct kappa_figures *f, struct jw *w)
{
	jw_key(w, "labels");
	jw_arr(w);
	for (uint32_t k = 0; k < r->t.ncat; k++) {
		const struct by_label *x = &f->label[k];

		jw_obj(w);
		text_member(w, "label", r->category[k]);
		number(w, "n", x->n);
		put(w, "agreement", x->agreement);
		if (f->label_ci)
			range(w, "agreement_ci", f->label_ci[k]);
		put(w, "alpha", x->alpha);
		why(w, "reason", x->alpha);
		if (x->other != k) {
			text_member(w, "most_confused_with", r->category[x->other]);
			number(w, "confused_pairs", x->meets);
		}
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

static void rater_json(const struct rating_table *r, const struct by_rater *x, struct jw *w)
{
	jw_key(w, "n");
	jw_uint(w, x->n);
	jw_key(w, "judged");
	jw_uint(w, x->judged);
	number(w, "agreement_with_others", x->rate);
	range(w, "ci95", (struct kappa_interval){ x->lo, x->hi });
	number(w, "p_below_others", x->p);
	jw_key(w, "stands_apart");
	jw_bool(w, rater_apart(x));
	number(w, "early", x->early);
	number(w, "late", x->late);
	number(w, "p_drift", x->p_drift);
	jw_key(w, "drifts");
	jw_bool(w, rater_drifts(x));
	if (x->misses == 0)
		return;
	jw_key(w, "most_frequent_miss");
	jw_obj(w);
	text_member(w, "says", r->category[x->says]);
	text_member(w, "others", r->category[x->where]);
	jw_key(w, "n");
	jw_uint(w, x->misses);
	jw_obj_end(w);
}

static void raters_json(const struct rating_table *r, const struct kappa_figures *f, struct jw *w)
{
	char tmp[24];

	jw_key(w, "by_rater");
	if (f->rater == NULL) {
		jw_null(w);
		return;
	}
	jw_arr(w);
	for (uint32_t k = 0; k < r->t.raters; k++) {
		jw_obj(w);
		text_member(w, "rater", rating_rater_name(r, k, tmp));
		rater_json(r, &f->rater[k], w);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

void kappa_members(const struct rating_table *r, const struct kappa_figures *f, const struct kappa_shown *s, struct jw *w)
{
	counts_json(r, f, w);
	coefficients_json(f, w);
	cohen_json(r, f, w);
	reasons_json(f, w);
	labels_json(r, f, w);
	raters_json(r, f, w);
	if (!isnan(s->min))
		gate_json(r, f, s, w);
	if (s->ci)
		ci_json(f, s, w);
}

void kappa_json(const struct rating_table *r, const struct kappa_figures *f, const struct kappa_shown *s, struct buf *out)
{
	static const char *const repeat[] = { "error", "first", "last" };
	char sig[160];
	struct jw w;

	jw_init(&w, out);
	jw_obj(&w);
	tool_schema_json(&w, "sft.eval/1");
	jw_key(&w, "n");
	jw_uint(&w, r->t.items);
	jw_key(&w, "metrics");
	jw_obj(&w);
	jw_key(&w, "kappa");
	jw_obj(&w);
	kappa_members(r, f, s, &w);
	jw_obj_end(&w);
	jw_obj_end(&w);
	jw_key(&w, "signature");
	jw_obj(&w);
	jw_key(&w, "kappa");
	snprintf(sig, sizeof sig, "level:%s|weights:%s|repeat:%s|version:%s", kappa_level[s->level], kappa_weight[s->weights],
	         repeat[s->repeat], SFT_VERSION);
	jw_str(&w, sig);
	jw_obj_end(&w);
	jw_obj_end(&w);
	buf_ch(out, '\n');
}

