/* SPDX-License-Identifier: Apache-2.0 */
#include "scorerun.h"

#include "batches.h"

enum { BATCH = 512 };

struct job {
	struct scoring *s;
	struct pairs *p;
	struct outfile *items;
	struct buf line;
	struct err *e, read_error;
};

struct batch {
	struct arena arena;             /* of the texts */
	struct item item[BATCH];
	size_t n, good;                 /* good: items before the first that cannot be measured */
	double *row;                    /* what was measured of each item */
	struct err e;
};

static int read_batch(void *ctx, void *item)
{
	struct job *j = ctx;
	struct batch *b = item;

	arena_reset(&b->arena);
	return pairs_batch(j->p, &b->arena, b->item, BATCH, &b->n, &j->read_error) != 0 ? -1 : b->n != 0;
}

static int at_item(const struct item *it, struct err *e)
{
	return err_in(e, "%s:%llu", it->file, (unsigned long long)it->line);
}

static void map_batch(void *ctx, void *item, int thread)
{
	struct job *j = ctx;
	struct batch *b = item;
	size_t width = scoring_width(j->s);

	if (b->row == NULL)
		b->row = mem_grow(NULL, BATCH * width + 1, sizeof *b->row);
	for (b->good = 0; b->good < b->n; b->good++)
		if (scoring_measure(j->s, thread, &b->item[b->good], b->row + b->good * width, &b->e) != 0) {
			at_item(&b->item[b->good], &b->e);
			return;
		}
}

static int write_batch(void *ctx, void *item)
{
	struct job *j = ctx;
	struct batch *b = item;
	size_t width = scoring_width(j->s);

	for (size_t i = 0; i < b->good; i++) {
		if (scoring_add(j->s, &b->item[i], b->row + i * width, j->e) != 0) {
			at_item(&b->item[i], j->e);
			return -1;
		}
		if (j->items == NULL)
			continue;
		j->line.n = 0;
		scoring_item(j->s, &b->item[i], &j->line);
		if (out_write(j->items, j->line.p, j->line.n, j->e) != 0)
			return -1;
	}
	if (b->good == b->n)
		return 0;
	*j->e = b->e;
	return -1;
}

static void release_batch(void *item)
{
	struct batch *b = item;

	arena_release(&b->arena);
	mem_free(b->row);
}

int scorerun(struct scoring *s, struct pairs *p, struct outfile *items, int nthreads, struct err *e)
{
	struct job j = { .s = s, .p = p, .items = items, .e = e };
	const struct omap pipeline = { &j, read_batch, map_batch, write_batch };
	int rc;

	e->code = 0;
	if ((rc = scoring_threads(s, nthreads, e)) == 0)
		rc = batches_run(&pipeline, sizeof(struct batch), release_batch, nthreads, &j.read_error, e);
	buf_free(&j.line);
	return rc;
}
