/* SPDX-License-Identifier: Apache-2.0 */
/* sft-terms: term dictionaries over records: replace variants, check answers, count. */
#include <stdio.h>
#include <string.h>

#include "outfile.h"
#include "terms.h"

static struct {
	struct opt_list dict;
	const char *columns, *question, *answer, *contradict, *alike;
	int64_t near, top;
	double fail_under;
	bool json;
} o = { .near = 10, .top = 20, .fail_under = -1 };

static const struct opt replace_options[] = {
	OPT_HEAD("Replace"),
	OPT_LIST(0, "dict", &o.dict, "FILE", "term dictionary (repeatable)"),
	OPT_STR(0, "columns", &o.columns, "COL,...|all", "where variants are rewritten"),
	OPT_END
};

static const struct opt check_options[] = {
	OPT_HEAD("Check"),
	OPT_LIST(0, "dict", &o.dict, "FILE", "term dictionary (repeatable)"),
	OPT_STR(0, "answer", &o.answer, "COL", "the text that is checked"),
	OPT_STR(0, "question", &o.question, "COL", "the text that it must not contradict"),
	OPT_STR(0, "contradict", &o.contradict, "CLASS,...", "classes in which another term than asked for is a fault [all]"),
	OPT_INT(0, "near", &o.near, "N", "terms of N letters may be misspelt; 0: not looked for [10]", 0, TERM_MAX),
	OPT_STR(0, "confusables", &o.alike, "FILE", "characters that are taken for each other"),
	OPT_REAL(0, "fail-under", &o.fail_under, "F", "exit 1 if less than this share of records is without faults", 0, 1),
	OPT_END
};

static const struct opt count_options[] = {
	OPT_HEAD("Count"),
	OPT_LIST(0, "dict", &o.dict, "FILE", "term dictionary (repeatable)"),
	OPT_STR(0, "columns", &o.columns, "COL,...|all", "where terms are counted"),
	OPT_INT(0, "top", &o.top, "N", "the commonest terms that are listed [20]", 0, 1 << 24),
	OPT_FLAG(0, "json", &o.json, "one JSON object instead of tables"),
	OPT_END
};

static void mode(struct jw *w, const char *name)
{
	jw_key(w, "mode");
	jw_str(w, name);
}

static void replace_stats(struct jw *w, void *ctx)
{
	mode(w, "replace");
	terms_replace_json(ctx, w);
}

static void check_stats(struct jw *w, void *ctx)
{
	mode(w, "check");
	terms_check_json(ctx, w);
}

static void count_stats(struct jw *w, void *ctx)
{
	(void)ctx;
	mode(w, "count");
}

/* Records in and out through MAP; ADDED: they get the columns of check. */
static int run_records(struct terms *t, const struct rec_opts *r, struct tool *tool, bool added)
{
	struct recin *in = NULL;
	struct recout *out = NULL;
	struct recpipe p = { .ctx = t, .map = added ? terms_check : terms_replace };
	int rc;

	if ((rc = rec_open(&in, (const char *const *)tool->operands, (size_t)tool->noperands, r, tool, &tool->e)) != 0 ||
	    (rc = rec_create(&out, NULL, rec_format(in), r, tool, &tool->e)) != 0)
		goto failed;
	p.in = in;
	p.out = out;
	if ((rc = recpipe_run(&p, tool, &tool->e)) != 0 ||
	    (rc = rec_header(out, added ? addcols_names(&t->cols, rec_names(in)) : rec_names(in), &tool->e)) != 0)
		goto failed;
	terms_sum(t);
	if ((rc = rec_stats(in, out, r, tool, added ? check_stats : replace_stats, t, &tool->e)) != 0 || (rc = rec_settle(in, &tool->e)) != 0)
		goto failed;
	rc = rec_finish(out, &tool->e);
	out = NULL;
	if (rc == 0) {
		rc = rec_close(in, &tool->e);
		in = NULL;
	}
failed:
	rec_drop(out);
	rec_abandon(in);
	return rc;
}

static int replace(struct terms *t, const struct rec_opts *r, struct tool *tool)
{
	return run_records(t, r, tool, false);
}

static int confusables(struct terms *t, struct err *e)
{
	struct termset *alike = NULL;
	int rc = 0;

	if (o.alike) {
		alike = termset_new(t->u);
		rc = termset_read(alike, o.alike, e);
	}
	if (rc == 0 && (o.alike || o.near))
		rc = nearterms_new(&t->near, t->set, (uint32_t)o.near, alike, e);
	termset_free(alike);
	return rc;
}

static int check(struct terms *t, const struct rec_opts *r, struct tool *tool)
{
	const struct termwork *sum = t->work;
	double share;
	int rc;

	t->answer = o.answer;
	t->question = o.question;
	if ((rc = confusables(t, &tool->e)) != 0 || (rc = run_records(t, r, tool, true)) != 0)
		return rc;
	share = sum->seen ? 1 - (double)sum->marked / (double)sum->seen : 1;
	if (share < o.fail_under)
		return err_set(&tool->e, SFT_GATE, "%.4f of the records are without faults (expected at least %g)", share, o.fail_under);
	tool_note(tool, "%llu of %llu records are without faults", (unsigned long long)(sum->seen - sum->marked),
	          (unsigned long long)sum->seen);
	return 0;
}

