/* SPDX-License-Identifier: Apache-2.0 */
/* What works value by value, and the sum of squares: one pass over memory. */
#include "cudapack.h"

template <typename S, typename D> struct flat_cast {
	const S *src;
	D *dst;
	template <int V> __device__ void at(size_t i) const
	{
		float f[V];

		pack_get<V>(src + i, f);
		pack_put<V>(dst + i, f);
	}
};

void cuda_cast(struct kern *k, size_t n, const void *src, enum dtype st, void *dst, enum dtype dt)
{
	bool wide = cuda_wide(src) && cuda_wide(dst);

	CUDA_ACT(st, S, CUDA_ACT(dt, D, cuda_flat(k, n, wide, flat_cast<S, D>{ (const S *)src, (D *)dst });););
}

struct flat_add {
	const float *x;
	float *y;
	template <int V> __device__ void at(size_t i) const
	{
		float a[V], b[V];

		pack_get<V>(x + i, a);
		pack_get<V>(y + i, b);
#pragma unroll
		for (int v = 0; v < V; v++)
			b[v] += a[v];
		pack_put<V>(y + i, b);
	}
};

void cuda_add(struct kern *k, size_t n, const float *x, float *y)
{
	cuda_flat(k, n, cuda_wide(x) && cuda_wide(y), flat_add{ x, y });
}

struct flat_scale {
	float s, *x;
	template <int V> __device__ void at(size_t i) const
	{
		float a[V];

		pack_get<V>(x + i, a);
#pragma unroll
		for (int v = 0; v < V; v++)
			a[v] *= s;
		pack_put<V>(x + i, a);
	}
};

void cuda_scale(struct kern *k, size_t n, float s, float *x)
{
	cuda_flat(k, n, cuda_wide(x), flat_scale{ s, x });
}

/* --- swiglu --- */

__device__ __forceinline__ float sigmoid(float z)
{
	return 1 / (1 + expf(-z));
}

template <typename T> struct flat_swiglu {
	const T *g, *u;
	T *y;
	template <int V> __device__ void at(size_t i) const
	{
		float a[V], b[V];

		pack_get<V>(g + i, a);
		pack_get<V>(u + i, b);
#pragma unroll
		for (int v = 0; v < V; v++)
			b[v] *= a[v] * sigmoid(a[v]);
		pack_put<V>(y + i, b);
	}
};

void cuda_swiglu(struct kern *k, size_t count, enum dtype xt, const void *g, const void *u, void *y)
{
	bool wide = cuda_wide(g) && cuda_wide(u) && cuda_wide(y);

	CUDA_ACT(xt, T, cuda_flat(k, count, wide, flat_swiglu<T>{ (const T *)g, (const T *)u, (T *)y }););
}

template <typename T> struct flat_swiglu_dx {
	const T *g, *u, *dy;
	T *dg, *du, *y;
	template <int V> __device__ void at(size_t i) const
	{
		float a[V], b[V], d[V], s[V];

		pack_get<V>(g + i, a);
		pack_get<V>(u + i, b);
		pack_get<V>(dy + i, d);
#pragma unroll
		for (int v = 0; v < V; v++) {
			float sig = sigmoid(a[v]), rest = 1 / (1 + expf(a[v]));   /* 1 - sig, exact where sig is nearly 1 */

			s[v] = a[v] * sig * b[v];
			b[v] = d[v] * b[v] * sig * (1 + a[v] * rest);
			d[v] *= a[v] * sig;
		}
		pack_put<V>(dg + i, b);
		pack_put<V>(du + i, d);
		if (y)
			pack_put<V>(y + i, s);
	}
};

void cuda_swiglu_dx(struct kern *k, size_t count, enum dtype xt, const void *g, const void *u, const void *dy, void *dg, void *du, void *y)
{
	bool wide = cuda_wide(g) && cuda_wide(u) && cuda_wide(dy) && cuda_wide(dg) && cuda_wide(du) && cuda_wide(y);

	CUDA_ACT(xt, T, cuda_flat(k, count, wide, flat_swiglu_dx<T>{ (const T *)g, (const T *)u, (const T *)dy, (T *)dg, (T *)du, (T *)y }););
}

/* --- sum of squares: each block a run of values, then one block the sums of all, so the order depends on N alone --- */

enum { SQ_RUN = 1 << 14, SQ_PARTS = 1024 };

template <int V> __global__ void __launch_bounds__(FLAT_THREADS) k_squares(size_t n, size_t run, const float *x, double *part)
{
	__shared__ double room[WARP + 1];
	size_t first = blockIdx.x * run, end = first + run < n ? first + run : n;
	double sum = 0;

	for (size_t i = first + threadIdx.x * V; i < end; i += FLAT_THREADS * V) {
		float f[V];

		if (V == 1 || i + V <= end) {
			pack_get<V>(x + i, f);
#pragma unroll
			for (int v = 0; v < V; v++)
				sum += (double)f[v] * f[v];
		} else {
			for (; i < end; i++)
				sum += (double)x[i] * x[i];
		}
	}
	sum = block_sum(sum, room);
	if (threadIdx.x == 0)
		part[blockIdx.x] = sum;
}

static __global__ void __launch_bounds__(FLAT_THREADS) k_squares_end(uint32_t n, const double *part, double *out)
{
	__shared__ double room[WARP + 1];
	double sum = 0;

	for (uint32_t i = threadIdx.x; i < n; i += FLAT_THREADS)
		sum += part[i];
	sum = block_sum(sum, room);
	if (threadIdx.x == 0)
		*out = sum;
}

double cuda_sumsq(struct kern *k, size_t n, const float *x)
{
	struct kern_cuda *c = cuda_of(k);
	size_t run = (n + SQ_PARTS - 1) / SQ_PARTS;
	double *part;
	uint32_t parts;

	if (n == 0)
		return 0;
	run = run < SQ_RUN ? (size_t)SQ_RUN : (run + 63) / 64 * 64;
	parts = (uint32_t)((n + run - 1) / run);
	part = (double *)cuda_scratch(k, parts * sizeof *part);
	if (cuda_wide(x))
		LAUNCH((k_squares<PACK>), parts, FLAT_THREADS, 0, c->stream, n, run, x, part);
	else
		LAUNCH((k_squares<1>), parts, FLAT_THREADS, 0, c->stream, n, run, x, part);
	LAUNCH(k_squares_end, 1, FLAT_THREADS, 0, c->stream, parts, (const double *)part, c->sum);
	CUDA_CHECK(cudaMemcpyAsync(c->sum_host, c->sum, sizeof *c->sum, cudaMemcpyDeviceToHost, c->stream));
	CUDA_CHECK(cudaStreamSynchronize(c->stream));
	return *c->sum_host;
}
