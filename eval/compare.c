/* SPDX-License-Identifier: Apache-2.0 */
/* sft eval compare A B [C...] */
#include <string.h>

#include "compareout.h"
#include "evaltools.h"
#include "outfile.h"

struct settings {
	struct eval_opts o;
	struct opt_list metrics;
	const char **metric, *by;
	size_t nmetrics;
};

static int read_side(struct sliced *c, struct settings *s, const char *path, bool first, struct tool *t)
{
	struct pairs *in;
	int rc = pairs_records(&in, &path, 1, &s->o, first ? s->by : NULL, t, &t->e);

	if (rc)
		return rc;
	if (first && (rc = eval_opts_match(&s->o, pairs_table(in), &t->e)) == 0)
		rc = sliced_open(c, s->by, s->metric, s->nmetrics, &s->o.m, (uint64_t)s->o.resamples, (uint64_t)t->seed, &t->e);
	if (rc == 0)
		rc = first ? sliced_read_a(c, in, path, &s->o.m, &t->e) : sliced_read_b(c, in, path, &t->e);
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
		s->o.m.scores |= metric_with_scores(s->metric[k]);
	for (size_t k = 0; k < s->nmetrics; k++)
		for (size_t i = 0; i < k; i++)
			if (strcmp(s->metric[i], s->metric[k]) == 0)
				return err_set(e, SFT_USAGE, "--metric: '%s' stands there twice", s->metric[k]);
	return 0;
}

static int run(struct settings *s, struct tool *t)
{
	size_t n = t->noperands > 2 ? (size_t)t->noperands - 2 : 0;
	struct sliced *c;
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
	c = mem_new(n * sizeof *c);
	for (size_t b = 0; b < n && rc == 0; b++) {
		if ((rc = read_side(&c[b], s, t->operands[1], true, t)) != 0 || (rc = read_side(&c[b], s, t->operands[b + 2], false, t)) != 0)
			break;
		sliced_compute(&c[b]);
	}
	if (rc == 0) {
		sliced_correct(c, n);
		(s->o.json ? compare_json : s->o.csv ? compare_csv : compare_table)(c, n, &out);
		rc = out_whole(s->o.rec.output ? s->o.rec.output : "-", out.p, out.n, false, &t->e);
	}
	buf_free(&out);
	for (size_t b = 0; b < n; b++)
		sliced_close(&c[b]);
	mem_free(c);
	return rc;
}

int compare_main(int argc, char **argv)
{
	struct settings s = { 0 };
	struct opt shared[EVAL_OPTS], rec[20];
	const struct opt own[] = {
		OPT_HEAD("Comparison"),
		OPT_LIST(0, "metric", &s.metrics, "NAME,...", "any of those of sft-eval METRIC [accuracy]"),
		OPT_STR(0, "by", &s.by, "COL", "also for each value of a column of A"),
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
