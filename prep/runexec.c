/* SPDX-License-Identifier: Apache-2.0 */
#include "runexec.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "outfile.h"
#include "process.h"
#include "runstate.h"

/* --- one process --- */

/* Runs STEP with MORE behind its options; its exit status, 128 + N where signal N ended it. */
static int spawn(const struct run_step *s, const char *const *more, struct arena *a, bool *stopped)
{
	const char *path = tools_path(a, s->argv.v[0]);
	char **argv = mem_new((s->argv.n + 8) * sizeof *argv);
	struct processes ps;
	size_t n = 0;
	int status = SFT_SYSTEM;
	pid_t pid;

	argv[n++] = (char *)path;
	for (size_t i = 1; i < s->argv.n; i++)
		argv[n++] = (char *)s->argv.v[i];
	for (; *more; more++)
		argv[n++] = (char *)*more;
	processes_open(&ps, "sft-run");
	if ((pid = process_start(&ps, path, argv)) > 0)
		process_wait(&ps, &pid, 1, &status);
	processes_close(&ps);
	*stopped = ps.stopped;
	mem_free(argv);
	return status;
}

/* --- folders --- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static int make_folders(struct run_plan *p, const struct run_step *s, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < s->out.n && rc == 0; i++) {
		const char *slash = strrchr(s->out.v[i], '/');

		if (slash && s->folder == NULL)
			rc = out_mkdirs(arena_str(p->a, s->out.v[i], (size_t)(slash - s->out.v[i])), e);
	}
	return rc;
}

/* A run folder that an earlier run of this step made, under other options. */
static int clear(const struct run_step *s, const struct run_state *state, struct err *e)
{
	struct stat st;

	if (!state_known(state, s) || lstat(s->folder, &st) != 0)
		return 0;
	return nftw(s->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0 ? 0 : err_sys(e, s->folder);
}

/* --- the steps --- */

static int failed(const struct run_step *s, int status, struct err *e)
{
	if (status > 128)
		return err_set(e, SFT_SYSTEM, "step %s: sft %s was ended by signal %d", s->name, s->argv.v[0], status - 128);
	return err_set(e, status <= SFT_SYSTEM ? status : SFT_SYSTEM, "step %s: sft %s ended with status %d (its message stands above)", s->name,
	               s->argv.v[0], status);
}

static int run_step(struct run_plan *p, const struct run_step *s, struct run_state *state, uint64_t key, const struct tool *t, struct err *e)
{
	bool resume = s->folder && state_begun(state, s, key);
	const char *more[5] = { "-j", plan_text(p, "%lld", (long long)t->threads), NULL };
	struct buf line = {0};
	bool stopped = false;
	int rc, status;

	if (resume)
		more[2] = "--resume";
	if (t->quiet)
		more[resume ? 3 : 2] = "-q";
	if ((rc = make_folders(p, s, e)) != 0 || (s->folder && !resume && (rc = clear(s, state, e)) != 0) ||
	    (rc = state_begin(state, s, key, e)) != 0)
		return rc;
	plan_print(s, &line);
	fwrite(line.p, 1, line.n - 1, stdout);
	puts(resume ? " --resume" : "");
	buf_free(&line);
	status = spawn(s, more, p->a, &stopped);
	if (stopped)
		return err_set(e, SFT_SYSTEM, "step %s: stopped (sft run goes on with it)", s->name);
	if (status)
		return failed(s, status, e);
	rc = state_finish(state, s, key, e);
	return rc ? err_in(e, "step %s", s->name) : 0;
}

int plan_run(struct run_plan *p, const struct tool *t, struct run_counts *counts, struct err *e)
{
	struct run_state state;
	int rc = out_mkdirs(p->dir, e);

	if (rc == 0)
		rc = state_read(&state, p->a, plan_text(p, "%s/state.json", p->dir), e);
	if (rc)
		return rc;
	for (size_t i = 0; i < p->n && rc == 0; i++) {
		const struct run_step *s = &p->step[i];
		uint64_t key;

		if ((rc = state_key(&state, s, &key, e)) != 0) {
			err_in(e, "step %s", s->name);
		} else if (state_done(&state, s, key)) {
			counts->unchanged++;
			if (!t->quiet)
				printf("# %s: unchanged\n", s->name);
		} else {
			rc = run_step(p, s, &state, key, t, e);
			counts->ran += rc == 0;
		}
	}
	state_release(&state);
	return rc;
}
