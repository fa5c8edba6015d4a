/* SPDX-License-Identifier: Apache-2.0 */
/* The definition of what latent attention and mixtures of experts need beside the common operations. */
#include <math.h>
#include <string.h>

#include "mem.h"
#include "ops.h"

void ref_rows_gather(struct kern *k, uint32_t m, uint32_t n, enum dtype xt, const void *src, size_t lds, const uint32_t *idx, void *dst)
{
	size_t es = act_size(xt);

	(void)k;
	for (uint32_t i = 0; i < m; i++)
		memcpy((char *)dst + (size_t)i * n * es, (const char *)src + idx[i] * lds * es, n * es);
}

/* --- latent attention --- */

void ref_mla_keys(struct kern *k, const struct kern_mla *a, const void *kv, const void *kr, size_t ldkr, void *key, void *v)
{
	size_t es = act_size(a->xt), in = a->nope + a->dv, dk = a->nope + a->rope;

	(void)k;
	for (size_t i = 0; i < a->t; i++)
		for (size_t h = 0; h < a->heads; h++) {
			const char *from = (const char *)kv + (i * a->heads + h) * in * es;
			char *to = (char *)key + (i * a->heads + h) * dk * es;

			memcpy(to, from, a->nope * es);
			memcpy(to + a->nope * es, (const char *)kr + i * ldkr * es, a->rope * es);
			memcpy((char *)v + (i * a->heads + h) * a->dv * es, from + a->nope * es, a->dv * es);
		}
}

void ref_mla_keys_dx(struct kern *k, const struct kern_mla *a, const void *dkey, const void *dvalue, void *dkv, void *dkr, size_t lddkr)
{
	size_t es = act_size(a->xt), in = a->nope + a->dv, dk = a->nope + a->rope;

	(void)k;
	for (size_t i = 0; i < a->t; i++) {
		for (size_t h = 0; h < a->heads; h++) {
			char *to = (char *)dkv + (i * a->heads + h) * in * es;

			memcpy(to, (const char *)dkey + (i * a->heads + h) * dk * es, a->nope * es);
			memcpy(to + a->nope * es, (const char *)dvalue + (i * a->heads + h) * a->dv * es, a->dv * es);
		}
		for (size_t j = 0; j < a->rope; j++) {
			double sum = 0;

			for (size_t h = 0; h < a->heads; h++)
				sum += act_get(dkey, a->xt, (i * a->heads + h) * dk + a->nope + j);
			act_put(dkr, a->xt, i * lddkr + j, (float)sum);
		}
	}
}

/* --- choice of experts --- */

static void squash(const struct kern_route *a, float *s)
{
	double max = s[0], sum = 0;

	if (a->sigmoid) {
		for (uint32_t e = 0; e < a->experts; e++)
			s[e] = (float)(1 / (1 + exp(-(double)s[e])));
		return;
	}
	for (uint32_t e = 0; e < a->experts; e++)
		max = s[e] > max ? s[e] : max;
	for (uint32_t e = 0; e < a->experts; e++)
		sum += exp(s[e] - max);
	for (uint32_t e = 0; e < a->experts; e++)
		s[e] = (float)(exp(s[e] - max) / sum);
}

/* Marks the N largest of V[0..count-1]; of equals the first. */
static void mark_best(const float *v, uint32_t count, uint32_t n, bool *taken)
{
	memset(taken, 0, count * sizeof *taken);
	for (uint32_t i = 0; i < n; i++) {
		int64_t best = -1;

		for (uint32_t j = 0; j < count; j++)
			if (!taken[j] && (best < 0 || v[j] > v[best]))
				best = j;
		taken[best] = true;
	}
}

static float group_score(const float *c, uint32_t n, bool pair)
{
	float first = -INFINITY, second = -INFINITY;

	for (uint32_t i = 0; i < n; i++) {
		if (c[i] > first) {
			second = first;
			first = c[i];
		} else if (c[i] > second) {
			second = c[i];
		}
	}
	return pair && n > 1 ? first + second : first;
}

/* Experts of the groups that are not among the best are taken out of the choice. */
static void limit_groups(const struct kern_route *a, float *c, float *group, bool *taken)
{
	uint32_t n = a->experts / a->groups;

	for (uint32_t g = 0; g < a->groups; g++)
		group[g] = group_score(c + g * n, n, a->pair);
	mark_best(group, a->groups, a->topg, taken);
	for (uint32_t g = 0; g < a->groups; g++)
		for (uint32_t i = 0; i < n && !taken[g]; i++)
			c[g * n + i] = a->pair ? -INFINITY : 0;
}

void route_choose(const struct kern_route *a, const float *s, float *room, uint32_t *who, float *w)
{
	bool *taken = (bool *)(room + 2 * a->experts);
	uint32_t n = 0;
	double sum = 0;

	for (uint32_t e = 0; e < a->experts; e++)
		room[e] = s[e] + (a->bias ? a->bias[e] : 0);
	if (a->topg < a->groups)
		limit_groups(a, room, room + a->experts, taken);
	mark_best(room, a->experts, a->top, taken);
	for (uint32_t e = 0; e < a->experts; e++)
		if (taken[e])
			who[n++] = e;
	for (uint32_t j = 0; j < a->top; j++)
		sum += s[who[j]];
	for (uint32_t j = 0; j < a->top; j++)
		w[j] = (float)(s[who[j]] / (a->norm ? sum + 1e-20 : 1) * a->scale);
}

