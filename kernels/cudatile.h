/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_CUDATILE_H
#define SFT_CUDATILE_H
/* What the products share. */
#include "cudaquant.h"

/* cudaquant.cu: OUT [rows, cols] of TYPE (f32 or bf16), rows of LD values, 16-byte aligned: rows ROW ... and columns COL ... (a multiple of the type's
 * block) of W as values. */
void cuda_tile(struct kern *k, const struct kmat *w, uint32_t row, uint32_t rows, uint32_t col, uint32_t cols, enum dtype type, void *out, size_t ld);

/* cudasmall.cu: kern_linear for 1 to SMALL_ROWS rows: weights are read once where they lie, and not rounded. */
enum { SMALL_ROWS = 8 };
void cuda_linear_small(struct kern *k, const struct kern_linear *a);

#endif
