/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ISA_ROWS_H
#define SFT_ISA_ROWS_H
/* Norms, rotary positions, cross-entropy: what works row by row.  A task is a run of rows; sums over rows are split by columns instead,
 * so the bits do not depend on the threads. */
#include <math.h>
#include "isa_pack.h"

enum {
	SPAN = 8192,                   /* values of a task */
	COLS = 64                      /* columns of a task that sums over rows */
};

INLINE uint32_t rows_per_task(uint32_t n)
{
	return n < SPAN ? SPAN / (n > 0 ? n : 1) : 1;
}
INLINE uint32_t tasks_of(size_t n, size_t per)
{
	return (uint32_t)((n + per - 1) / per);
}
INLINE unsigned lanes(size_t left)
{
	return left < VW ? (unsigned)left : VW;
}
/* M <= VW values from I. */
INLINE vf vx_get(const void *p, enum dtype t, size_t i, unsigned m)
{
	return m == VW ? vx_ld(p, t, i) : vx_ldn(p, t, i, m);
}
INLINE void vx_put(void *p, enum dtype t, size_t i, vf v, unsigned m)
{
	if (m == VW)
		vx_st(p, t, i, v);
	else
		vx_stn(p, t, i, v, m);
}
INLINE vf vf_get(const float *p, unsigned m)
{
	return m == VW ? vf_ld(p) : vf_ldn(p, m);
}
INLINE void vf_put(float *p, vf v, unsigned m)
{
	if (m == VW)
		vf_st(p, v);
	else
		vf_stn(p, v, m);
}

/* --- RMS norm --- */

struct norm {
	uint32_t t, n;
	const void *x;
	size_t ldx;
	enum dtype xt;
	const float *w;
	float eps;
	void *y;
	size_t ldy;
	enum dtype yt;
	float *rstd;
	void *xs;
	/* the way back */
	const float *r;
	const void *dy;
	size_t lddy;
	enum dtype dyt;
	void *dx;
	size_t lddx;
	bool set;
	float *gw;
};

static float square_sum(const void *x, enum dtype t, size_t at, uint32_t n)
{
	vf a = vf_zero(), b = vf_zero();
	uint32_t j = 0;

	for (; j + 2 * VW <= n; j += 2 * VW) {
		vf p = vx_ld(x, t, at + j), q = vx_ld(x, t, at + j + VW);
		a = vf_fma(p, p, a);
		b = vf_fma(q, q, b);
	}
	for (; j < n; j += VW) {
		vf p = vx_get(x, t, at + j, lanes(n - j));
		a = vf_fma(p, p, a);
	}
	return vf_hsum(a + b);
}

static void norm_task(void *ctx, uint32_t task, int thread)
{
	const struct norm *a = ctx;
	uint32_t per = rows_per_task(a->n), past = (task + 1) * per < a->t ? (task + 1) * per : a->t;

	(void)thread;
	for (uint32_t i = task * per; i < past; i++) {
		float r = a->r ? a->r[i] : 1 / sqrtf(square_sum(a->x, a->xt, i * a->ldx, a->n) / (float)a->n + a->eps);

		if (a->rstd != NULL)
			a->rstd[i] = r;
		for (uint32_t j = 0; j < a->n; j += VW) {
			unsigned m = lanes(a->n - j);
			vf v = vx_get(a->x, a->xt, i * a->ldx + j, m);

			if (a->xs != NULL)
				vx_put(a->xs, a->yt, (size_t)i * a->n + j, v, m);
			vx_put(a->y, a->yt, i * a->ldy + j, v * vf_set(r) * vf_get(a->w + j, m), m);
		}
	}
}

static void rmsnorm(struct kern *k, uint32_t t, uint32_t n, const void *x, size_t ldx, enum dtype xt, const float *w, float eps,
                    void *y, size_t ldy, enum dtype yt, float *rstd, void *xs)
{
	struct norm a = { .t = t, .n = n, .x = x, .ldx = ldx, .xt = xt, .w = w, .eps = eps, .y = y, .ldy = ldy, .yt = yt, .rstd = rstd, .xs = xs };

	pool_run(k->pool, norm_task, &a, tasks_of(t, rows_per_task(n)));
}

