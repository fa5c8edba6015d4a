/* SPDX-License-Identifier: Apache-2.0 */
/* Rows by index, sums of columns, and the pieces of latent attention. */
#include "cudapack.h"

/* dst[to ? to[i] : i] = src[from ? from[i] : i]: rows of N values. */
template <typename S, typename D, bool ADD> struct grid_move {
	const S *src; size_t lds;
	const uint32_t *from, *to;
	D *dst; size_t ldd;
	template <int V> __device__ void at(uint32_t i, uint32_t c) const
	{
		D *out = dst + (to ? to[i] : i) * ldd + c;
		float f[V], g[V];

		pack_get<V>(src + (from ? from[i] : i) * lds + c, f);
		if (ADD) {
			pack_get<V>(out, g);
#pragma unroll
			for (int v = 0; v < V; v++)
				f[v] += g[v];
		}
		pack_put<V>(out, f);
	}
};

void cuda_rows_get(struct kern *k, uint32_t m, uint32_t n, const float *src, const uint32_t *idx, void *dst, enum dtype dt)
{
	bool wide = cuda_wide(src, n) && cuda_wide(dst, n);

	CUDA_ACT(dt, D, cuda_grid(k, m, n, wide, grid_move<float, D, false>{ src, n, idx, NULL, (D *)dst, n }););
}

void cuda_rows_put(struct kern *k, uint32_t m, uint32_t n, const float *src, const uint32_t *idx, float *dst, bool add)
{
	bool wide = cuda_wide(src, n) && cuda_wide(dst, n);

	if (add)
		cuda_grid(k, m, n, wide, grid_move<float, float, true>{ src, n, NULL, idx, dst, n });
	else
		cuda_grid(k, m, n, wide, grid_move<float, float, false>{ src, n, NULL, idx, dst, n });
}

void cuda_rows_copy(struct kern *k, uint32_t m, uint32_t n, enum dtype xt, const void *src, size_t lds, const uint32_t *idx, void *dst, size_t ldd)
{
	bool wide = cuda_wide(src, lds) && cuda_wide(dst, ldd) && n % PACK == 0;

	CUDA_ACT(xt, T, cuda_grid(k, m, n, wide, grid_move<T, T, false>{ (const T *)src, lds, NULL, idx, (T *)dst, ldd }););
}

void cuda_rows_gather(struct kern *k, uint32_t m, uint32_t n, enum dtype xt, const void *src, size_t lds, const uint32_t *idx, void *dst)
{
	bool wide = cuda_wide(src, lds) && cuda_wide(dst, n);

	CUDA_ACT(xt, T, cuda_grid(k, m, n, wide, grid_move<T, T, false>{ (const T *)src, lds, idx, NULL, (T *)dst, n }););
}

/* --- gradient of the embedding --- */

enum { EMBED_COLS = FLAT_THREADS * 4 };

/* A block for each position and EMBED_COLS columns.  The first position of an id adds the rows of all that have it, in their order; so a row of the
 * table has one writer.  The list of the positions is made anew in each block: the ids are few and cached. */
template <int V> __global__ void __launch_bounds__(FLAT_THREADS) k_embed_dx(uint32_t t, uint32_t n, const float *dx, const uint32_t *ids, float *table)
{
	__shared__ uint32_t same[FLAT_THREADS / WARP];
	uint32_t me = blockIdx.x, id = ids[me], c = (blockIdx.y * FLAT_THREADS + threadIdx.x) * V;
	float sum[V] = { 0 }, f[V];

	for (uint32_t base = 0; base < t; base += FLAT_THREADS) {
		uint32_t j = base + threadIdx.x, hits = __ballot_sync(FULL, j < t && ids[j] == id);

		__syncthreads();
		if (threadIdx.x % WARP == 0)
			same[threadIdx.x / WARP] = hits;
		__syncthreads();
		for (uint32_t w = 0; w < FLAT_THREADS / WARP; w++)
			for (uint32_t bits = same[w]; bits; bits &= bits - 1) {
				uint32_t at = base + w * WARP + (uint32_t)__ffs((int)bits) - 1;

				if (at < me)
					return;        /* all threads: the id has an earlier position */
				if (at == me && c < n)
					pack_get<V>(table + (size_t)id * n + c, sum);
				if (c < n) {
					pack_get<V>(dx + (size_t)at * n + c, f);
#pragma unroll
					for (int v = 0; v < V; v++)
						sum[v] += f[v];
				}
			}
	}
	if (c < n)
		pack_put<V>(table + (size_t)id * n + c, sum);
}

