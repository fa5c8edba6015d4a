/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TRIAL_H
#define SFT_TRIAL_H
/* Every backend of this machine against `ref`, with 1, 2 and 3 threads, which must agree to the bit; or, called as `op-... DEVICE [GROUP]`, that device
 * (emu, cuda:0), twice, and of the test only GROUP.  Arrays are trial_new()'s: memory that such a device sees too.
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
#include "../../kernels/ops.h"

static struct kern *trial_ref, *trial_cpu[4][3];
static struct pool *trial_pool[3];
static const char *const trial_device[4] = { "cpu:generic", "cpu:avx2", "cpu:avx512", "cpu:avx512bf16" };
static bool trial_bad[5];
static struct kern *trial_dev;          /* the device that was asked for; then no other is tried */
static const char *trial_group;
/* The most rows worth an emulator's time: beyond them nothing new happens on it, and under a detector each access costs a hundred times itself. */
__attribute__((unused)) static uint32_t trial_rows = UINT32_MAX;

__attribute__((unused)) static void *trial_new(size_t bytes)
{
	void *p = trial_dev ? trial_dev->ops->both(trial_dev, bytes + 1) : mem_try(bytes + 1);

	if (p == NULL)
		exit(4);
	memset(p, 0, bytes + 1);
	return p;
}
__attribute__((unused)) static void trial_free(void *p)
{
	if (trial_dev)
		kern_free(trial_dev, p);
	else
		mem_free(p);
}

/* Is NAME to be tested? */
__attribute__((unused)) static bool trial_wants(const char *name)
{
	return trial_group == NULL || strcmp(trial_group, name) == 0;
}

__attribute__((unused)) static void trial_open(int argc, char **argv)
{
	struct err e;

	for (int t = 0; t < 3; t++)
		trial_pool[t] = pool_open(t + 1);
	kern_open(&trial_ref, "ref", trial_pool[0], &e);
	if (argc > 1) {
		if (kern_open(&trial_dev, argv[1], trial_pool[0], &e) != 0) {
			printf("not ok %s: %s\n", argv[1], e.msg);
			exit(4);
		}
		trial_group = argc > 2 ? argv[2] : NULL;
		if (strncmp(argv[1], "emu", 3) == 0)
			trial_rows = argv[1][3] == 'r' || argv[1][3] == 'a' ? 130 : 700;
		return;
	}
	for (int d = 0; d < 4; d++)
		for (int t = 0; t < 3; t++)
			if (kern_open(&trial_cpu[d][t], trial_device[d], trial_pool[t], &e) != 0)
				trial_cpu[d][t] = NULL;
}

__attribute__((unused)) static void trial_close(void)
{
	kern_close(trial_ref);
	kern_close(trial_dev);
	for (int t = 0; t < 3; t++) {
		for (int d = 0; d < 4; d++)
			kern_close(trial_cpu[d][t]);
		pool_close(trial_pool[t]);
	}
}

/* The line of each backend for the operation NAME, after its trials. */
__attribute__((unused)) static void trial_lines(const char *name)
{
	if (trial_dev) {
		if (!trial_bad[4])
			printf("ok %s %s\n", name, kern_name(trial_dev));
		test_bad |= trial_bad[4];
		trial_bad[4] = false;
	}
	for (int d = 0; d < 4 && !trial_dev; d++) {
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

/* The device's turn: twice, the same bits. */
__attribute__((unused)) static void trial_device_turn(const char *name, trial_fn *run, void *ctx, const void *init, const void *want, size_t n, enum dtype type,
                                                      double tolerance)
{
	size_t bytes = n * trial_size(type);
	char *got[2];
	double off;

	for (int i = 0; i < 2; i++) {
		got[i] = trial_new(bytes);
		memcpy(got[i], init, bytes);
		run(trial_dev, ctx, got[i]);
		kern_wait(trial_dev);
	}
	off = trial_distance(want, got[0], type, n);
	if (!(off <= tolerance) && !trial_bad[4])
		printf("not ok %s %s: off by %.3g (at most %.3g expected)\n", name, kern_name(trial_dev), off, tolerance);
	else if (memcmp(got[0], got[1], bytes) != 0 && !trial_bad[4])
		printf("not ok %s %s: other bits the second time\n", name, kern_name(trial_dev));
	trial_bad[4] |= !(off <= tolerance) || memcmp(got[0], got[1], bytes) != 0;
	for (int i = 0; i < 2; i++)
		trial_free(got[i]);
}

__attribute__((unused)) static void trial(const char *name, trial_fn *run, void *ctx, const void *init, size_t n, enum dtype type, double tolerance)
{
	size_t bytes = n * trial_size(type);
	char *want = trial_new(bytes), *got[3];

	memcpy(want, init, bytes);
	run(trial_ref, ctx, want);
	if (trial_dev) {
		trial_device_turn(name, run, ctx, init, want, n, type, tolerance);
		trial_free(want);
		return;
	}
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
	trial_free(want);
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
	char *p = trial_new(n * trial_size(t) + 64);

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
	char *p = trial_new(n * trial_size(t) + 64);

	memset(p, 0xff, n * trial_size(t));
	return p;
}

/* What a result of type T may be off by: rounding of the result itself where that is bf16. */
static inline double trial_tol(enum dtype t, double f32)
{
	return t == DT_BF16 ? 4e-3 : f32;
}

#endif
