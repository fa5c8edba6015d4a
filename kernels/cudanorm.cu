/* SPDX-License-Identifier: Apache-2.0 */
/* RMS norms and rotary positions. */
#include "cudapack.h"

/* G threads work on a row (256 / G rows a block); each keeps KEEP packs of it in registers (on the way back one) and reads what a longer row has beyond
 * that again. */
enum { NORM_THREADS = 256, KEEP = 2 };

template <int G> __device__ __forceinline__ float group_sum(float v, float *room)
{
	return G == WARP ? warp_sum(v) : block_sum(v, room);
}

struct norm_args {
	uint32_t t, n;
	const void *x; size_t ldx;
	const float *w;
	float eps;
	void *y; size_t ldy;
	float *rstd;
	void *xs;
};

/* y, and the copy, of values C ... of a row. */
template <typename Y, int V> __device__ __forceinline__ void norm_put(const norm_args &a, uint32_t row, uint32_t c, float *f, float r)
{
	float w[V];

	if (a.xs)
		pack_put<V>((Y *)a.xs + (size_t)row * a.n + c, f);
	pack_get<V>(a.w + c, w);
#pragma unroll
	for (int v = 0; v < V; v++)
		f[v] *= r * w[v];
	pack_put<V>((Y *)a.y + row * a.ldy + c, f);
}

template <typename X, typename Y, int V, int G> __global__ void __launch_bounds__(NORM_THREADS) k_norm(norm_args a)
{
	__shared__ float room[WARP + 1];
	uint32_t row = blockIdx.x * (NORM_THREADS / G) + threadIdx.x / G, lane = threadIdx.x % G, n = row < a.t ? a.n : 0;
	const X *x = (const X *)a.x + row * a.ldx;
	float keep[KEEP][V], f[V], sum = 0, r;

#pragma unroll
	for (int p = 0; p < KEEP; p++) {
		uint32_t c = (p * G + lane) * V;

		if (c < n)
			pack_get<V>(x + c, keep[p]);
#pragma unroll
		for (int v = 0; v < V && c < n; v++)
			sum += keep[p][v] * keep[p][v];
	}
#pragma unroll 1
	for (uint32_t c = (KEEP * G + lane) * V; c < n; c += G * V) {
		pack_get<V>(x + c, f);
#pragma unroll
		for (int v = 0; v < V; v++)
			sum += f[v] * f[v];
	}
	sum = group_sum<G>(sum, room);
	r = 1 / sqrtf(sum / (float)a.n + a.eps);
	if (lane == 0 && a.rstd && n > 0)
		a.rstd[row] = r;
#pragma unroll
	for (int p = 0; p < KEEP; p++)
		if ((p * G + lane) * V < n)
			norm_put<Y, V>(a, row, (p * G + lane) * V, keep[p], r);
#pragma unroll 1
	for (uint32_t c = (KEEP * G + lane) * V; c < n; c += G * V) {
		pack_get<V>(x + c, f);
		norm_put<Y, V>(a, row, c, f, r);
	}
}

/* Whether a warp is enough for a row. */
static bool short_rows(uint32_t n, uint32_t keep, uint32_t pack)
{
	return n <= 2 * keep * WARP * pack;
}

template <typename X, typename Y, int V> static void norm_launch(struct kern *k, const norm_args &a)
{
	if (short_rows(a.n, KEEP, V))
		LAUNCH((k_norm<X, Y, V, WARP>), cuda_blocks(a.t, NORM_THREADS / WARP), NORM_THREADS, 0, cuda_of(k)->stream, a);
	else
		LAUNCH((k_norm<X, Y, V, NORM_THREADS>), a.t, NORM_THREADS, 0, cuda_of(k)->stream, a);
}

void cuda_rmsnorm(struct kern *k, uint32_t t, uint32_t n, const void *x, size_t ldx, enum dtype xt, const float *w, float eps,
                  void *y, size_t ldy, enum dtype yt, float *rstd, void *xs)
{
	norm_args a = { t, n, x, ldx, w, eps, y, ldy, rstd, xs };
	bool wide = cuda_wide(x, ldx) && cuda_wide(y, ldy) && cuda_wide(w, n) && cuda_wide(xs, n);

	if (t == 0 || n == 0)
		return;
	CUDA_ACT(xt, X, CUDA_ACT(yt, Y,
		if (wide)
			norm_launch<X, Y, PACK>(k, a);
		else
			norm_launch<X, Y, 1>(k, a);
	););
}

