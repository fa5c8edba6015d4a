/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_CUDAPACK_H
#define SFT_CUDAPACK_H
/* Several values at a time, and the shape that all element-wise kernels have.
 *
 * V is 8 where addresses are multiples of 16 bytes (cuda_wide()), else 1: 8 values of f32 are two 128-bit accesses, of bf16 one. */
#include "cudakern.h"

enum { PACK = 8, FLAT_THREADS = 256 };

template <int V> __device__ __forceinline__ void pack_get(const float *p, float *f)
{
	if (V == 1) {
		f[0] = *p;
	} else {
		for (int h = 0; h < V; h += 4) {
			float4 a = *reinterpret_cast<const float4 *>(p + h);

			f[h] = a.x;
			f[h + 1] = a.y;
			f[h + 2] = a.z;
			f[h + 3] = a.w;
		}
	}
}

template <int V> __device__ __forceinline__ void pack_get(const uint16_t *p, float *f)
{
	if (V == 1) {
		f[0] = bf16_f(*p);
	} else {
		uint4 a = *reinterpret_cast<const uint4 *>(p);
		uint32_t w[4] = { a.x, a.y, a.z, a.w };

#pragma unroll
		for (int i = 0; i < 4; i++) {
			f[2 * i] = bf16_f((uint16_t)(w[i] & 0xffff));
			f[2 * i + 1] = bf16_f((uint16_t)(w[i] >> 16));
		}
	}
}

template <int V> __device__ __forceinline__ void pack_put(float *p, const float *f)
{
	if (V == 1) {
		*p = f[0];
	} else {
		for (int h = 0; h < V; h += 4) {
			float4 a;

			a.x = f[h];
			a.y = f[h + 1];
			a.z = f[h + 2];
			a.w = f[h + 3];
			*reinterpret_cast<float4 *>(p + h) = a;
		}
	}
}

template <int V> __device__ __forceinline__ void pack_put(uint16_t *p, const float *f)
{
	if (V == 1) {
		*p = f_bf16(f[0]);
	} else {
		uint4 a;

		a.x = pack_bf16(f[0], f[1]);
		a.y = pack_bf16(f[2], f[3]);
		a.z = pack_bf16(f[4], f[5]);
		a.w = pack_bf16(f[6], f[7]);
		*reinterpret_cast<uint4 *>(p) = a;
	}
}

/* OP has a template at<V>(size_t i): values I to I + V - 1 of N. */
template <typename OP> __global__ void __launch_bounds__(FLAT_THREADS) k_flat(OP op, size_t n, bool wide)
{
	size_t i = ((size_t)blockIdx.x * FLAT_THREADS + threadIdx.x) * PACK;

	if (wide && i + PACK <= n)
		op.template at<PACK>(i);
	else
		for (size_t end = i + PACK; i < end && i < n; i++)
			op.template at<1>(i);
}

template <typename OP> static inline void cuda_flat(struct kern *k, size_t n, bool wide, OP op)
{
	if (n > 0)
		LAUNCH((k_flat<OP>), cuda_blocks(n, FLAT_THREADS * PACK), FLAT_THREADS, 0, cuda_of(k)->stream, op, n, wide);
}

/* OP has a template at<V>(uint32_t i, uint32_t c): values C to C + V - 1 of row I.  T rows of N values; with WIDE, N is a multiple of 8. */
template <typename OP, int V> __global__ void __launch_bounds__(FLAT_THREADS) k_grid(OP op, uint32_t t, uint32_t n)
{
	size_t i = (size_t)blockIdx.x * FLAT_THREADS + threadIdx.x;
	uint32_t packs = n / V, row = (uint32_t)(i / packs);

	if (row < t)
		op.template at<V>(row, (uint32_t)(i % packs) * V);
}

template <typename OP> static inline void cuda_grid(struct kern *k, uint32_t t, uint32_t n, bool wide, OP op)
{
	if (t == 0 || n == 0)
		return;
	if (wide)
		LAUNCH((k_grid<OP, PACK>), cuda_blocks((size_t)t * (n / PACK), FLAT_THREADS), FLAT_THREADS, 0, cuda_of(k)->stream, op, t, n);
	else
		LAUNCH((k_grid<OP, 1>), cuda_blocks((size_t)t * n, FLAT_THREADS), FLAT_THREADS, 0, cuda_of(k)->stream, op, t, n);
}

