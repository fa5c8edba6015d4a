/* SPDX-License-Identifier: Apache-2.0 */
#include "schedule.h"

#include <math.h>

static double at_most(double a, double b) { return a < b ? a : b; }

void schedule_init(struct schedule *s, enum schedule_kind kind, uint64_t steps, double warmup)
{
	uint64_t left;

	s->kind = kind;
	s->steps = steps;
	s->warmup = (uint64_t)(warmup < 1 ? ceil(warmup * (double)steps) : warmup);
	left = steps > s->warmup ? steps - s->warmup : 0;
	s->decay = (steps + 4) / 5;
	if (s->decay > left)
		s->decay = left;
}

/* 1 at the beginning of N steps, 0 after them. */
static double half_cosine(uint64_t done, uint64_t n)
{
	return 0.5 * (1 + cos(M_PI * at_most((double)done / (double)(n ? n : 1), 1)));
}

double schedule_factor(const struct schedule *s, uint64_t k)
{
	uint64_t falling = s->steps > s->warmup ? s->steps - s->warmup : 0, done;

	if (k < s->warmup)
		return (double)k / (double)s->warmup;
	done = k - s->warmup;
	switch (s->kind) {
	case SCHEDULE_COSINE:
		return half_cosine(done, falling);
	case SCHEDULE_LINEAR:
		return done < falling ? (double)(falling - done) / (double)falling : 0;
	case SCHEDULE_WSD:
		if (done < falling - s->decay)
			return 1;
		return half_cosine(done - (falling - s->decay), s->decay);
	case SCHEDULE_CONSTANT:
		break;
	}
	return 1;
}
