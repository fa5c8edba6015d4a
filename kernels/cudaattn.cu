/* SPDX-License-Identifier: Apache-2.0 */
/* Attention there: bf16 on tensor cores, with the softmax of what was seen so far (FlashAttention-2, Dao 2023); other sizes and f32 are attn_plain()'s. */
#include "cudaattnmma.h"

/* Scaled scores of a warp's 16 queries and KT keys from J0 on; those that a query does not see are -inf.  Thread: rows lane / 4 and 8 further; LAST: the
 * first key that the former does not see. */
template <int KT> __device__ __forceinline__ void attn_mask(float (*s)[4], float scale, uint32_t j0, uint32_t last, uint32_t window, bool whole)
{
	uint32_t c = threadIdx.x % 4 * 2;

#pragma unroll
	for (int n = 0; n < KT / 8; n++)
#pragma unroll
		for (int e = 0; e < 4; e++) {
			uint32_t j = j0 + n * 8 + c + (e & 1), end = last + e / 2 * 8;

			s[n][e] = whole || (j < end && (window == 0 || j + window >= end)) ? s[n][e] * scale : -INFINITY;
		}
}

/* Scores to exp2(score - max); max, sum and o [16, DV] brought up to date. */
template <int KT, int DV> __device__ __forceinline__ void attn_soften(float (*s)[4], float (*o)[4], float max[2], float sum[2])
{
#pragma unroll
	for (int half = 0; half < 2; half++) {
		float most = max[half], base, old;

#pragma unroll
		for (int n = 0; n < KT / 8; n++)
			most = fmaxf(most, fmaxf(s[n][2 * half], s[n][2 * half + 1]));
		most = quad_max(most);
		base = most > -INFINITY ? most : 0;
		old = exp2f(max[half] - base);
		max[half] = most;
		sum[half] *= old;
#pragma unroll
		for (int n = 0; n < KT / 8; n++) {
			s[n][2 * half] = exp2f(s[n][2 * half] - base);
			s[n][2 * half + 1] = exp2f(s[n][2 * half + 1] - base);
			sum[half] += s[n][2 * half] + s[n][2 * half + 1];
		}
#pragma unroll
		for (int n = 0; n < DV / 8; n++) {
			o[n][2 * half] *= old;
			o[n][2 * half + 1] *= old;
		}
	}
}

/* What a warp has found of its queries goes out; where they are is read again, so that it took no registers on the way. */
template <int DV> __device__ __forceinline__ void attn_finish(const attn &a, const float (*o)[4], const float max[2], const float sum[2])
{
	struct attn_tile tile = a.tile[blockIdx.x];
	uint32_t q0 = a.seg[tile.seg].q0, nq = a.seg[tile.seg].nq, h = blockIdx.y;

#pragma unroll
	for (int half = 0; half < 2; half++) {
		uint32_t i = tile.first + threadIdx.x / WARP * 16 + threadIdx.x % WARP / 4 + 8 * half;
		float all = quad_sum(sum[half]);

		if (i >= nq)
			continue;
		tile_put<DV>(o, half, 1 / all, (uint16_t *)a.o + (q0 + i) * a.ldo + (size_t)h * a.dv, a.dv, a.wide);
		if (a.lse && threadIdx.x % 4 == 0)
			a.lse[(size_t)(q0 + i) * a.heads + h] = (max[half] + log2f(all)) * LN2;
	}
}

