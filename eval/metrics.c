/* SPDX-License-Identifier: Apache-2.0 */
/* sft eval METRIC... FILE */
#include <string.h>

#include "evaltools.h"
#include "scorerun.h"

struct settings {
	struct eval_opts o;
	const char *hyp, *by, *items;
	struct opt_list refs, gates;
	const char *const *metric;      /* the first operands */
	size_t nmetrics;
	const char *const *files;       /* the others */
	size_t nfiles;
};

static bool is_metric(const char *word)
{
	for (const char *const *n = metric_names(); *n; n++)
		if (strcmp(*n, word) == 0)
			return true;
	return false;
}

static size_t count_names(void)
{
	size_t n = 0;

	while (metric_names()[n])
		n++;
	return n;
}

/* Operands: metrics, then files. */
static int take_operands(struct settings *s, struct tool *t)
{
	size_t n = (size_t)t->noperands, k = 0;
	const char *near;

	while (k < n && is_metric(t->operands[k]))
		k++;
	s->metric = (const char *const *)t->operands;
	s->nmetrics = k;
	s->files = (const char *const *)t->operands + k;
	s->nfiles = n - k;
	if (k == 0) {
		near = n ? opt_nearest(t->operands[0], metric_names(), count_names()) : NULL;
		if (near)
			return err_set(&t->e, SFT_USAGE, "no metric '%s' (did you mean '%s'?)", t->operands[0], near);
		return err_set(&t->e, SFT_USAGE, "%s%s%sname at least one metric first (%s), or kappa, compare, errors, ab, perplexity, changes",
		               n ? "no metric '" : "", n ? t->operands[0] : "", n ? "': " : "", metric_list());
	}
	s->o.no_reference = s->hyp == NULL;
	for (size_t i = 0; i < k; i++) {
		s->o.no_reference &= metric_without_reference(s->metric[i]);
		s->o.m.scores |= s->hyp == NULL && metric_with_scores(s->metric[i]);
	}
	if ((s->hyp != NULL) != (s->refs.n > 0))
		return err_set(&t->e, SFT_USAGE, "--hyp and --ref go together (plain lines: --hyp FILE --ref FILE...)");
	for (size_t i = 0; s->hyp && i < s->nfiles; i++) {      /* --ref FILE FILE... */
		ARRAY_ROOM(s->refs.v, s->refs.n, s->refs.cap);
		s->refs.v[s->refs.n++] = s->files[i];
	}
	if (s->hyp && s->by)
		return err_set(&t->e, SFT_USAGE, "--by needs records: plain lines have no columns");
	if (s->hyp && s->o.rec.stats)
		return err_set(&t->e, SFT_USAGE, "--stats needs records (expected files, not --hyp and --ref)");
	return 0;
}

static int score_all(struct settings *s, struct pairs *p, struct scoring *sc, struct outfile *items, struct tool *t)
{
	uint64_t resamples = s->o.ci ? (uint64_t)s->o.resamples : 0;
	int rc = eval_opts_match(&s->o, pairs_table(p), &t->e);

	if (rc == 0)
		rc = scoring_open(sc, s->metric, s->nmetrics, &s->o.m, s->by, resamples, (uint64_t)t->seed, &t->e);
	for (size_t k = 0; rc == 0 && k < s->gates.n; k++)
		rc = scoring_gate(sc, s->gates.v[k], &t->e);
	if (rc == 0)
		rc = scorerun(sc, p, items, (int)t->threads, &t->e);
	if (rc == 0 && sc->n == 0)
		rc = err_set(&t->e, SFT_BADDATA, "no items in the input (expected at least one)");
	if (rc == 0 && s->by && sc->group_name.n == 1 && sc->group_name.e[0].n == 0)
		rc = err_set(&t->e, SFT_BADDATA, "no record has a value in column '%s' (--by)", s->by);
	return rc;
}

static int print(struct settings *s, struct scoring *sc, struct tool *t)
{
	struct buf out = { 0 };
	int rc;

	if (s->o.json)
		scoring_json(sc, &out);
	else if (s->o.csv)
		scoring_csv(sc, &out);
	else
		scoring_table(sc, &out);
	rc = out_whole(s->o.rec.output ? s->o.rec.output : "-", out.p, out.n, false, &t->e);
	buf_free(&out);
	return rc;
}

static int run(struct settings *s, struct tool *t)
{
	struct scoring sc = { 0 };
	struct outfile *items = NULL;
	struct pairs *p = NULL;
	int rc;

	if ((rc = take_operands(s, t)) != 0 || (rc = eval_opts_finish(&s->o, t, &t->e)) != 0)
		return rc;
	if (s->hyp)
		rc = pairs_lines(&p, s->hyp, &s->refs, &t->e);
	else
		rc = pairs_records(&p, s->files, s->nfiles, &s->o, s->by, t, &t->e);
	if (rc == 0 && s->items)
		rc = out_open(&items, s->items, &t->e);
	if (rc == 0)
		rc = score_all(s, p, &sc, items, t);
	if (rc == 0) {
		rc = pairs_close(p, t, &t->e);
		p = NULL;
	}
	if (rc == 0 && items) {
		rc = out_close(items, false, &t->e);
		items = NULL;
	}
	if (rc == 0)
		rc = print(s, &sc, t);
	for (size_t k = 0; rc == 0 && k < s->gates.n; k++)
		rc = scoring_gate(&sc, s->gates.v[k], &t->e);
	pairs_abandon(p);
	out_abandon(items);
	scoring_close(&sc);
	return rc;
}

int metrics_main(int argc, char **argv)
{
	struct settings s = { 0 };
	struct opt shared[EVAL_OPTS], rec[20];
	const struct opt own[] = {
		OPT_HEAD("Input"),
		OPT_STR(0, "hyp", &s.hyp, "FILE", "answers as plain lines (only LF ends a line)"),
		OPT_LIST(0, "ref", &s.refs, "FILE", "their references; again for more than one"),
		OPT_STR(0, "by", &s.by, "COL", "also for each value of a column"),
		OPT_STR(0, "items", &s.items, "FILE", "values of each item, as JSONL"),
		OPT_LIST(0, "fail-under", &s.gates, "METRIC=VALUE", "exit 1 where it is not reached (ter: where it is passed)"),
		OPT_END
	};
	const struct opt *tables[] = { own, eval_opts_table(&s.o, shared), NULL, NULL };
	struct tool t;
	int rc;

	eval_opts_init(&s.o);
	tables[2] = rec_opts_table(&s.o.rec, rec);
	rc = tool_begin(&t, "sft-eval", "sft-eval METRIC... | kappa | compare | errors | ab | perplexity | changes [options] [FILE...]",
	                "Score answers: accuracy, bleu, calibration, chrf, compliance, distinct, length, match, repetition, rouge, ter, terms.", tables, argc, argv);
	if (rc == 0)
		rc = run(&s, &t);
	eval_opts_release(&s.o);
	return tool_end(&t, rc);
}
