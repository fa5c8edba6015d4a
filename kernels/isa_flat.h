/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ISA_FLAT_H
#define SFT_ISA_FLAT_H
/* What works value by value: activations, casts, sums; and rows moved about by index. */
#include "isa_rows.h"

/* --- swiglu: h = silu(g) u --- */

struct glu {
	size_t n;
	enum dtype t;
	const void *g, *u, *dy;
	void *dg, *du, *y;
};

static void swiglu_task(void *ctx, uint32_t task, int thread)
{
	const struct glu *a = ctx;
	size_t past = (task + 1) * (size_t)SPAN < a->n ? (task + 1) * (size_t)SPAN : a->n;

	(void)thread;
	for (size_t i = task * (size_t)SPAN; i < past; i += VW) {
		unsigned m = lanes(past - i);
		vf g = vx_get(a->g, a->t, i, m), u = vx_get(a->u, a->t, i, m);

		vx_put(a->y, a->t, i, g / (vf_set(1) + vf_exp(-g)) * u, m);
	}
}

static void swiglu(struct kern *k, size_t count, enum dtype xt, const void *g, const void *u, void *y)
{
	struct glu a = { .n = count, .t = xt, .g = g, .u = u, .y = y };

	pool_run(k->pool, swiglu_task, &a, tasks_of(count, SPAN));
}

static void swiglu_dx_task(void *ctx, uint32_t task, int thread)
{
	const struct glu *a = ctx;
	size_t past = (task + 1) * (size_t)SPAN < a->n ? (task + 1) * (size_t)SPAN : a->n;
	vf one = vf_set(1);

	(void)thread;
	for (size_t i = task * (size_t)SPAN; i < past; i += VW) {
		unsigned m = lanes(past - i);
		vf g = vx_get(a->g, a->t, i, m), u = vx_get(a->u, a->t, i, m), d = vx_get(a->dy, a->t, i, m);
		vf sig = one / (one + vf_exp(-g)), h = g * sig;

		if (a->y != NULL)
			vx_put(a->y, a->t, i, h * u, m);
		vx_put(a->dg, a->t, i, d * u * vf_fma(h, one - sig, sig), m);
		vx_put(a->du, a->t, i, d * h, m);
	}
}

static void swiglu_dx(struct kern *k, size_t count, enum dtype xt, const void *g, const void *u, const void *dy, void *dg, void *du, void *y)
{
	struct glu a = { count, xt, g, u, dy, dg, du, y };

	pool_run(k->pool, swiglu_dx_task, &a, tasks_of(count, SPAN));
}

/* --- arithmetic of arrays --- */

struct flat {
	size_t n;
	const void *x;
	void *y;
	enum dtype xt, yt;
	float s;
	double *sums;
};

static void cast_task(void *ctx, uint32_t task, int thread)
{
	const struct flat *a = ctx;
	size_t past = (task + 1) * (size_t)SPAN < a->n ? (task + 1) * (size_t)SPAN : a->n;

	(void)thread;
	for (size_t i = task * (size_t)SPAN; i < past; i += VW) {
		unsigned m = lanes(past - i);
		vx_put(a->y, a->yt, i, vx_get(a->x, a->xt, i, m), m);
	}
}

static void cast(struct kern *k, size_t n, const void *src, enum dtype st, void *dst, enum dtype dt)
{
	struct flat a = { .n = n, .x = src, .y = dst, .xt = st, .yt = dt };

	pool_run(k->pool, cast_task, &a, tasks_of(n, SPAN));
}

static void add_task(void *ctx, uint32_t task, int thread)
{
	const struct flat *a = ctx;
	size_t past = (task + 1) * (size_t)SPAN < a->n ? (task + 1) * (size_t)SPAN : a->n;

	(void)thread;
	for (size_t i = task * (size_t)SPAN; i < past; i += VW) {
		unsigned m = lanes(past - i);
		float *y = (float *)a->y + i;
		vf_put(y, vf_get(y, m) + vf_get((const float *)a->x + i, m), m);
	}
}

static void add(struct kern *k, size_t n, const float *x, float *y)
{
	struct flat a = { .n = n, .x = x, .y = y };

	pool_run(k->pool, add_task, &a, tasks_of(n, SPAN));
}

static void scale_task(void *ctx, uint32_t task, int thread)
{
	const struct flat *a = ctx;
	size_t past = (task + 1) * (size_t)SPAN < a->n ? (task + 1) * (size_t)SPAN : a->n;

	(void)thread;
	for (size_t i = task * (size_t)SPAN; i < past; i += VW) {
		unsigned m = lanes(past - i);
		float *y = (float *)a->y + i;
		vf_put(y, vf_get(y, m) * vf_set(a->s), m);
	}
}

