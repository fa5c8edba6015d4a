/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TUNESEARCH_H
#define SFT_TUNESEARCH_H
/* Which trial comes next.  Nothing is run here: a search asks for rounds of jobs and is told their values, so that it can be replayed from what
 * was recorded, and tested without a model.
 *
 * A job trains one trial on to one rung; a trial's choices are made when it is asked for first.  What is asked for follows from the seed and from the values of
 * earlier rounds alone.
 *
 *   random   every trial is drawn evenly, and trained to the end.
 *   asha     asynchronous successive halving (Li et al. 2018): of the trials that reached a rung the best 1 in KEEP go on to the next; where none
 *            is left to go on, a new one begins at the lowest.
 *   policy   REINFORCE (Williams 1992): each choice is a softmax over its levels.  The reward is how good a trial is among all so far, as
 *            log-odds; a learned baseline is taken off it; the probabilities keep a share of the greatest entropy. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "tunedim.h"

enum { TUNE_RUNGS = 8, TUNE_ROUND = 64 };

enum tune_kind { TUNE_RANDOM, TUNE_ASHA, TUNE_POLICY };

struct tune_opts {
	enum tune_kind kind;
	const struct tune_dim *dim;    /* ndim of them, at least 1; borrowed */
	size_t   ndim;
	uint64_t seed;
	size_t   round;                /* jobs that are asked for together, 1..TUNE_ROUND */
	double   rung[TUNE_RUNGS];     /* asha: steps of each, ascending; else the last one alone counts */
	size_t   nrungs;               /* >= 1 */
	size_t   keep;                 /* asha: one in so many goes on, >= 2 */
	double   rate, entropy;        /* policy: its learning rate; least share of the greatest entropy, 0..1 */
};

struct tune_trial {
	struct tune_choice *choice;    /* [ndim] */
	size_t asked, known;           /* rungs asked for, and known */
	double value[TUNE_RUNGS];      /* of each known rung: lower is better; NaN: it failed */
};

struct tune_job {
	size_t trial, rung;
};

struct tune_search {
	struct tune_opts o;
	struct tune_trial *trial;
	size_t   n, cap;
	struct arena arena;
	struct policy *policy;
	bool     exhausted;            /* there is no new combination left */
};

/* Defaults: random, rounds of 4, one rung, one in 3, rate 1, entropy 0.25. */
void tune_opts_init(struct tune_opts *o);
void search_open(struct tune_search *s, const struct tune_opts *o);
void search_close(struct tune_search *s);
/* Up to o.round jobs into JOB; 0 where nothing is left to try.  All jobs of the round before have been told. */
size_t search_round(struct tune_search *s, struct tune_job job[TUNE_ROUND]);
/* The value of a job: lower is better; NaN where it failed. */
void search_tell(struct tune_search *s, const struct tune_job *job, double value);
/* What a job takes, as a share of a whole run. */
double search_cost(const struct tune_search *s, const struct tune_job *job);
/* The best trial: of those that came furthest the one with the lowest value, the first of equals; SIZE_MAX where all failed. */
size_t search_best(const struct tune_search *s);

/* --- the policy (tunepolicy.c) --- */

struct policy *policy_new(const struct tune_opts *o);
void policy_free(struct policy *p);
/* Learns from the trials that have become known. */
void policy_learn(struct policy *p, const struct tune_search *s);
/* Probabilities of the levels of choice I; valid until policy_learn. */
const double *policy_levels(const struct policy *p, size_t i);

#endif
