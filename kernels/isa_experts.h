/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ISA_EXPERTS_H
#define SFT_ISA_EXPERTS_H
/* Mixtures of experts and latent attention: what they need beside the common operations.  All of it works token by token, a task being a run of
 * them, so the bits do not depend on the threads. */
#include <math.h>
#include "isa_rows.h"

struct tokens {
	uint32_t t, n, top, per;       /* tokens, values of a row, rows of a token, tokens of a task */
	enum dtype xt;
	const void *x, *y;
	size_t lds, ldd;
	const uint32_t *idx;
	const float *w;
	void *out, *out2;
	float *sums;
	const struct kern_mla *mla;
	const struct kern_route *route;
	char *room;                    /* of each thread: ROOM_BYTES */
	size_t room_bytes;
};

INLINE uint32_t tokens_past(const struct tokens *a, uint32_t task)
{
	return (task + 1) * a->per < a->t ? (task + 1) * a->per : a->t;
}

static void tokens_run(struct kern *k, void (*fn)(void *, uint32_t, int), struct tokens *a, size_t width)
{
	a->per = rows_per_task(width < SPAN ? (uint32_t)width : SPAN);
	if (a->room_bytes)
		a->room = kern_scratch(k, a->room_bytes * (size_t)pool_size(k->pool));
	pool_run(k->pool, fn, a, tasks_of(a->t, a->per));
}

/* --- rows moved about --- */

static void rows_copy_task(void *ctx, uint32_t task, int thread)
{
	const struct tokens *a = ctx;
	size_t es = act_size(a->xt);

	(void)thread;
	for (size_t i = task * a->per; i < tokens_past(a, task); i++)
		memcpy((char *)a->out + a->idx[i] * a->ldd * es, (const char *)a->x + i * a->lds * es, a->n * es);
}

static void rows_copy(struct kern *k, uint32_t m, uint32_t n, enum dtype xt, const void *src, size_t lds, const uint32_t *idx, void *dst, size_t ldd)
{
	struct tokens a = { .t = m, .n = n, .xt = xt, .x = src, .lds = lds, .idx = idx, .out = dst, .ldd = ldd };

	tokens_run(k, rows_copy_task, &a, n);
}

static void rows_gather_task(void *ctx, uint32_t task, int thread)
{
	const struct tokens *a = ctx;
	size_t es = act_size(a->xt);

	(void)thread;
	for (size_t i = task * a->per; i < tokens_past(a, task); i++)
		memcpy((char *)a->out + i * a->n * es, (const char *)a->x + a->idx[i] * a->lds * es, a->n * es);
}

static void rows_gather(struct kern *k, uint32_t m, uint32_t n, enum dtype xt, const void *src, size_t lds, const uint32_t *idx, void *dst)
{
	struct tokens a = { .t = m, .n = n, .xt = xt, .x = src, .lds = lds, .idx = idx, .out = dst };

	tokens_run(k, rows_gather_task, &a, n);
}

/* --- latent attention --- */

static void mla_keys_task(void *ctx, uint32_t task, int thread)
{
	const struct tokens *a = ctx;
	const struct kern_mla *m = a->mla;
	size_t es = act_size(m->xt), nope = m->nope * es, rope = m->rope * es, dv = m->dv * es;

	(void)thread;
	for (size_t i = task * a->per; i < tokens_past(a, task); i++) {
		const char *from = (const char *)a->x + i * m->heads * (nope + dv), *turned = (const char *)a->y + i * a->lds * es;
		char *key = (char *)a->out + i * m->heads * (nope + rope), *v = (char *)a->out2 + i * m->heads * dv;

		for (uint32_t h = 0; h < m->heads; h++, from += nope + dv, key += nope + rope, v += dv) {
			memcpy(key, from, nope);
			memcpy(key + nope, turned, rope);
			memcpy(v, from + nope, dv);
		}
	}
}

static void mla_keys(struct kern *k, const struct kern_mla *m, const void *kv, const void *kr, size_t ldkr, void *key, void *v)
{
	struct tokens a = { .t = m->t, .mla = m, .x = kv, .y = kr, .lds = ldkr, .out = key, .out2 = v };

	tokens_run(k, mla_keys_task, &a, (size_t)m->heads * (m->nope + m->rope + m->dv));
}

