/* SPDX-License-Identifier: Apache-2.0 */
#include "promptrun.h"

#include "batches.h"
#include "formatted.h"
#include "progress.h"

enum { BATCH_BYTES = 1 << 20 };

/* What is wrong with a record. */
struct flaw {
	const char *reason;            /* NULL: "bad record" */
	struct err e;
};

struct batch {
	struct arena arena;
	struct rec rec[PROMPT_BATCH];
	struct flaw *flaw[PROMPT_BATCH];       /* in the arena; NULL: none */
	size_t n, stop;                /* stop: the record that ends the run; n: none does */
	struct formatted out;
};

struct worker {
	struct prompt_work work;
	struct arena arena;            /* of the record in the making */
};

struct job {
	struct promptrun *r;
	struct worker *worker;         /* one a thread */
	struct progress progress;
	struct err *e, read_error;
};

static struct flaw *flaw_new(struct arena *a, const char *reason, const struct err *e)
{
	struct flaw *f = arena_get(a, sizeof *f);

	*f = (struct flaw){ reason, *e };
	return f;
}

/* --- reading --- */

/* The next dialogues; those that are bad have a flaw already. */
static int read_dialogues(struct job *j, struct batch *b)
{
	bool more = true;

	for (size_t bytes = 0; b->n < PROMPT_BATCH && bytes < BATCH_BYTES; b->n++) {
		struct rec *r = &b->rec[b->n];
		struct err e = {0};
		struct fault f = { NULL, &e };
		int rc = turns_next(j->r->turns, &b->arena, r, &more, &f);

		if (rc != 0 && rc != SFT_BADDATA) {
			j->read_error = e;
			return rc;
		}
		if (!more)
			break;
		b->flaw[b->n] = rc ? flaw_new(&b->arena, f.reason, &e) : NULL;
		for (uint32_t i = 0; i < r->names->n; i++)
			bytes += r->f[i].n;
	}
	return 0;
}

static int read_batch(void *ctx, void *item)
{
	struct job *j = ctx;
	struct batch *b = item;
	int rc;

	arena_reset(&b->arena);
	b->n = 0;
	if (j->r->turns) {
		rc = read_dialogues(j, b);
	} else {
		rc = rec_read_batch(j->r->in, &b->arena, b->rec, PROMPT_BATCH, &b->n, &j->read_error);
		for (size_t i = 0; i < b->n; i++)
			b->flaw[i] = NULL;
	}
	progress_at(&j->progress, rec_count(j->r->in), rec_share(j->r->in), NULL);
	return rc ? -1 : b->n != 0;
}

/* --- making --- */

/* Record I of B made, or its flaw set. */
static void make(struct job *j, struct batch *b, struct worker *w, size_t i)
{
	const struct rec *r = &b->rec[i];
	struct err e = {0};
	struct fault f = { NULL, &e };
	struct rec made;
	int rc = prompt_record(&w->work, r, &w->arena, &made, &f);

	if (rc == SFT_BADDATA && j->r->skip && j->r->p->o->render) {
		prompt_error(&w->work, r, e.msg, &w->arena, &made);
		rc = 0;
	}
	if (rc == 0)
		rc = formatted_add(&b->out, j->r->out, &made, &e);
	if (rc != 0)
		b->flaw[i] = flaw_new(&b->arena, f.reason, &e);
	arena_reset(&w->arena);
}

static void map_batch(void *ctx, void *item, int thread)
{
	struct job *j = ctx;
	struct batch *b = item;

	formatted_clear(&b->out);
	b->stop = b->n;
	for (size_t i = 0; i < b->n && b->stop == b->n; i++) {
		if (b->flaw[i] == NULL)
			make(j, b, &j->worker[thread], i);
		if (b->flaw[i] && (!j->r->skip || b->flaw[i]->e.code != SFT_BADDATA))
			b->stop = i;
	}
}

/* --- writing --- */

/* The message of flawed record R, with its place. */
static void name_record(const struct job *j, const struct rec *r, struct err *e)
{
	if (j->r->turns)
		err_in(e, "%s:%llu: dialogue '%.*s'", r->file, (unsigned long long)r->line, r->f[0].n < 80 ? (int)r->f[0].n : 80, r->f[0].p);
	else
		err_in(e, "%s:%llu: record %llu", r->file, (unsigned long long)r->line, (unsigned long long)r->num);
}

static int write_flaw(struct job *j, const struct rec *r, struct flaw *f, bool stop)
{
	name_record(j, r, &f->e);
	if (stop) {
		*j->e = f->e;
		return -1;
	}
	tool_note(j->r->t, "%s", f->e.msg);
	return rec_reject(j->r->in, r, f->reason ? f->reason : "bad record", j->e);
}

static int write_batch(void *ctx, void *item)
{
	struct job *j = ctx;
	struct batch *b = item;

	if (formatted_put(&b->out, j->r->out, j->e) != 0)
		return -1;
	for (size_t i = 0; i < b->n && i <= b->stop; i++)
		if (b->flaw[i] && write_flaw(j, &b->rec[i], b->flaw[i], i == b->stop) != 0)
			return -1;
	return 0;
}

/* --- all of it --- */

static void release_batch(void *item)
{
	struct batch *b = item;

	arena_release(&b->arena);
	formatted_free(&b->out);
}

int prompt_run(struct promptrun *r, struct err *e)
{
	struct job j = { .r = r, .e = e };
	const struct omap pipeline = { &j, read_batch, map_batch, write_batch };
	int n = (int)r->t->threads, rc;

	e->code = 0;
	j.worker = mem_new((size_t)n * sizeof *j.worker);
	for (int i = 0; i < n; i++)
		prompt_work_open(&j.worker[i].work, r->p);
	progress_open(&j.progress, r->t->name, "records", 0, tool_progress(r->t));
	rc = batches_run(&pipeline, sizeof(struct batch), release_batch, n, &j.read_error, e);
	progress_close(&j.progress);
	for (int i = 0; i < n; i++) {
		r->fewer += j.worker[i].work.fewer;
		prompt_work_close(&j.worker[i].work);
		arena_release(&j.worker[i].arena);
	}
	mem_free(j.worker);
	return rc;
}
