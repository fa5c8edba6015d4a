/* SPDX-License-Identifier: Apache-2.0 */
/* y = x w^T for a few rows x (decoding): each row of w is read once where it lies, widened in registers, and multiplied with all rows of x in f32. */
#include "cudatile.h"

struct small {
	quant w;
	uint32_t t, r;
	const void *x; size_t ldx;
	const void *u; size_t ldu;
	const float *b, *bias;
	float scale;
	void *y; size_t ldy;
	bool wide, out_bf16, add;      /* x can be read 128 bits at a time */
};

template <typename T> __device__ __forceinline__ void small_x(const small &a, uint32_t i, uint32_t c, uint32_t n, float *f)
{
	const T *x = (const T *)a.x + i * a.ldx + c;

	if (a.wide && n == PACK)
		pack_get<PACK>(x, f);
	else
#pragma unroll
		for (uint32_t v = 0; v < PACK; v++)
			f[v] = v < n ? act_f(x[v]) : 0;
}

template <typename T> __device__ __forceinline__ void small_put(const small &a, uint32_t i, uint32_t j, float sum)
{
	size_t at = i * a.ldy + j;

	if (a.bias)
		sum += a.bias[j];
	if (a.add)
		sum += ((const float *)a.y)[at];
	if (a.out_bf16)
		((uint16_t *)a.y)[at] = f_bf16(sum);
	else
		((float *)a.y)[at] = sum;
}

/* A warp for ROWS rows of w and N of x (those that there are). */
/* bars: wide */
template <int W, bool FAST, typename T, int N, int ROWS> __global__ void __launch_bounds__(FLAT_THREADS, 3) k_small(small a)
{
	uint32_t first = (blockIdx.x * FLAT_THREADS + threadIdx.x) / WARP * ROWS, lane = threadIdx.x % WARP;
	float sum[N][ROWS] = { { 0 } }, w[ROWS][PACK], x[PACK];

	if (first >= a.w.rows)
		return;
#pragma unroll 1
	for (uint32_t c = lane * PACK; c < a.w.cols; c += WARP * PACK) {
		uint32_t n = 0;

#pragma unroll
		for (int r = 0; r < ROWS; r++)
			n = quant_get<W, FAST>(a.w, first + r < a.w.rows ? first + r : first, c, w[r]);
#pragma unroll
		for (int i = 0; i < N; i++) {
			small_x<T>(a, (uint32_t)i < a.t ? i : 0, c, n, x);
#pragma unroll
			for (int r = 0; r < ROWS; r++)
#pragma unroll
				for (int v = 0; v < PACK; v++)
					sum[i][r] += w[r][v] * x[v];
		}
	}
#pragma unroll
	for (int r = 0; r < ROWS; r++)
#pragma unroll
		for (int i = 0; i < N; i++) {
			uint32_t j = first + r;

			if ((uint32_t)i >= a.t || j >= a.w.rows)
				continue;
			for (uint32_t c = lane; c < a.r; c += WARP)
				sum[i][r] += act_f(((const T *)a.u)[i * a.ldu + c]) * act_f(f_act<T>(a.scale * a.b[(size_t)j * a.r + c]));
			sum[i][r] = warp_sum(sum[i][r]);
			if (lane == 0)
				small_put<T>(a, i, j, sum[i][r]);
		}
}

template <int W, bool FAST, typename T> static void small_launch(struct kern *k, const small &a)
{
	const uint32_t warps = FLAT_THREADS / WARP;
	cudaStream_t s = cuda_of(k)->stream;

	if (a.t == 1)
		LAUNCH((k_small<W, FAST, T, 1, 1>), cuda_blocks(a.w.rows, warps), FLAT_THREADS, 0, s, a);
	else if (a.t <= 4)
		LAUNCH((k_small<W, FAST, T, 4, 2>), cuda_blocks(a.w.rows, 2 * warps), FLAT_THREADS, 0, s, a);
	else
		LAUNCH((k_small<W, FAST, T, SMALL_ROWS, 1>), cuda_blocks(a.w.rows, warps), FLAT_THREADS, 0, s, a);
}

void cuda_linear_small(struct kern *k, const struct kern_linear *l)
{
	small a = { quant_of(&l->w), l->t, l->r, l->x, l->ldx, l->u, l->ldu, l->b, l->bias, l->scale, l->y, l->ldy, cuda_wide(l->x, l->ldx),
		    l->yt == DT_BF16, l->add };
	bool fast = l->w.cols % PACK == 0 && cuda_wide(l->w.p);

	CUDA_ACT(l->xt, T, QUANT_TYPES(l->w.type, W,
		if (fast && (W == DT_F32 || W == DT_BF16))
			small_launch<W, W == DT_F32 || W == DT_BF16, T>(k, a);
		else
			small_launch<W, false, T>(k, a);
	););
}