static void mla_keys_dx_task(void *ctx, uint32_t task, int thread)
{
	const struct tokens *a = ctx;
	const struct kern_mla *m = a->mla;
	size_t es = act_size(m->xt), nope = m->nope * es, dk = (m->nope + m->rope) * es, dv = m->dv * es;

	(void)thread;
	for (size_t i = task * a->per; i < tokens_past(a, task); i++) {
		const char *key = (const char *)a->x + i * m->heads * dk, *v = (const char *)a->y + i * m->heads * dv;
		char *to = (char *)a->out + i * m->heads * (nope + dv);

		for (uint32_t h = 0; h < m->heads; h++) {
			memcpy(to + h * (nope + dv), key + h * dk, nope);
			memcpy(to + h * (nope + dv) + nope, v + h * dv, dv);
		}
		for (uint32_t j = 0; j < m->rope; j += VW) {
			unsigned w = lanes(m->rope - j);
			vf s = vf_zero();

			for (uint32_t h = 0; h < m->heads; h++)
				s = s + vx_get(a->x, m->xt, (i * m->heads + h) * (m->nope + m->rope) + m->nope + j, w);
			vx_put(a->out2, m->xt, i * a->ldd + j, s, w);
		}
	}
}

static void mla_keys_dx(struct kern *k, const struct kern_mla *m, const void *dkey, const void *dvalue, void *dkv, void *dkr, size_t lddkr)
{
	struct tokens a = { .t = m->t, .mla = m, .x = dkey, .y = dvalue, .out = dkv, .out2 = dkr, .ldd = lddkr };

	tokens_run(k, mla_keys_dx_task, &a, (size_t)m->heads * (m->nope + m->rope + m->dv));
}

/* --- choice of experts --- */

/* Logits of N experts to scores. */
static void squash_row(float *s, uint32_t n, bool sigmoid)
{
	float most = sigmoid ? 0 : row_max(s, n), over;
	double all;

	over = sigmoid ? 1 : (float)(1 / row_sum(s, n, most, &all));
	for (uint32_t j = 0; j < n; j += VW) {
		unsigned m = lanes(n - j);
		vf v = vf_get(s + j, m);

		vf_put(s + j, sigmoid ? vf_set(1) / (vf_set(1) + vf_exp(-v)) : vf_exp(v - vf_set(most)) * vf_set(over), m);
	}
}

static void route_task(void *ctx, uint32_t task, int thread)
{
	const struct tokens *a = ctx;
	const struct kern_route *r = a->route;
	float *room = (float *)(void *)(a->room + (size_t)thread * a->room_bytes);

	for (size_t i = task * a->per; i < tokens_past(a, task); i++) {
		float *s = a->sums + i * r->experts;

		squash_row(s, r->experts, r->sigmoid);
		route_choose(r, s, room, (uint32_t *)a->out + i * r->top, (float *)a->out2 + i * r->top);
	}
}

static void route(struct kern *k, const struct kern_route *r, float *scores, uint32_t *expert, float *weight)
{
	struct tokens a = { .t = r->t, .route = r, .sums = scores, .out = expert, .out2 = weight,
		.room_bytes = (ROUTE_ROOM(r->experts) * sizeof(float) + 63) & ~(size_t)63 };

	tokens_run(k, route_task, &a, (size_t)r->experts * (r->top + 4));
}

static void route_dx_task(void *ctx, uint32_t task, int thread)
{
	const struct tokens *a = ctx;
	const struct kern_route *r = a->route;
	double *ds = (double *)(void *)(a->room + (size_t)thread * a->room_bytes);

	for (size_t i = task * a->per; i < tokens_past(a, task); i++)
		route_row_dx(r, (const float *)a->x + i * r->experts, a->idx + i * r->top, a->w + i * r->top, ds, (float *)a->out + i * r->experts);
}

static void route_dx(struct kern *k, const struct kern_route *r, const float *scores, const uint32_t *expert, const float *dweight, float *dlogits)
{
	struct tokens a = { .t = r->t, .route = r, .x = scores, .idx = expert, .w = dweight, .out = dlogits,
		.room_bytes = (r->experts * sizeof(double) + 63) & ~(size_t)63 };

	tokens_run(k, route_dx_task, &a, (size_t)r->experts * 4);
}

/* --- putting the answers together --- */

