/* SPDX-License-Identifier: Apache-2.0 */
/* sft-tune: a space of settings in, the best run out, with what was learned on the way. */
#include <stdio.h>
#include <string.h>

#include "outfile.h"
#include "tuneshow.h"

static const char synopsis[] = "sft-tune [options] [-o DIR] SPACE.yaml";
static const char about[] = "Search methods, ranks, rates, mixtures and settings of generation under a budget; each trial is a run of sft train.";

static struct {
	const char *output;
	int64_t parallel, rows;
	bool dry, reindex, json;
} o = { .parallel = 1, .rows = 20 };

static const struct opt options[] = {
	OPT_HEAD("Search"),
	OPT_STR('o', "output", &o.output, "DIR", "where the trials go; the search of an earlier call goes on there [SPACE's name without its ending]"),
	OPT_INT(0, "parallel", &o.parallel, "N", "trials side by side, each with 1/N of the threads: same result [1]", 1, 64),
	OPT_FLAG(0, "dry-run", &o.dry, "check SPACE and print the commands of the first trials, run none"),
	OPT_FLAG(0, "reindex", &o.reindex, "run nothing: make the index anew from the trials, and show what is there"),
	OPT_HEAD("Results"),
	OPT_FLAG(0, "json", &o.json, "print one JSON object instead of the table"),
	OPT_INT(0, "rows", &o.rows, "N", "trials in the table [20]", 0, 1 << 20),
	OPT_END
};

/* spaces/bank.yaml -> bank */
static const char *folder_of(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');

	return arena_str(a, name, dot && dot > name ? (size_t)(dot - name) : strlen(name));
}

/* The commands of the first round. */
static void print_first(struct tune_space *s)
{
	struct tune_search search;
	struct tune_job job[TUNE_ROUND];
	struct buf out = {0};
	size_t n;

	search_open(&search, &s->search);
	n = search_round(&search, job);
	for (size_t k = 0; k < n; k++) {
		struct trial t = { .number = job[k].trial + 1, .choice = search.trial[job[k].trial].choice };
		struct trial_commands c = {0};

		trial_commands(s, &t, job[k].rung, trial_folder(s, &t), plan_text(&s->p, "%s/data", s->p.dir), false, &c);
		for (size_t i = 0; i < c.n; i++) {
			buf_str(&out, "sft");
			plan_print_words(&c.line[i], &out);
		}
		trial_commands_free(&c);
	}
	fwrite(out.p, 1, out.n, stdout);
	buf_free(&out);
	search_close(&search);
}

/* DIR/report.html from DIR/tune.json. */
static int draw(struct tune_space *s, struct err *e)
{
	const char *json = plan_text(&s->p, "%s/tune.json", s->p.dir), *page = plan_text(&s->p, "%s/report.html", s->p.dir);
	const char *argv[] = { tools_path(s->p.a, "report"), "-q", "-o", page, json, NULL };
	struct processes ps;
	int status = SFT_SYSTEM;
	pid_t pid;

	processes_open(&ps, "sft-tune");
	if ((pid = process_start(&ps, argv[0], (char *const *)(uintptr_t)argv)) > 0)
		process_wait(&ps, &pid, 1, &status);
	processes_close(&ps);
	return status ? err_set(e, status <= SFT_SYSTEM ? status : SFT_SYSTEM, "sft report ended with status %d (its message stands above)", status) : 0;
}

static int show(struct tune_run *r, struct err *e)
{
	struct tune_space *s = r->s;
	struct buf json = {0}, table = {0};
	int rc;

	tune_json(r, &json);
	tune_table(r, (size_t)o.rows, &table);
	rc = out_whole(plan_text(&s->p, "%s/tune.json", s->p.dir), json.p, json.n, false, e);
	if (rc == 0)
		rc = draw(s, e);
	if (rc == 0)
		fwrite(o.json ? json.p : table.p, 1, o.json ? json.n : table.n, stdout);
	buf_free(&json);
	buf_free(&table);
	return rc;
}

static int tune(struct tool *t)
{
	struct tune_space s = { .p = { .a = &t->arena, .e = &t->e } };
	struct tune_run r = { .s = &s, .t = t, .parallel = (size_t)o.parallel, .replay = o.reindex, .lock = -1 };
	int rc;

	if (t->noperands != 1)
		return err_set(&t->e, SFT_USAGE, "%d spaces (expected one: SPACE.yaml)", t->noperands);
	s.p.path = t->operands[0];
	s.p.dir = o.output ? o.output : folder_of(&t->arena, s.p.path);
	rc = space_read(&s);
	if (rc == 0 && o.dry) {
		print_first(&s);
	} else if (rc == 0) {
		if ((rc = tune_run(&r, &t->e)) == 0)
			rc = show(&r, &t->e);
		tune_run_release(&r);
	}
	space_release(&s);
	return rc;
}

int main(int argc, char **argv)
{
	const struct opt *tables[] = { options, NULL };
	struct tool t;
	int rc = tool_begin(&t, "sft-tune", synopsis, about, tables, argc, argv);

	if (rc == 0)
		rc = tune(&t);
	return tool_end(&t, rc);
}
