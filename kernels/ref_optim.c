/* SPDX-License-Identifier: Apache-2.0 */
/* The definition of the optimisers. */
#include <math.h>

#include "mem.h"
#include "ops.h"

void ref_adamw(struct kern *k, size_t n, const struct kern_adamw *a, float *p, const float *g, float *m, float *v)
{
	(void)k;
	for (size_t i = 0; i < n; i++) {
		double gi = a->gscale * g[i], pi = p[i] * (1 - a->lr * a->decay);

		m[i] = (float)(a->beta1 * m[i] + (1 - a->beta1) * gi);
		v[i] = (float)(a->beta2 * v[i] + (1 - a->beta2) * gi * gi);
		p[i] = (float)(pi - a->lr * (m[i] / a->c1) / (sqrt(v[i] / a->c2) + a->eps));
	}
}

void ref_sgd(struct kern *k, size_t n, const struct kern_sgd *a, float *p, const float *g, float *m)
{
	(void)k;
	for (size_t i = 0; i < n; i++) {
		double d = a->gscale * g[i] + a->decay * p[i];

		m[i] = (float)(a->first ? d : a->momentum * m[i] + d);
		p[i] = (float)(p[i] - a->lr * m[i]);
	}
}

void ref_lion(struct kern *k, size_t n, const struct kern_lion *a, float *p, const float *g, float *m)
{
	(void)k;
	for (size_t i = 0; i < n; i++) {
		double gi = a->gscale * g[i], c = a->beta1 * m[i] + (1 - a->beta1) * gi;

		p[i] = (float)(p[i] * (1 - a->lr * a->decay) - a->lr * ((c > 0) - (c < 0)));
		m[i] = (float)(a->beta2 * m[i] + (1 - a->beta2) * gi);
	}
}

/* Moving means of the squares: of each row (where there are several) and of each column.  Returns the mean of the rows'. */
static double factor_means(uint32_t rows, uint32_t cols, const struct kern_adafactor *a, const float *g, float *row, float *col)
{
	double *sum = mem_grow(NULL, cols, sizeof *sum), mean = 0;

	for (uint32_t j = 0; j < cols; j++)
		sum[j] = 0;
	for (uint32_t i = 0; i < rows; i++) {
		double of_row = 0;

		for (uint32_t j = 0; j < cols; j++) {
			double gi = a->gscale * g[(size_t)i * cols + j], sq = gi * gi + a->eps;

			of_row += sq;
			sum[j] += sq;
		}
		if (rows > 1) {
			row[i] = (float)(a->beta2 * row[i] + (1 - a->beta2) * of_row / cols);
			mean += row[i] / (double)rows;
		}
	}
	for (uint32_t j = 0; j < cols; j++)
		col[j] = (float)(a->beta2 * col[j] + (1 - a->beta2) * sum[j] / rows);
	mem_free(sum);
	return mean;
}

void ref_adafactor(struct kern *k, uint32_t rows, uint32_t cols, const struct kern_adafactor *a, float *p, const float *g, float *row, float *col)
{
	double mean, squares = 0, shrink;

	(void)k;
	if (rows == 0 || cols == 0)
		return;
	mean = factor_means(rows, cols, a, g, row, col);
	for (int apply = 0; apply < 2; apply++) {
		shrink = fmax(1, sqrt(squares / ((double)rows * cols)) / a->threshold);
		for (uint32_t i = 0; i < rows; i++)
			for (uint32_t j = 0; j < cols; j++) {
				size_t at = (size_t)i * cols + j;
				double u = a->gscale * g[at] / sqrt(col[j]) / (rows > 1 ? sqrt(row[i] / mean) : 1);

				if (apply)
					p[at] = (float)(p[at] * (1 - a->lr * a->decay) - a->lr * u / shrink);
				else
					squares += u * u;
			}
	}
}
