/* SPDX-License-Identifier: Apache-2.0 */
/* What DoRA needs beside the common operations: see ref_dora.c. */
#include "cudapack.h"

/* A warp for each output; lanes take the columns of A A^T. */
static __global__ void __launch_bounds__(FLAT_THREADS) k_dora_norm(uint32_t out, uint32_t r, float scale, const float *w2, const float *wa, const float *b,
                                                                  const float *aat, float *norm)
{
	uint32_t o = (blockIdx.x * FLAT_THREADS + threadIdx.x) / WARP, lane = threadIdx.x % WARP;
	const float *bo = b + (size_t)o * r;
	double cross = 0, own = 0;

	for (uint32_t j = lane; o < out && j < r; j += WARP) {
		double row = 0;

		for (uint32_t i = 0; i < r; i++)
			row += (double)aat[(size_t)i * r + j] * bo[i];
		own += row * bo[j];
		cross += (double)wa[(size_t)j * out + o] * bo[j];
	}
	cross = warp_sum(cross);
	own = warp_sum(own);
	if (o < out && lane == 0)
		norm[o] = (float)sqrt(w2[o] + 2 * (double)scale * cross + (double)scale * scale * own);
}

void cuda_dora_norm(struct kern *k, uint32_t out, uint32_t r, float scale, const float *w2, const float *wa, const float *b, const float *aat, float *norm)
{
	if (out > 0)
		LAUNCH(k_dora_norm, cuda_blocks(out, FLAT_THREADS / WARP), FLAT_THREADS, 0, cuda_of(k)->stream, out, r, scale, w2, wa, b, aat, norm);
}

template <typename Y> struct grid_dora {
	uint32_t n;
	const float *src, *mag, *norm, *bias;
	Y *y; size_t ldy;
	bool add;
	template <int V> __device__ void at(uint32_t i, uint32_t c) const
	{
		float f[V], m[V], w[V], b[V] = { 0 };

		pack_get<V>(src + (size_t)i * n + c, f);
		pack_get<V>(mag + c, m);
		pack_get<V>(norm + c, w);
		if (bias)
			pack_get<V>(bias + c, b);
#pragma unroll
		for (int v = 0; v < V; v++)
			f[v] = f[v] * (m[v] / w[v]) + b[v];
		if (add) {
			pack_get<V>(y + i * ldy + c, m);
#pragma unroll
			for (int v = 0; v < V; v++)
				f[v] += m[v];
		}
		pack_put<V>(y + i * ldy + c, f);
	}
};

void cuda_dora_scale(struct kern *k, uint32_t t, uint32_t n, const float *src, const float *mag, const float *norm, const float *bias,
                     void *y, size_t ldy, enum dtype yt, bool add)
{
	bool wide = cuda_wide(src, n) && cuda_wide(mag) && cuda_wide(norm) && cuda_wide(bias) && cuda_wide(y, ldy);

	CUDA_ACT(yt, Y, cuda_grid(k, t, n, wide, grid_dora<Y>{ n, src, mag, norm, bias, (Y *)y, ldy, add }););
}

template <typename T> struct grid_dora_dx {
	uint32_t n;
	const T *dy;
	const float *mag, *norm;
	T *dsrc;
	template <int V> __device__ void at(uint32_t i, uint32_t c) const
	{
		float d[V], m[V], w[V];

		pack_get<V>(dy + (size_t)i * n + c, d);
		pack_get<V>(mag + c, m);
		pack_get<V>(norm + c, w);
#pragma unroll
		for (int v = 0; v < V; v++)
			d[v] *= m[v] / w[v];
		pack_put<V>(dsrc + (size_t)i * n + c, d);
	}
};

/* dy * src / norm: what the magnitude's gradient sums. */
template <typename T> struct cols_dora {
	uint32_t n;
	const T *dy;
	const float *src, *norm;
	template <int V> __device__ void value(uint32_t i, uint32_t c, float *out) const
	{
		float s[V], w[V];

		pack_get<V>(dy + (size_t)i * n + c, out);
		pack_get<V>(src + (size_t)i * n + c, s);
		pack_get<V>(norm + c, w);
#pragma unroll
		for (int v = 0; v < V; v++)
			out[v] *= s[v] / w[v];
	}
};

void cuda_dora_scale_dx(struct kern *k, uint32_t t, uint32_t n, enum dtype xt, const void *dy, const float *src, const float *mag, const float *norm,
                        void *dsrc, float *gmag)
{
	bool wide = cuda_wide(dy, n) && cuda_wide(src, n) && cuda_wide(mag) && cuda_wide(norm) && cuda_wide(dsrc, n);

	if (t == 0 || n == 0)
		return;
	CUDA_ACT(xt, T,
		cuda_cols(k, t, n, wide, cols_dora<T>{ n, (const T *)dy, src, norm }, cols_add{ gmag }, (float *)cuda_scratch(k, cuda_cols_room(t, n)));
		cuda_grid(k, t, n, wide, grid_dora_dx<T>{ n, (const T *)dy, mag, norm, (T *)dsrc });
	);
}
