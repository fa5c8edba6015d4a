/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of a scoring, as JSON and as a table. */
#include <math.h>
#include <string.h>

#include "compliance.h"
#include "csvline.h"
#include "resample.h"
#include "scoring.h"
#include "stats.h"
#include "termuse.h"
#include "textable.h"

enum { MAX_LABELS = 80, MAX_TERMS = 10 };       /* rows of the tables of labels and of wrong terms */

/* --- intervals --- */

struct sampling {
	struct metric_draws *draws;
	size_t nv;
	double *samples;
};

static void sample(void *ctx, const uint8_t *times, size_t first, size_t lanes)
{
	const struct sampling *s = ctx;

	metric_draws_score(s->draws, times, lanes, s->samples + first * s->nv);
}

/* The same by the jackknife, for a metric that has no resamples. */
static void jackknife(struct metric *m, size_t nv, double *lo, double *hi)
{
	size_t n = metric_count(m);
	double *left = mem_grow(NULL, n * nv, sizeof *left), value[METRIC_MAX_VALUES];

	metric_score(m, NULL, 0, value);
	metric_without(m, left);
	for (size_t v = 0; v < nv; v++) {
		double half = STATS_Z95 * stats_jackknife(left + v, n, nv);

		lo[v] = value[v] - half < 0 ? 0 : value[v] - half;      /* they are shares */
		hi[v] = value[v] + half > 1 ? 1 : value[v] + half;
	}
	mem_free(left);
}

/* 95% intervals of all values of M into LO and HI: Wilson's for a share of items, else from the bootstrap. */
static void intervals(const struct scoring *s, struct metric *m, double *lo, double *hi)
{
	const char *const *names;
	size_t nv = metric_values(m, &names);
	struct sampling to = { .nv = nv };
	double k;

	if (metric_without(m, NULL)) {
		jackknife(m, nv, lo, hi);
		return;
	}
	to.draws = metric_draws_open(m, NULL, 0);
	to.samples = mem_grow(NULL, s->resamples * nv, sizeof *to.samples);
	resample(s->seed, (uint32_t)metric_count(m), s->resamples, metric_draws_apart(to.draws) ? s->nmeasure : 1, sample, &to);
	for (size_t v = 0; v < nv; v++)
		if (metric_share(m, v, &k))
			stats_wilson(k, (double)metric_count(m), &lo[v], &hi[v]);
		else
			stats_interval(to.samples, s->resamples, nv, v, &lo[v], &hi[v]);
	mem_free(to.samples);
	metric_draws_close(to.draws);
}

/* --- JSON --- */

static void ci_json(const struct scoring *s, struct metric *m, struct jw *w)
{
	double lo[METRIC_MAX_VALUES], hi[METRIC_MAX_VALUES], k;
	const char *const *names;
	size_t nv = metric_values(m, &names);
	bool shares = false;

	intervals(s, m, lo, hi);
	jw_key(w, "ci");
	jw_obj(w);
	jw_key(w, "level");
	jw_double(w, 0.95);
	jw_key(w, "resamples");
	jw_uint(w, s->resamples);
	for (size_t v = 0; v < nv; v++) {
		jw_key(w, names[v]);
		jw_arr(w);
		jw_double(w, lo[v]);
		jw_double(w, hi[v]);
		jw_arr_end(w);
		shares |= metric_share(m, v, &k);
	}
	jw_key(w, "method");
	jw_str(w, metric_without(m, NULL) ? "jackknife" : shares ? "bootstrap (percentile); shares of items: Wilson" : "bootstrap (percentile)");
	jw_obj_end(w);
}

static void metrics_json(const struct scoring *s, const struct scored *x, struct jw *w)
{
	jw_key(w, "n");
	jw_uint(w, metric_count(x->m[0]));
	jw_key(w, "metrics");
	jw_obj(w);
	for (size_t k = 0; k < s->nmetrics; k++) {
		jw_key(w, s->name[k]);
		jw_obj(w);
		metric_json(x->m[k], w);
		if (s->resamples)
			ci_json(s, x->m[k], w);
		jw_obj_end(w);
	}
	jw_obj_end(w);
}