/* A block for ATTN_Q queries of one head; keys KT at a time: while scores are made the values come, and while values are weighed the next keys. */
/* Heads of 192 (latent attention) leave a processor with 100 KB of shared memory (sm_86, sm_89) two blocks: */
/* bars: tile dynamic=36352 occupancy=16 */
template <int DK, int DV, int KT> __global__ void __launch_bounds__(ATTN_THREADS, 4) k_attn(attn a)
{
	SHARED_DYN(uint16_t, qs);
	uint16_t *ks = qs + ATTN_Q * (DK + TILE_PAD), *vs = ks + KT * (DK + TILE_PAD);
	struct attn_tile tile = a.tile[blockIdx.x];
	struct kern_seg s = a.seg[tile.seg];
	uint32_t h = blockIdx.y, kh = h / (a.heads / a.kv_heads), row = threadIdx.x / WARP * 16, end = lesser(tile.first + ATTN_Q, s.nq);
	uint32_t begin, least = attn_sees(s, a.window, tile.first, &begin), past, most = attn_sees(s, a.window, end - 1, &past);
	uint32_t last = least + row + threadIdx.x % WARP / 4;      /* all see the keys before LEAST (but for a window), and none those from MOST on */
	const uint16_t *q = (const uint16_t *)a.q + (size_t)h * a.dk, *k = (const uint16_t *)a.k + (size_t)kh * a.dk;
	const uint16_t *v = (const uint16_t *)a.v + (size_t)kh * a.dv;
	float o[DV / 8][4] = { { 0 } }, max[2] = { -INFINITY, -INFINITY }, sum[2] = { 0, 0 };

	begin = begin / KT * KT;
	tile_load<ATTN_Q, DK>(qs, q, a.dk, a.wide, [&](uint32_t r) { return tile.first + r < end ? q + (s.q0 + tile.first + r) * a.ldq : NULL; });
	tile_load<KT, DK>(ks, k, a.dk, a.wide, [&](uint32_t r) { return begin + r < most ? k + attn_key_row(s, begin + r) * a.ldk : NULL; });
	cp_async_commit();
	for (uint32_t j0 = begin; j0 < most; j0 += KT) {
		float p[KT / 8][4] = { { 0 } };

		cp_async_wait<0>();
		__syncthreads();                       /* the keys are there; the values of before are done with */
		tile_load<KT, DV>(vs, v, a.dv, a.wide, [&](uint32_t r) { return j0 + r < most ? v + attn_key_row(s, j0 + r) * a.ldv : NULL; });
		cp_async_commit();
		tile_product<DK, KT>(p, qs, row, ks);
		attn_mask<KT>(p, a.scale * LOG2E, j0, last, a.window, a.window == 0 && j0 + KT <= least);
		attn_soften<KT, DV>(p, o, max, sum);
		cp_async_wait<0>();
		__syncthreads();                       /* the values are there; the keys are done with */
		if (j0 + KT < most)
			tile_load<KT, DK>(ks, k, a.dk, a.wide, [&](uint32_t r) { return j0 + KT + r < most ? k + attn_key_row(s, j0 + KT + r) * a.ldk : NULL; });
		cp_async_commit();
		tile_weigh<DV, KT>(o, p, vs);
	}
	cp_async_wait<0>();
	attn_finish<DV>(a, o, max, sum);
}

template <int DK, int DV, int KT> static void attn_launch(struct kern *k, const struct attn &a)
{
	size_t bytes = (ATTN_Q * (DK + TILE_PAD) + KT * (DK + DV + 2 * TILE_PAD)) * sizeof(uint16_t);

	SHARED_MORE((k_attn<DK, DV, KT>), bytes);
	LAUNCH((k_attn<DK, DV, KT>), dim3(a.ntiles, a.heads), ATTN_THREADS, bytes, cuda_of(k)->stream, a);
}

/* Whether every segment is one query: a step of generation. */
static bool all_single(const struct kern_attn *a)
{
	for (uint32_t g = 0; g < a->nseg; g++)
		if (a->seg[g].nq > 1)
			return false;
	return true;
}

void cuda_attn(struct kern *k, const struct kern_attn *a)
{
	bool single = all_single(a);
	bool plain = a->xt == DT_F32 || a->dk > ATTN_DK || a->dv > ATTN_DV;
	struct attn t = attn_of(k, a, plain ? ATTN_PLAIN : ATTN_Q, false);

	if (t.ntiles == 0 || a->heads == 0)
		return;
	if (single)
		attn_one(k, a, &t, cuda_scratch(k, attn_one_room(a)));
	else if (plain)
		attn_plain(k, a->xt, &t);
	else if (a->dk <= 64 && a->dv <= 64)
		attn_launch<64, 64, 64>(k, t);
	else if (a->dk <= 128)
		attn_launch<128, 128, 16>(k, t);
	else
		attn_launch<192, 128, 16>(k, t);
}
