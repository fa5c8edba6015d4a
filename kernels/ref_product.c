/* SPDX-License-Identifier: Apache-2.0 */
/* The definition of the matrix products: plain loops, sums in double. */
#include "mem.h"
#include "ops.h"

static float rounded(enum dtype xt, float v)
{
	return xt == DT_BF16 ? bf16_to_f32(f32_to_bf16(v)) : v;
}

/* Row I of a weight matrix as f32, rounded as the operands of type XT ask for. */
static void weight_row(const struct kmat *w, uint32_t i, enum dtype xt, float *row)
{
	kmat_values(w, i, 0, w->cols, row);
	for (uint32_t j = 0; j < w->cols; j++)
		row[j] = rounded(xt, row[j]);
}

void ref_linear(struct kern *k, const struct kern_linear *a)
{
	float *row = mem_new(((size_t)a->w.cols + 1) * sizeof *row);

	(void)k;
	for (uint32_t j = 0; j < a->w.rows; j++) {
		weight_row(&a->w, j, a->xt, row);
		for (uint32_t i = 0; i < a->t; i++) {
			double s = a->bias ? a->bias[j] : 0;

			for (uint32_t c = 0; c < a->w.cols; c++)
				s += (double)act_get(a->x, a->xt, i * a->ldx + c) * row[c];
			for (uint32_t c = 0; c < a->r; c++)
				s += (double)act_get(a->u, a->xt, i * a->ldu + c) * rounded(a->xt, a->scale * a->b[(size_t)j * a->r + c]);
			if (a->add)
				s += ((const float *)a->y)[i * a->ldy + j];
			act_put(a->y, a->yt, i * a->ldy + j, (float)s);
		}
	}
	mem_free(row);
}

void ref_linear_dx(struct kern *k, const struct kern_linear_dx *a)
{
	uint32_t n = a->w.cols;
	float *row = mem_new(((size_t)n + 1) * sizeof *row);
	double *s = mem_new(((size_t)a->t * n + 1) * sizeof *s);

	(void)k;
	for (uint32_t j = 0; j < a->w.rows; j++) {
		weight_row(&a->w, j, a->xt, row);
		for (uint32_t i = 0; i < a->t; i++) {
			double d = (double)a->alpha * act_get(a->dy, a->xt, i * a->lddy + j);

			for (uint32_t c = 0; c < n; c++)
				s[(size_t)i * n + c] += d * row[c];
		}
	}
	for (uint32_t i = 0; i < a->t; i++)
		for (uint32_t c = 0; c < n; c++) {
			double v = s[(size_t)i * n + c];

			for (uint32_t j = 0; j < a->r; j++)
				v += (double)act_get(a->du, a->xt, i * a->lddu + j) * rounded(a->xt, a->a[(size_t)j * n + c]);
			if (a->add)
				v += ((const float *)a->dx)[i * a->lddx + c];
			act_put(a->dx, a->yt, i * a->lddx + c, (float)v);
		}
	mem_free(s);
	mem_free(row);
}

void ref_outer(struct kern *k, uint32_t t, uint32_t m, uint32_t n, float alpha, enum dtype xt, const void *p, size_t ldp,
               const void *q, size_t ldq, float *g, size_t ldg)
{
	double *s = mem_new(((size_t)n + 1) * sizeof *s);

	(void)k;
	for (uint32_t i = 0; i < m; i++) {
		for (uint32_t j = 0; j < n; j++)
			s[j] = 0;
		for (uint32_t c = 0; c < t; c++)
			for (uint32_t j = 0; j < n; j++)
				s[j] += (double)act_get(p, xt, c * ldp + i) * act_get(q, xt, c * ldq + j);
		for (uint32_t j = 0; j < n; j++)
			g[i * ldg + j] = (float)(g[i * ldg + j] + alpha * s[j]);
	}
	mem_free(s);
}

void ref_colsum(struct kern *k, uint32_t t, uint32_t n, enum dtype xt, const void *dy, size_t lddy, float *gb)
{
	(void)k;
	for (uint32_t j = 0; j < n; j++) {
		double s = gb[j];

		for (uint32_t i = 0; i < t; i++)
			s += act_get(dy, xt, i * lddy + j);
		gb[j] = (float)s;
	}
}

void ref_embed(struct kern *k, uint32_t t, struct kmat table, const uint32_t *ids, float *x)
{
	(void)k;
	for (uint32_t i = 0; i < t; i++)
		weight_row(&table, ids[i], DT_F32, x + (size_t)i * table.cols);
}

void ref_embed_dx(struct kern *k, uint32_t t, uint32_t n, const float *dx, const uint32_t *ids, float *gtable)
{
	(void)k;
	for (uint32_t i = 0; i < t; i++)
		for (uint32_t j = 0; j < n; j++)
			gtable[(size_t)ids[i] * n + j] += dx[(size_t)i * n + j];
}