template <typename T> struct grid_again {
	uint32_t n;
	const T *xs;
	const float *rstd, *w;
	T *y;
	template <int V> __device__ void at(uint32_t i, uint32_t c) const
	{
		float f[V], g[V], r = rstd[i];

		pack_get<V>(xs + (size_t)i * n + c, f);
		pack_get<V>(w + c, g);
#pragma unroll
		for (int v = 0; v < V; v++)
			f[v] *= r * g[v];
		pack_put<V>(y + (size_t)i * n + c, f);
	}
};

void cuda_rmsnorm_again(struct kern *k, uint32_t t, uint32_t n, const void *xs, const float *rstd, const float *w, void *y, enum dtype xt)
{
	bool wide = cuda_wide(xs, n) && cuda_wide(y, n) && cuda_wide(w);

	CUDA_ACT(xt, T, cuda_grid(k, t, n, wide, grid_again<T>{ n, (const T *)xs, rstd, w, (T *)y }););
}

/* --- the way back: with h = xs * rstd, dx = rstd * (w dy - h mean(w dy h)) --- */

struct norm_dx {
	uint32_t t, n;
	const void *xs; size_t ldxs;
	const float *rstd, *w;
	const void *dy; size_t lddy;
	void *dx; size_t lddx;
};

/* w dy and h of values C ... of a row. */
template <typename X, typename D, int V>
__device__ __forceinline__ void norm_dx_get(const norm_dx &a, uint32_t row, uint32_t c, float r, float *wd, float *h)
{
	float w[V];

	pack_get<V>((const X *)a.xs + row * a.ldxs + c, h);
	pack_get<V>((const D *)a.dy + row * a.lddy + c, wd);
	pack_get<V>(a.w + c, w);
#pragma unroll
	for (int v = 0; v < V; v++) {
		wd[v] *= w[v];
		h[v] *= r;
	}
}

template <typename D, int V, bool SET>
__device__ __forceinline__ void norm_dx_put(const norm_dx &a, uint32_t row, uint32_t c, float r, float mean, float *wd, const float *h)
{
	float old[V];

	if (!SET)
		pack_get<V>((const float *)a.dx + row * a.lddx + c, old);
#pragma unroll
	for (int v = 0; v < V; v++)
		wd[v] = (SET ? 0 : old[v]) + r * (wd[v] - h[v] * mean);
	if (SET)
		pack_put<V>((D *)a.dx + row * a.lddx + c, wd);
	else
		pack_put<V>((float *)a.dx + row * a.lddx + c, wd);
}

template <typename X, typename D, int V, int G, bool SET> __global__ void __launch_bounds__(NORM_THREADS) k_norm_dx(norm_dx a)
{
	__shared__ float room[WARP + 1];
	uint32_t row = blockIdx.x * (NORM_THREADS / G) + threadIdx.x / G, lane = threadIdx.x % G, n = row < a.t ? a.n : 0;
	float wd[V], h[V], f[V], g[V], sum = 0, r = n > 0 ? a.rstd[row] : 0;

	if (lane * V < n) {
		norm_dx_get<X, D, V>(a, row, lane * V, r, wd, h);
#pragma unroll
		for (int v = 0; v < V; v++)
			sum += wd[v] * h[v];
	}
#pragma unroll 1
	for (uint32_t c = (G + lane) * V; c < n; c += G * V) {
		norm_dx_get<X, D, V>(a, row, c, r, f, g);
#pragma unroll
		for (int v = 0; v < V; v++)
			sum += f[v] * g[v];
	}
	sum = group_sum<G>(sum, room) / (float)a.n;
	if (lane * V < n)
		norm_dx_put<D, V, SET>(a, row, lane * V, r, sum, wd, h);
#pragma unroll 1
	for (uint32_t c = (G + lane) * V; c < n; c += G * V) {
		norm_dx_get<X, D, V>(a, row, c, r, f, g);
		norm_dx_put<D, V, SET>(a, row, c, r, sum, f, g);
	}
}

