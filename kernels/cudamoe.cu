/* SPDX-License-Identifier: Apache-2.0 */
/* Mixtures of experts: the choice, and the answers put together.  See ref_moe.c for the definition. */
#include "cudapack.h"

enum { ROUTE_THREADS = 128, ROUTE_ROWS = ROUTE_THREADS / WARP };

/* The best not taken of V[0..count-1], of equals the first, over a warp; all lanes have its index. */
__device__ __forceinline__ uint32_t warp_best(const float *v, const uint32_t *taken, uint32_t count, uint32_t lane)
{
	float best = 0;
	uint32_t at = 0xffffffffu;

	for (uint32_t j = lane; j < count; j += WARP)
		if (!taken[j] && (at == 0xffffffffu || v[j] > best)) {
			best = v[j];
			at = j;
		}
	for (int d = WARP / 2; d > 0; d /= 2) {
		float other = __shfl_xor_sync(FULL, best, d);
		uint32_t oat = __shfl_xor_sync(FULL, at, d);

		if (oat != 0xffffffffu && (at == 0xffffffffu || other > best || (other == best && oat < at))) {
			best = other;
			at = oat;
		}
	}
	return at;
}

/* Marks the N largest. */
__device__ void warp_mark(const float *v, uint32_t count, uint32_t n, uint32_t *taken, uint32_t lane)
{
	for (uint32_t j = lane; j < count; j += WARP)
		taken[j] = 0;
	__syncwarp();
	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = warp_best(v, taken, count, lane);

		__syncwarp();
		if (lane == 0)
			taken[at] = 1;
		__syncwarp();
	}
}

/* Sigmoid or softmax of a row by a warp, in double: the choice should be that of other backends. */
static __global__ void __launch_bounds__(ROUTE_THREADS) k_squash(struct kern_route a, float *scores)
{
	uint32_t lane = threadIdx.x % WARP, t = blockIdx.x * ROUTE_ROWS + threadIdx.x / WARP;
	float *s = scores + (size_t)t * a.experts, max = -INFINITY;
	double sum = 0;

	if (t >= a.t)
		return;
	if (a.sigmoid) {
		for (uint32_t e = lane; e < a.experts; e += WARP)
			s[e] = (float)(1 / (1 + exp(-(double)s[e])));
		return;
	}
	for (uint32_t e = lane; e < a.experts; e += WARP)
		max = fmaxf(max, s[e]);
	max = warp_max(max);
	for (uint32_t e = lane; e < a.experts; e += WARP)
		sum += exp((double)s[e] - max);
	sum = warp_sum(sum);
	for (uint32_t e = lane; e < a.experts; e += WARP)
		s[e] = (float)(exp((double)s[e] - max) / sum);
}

/* Experts of groups that are not among the best are taken out of the choice. */
__device__ void route_groups(const struct kern_route &a, float *c, float *group, uint32_t *taken, uint32_t lane)
{
	uint32_t n = a.experts / a.groups;

	for (uint32_t g = lane; g < a.groups; g += WARP) {
		float first = -INFINITY, second = -INFINITY;

		for (uint32_t i = 0; i < n; i++) {
			float v = c[g * n + i];

			second = v > first ? first : v > second ? v : second;
			first = v > first ? v : first;
		}
		group[g] = a.pair && n > 1 ? first + second : first;
	}
	__syncwarp();
	warp_mark(group, a.groups, a.topg, taken, lane);
	for (uint32_t e = lane; e < a.experts; e += WARP)
		if (!taken[e / n])
			c[e] = a.pair ? -INFINITY : 0;
	__syncwarp();
}

