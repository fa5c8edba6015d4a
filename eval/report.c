/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "outfile.h"

const struct report_input *report_nth(const struct report *r, enum input_kind kind, size_t n)
{
	for (size_t k = 0; k < r->n; k++)
		if (r->in[k].kind == kind && n-- == 0)
			return &r->in[k];
	return NULL;
}

size_t report_count(const struct report *r, enum input_kind kind)
{
	size_t n = 0;

	while (report_nth(r, kind, n))
		n++;
	return n;
}

static int draw(struct report *r, struct err *e)
{
	int rc;

	report_compare(r);
	report_metrics(r);
	report_slices(r);
	report_errors(r);
	report_confusion(r);
	report_calibration(r);
	report_agreement(r);
	report_rounds(r);
	report_votes(r);
	report_tune(r);
	report_runs(r);
	report_changes(r);
	if ((rc = report_examples(r, e)) != 0)
		return rc;
	report_describe(r);
	report_data(r);
	return 0;
}

/* What the page was made from. */
static void inputs(struct report *r, const char *const *files, size_t n)
{
	static const char *const what[] = { "figures",           "comparison", "weak slices", "votes",      "rounds",
					    "figures of a tool", "shard",      "data",   "search",   "run",         "predictions",
					    "changes of a model" };
	struct page *p = &r->page;

	page_section(p, "inputs", "Made from");
	page_table(p, "Inputs");
	page_head(p, "Name", false);
	page_head(p, "What it is", false);
	page_head(p, "File", false);
	for (size_t k = 0; k < n; k++) {
		page_row(p);
		page_cell(p, false, "%s", r->in[k].name);
		page_cell(p, false, "%s", what[r->in[k].kind]);
		page_cell(p, false, "%s", files[k]);
	}
	page_table_end(p);
}

/* The day, in the time zone of the machine. */
static void put_date(char to[32])
{
	time_t now = time(NULL);
	struct tm tm;

	to[0] = '\0';
	if (localtime_r(&now, &tm))
		strftime(to, 32, "%Y-%m-%d", &tm);
}

static int write_page(struct report *r, struct err *e)
{
	const char *path = r->o->eval.rec.output;
	struct page_about about = { r->o->title ? r->o->title : "Report", NULL };
	struct buf out = { 0 };
	char date[32];
	int rc;

	if (r->o->date) {
		put_date(date);
		about.subtitle = date;
	}
	page_write(&r->page, &about, &out);
	rc = out_whole(path ? path : "-", out.p, out.n, false, e);
	buf_free(&out);
	return rc;
}

int report_run(struct report_opts *o, struct tool *t, const char *const *files, size_t n)
{
	static const char *const input[] = { "-" };
	struct report r = { .o = o, .t = t };
	struct err *e = &t->e;
	int rc = 0;

	arena_init(&r.arena);
	r.parser = json_parser_new();
	if (n == 0) {
		files = input;
		n = 1;
	}
	if (o->names.n > n)
		rc = err_set(e, SFT_USAGE, "--name is given %zu times for %zu inputs (expected at most one for each)", o->names.n,
			     n);
	if (o->log && !o->stages)
		rc = err_set(e, SFT_USAGE, "--log is for --stages");
	if (rc == 0)
		rc = run_join_open(&r.join, o->log, e);
	for (size_t k = 0; rc == 0 && k < n; k++)
		rc = report_take(&r, files[k], e);
	if (rc == 0 && o->stages && report_count(&r, INPUT_RUN) == 0)
		rc = err_set(e, SFT_USAGE, "--stages: no run among the inputs (expected run folders, in order)");
	if (rc == 0)
		rc = report_score(&r, e);
	if (rc == 0)
		rc = draw(&r, e);
	if (rc == 0) {
		inputs(&r, files, n);
		rc = write_page(&r, e);
	}
	if (rc == 0)
		rc = run_join_close(&r.join, e);
	run_join_abandon(&r.join);
	page_free(&r.page);
	json_parser_free(r.parser);
	mem_free(r.in);
	arena_release(&r.arena);
	return rc;
}
