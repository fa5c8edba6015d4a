/* SPDX-License-Identifier: Apache-2.0 */
/* sft-prompt: records of any shape in, chat records (or rendered text) out. */
#include <string.h>
#include <sys/stat.h>
#include "outfile.h"
#include "promptrun.h"

static const char synopsis[] = "sft-prompt [options] [FILE...]";
static const char about[] = "Make chat records of records: a task description, examples, the input and its answer.";

struct run {
	struct prompt_opts p;
	struct rec_opts r;
	struct tool t;
	const char *task, *system;      /* as given: TEXT or @FILE */
	uint64_t fewer;                 /* records that got fewer than k examples, in all streams */
	struct turns_opts turns;        /* with a dialogue: the input is a table of turns */
};

/* What --stats tells. */
struct told {
	const struct prompt *p;
	const struct run *run;
	const struct turns *turns;      /* NULL: no table of turns */
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
	const struct told *told = ctx;

	jw_key(w, "examples");
	jw_uint(w, told->p->shots.n);
	jw_key(w, "fewer_examples");
	jw_uint(w, told->run->fewer);
	if (told->turns == NULL)
		return;
	jw_key(w, "dialogues");
	jw_uint(w, told->turns->nd);
	jw_key(w, "turns");
	jw_uint(w, told->turns->nt);
	jw_key(w, "merged_turns");
	jw_uint(w, told->turns->merged);
	jw_key(w, "cut_turns");
	jw_uint(w, told->turns->cut);
}

/* Columns that a header shows to be missing are an error at once, also where bad records are skipped. */
static int check_columns(const struct recin *in, const struct run *run, const char *file, struct err *e)
{
	bool piped = file == NULL || strcmp(file, "-") == 0;
	const struct names *names = rec_names(in);
	const char *const need[] = { run->p.input, run->p.output, run->p.slice, run->turns.dialogue, run->turns.turn, run->turns.speaker, run->turns.text };
	uint32_t at;
	int rc = 0;

	for (size_t i = 0; names && i < sizeof need / sizeof *need && rc == 0; i++)
		if (need[i])
			rc = rec_need(names, need[i], &at, e);
	return rc ? err_in(e, "%s", piped ? "standard input" : file) : 0;
}

/* Where one stream of records comes from and goes. */
struct way {
	struct run *run;
	const struct prompt *p;
	struct recin *in;
	struct recout *out;
};

/* Row R of a table of turns is bad, as F says: rejected, or the end. */
static int bad_row(struct way *w, const struct rec *r, const char *what, const struct fault *f)
{
	struct err *e = f->e;

	err_in(e, "%s:%llu: %s", r->file, (unsigned long long)r->line, what);
	if (e->code != SFT_BADDATA || !w->run->r.on_bad)
		return e->code;
	tool_note(&w->run->t, "%s", e->msg);
	return rec_reject(w->in, r, f->reason ? f->reason : "bad record", e);
}

/* T: the table of turns that IN is; NULL: it is records. */
static int make(struct way *w, struct turns *t, struct err *e)
{
	struct promptrun r = { .p = w->p, .in = w->in, .turns = t, .out = w->out, .t = &w->run->t, .skip = w->run->r.on_bad != 0 };
	int rc = prompt_run(&r, e);

	w->run->fewer += r.fewer;
	return rc;
}

/* --- tables of turns --- */

static int read_turns(struct way *w, struct turns *t, struct err *e)
{
	struct fault f = { NULL, e };
	struct buf unknown = {0};
	struct rec *r;
	bool kept;
	int rc;

	while ((rc = rec_read(w->in, &r, e)) == 0 && r != NULL) {
		char what[40];
		snprintf(what, sizeof what, "record %llu", (unsigned long long)r->num);
		rc = turns_add(t, r, &kept, &f);
		if (rc == SFT_BADDATA && kept && w->run->r.on_bad)
			tool_note(&w->run->t, "%s:%llu: %s: %s", r->file, (unsigned long long)r->line, what, e->msg);   /* its dialogue is rejected as a whole */
		else if (rc != 0 && (rc = bad_row(w, r, what, &f)) != 0)
			break;
	}
	if (rc == 0 && (rc = turns_ready(t, &unknown, e)) == 0 && unknown.n) {
		if (!w->run->r.on_bad)
			rc = err_set(e, SFT_BADDATA, "%s", unknown.p);
		else
			tool_warn(&w->run->t, "%s", unknown.p);
	}
	buf_free(&unknown);
	return rc;
}

static void tell_left_out(const struct run *run, const struct turns *t)
{
	for (size_t i = 0; i < t->left_out.n; i++)
		tool_warn(&run->t, "column '%s' differs within dialogues and is left out", t->left_out.e[i].key);
}

