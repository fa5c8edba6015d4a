/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_RUNLOG_H
#define SFT_RUNLOG_H
/* The log of a run: RUN/log.jsonl, a line per optimiser step and per evaluation, and the same as TensorBoard events.  A line is in the
 * file as soon as its call returns. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"

struct runlog;

struct runlog_step {
	uint64_t step;
	double   epoch;             /* epochs done after this step, a fraction */
	double   loss;              /* mean over the step's trained tokens, before its update */
	double   grad_norm;         /* before clipping */
	double   lr;
	uint64_t tokens, trained;   /* of this step */
	uint64_t terms;             /* positions with rivals; 0: none are looked at */
	double   term_loss;         /* mean over them */
	double   tokens_per_s;
	uint64_t rss;               /* peak, in bytes */
	double   seconds;           /* since the run began, pauses not counted */
};

struct runlog_eval {
	uint64_t step;
	double   loss;              /* mean over the validation data's trained tokens */
	const char *metric;         /* another measure of it, by name; NULL: none */
	double   value;
	size_t   nsource;           /* sources of the validation data, each with its own loss; 0: they are not told apart */
	const char *const *source;  /* their names */
	const double *source_loss;
	bool     best;              /* the best so far: the metric where there is one, else the loss */
};

struct runlog_sample {
	const char *prompt, *reference, *answer;
};

/* A log anew.  Anything under the name is gone. */
int runlog_create(struct runlog **l, const char *dir, struct err *e);
/* Go on after STEP: lines beyond LENGTH bytes (what runlog_sync gave at STEP) are cut off, and {"resumed":STEP} is added. */
int runlog_resume(struct runlog **l, const char *dir, uint64_t length, uint64_t step, struct err *e);
int runlog_step(struct runlog *l, const struct runlog_step *s, struct err *e);
int runlog_eval(struct runlog *l, const struct runlog_eval *v, struct err *e);
/* {"step","samples":[{"prompt","reference","prediction"}]} */
int runlog_samples(struct runlog *l, uint64_t step, const struct runlog_sample *s, size_t n, struct err *e);
/* What was logged is on the disk; *LENGTH: bytes of log.jsonl. */
int runlog_sync(struct runlog *l, uint64_t *length, struct err *e);
int runlog_close(struct runlog *l, struct err *e);      /* NULL is fine */

#endif
