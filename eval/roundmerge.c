/* SPDX-License-Identifier: Apache-2.0 */
/* sft eval agree merge DIR [FILE...] */
#include <string.h>
#include <unistd.h>

#include "kappaout.h"
#include "outfile.h"
#include "roundmerged.h"
#include "rounds.h"
#include "roundsheet.h"

struct merge {
	struct rec_opts rec;
	struct kappa_shown shown;
	struct round r;
	struct round_labels labels;
	struct rating_table t;
	struct gold g;
	const char *dir, *resolved;
	int repeat;
	bool partial, json, csv;
};

/* --- labels in --- */

static int read_labels(struct merge *m, struct tool *t)
{
	struct round *r = &m->r;
	int rc = 0;

	round_labels_init(&m->labels, r);
	for (int k = 3; rc == 0 && k < t->noperands; k++)
		rc = round_labels_read(&m->labels, t->operands[k], &m->rec, t, &t->e);
	for (uint32_t k = 0; rc == 0 && t->noperands == 3 && k < r->nraters; k++) {
		const char *path = round_sheet(r, m->dir, k, ".csv");

		rc = access(path, R_OK) == 0 ? round_labels_read(&m->labels, path, &m->rec, t, &t->e)
		                             : err_set(&t->e, SFT_BADDATA, "%s: is not there (expected the sheet of '%s')", path, r->rater[k].p);
	}
	if (rc == 0 && m->labels.n == 0)
		rc = err_set(&t->e, SFT_BADDATA, "%s: no labels yet (expected sheets with the column label filled in)", m->dir);
	return rc;
}

/* The labels as ratings, in the order in which they were read; raters and items are the round's, in its order. */
static int rate(struct merge *m, struct tool *t)
{
	struct round *r = &m->r;
	struct rating_rule rule = { .repeat = (enum repeat_rule)m->repeat, .ncategories = r->nlabels };
	struct text *category = mem_grow(NULL, r->nlabels, sizeof *category);
	int rc;

	for (uint32_t k = 0; k < r->nlabels; k++)
		category[k] = r->label[k].label;
	rule.categories = category;
	for (uint32_t i = 0; i < r->nitems; i++)
		rating_item(&m->t, r->item[i].name);
	for (uint32_t k = 0; k < r->nraters; k++)
		rating_rater(&m->t, r->rater[k]);
	for (size_t k = 0; k < m->labels.n; k++) {
		const struct round_label *x = &m->labels.v[k];

		rating_add(&m->t, x->item, x->rater, r->label[x->label].label, x->file, x->line);
	}
	rc = rating_finish(&m->t, &rule, &t->e);
	mem_free(category);
	return rc;
}

/* Who has not labelled what: an error unless --partial. */
static int missing(struct merge *m, struct buf *said, uint64_t *all, struct tool *t)
{
	const struct round *r = &m->r;
	const struct ratings *v = &m->t.t;
	uint64_t *lacks = mem_new(r->nraters * sizeof *lacks), *given = mem_new(r->nraters * sizeof *given);
	const char *rater = NULL, *item = NULL;

	*all = 0;
	for (uint32_t i = 0; i < r->nitems; i++)
		for (uint32_t k = 0; k < r->item[i].nraters; k++) {
			uint32_t who = r->item[i].rater[k];
			size_t at = v->start[i];

			given[who]++;
			while (at < v->start[i + 1] && v->r[at].rater != who)
				at++;
			if (at < v->start[i + 1])
				continue;
			lacks[who]++;
			item = *all == 0 ? r->item[i].name.p : item;
			rater = *all == 0 ? r->rater[who].p : rater;
			++*all;
		}
	for (uint32_t k = 0; k < r->nraters; k++)
		if (lacks[k])
			buf_fmt(said, "%s%s lacks %llu of %llu labels", said->n ? ", " : "", r->rater[k].p, (unsigned long long)lacks[k], (unsigned long long)given[k]);
	mem_free(lacks);
	mem_free(given);
	if (*all == 0 || m->partial)
		return 0;
	return err_set(&t->e, SFT_BADDATA, "%s; the first is item '%s' of '%s' (expected all, or --partial)", said->p, item, rater);
}

/* --- what is settled, and what is to be --- */

static int settle(struct merge *m, struct tool *t)
{
	const char *list = round_path(&m->r, m->dir, "disagreements.csv");
	int rc = 0;

	gold_init(&m->g, &m->t);
	if (m->resolved || access(list, F_OK) == 0)
		rc = gold_read(&m->g, &m->t, m->resolved ? m->resolved : list, t, &t->e);
	if (rc == 0)
		gold_decide(&m->g, &m->t);
	return rc;
}

static int write_files(struct merge *m, struct tool *t)
{
	struct round *r = &m->r;
	struct text *said = round_labels_notes(&m->labels, &r->arena);
	struct round_notes notes = { r, said };
	struct gold_columns cols;
	struct buf page = { 0 };
	int rc;

	round_columns(r, &notes, &cols);
	rc = gold_write(&m->g, &m->t, &cols, round_path(r, m->dir, "gold.csv"), &m->rec, t);
	if (rc == 0)
		rc = gold_write_list(&m->g, &m->t, &cols, round_path(r, m->dir, "disagreements.csv"), &m->rec, t);
	if (rc == 0) {
		round_settle_page(&notes, &m->g, &m->t, &page);
		rc = out_whole(round_path(r, m->dir, "disagreements.html"), page.p, page.n, false, &t->e);
	}
	buf_free(&page);
	mem_free(said);
	return rc;
}

/* --- the history --- */

