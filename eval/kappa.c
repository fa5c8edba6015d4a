/* SPDX-License-Identifier: Apache-2.0 */
/* sft eval kappa FILE */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evalopts.h"
#include "evaltools.h"
#include "kappaout.h"
#include "outfile.h"

struct settings {
	struct rating_opts table;
	struct kappa_shown shown;
	struct rec_opts rec;
	const char *categories, *disagreements, *min;
	int level, weights, gate, repeat;
	bool ci, json;
	int64_t resamples;
};

/* --- disagreements, for a round of adjudication --- */

/* The category most raters of an item chose, or none where two share the lead. */
static struct text majority(const struct rating_table *r, uint32_t item)
{
	const struct ratings *t = &r->t;
	struct text best = { "", 0 };
	size_t most = 0;

	for (size_t a = t->start[item]; a < t->start[item + 1]; a++) {
		size_t n = 0;
		bool before = false;

		for (size_t b = t->start[item]; b < t->start[item + 1]; b++) {
			n += t->r[b].cat == t->r[a].cat;
			before |= b < a && t->r[b].cat == t->r[a].cat;
		}
		if (before || n < most)
			continue;
		best = n > most ? r->category[t->r[a].cat] : (struct text){ "", 0 };
		most = n;
	}
	return best;
}

static void fill_row(const struct rating_table *r, uint32_t item, struct field *f)
{
	const struct ratings *t = &r->t;
	struct text m = majority(r, item);

	f[0] = (struct field){ r->item.e[item].key, r->item.e[item].n, FIELD_TEXT };
	for (uint32_t k = 0; k < t->raters; k++)
		f[1 + k] = (struct field){ "", 0, FIELD_TEXT };
	for (size_t k = t->start[item]; k < t->start[item + 1]; k++)
		f[1 + t->r[k].rater] = (struct field){ r->category[t->r[k].cat].p, r->category[t->r[k].cat].n, FIELD_TEXT };
	f[1 + t->raters] = (struct field){ m.p, m.n, FIELD_TEXT };
}

static bool disagree(const struct ratings *t, uint32_t item)
{
	for (size_t k = t->start[item] + 1; k < t->start[item + 1]; k++)
		if (t->r[k].cat != t->r[t->start[item]].cat)
			return true;
	return false;
}

/* item, one column a rater, majority: the items that were not rated alike by all. */
static int write_disagreements(const struct rating_table *r, const struct settings *s, struct tool *t)
{
	uint32_t cols = r->t.raters + 2;
	struct arena a;
	struct names names = { .n = cols };
	struct rec rec = { .names = &names };
	struct recout *out;
	int rc;

	arena_init(&a);
	names.name = arena_get(&a, cols * sizeof *names.name);
	names.len = arena_get(&a, cols * sizeof *names.len);
	rec.f = arena_get(&a, cols * sizeof *rec.f);
	for (uint32_t k = 0; k < cols; k++) {
		char place[24];

		snprintf(place, sizeof place, "r%u", k);
		names.name[k] = k == 0 ? "item" : k == cols - 1 ? "majority"
		              : r->t.anonymous ? arena_str(&a, place, strlen(place)) : r->rater.e[k - 1].key;
		names.len[k] = (uint32_t)strlen(names.name[k]);
	}
	rc = rec_create(&out, s->disagreements, REC_CSV, &s->rec, t, &t->e);
	if (rc == 0)
		rc = rec_header(out, &names, &t->e);
	for (uint32_t i = 0; rc == 0 && i < r->t.items; i++)
		if (disagree(&r->t, i)) {
			fill_row(r, i, rec.f);
			rec.num = i;
			rc = rec_write(out, &rec, &t->e);
		}
	if (rc == 0)
		rc = rec_finish(out, &t->e);
	else
		rec_drop(out);
	arena_release(&a);
	return rc;
}

/* --- the run --- */

static int report(const struct rating_table *r, struct settings *s, struct tool *t)
{
	struct kappa_figures f;
	struct buf out = { 0 };
	const char *name;
	struct coef c;
	int rc;

	kappa_compute(r, &f);
	(s->json ? kappa_json : kappa_table)(r, &f, &s->shown, &out);
	rc = out_whole(s->rec.output ? s->rec.output : "-", out.p, out.n, false, &t->e);
	buf_free(&out);
	if (rc == 0 && !isnan(s->shown.min)) {
		c = kappa_gate_value(r, &f, &s->shown, &name);
		if (c.reason)
			rc = err_set(&t->e, SFT_GATE, "%s is undefined: %s (expected at least %.6g)", name, c.reason, s->shown.min);
		else if (c.v < s->shown.min)
			rc = err_set(&t->e, SFT_GATE, "%s is %.6g (expected at least %.6g)", name, c.v, s->shown.min);
	}
	kappa_figures_free(&f);
	return rc;
}

