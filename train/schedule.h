/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SCHEDULE_H
#define SFT_SCHEDULE_H
/* Learning-rate schedules, as transformers' optimization.py has them (get_cosine_schedule_with_warmup and its sisters):
 * optimiser step s = 1, 2, ... uses the factor of k = s - 1, so that the first of several warm-up steps has rate 0. */
#include <stdint.h>

enum schedule_kind { SCHEDULE_COSINE, SCHEDULE_LINEAR, SCHEDULE_CONSTANT, SCHEDULE_WSD };

struct schedule {
	enum schedule_kind kind;
	uint64_t steps;        /* of the whole run */
	uint64_t warmup;       /* steps that rise linearly from 0: factor k / warmup */
	uint64_t decay;        /* WSD only: the last steps, which fall along a half cosine */
};

/* WARMUP: a share of STEPS (rounded up) below 1, else a number of steps.  WSD decays over the last fifth (rounded up), or what
 * the warm-up leaves of it. */
void schedule_init(struct schedule *s, enum schedule_kind kind, uint64_t steps, double warmup);

/* Factor of the rate after K steps have been done; in [0, 1]. */
double schedule_factor(const struct schedule *s, uint64_t k);

#endif