static void groups_json(const struct scoring *s, struct jw *w)
{
	jw_key(w, "by");
	jw_str(w, s->by);
	jw_key(w, "groups");
	jw_arr(w);
	for (size_t g = 0; g < s->group_name.n; g++) {
		jw_obj(w);
		jw_key(w, "group");
		jw_strn(w, s->group_name.e[g].key, s->group_name.e[g].n);
		metrics_json(s, &s->group[g], w);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

void scoring_json(struct scoring *s, struct buf *out)
{
	struct jw w;

	jw_init(&w, out);
	jw_obj(&w);
	tool_schema_json(&w, "sft.eval/1");
	metrics_json(s, &s->all, &w);
	metric_signatures_json(s->all.m, s->name, s->nmetrics, s->resamples, s->seed, &w);
	if (s->by)
		groups_json(s, &w);
	jw_obj_end(&w);
	buf_ch(out, '\n');
}

/* --- table --- */

static void value_row(const struct scoring *s, struct textable *t, const char *group, struct metric *m)
{
	double value[METRIC_MAX_VALUES], lo[METRIC_MAX_VALUES], hi[METRIC_MAX_VALUES];
	const char *const *names;
	size_t nv = metric_values(m, &names);

	metric_score(m, NULL, 0, value);
	if (s->resamples)
		intervals(s, m, lo, hi);
	for (size_t v = 0; v < nv; v++) {
		bool wide = fabs(value[v]) > 1 || strcmp(names[v], "ter") == 0 || strcmp(names[v], "bleu") == 0 || strcmp(names[v], "chrf") == 0;
		const char *form = wide ? "%.2f" : "%.4f";

		if (s->by)
			textable_cell(t, "%s", group);
		textable_cell(t, "%s", names[v]);
		textable_number(t, form, value[v]);
		if (s->resamples) {
			textable_number(t, form, lo[v]);
			textable_number(t, form, hi[v]);
		}
		textable_cell(t, "%llu", (unsigned long long)metric_count(m));
		textable_row(t);
	}
}

/* Precision, recall and F1 of each label, where they are few enough to read. */
static void labels_table(struct metric *m, struct buf *out)
{
	struct textable t = { 0 };
	const uint32_t *order;
	size_t n;
	const struct labels *l = metric_labels(m, &order, &n);

	if (l == NULL || n > MAX_LABELS)
		return;
	textable_head(&t, "label", false);
	textable_head(&t, "precision", true);
	textable_head(&t, "recall", true);
	textable_head(&t, "F1", true);
	textable_head(&t, "support", true);
	for (size_t k = 0; k < n; k++) {
		const struct label_counts *c = &l->c[order[k]];
		struct prf_scores x = labels_prf(c);

		textable_clip(&t, l->name.e[order[k]].key, 40);
		textable_number(&t, "%.4f", x.precision);
		textable_number(&t, "%.4f", x.recall);
		textable_number(&t, "%.4f", x.f1);
		textable_cell(&t, "%llu", (unsigned long long)c->gold);
		textable_row(&t);
	}
	buf_ch(out, '\n');
	textable_print(&t, out);
	textable_free(&t);
}

/* Compliance by class, and the rules that were broken. */
static void compliance_table(const struct compliance_rules *rules, struct metric *m, struct buf *out)
{
	struct textable t = { 0 }, r = { 0 };
	uint64_t held, broken;
	size_t n;
	const struct compliance_class *c = compliance_classes(m, &n);

	if (c == NULL)
		return;
	textable_head(&t, "class", false);
	textable_head(&t, "compliance", true);
	textable_head(&t, "n", true);
	for (size_t k = 0; k < n; k++) {
		textable_cell(&t, "%s", c[k].name.p);
		textable_number(&t, "%.4f", (double)c[k].compliant / (double)c[k].n);
		textable_cell(&t, "%llu", (unsigned long long)c[k].n);
		textable_row(&t);
	}
	textable_head(&r, "rule broken", false);
	textable_head(&r, "class", false);
	textable_head(&r, "times", true);
	textable_head(&r, "n", true);
	for (size_t k = 0; k < rules->n; k++) {
		compliance_tally(m, k, &held, &broken);
		if (broken == 0)
			continue;
		textable_cell(&r, "%s: %s", rules->rule[k].forbidden ? "forbidden" : "required", rules->rule[k].name.p);
		textable_cell(&r, "%s", rules->rule[k].class.p);
		textable_cell(&r, "%llu", (unsigned long long)broken);
		textable_cell(&r, "%llu", (unsigned long long)held);
		textable_row(&r);
	}
	buf_ch(out, '\n');
	textable_print(&t, out);
	if (r.ncells > r.ncols) {
		buf_ch(out, '\n');
		textable_print(&r, out);
	}
	textable_free(&t);
	textable_free(&r);
}

static void use_cells(struct textable *t, const struct termuse *u)
{
	textable_number(t, "%.4f", (double)u->right / (double)u->n);
	textable_cell(t, "%llu", (unsigned long long)u->right);
	textable_cell(t, "%llu", (unsigned long long)u->variant);
	textable_cell(t, "%llu", (unsigned long long)u->missing);
	textable_cell(t, "%llu", (unsigned long long)u->n);
	textable_row(t);
}

static void use_head(struct textable *t, const char *first)
{
	static const char *const head[] = { "right", "variant", "missing", "terms" };

	textable_head(t, first, false);
	textable_head(t, "consistency", true);
	for (size_t k = 0; k < sizeof head / sizeof *head; k++)
		textable_head(t, head[k], true);
}

/* Term consistency by class, and the terms that went wrong most often. */
static void terms_table(struct metric *m, struct buf *out)
{
	struct textable t = { 0 }, r = { 0 };
	struct termuse_term *term;
	size_t n, nterms;
	const struct termuse_class *c = termuse_classes(m, &n);

	if (c == NULL || n == 0)
		return;
	use_head(&t, "class");
	for (size_t k = 0; k < n; k++) {
		textable_cell(&t, "%s", c[k].name.n ? c[k].name.p : "(none)");
		use_cells(&t, &c[k].use);
	}
	use_head(&r, "most often wrong");
	term = termuse_terms(m, &nterms);
	for (size_t k = 0; k < nterms && k < MAX_TERMS && term[k].use.right < term[k].use.n; k++) {
		textable_clip(&r, term[k].term->form.text, 40);
		use_cells(&r, &term[k].use);
	}
	buf_ch(out, '\n');
	textable_print(&t, out);
	if (r.ncells > r.ncols) {
		buf_ch(out, '\n');
		textable_print(&r, out);
	}
	mem_free(term);
	textable_free(&t);
	textable_free(&r);
}

void scoring_table(struct scoring *s, struct buf *out)
{
	struct textable t = { 0 };
	struct buf sig = { 0 };

	if (s->by)
		textable_head(&t, s->by, false);
	textable_head(&t, "metric", false);
	textable_head(&t, "value", true);
	if (s->resamples) {
		textable_head(&t, "low", true);
		textable_head(&t, "high", true);
	}
	textable_head(&t, "n", true);
	for (size_t k = 0; k < s->nmetrics; k++)
		value_row(s, &t, "(all)", s->all.m[k]);
	for (size_t g = 0; g < s->group_name.n; g++)
		for (size_t k = 0; k < s->nmetrics; k++)
			value_row(s, &t, s->group_name.e[g].key, s->group[g].m[k]);
	textable_print(&t, out);
	textable_free(&t);
	for (size_t k = 0; k < s->nmetrics; k++) {
		labels_table(s->all.m[k], out);
		compliance_table(s->o->rules, s->all.m[k], out);
		terms_table(s->all.m[k], out);
	}
	buf_ch(out, '\n');
	for (size_t k = 0; k < s->nmetrics; k++) {
		sig.n = 0;
		metric_signature(s->all.m[k], s->resamples, s->seed, &sig);
		buf_fmt(out, "%s: %s\n", s->name[k], sig.p);
	}
	buf_free(&sig);
}

/* --- CSV --- */

static void csv_rows(const struct scoring *s, struct csvline *c, const struct strmap_entry *group, struct metric *m)
{
	double value[METRIC_MAX_VALUES], lo[METRIC_MAX_VALUES], hi[METRIC_MAX_VALUES];
	const char *const *names;
	size_t nv = metric_values(m, &names);

	metric_score(m, NULL, 0, value);
	if (s->resamples)
		intervals(s, m, lo, hi);
	for (size_t v = 0; v < nv; v++) {
		csv_text(c, group ? group->key : "", group ? group->n : 0);
		csv_str(c, names[v]);
		csv_real(c, value[v]);
		csv_real(c, s->resamples ? lo[v] : NAN);
		csv_real(c, s->resamples ? hi[v] : NAN);
		csv_uint(c, metric_count(m));
		csv_end(c);
	}
}

void scoring_csv(struct scoring *s, struct buf *out)
{
	static const char *const head[] = { "group", "metric", "value", "low", "high", "n" };
	struct csvline c = { out, false };

	csv_head(&c, head, sizeof head / sizeof *head);
	for (size_t k = 0; k < s->nmetrics; k++)
		csv_rows(s, &c, NULL, s->all.m[k]);
	for (size_t g = 0; g < s->group_name.n; g++)
		for (size_t k = 0; k < s->nmetrics; k++)
			csv_rows(s, &c, &s->group_name.e[g], s->group[g].m[k]);
}