static int read_table(struct rating_table *r, struct settings *s, struct tool *t)
{
	struct recin *in;
	int rc = rec_open(&in, (const char *const *)t->operands + 1, (size_t)t->noperands - 1, &s->rec, t, &t->e);

	if (rc)
		return rc;
	if ((rc = rating_table_read(r, in, &s->table, &t->e)) != 0) {
		rec_abandon(in);
		return rc;
	}
	if (s->rec.stats && (rc = rec_stats(in, NULL, &s->rec, t, NULL, NULL, &t->e)) != 0) {
		rec_abandon(in);
		return rc;
	}
	return rec_close(in, &t->e);
}

static int run(struct settings *s, struct tool *t)
{
	struct rating_table r = { 0 };
	struct text *categories = NULL;
	struct arena a;
	int rc = 0;

	arena_init(&a);
	s->shown.min = NAN;
	if (s->min && (rc = opt_number(s->min, -1, 1, &s->shown.min, &t->e)) != 0)
		return err_in(&t->e, "--min-kappa");
	s->shown.level = (enum agree_level)s->level;
	s->shown.weights = (enum agree_weight)s->weights;
	s->shown.gate = (enum kappa_gate)s->gate;
	s->shown.repeat = s->table.repeat = (enum repeat_rule)s->repeat;
	s->shown.resamples = s->ci ? (uint64_t)s->resamples : 0;
	s->shown.seed = (uint64_t)t->seed;
	if (s->categories)
		rc = eval_lines(s->categories, &a, &categories, &s->table.ncategories, &t->e);
	s->table.categories = categories;
	if (rc == 0)
		rc = read_table(&r, s, t);
	if (rc == 0 && r.merged)
		tool_warn(t, "labels that are equal numbers (such as 1 and 1.0) count as one category");
	if (rc == 0 && s->disagreements)
		rc = write_disagreements(&r, s, t);
	if (rc == 0)
		rc = report(&r, s, t);
	rating_table_free(&r);
	mem_free(categories);
	arena_release(&a);
	return rc;
}

int kappa_main(int argc, char **argv)
{
	struct settings s = { .resamples = 1000 };
	struct opt rec[20];
	const struct opt own[] = {
		OPT_HEAD("The table"),
		OPT_STR(0, "item", &s.table.item, "COL", "what was rated (wide: optional, names the items)"),
		OPT_STR(0, "rater", &s.table.rater, "COL", "who rated (long; without it nobody knows)"),
		OPT_STR(0, "label", &s.table.label, "COL", "the rating (long)"),
		OPT_STR(0, "raters", &s.table.raters, "COL,...", "one column a rater (wide)"),
		OPT_STR(0, "categories", &s.categories, "FILE", "the categories in order, one a line"),
		OPT_CHOICE(0, "repeat", &s.repeat, "error|first|last", "a rater rates an item again [error]"),
		OPT_HEAD("What counts"),
		OPT_CHOICE(0, "level", &s.level, "nominal|ordinal|interval|ratio", "of Krippendorff's alpha in gate and intervals [nominal]"),
		OPT_CHOICE(0, "weights", &s.weights, "none|linear|quadratic", "of Cohen's kappa in gate and intervals [none]"),
		OPT_STR(0, "min-kappa", &s.min, "X", "exit 1 below it, or where it is undefined"),
		OPT_CHOICE(0, "gate", &s.gate, "auto|cohen-min|fleiss|alpha|percent",
		           "what --min-kappa looks at [Cohen for two, Fleiss on complete tables, else alpha]"),
		OPT_HEAD("Output"),
		OPT_STR(0, "disagreements", &s.disagreements, "FILE", "the items not rated alike"),
		OPT_FLAG(0, "ci", &s.ci, "95% intervals by bootstrap over items"),
		OPT_INT(0, "resamples", &s.resamples, "N", "bootstrap resamples [1000]", 10, 1000000),
		OPT_FLAG(0, "json", &s.json, "one JSON object instead of a table"),
		OPT_END
	};
	const struct opt *tables[] = { own, NULL, NULL };
	struct tool t;
	int rc;

	rec_opts_init(&s.rec);
	tables[1] = rec_opts_table(&s.rec, rec);
	rc = tool_begin(&t, "sft-eval", "sft-eval kappa [options] [FILE...]", "Measure how far raters agree.", tables, argc, argv);
	if (rc == 0)
		rc = run(&s, &t);
	return tool_end(&t, rc);
}
