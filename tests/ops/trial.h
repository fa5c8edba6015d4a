/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TRIAL_H
#define SFT_TRIAL_H
/* Every backend of this machine against `ref`, with 1, 2 and 3 threads, which must agree to the bit.
 *
 * A trial runs one operation into OUT (N values of TYPE), which holds the same INIT each time: NaN where the operation must overwrite or must
 * not touch, so both kinds of mistake show. */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include "../unit/test.h"
#include "kern.h"
#include "mem.h"

static struct kern *trial_ref, *trial_cpu[4][3];
static struct pool *trial_pool[3];
static const char *const trial_device[4] = { "cpu:generic", "cpu:avx2", "cpu:avx512", "cpu:avx512bf16" };
static bool trial_bad[4];

__attribute__((unused)) static void trial_open(void)
{
	struct err e;

	for (int t = 0; t < 3; t++)
		trial_pool[t] = pool_open(t + 1);
	kern_open(&trial_ref, "ref", trial_pool[0], &e);
	for (int d = 0; d < 4; d++)
		for (int t = 0; t < 3; t++)
			if (kern_open(&trial_cpu[d][t], trial_device[d], trial_pool[t], &e) != 0)
				trial_cpu[d][t] = NULL;
}

__attribute__((unused)) static void trial_close(void)
{
	kern_close(trial_ref);
	for (int t = 0; t < 3; t++) {
		for (int d = 0; d < 4; d++)
			kern_close(trial_cpu[d][t]);
		pool_close(trial_pool[t]);
	}
}

/* The line of each backend for the operation NAME, after its trials. */
__attribute__((unused)) static void trial_lines(const char *name)
{
	for (int d = 0; d < 4; d++) {
		if (trial_cpu[d][0] == NULL)
			printf("skip %s %s: this machine has it not\n", name, trial_device[d]);
		else if (!trial_bad[d])
			printf("ok %s %s\n", name, trial_device[d]);
		test_bad |= trial_bad[d];
		trial_bad[d] = false;
	}
	fflush(stdout);
}

static inline size_t trial_size(enum dtype t) { return t == DT_BF16 ? 2 : 4; }
static inline float trial_at(const void *p, enum dtype t, size_t i)
{
	return t == DT_BF16 ? bf16_to_f32(((const uint16_t *)p)[i]) : ((const float *)p)[i];
}

/* Relative L2 distance of GOT from WANT over what WANT has values for; infinite if GOT wrote elsewhere or has none. */
static double trial_distance(const void *want, const void *got, enum dtype t, size_t n)
{
	double d = 0, s = 0;

	for (size_t i = 0; i < n; i++) {
		float a = trial_at(want, t, i), b = trial_at(got, t, i);

		if (isnan(a) != isnan(b))
			return INFINITY;
		if (!isnan(a) && a != b) {
			d += ((double)a - b) * ((double)a - b);
		}
		s += isnan(a) ? 0 : (double)a * a;
	}
	return d == 0 ? 0 : sqrt(d / s);
}

typedef void trial_fn(struct kern *k, void *ctx, void *out);

__attribute__((unused)) static void trial(const char *name, trial_fn *run, void *ctx, const void *init, size_t n, enum dtype type, double tolerance)
{
	size_t bytes = n * trial_size(type);
	char *want = mem_try(bytes + 1), *got[3];

	memcpy(want, init, bytes);
	run(trial_ref, ctx, want);
	for (int t = 0; t < 3; t++)
		got[t] = mem_try(bytes + 1);
	for (int d = 0; d < 4; d++) {
		double off;

		if (trial_cpu[d][0] == NULL)
			continue;
		for (int t = 0; t < 3; t++) {
			memcpy(got[t], init, bytes);
			run(trial_cpu[d][t], ctx, got[t]);
		}
		off = trial_distance(want, got[0], type, n);
		if (!(off <= tolerance) && !trial_bad[d]) {
			printf("not ok %s %s: off by %.3g (at most %.3g expected)\n", name, trial_device[d], off, tolerance);
			trial_bad[d] = true;
		}
		for (int t = 1; t < 3; t++)
			if (memcmp(got[0], got[t], bytes) != 0 && !trial_bad[d]) {
				printf("not ok %s %s: %d threads give other bits than 1\n", name, trial_device[d], t + 1);
				trial_bad[d] = true;
			}
	}
	for (int t = 0; t < 3; t++)
		mem_free(got[t]);
	mem_free(want);
}

/* --- numbers to work on --- */

static uint32_t trial_seed = 1;
static inline float trial_rnd(void)      /* -1 .. 1 */
{
	trial_seed = trial_seed * 1664525u + 1013904223u;
	return (float)(int32_t)trial_seed * 0x1p-31f;
}

/* N numbers times SCALE, of act type T. */
__attribute__((unused)) static void *trial_values(size_t n, enum dtype t, float scale)
{
	char *p = mem_try(n * trial_size(t) + 64);

	for (size_t i = 0; i < n; i++) {
		float v = trial_rnd() * scale;
		if (t == DT_BF16)
			((uint16_t *)(void *)p)[i] = f32_to_bf16(v);
		else
			((float *)(void *)p)[i] = v;
	}
	return p;
}

__attribute__((unused)) static void *trial_nans(size_t n, enum dtype t)
{
	char *p = mem_try(n * trial_size(t) + 64);

	memset(p, 0xff, n * trial_size(t));
	return p;
}

/* What a result of type T may be off by: rounding of the result itself where that is bf16. */
static inline double trial_tol(enum dtype t, double f32)
{
	return t == DT_BF16 ? 4e-3 : f32;
}

#endif