static void rmsnorm_again(struct kern *k, uint32_t t, uint32_t n, const void *xs, const float *rstd, const float *w, void *y, enum dtype xt)
{
	struct norm a = { .t = t, .n = n, .x = xs, .ldx = n, .xt = xt, .w = w, .y = y, .ldy = n, .yt = xt, .r = rstd };

	pool_run(k->pool, norm_task, &a, tasks_of(t, rows_per_task(n)));
}

/* Sum over a row of w dy x. */
static float norm_dot(const struct norm *a, uint32_t i)
{
	vf s = vf_zero();

	for (uint32_t j = 0; j < a->n; j += VW) {
		unsigned m = lanes(a->n - j);
		s = vf_fma(vf_get(a->w + j, m) * vx_get(a->dy, a->dyt, i * a->lddy + j, m), vx_get(a->x, a->xt, i * a->ldx + j, m), s);
	}
	return vf_hsum(s);
}

static void norm_dx_task(void *ctx, uint32_t task, int thread)
{
	const struct norm *a = ctx;
	uint32_t per = rows_per_task(a->n), past = (task + 1) * per < a->t ? (task + 1) * per : a->t;

	(void)thread;
	for (uint32_t i = task * per; i < past; i++) {
		float r = a->r[i], c = norm_dot(a, i) / (float)a->n * r * r * r;

		for (uint32_t j = 0; j < a->n; j += VW) {
			unsigned m = lanes(a->n - j);
			vf d = vx_get(a->dy, a->dyt, i * a->lddy + j, m) * vf_get(a->w + j, m);
			vf v = d * vf_set(r) - vx_get(a->x, a->xt, i * a->ldx + j, m) * vf_set(c);
			float *p = (float *)a->dx + i * a->lddx + j;

			if (a->set)
				vx_put(a->dx, a->dyt, i * a->lddx + j, v, m);
			else
				vf_put(p, vf_get(p, m) + v, m);
		}
	}
}

static void norm_gw_task(void *ctx, uint32_t task, int thread)
{
	const struct norm *a = ctx;
	uint32_t past = (task + 1) * COLS < a->n ? (task + 1) * COLS : a->n;

	(void)thread;
	for (uint32_t j = task * COLS; j < past; j += VW) {
		unsigned m = lanes(past - j);
		vf s = vf_zero(), part = vf_zero();

		for (uint32_t i = 0; i < a->t; i++) {
			part = vf_fma(vx_get(a->dy, a->dyt, i * a->lddy + j, m) * vf_set(a->r[i]), vx_get(a->x, a->xt, i * a->ldx + j, m), part);
			if ((i & 127) == 127) {
				s = s + part;
				part = vf_zero();
			}
		}
		vf_put(a->gw + j, vf_get(a->gw + j, m) + (s + part), m);
	}
}

static void rmsnorm_dx(struct kern *k, uint32_t t, uint32_t n, const void *xs, size_t ldxs, enum dtype xt, const float *rstd, const float *w,
                       const void *dy, size_t lddy, enum dtype dyt, void *dx, size_t lddx, bool dx_set, float *gw)
{
	struct norm a = { .t = t, .n = n, .x = xs, .ldx = ldxs, .xt = xt, .w = w, .r = rstd, .dy = dy, .lddy = lddy, .dyt = dyt,
		.dx = dx, .lddx = lddx, .set = dx_set, .gw = gw };

	if (gw != NULL)                /* first: dx may be dy */
		pool_run(k->pool, norm_gw_task, &a, tasks_of(n, COLS));
	pool_run(k->pool, norm_dx_task, &a, tasks_of(t, rows_per_task(n)));
}

/* --- sums over rows --- */

struct colsum {
	uint32_t t, n;
	const void *dy;
	size_t ld;
	enum dtype xt;
	float *gb;
};

static void colsum_task(void *ctx, uint32_t task, int thread)
{
	const struct colsum *a = ctx;
	uint32_t past = (task + 1) * COLS < a->n ? (task + 1) * COLS : a->n;

	(void)thread;
	for (uint32_t j = task * COLS; j < past; j += VW) {
		unsigned m = lanes(past - j);
		vf s = vf_zero(), part = vf_zero();

		for (uint32_t i = 0; i < a->t; i++) {
			part = part + vx_get(a->dy, a->xt, i * a->ld + j, m);
			if ((i & 127) == 127) {
				s = s + part;
				part = vf_zero();
			}
		}
		vf_put(a->gb + j, vf_get(a->gb + j, m) + (s + part), m);
	}
}