static int dialogues(struct way *w, struct turns *t, struct err *e)
{
	int rc = read_turns(w, t, e);

	if (rc == 0 && (rc = make(w, t, e)) == 0)
		tell_left_out(w->run, t);
	return rc;
}

/* FILES as one stream into PATH (NULL: where the options say). */
static int stream(struct run *run, const struct prompt *p, const char *const *files, size_t n, const char *path)
{
	struct err *e = &run->t.e;
	struct way w = { .run = run, .p = p };
	struct turns turns, *t = run->turns.dialogue ? &turns : NULL;
	struct told told = { p, run, t };
	int rc = t ? turns_init(t, &run->turns, run->t.env.tmp, e) : 0;

	if (rc == 0 && (rc = rec_open(&w.in, files, n, &run->r, &run->t, e)) == 0 && (rc = check_columns(w.in, run, n ? files[0] : NULL, e)) == 0 &&
	    (rc = rec_create(&w.out, path, REC_JSONL, &run->r, &run->t, e)) == 0 && (rc = t ? dialogues(&w, t, e) : make(&w, NULL, e)) == 0 &&
	    (rc = rec_stats(w.in, w.out, &run->r, &run->t, more_stats, &told, e)) == 0 && (rc = rec_settle(w.in, e)) == 0) {
		rc = rec_finish(w.out, e);
		w.out = NULL;
	}
	if (rc == 0) {
		rc = rec_close(w.in, e);
		w.in = NULL;
	}
	rec_drop(w.out);
	rec_abandon(w.in);
	if (t)
		turns_release(t);
	return rc;
}

static int each_file(struct run *run, const struct prompt *p)
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

static int check_turns(const struct run *run, struct err *e)
{
	const struct turns_opts *o = &run->turns;

	if (o->dialogue == NULL && (o->turn || o->speaker || o->text || o->roles))
		return err_set(e, SFT_USAGE, "--%s needs --dialogue COL", o->turn ? "turn" : o->speaker ? "speaker" : o->text ? "text" : "roles");
	if (o->dialogue == NULL)
		return 0;
	if (o->speaker == NULL || o->text == NULL)
		return err_set(e, SFT_USAGE, "--dialogue needs --speaker COL and --text COL");
	if (run->p.input || run->p.shape != SHAPE_AUTO)
		return err_set(e, SFT_USAGE, "--dialogue does not go with --input or --from alpaca or sharegpt");
	return run->p.shots ? err_set(e, SFT_USAGE, "--dialogue does not go with --shots (pipe its chat records into sft prompt --shots)") : 0;
}

static int prompt_files(struct run *run)
{
	struct prompt p;
	struct err *e = &run->t.e;
	int rc = 0;

	run->p.seed = (uint64_t)run->t.seed;
	run->turns.slice = run->p.slice;
	run->turns.max = run->r.max_record;
	if ((rc = check_turns(run, e)) != 0)
		return rc;
	if (run->task)
		rc = tool_text_or_file(&run->t.arena, run->task, &run->p.task, e);
	if (rc == 0 && run->system)
		rc = tool_text_or_file(&run->t.arena, run->system, &run->p.system, e);
	if (rc != 0)
		return rc;
	if ((rc = prompt_open(&p, &run->p, &run->r, &run->t, e)) == 0)
		rc = out_is_folder(run->r.output, (size_t)run->t.noperands) ? each_file(run, &p) : stream(run, &p, (const char *const *)run->t.operands, (size_t)run->t.noperands, NULL);
	if (rc == 0 && run->fewer)
		tool_warn(&run->t, "%llu records got fewer than %lld examples", (unsigned long long)run->fewer, (long long)(run->p.k < 0 ? 3 : run->p.k));
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
		OPT_HEAD("Tables of turns"),
		OPT_STR(0, "dialogue", &run.turns.dialogue, "COL", "column with the dialogue's id: its rows become one record"),
		OPT_STR(0, "turn", &run.turns.turn, "COL", "column with the turn's number [order of the rows]"),
		OPT_STR(0, "speaker", &run.turns.speaker, "COL", "column that says who speaks"),
		OPT_STR(0, "text", &run.turns.text, "COL", "column with what is said"),
		OPT_STR(0, "roles", &run.turns.roles, "WHO=ROLE,...", "roles of speakers (*: all others): user, assistant, system, tool"),
		OPT_HEAD("Examples"),
		OPT_STR(0, "shots", &run.p.shots, "FILE", "records to take examples from"),
		OPT_INT('k', "shots-per-record", &run.p.k, "N", "examples before each input [3]", 0, 1000),
		OPT_CHOICE(0, "select", &run.p.select, "fixed|random|balanced|similar", "the first, at random, one of each label, or the most alike [fixed]"),
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
