/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TUNERUN_H
#define SFT_TUNERUN_H
/* A search as it runs: what its folder knows already is replayed, the rest are processes.
 *
 * The search asks for the same trials for the same results, so that a search that was killed at any moment, and is opened again, replays what is
 * there and goes on with what is missing. */
#include "process.h"
#include "tunedb.h"
#include "tool.h"

struct tune_run {
	struct tune_space *s;
	const struct tool *t;
	size_t parallel;               /* trials that run side by side, at least 1 */
	bool   replay;                 /* run nothing: only what is there */
	struct tune_search search;
	struct trial *trial;           /* [search.n] */
	size_t ntrial, cap;
	struct tunedb *db;
	int    lock;                   /* of the folder; -1: none */
	double runs, seconds, tokens;  /* spent: whole runs, of training and measuring, trained */
	size_t ran;                    /* jobs that were run */
};

/* To the end of the budget.  What fails is named in E, and everything so far is kept: SFT_SYSTEM where it was asked to stop. */
int  tune_run(struct tune_run *r, struct err *e);
void tune_run_release(struct tune_run *r);
/* Everything in T->known of the best trial; NULL where there is none. */
const struct trial *tune_best(const struct tune_run *r);

#endif