static void colsum(struct kern *k, uint32_t t, uint32_t n, enum dtype xt, const void *dy, size_t lddy, float *gb)
{
	struct colsum a = { t, n, dy, lddy, xt, gb };

	pool_run(k->pool, colsum_task, &a, tasks_of(n, COLS));
}

/* --- rotary positions --- */

struct rope {
	uint32_t t, heads, dim, half;
	void *x;
	size_t ldx;
	enum dtype xt;
	const float *cs;
	const uint32_t *pos;
	bool interleaved;
	float sign;
};

/* One head at AT, pairs (i, i + half). */
static void rotate_halves(const struct rope *a, size_t at, const float *c, const float *s)
{
	for (uint32_t j = 0; j < a->half; j += VW) {
		unsigned m = lanes(a->half - j);
		vf p = vx_get(a->x, a->xt, at + j, m), q = vx_get(a->x, a->xt, at + a->half + j, m);
		vf vc = vf_get(c + j, m), vs = vf_get(s + j, m) * vf_set(a->sign);

		vx_put(a->x, a->xt, at + j, vf_fma(p, vc, -(q * vs)), m);
		vx_put(a->x, a->xt, at + a->half + j, vf_fma(q, vc, p * vs), m);
	}
}

static void rotate_pairs(const struct rope *a, size_t at, const float *c, const float *s)
{
	for (uint32_t j = 0; j < a->half; j++) {
		float p = act_get(a->x, a->xt, at + 2 * j), q = act_get(a->x, a->xt, at + 2 * j + 1), vs = s[j] * a->sign;

		act_put(a->x, a->xt, at + 2 * j, p * c[j] - q * vs);
		act_put(a->x, a->xt, at + 2 * j + 1, q * c[j] + p * vs);
	}
}

static void rope_task(void *ctx, uint32_t task, int thread)
{
	const struct rope *a = ctx;
	uint32_t per = rows_per_task(a->heads * a->dim), past = (task + 1) * per < a->t ? (task + 1) * per : a->t;

	(void)thread;
	for (uint32_t i = task * per; i < past; i++) {
		const float *c = a->cs + (size_t)a->pos[i] * 2 * a->half;

		for (uint32_t h = 0; h < a->heads; h++)
			(a->interleaved ? rotate_pairs : rotate_halves)(a, i * a->ldx + (size_t)h * a->dim, c, c + a->half);
	}
}

static void rope(struct kern *k, uint32_t t, uint32_t heads, uint32_t dim, uint32_t half, void *x, size_t ldx, enum dtype xt,
                 const float *cs, const uint32_t *pos, bool interleaved, bool inverse)
{
	struct rope a = { t, heads, dim, half, x, ldx, xt, cs, pos, interleaved, inverse ? -1.0f : 1.0f };

	pool_run(k->pool, rope_task, &a, tasks_of(t, rows_per_task(heads * dim)));
}

/* --- cross-entropy --- */

struct xent {
	uint32_t n;
	const float *logits;
	size_t ldl;
	const uint32_t *target;
	const float *weight;
	float smooth;
	void *dlogits;
	size_t ldd;
	enum dtype dt;
	float *loss;
};

static float row_max(const float *z, uint32_t n)
{
	vf a = vf_set(-INFINITY);
	uint32_t j = 0;
	float most;

	for (; j + VW <= n; j += VW)
		a = vf_max(a, vf_ld(z + j));
	most = vf_hmax(a);
	for (; j < n; j++)
		most = z[j] > most || z[j] != z[j] ? z[j] : most;
	return most;
}

/* Sum of exp(z - max), and of z itself: short chains of f32, then double. */
static double row_sum(const float *z, uint32_t n, float most, double *all)
{
	double sum = 0;

	*all = 0;
	for (uint32_t b = 0; b < n; b += 1024) {
		uint32_t past = n - b < 1024 ? n : b + 1024, j = b;
		vf s = vf_zero(), a = vf_zero();

		for (; j + VW <= past; j += VW) {
			vf v = vf_ld(z + j);
			s = s + vf_exp(v - vf_set(most));
			a = a + v;
		}
		sum += vf_hsum(s);
		*all += vf_hsum(a);
		for (; j < past; j++) {
			sum += expf(z[j] - most);
			*all += z[j];
		}
	}
	return sum;
}

