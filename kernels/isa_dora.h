/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ISA_DORA_H
#define SFT_ISA_DORA_H
/* What DoRA needs beside the common operations (kern.h has the formulas).  Norms: a lane is a row of W.  Sums over rows are split by columns, so the
 * bits do not depend on the threads. */
#include "isa_rows.h"

struct dora {
	uint32_t t, n, r;
	float scale;
	enum dtype xt;
	const float *w2, *wa, *b, *aat, *src, *mag, *norm, *bias, *factor;
	const void *dy;
	void *y;
	size_t ldy;
	bool add;
	float *out;
	char *room;                    /* of each thread: R vectors */
};

/* --- norms --- */

static void dora_norm_task(void *ctx, uint32_t task, int thread)
{
	const struct dora *a = ctx;
	size_t r = a->r, o = (size_t)task * VW;
	float *bt = (float *)(void *)a->room + (size_t)thread * r * VW;
	unsigned m = lanes(a->n - o);
	vf cross = vf_zero(), own = vf_zero(), s = vf_set(a->scale);

	for (size_t i = 0; i < r; i++)                 /* b turned: what is missing is 0 */
		for (unsigned l = 0; l < VW; l++)
			bt[i * VW + l] = l < m ? a->b[(o + l) * r + i] : 0;
	for (size_t i = 0; i < r; i++) {
		vf bi = vf_ld(bt + i * VW), row = vf_zero();

		for (size_t j = 0; j < r; j++)
			row = vf_fma(vf_set(a->aat[i * r + j]), vf_ld(bt + j * VW), row);
		cross = vf_fma(vf_get(a->wa + i * a->n + o, m), bi, cross);
		own = vf_fma(row, bi, own);
	}
	vf_put(a->out + o, vf_sqrt(vf_fma(s, vf_fma(s, own, cross + cross), vf_get(a->w2 + o, m))), m);
}

static void dora_norm(struct kern *k, uint32_t out, uint32_t r, float scale, const float *w2, const float *wa, const float *b, const float *aat, float *norm)
{
	struct dora a = { .n = out, .r = r, .scale = scale, .w2 = w2, .wa = wa, .b = b, .aat = aat, .out = norm };

	a.room = kern_scratch(k, (size_t)pool_size(k->pool) * r * sizeof(vf));
	pool_run(k->pool, dora_norm_task, &a, tasks_of(out, VW));
}

/* --- scaling --- */

static void dora_scale_task(void *ctx, uint32_t task, int thread)
{
	const struct dora *a = ctx;
	uint32_t per = rows_per_task(a->n);
	size_t past = (task + 1) * (size_t)per < a->t ? (task + 1) * (size_t)per : a->t;

	(void)thread;
	for (size_t i = task * (size_t)per; i < past; i++)
		for (uint32_t c = 0; c < a->n; c += VW) {
			unsigned m = lanes(a->n - c);
			vf v = vf_get(a->src + i * a->n + c, m) * vf_get(a->factor + c, m);

			if (a->bias)
				v = v + vf_get(a->bias + c, m);
			if (a->add)
				v = v + vx_get(a->y, a->xt, i * a->ldy + c, m);
			vx_put(a->y, a->xt, i * a->ldy + c, v, m);
		}
}

/* mag / norm, once for all rows. */
static float *dora_factors(struct kern *k, uint32_t n, const float *mag, const float *norm)
{
	float *f = kern_scratch(k, n * sizeof *f);

	for (uint32_t c = 0; c < n; c++)
		f[c] = mag[c] / norm[c];
	return f;
}

static void dora_scale(struct kern *k, uint32_t t, uint32_t n, const float *src, const float *mag, const float *norm, const float *bias,
                       void *y, size_t ldy, enum dtype yt, bool add)
{
	struct dora a = { .t = t, .n = n, .src = src, .factor = dora_factors(k, n, mag, norm), .bias = bias, .y = y, .ldy = ldy, .xt = yt, .add = add };

	pool_run(k->pool, dora_scale_task, &a, tasks_of(t, rows_per_task(n)));
}

static void dora_scale_dx_task(void *ctx, uint32_t task, int thread)
{
	const struct dora *a = ctx;
	uint32_t c = task * COLS, cols = a->n - c < COLS ? a->n - c : COLS;
	float sum[COLS] = { 0 }, part[COLS] = { 0 };

	(void)thread;
	for (size_t i = 0; i < a->t; i++) {
		for (uint32_t j = 0; j < cols; j += VW) {
			unsigned m = lanes(cols - j);
			vf d = vx_get(a->dy, a->xt, i * a->n + c + j, m);

			vf_st(part + j, vf_fma(d, vf_get(a->src + i * a->n + c + j, m), vf_ld(part + j)));
			vx_put(a->y, a->xt, i * a->n + c + j, d * vf_get(a->factor + c + j, m), m);
		}
		for (uint32_t j = 0; j < COLS && ((i & 127) == 127 || i + 1 == a->t); j += VW) {
			vf_st(sum + j, vf_ld(sum + j) + vf_ld(part + j));
			vf_st(part + j, vf_zero());
		}
	}
	for (uint32_t j = 0; j < cols; j++)
		a->out[c + j] += sum[j] / a->norm[c + j];
}

static void dora_scale_dx(struct kern *k, uint32_t t, uint32_t n, enum dtype xt, const void *dy, const float *src, const float *mag, const float *norm,
                          void *dsrc, float *gmag)
{
	struct dora a = { .t = t, .n = n, .xt = xt, .dy = dy, .src = src, .factor = dora_factors(k, n, mag, norm), .norm = norm, .y = dsrc, .out = gmag };

	pool_run(k->pool, dora_scale_dx_task, &a, tasks_of(n, COLS));
}

#endif
