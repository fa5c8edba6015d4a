/* SPDX-License-Identifier: Apache-2.0 */
/* sft eval compare A B [C...] */
#include <math.h>
#include <string.h>

#include "compare.h"
#include "csvline.h"
#include "evaltools.h"
#include "outfile.h"
#include "textable.h"

enum { SHOWN = 10 };            /* regressions that the table names */

struct settings {
	struct eval_opts o;
	struct opt_list metrics;
	const char **metric;
	size_t nmetrics;
};

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

/* Members of a comparison of A and one B. */
static void members_json(const struct paired *p, struct jw *w)
{
	jw_key(w, "b");
	jw_str(w, p->b.path);
	jw_key(w, "paired_by");
	jw_str(w, p->by_id ? "id" : "order");
	jw_key(w, "metrics");
	jw_obj(w);
	for (size_t k = 0; k < p->nmetrics; k++)
		metric_json_(p, k, w);
	jw_obj_end(w);
	for (size_t k = 0; k < p->nmetrics; k++)
		if (strcmp(p->name[k], "accuracy") == 0) {
			changed_json(p, k, -1, "regressions", w);
			changed_json(p, k, 1, "gains", w);
		}
}

void compare_json(const struct paired *p, size_t n, struct buf *out)
{
	struct jw w;

	jw_init(&w, out);
	jw_obj(&w);
	jw_key(&w, "schema");
	jw_str(&w, "sft.eval/1");
	jw_key(&w, "version");
	jw_str(&w, SFT_VERSION);
	jw_key(&w, "n");
	jw_uint(&w, p->a.n);
	jw_key(&w, "a");
	jw_str(&w, p->a.path);
	if (n == 1) {
		members_json(p, &w);
	} else {
		jw_key(&w, "comparisons");
		jw_arr(&w);
		for (size_t b = 0; b < n; b++) {
			jw_obj(&w);
			members_json(&p[b], &w);
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
			int places = fabs(d[v].a) > 1 || fabs(d[v].b) > 1 ? 2 : 4;

			textable_cell(&t, "%s", names[v]);
			textable_cell(&t, "%.*f", places, d[v].a);
			textable_cell(&t, "%.*f..%.*f", places, d[v].a_lo, places, d[v].a_hi);
			textable_cell(&t, "%.*f", places, d[v].b);
			textable_cell(&t, "%.*f..%.*f", places, d[v].b_lo, places, d[v].b_hi);
			textable_cell(&t, "%+.*f", places, d[v].diff);
			textable_cell(&t, "%+.*f..%+.*f", places, d[v].lo, places, d[v].hi);
			p_cell(&t, d[v].p);
			if (p->several)
				p_cell(&t, d[v].p_holm);
			textable_row(&t);
		}
	}
	textable_print(&t, out);
	textable_free(&t);
}

