/* SPDX-License-Identifier: Apache-2.0 */
/* The pipeline of sft-clean: batches are read in order, cleaned and formatted by several threads, written in order. */
#include <string.h>

#include "clean.h"
#include "batches.h"
#include "formatted.h"
#include "progress.h"

struct batch {
	struct arena arena;
	struct rec rec[CLEAN_BATCH];
	const char *why[CLEAN_BATCH];  /* of those that are dropped; NULL: it is in the buffer */
	size_t n;
	struct formatted out;
	struct tally tally[CLEAN_MAX_STEPS];
	size_t bad;                    /* the record that could not be cleaned; n: none */
	struct err e;
};

struct job {
	struct clean *c;
	struct recin *in;
	struct recout *out;
	bool json, skip_bad;
	struct work *work;
	struct progress progress;
	struct clean_totals *totals;
	const struct names *last;      /* names of the last record read */
	struct err *e;                 /* of the write stage */
	struct err read_error;
};

static int read_batch(void *ctx, void *item)
{
	struct job *j = ctx;
	struct batch *b = item;

	arena_reset(&b->arena);
	if (rec_read_batch(j->in, &b->arena, b->rec, CLEAN_BATCH, &b->n, &j->read_error) != 0)
		return -1;
	if (b->n == 0)
		return 0;
	if (j->last == NULL)
		j->json = rec_format(j->in) == REC_JSONL || rec_format(j->in) == REC_JSON;
	j->last = b->rec[b->n - 1].names;
	progress_at(&j->progress, rec_count(j->in), rec_share(j->in), NULL);
	return 1;
}

/* One record: cleaned and appended to the buffer, or why[i] set.  Nonzero: b->e. */
static int clean_one(struct job *j, struct batch *b, struct work *w, size_t i)
{
	struct rec *r = &b->rec[i];

	b->why[i] = NULL;
	if (w->plan == NULL || w->plan->in != r->names) {
		if (clean_plan(j->c, r->names, j->json, &w->plan, &b->e) != 0)
			return err_at(&b->e, j->in, r);
	}
	switch (clean_apply(j->c, w->plan, w, r, b->tally)) {
	case CLEAN_DROP:
		b->why[i] = w->why;
		return 0;
	case CLEAN_BAD:
		if (!j->skip_bad) {
			b->e = w->e;
			return err_in(&b->e, "%s:%llu", r->file, (unsigned long long)r->line);
		}
		b->why[i] = "a step failed";
		return 0;
	default:
		return formatted_add(&b->out, j->out, r, &b->e);
	}
}

static void map_batch(void *ctx, void *item, int thread)
{
	struct job *j = ctx;
	struct batch *b = item;
	struct work *w = &j->work[thread];

	formatted_clear(&b->out);
	b->e.code = 0;
	b->bad = b->n;
	memset(b->tally, 0, j->c->n * sizeof *b->tally);
	w->arena = &b->arena;
	for (size_t i = 0; i < b->n && b->bad == b->n; i++)
		if (clean_one(j, b, w, i) != 0)
			b->bad = i;
}

static int write_batch(void *ctx, void *item)
{
	struct job *j = ctx;
	struct batch *b = item;

	if (formatted_put(&b->out, j->out, j->e) != 0)
		return -1;
	for (size_t i = 0; i < b->bad; i++)
		if (b->why[i] && rec_reject(j->in, &b->rec[i], b->why[i], j->e) != 0)
			return -1;
	for (size_t i = 0; i < j->c->n; i++) {
		j->totals->step[i].changed += b->tally[i].changed;
		j->totals->step[i].dropped += b->tally[i].dropped;
	}
	if (b->bad < b->n) {
		*j->e = b->e;
		return -1;
	}
	return 0;
}

/* A table that no record is left of still has its columns: write the header that the steps leave. */
static int write_header(struct job *j, struct err *e)
{
	const struct names *names = rec_names(j->in);
	const struct plan *p;
	int rc;

	if (names == NULL || rec_written(j->out) != 0)
		return 0;
	if ((rc = clean_plan(j->c, names, j->json, &p, e)) != 0)
		return rc;
	return rec_header(j->out, p->out, e);
}

static void release_batch(void *item)
{
	struct batch *b = item;

	arena_release(&b->arena);
	formatted_free(&b->out);
}

static int run(struct job *j, int nthreads, struct err *e)
{
	const struct omap pipeline = { j, read_batch, map_batch, write_batch };
	int rc;

	j->work = mem_new((size_t)nthreads * sizeof *j->work);
	for (int i = 0; i < nthreads; i++)
		work_init(&j->work[i]);
	rc = batches_run(&pipeline, sizeof(struct batch), release_batch, nthreads, &j->read_error, e);
	for (int i = 0; i < nthreads; i++) {
		for (int k = 0; k < PII_KINDS; k++)
			j->totals->pii[k] += j->work[i].pii.count[k];
		for (int k = 0; k < LANG_MAX; k++)
			j->totals->language[k] += j->work[i].language[k];
		work_release(&j->work[i]);
	}
	mem_free(j->work);
	return rc;
}

/* What --mask-pii hides must not come back in the rejects: those that were dropped before it, bad ones, other columns. */
static bool mask_reject(void *ctx, const char *text, size_t n, bool json, struct buf *out)
{
	return json ? pii_mask_json(ctx, text, n, out) : pii_mask(ctx, text, n, out);
}

int clean_run(struct clean *c, struct recin *in, struct recout *out, const struct rec_opts *o, const struct tool *t,
              struct clean_totals *totals, struct err *e)
{
	struct job j = { .c = c, .in = in, .out = out, .totals = totals, .e = e, .skip_bad = o->on_bad == 1 };
	struct pii pii = {0};
	int rc;

	memset(totals, 0, sizeof *totals);
	e->code = 0;
	c->missing_ok = o->unite;
	if (c->masks)
		rec_mask_rejects(in, mask_reject, &pii);
	progress_open(&j.progress, t->name, "records", 0, tool_progress(t));
	rc = run(&j, (int)t->threads, e);
	progress_close(&j.progress);
	rec_mask_rejects(in, NULL, NULL);
	pii_release(&pii);
	if (rc == 0)
		rc = write_header(&j, e);
	if (rc == 0 && j.last)
		rc = clean_check_seen(c, j.last, e);
	return rc;
}