static int remember(struct merge *m, const struct kappa_figures *f, uint64_t lacks, struct tool *t)
{
	struct round *r = &m->r;
	struct buf out = { 0 };
	int rc = 0;

	round_merge_json(&m->t, f, &m->shown, &m->g, lacks, &out);
	if (r->nmerges == 0 || r->merge[r->nmerges - 1].n != out.n || memcmp(r->merge[r->nmerges - 1].p, out.p, out.n) != 0) {
		ARRAY_ROOM(r->merge, r->nmerges, r->merges_cap);
		r->merge[r->nmerges++] = (struct text){ arena_str(&r->arena, out.p, out.n), out.n };
		out.n = 0;
		round_format(r, &out);
		rc = out_whole(round_path(r, m->dir, "round.jsonl"), out.p, out.n, false, &t->e);
	}
	buf_free(&out);
	return rc;
}

/* --- output --- */

static void report_json(const struct merge *m, const struct kappa_figures *f, uint64_t lacks, struct buf *out)
{
	struct buf merge = { 0 };
	struct jw w;

	round_merge_json(&m->t, f, &m->shown, &m->g, lacks, &merge);
	jw_init(&w, out);
	jw_obj(&w);
	tool_schema_json(&w, "sft.agree/1");
	jw_key(&w, "round");
	jw_str(&w, m->dir);
	jw_key(&w, "n");
	jw_uint(&w, m->t.t.items);
	jw_key(&w, "merge");
	jw_raw(&w, merge.p, merge.n);
	jw_key(&w, "metrics");
	jw_obj(&w);
	jw_key(&w, "kappa");
	jw_obj(&w);
	kappa_members(&m->t, f, &m->shown, &w);
	jw_obj_end(&w);
	jw_obj_end(&w);
	jw_obj_end(&w);
	buf_ch(out, '\n');
	buf_free(&merge);
}

static void report_text(const struct merge *m, const struct kappa_figures *f, const struct buf *lacking, struct buf *out)
{
	kappa_table(&m->t, f, &m->shown, out);
	buf_ch(out, '\n');
	if (lacking->n)
		buf_fmt(out, "%s\n", lacking->p);
	gold_text(&m->g, out);
	if (m->g.split > m->g.resolved)
		buf_fmt(out, "to settle: %s/disagreements.html, or the column resolved of %s/disagreements.csv; then merge again\n", m->dir, m->dir);
}

static int report(struct merge *m, uint64_t lacks, const struct buf *lacking, struct tool *t)
{
	struct kappa_figures f;
	struct buf out = { 0 };
	int rc;

	kappa_compute(&m->t, &m->shown, &f);
	rc = remember(m, &f, lacks, t);
	if (m->json)
		report_json(m, &f, lacks, &out);
	else if (m->csv)
		kappa_csv(&m->t, &f, &m->shown, &out);
	else
		report_text(m, &f, lacking, &out);
	if (rc == 0)
		rc = out_whole(m->rec.output ? m->rec.output : "-", out.p, out.n, false, &t->e);
	if (rc == 0)
		rc = kappa_gate(&m->t, &f, &m->shown, &t->e);
	buf_free(&out);
	kappa_figures_free(&f);
	return rc;
}

static int merge_run(struct merge *m, struct tool *t)
{
	struct buf lacking = { 0 };
	uint64_t lacks = 0;
	int rc;

	if (t->noperands < 3)
		return err_set(&t->e, SFT_USAGE, "which round? (expected agree merge DIR [FILE...])");
	if (m->json && m->csv)
		return err_set(&t->e, SFT_USAGE, "--json and --csv: one of them");
	if (m->rec.stats)
		return err_set(&t->e, SFT_USAGE, "--stats is for one input (agree merge reads several)");
	m->dir = t->operands[2];
	m->shown.repeat = (enum repeat_rule)m->repeat;
	if ((rc = kappa_options_finish(&m->shown, (uint64_t)t->seed, &t->e)) == 0 && (rc = round_read(&m->r, m->dir, &t->e)) == 0 &&
	    (rc = read_labels(m, t)) == 0 && (rc = rate(m, t)) == 0 && (rc = missing(m, &lacking, &lacks, t)) == 0 && (rc = settle(m, t)) == 0 &&
	    (rc = write_files(m, t)) == 0)
		rc = report(m, lacks, &lacking, t);
	buf_free(&lacking);
	return rc;
}

int round_merge_main(int argc, char **argv)
{
	struct merge m = { .repeat = REPEAT_ERROR };
	struct opt rec[20], counts[10];
	const struct opt own[] = {
		OPT_HEAD("Labels"),
		OPT_CHOICE(0, "repeat", &m.repeat, "error|first|last", "a rater labels an item again [error]"),
		OPT_FLAG(0, "partial", &m.partial, "go on though labels are missing"),
		OPT_STR(0, "resolved", &m.resolved, "FILE", "what was settled [DIR/disagreements.csv, where it is there]"),
		OPT_HEAD("Output"),
		OPT_FLAG(0, "json", &m.json, "one JSON object instead of a table"),
		OPT_FLAG(0, "csv", &m.csv, "CSV instead of a table"),
		OPT_END
	};
	const struct opt *tables[] = { own, counts, NULL, NULL };
	struct tool t;
	int rc;

	round_init(&m.r);
	rating_table_init(&m.t);
	rec_opts_init(&m.rec);
	kappa_options(&m.shown, counts);
	tables[2] = rec_opts_table(&m.rec, rec);
	rc = tool_begin(&t, "sft-eval", "sft-eval agree merge DIR [options] [FILE...]",
	                "Take labels in: measure agreement, list what is to be settled, write the gold.", tables, argc, argv);
	if (rc == 0)
		rc = merge_run(&m, &t);
	gold_free(&m.g);
	rating_table_free(&m.t);
	round_labels_free(&m.labels);
	round_release(&m.r);
	return tool_end(&t, rc);
}
