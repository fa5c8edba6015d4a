/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_CUDAATTNMMA_H
#define SFT_CUDAATTNMMA_H
/* Tiles of bf16 rows in shared memory and their products on tensor cores: m16n8k16, a warp for 16 rows.
 *
 * A tile of D values a row has rows of D + 8, so that the eight rows of an ldmatrix lie in different banks.  Values beyond those there are, and rows
 * without a source, are 0. */
#include "cudaattn.h"

#define LOG2E 1.4426950408889634f
#define LN2 0.6931471805599453f

enum { TILE_PAD = 8 };

/* ROWS rows into TILE; row(r) is where row R lies (D_THERE values), or NULL.  ANY is some address that can be read. */
template <int ROWS, int D, typename ROW>
__device__ __forceinline__ void tile_load(uint16_t *tile, const void *any, uint32_t there, bool wide, const ROW &row)
{
#pragma unroll 1                       /* more would take the registers that the sums need */
	for (uint32_t i = threadIdx.x; i < ROWS * (D / PACK); i += ATTN_THREADS) {
		uint32_t r = i / (D / PACK), c = i % (D / PACK) * PACK;
		const uint16_t *p = row(r);
		uint16_t *to = tile + r * (D + TILE_PAD) + c;

		if (wide) {
			bool in = p != NULL && c < there;

			cp_async16(to, in ? (const void *)(p + c) : any, in ? 16 : 0);
		} else {
#pragma unroll
			for (uint32_t j = 0; j < PACK; j++)
				to[j] = p != NULL && c + j < there ? p[c + j] : (uint16_t)0;
		}
	}
}

/* Rows ROW to ROW + 15 of TILE, columns COL to COL + 15: the left operand. */
template <int D> __device__ __forceinline__ void tile_left(uint32_t a[4], const uint16_t *tile, uint32_t row, uint32_t col)
{
	uint32_t lane = threadIdx.x % WARP;

	ldmatrix4(a, tile + (row + lane % 16) * (D + TILE_PAD) + col + lane / 16 * 8);
}
/* sum[2] += a (its columns COL ...) times rows ROW to ROW + 15 of TILE, turned: two results of 8 columns. */
template <int D> __device__ __forceinline__ void tile_rows_mma(float (*sum)[4], const uint32_t a[4], const uint16_t *tile, uint32_t row, uint32_t col)
{
	uint32_t lane = threadIdx.x % WARP, b[4];

	ldmatrix4(b, tile + (row + lane % 8 + lane / 16 * 8) * (D + TILE_PAD) + col + lane / 8 % 2 * 8);
	mma16816(sum[0], a, b);
	mma16816(sum[1], a, b + 2);
}
/* sum[2] += a times rows ROW to ROW + 15, columns COL to COL + 15, of TILE as it lies. */
template <int D> __device__ __forceinline__ void tile_cols_mma(float (*sum)[4], const uint32_t a[4], const uint16_t *tile, uint32_t row, uint32_t col)
{
	uint32_t lane = threadIdx.x % WARP, b[4];

	ldmatrix4_t(b, tile + (row + lane % 16) * (D + TILE_PAD) + col + lane / 16 * 8);
	mma16816(sum[0], a, b);
	mma16816(sum[1], a, b + 2);
}

/* sum [16, N] += rows of LEFT from LROW on, times N rows of RIGHT turned: all D values. */
template <int D, int N>
__device__ __forceinline__ void tile_product(float (*sum)[4], const uint16_t *left, uint32_t lrow, const uint16_t *right)
{
#pragma unroll
	for (int kk = 0; kk < D; kk += 16) {
		uint32_t a[4];

		tile_left<D>(a, left, lrow, kk);
#pragma unroll
		for (int n = 0; n < N; n += 16)
			tile_rows_mma<D>(sum + n / 8, a, right, n, kk);
	}
}
/* sum [16, D] += p [16, N] (results of a product, rounded to bf16) times N rows of RIGHT. */
template <int D, int N> __device__ __forceinline__ void tile_weigh(float (*sum)[4], const float (*p)[4], const uint16_t *right)
{
#pragma unroll
	for (int n = 0; n < N; n += 16) {
		const float *lo = p[n / 8], *hi = p[n / 8 + 1];
		uint32_t a[4] = { pack_bf16(lo[0], lo[1]), pack_bf16(lo[2], lo[3]), pack_bf16(hi[0], hi[1]), pack_bf16(hi[2], hi[3]) };

#pragma unroll
		for (int d = 0; d < D; d += 16)
			tile_cols_mma<D>(sum + d / 8, a, right, n, d);
	}
}

/* Row R of a result times BY to OUT: the two values of each of N / 8 pieces that this thread has, HALF 0 or 1, as far as there are THERE columns. */
template <int N> __device__ __forceinline__ void tile_put(const float (*sum)[4], int half, float by, uint16_t *out, uint32_t there, bool wide)
{
	uint32_t c = threadIdx.x % 4 * 2;

#pragma unroll
	for (int n = 0; n < N; n += 8) {
		float x = sum[n / 8][2 * half] * by, y = sum[n / 8][2 * half + 1] * by;

		if (wide && n + c < there) {
			*reinterpret_cast<uint32_t *>(out + n + c) = pack_bf16(x, y);
		} else {
			if (n + c < there)
				out[n + c] = f_bf16(x);
			if (n + c + 1 < there)
				out[n + c + 1] = f_bf16(y);
		}
	}
}

/* Over the four lanes that share a row. */
__device__ __forceinline__ float quad_max(float v)
{
	v = fmaxf(v, __shfl_xor_sync(FULL, v, 1));
	return fmaxf(v, __shfl_xor_sync(FULL, v, 2));
}
__device__ __forceinline__ float quad_sum(float v)
{
	v += __shfl_xor_sync(FULL, v, 1);
	return v + __shfl_xor_sync(FULL, v, 2);
}

#endif