static int count(struct terms *t, const struct rec_opts *r, struct tool *tool)
{
	struct recin *in = NULL;
	struct recpipe p = { .ctx = t, .map = terms_count };
	struct buf out = {0};
	int rc;

	if ((rc = rec_open(&in, (const char *const *)tool->operands, (size_t)tool->noperands, r, tool, &tool->e)) != 0)
		return rc;
	p.in = in;
	if ((rc = recpipe_run(&p, tool, &tool->e)) == 0) {
		terms_sum(t);
		rc = rec_stats(in, NULL, r, tool, count_stats, t, &tool->e);
	}
	if (rc != 0) {
		rec_abandon(in);
		return rc;
	}
	if ((rc = rec_close(in, &tool->e)) != 0)
		return rc;
	(o.json ? terms_json : terms_table)(t, (uint64_t)o.top, &out);
	rc = out_whole(r->output, out.p, out.n, false, &tool->e);
	buf_free(&out);
	return rc;
}

static const struct command {
	const char *name, *synopsis, *about;
	const struct opt *options;
	int (*run)(struct terms *t, const struct rec_opts *r, struct tool *tool);
} commands[] = {
	{ "replace", "sft-terms replace --dict FILE --columns COL,... [options] [FILE...]",
	  "Rewrite the variants of a dictionary's terms to the terms.", replace_options, replace },
	{ "check", "sft-terms check --dict FILE --answer COL [--question COL] [options] [FILE...]",
	  "Mark records whose answer misspells terms, uses variants, or contradicts the question.", check_options, check },
	{ "count", "sft-terms count --dict FILE --columns COL,... [options] [FILE...]",
	  "Count terms and variants: how much of the dictionary the records cover.", count_options, count },
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static const char synopsis[] = "sft-terms replace|check|count --dict FILE [options] [FILE...]";
static const char about[] = "Term dictionaries over records; sft-terms COMMAND -h shows the options of each command.";

static int no_command(struct tool *t, int argc, char **argv)
{
	const char *names[COMMANDS], *near;
	const struct opt *tables[] = { NULL };
	int rc;

	if ((rc = tool_begin(t, "sft-terms", synopsis, about, tables, argc, argv)) != 0)
		return rc;
	for (size_t i = 0; i < COMMANDS; i++)
		names[i] = commands[i].name;
	if (t->noperands == 0)
		return err_set(&t->e, SFT_USAGE, "no command (expected replace, check or count)");
	near = opt_nearest(t->operands[0], names, COMMANDS);
	if (near)
		return err_set(&t->e, SFT_USAGE, "no command '%s' (did you mean '%s'?)", t->operands[0], near);
	return err_set(&t->e, SFT_USAGE, "no command '%s' (expected replace, check or count)", t->operands[0]);
}

static int needed(const struct command *c, struct err *e)
{
	if (o.dict.n == 0)
		return err_set(e, SFT_USAGE, "--dict FILE is needed (a term dictionary)");
	if (c->run == check) {
		if (o.answer == NULL)
			return err_set(e, SFT_USAGE, "--answer COL is needed (the column to check)");
		if (o.contradict && o.question == NULL)
			return err_set(e, SFT_USAGE, "--contradict needs --question COL");
		return 0;
	}
	return o.columns ? 0 : err_set(e, SFT_USAGE, "--columns COL,... is needed (or --columns all)");
}

static int run_command(const struct command *c, const struct rec_opts *r, struct tool *tool)
{
	struct terms t;
	int rc;

	if ((rc = needed(c, &tool->e)) != 0)
		return rc;
	terms_init(&t);
	t.missing_ok = r->unite;
	t.contradict = o.contradict;
	if (o.columns && strcmp(o.columns, "all") != 0)
		wordlist_split(&t.columns, o.columns, &tool->arena);
	if ((rc = terms_read(&t, &o.dict, &tool->e)) == 0) {
		terms_ready(&t, (int)tool->threads);
		rc = c->run(&t, r, tool);
	}
	terms_release(&t);
	return rc;
}

int main(int argc, char **argv)
{
	static struct opt records[20];
	static struct rec_opts r;
	struct tool t;
	int rc;

	rec_opts_init(&r);
	rec_opts_table(&r, records);
	for (size_t i = 0; argc > 1 && i < COMMANDS; i++) {
		const struct command *c = &commands[i];
		const struct opt *tables[] = { c->options, records, NULL };

		if (strcmp(argv[1], c->name) != 0)
			continue;
		if ((rc = tool_begin(&t, "sft-terms", c->synopsis, c->about, tables, argc - 1, argv + 1)) == 0)
			rc = run_command(c, &r, &t);
		return tool_end(&t, rc);
	}
	return tool_end(&t, no_command(&t, argc, argv));
}
