/* SPDX-License-Identifier: Apache-2.0 */
#include "kmat.h"

void kmat_rescale(const struct kmat *m, uint32_t row, uint32_t col, uint32_t n, float *d)
{
	const float *scale;

	if (m->scale == NULL)
		return;
	scale = m->scale + (size_t)(row / m->block) * ((m->cols + m->block - 1) / m->block);
	for (uint32_t i = 0, past; i < n; i = past) {
		float s = scale[(col + i) / m->block];

		past = ((col + i) / m->block + 1) * m->block - col;
		past = past < n ? past : n;
		for (uint32_t k = i; k < past; k++)
			d[k] *= s;
	}
}

void kmat_values(const struct kmat *m, uint32_t row, uint32_t col, uint32_t n, float *out)
{
	const char *p = (const char *)m->p + row * kmat_row_bytes(m) + (size_t)col / dtype_block(m->type) * dtype_bytes(m->type);

	dtype_to_f32(m->type, p, out, n);
	kmat_rescale(m, row, col, n, out);
}