/* Without weights: 1 each. */
static void combine_task(void *ctx, uint32_t task, int thread)
{
	const struct tokens *a = ctx;

	(void)thread;
	for (size_t i = task * a->per; i < tokens_past(a, task); i++) {
		const uint32_t *slot = a->idx + i * a->top;

		for (uint32_t c = 0; c < a->n; c += VW) {
			float *x = (float *)a->out + i * a->n + c;
			unsigned m = lanes(a->n - c);
			vf s = vf_get(x, m);

			for (uint32_t j = 0; j < a->top; j++)
				s = vf_fma(vf_set(a->w ? a->w[i * a->top + j] : 1), vx_get(a->y, a->xt, (size_t)slot[j] * a->n + c, m), s);
			vf_put(x, s, m);
		}
	}
}

static void combine(struct kern *k, uint32_t t, uint32_t n, uint32_t top, enum dtype xt, const void *y, const uint32_t *slot, const float *weight, float *x)
{
	struct tokens a = { .t = t, .n = n, .top = top, .xt = xt, .y = y, .idx = slot, .w = weight, .out = x };

	tokens_run(k, combine_task, &a, (size_t)n * top);
}

static void combine_add(struct kern *k, uint32_t t, uint32_t n, uint32_t top, const float *y, const uint32_t *slot, float *x)
{
	combine(k, t, n, top, DT_F32, y, slot, NULL, x);
}

/* dy = G * d for one row of N values; returns the sum of d * y. */
static float weighted_dx(const float *d, float g, const void *y, void *dy, enum dtype xt, size_t at, uint32_t n)
{
	vf s = vf_zero();

	for (uint32_t c = 0; c < n; c += VW) {
		unsigned m = lanes(n - c);
		vf v = vf_get(d + c, m);

		s = vf_fma(v, vx_get(y, xt, at + c, m), s);
		vx_put(dy, xt, at + c, v * vf_set(g), m);
	}
	return vf_hsum(s);
}

static void combine_dx_task(void *ctx, uint32_t task, int thread)
{
	const struct tokens *a = ctx;

	(void)thread;
	for (size_t i = task * a->per; i < tokens_past(a, task); i++)
		for (size_t j = i * a->top; j < (i + 1) * a->top; j++)
			a->sums[j] = weighted_dx((const float *)a->x + i * a->n, a->w[j], a->y, a->out, a->xt, (size_t)a->idx[j] * a->n, a->n);
}

static void combine_dx(struct kern *k, uint32_t t, uint32_t n, uint32_t top, enum dtype xt, const float *dx, const void *y, const uint32_t *slot,
                       const float *weight, void *dy, float *dweight)
{
	struct tokens a = { .t = t, .n = n, .top = top, .xt = xt, .x = dx, .y = y, .idx = slot, .w = weight, .out = dy, .sums = dweight };

	tokens_run(k, combine_dx_task, &a, (size_t)n * top);
}

/* --- gate of a shared expert --- */

static void gated_task(void *ctx, uint32_t task, int thread)
{
	const struct tokens *a = ctx;

	(void)thread;
	for (size_t i = task * a->per; i < tokens_past(a, task); i++) {
		vf g = vf_set((float)(1 / (1 + exp(-(double)a->w[i]))));

		for (uint32_t c = 0; c < a->n; c += VW) {
			float *x = (float *)a->out + i * a->n + c;
			unsigned m = lanes(a->n - c);

			vf_put(x, vf_fma(g, vx_get(a->y, a->xt, i * a->n + c, m), vf_get(x, m)), m);
		}
	}
}

static void gated(struct kern *k, uint32_t t, uint32_t n, enum dtype xt, const float *z, const void *y, float *x)
{
	struct tokens a = { .t = t, .n = n, .xt = xt, .w = z, .y = y, .out = x };

	tokens_run(k, gated_task, &a, n);
}

static void gated_dx_task(void *ctx, uint32_t task, int thread)
{
	const struct tokens *a = ctx;

	(void)thread;
	for (size_t i = task * a->per; i < tokens_past(a, task); i++) {
		double g = 1 / (1 + exp(-(double)a->w[i]));

		a->sums[i] = (float)(weighted_dx((const float *)a->x + i * a->n, (float)g, a->y, a->out, a->xt, i * a->n, a->n) * g * (1 - g));
	}
}

static void gated_dx(struct kern *k, uint32_t t, uint32_t n, enum dtype xt, const float *z, const void *y, const float *dx, void *dy, float *dz)
{
	struct tokens a = { .t = t, .n = n, .xt = xt, .w = z, .y = y, .x = dx, .out = dy, .sums = dz };

	tokens_run(k, gated_dx_task, &a, n);
}

#endif