/* A warp for each token; in shared memory of each: the scores to choose by, the groups', and marks. */
static __global__ void __launch_bounds__(ROUTE_THREADS) k_route(struct kern_route a, const float *scores, uint32_t *expert, float *weight)
{
	SHARED_DYN(float, sm);
	uint32_t own = threadIdx.x / WARP, lane = threadIdx.x % WARP, t = blockIdx.x * ROUTE_ROWS + own;
	const float *s = scores + (size_t)t * a.experts;
	float *c = sm + (size_t)own * 3 * a.experts, *group = c + a.experts, *w = weight + (size_t)t * a.top;
	uint32_t *taken = (uint32_t *)(group + a.experts);
	uint32_t *who = expert + (size_t)t * a.top, found = 0;
	double sum = 0;

	if (t >= a.t)
		return;
	for (uint32_t e = lane; e < a.experts; e += WARP)
		c[e] = s[e] + (a.bias ? a.bias[e] : 0);
	__syncwarp();
	if (a.topg < a.groups)
		route_groups(a, c, group, taken, lane);
	warp_mark(c, a.experts, a.top, taken, lane);
	for (uint32_t base = 0; base < a.experts; base += WARP) {
		uint32_t e = base + lane, bits = __ballot_sync(FULL, e < a.experts && taken[e]);

		if (bits >> lane & 1)
			who[found + (uint32_t)__popc(bits & ((1u << lane) - 1))] = e;
		found += (uint32_t)__popc(bits);
	}
	__syncwarp();
	for (uint32_t j = 0; j < a.top; j++)
		sum += s[who[j]];
	for (uint32_t j = lane; j < a.top; j += WARP)
		w[j] = (float)(s[who[j]] / (a.norm ? sum + 1e-20 : 1) * a.scale);
}

void cuda_route(struct kern *k, const struct kern_route *a, float *scores, uint32_t *expert, float *weight)
{
	uint32_t blocks = cuda_blocks(a->t, ROUTE_ROWS);

	if (a->t == 0)
		return;
	LAUNCH(k_squash, blocks, ROUTE_THREADS, 0, cuda_of(k)->stream, *a, scores);
	LAUNCH(k_route, blocks, ROUTE_THREADS, ROUTE_ROWS * 3 * a->experts * sizeof(float), cuda_of(k)->stream, *a, (const float *)scores, expert, weight);
}

/* With s the scores, S the sum of the chosen: w = scale s / S, so ds = scale / S (dw - sum(dw s) / S); then through the sigmoid or softmax. */
static __global__ void __launch_bounds__(ROUTE_THREADS) k_route_dx(struct kern_route a, const float *scores, const uint32_t *expert, const float *dweight,
                                                                  float *dlogits)
{
	uint32_t lane = threadIdx.x % WARP, t = blockIdx.x * ROUTE_ROWS + threadIdx.x / WARP;
	const float *s = scores + (size_t)t * a.experts, *dw = dweight + (size_t)t * a.top;
	const uint32_t *who = expert + (size_t)t * a.top;
	float *dl = dlogits + (size_t)t * a.experts;
	double sum = 1e-20, mean = 0, dot = 0;

	if (t >= a.t)
		return;
	for (uint32_t j = 0; j < a.top; j++) {
		sum += s[who[j]];
		mean += (double)dw[j] * s[who[j]];
	}
	mean /= sum;
	for (uint32_t j = 0; j < a.top; j++)
		dot += s[who[j]] * (a.norm ? a.scale / sum * (dw[j] - mean) : (double)a.scale * dw[j]);
	for (uint32_t e = lane; e < a.experts; e += WARP) {
		double ds = 0, v = s[e];

		for (uint32_t j = 0; j < a.top; j++)
			if (who[j] == e)
				ds = a.norm ? a.scale / sum * (dw[j] - mean) : (double)a.scale * dw[j];
		dl[e] = (float)(a.sigmoid ? ds * v * (1 - v) : v * (ds - dot));
	}
}

void cuda_route_dx(struct kern *k, const struct kern_route *a, const float *scores, const uint32_t *expert, const float *dweight, float *dlogits)
{
	if (a->t > 0)
		LAUNCH(k_route_dx, cuda_blocks(a->t, ROUTE_ROWS), ROUTE_THREADS, 0, cuda_of(k)->stream, *a, scores, expert, dweight, dlogits);
}

/* --- putting the answers together --- */

template <typename T> struct grid_combine {
	uint32_t n, top;
	const T *y;
	const uint32_t *slot;
	const float *weight;           /* NULL: 1 */
	float *x;
	template <int V> __device__ void at(uint32_t i, uint32_t c) const
	{
		float sum[V], f[V];

		pack_get<V>(x + (size_t)i * n + c, sum);
		for (uint32_t j = 0; j < top; j++) {
			float w = weight ? weight[(size_t)i * top + j] : 1;

			pack_get<V>(y + (size_t)slot[(size_t)i * top + j] * n + c, f);
#pragma unroll
			for (int v = 0; v < V; v++)
				sum[v] += w * f[v];
		}
		pack_put<V>(x + (size_t)i * n + c, sum);
	}
};

