/* SPDX-License-Identifier: Apache-2.0 */
/* sft eval kappa FILE */
#include <string.h>

#include "evalopts.h"
#include "evaltools.h"
#include "gold.h"
#include "kappaout.h"
#include "outfile.h"
#include "ratingread.h"

struct settings {
	struct rating_opts table;
	struct rating_rule rule;
	struct kappa_shown shown;
	struct rec_opts rec;
	const char *categories, *disagreements, *resolved, *gold;
	int repeat;
	bool json, csv;
};

static int report(const struct rating_table *r, const struct settings *s, struct tool *t)
{
	struct kappa_figures f;
	struct buf out = { 0 };
	int rc;

	kappa_compute(r, &s->shown, &f);
	(s->json ? kappa_json : s->csv ? kappa_csv : kappa_table)(r, &f, &s->shown, &out);
	rc = out_whole(s->rec.output ? s->rec.output : "-", out.p, out.n, false, &t->e);
	buf_free(&out);
	if (rc == 0)
		rc = kappa_gate(r, &f, &s->shown, &t->e);
	kappa_figures_free(&f);
	return rc;
}

/* The list of disagreements and the gold, where they are asked for. */
static int settle(struct rating_table *r, const struct settings *s, struct tool *t)
{
	struct gold g;
	int rc = 0;

	if (!s->disagreements && !s->gold && !s->resolved)
		return 0;
	rating_expand(r);
	gold_init(&g, r);
	if (s->resolved)
		rc = gold_read(&g, r, s->resolved, t, &t->e);
	if (rc == 0)
		gold_decide(&g, r);
	if (rc == 0 && s->disagreements)
		rc = gold_write_list(&g, r, NULL, s->disagreements, &s->rec, t);
	if (rc == 0 && s->gold)
		rc = gold_write(&g, r, NULL, s->gold, &s->rec, t);
	gold_free(&g);
	return rc;
}

static int read_table(struct rating_table *r, struct settings *s, struct tool *t)
{
	struct recin *in;
	int rc = rec_open(&in, (const char *const *)t->operands + 1, (size_t)t->noperands - 1, &s->rec, t, &t->e);

	if (rc)
		return rc;
	rc = ratings_read(r, in, &s->table, &t->e);
	if (rc == 0)
		rc = rating_finish(r, &s->rule, &t->e);
	if (rc == 0 && s->rec.stats)
		rc = rec_stats(in, NULL, &s->rec, t, NULL, NULL, &t->e);
	if (rc) {
		rec_abandon(in);
		return rc;
	}
	return rec_close(in, &t->e);
}

static int check(struct settings *s, struct tool *t)
{
	if (s->json && s->csv)
		return err_set(&t->e, SFT_USAGE, "--json and --csv: one of them");
	if (s->resolved && !s->gold && !s->disagreements)
		return err_set(&t->e, SFT_USAGE, "--resolved needs --gold FILE (expected where the labels go that it settles)");
	if (s->rec.from > REC_TEXT) {           /* what other tools export, JSON or JSONL */
		s->table.source = s->rec.from == REC_TEXT + 1 ? RATINGS_LABEL_STUDIO : RATINGS_DOCCANO;
		s->rec.from = REC_AUTO;
	}
	s->rule.repeat = s->shown.repeat = (enum repeat_rule)s->repeat;
	s->rule.anonymous = ratings_anonymous(&s->table);
	return kappa_options_finish(&s->shown, (uint64_t)t->seed, &t->e);
}

static int run(struct settings *s, struct tool *t)
{
	struct rating_table r;
	struct text *categories = NULL;
	struct arena a;
	int rc = check(s, t);

	rating_table_init(&r);
	arena_init(&a);
	if (rc == 0 && s->categories)
		rc = eval_lines(s->categories, &a, &categories, &s->rule.ncategories, &t->e);
	s->rule.categories = categories;
	if (rc == 0)
		rc = read_table(&r, s, t);
	if (rc == 0 && r.merged)
		tool_warn(t, "labels that are equal numbers (such as 1 and 1.0) count as one category");
	if (rc == 0)
		rc = settle(&r, s, t);
	if (rc == 0)
		rc = report(&r, s, t);
	rating_table_free(&r);
	mem_free(categories);
	arena_release(&a);
	return rc;
}

int kappa_main(int argc, char **argv)
{
	struct settings s = { .repeat = REPEAT_ERROR };
	struct opt rec[20], counts[10];
	const struct opt own[] = {
		OPT_HEAD("The table"),
		OPT_STR(0, "item", &s.table.item, "COL", "what was rated (wide: optional, names the items)"),
		OPT_STR(0, "rater", &s.table.rater, "COL", "who rated (long; without it nobody knows)"),
		OPT_STR(0, "label", &s.table.label, "COL", "the rating (long; of an export, which one)"),
		OPT_STR(0, "raters", &s.table.raters, "COL,...", "one column a rater (wide)"),
		OPT_STR(0, "categories", &s.categories, "FILE", "the categories in order, one a line"),
		OPT_CHOICE(0, "repeat", &s.repeat, "error|first|last", "a rater rates an item again [error]"),
		OPT_HEAD("Output"),
		OPT_STR(0, "disagreements", &s.disagreements, "FILE", "the items not rated alike, to be settled in its column resolved"),
		OPT_STR(0, "resolved", &s.resolved, "FILE", "such a list, filled in"),
		OPT_STR(0, "gold", &s.gold, "FILE", "one label an item: settled, unanimous, majority or tie"),
		OPT_FLAG(0, "json", &s.json, "one JSON object instead of a table"),
		OPT_FLAG(0, "csv", &s.csv, "CSV instead of a table"),
		OPT_END
	};
	const struct opt *tables[] = { own, counts, rec, NULL };
	struct tool t;
	int rc;

	rec_opts_init(&s.rec);
	rec_opts_table(&s.rec, rec);
	for (struct opt *o = rec; o->kind != OPT_K_END; o++)
		if (o->name && strcmp(o->name, "from") == 0)
			o->arg = "auto|csv|tsv|jsonl|json|rec|text|label-studio|doccano";
	kappa_options(&s.shown, counts);
	rc = tool_begin(&t, "sft-eval", "sft-eval kappa [options] [FILE...]", "Measure how far raters agree.", tables, argc, argv);
	if (rc == 0)
		rc = run(&s, &t);
	return tool_end(&t, rc);
}
