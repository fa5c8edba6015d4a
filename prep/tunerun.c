/* SPDX-License-Identifier: Apache-2.0 */
#include "tunerun.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "json.h"
#include "outfile.h"
#include "progress.h"

/* --- the folder --- */

/* One search at a time in a folder.  The processes of the trials hold the lock too: after a kill those that still write a checkpoint are waited for. */
static int lock_folder(struct tune_run *r, struct err *e)
{
	const char *path = plan_text(&r->s->p, "%s/lock", r->s->p.dir);
	int rc;

	if ((rc = out_mkdirs(r->s->p.dir, e)) != 0)
		return rc;
	if ((r->lock = open(path, O_RDWR | O_CREAT, 0666)) < 0)
		return err_sys(e, path);
	if (flock(r->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	tool_warn(r->t, "%s is in use: waiting", r->s->p.dir);
	while ((rc = flock(r->lock, LOCK_EX)) != 0 && errno == EINTR)
		;
	return rc == 0 ? 0 : err_sys(e, path);
}

/* DIR/space.json says which search it is: another one's trials are not taken for its own. */
static int open_folder(struct tune_run *r, struct err *e)
{
	struct tune_space *s = r->s;
	const char *path = plan_text(&s->p, "%s/space.json", s->p.dir), *key = plan_text(&s->p, "%016llx", (unsigned long long)space_key(s));
	const struct json *doc;
	struct buf out = {0};
	int rc;

	if (access(path, F_OK) == 0) {
		if ((rc = json_file(s->p.a, path, &doc, e)) != 0)
			return rc;
		return json_is(json_get(doc, "key"), key) ? 0 : err_set(e, SFT_USAGE, "%s holds the search of another space (expected the same but for its budget, or another -o)", s->p.dir);
	}
	buf_fmt(&out, "{\"schema\":\"sft.space/1\",\"version\":\"%s\",\"key\":\"%s\"}\n", SFT_VERSION, key);
	rc = out_whole(path, out.p, out.n, false, e);
	buf_free(&out);
	return rc;
}

/* --- one job: its commands, one after the other --- */

struct slot {
	size_t job;                    /* place in the round; SIZE_MAX: free */
	struct trial_commands c;
	size_t at;                     /* the command that runs */
	double began, other;           /* when it began; seconds of those but training */
	bool failed;                   /* training ended with a loss that is no number */
};

struct round {
	struct tune_run *r;
	const struct tune_job *job;
	size_t n, next;                /* jobs; the next to begin */
	struct slot *slot;             /* [parallel] */
	pid_t *pid;                    /* [parallel]; 0: none */
	struct processes ps;
	int rc;
};

/* Does the file that LINE makes stand already: augmented data, which trials share. */
static bool is_made(const struct strings *line)
{
	return strcmp(line->v[0], "augment") == 0 && access(line->v[line->n - 1], F_OK) == 0;
}

/* The next command of SLOT I as a process; false where all are done. */
static bool next_command(struct round *d, size_t i, struct err *e)
{
	struct tune_run *r = d->r;
	struct slot *x = &d->slot[i];
	const struct strings *line;
	const char **argv;
	size_t n = 0;
	int64_t threads = r->t->threads / (int64_t)r->parallel;

	while (x->at < x->c.n && is_made(&x->c.line[x->at]))
		x->at++;
	if (x->at == x->c.n)
		return false;
	line = &x->c.line[x->at];
	argv = mem_new((line->n + 8) * sizeof *argv);
	argv[n++] = tools_path(r->s->p.a, line->v[0]);
	for (size_t k = 1; k < line->n; k++)
		argv[n++] = line->v[k];
	argv[n++] = "-j";
	argv[n++] = plan_text(&r->s->p, "%lld", (long long)(threads > 0 ? threads : 1));
	argv[n++] = "-q";
	if (strcmp(line->v[0], "train") == 0)
		argv[n++] = "--resume";
	x->began = clock_seconds();
	if ((d->pid[i] = process_start(&d->ps, argv[0], (char *const *)(uintptr_t)argv)) < 0) {
		d->pid[i] = 0;
		d->rc = err_sys(e, argv[0]);
	}
	mem_free(argv);
	return d->rc == 0;
}

static int begin(struct round *d, size_t i, struct err *e)
{
	struct tune_run *r = d->r;
	const struct tune_job *j = &d->job[d->next];
	struct trial *t = &r->trial[j->trial];
	struct slot *x = &d->slot[i];
	int rc;

	*x = (struct slot){ .job = d->next++ };
	if (t->known == 0 && (rc = trial_save(r->s, t, e)) != 0)
		return rc;
	if (r->s->nsource && (rc = out_mkdirs(plan_text(&r->s->p, "%s/data", r->s->p.dir), e)) != 0)
		return rc;
	trial_commands(r->s, t, j->rung, trial_folder(r->s, t), plan_text(&r->s->p, "%s/data", r->s->p.dir), false, &x->c);
	next_command(d, i, e);
	return d->rc;
}

/* All commands of SLOT I are done. */
static int finish(struct round *d, size_t i, struct err *e)
{
	struct tune_run *r = d->r;
	struct slot *x = &d->slot[i];
	const struct tune_job *j = &d->job[x->job];
	struct trial *t = &r->trial[j->trial];
	const struct trial_rung *g = &t->rung[j->rung];
	const char *what = r->s->diversity.name ? "objective" : r->s->metric.name;
	int rc;

	trial_commands_free(&x->c);
	rc = trial_measure(r->s, t, j->rung, x->failed, x->other, e);
	x->job = SIZE_MAX;
	if (rc || (rc = trial_save(r->s, t, e)) != 0 || (rc = tunedb_put(r->db, r->s, t, e)) != 0 || (rc = tunedb_keep(r->db, e)) != 0)
		return rc;
	r->ran++;
	if (g->failed)
		tool_warn(r->t, "trial %zu: failed after %.0f steps: no number came out", t->number, g->steps);
	else if (g->steps > 0)
		tool_warn(r->t, "trial %zu: %s %.4f after %.0f steps", t->number, what, g->value, g->steps);
	else
		tool_warn(r->t, "trial %zu: %s %.4f", t->number, what, g->value);
	return 0;
}

/* The command of SLOT I ended with STATUS. */
static int ended(struct round *d, size_t i, int status, struct err *e)
{
	struct tune_run *r = d->r;
	struct slot *x = &d->slot[i];
	const struct trial *t = &r->trial[d->job[x->job].trial];
	const char *tool = x->c.line[x->at].v[0];
	bool train = strcmp(tool, "train") == 0;

	if (d->ps.stopped)
		return err_set(e, SFT_SYSTEM, "trial %zu: stopped (the same command goes on)", t->number);
	x->other += train ? 0 : clock_seconds() - x->began;
	x->at++;
	if (train && status == SFT_BADDATA && trial_begun(r->s, t)) {
		x->failed = true;
		x->at = x->c.n;
	} else if (status > 128) {
		return err_set(e, SFT_SYSTEM, "trial %zu: sft %s was ended by signal %d", t->number, tool, status - 128);
	} else if (status) {
		return err_set(e, status <= SFT_SYSTEM ? status : SFT_SYSTEM, "trial %zu: sft %s ended with status %d (its message stands above)", t->number, tool, status);
	}
	return next_command(d, i, e) || d->rc ? d->rc : finish(d, i, e);
}

/* --- a round --- */

static size_t free_slot(const struct round *d)
{
	size_t i = 0;

	while (i < d->r->parallel && d->slot[i].job != SIZE_MAX)
		i++;
	return i;
}

static bool busy(const struct round *d)
{
	for (size_t i = 0; i < d->r->parallel; i++)
		if (d->pid[i] > 0)
			return true;
	return false;
}

/* The jobs that are not known yet, PARALLEL of them at a time.  After a failure those that run are asked to stop. */
static int run_jobs(struct tune_run *r, const struct tune_job *job, size_t n, struct err *e)
{
	struct round d = { .r = r, .job = job, .n = n, .slot = mem_new(r->parallel * sizeof *d.slot), .pid = mem_new(r->parallel * sizeof *d.pid) };
	int status, rc = 0;
	size_t i;

	for (i = 0; i < r->parallel; i++)
		d.slot[i].job = SIZE_MAX;
	processes_open(&d.ps, "sft-tune");
	do {
		while (rc == 0 && !d.ps.stopped && d.next < n && (i = free_slot(&d)) < r->parallel)
			if (r->trial[job[d.next].trial].known > job[d.next].rung)
				d.next++;
			else
				rc = begin(&d, i, e);
		if (!busy(&d))
			break;
		i = process_wait(&d.ps, d.pid, r->parallel, &status);
		d.pid[i] = 0;
		if (rc == 0 && (rc = ended(&d, i, status, e)) != 0)
			for (size_t k = 0; k < r->parallel; k++)
				if (d.pid[k] > 0)
					kill(d.pid[k], SIGTERM);
	} while (true);
	processes_close(&d.ps);
	for (i = 0; i < r->parallel; i++)
		if (d.slot[i].job != SIZE_MAX)
			trial_commands_free(&d.slot[i].c);
	mem_free(d.slot);
	mem_free(d.pid);
	return rc;
}

/* Trials that are asked for first: what the folder knows of them. */
static int take_trials(struct tune_run *r, struct err *e)
{
	int rc = 0;

	for (; r->ntrial < r->search.n && rc == 0; r->ntrial++) {
		ARRAY_ROOM(r->trial, r->ntrial, r->cap);
		r->trial[r->ntrial] = (struct trial){ .number = r->ntrial + 1, .choice = r->search.trial[r->ntrial].choice };
		if ((rc = trial_load(r->s, &r->trial[r->ntrial], e)) == 0 && r->trial[r->ntrial].known)
			rc = tunedb_put(r->db, r->s, &r->trial[r->ntrial], e);
	}
	return rc;
}

static void tell(struct tune_run *r, const struct tune_job *j)
{
	const struct trial_rung *g = &r->trial[j->trial].rung[j->rung], *before = j->rung ? g - 1 : NULL;

	search_tell(&r->search, j, trial_cost(r->s, g));
	r->runs += search_cost(&r->search, j);
	r->seconds += g->seconds - (before ? before->seconds : 0);
	r->tokens += g->trained - (before ? before->trained : 0);
}

/* --- the search --- */

static bool within_budget(const struct tune_run *r)
{
	const struct tune_space *s = r->s;

	return (s->runs == 0 || r->runs < s->runs - 1e-9) && (s->seconds == 0 || r->seconds < s->seconds) && (s->tokens == 0 || r->tokens < s->tokens);
}

/* The first of N jobs that a budget of runs still pays for. */
static size_t affordable(const struct tune_run *r, const struct tune_job *job, size_t n)
{
	double left = r->s->runs - r->runs + 1e-9;
	size_t k = 0;

	if (r->s->runs == 0)
		return n;
	while (k < n && (left -= search_cost(&r->search, &job[k])) >= 0)
		k++;
	return k;
}

static bool all_known(const struct tune_run *r, const struct tune_job *job, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (r->trial[job[k].trial].known <= job[k].rung)
			return false;
	return true;
}

static int go_on(struct tune_run *r, struct err *e)
{
	struct tune_job job[TUNE_ROUND];
	bool kept = false;
	size_t n;
	int rc = 0;

	while (rc == 0 && within_budget(r) && (n = affordable(r, job, search_round(&r->search, job))) > 0) {
		if ((rc = take_trials(r, e)) != 0)
			break;
		if (r->replay && !all_known(r, job, n)) {
			for (size_t k = 0; k < n; k++)
				if (r->trial[job[k].trial].known > job[k].rung)
					tell(r, &job[k]);
			break;
		}
		if (!kept && !all_known(r, job, n)) {
			rc = tunedb_keep(r->db, e);
			kept = true;
		}
		if (rc == 0)
			rc = run_jobs(r, job, n, e);
		for (size_t k = 0; k < n && rc == 0; k++)
			tell(r, &job[k]);
	}
	return rc;
}

int tune_run(struct tune_run *r, struct err *e)
{
	bool there = access(plan_text(&r->s->p, "%s/space.json", r->s->p.dir), F_OK) == 0;
	int rc = r->replay && !there ? err_set(e, SFT_USAGE, "%s holds no search", r->s->p.dir) : lock_folder(r, e);

	if (rc == 0)
		rc = open_folder(r, e);
	search_open(&r->search, &r->s->search);
	if (rc == 0)
		rc = tunedb_open(&r->db, plan_text(&r->s->p, "%s/index.sqlite", r->s->p.dir), e);
	if (rc == 0) {
		struct err close;

		rc = go_on(r, e);
		if (tunedb_close(r->db, &close) != 0 && rc == 0) {
			*e = close;
			rc = e->code;
		}
		r->db = NULL;
	}
	return rc;
}

void tune_run_release(struct tune_run *r)
{
	search_close(&r->search);
	mem_free(r->trial);
	if (r->lock >= 0)
		close(r->lock);
}

const struct trial *tune_best(const struct tune_run *r)
{
	size_t best = search_best(&r->search);

	return best < r->ntrial ? &r->trial[best] : NULL;
}
