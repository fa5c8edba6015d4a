/* SPDX-License-Identifier: Apache-2.0 */
/* The definition of what works row by row or value by value: plain loops, sums in double. */
#include <math.h>
#include <string.h>

#include "mem.h"
#include "ops.h"

void ref_rmsnorm(struct kern *k, uint32_t t, uint32_t n, const void *x, size_t ldx, enum dtype xt, const float *w, float eps,
                 void *y, size_t ldy, enum dtype yt, float *rstd, void *xs)
{
	(void)k;
	for (uint32_t i = 0; i < t; i++) {
		double s = 0, r;

		for (uint32_t j = 0; j < n; j++)
			s += (double)act_get(x, xt, i * ldx + j) * act_get(x, xt, i * ldx + j);
		r = 1 / sqrt(s / n + eps);
		if (rstd != NULL)
			rstd[i] = (float)r;
		for (uint32_t j = 0; j < n; j++) {
			float v = act_get(x, xt, i * ldx + j);

			if (xs != NULL)
				act_put(xs, yt, (size_t)i * n + j, v);
			act_put(y, yt, i * ldy + j, (float)(v * r * w[j]));
		}
	}
}

void ref_rmsnorm_again(struct kern *k, uint32_t t, uint32_t n, const void *xs, const float *rstd, const float *w, void *y, enum dtype xt)
{
	(void)k;
	for (uint32_t i = 0; i < t; i++)
		for (uint32_t j = 0; j < n; j++)
			act_put(y, xt, (size_t)i * n + j, (float)((double)act_get(xs, xt, (size_t)i * n + j) * rstd[i] * w[j]));
}

/* With h = xs * rstd: dx = rstd * (w dy - h mean(w dy h)), gw += sum of dy h. */
void ref_rmsnorm_dx(struct kern *k, uint32_t t, uint32_t n, const void *xs, size_t ldxs, enum dtype xt, const float *rstd, const float *w,
                    const void *dy, size_t lddy, enum dtype dyt, void *dx, size_t lddx, bool dx_set, float *gw)
{
	double *sum = mem_new(((size_t)n + 1) * sizeof *sum);

	(void)k;
	for (uint32_t i = 0; i < t; i++) {
		double r = rstd[i], mean = 0;

		for (uint32_t j = 0; j < n; j++)
			mean += (double)w[j] * act_get(dy, dyt, i * lddy + j) * act_get(xs, xt, i * ldxs + j) * r / n;
		for (uint32_t j = 0; j < n; j++) {
			double d = act_get(dy, dyt, i * lddy + j), h = act_get(xs, xt, i * ldxs + j) * r, v = r * (w[j] * d - h * mean);

			sum[j] += d * h;
			if (dx_set)
				act_put(dx, dyt, i * lddx + j, (float)v);
			else
				((float *)dx)[i * lddx + j] = (float)(((float *)dx)[i * lddx + j] + v);
		}
	}
	for (uint32_t j = 0; gw != NULL && j < n; j++)
		gw[j] = (float)(gw[j] + sum[j]);
	mem_free(sum);
}

void ref_rope(struct kern *k, uint32_t t, uint32_t heads, uint32_t dim, uint32_t half, void *x, size_t ldx, enum dtype xt,
              const float *cs, const uint32_t *pos, bool interleaved, bool inverse)
{
	(void)k;
	for (uint32_t i = 0; i < t; i++)
		for (uint32_t h = 0; h < heads; h++)
			for (uint32_t j = 0; j < half; j++) {
				size_t at = i * ldx + (size_t)h * dim, p = at + (interleaved ? 2 * j : j), q = interleaved ? p + 1 : p + half;
				double c = cs[(size_t)pos[i] * 2 * half + j], s = cs[(size_t)pos[i] * 2 * half + half + j];
				double a = act_get(x, xt, p), b = act_get(x, xt, q);

				if (inverse)
					s = -s;
				act_put(x, xt, p, (float)(a * c - b * s));
				act_put(x, xt, q, (float)(b * c + a * s));
			}
}

void ref_swiglu(struct kern *k, size_t count, enum dtype xt, const void *g, const void *u, void *y)
{
	(void)k;
	for (size_t i = 0; i < count; i++) {
		double z = act_get(g, xt, i);

		act_put(y, xt, i, (float)(z / (1 + exp(-z)) * act_get(u, xt, i)));
	}
}

void ref_swiglu_dx(struct kern *k, size_t count, enum dtype xt, const void *g, const void *u, const void *dy, void *dg, void *du, void *y)
{
	(void)k;
	for (size_t i = 0; i < count; i++) {
		double z = act_get(g, xt, i), v = act_get(u, xt, i), d = act_get(dy, xt, i), sig = 1 / (1 + exp(-z));

		act_put(dg, xt, i, (float)(d * v * sig * (1 + z * (1 - sig))));
		act_put(du, xt, i, (float)(d * z * sig));
		if (y != NULL)
			act_put(y, xt, i, (float)(z * sig * v));
	}
}

