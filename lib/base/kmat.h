/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_KMAT_H
#define SFT_KMAT_H
/* A weight matrix as it lies in memory or in a mapped file: what kernels multiply and what exporters copy. */
#include <stddef.h>
#include <stdint.h>
#include "dtype.h"

struct kmat {
	const void *p;                 /* [rows, cols], row-major without gaps, of any type that dtype_to_f32 knows */
	enum dtype  type;
	uint32_t    rows, cols;
	/* Block-scaled types (FP8): value (r, c) counts scale[r / block][c / block], rows of ceil(cols / block) scales.  NULL: 1. */
	const float *scale;
	uint32_t    block;
};

/* A matrix of f32 values. */
static inline struct kmat kmat_f32(const float *p, uint32_t rows, uint32_t cols)
{
	return (struct kmat){ .p = p, .type = DT_F32, .rows = rows, .cols = cols };
}

/* Bytes of a row. */
static inline size_t kmat_row_bytes(const struct kmat *m)
{
	return (size_t)m->cols / dtype_block(m->type) * dtype_bytes(m->type);
}

/* N values of row ROW from column COL on (both multiples of the type's block) as f32. */
void kmat_values(const struct kmat *m, uint32_t row, uint32_t col, uint32_t n, float *out);

/* D[i] *= the scales of row ROW from column COL on. */
void kmat_rescale(const struct kmat *m, uint32_t row, uint32_t col, uint32_t n, float *d);

#endif
