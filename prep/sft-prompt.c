/* SPDX-License-Identifier: Apache-2.0 */
/* sft-prompt: records of any shape in, chat records (or rendered text) out. */
#include <string.h>
#include <sys/stat.h>
#include "outfile.h"
#include "prompt.h"

static const char synopsis[] = "sft-prompt [options] [FILE...]";
static const char about[] = "Make chat records of records: a task description, examples, the input and its answer.";

struct run {
	struct prompt_opts p;
	struct rec_opts r;
	struct tool t;
	const char *task, *system;      /* as given: TEXT or @FILE */
};

/* --from: the formats of records, and the shapes alpaca and sharegpt (in JSON or JSON lines, as sniffed). */
static int set_from(void *to, const char *value, struct err *e)
{
	static const char *const words[] = { "auto", "csv", "tsv", "jsonl", "json", "rec", "alpaca", "sharegpt" };
	struct run *run = to;
	size_t n = sizeof words / sizeof *words, i = 0;

	while (i < n && strcmp(words[i], value) != 0)
		i++;
	if (i == n)
		return err_set(e, SFT_USAGE, "'%s' (expected auto, csv, tsv, jsonl, json, rec, alpaca or sharegpt)", value);
	run->r.from = i < 6 ? (int)i : REC_AUTO;
	run->p.shape = i < 6 ? SHAPE_AUTO : i == 6 ? SHAPE_ALPACA : SHAPE_SHAREGPT;
	return 0;
}

/* The options of records, where --output is a column here and --from knows more. */
static void record_options(struct run *run, struct opt table[20])
{
	rec_opts_init(&run->r);
	rec_opts_table(&run->r, table);
	for (struct opt *o = table; o->kind != OPT_K_END; o++) {
		if (o->name && strcmp(o->name, "output") == 0) {
			o->name = "out";
			o->arg = "FILE|DIR";
			o->help = "write FILE; several FILEs each to DIR [standard output]";
		} else if (o->name && strcmp(o->name, "from") == 0) {
			*o = (struct opt)OPT_CALL(0, "from", run, "FORMAT", "auto, csv, tsv, jsonl, json, rec, alpaca or sharegpt [auto]", set_from);
		} else if (o->name && strcmp(o->name, "to") == 0) {
			o->help = "format of the output [by its name, else jsonl]";
		}
	}
}

static void more_stats(struct jw *w, void *ctx)
{
	const struct prompt *p = ctx;

	jw_key(w, "examples");
	jw_uint(w, p->shots.n);
	jw_key(w, "fewer_examples");
	jw_uint(w, p->fewer);
}

/* Columns that a header shows to be missing are an error at once, also where bad records are skipped. */
static int check_columns(const struct recin *in, const struct prompt_opts *o, struct err *e)
{
	const struct names *names = rec_names(in);
	const char *const need[] = { o->input, o->output, o->slice };
	uint32_t at;
	int rc = 0;

	for (int i = 0; names && i < 3 && rc == 0; i++)
		if (need[i])
			rc = rec_need(names, need[i], &at, e);
	return rc;
}

static int one_record(struct prompt *p, struct recin *in, struct recout *out, const struct rec *r, bool skip, struct arena *a, struct err *e)
{
	struct fault f = { NULL, e };
	struct rec made;
	int rc = prompt_record(p, r, a, &made, &f);

	if (rc == SFT_BADDATA && skip && p->o->render) {
		prompt_error(p, r, e->msg, a, &made);
		return rec_write(out, &made, e);
	}
	if (rc == SFT_BADDATA && skip)
		return rec_reject(in, r, f.reason ? f.reason : "bad record", e);
	if (rc != 0)
		return err_in(e, "%s:%llu: record %llu", r->file, (unsigned long long)r->line, (unsigned long long)r->num);
	return rec_write(out, &made, e);
}

static int records(struct prompt *p, struct recin *in, struct recout *out, bool skip, struct err *e)
{
	struct arena a;
	struct rec *r;
	int rc;

	arena_init(&a);
	while ((rc = rec_read(in, &r, e)) == 0 && r != NULL && (rc = one_record(p, in, out, r, skip, &a, e)) == 0)
		arena_reset(&a);
	arena_release(&a);
	return rc;
}

