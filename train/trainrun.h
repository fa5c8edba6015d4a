/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TRAINRUN_H
#define SFT_TRAINRUN_H
/* A run from inside: shared by trainsetup.c (opening, numbers, RUN/config.json) and train.c (the loop).  Nothing else includes this. */
#include "answers.h"
#include "checkpoint.h"
#include "runlog.h"
#include "schedule.h"
#include "train.h"
#include "trainer.h"

struct run {
	const struct train_opts *o;
	const struct tool *t;
	struct loaded l;
	bool     first;             /* rank 0: the log, the checkpoints and the results are its to write */
	bool     full;              /* all weights are trained: l has no adapter */
	struct data data, val;
	bool     has_val;
	struct answers *answers;    /* with --metric or --sample-every; else NULL */
	struct cursor cursor;
	struct optim optim;
	struct trainer tr;
	struct schedule sched;
	uint64_t steps, eval_every, save_every;
	double   lr;
	struct buf settings;        /* JSON: what a resumed run must have alike */
	struct runlog *log;         /* of the first rank; else NULL */
	struct checkpoint c;        /* where the run is; its vectors are those in use */
	bool     resumed;
	double   seconds_before;    /* of training, before this process */
	const char **source;        /* [val.n] names of the validation files, where there are several; else NULL */
	double  *source_loss;       /* [val.n] at the last evaluation */
	double   peak;              /* FLOP/s of the device, 0: unknown */
	double   start;             /* clock_seconds() when the loop began */
};

/* Everything up to the first step: model, adapter, data, numbers, the run folder, the state to go on from. */
int  run_open(struct run *r, const struct train_opts *o, const struct tool *t, struct err *e);
void run_close(struct run *r);

#endif
