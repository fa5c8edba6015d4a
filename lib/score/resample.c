/* SPDX-License-Identifier: Apache-2.0 */
#include "resampleisa.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "mem.h"
#include "rng.h"
#include "threads.h"

enum { LANES = RESAMPLE_LANES, COMMON = 6, CUTS = RESAMPLE_CUTS };

/* Lanes side by side; GCC makes of these what the instruction set at hand has. */
typedef uint32_t u32x16 __attribute__((vector_size(64)));
typedef uint8_t u8x16 __attribute__((vector_size(16)));

#define SIX_TO_EIGHT 0x0202020202020202u        /* COMMON + 2 sets a bit that no smaller count sets */
#define ROTL(x, k) ((x) << (k) | (x) >> (32 - (k)))

/* A row of counts for each item; numbers past COMMON, one in a thousand, are looked up one by one. */
static inline __attribute__((always_inline)) void poisson(struct resample_draw *d, uint32_t n, uint8_t *times)
{
	u32x16 s0, s1, s2, s3, sum = { 0 }, u, c, t;
	u8x16 row;

	memcpy(&s0, d->rng[0], sizeof s0);
	memcpy(&s1, d->rng[1], sizeof s1);
	memcpy(&s2, d->rng[2], sizeof s2);
	memcpy(&s3, d->rng[3], sizeof s3);
	for (uint32_t i = 0; i < n; i++, times += LANES) {
		uint64_t half[2];

		t = s0 + s3;
		u = ROTL(t, 7) + s0;
		t = s1 << 9;
		s2 ^= s0;
		s3 ^= s1;
		s1 ^= s2;
		s0 ^= s3;
		s2 ^= t;
		s3 = ROTL(s3, 11);
		c ^= c;
		for (int k = 0; k < COMMON; k++)
			c -= (u32x16)(u >= d->cut[k]);
		row = __builtin_convertvector(c, u8x16);
		memcpy(half, &row, sizeof half);
		if (((half[0] + SIX_TO_EIGHT) | (half[1] + SIX_TO_EIGHT)) & 4 * SIX_TO_EIGHT) {     /* a COMMON among the bytes */
			for (int l = 0; l < LANES; l++)
				for (int k = COMMON; c[l] == (uint32_t)k && k < CUTS && u[l] >= d->cut[k]; k++)
					c[l]++;
			row = __builtin_convertvector(c, u8x16);
		}
		sum += c;
		memcpy(times, &row, sizeof row);
	}
	memcpy(d->sum, &sum, sizeof sum);
}

#if defined(__x86_64__)
__attribute__((target("avx2"), noinline)) static void poisson_avx2(struct resample_draw *d, uint32_t n, uint8_t *times)
{
	poisson(d, n, times);
}
#endif

static void poisson_rows(struct resample_draw *d, uint32_t n, uint8_t *times)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
		resample_poisson_avx512(d, n, times);
		return;
	}
	if (__builtin_cpu_supports("avx2")) {
		poisson_avx2(d, n, times);
		return;
	}
#endif
	poisson(d, n, times);
}

/* Mean 1 less four standard deviations of the sum, so that it is seldom over N; 0 for few items, which are then all drawn one by one. */
static void cuts(struct resample_draw *d, uint32_t n)
{
	double mean = 1 - 4 / sqrt((double)n), term, below;

	mean = mean > 0 ? mean : 0;
	term = below = exp(-mean);
	for (int k = 0; k < CUTS; k++) {
		double at = floor(below * 0x1p32);

		d->cut[k] = at < 0x1p32 - 1 ? (uint32_t)at : UINT32_MAX;
		term *= mean / (k + 1);
		below += term;
	}
}

static void one_more(struct rng *r, uint32_t n, uint8_t *times)
{
	uint8_t *c = &times[rng_below(r, n) * LANES];

	*c += *c < RESAMPLE_MOST;       /* no item comes 127 times in this world */
}

/* Take back one draw, each as likely as the others. */
static void one_less(struct rng *r, uint32_t n, uint8_t *times)
{
	for (;;) {
		uint8_t *c = &times[rng_below(r, n) * LANES];

		if (rng_below(r, CUTS) < *c) {
			--*c;
			return;
		}
	}
}

struct drawing {
	uint64_t seed;
	uint32_t n;
	size_t b;
	struct resample_draw d;                  /* the cuts */
	uint8_t **times;                /* of each thread */
	void (*take)(void *ctx, const uint8_t *times, size_t first, size_t lanes);
	void *ctx;
};

/* Resamples TASK * LANES to the next. */
static void draw_lanes(void *ctx, uint32_t task, int thread)
{
	const struct drawing *w = ctx;
	size_t first = (size_t)task * LANES;
	uint8_t *times = w->times[thread];
	struct resample_draw d = w->d;
	struct rng r[LANES];

	for (int l = 0; l < LANES; l++) {
		rng_init(&r[l], w->seed, 0x62736d70u + first + (size_t)l);
		for (int k = 0; k < 4; k++)
			d.rng[k][l] = (uint32_t)(rng_u64(&r[l]) >> 32) | (k == 0);   /* not all zero */
	}
	poisson_rows(&d, w->n, times);
	for (int l = 0; l < LANES; l++) {
		for (; d.sum[l] < w->n; d.sum[l]++)
			one_more(&r[l], w->n, times + l);
		for (; d.sum[l] > w->n; d.sum[l]--)
			one_less(&r[l], w->n, times + l);
	}
	w->take(w->ctx, times, first, w->b - first < LANES ? w->b - first : LANES);
}

void resample(uint64_t seed, uint32_t n, size_t b, int nthreads, void (*take)(void *ctx, const uint8_t *times, size_t first, size_t lanes), void *ctx)
{
	uint32_t ntasks = (uint32_t)((b + LANES - 1) / LANES);
	struct drawing w = { .seed = seed, .n = n, .b = b, .take = take, .ctx = ctx };
	struct pool *pool = pool_open(nthreads < 1 ? 1 : (uint32_t)nthreads < ntasks ? nthreads : (int)ntasks);
	int size = pool_size(pool);

	w.times = mem_new((size_t)size * sizeof *w.times);
	for (int k = 0; k < size; k++)
		w.times[k] = mem_grow(NULL, n, LANES);
	cuts(&w.d, n);
	pool_run(pool, draw_lanes, &w, ntasks);
	pool_close(pool);
	for (int k = 0; k < size; k++)
		mem_free(w.times[k]);
	mem_free(w.times);
}