void cuda_combine(struct kern *k, uint32_t t, uint32_t n, uint32_t top, enum dtype xt, const void *y, const uint32_t *slot, const float *weight, float *x)
{
	bool wide = cuda_wide(y, n) && cuda_wide(x, n);

	CUDA_ACT(xt, T, cuda_grid(k, t, n, wide, grid_combine<T>{ n, top, (const T *)y, slot, weight, x }););
}

void cuda_combine_add(struct kern *k, uint32_t t, uint32_t n, uint32_t top, const float *y, const uint32_t *slot, float *x)
{
	cuda_grid(k, t, n, cuda_wide(y, n) && cuda_wide(x, n), grid_combine<float>{ n, top, y, slot, NULL, x });
}

/* --- a factor for each row: dy = factor * dx, and the sum of dx * y --- */

struct row_scale {
	uint32_t rows, n, top;         /* row i is of dx[i / top] and y[slot[i]] */
	const float *dx, *factor;
	bool gate;                     /* the factor is sigmoid(factor[i]), and the sum is taken through it */
	const void *y;
	const uint32_t *slot;          /* NULL: i */
	void *dy;
	float *sum;
};

template <typename T, int V> __global__ void __launch_bounds__(FLAT_THREADS) k_row_scale(row_scale a)
{
	uint32_t i = (blockIdx.x * FLAT_THREADS + threadIdx.x) / WARP, lane = threadIdx.x % WARP, n = i < a.rows ? a.n : 0;
	size_t at = n > 0 ? (size_t)(a.slot ? a.slot[i] : i) * n : 0;
	const float *dx = a.dx + (size_t)(i / a.top) * n;
	float w = n > 0 ? a.factor[i] : 0, sum = 0, f[V], g[V];

	if (a.gate)
		w = 1 / (1 + expf(-w));
	for (uint32_t c = lane * V; c < n; c += WARP * V) {
		pack_get<V>(dx + c, f);
		pack_get<V>((const T *)a.y + at + c, g);
#pragma unroll
		for (int v = 0; v < V; v++) {
			sum += f[v] * g[v];
			f[v] *= w;
		}
		pack_put<V>((T *)a.dy + at + c, f);
	}
	sum = warp_sum(sum);
	if (lane == 0 && i < a.rows)
		a.sum[i] = a.gate ? sum * w * (1 - w) : sum;
}

static void row_scale_launch(struct kern *k, enum dtype xt, const row_scale &a)
{
	bool wide = cuda_wide(a.dx, a.n) && cuda_wide(a.y, a.n) && cuda_wide(a.dy, a.n);
	uint32_t blocks = cuda_blocks(a.rows, FLAT_THREADS / WARP);

	if (a.rows == 0)
		return;
	CUDA_ACT(xt, T,
		if (wide)
			LAUNCH((k_row_scale<T, PACK>), blocks, FLAT_THREADS, 0, cuda_of(k)->stream, a);
		else
			LAUNCH((k_row_scale<T, 1>), blocks, FLAT_THREADS, 0, cuda_of(k)->stream, a);
	);
}

void cuda_combine_dx(struct kern *k, uint32_t t, uint32_t n, uint32_t top, enum dtype xt, const float *dx, const void *y, const uint32_t *slot,
                     const float *weight, void *dy, float *dweight)
{
	row_scale_launch(k, xt, row_scale{ t * top, n, top, dx, weight, false, y, slot, dy, dweight });
}

void cuda_gated_dx(struct kern *k, uint32_t t, uint32_t n, enum dtype xt, const float *z, const void *y, const float *dx, void *dy, float *dz)
{
	row_scale_launch(k, xt, row_scale{ t, n, 1, dx, z, true, y, NULL, dy, dz });
}

template <typename T> struct grid_gated {
	uint32_t n;
	const float *z;
	const T *y;
	float *x;
	template <int V> __device__ void at(uint32_t i, uint32_t c) const
	{
		float f[V], g[V], w = 1 / (1 + expf(-z[i]));

		pack_get<V>(y + (size_t)i * n + c, f);
		pack_get<V>(x + (size_t)i * n + c, g);
#pragma unroll
		for (int v = 0; v < V; v++)
			g[v] += w * f[v];
		pack_put<V>(x + (size_t)i * n + c, g);
	}
};

void cuda_gated(struct kern *k, uint32_t t, uint32_t n, enum dtype xt, const float *z, const void *y, float *x)
{
	CUDA_ACT(xt, T, cuda_grid(k, t, n, cuda_wide(y, n) && cuda_wide(x, n), grid_gated<T>{ n, z, (const T *)y, x }););
}