/* Whether P (NULL: nothing there) can be read 128 bits at a time, in rows of LD values too. */
static inline bool cuda_wide(const void *p, size_t ld = PACK)
{
	return (uintptr_t)p % 16 == 0 && ld % PACK == 0;
}

/* The body for the act type T: A is the name of its C type there. */
#define CUDA_ACT(T, A, ...) do { \
	if ((T) == DT_BF16) { \
		typedef uint16_t A; \
		__VA_ARGS__ \
	} else { \
		typedef float A; \
		__VA_ARGS__ \
	} \
} while (0)

/* --- sums of columns --- */

enum { COL_LANES = 32, COL_ROWS = 8, COL_PARTS = 256, COL_LEAST = 64 };

/* The rows that one block sums, for T in all: at least COL_LEAST, and at most COL_PARTS blocks. */
static inline uint32_t cuda_col_rows(uint32_t t)
{
	uint32_t rows = (t + COL_PARTS - 1) / COL_PARTS;

	return rows < COL_LEAST ? (uint32_t)COL_LEAST : rows;
}

/* part[block][c] = the sum over the block's rows of OP::value<V>(row, c, f). */
template <typename OP, int V> __global__ void __launch_bounds__(COL_LANES * COL_ROWS) k_cols(OP op, uint32_t t, uint32_t n, uint32_t rows, float *part)
{
	__shared__ float sm[COL_ROWS][COL_LANES * V];
	uint32_t lane = threadIdx.x % COL_LANES, own = threadIdx.x / COL_LANES, c = (blockIdx.x * COL_LANES + lane) * V;
	uint32_t first = blockIdx.y * rows, end = first + rows < t ? first + rows : t;
	float sum[V] = { 0 };

	for (uint32_t i = first + own; c < n && i < end; i += COL_ROWS) {
		float f[V];

		op.template value<V>(i, c, f);
#pragma unroll
		for (int v = 0; v < V; v++)
			sum[v] += f[v];
	}
#pragma unroll
	for (int v = 0; v < V; v++)
		sm[own][v * COL_LANES + lane] = sum[v];
	__syncthreads();
	if (own == 0 && c < n)
		for (int v = 0; v < V; v++) {
			float s = 0;

			for (int r = 0; r < COL_ROWS; r++)
				s += sm[r][v * COL_LANES + lane];
			part[(size_t)blockIdx.y * n + c + v] = s;
		}
}

/* end.put(c, sum of the parts of column c, in double). */
template <typename END> __global__ void __launch_bounds__(FLAT_THREADS) k_cols_end(END end, uint32_t n, uint32_t parts, const float *part)
{
	uint32_t c = blockIdx.x * FLAT_THREADS + threadIdx.x;
	double sum = 0;

	if (c >= n)
		return;
	for (uint32_t i = 0; i < parts; i++)
		sum += part[(size_t)i * n + c];
	end.put(c, sum);
}

/* Sums the columns of T rows of N values in a fixed order.  PART: room for cuda_cols_room() bytes. */
static inline size_t cuda_cols_room(uint32_t t, uint32_t n)
{
	return (size_t)cuda_blocks(t, cuda_col_rows(t)) * n * sizeof(float) + 256;
}
template <typename OP, typename END>
static inline void cuda_cols(struct kern *k, uint32_t t, uint32_t n, bool wide, OP op, END end, float *part)
{
	uint32_t rows = cuda_col_rows(t), parts = cuda_blocks(t, rows);

	if (t == 0 || n == 0)
		return;
	if (wide)
		LAUNCH((k_cols<OP, PACK>), dim3(cuda_blocks(n, COL_LANES * PACK), parts), COL_LANES * COL_ROWS, 0, cuda_of(k)->stream, op, t, n, rows, part);
	else
		LAUNCH((k_cols<OP, 1>), dim3(cuda_blocks(n, COL_LANES), parts), COL_LANES * COL_ROWS, 0, cuda_of(k)->stream, op, t, n, rows, part);
	LAUNCH((k_cols_end<END>), cuda_blocks(n, FLAT_THREADS), FLAT_THREADS, 0, cuda_of(k)->stream, end, n, parts, (const float *)part);
}

/* gb[c] += sum. */
struct cols_add {
	float *gb;
	__device__ void put(uint32_t c, double sum) const { gb[c] = (float)(gb[c] + sum); }
};

#endif
