/* SPDX-License-Identifier: Apache-2.0 */
/* The definition of attention: plain loops, sums in double. */
#include <math.h>

#include "mem.h"
#include "ops.h"

/* One query of one segment and the keys it sees: numbers first..last-1, shared keys counted first. */
struct view {
	const struct kern_seg *s;
	uint32_t first, last;
};

static struct view view_of(const struct kern_attn *a, const struct kern_seg *s, uint32_t i)
{
	struct view v = { s, 0, s->np + s->nk - s->nq + i + 1 };

	if (a->window > 0 && v.last > a->window)
		v.first = v.last - a->window;
	return v;
}

static size_t key_row(const struct view *v, uint32_t j)
{
	return j < v->s->np ? v->s->p0 + j : v->s->k0 + (j - v->s->np);
}

static double dot(enum dtype t, const void *x, size_t xi, const void *y, size_t yi, uint32_t n)
{
	double s = 0;

	for (uint32_t c = 0; c < n; c++)
		s += (double)act_get(x, t, xi + c) * act_get(y, t, yi + c);
	return s;
}

/* Scaled scores of query row Q, head H into S; returns their log-sum-exp. */
static double scores(const struct kern_attn *a, const struct view *v, size_t q, uint32_t h, double *s)
{
	uint32_t kh = h / (a->heads / a->kv_heads);
	double max = -INFINITY, sum = 0;

	for (uint32_t j = v->first; j < v->last; j++) {
		s[j] = a->scale * dot(a->xt, a->q, q * a->ldq + (size_t)h * a->dk, a->k, key_row(v, j) * a->ldk + (size_t)kh * a->dk, a->dk);
		max = s[j] > max ? s[j] : max;
	}
	for (uint32_t j = v->first; j < v->last; j++)
		sum += exp(s[j] - max);
	return max + log(sum);
}

static uint32_t most_keys(const struct kern_attn *a)
{
	uint32_t n = 1;

	for (uint32_t i = 0; i < a->nseg; i++)
		if (a->seg[i].np + a->seg[i].nk > n)
			n = a->seg[i].np + a->seg[i].nk;
	return n;
}

static void query_forward(const struct kern_attn *a, const struct view *v, size_t q, uint32_t h, double *s)
{
	uint32_t kh = h / (a->heads / a->kv_heads);
	double lse = scores(a, v, q, h, s);

	if (a->lse != NULL)
		a->lse[q * a->heads + h] = (float)lse;
	for (uint32_t c = 0; c < a->dv; c++) {
		double o = 0;

		for (uint32_t j = v->first; j < v->last; j++)
			o += exp(s[j] - lse) * act_get(a->v, a->xt, key_row(v, j) * a->ldv + (size_t)kh * a->dv + c);
		act_put(a->o, a->xt, q * a->ldo + (size_t)h * a->dv + c, (float)o);
	}
}

void ref_attn(struct kern *k, const struct kern_attn *a)
{
	double *s = mem_new(most_keys(a) * sizeof *s);

	(void)k;
	for (uint32_t g = 0; g < a->nseg; g++)
		for (uint32_t i = 0; i < a->seg[g].nq; i++) {
			struct view v = view_of(a, &a->seg[g], i);

			for (uint32_t h = 0; h < a->heads; h++)
				query_forward(a, &v, a->seg[g].q0 + i, h, s);
		}
	mem_free(s);
}

/* Gradients of keys and values while they are summed: rows of all key/value heads. */
struct key_grads {
	double *k, *v;
	bool *covered;
	size_t rows;
};

static void query_backward(const struct kern_attn *a, const struct view *v, size_t q, uint32_t h, const void *dout, size_t lddo,
                           void *dq, struct key_grads *g, double *s, double *row)
{
	uint32_t kh = h / (a->heads / a->kv_heads);
	size_t at = q * a->ldq + (size_t)h * a->dk, dat = q * lddo + (size_t)h * a->dv;
	double lse = scores(a, v, q, h, s), mean = 0;

	for (uint32_t c = 0; c < a->dk; c++)
		row[c] = 0;
	for (uint32_t j = v->first; j < v->last; j++)
		mean += exp(s[j] - lse) * dot(a->xt, dout, dat, a->v, key_row(v, j) * a->ldv + (size_t)kh * a->dv, a->dv);
	for (uint32_t j = v->first; j < v->last; j++) {
		size_t r = key_row(v, j), kat = r * a->ldk + (size_t)kh * a->dk, vat = r * a->ldv + (size_t)kh * a->dv;
		double p = exp(s[j] - lse), ds = p * (dot(a->xt, dout, dat, a->v, vat, a->dv) - mean) * a->scale;

		for (uint32_t c = 0; c < a->dv; c++)
			g->v[(r * a->kv_heads + kh) * a->dv + c] += p * act_get(dout, a->xt, dat + c);
		for (uint32_t c = 0; c < a->dk; c++) {
			row[c] += ds * act_get(a->k, a->xt, kat + c);
			g->k[(r * a->kv_heads + kh) * a->dk + c] += ds * act_get(a->q, a->xt, at + c);
		}
		g->covered[r] = true;
	}
	for (uint32_t c = 0; c < a->dk; c++)
		act_put(dq, a->xt, at + c, (float)row[c]);
}

static void cover(struct key_grads *g, uint32_t first, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		g->covered[first + i] = true;
}

static void open_grads(struct key_grads *g, const struct kern_attn *a)
{
	for (uint32_t i = 0; i < a->nseg; i++) {
		const struct kern_seg *s = &a->seg[i];

		if (s->p0 + s->np > g->rows && s->np > 0)
			g->rows = s->p0 + s->np;
		if (s->k0 + s->nk > g->rows)
			g->rows = s->k0 + s->nk;
	}
	g->k = mem_new((g->rows * a->kv_heads * a->dk + 1) * sizeof *g->k);
	g->v = mem_new((g->rows * a->kv_heads * a->dv + 1) * sizeof *g->v);
	g->covered = mem_new(g->rows + 1);
	for (uint32_t i = 0; i < a->nseg; i++) {
		cover(g, a->seg[i].p0, a->seg[i].np);
		cover(g, a->seg[i].k0, a->seg[i].nk);
	}
}

void ref_attn_dx(struct kern *k, const struct kern_attn *a, const void *dout, size_t lddo, void *dq, void *dk, void *dv)
{
	struct key_grads g = { 0 };
	double *s = mem_new(most_keys(a) * sizeof *s), *row = mem_new((a->dk + 1) * sizeof *row);

	(void)k;
	open_grads(&g, a);
	for (uint32_t i = 0; i < a->nseg; i++)
		for (uint32_t j = 0; j < a->seg[i].nq; j++) {
			struct view v = view_of(a, &a->seg[i], j);

			for (uint32_t h = 0; h < a->heads; h++)
				query_backward(a, &v, a->seg[i].q0 + j, h, dout, lddo, dq, &g, s, row);
		}
	for (size_t r = 0; r < g.rows; r++) {
		if (!g.covered[r])
			continue;
		for (uint32_t c = 0; c < a->kv_heads * a->dk; c++)
			act_put(dk, a->xt, r * a->ldk + c, (float)g.k[r * a->kv_heads * a->dk + c]);
		for (uint32_t c = 0; c < a->kv_heads * a->dv; c++)
			act_put(dv, a->xt, r * a->ldv + c, (float)g.v[r * a->kv_heads * a->dv + c]);
	}
	mem_free(g.k);
	mem_free(g.v);
	mem_free(g.covered);
	mem_free(s);
	mem_free(row);
}
