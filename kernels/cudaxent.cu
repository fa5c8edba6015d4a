/* SPDX-License-Identifier: Apache-2.0 */
/* Cross-entropy and its gradient, and what must not be said: a block for each row, however long. */
#include "cudapack.h"

enum { XENT_THREADS = 512 };

/* The largest value, and the sum of exp(z - largest), of what was seen. */
struct soft {
	float max, sum;
	__device__ __forceinline__ void take(float z)
	{
		if (z > max) {
			sum = sum * expf(max - z) + 1;
			max = z;
		} else {
			sum += expf(z - max);
		}
	}
};

/* Of the whole block: the log-sum-exp, and OTHER's sum.  ROOM: 33 floats. */
__device__ __forceinline__ float soft_block(soft s, float *room, float *max)
{
	*max = block_max(s.max, room);
	return block_sum(s.max > -INFINITY ? s.sum * expf(s.max - *max) : 0, room);
}

struct xent_args {
	uint32_t n;
	const float *logits; size_t ldl;
	const uint32_t *target;
	const float *weight;
	float smooth;
	void *dlogits; size_t ldd;
	float *loss;
};

template <typename D, int V> __global__ void __launch_bounds__(XENT_THREADS) k_xent(xent_args a)
{
	__shared__ float room[WARP + 1];
	const float *z = a.logits + blockIdx.x * a.ldl;
	uint32_t target = a.target[blockIdx.x], n = a.n;
	soft s = { -INFINITY, 0 };
	float f[V], all = 0, own = z[target], max, lse, weight;

	for (uint32_t c = threadIdx.x * V; c < n; c += XENT_THREADS * V) {
		pack_get<V>(z + c, f);
#pragma unroll
		for (int v = 0; v < V; v++) {
			s.take(f[v]);
			all += f[v];
		}
	}
	lse = soft_block(s, room, &max);
	lse = max + logf(lse);
	if (a.smooth > 0)
		all = block_sum(all, room);
	if (threadIdx.x == 0)
		a.loss[blockIdx.x] = (1 - a.smooth) * (lse - own) + (a.smooth > 0 ? a.smooth * (lse - all / (float)n) : 0);
	if (!a.dlogits)
		return;
	weight = a.weight[blockIdx.x];
	for (uint32_t c = threadIdx.x * V; c < n; c += XENT_THREADS * V) {
		pack_get<V>(z + c, f);
#pragma unroll
		for (int v = 0; v < V; v++)
			f[v] = weight * (expf(f[v] - lse) - ((c + v == target ? 1 - a.smooth : 0) + a.smooth / (float)n));
		pack_put<V>((D *)a.dlogits + blockIdx.x * a.ldd + c, f);
	}
}

void cuda_xent(struct kern *k, uint32_t m, uint32_t n, const float *logits, size_t ldl, const uint32_t *target, const float *weight,
               float smooth, void *dlogits, size_t ldd, enum dtype dt, float *loss)
{
	xent_args a = { n, logits, ldl, target, weight, smooth, dlogits, ldd, loss };
	bool wide = cuda_wide(logits, ldl) && n % PACK == 0 && (!dlogits || cuda_wide(dlogits, ldd));

	if (m == 0 || n == 0)
		return;
	CUDA_ACT(dt, D,
		if (wide)
			LAUNCH((k_xent<D, PACK>), m, XENT_THREADS, 0, cuda_of(k)->stream, a);
		else
			LAUNCH((k_xent<D, 1>), m, XENT_THREADS, 0, cuda_of(k)->stream, a);
	);
}

/* --- rivals --- */

/* Whether J is among the N ids at ID, which ascend. */
__device__ __forceinline__ bool among(const uint32_t *id, uint32_t n, uint32_t j)
{
	uint32_t lo = 0;

	while (n > 0) {
		uint32_t half = n / 2;

		if (id[lo + half] < j) {
			lo += half + 1;
			n -= half + 1;
		} else {
			n = half;
			if (id[lo + half] == j)
				return true;
		}
	}
	return false;
}

template <typename D> __global__ void __launch_bounds__(XENT_THREADS) k_rivals(struct kern_rivals a)
{
	__shared__ float room[WARP + 1];
	uint32_t row = a.row[blockIdx.x], first = a.first[blockIdx.x], count = a.first[blockIdx.x + 1] - first;
	const uint32_t *id = a.id + first;
	const float *z = a.logits + row * a.ldl;
	soft s = { -INFINITY, 0 };
	float q = 0, rest = 0, max, sum, weight;
	D *d = (D *)a.dlogits + row * a.ldd;

	for (uint32_t c = threadIdx.x; c < a.n; c += XENT_THREADS)
		s.take(z[c]);
	sum = soft_block(s, room, &max);
	for (uint32_t c = threadIdx.x; c < a.n; c += XENT_THREADS) {
		float p = expf(z[c] - max) / sum;

		if (among(id, count, c))
			q += p;
		else
			rest += p;
	}
	q = block_sum(q, room);
	rest = fmaxf(block_sum(rest, room), 1e-30f);
	if (threadIdx.x == 0)
		a.loss[blockIdx.x] = q < 0.5f ? -log1pf(-q) : -logf(rest);
	if (!a.dlogits)
		return;
	weight = a.weight[blockIdx.x];
	for (uint32_t c = threadIdx.x; c < a.n; c += XENT_THREADS) {
		float p = expf(z[c] - max) / sum;

		d[c] = f_act<D>(act_f<D>(d[c]) + weight * (among(id, count, c) ? p : -q * (p / rest)));
	}
}

void cuda_rivals(struct kern *k, const struct kern_rivals *a)
{
	if (a->m == 0 || a->n == 0)
		return;
	CUDA_ACT(a->dt, D, LAUNCH((k_rivals<D>), a->m, XENT_THREADS, 0, cuda_of(k)->stream, *a););
}
