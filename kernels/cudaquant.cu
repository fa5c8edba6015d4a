/* SPDX-License-Identifier: Apache-2.0 */
/* Weights of any type into tiles that cuBLAS multiplies, and rows of an embedding table. */
#include "cudatile.h"

/* out[i][c] for rows ROW ... and columns COL ... of Q: a thread takes 8 values. */
template <int W, bool FAST, typename D>
__global__ void __launch_bounds__(FLAT_THREADS) k_tile(quant q, uint32_t row, uint32_t rows, uint32_t col, uint32_t cols, D *out, size_t ld)
{
	size_t at = (size_t)blockIdx.x * FLAT_THREADS + threadIdx.x;
	uint32_t packs = (cols + PACK - 1) / PACK, i = (uint32_t)(at / packs), c = (uint32_t)(at % packs) * PACK;
	float f[PACK];

	if (i >= rows)
		return;
	quant_get<W, FAST>(q, row + i, col + c, f);
	if (c + PACK <= cols && ld % PACK == 0)
		pack_put<PACK>(out + i * ld + c, f);
	else
		for (uint32_t j = 0; j < PACK && c + j < cols; j++)
			out[i * ld + c + j] = f_act<D>(f[j]);
}

void cuda_tile(struct kern *k, const struct kmat *w, uint32_t row, uint32_t rows, uint32_t col, uint32_t cols, enum dtype type, void *out, size_t ld)
{
	uint32_t blocks = cuda_blocks((size_t)rows * ((cols + PACK - 1) / PACK), FLAT_THREADS);
	bool fast = w->cols % PACK == 0 && cuda_wide(w->p);
	quant q = quant_of(w);

	if (rows == 0 || cols == 0)
		return;
	CUDA_ACT(type, D, QUANT_TYPES(w->type, W,
		if (fast && (W == DT_F32 || W == DT_BF16))
			LAUNCH((k_tile<W, W == DT_F32 || W == DT_BF16, D>), blocks, FLAT_THREADS, 0, cuda_of(k)->stream, q, row, rows, col, cols, (D *)out, ld);
		else
			LAUNCH((k_tile<W, false, D>), blocks, FLAT_THREADS, 0, cuda_of(k)->stream, q, row, rows, col, cols, (D *)out, ld);
	););
}

template <int W> __global__ void __launch_bounds__(FLAT_THREADS) k_embed(quant q, uint32_t t, const uint32_t *ids, float *x)
{
	size_t at = (size_t)blockIdx.x * FLAT_THREADS + threadIdx.x;
	uint32_t packs = (q.cols + PACK - 1) / PACK, i = (uint32_t)(at / packs), c = (uint32_t)(at % packs) * PACK;
	float f[PACK];

	if (i >= t)
		return;
	quant_get<W, false>(q, ids[i], c, f);
	if (c + PACK <= q.cols && q.cols % PACK == 0)
		pack_put<PACK>(x + (size_t)i * q.cols + c, f);
	else
		for (uint32_t j = 0; j < PACK && c + j < q.cols; j++)
			x[(size_t)i * q.cols + c + j] = f[j];
}

void cuda_embed(struct kern *k, uint32_t t, struct kmat table, const uint32_t *ids, float *x)
{
	uint32_t blocks = cuda_blocks((size_t)t * ((table.cols + PACK - 1) / PACK), FLAT_THREADS);

	if (t == 0 || table.cols == 0)
		return;
	QUANT_TYPES(table.type, W, LAUNCH((k_embed<W>), blocks, FLAT_THREADS, 0, cuda_of(k)->stream, quant_of(&table), t, ids, x););
}
