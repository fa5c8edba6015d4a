/* SPDX-License-Identifier: Apache-2.0 */
/* Dropout and noise from numbers without a state: those of ops.h's noise_row() and noise_bits(), so the same values are dropped as on the processor. */
#include "cudapack.h"

struct drawn {
	const uint64_t *key;
	const uint32_t *row;
	uint64_t salt;
	uint32_t limit;
	float up;                      /* 1 / (1 - p) */
	/* rng_mix() of the row's key and salt: splitmix64. */
	__device__ __forceinline__ uint32_t of_row(uint32_t i) const
	{
		uint64_t x = key[row ? row[i] : i] + (salt + 1) * UINT64_C(0x9e3779b97f4a7c15);

		x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
		return (uint32_t)((x ^ x >> 31) >> 32);
	}
	__device__ __forceinline__ static uint32_t bits(uint32_t of, uint32_t c)
	{
		uint32_t h = of + c * UINT32_C(0x9e3779b9);

		h = (h ^ h >> 16) * UINT32_C(0x85ebca6b);
		h = (h ^ h >> 13) * UINT32_C(0xc2b2ae35);
		return h ^ h >> 16;
	}
};

static drawn drawn_of(const struct kern_drop *a)
{
	return { a->key, a->row, a->salt, noise_limit(a->p), 1 / (1 - a->p) };
}

template <typename T> struct grid_dropout {
	drawn d;
	uint32_t n;
	const T *x;
	T *y;
	template <int V> __device__ void at(uint32_t i, uint32_t c) const
	{
		uint32_t of = d.of_row(i);
		float f[V];

		pack_get<V>(x + (size_t)i * n + c, f);
#pragma unroll
		for (int v = 0; v < V; v++)
			f[v] = drawn::bits(of, c + v) >= d.limit ? f[v] * d.up : 0;
		pack_put<V>(y + (size_t)i * n + c, f);
	}
};

void cuda_dropout(struct kern *k, const struct kern_drop *a, enum dtype xt, const void *x, void *y)
{
	bool wide = cuda_wide(x, a->n) && cuda_wide(y, a->n);

	CUDA_ACT(xt, T, cuda_grid(k, a->t, a->n, wide, grid_dropout<T>{ drawn_of(a), a->n, (const T *)x, (T *)y }););
}

template <typename T> struct grid_dropout_dx {
	drawn d;
	uint32_t n;
	const float *src;
	T *dst;
	template <int V> __device__ void at(uint32_t i, uint32_t c) const
	{
		uint32_t of = d.of_row(i);
		float f[V], g[V];

		pack_get<V>(src + (size_t)i * n + c, f);
		pack_get<V>(dst + (size_t)i * n + c, g);
#pragma unroll
		for (int v = 0; v < V; v++)
			g[v] += drawn::bits(of, c + v) >= d.limit ? f[v] * d.up : 0;
		pack_put<V>(dst + (size_t)i * n + c, g);
	}
};

void cuda_dropout_dx(struct kern *k, const struct kern_drop *a, const float *src, void *dst, enum dtype dt)
{
	bool wide = cuda_wide(src, a->n) && cuda_wide(dst, a->n);

	CUDA_ACT(dt, T, cuda_grid(k, a->t, a->n, wide, grid_dropout_dx<T>{ drawn_of(a), a->n, src, (T *)dst }););
}

struct grid_noise {
	drawn d;
	uint32_t n;
	const float *mag;
	float *x;
	template <int V> __device__ void at(uint32_t i, uint32_t c) const
	{
		uint32_t of = d.of_row(i);
		float f[V], most = mag[i];

		pack_get<V>(x + (size_t)i * n + c, f);
#pragma unroll
		for (int v = 0; v < V; v++)
			f[v] += most * ((float)(int32_t)drawn::bits(of, c + v) * 0x1p-31f);
		pack_put<V>(x + (size_t)i * n + c, f);
	}
};

void cuda_noise(struct kern *k, const struct kern_drop *a, const float *mag, float *x)
{
	drawn d = { a->key, a->row, a->salt, 0, 0 };

	cuda_grid(k, a->t, a->n, cuda_wide(x, a->n), grid_noise{ d, a->n, mag, x });
}