void ref_rows_get(struct kern *k, uint32_t m, uint32_t n, const float *src, const uint32_t *idx, void *dst, enum dtype dt)
{
	(void)k;
	for (uint32_t i = 0; i < m; i++)
		for (uint32_t j = 0; j < n; j++)
			act_put(dst, dt, (size_t)i * n + j, src[(size_t)idx[i] * n + j]);
}

void ref_rows_put(struct kern *k, uint32_t m, uint32_t n, const float *src, const uint32_t *idx, float *dst, bool add)
{
	(void)k;
	for (uint32_t i = 0; i < m; i++)
		for (uint32_t j = 0; j < n; j++) {
			float *p = dst + (size_t)idx[i] * n + j, v = src[(size_t)i * n + j];

			*p = add ? *p + v : v;
		}
}

void ref_rows_copy(struct kern *k, uint32_t m, uint32_t n, enum dtype xt, const void *src, size_t lds, const uint32_t *idx, void *dst,
                   size_t ldd)
{
	size_t size = act_size(xt);

	(void)k;
	for (uint32_t i = 0; i < m && n > 0; i++)
		memcpy((char *)dst + idx[i] * ldd * size, (const char *)src + i * lds * size, n * size);
}

void ref_xent(struct kern *k, uint32_t m, uint32_t n, const float *logits, size_t ldl, const uint32_t *target, const float *weight,
              float smooth, void *dlogits, size_t ldd, enum dtype dt, float *loss)
{
	(void)k;
	for (uint32_t i = 0; i < m; i++) {
		const float *z = logits + i * ldl;
		double max = -INFINITY, sum = 0, lse, all = 0, own = z[target[i]];

		for (uint32_t j = 0; j < n; j++)
			max = z[j] > max ? z[j] : max;
		for (uint32_t j = 0; j < n; j++) {
			sum += exp(z[j] - max);
			all += z[j];
		}
		lse = max + log(sum);
		loss[i] = (float)((1 - (double)smooth) * (lse - own) + (smooth > 0 ? (double)smooth * (lse - all / n) : 0));
		for (uint32_t j = 0; dlogits != NULL && j < n; j++) {
			double want = (j == target[i] ? 1 - (double)smooth : 0) + (double)smooth / n;

			act_put(dlogits, dt, i * ldd + j, (float)(weight[i] * (exp(z[j] - lse) - want)));
		}
	}
}

static bool is_rival(const struct kern_rivals *a, uint32_t i, uint32_t j)
{
	for (uint32_t r = a->first[i]; r < a->first[i + 1]; r++)
		if (a->id[r] == j)
			return true;
	return false;
}

void ref_rivals(struct kern *k, const struct kern_rivals *a)
{
	(void)k;
	for (uint32_t i = 0; i < a->m; i++) {
		const float *z = a->logits + a->row[i] * a->ldl;
		double max = -INFINITY, sum = 0, q = 0, rest = 0;

		for (uint32_t j = 0; j < a->n; j++)
			max = z[j] > max ? z[j] : max;
		for (uint32_t j = 0; j < a->n; j++)
			sum += exp(z[j] - max);
		for (uint32_t j = 0; j < a->n; j++)
			*(is_rival(a, i, j) ? &q : &rest) += exp(z[j] - max) / sum;
		rest = fmax(rest, 1e-30);
		a->loss[i] = (float)(q < 0.5 ? -log1p(-q) : -log(rest));
		for (uint32_t j = 0; a->dlogits && j < a->n; j++) {
			double p = exp(z[j] - max) / sum, d = is_rival(a, i, j) ? p : -q * p / rest;
			size_t at = a->row[i] * a->ldd + j;

			act_put(a->dlogits, a->dt, at, (float)(act_get(a->dlogits, a->dt, at) + a->weight[i] * d));
		}
	}
}

void ref_cast(struct kern *k, size_t n, const void *src, enum dtype st, void *dst, enum dtype dt)
{
	(void)k;
	for (size_t i = 0; i < n; i++)
		act_put(dst, dt, i, act_get(src, st, i));
}

void ref_add(struct kern *k, size_t n, const float *x, float *y)
{
	(void)k;
	for (size_t i = 0; i < n; i++)
		y[i] += x[i];
}

void ref_scale(struct kern *k, size_t n, float s, float *x)
{
	(void)k;
	for (size_t i = 0; i < n; i++)
		x[i] *= s;
}

double ref_sumsq(struct kern *k, size_t n, const float *x)
{
	double s = 0;

	(void)k;
	for (size_t i = 0; i < n; i++)
		s += (double)x[i] * x[i];
	return s;
}
