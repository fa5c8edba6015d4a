/* SPDX-License-Identifier: Apache-2.0 */
#include "fold.h"

#include <math.h>
#include <string.h>

enum { CHUNK = 1024 };             /* values widened at a time: a multiple of every block */

bool fold_changes(const struct fold *f, size_t place)
{
	return f->l && f->l->site[place].rank > 0;
}

/* OUT = row of B times A. */
static void product(const float *b, const float *a, uint32_t rank, uint32_t cols, float *out)
{
	memset(out, 0, cols * sizeof *out);
	for (uint32_t k = 0; k < rank; k++)
		for (uint32_t j = 0; j < cols; j++)
			out[j] += b[k] * a[(size_t)k * cols + j];
}

/* OUT = row of W + scale * OUT. */
static void add_base(const struct weight *w, uint32_t row, float scale, float *out)
{
	struct kmat mat = weight_mat(w);
	float base[CHUNK];

	for (uint32_t j = 0, n; j < w->cols; j += n) {
		n = w->cols - j < CHUNK ? w->cols - j : CHUNK;
		kmat_values(&mat, row, j, n, base);
		for (uint32_t i = 0; i < n; i++)
			out[j + i] = base[i] + scale * out[j + i];
	}
}

/* The row to length M; one without a direction stays zero. */
static void set_length(float *row, uint32_t n, float m)
{
	double sum = 0;
	float by;

	for (uint32_t j = 0; j < n; j++)
		sum += (double)row[j] * row[j];
	by = sum > 0 ? (float)(m / sqrt(sum)) : 0;
	for (uint32_t j = 0; j < n; j++)
		row[j] *= by;
}

void fold_rows(const struct fold *f, size_t place, uint32_t first, uint32_t n, float *out)
{
	const struct weight *w = &f->w->w[place];
	const struct lora_site *s = &f->l->site[place];
	const float *a = f->p + s->a, *b = f->p + s->b;

	for (uint32_t r = first; r < first + n; r++, out += w->cols) {
		product(b + (size_t)r * s->rank, a, s->rank, w->cols, out);
		add_base(w, r, s->scale, out);
		if (f->l->dora)
			set_length(out, w->cols, f->p[s->m + r]);
	}
}