static void xent_task(void *ctx, uint32_t i, int thread)
{
	const struct xent *a = ctx;
	const float *z = a->logits + i * a->ldl;
	uint32_t n = a->n, own = a->target[i];
	float most = row_max(z, n), zown = z[own], w, low;
	double all, lse = most + log(row_sum(z, n, most, &all)), s = a->smooth;

	(void)thread;
	a->loss[i] = (float)((1 - s) * (lse - zown) + (s > 0 ? s * (lse - all / n) : 0));
	if (a->dlogits == NULL)
		return;
	w = a->weight[i];
	low = w * (float)(s / n);
	for (uint32_t j = 0; j < n; j += VW) {
		unsigned m = lanes(n - j);
		vf p = vf_exp(vf_get(z + j, m) - vf_set((float)lse));
		vx_put(a->dlogits, a->dt, i * a->ldd + j, p * vf_set(w) - vf_set(low), m);
	}
	act_put(a->dlogits, a->dt, i * a->ldd + own, (float)(w * (exp(zown - lse) - (1 - s) - s / n)));
}

static void xent(struct kern *k, uint32_t m, uint32_t n, const float *logits, size_t ldl, const uint32_t *target, const float *weight,
                 float smooth, void *dlogits, size_t ldd, enum dtype dt, float *loss)
{
	struct xent a = { n, logits, ldl, target, weight, smooth, dlogits, ldd, dt, loss };

	pool_run(k->pool, xent_task, &a, m);
}

/* --- rivals --- */

/* Sum of the probabilities of values FROM .. PAST - 1. */
static double gap_sum(const float *z, uint32_t from, uint32_t past, double lse)
{
	double sum = 0;

	for (uint32_t b = from; b < past; b += 1024) {
		uint32_t end = past - b < 1024 ? past : b + 1024, j = b;
		vf s = vf_zero();

		for (; j + VW <= end; j += VW)
			s = s + vf_exp(vf_ld(z + j) - vf_set((float)lse));
		sum += vf_hsum(s);
		for (; j < end; j++)
			sum += exp(z[j] - lse);
	}
	return sum;
}

/* += W times their probabilities. */
static void gap_add(const struct kern_rivals *a, const float *z, uint32_t from, uint32_t past, double lse, float w, size_t at)
{
	for (uint32_t j = from; j < past; j += VW) {
		unsigned m = lanes(past - j);
		vf p = vf_exp(vf_get(z + j, m) - vf_set((float)lse));

		vx_put(a->dlogits, a->dt, at + j, vf_fma(p, vf_set(w), vx_get(a->dlogits, a->dt, at + j, m)), m);
	}
}

static void rivals_task(void *ctx, uint32_t i, int thread)
{
	const struct kern_rivals *a = ctx;
	const float *z = a->logits + a->row[i] * a->ldl;
	const uint32_t *id = a->id + a->first[i];
	uint32_t ids = a->first[i + 1] - a->first[i], from = 0;
	double all, most = row_max(z, a->n), lse = most + log(row_sum(z, a->n, (float)most, &all)), q = 0, rest = 0;
	size_t at = a->row[i] * a->ldd;

	(void)thread;
	for (uint32_t r = 0; r < ids; r++)
		q += exp(z[id[r]] - lse);
	for (uint32_t r = 0; q > 0.5 && r < ids; from = id[r++] + 1)      /* there 1 - q loses what matters */
		rest += gap_sum(z, from, id[r], lse);
	rest = q > 0.5 ? rest + gap_sum(z, from, a->n, lse) : 1 - q;
	rest = rest > 1e-30 ? rest : 1e-30;
	a->loss[i] = (float)(q > 0.5 ? -log(rest) : -log1p(-q));
	from = 0;
	for (uint32_t r = 0; a->dlogits && r < ids; from = id[r++] + 1) {
		gap_add(a, z, from, id[r], lse, (float)(-a->weight[i] * q / rest), at);
		act_put(a->dlogits, a->dt, at + id[r], (float)(act_get(a->dlogits, a->dt, at + id[r]) + a->weight[i] * exp(z[id[r]] - lse)));
	}
	if (a->dlogits)
		gap_add(a, z, from, a->n, lse, (float)(-a->weight[i] * q / rest), at);
}

static void rivals(struct kern *k, const struct kern_rivals *a)
{
	struct kern_rivals copy = *a;

	pool_run(k->pool, rivals_task, &copy, a->m);
}

#endif