/* FILES as one stream into PATH (NULL: where the options say). */
static int stream(struct run *run, struct prompt *p, const char *const *files, size_t n, const char *path)
{
	struct err *e = &run->t.e;
	struct recin *in = NULL;
	struct recout *out = NULL;
	int rc;

	if ((rc = rec_open(&in, files, n, &run->r, &run->t, e)) == 0 && (rc = check_columns(in, &run->p, e)) == 0 &&
	    (rc = rec_create(&out, path, REC_JSONL, &run->r, &run->t, e)) == 0 && (rc = records(p, in, out, run->r.on_bad, e)) == 0 &&
	    (rc = rec_stats(in, out, &run->r, &run->t, more_stats, p, e)) == 0) {
		rc = rec_finish(out, e);
		out = NULL;
	}
	if (rc == 0) {
		rc = rec_close(in, e);
		in = NULL;
	}
	rec_drop(out);
	rec_abandon(in);
	return rc;
}

static int each_file(struct run *run, struct prompt *p)
{
	static const char *const endings[] = { "jsonl", "csv", "tsv", "jsonl", "json", "rec" };      /* by --to */
	const char *const *files = (const char *const *)run->t.operands;
	size_t n = (size_t)run->t.noperands;
	char **paths;
	int rc;

	if (n > 1 && (run->r.stats || run->r.rejects))
		return err_set(&run->t.e, SFT_USAGE, "--stats and --rejects go with one output (run the FILEs one by one)");
	if ((rc = out_places(run->r.output, files, n, endings[run->r.to], &paths, &run->t.e)) != 0)
		return rc;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = stream(run, p, &files[i], 1, paths[i]);
	out_places_free(paths, n);
	return rc;
}

static int prompt_files(struct run *run)
{
	struct prompt p;
	struct err *e = &run->t.e;
	int rc = 0;

	run->p.seed = (uint64_t)run->t.seed;
	if (run->task)
		rc = tool_text_or_file(&run->t.arena, run->task, &run->p.task, e);
	if (rc == 0 && run->system)
		rc = tool_text_or_file(&run->t.arena, run->system, &run->p.system, e);
	if (rc != 0)
		return rc;
	if ((rc = prompt_open(&p, &run->p, &run->r, &run->t, e)) == 0)
		rc = out_is_folder(run->r.output, (size_t)run->t.noperands) ? each_file(run, &p) : stream(run, &p, (const char *const *)run->t.operands, (size_t)run->t.noperands, NULL);
	if (rc == 0 && p.fewer)
		tool_warn(&run->t, "%llu records got fewer than %lld examples", (unsigned long long)p.fewer, (long long)(run->p.k < 0 ? 3 : run->p.k));
	prompt_close(&p);
	return rc;
}

int main(int argc, char **argv)
{
	static struct run run = { .p.k = -1 };
	static struct opt record_table[20];
	const struct opt own[] = {
		OPT_HEAD("Prompts"),
		OPT_STR(0, "task", &run.task, "TEXT|@FILE", "what is to be done: the system message"),
		OPT_STR(0, "system", &run.system, "TEXT|@FILE", "the system message; the task then opens the user message"),
		OPT_STR(0, "input", &run.p.input, "COL", "column with the text that is asked"),
		OPT_STR(0, "output", &run.p.output, "COL", "column with the answer"),
		OPT_STR(0, "template", &run.p.template, "FILE", "Jinja template of the user message, over the record's fields"),
		OPT_STR(0, "vars", &run.p.vars, "FILE", "JSON object: variables of the template, and {{NAME}} in texts"),
		OPT_STR(0, "slice", &run.p.slice, "COL", "column that becomes the record's slice"),
		OPT_HEAD("Examples"),
		OPT_STR(0, "shots", &run.p.shots, "FILE", "records to take examples from"),
		OPT_INT('k', "shots-per-record", &run.p.k, "N", "examples before each input [3]", 0, 1000),
		OPT_CHOICE(0, "select", &run.p.select, "fixed|random|balanced", "the first, at random, or one of each label in turn [fixed]"),
		OPT_HEAD("Rendering"),
		OPT_FLAG(0, "render", &run.p.render, "write the text that the chat template makes instead"),
		OPT_STR(0, "chat-template", &run.p.chat_template, "FILE|NAME|MODEL", "chat template for --render"),
		OPT_END
	};
	const struct opt *tables[] = { own, record_table, NULL };
	int rc;

	record_options(&run, record_table);
	if ((rc = tool_begin(&run.t, "sft-prompt", synopsis, about, tables, argc, argv)) == 0)
		rc = prompt_files(&run);
	return tool_end(&run.t, rc);
}
