/* SPDX-License-Identifier: Apache-2.0 */
/* Attention of single queries (generation): the keys of each segment are split among blocks, whose parts are then put together in order.
 *
 * A warp takes every eighth key of its block's run and all the values its lanes hold; f32 arithmetic for either type. */
#include "cudaattn.h"

enum { ONE_THREADS = 256, ONE_WARPS = ONE_THREADS / WARP, ONE_KEYS = 256, ONE_PARTS = 64, ONE_VALUES = 256 };

/* Parts a segment's keys are split into: as many for all segments, of at least ONE_KEYS keys where the most keys allow it. */
static uint32_t parts_of(const struct kern_attn *a)
{
	uint32_t most = 1, parts;

	for (uint32_t g = 0; g < a->nseg; g++)
		if (a->seg[g].np + a->seg[g].nk > most)
			most = a->seg[g].np + a->seg[g].nk;
	parts = (most + ONE_KEYS - 1) / ONE_KEYS;
	return parts < ONE_PARTS ? parts : (uint32_t)ONE_PARTS;
}

/* Each part: its largest score, the sum of its weights, and the sum of weighted values. */
size_t attn_one_room(const struct kern_attn *a)
{
	return (size_t)a->nseg * a->heads * parts_of(a) * (a->dv + 2) * sizeof(float);
}

/* Scores of the keys of a block's run [J0, J1) into SC; the query's values lie in QS. */
template <typename T>
__device__ __forceinline__ void one_scores(const attn &a, const struct kern_seg &s, uint32_t kh, uint32_t j0, uint32_t j1, const float *qs, float *sc)
{
	uint32_t lane = threadIdx.x % WARP;

#pragma unroll 1
	for (uint32_t j = j0 + threadIdx.x / WARP; j < j1; j += ONE_WARPS) {
		const T *k = (const T *)a.k + attn_key_row(s, j) * a.ldk + (size_t)kh * a.dk;
		float sum = 0, f[PACK];

		if (a.wide)
			for (uint32_t c = lane * PACK; c < a.dk; c += WARP * PACK) {
				pack_get<PACK>(k + c, f);
#pragma unroll
				for (int v = 0; v < PACK; v++)
					sum += f[v] * qs[c + v];
			}
		else
			for (uint32_t c = lane; c < a.dk; c += WARP)
				sum += act_f(k[c]) * qs[c];
		sum = warp_sum(sum);
		if (lane == 0)
			sc[j - j0] = sum * a.scale;
	}
}

/* Block (segment, head, part); shared memory: the query, the scores of a run of keys, 33 for sums, and parts of the values' sums. */
template <typename T> __global__ void __launch_bounds__(ONE_THREADS) k_one(attn a, uint32_t run, float *part)
{
	SHARED_DYN(float, qs);
	__shared__ float room[WARP + 1];
	float *sc = qs + a.dk, *sums = sc + run;
	struct kern_seg s = a.seg[blockIdx.x];
	uint32_t h = blockIdx.y, kh = h / (a.heads / a.kv_heads), first = 0, last = s.nq > 0 ? attn_sees(s, a.window, 0, &first) : 0;
	uint32_t j0 = first + blockIdx.z * run, j1 = lesser(j0 + run, last), warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
	float *out = part + (((size_t)blockIdx.x * a.heads + h) * gridDim.z + blockIdx.z) * (a.dv + 2), max = -INFINITY, sum = 0;
	const T *q = (const T *)a.q + s.q0 * a.ldq + (size_t)h * a.dk, *v = (const T *)a.v + (size_t)kh * a.dv;

	for (uint32_t c = threadIdx.x; c < a.dk && s.nq > 0; c += ONE_THREADS)
		qs[c] = act_f(q[c]);
	__syncthreads();
	one_scores<T>(a, s, kh, j0, j1, qs, sc);
	__syncthreads();
	for (uint32_t j = j0 + threadIdx.x; j < j1; j += ONE_THREADS)
		max = fmaxf(max, sc[j - j0]);
	max = block_max(max, room);
	for (uint32_t j = j0 + threadIdx.x; j < j1; j += ONE_THREADS) {
		float w = expf(sc[j - j0] - max);

		sc[j - j0] = w;
		sum += w;
	}
	sum = block_sum(sum, room);                    /* its barriers show the weights to all */
	if (threadIdx.x == 0) {
		out[0] = max;
		out[1] = sum;
	}
	for (uint32_t base = 0; base < a.dv; base += WARP) {
		float o = 0;

#pragma unroll 2
		for (uint32_t j = j0 + warp; j < j1 && base + lane < a.dv; j += ONE_WARPS)
			o += sc[j - j0] * act_f(v[attn_key_row(s, j) * a.ldv + base + lane]);
		sums[threadIdx.x] = o;
		__syncthreads();
		if (warp == 0 && base + lane < a.dv) {
			o = 0;
			for (int w = 0; w < ONE_WARPS; w++)
				o += sums[w * WARP + lane];
			out[2 + base + lane] = o;
		}
		__syncthreads();
	}
}

/* Block (segment, head): the parts put together. */
template <typename T> __global__ void __launch_bounds__(ATTN_THREADS) k_one_end(attn a, uint32_t parts, const float *part)
{
	struct kern_seg s = a.seg[blockIdx.x];
	uint32_t h = blockIdx.y;
	const float *p = part + ((size_t)blockIdx.x * a.heads + h) * parts * (a.dv + 2);
	float max = -INFINITY, sum = 0;

	if (s.nq == 0)
		return;
	for (uint32_t i = 0; i < parts; i++)
		max = fmaxf(max, p[(size_t)i * (a.dv + 2)]);
#pragma unroll 1
	for (uint32_t i = 0; i < parts; i++)
		sum += p[(size_t)i * (a.dv + 2) + 1] * expf(p[(size_t)i * (a.dv + 2)] - max);
	for (uint32_t c = threadIdx.x; c < a.dv; c += ATTN_THREADS) {
		float o = 0;

#pragma unroll 1
		for (uint32_t i = 0; i < parts; i++)
			o += p[(size_t)i * (a.dv + 2) + 2 + c] * expf(p[(size_t)i * (a.dv + 2)] - max);
		((T *)a.o)[s.q0 * a.ldo + (size_t)h * a.dv + c] = f_act<T>(o / sum);
	}
	if (a.lse && threadIdx.x == 0)
		a.lse[(size_t)s.q0 * a.heads + h] = max + logf(sum);
}

void attn_one(struct kern *k, const struct kern_attn *a, const struct attn *t, void *room)
{
	uint32_t parts = parts_of(a), run = 1;
	size_t bytes;
	cudaStream_t s = cuda_of(k)->stream;

	for (uint32_t g = 0; g < a->nseg; g++)
		if (a->seg[g].np + a->seg[g].nk > run)
			run = a->seg[g].np + a->seg[g].nk;
	run = (run + parts - 1) / parts;
	bytes = (a->dk + run + ONE_THREADS) * sizeof(float);
	CUDA_ACT(a->xt, T,
		SHARED_MORE((k_one<T>), bytes);
		LAUNCH((k_one<T>), dim3(a->nseg, a->heads, parts), ONE_THREADS, bytes, s, *t, run, (float *)room);
		LAUNCH((k_one_end<T>), dim3(a->nseg, a->heads), ATTN_THREADS, 0, s, *t, parts, (const float *)room);
	);
}
