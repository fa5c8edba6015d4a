/* SPDX-License-Identifier: Apache-2.0 */
/* sft eval errors FILE... */
#include <string.h>

#include "errorsout.h"
#include "evaltools.h"
#include "outfile.h"

struct settings {
	struct eval_opts o;
	struct slicer_opts slices;
	struct opt_list patterns, dicts;
	struct termset *terms;          /* of dicts */
	const char *below;              /* --fail-below METRIC=VALUE */
	int64_t min_items, examples, top;
};

/* What decides whether an item failed: the match rule, or a metric with a limit. */
struct judge {
	struct answer answer;
	struct metric *m;               /* NULL: the match rule */
	size_t value;                   /* of the metric's values */
	double limit;
	struct buf about;
};

static int judge_open(struct judge *j, struct settings *s, struct err *e)
{
	const char *eq, *const *names;
	char name[32];
	size_t n;
	int rc;

	if (s->below == NULL)
		return 0;
	if ((eq = strchr(s->below, '=')) == NULL || (n = (size_t)(eq - s->below)) >= sizeof name)
		return err_set(e, SFT_USAGE, "--fail-below %s: expected METRIC=VALUE", s->below);
	memcpy(name, s->below, n);
	name[n] = '\0';
	if ((rc = opt_number(eq + 1, -1e18, 1e18, &j->limit, e)) != 0)
		return err_in(e, "--fail-below %s", s->below);
	for (const char *const *metric = metric_names(); *metric; metric++) {
		if (metric_lacks(*metric, &s->o.m))
			continue;
		if ((rc = metric_open(&j->m, *metric, &s->o.m, false, e)) != 0)
			return rc;
		n = metric_values(j->m, &names);
		for (size_t v = 0; v < n; v++)
			if (strcmp(names[v], name) == 0) {
				j->value = v;
				buf_fmt(&j->about, "%s %s %s", name, metric_lower_is_better(j->m) ? "over" : "below", eq + 1);
				return 0;
			}
		metric_close(j->m);
		j->m = NULL;
	}
	return err_set(e, SFT_USAGE, "--fail-below %s: no metric has a value '%s' (expected bleu, chrf, ter, rougeL...)", s->below, name);
}

static int judge_item(struct judge *j, const struct settings *s, const struct item *it, struct text *label, bool *wrong, struct err *e)
{
	double v[METRIC_MAX_VALUES];
	int rc;

	if ((rc = answer_judge(&j->answer, &s->o.m.match, it->hyp, it->ref, it->nref, e)) != 0)
		return rc;
	*label = j->answer.gold;
	*wrong = !j->answer.right;
	if (j->m == NULL)
		return 0;
	metric_set_class(j->m, it->class);
	if ((rc = metric_add(j->m, it->hyp, it->ref, it->nref, e)) != 0)
		return rc;
	metric_item(j->m, v);
	*wrong = metric_lower_is_better(j->m) ? v[j->value] > j->limit : v[j->value] < j->limit;
	return 0;
}

static void judge_close(struct judge *j)
{
	answer_free(&j->answer);
	metric_close(j->m);
	buf_free(&j->about);
}

static int count_all(struct settings *s, struct judge *j, struct slicer *sl, struct error_table *t, struct pairs *p, struct err *e)
{
	struct text label;
	struct item it;
	bool more, wrong;
	int rc;

	if ((rc = pairs_next(p, &it, &more, e)) != 0 || (rc = eval_opts_match(&s->o, pairs_table(p), e)) != 0)
		return rc;
	if (!more)
		return err_set(e, SFT_BADDATA, "no items in the input (expected at least one)");
	while (more) {
		if ((rc = judge_item(j, s, &it, &label, &wrong, e)) != 0 || (rc = errors_add(t, sl, &it, label, wrong, e)) != 0)
			return err_in(e, "%s:%llu", it.file, (unsigned long long)it.line);
		if ((rc = pairs_next(p, &it, &more, e)) != 0)
			return rc;
	}
	if (j->m == NULL)
		buf_fmt(&j->about, "accuracy, match:%s", s->o.m.match.name);
	return slicer_finish(sl, e);
}

