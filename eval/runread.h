/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_RUNREAD_H
#define SFT_RUNREAD_H
/* The log of a training run, read back: its curves, thinned, and its marks. */
#include "rec.h"
#include "thin.h"

enum { RUN_MARKS = 32, RUN_NAME = 40 };

struct run_log {
	struct thin loss, val, lr, grad;
	uint64_t steps, evals; /* lines of each */
	double first_step, last_step, first_loss, last_loss, least_val, best_step, last_val, most_grad;
	double seconds, tokens, trained, rss;
	double resumed[RUN_MARKS]; /* steps after which the run went on, the first of them */
	size_t nresumed;           /* all of them */
	uint64_t undefined;        /* values that were no numbers */
	struct run_stage {         /* where a stage began: the steps before it */
		double from;
		char name[RUN_NAME];
	} stage[RUN_MARKS];
	size_t nstages;            /* all of them */
};

/* What the numbers of a log are counted from, where it is one of several stages (runjoin.h). */
struct run_base {
	double steps, seconds;
	const char *stage;
};

void run_log_init(struct run_log *l);
/* Is R a line of such a log? */
bool run_log_is(const struct rec *r);
/* One line, BASE (NULL: none) added.  SFT_BADDATA where a step is no number, or lies before the one before it. */
int run_log_add(struct run_log *l, const struct rec *r, const struct run_base *base, struct err *e);
/* Field NAME as a number; NaN where it is missing, null or no number. */
double run_log_number(const struct rec *r, const char *name);

#endif
