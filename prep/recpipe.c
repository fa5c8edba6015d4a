/* SPDX-License-Identifier: Apache-2.0 */
#include "recpipe.h"

#include "batches.h"
#include "formatted.h"
#include "keycols.h"
#include "progress.h"
#include "threads.h"

struct recpipe_out {
	struct arena arena;
	struct rec rec[RECPIPE_BATCH];
	size_t n;
	struct recout *to;
	struct formatted made;
	bool failed;
	struct err e;
};

struct job {
	const struct recpipe *p;
	struct progress progress;
	struct err *e, read_error;
};

struct arena *recpipe_arena(struct recpipe_out *to)
{
	return &to->arena;
}

int recpipe_put(struct recpipe_out *to, const struct rec *r, struct err *e)
{
	return to->to ? formatted_add(&to->made, to->to, r, e) : 0;
}

static int read_batch(void *ctx, void *item)
{
	struct job *j = ctx;
	struct recpipe_out *b = item;

	arena_reset(&b->arena);
	if (rec_read_batch(j->p->in, &b->arena, b->rec, RECPIPE_BATCH, &b->n, &j->read_error) != 0)
		return -1;
	progress_at(&j->progress, rec_count(j->p->in), rec_share(j->p->in), NULL);
	return b->n != 0;
}

static void map_batch(void *ctx, void *item, int thread)
{
	struct job *j = ctx;
	struct recpipe_out *b = item;

	formatted_clear(&b->made);
	b->failed = false;
	b->to = j->p->out;
	for (size_t i = 0; i < b->n && !b->failed; i++)
		if (j->p->map(j->p->ctx, thread, &b->rec[i], b, &b->e) != 0) {
			err_at(&b->e, j->p->in, &b->rec[i]);
			b->failed = true;
		}
}

static int write_batch(void *ctx, void *item)
{
	struct job *j = ctx;
	struct recpipe_out *b = item;

	if (formatted_put(&b->made, j->p->out, j->e) != 0)
		return -1;
	if (!b->failed)
		return 0;
	*j->e = b->e;
	return -1;
}

static void release_batch(void *item)
{
	struct recpipe_out *b = item;

	arena_release(&b->arena);
	formatted_free(&b->made);
}

int recpipe_run(const struct recpipe *p, const struct tool *t, struct err *e)
{
	struct job j = { .p = p, .e = e };
	const struct omap pipeline = { &j, read_batch, map_batch, write_batch };
	int rc;

	e->code = 0;
	progress_open(&j.progress, t->name, "records", 0, tool_progress(t));
	rc = batches_run(&pipeline, sizeof(struct recpipe_out), release_batch, (int)t->threads, &j.read_error, e);
	progress_close(&j.progress);
	return rc;
}
