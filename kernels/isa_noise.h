/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ISA_NOISE_H
#define SFT_ISA_NOISE_H
/* Dropout and noise: a row's factors are hashed into a small table, which the compiler does in vectors, and applied from there. */
#include "isa_rows.h"

enum { DRAWN = 512 };              /* values of a row hashed at a time */

struct noise {
	const struct kern_drop *a;
	enum dtype st, dt;             /* of src and dst */
	const void *src;
	void *dst;
	bool add;
	const float *mag;
	float *x;
};

/* BY[0..n-1]: 1 / (1 - p) or 0 for values FROM.. of a row. */
static void draw_kept(const struct kern_drop *a, uint32_t row, uint32_t from, uint32_t n, float *by)
{
	uint32_t limit = noise_limit(a->p);
	float keep = 1 / (1 - a->p);

	for (uint32_t c = 0; c < n; c++)
		by[c] = noise_bits(row, from + c) >= limit ? keep : 0;
}

/* dst = or += src, thinned out. */
static void dropout_task(void *ctx, uint32_t task, int thread)
{
	const struct noise *o = ctx;
	uint32_t per = rows_per_task(o->a->n), past = (task + 1) * per < o->a->t ? (task + 1) * per : o->a->t;
	float by[DRAWN];

	(void)thread;
	for (uint32_t i = task * per; i < past; i++)
		for (uint32_t from = 0, n; from < o->a->n; from += n) {
			size_t at = (size_t)i * o->a->n + from;

			n = o->a->n - from < DRAWN ? o->a->n - from : DRAWN;
			draw_kept(o->a, noise_row(o->a, i), from, n, by);
			for (uint32_t c = 0; c < n; c += VW) {
				unsigned m = lanes(n - c);
				vf v = vx_get(o->src, o->st, at + c, m) * vf_get(by + c, m);
				vx_put(o->dst, o->dt, at + c, o->add ? (vf)(vx_get(o->dst, o->dt, at + c, m) + v) : v, m);
			}
		}
}

static void dropout(struct kern *k, const struct kern_drop *a, enum dtype xt, const void *x, void *y)
{
	struct noise o = { .a = a, .st = xt, .dt = xt, .src = x, .dst = y };

	pool_run(k->pool, dropout_task, &o, tasks_of(a->t, rows_per_task(a->n)));
}

static void dropout_dx(struct kern *k, const struct kern_drop *a, const float *src, void *dst, enum dtype dt)
{
	struct noise o = { .a = a, .st = DT_F32, .dt = dt, .src = src, .dst = dst, .add = true };

	pool_run(k->pool, dropout_task, &o, tasks_of(a->t, rows_per_task(a->n)));
}

static void noise_task(void *ctx, uint32_t task, int thread)
{
	const struct noise *o = ctx;
	uint32_t per = rows_per_task(o->a->n), past = (task + 1) * per < o->a->t ? (task + 1) * per : o->a->t;

	(void)thread;
	for (uint32_t i = task * per; i < past; i++) {
		uint32_t row = noise_row(o->a, i), n = o->a->n;
		float *x = o->x + (size_t)i * n, mag = o->mag[i];

		for (uint32_t c = 0; c < n; c++)
			x[c] += mag * ((float)(int32_t)noise_bits(row, c) * 0x1p-31f);
	}
}

static void noise(struct kern *k, const struct kern_drop *a, const float *mag, float *x)
{
	struct noise o = { .a = a, .mag = mag, .x = x };

	pool_run(k->pool, noise_task, &o, tasks_of(a->t, rows_per_task(a->n)));
}

#endif
