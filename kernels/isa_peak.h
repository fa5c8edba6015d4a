/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ISA_PEAK_H
#define SFT_ISA_PEAK_H
/* How fast this machine multiplies: the innermost product over operands that stay in the first-level cache. */
#include <time.h>

#include "isa_tile.h"
#include "ops.h"

enum { PEAK_STEPS = 96, PEAK_ROUNDS = 20000 };

static void peak_task(void *ctx, uint32_t task, int thread)
{
	const bool *pairs = ctx;
	const unsigned nv = NV_MAX, mr = tile_rows(NV_MAX);
	float a[MR_MAX * PEAK_STEPS], b[PEAK_STEPS * NR_MAX], c[MR_MAX * NR_MAX];

	(void)task, (void)thread;
	memset(a, 0, sizeof a);
	memset(b, 0, sizeof b);
	memset(c, 0, sizeof c);
	for (int i = 0; i < PEAK_ROUNDS; i++)
		tile_run(*pairs, mr, nv, (const char *)a, PEAK_STEPS * sizeof *a, b, NR_MAX, PEAK_STEPS, c, true);
	__asm__ volatile("" : : "r"(c) : "memory");
}

static double peak_seconds(struct kern *k, bool pairs)
{
	struct timespec from, to;

	clock_gettime(CLOCK_MONOTONIC, &from);
	pool_run(k->pool, peak_task, &pairs, (uint32_t)pool_size(k->pool));
	clock_gettime(CLOCK_MONOTONIC, &to);
	return (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec);
}

/* The better of two. */
static double peak(struct kern *k, enum dtype xt)
{
	bool pairs = xt == DT_BF16 && FAST_BF16;
	double first = peak_seconds(k, pairs), second = peak_seconds(k, pairs);
	double flops = 2.0 * (pairs ? 2 : 1) * tile_rows(NV_MAX) * NR_MAX * PEAK_STEPS * PEAK_ROUNDS * pool_size(k->pool);

	return flops / (first < second ? first : second);
}

#endif
