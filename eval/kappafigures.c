/* SPDX-License-Identifier: Apache-2.0 */
#include "kappafigures.h"

#include <math.h>
#include <string.h>

#include "stats.h"

/* Most pairs of raters, and labels, that get an interval of their own. */
enum { MAX_PAIRS = 190, MAX_LABELS = 64 };

/* --- options --- */

void kappa_options(struct kappa_shown *s, struct opt table[10])
{
	const struct opt all[] = {
		OPT_HEAD("What counts"),
		OPT_CHOICE(0, "level", &s->level, "nominal|ordinal|interval|ratio", "of Krippendorff's alpha in gate and intervals [nominal]"),
		OPT_CHOICE(0, "weights", &s->weights, "none|linear|quadratic", "of Cohen's kappa in gate and intervals [none]"),
		OPT_STR(0, "min-kappa", &s->min_text, "X", "exit 1 below it, or where it is undefined"),
		OPT_CHOICE(0, "gate", &s->gate, "auto|cohen-min|fleiss|alpha|percent",
		           "what --min-kappa looks at [Cohen for two, Fleiss on complete tables, else alpha]"),
		OPT_FLAG(0, "ci", &s->ci, "95% intervals by bootstrap over items"),
		OPT_INT(0, "resamples", &s->resamples, "N", "bootstrap resamples [1000]", 10, 1000000),
		OPT_END
	};

	_Static_assert(sizeof all <= 10 * sizeof *table, "room for the options of agreement");
	memcpy(table, all, sizeof all);
	*s = (struct kappa_shown){ .min = NAN, .resamples = 1000 };
}

int kappa_options_finish(struct kappa_shown *s, uint64_t seed, struct err *e)
{
	s->seed = seed;
	if (s->min_text && opt_number(s->min_text, -1, 1, &s->min, e) != 0)
		return err_in(e, "--min-kappa");
	return 0;
}

/* --- intervals over items --- */

struct sampling {
	const struct kappa_figures *f;
	const struct kappa_shown *s;
	double *weight;                 /* of each kind */
	struct cohen *pair;
	struct by_label *label;
	size_t npairs, nlabels;         /* that get an interval of their own */
};

static void sample(void *ctx, const uint32_t *pick, size_t n, double *out)
{
	struct sampling *c = ctx;
	const struct ratings *t = &c->f->kinds.t;

	memset(c->weight, 0, t->items * sizeof *c->weight);
	for (size_t i = 0; i < n; i++)
		c->weight[c->f->kinds.kind[pick[i]]]++;
	if (c->npairs)
		agree_cohen(t, c->weight, c->pair);
	out[CI_PERCENT] = agree_percent(t, c->weight).pooled_pairs.v;
	out[CI_COHEN] = t->raters == 2 && c->npairs ? c->pair[0].kappa[c->s->weights].v : NAN;
	out[CI_FLEISS] = agree_fleiss(t, c->weight).v;
	out[CI_ALPHA] = agree_alpha(t, c->weight, (enum agree_level)c->s->level).v;
	out[CI_AC1] = agree_gwet(t, c->weight, WEIGHT_NONE).v;
	for (size_t k = 0; k < c->npairs; k++)
		out[NCI + k] = c->pair[k].kappa[c->s->weights].v;
	if (c->nlabels)
		agree_by_label(t, c->weight, c->label);
	for (size_t k = 0; k < c->nlabels; k++)
		out[NCI + c->npairs + k] = c->label[k].agreement.v;
}

static void intervals(struct kappa_figures *f, const struct kappa_shown *s, uint32_t items)
{
	struct sampling c = { .f = f, .s = s };
	size_t nv, b = (size_t)s->resamples;
	double *samples;

	c.npairs = f->npairs <= MAX_PAIRS ? f->npairs : 0;
	c.nlabels = f->kinds.t.ncat <= MAX_LABELS ? f->kinds.t.ncat : 0;
	c.weight = mem_new(((size_t)f->kinds.t.items + 1) * sizeof *c.weight);
	c.pair = mem_new((c.npairs + 1) * sizeof *c.pair);
	c.label = mem_new((c.nlabels + 1) * sizeof *c.label);
	nv = NCI + c.npairs + c.nlabels;
	samples = mem_grow(NULL, b * nv, sizeof *samples);
	stats_bootstrap(s->seed, items, b, nv, sample, &c, samples);
	if (c.npairs)
		f->pair_ci = mem_new(c.npairs * sizeof *f->pair_ci);
	if (c.nlabels)
		f->label_ci = mem_new(c.nlabels * sizeof *f->label_ci);
	for (size_t v = 0; v < nv; v++) {
		struct kappa_interval *x = v < NCI ? &f->ci[v] : v < NCI + c.npairs ? &f->pair_ci[v - NCI] : &f->label_ci[v - NCI - c.npairs];

		stats_interval(samples, b, nv, v, &x->lo, &x->hi);
	}
	mem_free(samples);
	mem_free(c.weight);
	mem_free(c.pair);
	mem_free(c.label);
}

