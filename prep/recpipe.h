/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_RECPIPE_H
#define SFT_RECPIPE_H
/* Records in; each made into none, one or several on one of N threads; out in the order read, whatever N is.
 *
 * Memory: N + 1 batches of at most RECPIPE_BATCH records and about 1 MiB (or one longer record), with what is made of them. */
#include "err.h"
#include "mem.h"
#include "rec.h"

enum { RECPIPE_BATCH = 2048 };

struct recpipe_out;

struct recpipe {
	struct recin *in;
	struct recout *out;            /* NULL: nothing is written */
	void *ctx;
	/* What becomes of R: recpipe_put() what is to be written.  Called by several threads at once, THREAD from 0; nonzero
	 * ends the run with that status, E and where R stands. */
	int (*map)(void *ctx, int thread, struct rec *r, struct recpipe_out *to, struct err *e);
};

/* Append R to what is written; its names must live as long as the run. */
int recpipe_put(struct recpipe_out *to, const struct rec *r, struct err *e);
/* For texts that a record to be put points to; reset with each batch. */
struct arena *recpipe_arena(struct recpipe_out *to);

int recpipe_run(const struct recpipe *p, const struct tool *t, struct err *e);

#endif