void ref_route(struct kern *k, const struct kern_route *a, float *scores, uint32_t *expert, float *weight)
{
	float *room = mem_new(ROUTE_ROOM(a->experts) * sizeof *room);

	(void)k;
	for (size_t t = 0; t < a->t; t++) {
		squash(a, scores + t * a->experts);
		route_choose(a, scores + t * a->experts, room, expert + t * a->top, weight + t * a->top);
	}
	mem_free(room);
}

/* With S the sum of the chosen scores: w = scale s / S, so ds = scale / S (dw - sum(dw s) / S); then through the sigmoid or softmax. */
void route_row_dx(const struct kern_route *a, const float *s, const uint32_t *who, const float *dw, double *ds, float *dl)
{
	double sum = 0, dot = 0;

	memset(ds, 0, a->experts * sizeof *ds);
	for (uint32_t j = 0; j < a->top; j++) {
		sum += s[who[j]];
		dot += (double)dw[j] * s[who[j]];
	}
	for (uint32_t j = 0; j < a->top; j++)
		ds[who[j]] = a->norm ? a->scale / (sum + 1e-20) * (dw[j] - dot / (sum + 1e-20)) : (double)a->scale * dw[j];
	dot = 0;
	for (uint32_t e = 0; e < a->experts; e++)
		dot += ds[e] * s[e];
	for (uint32_t e = 0; e < a->experts; e++)
		dl[e] = (float)(a->sigmoid ? ds[e] * s[e] * (1 - (double)s[e]) : s[e] * (ds[e] - dot));
}

void ref_route_dx(struct kern *k, const struct kern_route *a, const float *scores, const uint32_t *expert, const float *dweight, float *dlogits)
{
	double *ds = mem_new(a->experts * sizeof *ds);

	(void)k;
	for (size_t t = 0; t < a->t; t++)
		route_row_dx(a, scores + t * a->experts, expert + t * a->top, dweight + t * a->top, ds, dlogits + t * a->experts);
	mem_free(ds);
}

/* --- putting the answers together --- */

void ref_combine(struct kern *k, uint32_t t, uint32_t n, uint32_t top, enum dtype xt, const void *y, const uint32_t *slot, const float *weight, float *x)
{
	(void)k;
	for (size_t i = 0; i < t; i++)
		for (size_t c = 0; c < n; c++) {
			double sum = x[i * n + c];

			for (size_t j = 0; j < top; j++)
				sum += (double)weight[i * top + j] * act_get(y, xt, (size_t)slot[i * top + j] * n + c);
			x[i * n + c] = (float)sum;
		}
}

void ref_combine_dx(struct kern *k, uint32_t t, uint32_t n, uint32_t top, enum dtype xt, const float *dx, const void *y, const uint32_t *slot,
                    const float *weight, void *dy, float *dweight)
{
	(void)k;
	for (size_t i = 0; i < (size_t)t * top; i++) {
		const float *d = dx + i / top * n;
		size_t at = (size_t)slot[i] * n;
		double sum = 0;

		for (size_t c = 0; c < n; c++) {
			sum += (double)d[c] * act_get(y, xt, at + c);
			act_put(dy, xt, at + c, weight[i] * d[c]);
		}
		dweight[i] = (float)sum;
	}
}

void ref_combine_add(struct kern *k, uint32_t t, uint32_t n, uint32_t top, const float *y, const uint32_t *slot, float *x)
{
	(void)k;
	for (size_t i = 0; i < (size_t)t * top; i++)
		for (size_t c = 0; c < n; c++)
			x[i / top * n + c] += y[(size_t)slot[i] * n + c];
}

/* --- gate of a shared expert --- */

void ref_gated(struct kern *k, uint32_t t, uint32_t n, enum dtype xt, const float *z, const void *y, float *x)
{
	(void)k;
	for (size_t i = 0; i < t; i++) {
		double g = 1 / (1 + exp(-(double)z[i]));

		for (size_t c = 0; c < n; c++)
			x[i * n + c] = (float)(x[i * n + c] + g * act_get(y, xt, i * n + c));
	}
}

void ref_gated_dx(struct kern *k, uint32_t t, uint32_t n, enum dtype xt, const float *z, const void *y, const float *dx, void *dy, float *dz)
{
	(void)k;
	for (size_t i = 0; i < t; i++) {
		double g = 1 / (1 + exp(-(double)z[i])), sum = 0;

		for (size_t c = 0; c < n; c++) {
			sum += (double)dx[i * n + c] * act_get(y, xt, i * n + c);
			act_put(dy, xt, i * n + c, (float)(g * dx[i * n + c]));
		}
		dz[i] = (float)(sum * g * (1 - g));
	}
}