template <typename X, typename D, int V, bool SET> static void norm_dx_launch(struct kern *k, const norm_dx &a)
{
	if (short_rows(a.n, 1, V))
		LAUNCH((k_norm_dx<X, D, V, WARP, SET>), cuda_blocks(a.t, NORM_THREADS / WARP), NORM_THREADS, 0, cuda_of(k)->stream, a);
	else
		LAUNCH((k_norm_dx<X, D, V, NORM_THREADS, SET>), a.t, NORM_THREADS, 0, cuda_of(k)->stream, a);
}

/* dy h: what the weight's gradient sums. */
template <typename X, typename D> struct norm_gw {
	norm_dx a;
	template <int V> __device__ void value(uint32_t i, uint32_t c, float *out) const
	{
		float h[V], r = a.rstd[i];

		pack_get<V>((const X *)a.xs + i * a.ldxs + c, h);
		pack_get<V>((const D *)a.dy + i * a.lddy + c, out);
#pragma unroll
		for (int v = 0; v < V; v++)
			out[v] *= h[v] * r;
	}
};

void cuda_rmsnorm_dx(struct kern *k, uint32_t t, uint32_t n, const void *xs, size_t ldxs, enum dtype xt, const float *rstd, const float *w,
                     const void *dy, size_t lddy, enum dtype dyt, void *dx, size_t lddx, bool dx_set, float *gw)
{
	norm_dx a = { t, n, xs, ldxs, rstd, w, dy, lddy, dx, lddx };
	bool wide = cuda_wide(xs, ldxs) && cuda_wide(dy, lddy) && cuda_wide(w, n) && cuda_wide(dx, lddx);

	if (t == 0 || n == 0)
		return;
	CUDA_ACT(xt, X, CUDA_ACT(dyt, D,
		if (gw)                        /* first: dx may take the place of dy */
			cuda_cols(k, t, n, wide, norm_gw<X, D>{ a }, cols_add{ gw }, (float *)cuda_scratch(k, cuda_cols_room(t, n)));
		if (wide && dx_set)
			norm_dx_launch<X, D, PACK, true>(k, a);
		else if (wide)
			norm_dx_launch<X, D, PACK, false>(k, a);
		else if (dx_set)
			norm_dx_launch<X, D, 1, true>(k, a);
		else
			norm_dx_launch<X, D, 1, false>(k, a);
	););
}

/* --- rotary positions: a thread turns V pairs of one head --- */

template <typename T, bool INTERLEAVED> struct grid_rope {
	uint32_t dim, half;
	T *x; size_t ldx;
	const float *cs;
	const uint32_t *pos;
	float sign;
	template <int V> __device__ void at(uint32_t i, uint32_t c) const      /* c: the head times half, plus the first pair */
	{
		uint32_t j = c % half;
		const float *turn = cs + (size_t)pos[i] * 2 * half + j;
		T *p = x + i * ldx + (size_t)(c / half) * dim + (INTERLEAVED ? 2 * j : j), *q = p + (INTERLEAVED ? V : half);
		float f[2 * V], co[V], si[V];

		pack_get<V>(p, f);
		pack_get<V>(q, f + V);
		pack_get<V>(turn, co);
		pack_get<V>(turn + half, si);
#pragma unroll
		for (int v = 0; v < V; v++) {
			float *a = INTERLEAVED ? f + 2 * v : f + v, *b = INTERLEAVED ? f + 2 * v + 1 : f + V + v, was = *a, s = sign * si[v];

			*a = was * co[v] - *b * s;
			*b = *b * co[v] + was * s;
		}
		pack_put<V>(p, f);
		pack_put<V>(q, f + V);
	}
};

void cuda_rope(struct kern *k, uint32_t t, uint32_t heads, uint32_t dim, uint32_t half, void *x, size_t ldx, enum dtype xt,
               const float *cs, const uint32_t *pos, bool interleaved, bool inverse)
{
	bool wide = cuda_wide(x, ldx) && dim % PACK == 0 && cuda_wide(cs, half);
	float sign = inverse ? -1.0f : 1.0f;

	CUDA_ACT(xt, T,
		if (interleaved)
			cuda_grid(k, t, heads * half, wide, grid_rope<T, true>{ dim, half, (T *)x, ldx, cs, pos, sign });
		else
			cuda_grid(k, t, heads * half, wide, grid_rope<T, false>{ dim, half, (T *)x, ldx, cs, pos, sign });
	);
}
