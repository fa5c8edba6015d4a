/* SPDX-License-Identifier: Apache-2.0 */
/* Factors of transformers 5.23 (optimization.py), evaluated by hand from its formulas. */
#include <math.h>
#include <stdbool.h>

#include "schedule.h"
#include "test.h"

static double f(enum schedule_kind kind, uint64_t steps, double warmup, uint64_t k)
{
	struct schedule s;

	schedule_init(&s, kind, steps, warmup);
	return schedule_factor(&s, k);
}

static bool near(double a, double b) { return fabs(a - b) < 1e-12; }

static void warmup(void)
{
	CHECK(f(SCHEDULE_COSINE, 20, 3, 0) == 0);
	CHECK(near(f(SCHEDULE_COSINE, 20, 3, 1), 1.0 / 3));
	CHECK(near(f(SCHEDULE_LINEAR, 20, 3, 2), 2.0 / 3));
	CHECK(f(SCHEDULE_CONSTANT, 20, 3, 2) < 1 && f(SCHEDULE_CONSTANT, 20, 3, 3) == 1);
	/* a share is rounded up: 0.03 of 34 steps are 2; none is none */
	CHECK(near(f(SCHEDULE_COSINE, 34, 0.03, 1), 0.5));
	CHECK(f(SCHEDULE_COSINE, 34, 0, 0) == 1);
}

static void falling(void)
{
	CHECK(f(SCHEDULE_COSINE, 20, 3, 3) == 1);
	CHECK(near(f(SCHEDULE_COSINE, 20, 3, 4), 0.5 * (1 + cos(M_PI / 17))));
	CHECK(near(f(SCHEDULE_COSINE, 20, 3, 20), 0));
	CHECK(near(f(SCHEDULE_LINEAR, 20, 3, 4), 16.0 / 17));
	CHECK(f(SCHEDULE_LINEAR, 20, 3, 20) == 0 && f(SCHEDULE_LINEAR, 20, 3, 99) == 0);
	CHECK(near(f(SCHEDULE_COSINE, 20, 3, 99), 0));
}

static void wsd(void)
{
	CHECK(f(SCHEDULE_WSD, 20, 3, 3) == 1 && f(SCHEDULE_WSD, 20, 3, 16) == 1);
	CHECK(near(f(SCHEDULE_WSD, 20, 3, 18), 0.5));
	CHECK(near(f(SCHEDULE_WSD, 20, 3, 20), 0));
	/* a warm-up that leaves less than a fifth */
	CHECK(f(SCHEDULE_WSD, 10, 9, 9) == 1 && near(f(SCHEDULE_WSD, 10, 9, 10), 0));
}

static void nothing_left(void)
{
	CHECK(f(SCHEDULE_COSINE, 3, 5, 2) == 0.4);
	CHECK(f(SCHEDULE_LINEAR, 3, 3, 3) == 0);
	CHECK(f(SCHEDULE_WSD, 1, 0, 0) == 1);
}

int main(void)
{
	TEST(warmup);
	TEST(falling);
	TEST(wsd);
	TEST(nothing_left);
	return test_end();
}