static void scale(struct kern *k, size_t n, float s, float *x)
{
	struct flat a = { .n = n, .y = x, .s = s };

	pool_run(k->pool, scale_task, &a, tasks_of(n, SPAN));
}

/* Chains of 1024 in f32, then double in the order of the array. */
static void sumsq_task(void *ctx, uint32_t task, int thread)
{
	const struct flat *a = ctx;
	size_t past = (task + 1) * (size_t)SPAN < a->n ? (task + 1) * (size_t)SPAN : a->n;
	double s = 0;

	(void)thread;
	for (size_t i = task * (size_t)SPAN; i < past; i += 1024)
		s += square_sum(a->x, DT_F32, i, past - i < 1024 ? (uint32_t)(past - i) : 1024);
	a->sums[task] = s;
}

static double sumsq(struct kern *k, size_t n, const float *x)
{
	uint32_t tasks = tasks_of(n, SPAN);
	struct flat a = { .n = n, .x = x, .sums = kern_scratch(k, (tasks + 1) * sizeof(double)) };
	double s = 0;

	pool_run(k->pool, sumsq_task, &a, tasks);
	for (uint32_t i = 0; i < tasks; i++)
		s += a.sums[i];
	return s;
}

/* --- rows by index --- */

struct moved {
	uint32_t m, n;
	struct source table;
	const uint32_t *idx;
	const void *src;
	void *dst;
	size_t lds, ldd;
	enum dtype t;
	bool add;
};

static void embed_task(void *ctx, uint32_t task, int thread)
{
	const struct moved *a = ctx;
	uint32_t per = rows_per_task(a->n), past = (task + 1) * per < a->m ? (task + 1) * per : a->m;

	(void)thread;
	for (uint32_t i = task * per; i < past; i++)
		for (uint32_t c = 0; c < a->n; c += SLICE)
			values_at(&a->table, a->idx[i], c, a->n - c < SLICE ? a->n - c : SLICE, (float *)a->dst + (size_t)i * a->n + c);
}

static void embed(struct kern *k, uint32_t t, struct kmat table, const uint32_t *ids, float *x)
{
	struct moved a = { .m = t, .n = table.cols, .table = source_of(&table, false, 1), .idx = ids, .dst = x };

	pool_run(k->pool, embed_task, &a, tasks_of(t, rows_per_task(a.n)));
}

static void rows_get_task(void *ctx, uint32_t task, int thread)
{
	const struct moved *a = ctx;
	uint32_t per = rows_per_task(a->n), past = (task + 1) * per < a->m ? (task + 1) * per : a->m;

	(void)thread;
	for (uint32_t i = task * per; i < past; i++)
		for (uint32_t j = 0; j < a->n; j += VW) {
			unsigned m = lanes(a->n - j);
			vx_put(a->dst, a->t, (size_t)i * a->n + j, vf_get((const float *)a->src + (size_t)a->idx[i] * a->n + j, m), m);
		}
}

static void rows_get(struct kern *k, uint32_t m, uint32_t n, const float *src, const uint32_t *idx, void *dst, enum dtype dt)
{
	struct moved a = { .m = m, .n = n, .src = src, .idx = idx, .dst = dst, .t = dt };

	pool_run(k->pool, rows_get_task, &a, tasks_of(m, rows_per_task(n)));
}

/* Split by columns: an index may stand twice, and rows keep their order. */
static void rows_put_task(void *ctx, uint32_t task, int thread)
{
	const struct moved *a = ctx;
	uint32_t past = (task + 1) * COLS < a->n ? (task + 1) * COLS : a->n;

	(void)thread;
	for (uint32_t i = 0; i < a->m; i++)
		for (uint32_t j = task * COLS; j < past; j += VW) {
			unsigned m = lanes(past - j);
			float *d = (float *)a->dst + (size_t)a->idx[i] * a->n + j;
			vf v = vf_get((const float *)a->src + (size_t)i * a->n + j, m);
			vf_put(d, a->add ? (vf)(vf_get(d, m) + v) : v, m);
		}
}

static void rows_put(struct kern *k, uint32_t m, uint32_t n, const float *src, const uint32_t *idx, float *dst, bool more)
{
	struct moved a = { .m = m, .n = n, .src = src, .idx = idx, .dst = dst, .add = more };

	pool_run(k->pool, rows_put_task, &a, tasks_of(n, COLS));
}

static void embed_dx(struct kern *k, uint32_t t, uint32_t n, const float *dx, const uint32_t *ids, float *gtable)
{
	rows_put(k, t, n, dx, ids, gtable, true);
}

#endif