static void contest_table(const struct paired *p, struct buf *out)
{
	static const char *const head[] = { "item by item", "win", "tie", "loss", "odds ratio", "McNemar p" };
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

static void print_table(const struct paired *p, size_t n, struct buf *out)
{
	for (size_t b = 0; b < n; b++) {
		if (b)
			buf_ch(out, '\n');
		table(&p[b], out);
	}
}

/* --- CSV --- */

static void csv_lines(const struct paired *p, size_t k, struct csvline *c)
{
	const struct difference *d = paired_of(p, k);
	const char *const *names;
	size_t nv = metric_values(p->a.m[k], &names);

	for (size_t v = 0; v < nv; v++) {
		const double cell[] = { d[v].a, d[v].a_lo, d[v].a_hi, d[v].b, d[v].b_lo, d[v].b_hi, d[v].diff, d[v].lo, d[v].hi, d[v].p, d[v].p_holm };

		csv_str(c, p->b.path);
		csv_str(c, names[v]);
		for (size_t i = 0; i < sizeof cell / sizeof *cell; i++)
			csv_real(c, cell[i]);
		csv_uint(c, p->a.n);
		csv_end(c);
	}
}

static void print_csv(const struct paired *p, size_t n, struct buf *out)
{
	static const char *const head[] = { "system", "metric", "a", "a_low", "a_high", "b", "b_low", "b_high", "difference", "low", "high",
	                                    "p_value", "p_holm", "n" };
	struct csvline c = { out, false };

	csv_head(&c, head, sizeof head / sizeof *head);
	for (size_t b = 0; b < n; b++)
		for (size_t k = 0; k < p[b].nmetrics; k++)
			csv_lines(&p[b], k, &c);
}

/* --- the run --- */

static int read_side(struct paired *p, struct settings *s, const char *path, bool first, struct tool *t)
{
	struct pairs *in;
	int rc = pairs_records(&in, &path, 1, &s->o, NULL, t, &t->e);

	if (rc)
		return rc;
	if (first && (rc = eval_opts_match(&s->o, pairs_table(in), &t->e)) == 0)
		rc = paired_open(p, s->metric, s->nmetrics, &s->o.m, (uint64_t)s->o.resamples, (uint64_t)t->seed, &t->e);
	if (rc == 0)
		rc = (first ? paired_read_a : paired_read_b)(p, in, path, &t->e);
	if (rc) {
		pairs_abandon(in);
		return rc;
	}
	return pairs_close(in, t, &t->e);
}

/* --metric bleu,chrf --metric rouge: their names. */
static int take_metrics(struct settings *s, struct err *e)
{
	size_t cap = 0;

	for (size_t k = 0; k < s->metrics.n; k++)
		for (const char *p = s->metrics.v[k]; *p; p += *p == ',') {
			size_t n = strcspn(p, ",");
			ARRAY_ROOM(s->metric, s->nmetrics, cap);
			s->metric[s->nmetrics++] = arena_str(&s->o.arena, p, n);
			p += n;
		}
	if (s->nmetrics == 0) {
		ARRAY_ROOM(s->metric, s->nmetrics, cap);
		s->metric[s->nmetrics++] = "accuracy";
	}
	for (size_t k = 0; k < s->nmetrics; k++)
		for (size_t i = 0; i < k; i++)
			if (strcmp(s->metric[i], s->metric[k]) == 0)
				return err_set(e, SFT_USAGE, "--metric: '%s' stands there twice", s->metric[k]);
	return 0;
}

static int run(struct settings *s, struct tool *t)
{
	size_t n = t->noperands > 2 ? (size_t)t->noperands - 2 : 0;
	struct paired *p;
	struct buf out = { 0 };
	int rc;

	if (n == 0)
		return err_set(&t->e, SFT_USAGE, "expected two files or more, compare A B... (%d given)", t->noperands - 1);
	if (s->o.rec.stats)
		return err_set(&t->e, SFT_USAGE, "--stats is for one input (compare reads several)");
	if (n > 1 && strcmp(t->operands[1], "-") == 0)
		return err_set(&t->e, SFT_USAGE, "A is standard input (expected a file, which is read once for each other system)");
	if ((rc = take_metrics(s, &t->e)) != 0 || (rc = eval_opts_finish(&s->o, t, &t->e)) != 0)
		return rc;
	p = mem_new(n * sizeof *p);
	for (size_t b = 0; b < n && rc == 0; b++) {
		if ((rc = read_side(&p[b], s, t->operands[1], true, t)) != 0 || (rc = read_side(&p[b], s, t->operands[b + 2], false, t)) != 0)
			break;
		p[b].several = n > 1;
		paired_compute(&p[b]);
	}
	if (rc == 0) {
		paired_holm(p, n);
		(s->o.json ? compare_json : s->o.csv ? print_csv : print_table)(p, n, &out);
		rc = out_whole(s->o.rec.output ? s->o.rec.output : "-", out.p, out.n, false, &t->e);
	}
	buf_free(&out);
	for (size_t b = 0; b < n; b++)
		paired_close(&p[b]);
	mem_free(p);
	return rc;
}

int compare_main(int argc, char **argv)
{
	struct settings s = { 0 };
	struct opt shared[EVAL_OPTS], rec[20];
	const struct opt own[] = {
		OPT_HEAD("Comparison"),
		OPT_LIST(0, "metric", &s.metrics, "NAME,...", "accuracy, bleu, chrf, compliance, match, rouge, ter [accuracy]"),
		OPT_END
	};
	const struct opt *tables[] = { own, eval_opts_table(&s.o, shared), NULL, NULL };
	struct tool t;
	int rc;

	eval_opts_init(&s.o);
	tables[2] = rec_opts_table(&s.o.rec, rec);
	rc = tool_begin(&t, "sft-eval", "sft-eval compare [options] A B [C...]", "Compare the predictions of systems with those of A on the same items.", tables, argc, argv);
	if (rc == 0)
		rc = run(&s, &t);
	eval_opts_release(&s.o);
	mem_free(s.metric);
	return tool_end(&t, rc);
}