/* --- all figures --- */

static void pairs_of_raters(struct kappa_figures *f)
{
	const struct ratings *t = &f->kinds.t;
	double sum = 0;

	if (!t->anonymous && agree_cohen_fits(t)) {
		f->npairs = (size_t)t->raters * (t->raters - 1) / 2;
		f->cohen = mem_new((f->npairs + 1) * sizeof *f->cohen);
		agree_cohen(t, f->kinds.many, f->cohen);
	}
	f->light = (struct coef){ NAN, t->anonymous ? "raters are not named" : "too many raters and categories for all pairs" };
	for (size_t k = 0; k < f->npairs; k++)
		sum += f->cohen[k].kappa[WEIGHT_NONE].v;
	if (f->npairs)
		f->light = isnan(sum) ? (struct coef){ NAN, "undefined for a pair" } : (struct coef){ sum / (double)f->npairs, NULL };
}

void kappa_compute(const struct rating_table *r, const struct kappa_shown *s, struct kappa_figures *f)
{
	const struct ratings *t = &f->kinds.t;

	memset(f, 0, sizeof *f);
	f->borrowed = r->kinds.items > 0;
	if (f->borrowed)
		f->kinds = r->kinds;
	else
		agree_collapse(&r->t, &f->kinds);
	f->percent = agree_percent(t, f->kinds.many);
	pairs_of_raters(f);
	f->fleiss = agree_fleiss(t, f->kinds.many);
	f->scott = agree_scott(t, f->kinds.many);
	for (int k = 0; k < 4; k++) {
		f->alpha[k] = agree_alpha(t, f->kinds.many, (enum agree_level)k);
		f->gwet[k] = agree_gwet(t, f->kinds.many, (enum agree_weight)k);
	}
	f->label = mem_new(((size_t)t->ncat + 1) * sizeof *f->label);
	agree_by_label(t, f->kinds.many, f->label);
	if (!t->anonymous) {
		f->rater = mem_new(((size_t)t->raters + 1) * sizeof *f->rater);
		agree_by_rater(&f->kinds, r->place, r->n, f->rater);
	}
	for (int v = 0; v < NCI; v++)
		f->ci[v] = (struct kappa_interval){ NAN, NAN };
	if (s->ci)
		intervals(f, s, r->t.items);
}

uint64_t kappa_ratings(const struct kappa_figures *f)
{
	const struct ratings *t = &f->kinds.t;
	uint64_t n = 0;

	for (uint32_t i = 0; i < t->items; i++)
		n += (uint64_t)f->kinds.many[i] * (t->start[i + 1] - t->start[i]);
	return n;
}

void kappa_figures_free(struct kappa_figures *f)
{
	mem_free(f->cohen);
	mem_free(f->label);
	mem_free(f->rater);
	mem_free(f->pair_ci);
	mem_free(f->label_ci);
	if (!f->borrowed)
		kinds_release(&f->kinds);
	memset(f, 0, sizeof *f);
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
	int g = s->gate;

	if (g == GATE_AUTO)
		g = r->t.raters == 2 && !r->t.anonymous ? GATE_COHEN : complete(&f->kinds.t) ? GATE_FLEISS : GATE_ALPHA;
	switch (g) {
	case GATE_COHEN:
		*name = r->t.raters == 2 ? "Cohen's kappa" : "the smallest Cohen's kappa";
		return smallest_cohen(f, (enum agree_weight)s->weights);
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

int kappa_gate(const struct rating_table *r, const struct kappa_figures *f, const struct kappa_shown *s, struct err *e)
{
	const char *name;
	struct coef c;

	if (isnan(s->min))
		return 0;
	c = kappa_gate_value(r, f, s, &name);
	if (c.reason)
		return err_set(e, SFT_GATE, "%s is undefined: %s (expected at least %.6g)", name, c.reason, s->min);
	return c.v < s->min ? err_set(e, SFT_GATE, "%s is %.6g (expected at least %.6g)", name, c.v, s->min) : 0;
}