void cuda_embed_dx(struct kern *k, uint32_t t, uint32_t n, const float *dx, const uint32_t *ids, float *gtable)
{
	if (t == 0 || n == 0)
		return;
	if (n % 4 == 0 && cuda_wide(dx) && cuda_wide(gtable))
		LAUNCH((k_embed_dx<4>), dim3(t, cuda_blocks(n, EMBED_COLS)), FLAT_THREADS, 0, cuda_of(k)->stream, t, n, dx, ids, gtable);
	else
		LAUNCH((k_embed_dx<1>), dim3(t, cuda_blocks(n, FLAT_THREADS)), FLAT_THREADS, 0, cuda_of(k)->stream, t, n, dx, ids, gtable);
}

/* --- columns --- */

template <typename T> struct cols_plain {
	const T *x; size_t ldx;
	template <int V> __device__ void value(uint32_t i, uint32_t c, float *out) const { pack_get<V>(x + i * ldx + c, out); }
};

void cuda_colsum(struct kern *k, uint32_t t, uint32_t n, enum dtype xt, const void *dy, size_t lddy, float *gb)
{
	bool wide = cuda_wide(dy, lddy) && n % PACK == 0;

	if (t == 0 || n == 0)
		return;
	CUDA_ACT(xt, T, cuda_cols(k, t, n, wide, cols_plain<T>{ (const T *)dy, lddy }, cols_add{ gb }, (float *)cuda_scratch(k, cuda_cols_room(t, n))););
}

/* --- latent attention --- */

/* One value of key or v for each of kv's and the rotated keys'. */
template <typename T> struct grid_mla {
	struct kern_mla a;
	const T *kv, *kr; size_t ldkr;
	T *key, *v;
	template <int V> __device__ void at(uint32_t i, uint32_t c) const      /* c: the head times (nope + rope + dv), plus the place */
	{
		uint32_t all = a.nope + a.rope + a.dv, h = c / all, j = c % all, dk = a.nope + a.rope;
		size_t head = (size_t)i * a.heads + h;
		const T *from = kv + head * (a.nope + a.dv);
		float f[V];

		if (j < a.nope)
			from += j;
		else if (j < dk)
			from = kr + i * ldkr + (j - a.nope);
		else
			from += j - a.rope;
		pack_get<V>(from, f);
		if (j < dk)
			pack_put<V>(key + head * dk + j, f);
		else
			pack_put<V>(v + head * a.dv + (j - dk), f);
	}
};

static bool mla_wide(const struct kern_mla *a)
{
	return a->nope % PACK == 0 && a->rope % PACK == 0 && a->dv % PACK == 0;
}

void cuda_mla_keys(struct kern *k, const struct kern_mla *a, const void *kv, const void *kr, size_t ldkr, void *key, void *v)
{
	bool wide = mla_wide(a) && cuda_wide(kv) && cuda_wide(kr, ldkr) && cuda_wide(key) && cuda_wide(v);
	uint32_t n = a->heads * (a->nope + a->rope + a->dv);

	CUDA_ACT(a->xt, T, cuda_grid(k, a->t, n, wide, grid_mla<T>{ *a, (const T *)kv, (const T *)kr, ldkr, (T *)key, (T *)v }););
}

/* Likewise back; what the heads share comes last. */
template <typename T> struct grid_mla_dx {
	struct kern_mla a;
	const T *dkey, *dvalue;
	T *dkv, *dkr; size_t lddkr;
	template <int V> __device__ void at(uint32_t i, uint32_t c) const
	{
		uint32_t in = a.nope + a.dv, dk = a.nope + a.rope, h = c / in, j = c % in;
		size_t head = (size_t)i * a.heads + h;
		float f[V], sum[V] = { 0 };

		if (h < a.heads) {
			pack_get<V>(j < a.nope ? dkey + head * dk + j : dvalue + head * a.dv + (j - a.nope), f);
			pack_put<V>(dkv + head * in + j, f);
			return;
		}
		j = c - a.heads * in;
		for (h = 0; h < a.heads; h++) {
			pack_get<V>(dkey + ((size_t)i * a.heads + h) * dk + a.nope + j, f);
#pragma unroll
			for (int v = 0; v < V; v++)
				sum[v] += f[v];
		}
		pack_put<V>(dkr + i * lddkr + j, sum);
	}
};

void cuda_mla_keys_dx(struct kern *k, const struct kern_mla *a, const void *dkey, const void *dvalue, void *dkv, void *dkr, size_t lddkr)
{
	bool wide = mla_wide(a) && cuda_wide(dkey) && cuda_wide(dvalue) && cuda_wide(dkv) && cuda_wide(dkr, lddkr);
	uint32_t n = a->heads * (a->nope + a->dv) + a->rope;

	CUDA_ACT(a->xt, T, cuda_grid(k, a->t, n, wide, grid_mla_dx<T>{ *a, (const T *)dkey, (const T *)dvalue, (T *)dkv, (T *)dkr, lddkr }););
}