static int print(const struct settings *s, const struct judge *j, struct error_table *t, struct err *e)
{
	struct errors_view v = { j->about.p, (size_t)s->top };
	struct buf out = { 0 };
	int rc;

	errors_rank(t);
	if (s->o.json)
		errors_json(t, &v, &out);
	else if (s->o.csv)
		errors_csv(t, &out);
	else
		errors_text(t, &v, &out);
	rc = out_whole(s->o.rec.output ? s->o.rec.output : "-", out.p, out.n, false, e);
	buf_free(&out);
	return rc;
}

static int run(struct settings *s, struct tool *t)
{
	struct error_table table = { 0 };
	struct slicer *sl = NULL;
	struct pairs *p = NULL;
	struct judge j = { 0 };
	int rc;

	s->slices.patterns = &s->patterns;
	if ((rc = eval_opts_finish(&s->o, t, &t->e)) != 0 || (rc = eval_opts_terms(&s->o, &s->dicts, &s->terms, &t->e)) != 0)
		goto done;
	s->slices.terms = s->terms;
	if ( (rc = judge_open(&j, s, &t->e)) != 0 || (rc = slicer_open(&sl, &s->slices, &t->e)) != 0)
		goto done;
	errors_init(&table, sl, (uint64_t)s->min_items, (size_t)s->examples, (uint64_t)t->seed);
	if ((rc = pairs_records(&p, (const char *const *)t->operands + 1, (size_t)t->noperands - 1, &s->o, NULL, t, &t->e)) == 0)
		rc = count_all(s, &j, sl, &table, p, &t->e);
	if (rc == 0) {
		rc = pairs_close(p, t, &t->e);
		p = NULL;
	}
	if (rc == 0)
		rc = print(s, &j, &table, &t->e);
done:
	pairs_abandon(p);
	errors_release(&table);
	slicer_close(sl);
	judge_close(&j);
	termset_free(s->terms);
	return rc;
}

int errors_main(int argc, char **argv)
{
	struct settings s = { .min_items = 5, .examples = 3, .top = 20 };
	struct opt shared[EVAL_OPTS], rec[20];
	const struct opt own[] = {
		OPT_HEAD("Slices"),
		OPT_STR(0, "by", &s.slices.by, "LIST", "label, length, script, turns, term, term_class, columns [those that there are; slice, source]"),
		OPT_LIST(0, "terms", &s.dicts, "FILE", "slices by the terms of a dictionary that the input has"),
		OPT_LIST(0, "pattern", &s.patterns, "COL:/RE/", "a slice: where the column, or input, has a match"),
		OPT_STR(0, "input", &s.slices.input, "COL", "column of the input [messages; input, prompt, question, text]"),
		OPT_STR(0, "fail-below", &s.below, "METRIC=VALUE", "an item fails below this (ter: above) [not --match]"),
		OPT_INT(0, "min-items", &s.min_items, "N", "test slices of at least so many items [5]", 1, 1e9),
		OPT_INT(0, "examples", &s.examples, "N", "failures shown by slice [3]", 0, 1000),
		OPT_INT(0, "top", &s.top, "N", "slices that the table shows [20]", 1, 1e9),
		OPT_END
	};
	const struct opt *tables[] = { own, eval_opts_table(&s.o, shared), NULL, NULL };
	struct tool t;
	int rc;

	eval_opts_init(&s.o);
	tables[2] = rec_opts_table(&s.o.rec, rec);
	rc = tool_begin(&t, "sft-eval", "sft-eval errors [options] [FILE...]", "Rank the slices of the items where the answers fail.", tables, argc, argv);
	if (rc == 0)
		rc = run(&s, &t);
	eval_opts_release(&s.o);
	return tool_end(&t, rc);
}
