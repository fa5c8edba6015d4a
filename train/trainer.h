/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TRAINER_H
#define SFT_TRAINER_H
/* One optimiser step, and the loss of validation data.
 *
 * A step takes batch x accumulate rows.  Its loss is the sum over all its trained tokens divided by their number, whatever the
 * micro-steps hold (not a mean of means), and a micro-step may be split further into passes of at most `micro` tokens.  What rows of a micro-step have in
 * common at their beginning is computed once a pass, there and back: the same figures but for rounding.
 *
 * Where several ranks run, each computes a run of the step's micro-steps (gradsum.h), and all of them end the step with the same bits, which are those of
 * one rank.  All of them then call the functions below together. */
#include <stdint.h>
#include "cursor.h"
#include "data.h"
#include "err.h"
#include "gradsum.h"
#include "kern.h"
#include "model.h"
#include "optim.h"
#include "pack.h"
#include "ranks.h"
#include "share.h"

struct trainer {
	struct kern  *k;              /* all borrowed */
	struct model *m;
	const struct data *data;
	struct cursor *cursor;
	struct optim *optim;
	struct ranks *ranks;          /* NULL: one */
	uint64_t batch, accumulate;   /* rows of a micro-step, micro-steps of a step (of all ranks) */
	uint64_t seed;                /* of dropout and noise */
	uint32_t micro;               /* tokens of a pass, if it has more than one sequence */
	double   term_weight;         /* of what must not be said: the step's loss gains this times the mean over its positions that have rivals */
	bool     share;               /* compute once what sequences of a micro-step begin with */
	/* ours: */
	double   term_scale;          /* term_weight over the number of such positions in the step */
	struct share share_step;      /* the micro-step */
	struct pack pack;             /* the pass */
	struct gradsum sum;           /* the step */
	struct shard_buf buf;
};

struct trainer_step {
	double   loss, norm;          /* loss with term_weight * term_loss */
	double   term_loss;           /* mean of -log(1 - p of the rivals) */
	uint64_t tokens, trained, terms;   /* terms: positions with rivals, 0 without a weight */
};

/* One step at rate LR from the rows the cursor stands at.  A loss or gradient that is no finite number: SFT_BADDATA that names the rows,
 * and no value is changed.  What fails on one rank fails on all (ranks_agree). */
int  trainer_step(struct trainer *t, double lr, struct trainer_step *out, struct err *e);
void trainer_release(struct trainer *t);

/* *LOSS: mean of -log p over all trained tokens of D, in order.  Uses T's model, buffers and `micro`. */
int  trainer_validate(struct trainer *t, const struct data *d, double *loss, struct err *e);

#endif
