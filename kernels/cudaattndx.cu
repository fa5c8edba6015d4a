/* SPDX-License-Identifier: Apache-2.0 */
/* Attention back, bf16 on tensor cores, without atomics: one kernel sums over keys for each query, one over queries (of all heads of the group and all
 * segments that see the keys) for each key.  Both make the scores again from the log-sum-exp. */
#include "cudaattnmma.h"

enum { DX_KEYS = 32 };             /* keys, or queries, that are taken at a time */

/* delta = sum of dout * o, for each query and head: a warp for each. */
static __global__ void __launch_bounds__(ATTN_THREADS) k_attn_delta(attn a, float *delta)
{
	struct attn_tile tile = a.tile[blockIdx.x];
	struct kern_seg s = a.seg[tile.seg];
	uint32_t h = blockIdx.y, lane = threadIdx.x % WARP, end = lesser(tile.first + ATTN_Q, s.nq);

	for (uint32_t i = tile.first + threadIdx.x / WARP; i < end; i += ATTN_THREADS / WARP) {
		const uint16_t *o = (const uint16_t *)a.o + (s.q0 + i) * a.ldo + (size_t)h * a.dv;
		const uint16_t *d = (const uint16_t *)a.dout + (s.q0 + i) * a.lddo + (size_t)h * a.dv;
		float sum = 0;

		for (uint32_t c = lane; c < a.dv; c += WARP)
			sum += bf16_f(o[c]) * bf16_f(d[c]);
		sum = warp_sum(sum);
		if (lane == 0)
			delta[(size_t)(s.q0 + i) * a.heads + h] = sum;
	}
}

/* --- queries --- */

/* Scores S and the gradients of the weights P of 16 queries and DX_KEYS keys to the gradients of the scores, in S. */
__device__ __forceinline__ void dx_query_scores(const attn &a, float (*s)[4], const float (*p)[4], uint32_t j0, const uint32_t first[2],
                                                const uint32_t last[2], const float lse[2], const float delta[2])
{
	uint32_t c = threadIdx.x % 4 * 2;

#pragma unroll
	for (int n = 0; n < DX_KEYS / 8; n++)
#pragma unroll
		for (int e = 0; e < 4; e++) {
			uint32_t j = j0 + n * 8 + c + (e & 1);
			float w = j >= first[e / 2] && j < last[e / 2] ? exp2f(s[n][e] * (a.scale * LOG2E) - lse[e / 2]) : 0;

			s[n][e] = w * (p[n][e] - delta[e / 2]) * a.scale;
		}
}

/* bars: back dynamic=83968 */
template <int DK, int DV> __global__ void __launch_bounds__(ATTN_THREADS) k_attn_dq(attn a)
{
	SHARED_DYN(uint16_t, qs);
	const uint32_t stage = DX_KEYS * (DK + DV + 2 * TILE_PAD);
	uint16_t *ds = qs + ATTN_Q * (DK + TILE_PAD), *ks = ds + ATTN_Q * (DV + TILE_PAD);      /* two stages of keys and values */
	struct attn_tile tile = a.tile[blockIdx.x];
	struct kern_seg s = a.seg[tile.seg];
	uint32_t h = blockIdx.y, kh = h / (a.heads / a.kv_heads), row = threadIdx.x / WARP * 16, end = lesser(tile.first + ATTN_Q, s.nq);
	uint32_t first[2] = { 0, 0 }, last[2] = { 0, 0 }, begin, most, any, at = 0;
	const uint16_t *q = (const uint16_t *)a.q + (size_t)h * a.dk, *k = (const uint16_t *)a.k + (size_t)kh * a.dk;
	const uint16_t *v = (const uint16_t *)a.v + (size_t)kh * a.dv, *d = (const uint16_t *)a.dout + (size_t)h * a.dv;
	float dq[DK / 8][4] = { { 0 } }, lse[2] = { 0, 0 }, delta[2] = { 0, 0 };
	auto keys = [&](uint32_t j0, uint16_t *to) {
		tile_load<DX_KEYS, DK>(to, k, a.dk, a.wide, [&](uint32_t r) { return j0 + r < most ? k + attn_key_row(s, j0 + r) * a.ldk : NULL; });
		tile_load<DX_KEYS, DV>(to + DX_KEYS * (DK + TILE_PAD), v, a.dv, a.wide,
		                       [&](uint32_t r) { return j0 + r < most ? v + attn_key_row(s, j0 + r) * a.ldv : NULL; });
		cp_async_commit();
	};

	attn_sees(s, a.window, tile.first, &begin);
	most = attn_sees(s, a.window, end - 1, &any);
#pragma unroll
	for (int half = 0; half < 2; half++) {
		uint32_t i = tile.first + row + threadIdx.x % WARP / 4 + 8 * half;

		if (i >= end)
			continue;
		last[half] = attn_sees(s, a.window, i, &first[half]);
		lse[half] = a.lse[(size_t)(s.q0 + i) * a.heads + h] * LOG2E;
		delta[half] = a.delta[(size_t)(s.q0 + i) * a.heads + h];
	}
	begin = begin / DX_KEYS * DX_KEYS;
	tile_load<ATTN_Q, DK>(qs, q, a.dk, a.wide, [&](uint32_t r) { return tile.first + r < end ? q + (s.q0 + tile.first + r) * a.ldq : NULL; });
	tile_load<ATTN_Q, DV>(ds, d, a.dv, a.wide, [&](uint32_t r) { return tile.first + r < end ? d + (s.q0 + tile.first + r) * a.lddo : NULL; });
	keys(begin, ks);
	for (uint32_t j0 = begin; j0 < most; j0 += DX_KEYS, at ^= 1) {
		const uint16_t *kt = ks + at * stage, *vt = kt + DX_KEYS * (DK + TILE_PAD);
		float sc[DX_KEYS / 8][4] = { { 0 } }, dp[DX_KEYS / 8][4] = { { 0 } };

		cp_async_wait<0>();
		__syncthreads();                       /* this stage is there; the other is done with */
		if (j0 + DX_KEYS < most)
			keys(j0 + DX_KEYS, ks + (at ^ 1) * stage);
		tile_product<DK, DX_KEYS>(sc, qs, row, kt);
		tile_product<DV, DX_KEYS>(dp, ds, row, vt);
		dx_query_scores(a, sc, dp, j0, first, last, lse, delta);
		tile_weigh<DK, DX_KEYS>(dq, sc, kt);
	}
#pragma unroll
	for (int half = 0; half < 2; half++) {
		uint32_t i = tile.first + row + threadIdx.x % WARP / 4 + 8 * half;

		if (i < end)
			tile_put<DK>(dq, half, 1, (uint16_t *)a.dq + (s.q0 + i) * a.ldq + (size_t)h * a.dk, a.dk, a.wide);
	}
}

/* --- keys and values --- */

/* Where a block of keys is: one visit (a segment), one head, DX_KEYS queries from I on. */
struct dx_place {
	uint32_t visit, h, i, begin, end;
	uint32_t lo, hi, shift;        /* rows of the block that the visit covers; row r is key r + shift (modulo 2^32) */
	struct kern_seg s;
};

/* The first queries of a visit that see keys of the rows; false if there are none. */
__device__ __forceinline__ bool dx_enter(const attn &a, const attn_rows &rows, dx_place *p)
{
	struct attn_visit v = a.visit[rows.visit + p->visit];
	uint32_t off, past;

	p->s = a.seg[v.seg];
	off = p->s.np + p->s.nk - p->s.nq;
	p->shift = v.base - v.lo;
	p->lo = v.lo > rows.row ? v.lo : rows.row;
	p->hi = lesser(v.hi, rows.row + rows.rows);
	p->begin = p->lo + p->shift > off ? p->lo + p->shift - off : 0;
	past = p->hi - 1 + p->shift + a.window;        /* queries from past - off on see none of these keys */
	p->end = a.window == 0 ? p->s.nq : past > off ? lesser(past - off, p->s.nq) : 0;
	p->i = p->begin;
	return p->begin < p->end;
}

/* The next place after P that has queries; false at the end.  FIRST: the first place of all. */
__device__ __forceinline__ bool dx_next(const attn &a, const attn_rows &rows, uint32_t kh, dx_place *p, bool first)
{
	uint32_t group = a.heads / a.kv_heads;

	if (first) {
		p->visit = 0;
	} else {
		if ((p->i += DX_KEYS) < p->end)
			return true;
		p->i = p->begin;
		if (++p->h < (kh + 1) * group)
			return true;
		p->visit++;
	}
	for (p->h = kh * group; p->visit < rows.visits; p->visit++)
		if (dx_enter(a, rows, p))
			return true;
	return false;
}

/* Scores S and gradients of weights P, of 16 keys (rows) and DX_KEYS queries: to weights in S and gradients of scores in P. */
__device__ __forceinline__ void dx_key_scores(const attn &a, float (*s)[4], float (*p)[4], const dx_place &at, uint32_t row, const float *lse,
                                              const float *delta)
{
	uint32_t c = threadIdx.x % 4 * 2, off = at.s.np + at.s.nk - at.s.nq;

#pragma unroll
	for (int n = 0; n < DX_KEYS / 8; n++)
#pragma unroll
		for (int e = 0; e < 4; e++) {
			uint32_t i = n * 8 + c + (e & 1), r = row + e / 2 * 8, j = r + at.shift, own = off + at.i + i;
			bool seen = r >= at.lo && r < at.hi && j <= own && (a.window == 0 || j + a.window > own);
			float w = seen ? exp2f(s[n][e] * (a.scale * LOG2E) - lse[i]) : 0;

			s[n][e] = w;
			p[n][e] = w * (p[n][e] - delta[i]) * a.scale;
		}
}

/* bars: back dynamic=84480 */
template <int DK, int DV> __global__ void __launch_bounds__(ATTN_THREADS) k_attn_dkv(attn a)
{
	SHARED_DYN(uint16_t, ks);
	const uint32_t stage = DX_KEYS * (DK + DV + 2 * TILE_PAD);
	uint16_t *vs = ks + ATTN_Q * (DK + TILE_PAD), *qs = vs + ATTN_Q * (DV + TILE_PAD);      /* two stages of queries and dout */
	float *sums = (float *)(qs + 2 * stage);                                                /* likewise log-sum-exp and delta */
	struct attn_rows rows = a.rows[blockIdx.x];
	uint32_t kh = blockIdx.y, row = threadIdx.x / WARP * 16, at = 0;
	const uint16_t *k = (const uint16_t *)a.k + (size_t)kh * a.dk, *v = (const uint16_t *)a.v + (size_t)kh * a.dv;
	float dk[DK / 8][4] = { { 0 } }, dv[DV / 8][4] = { { 0 } };
	dx_place now, next;
	bool more;
	auto queries = [&](const dx_place &p, uint32_t to) {
		const uint16_t *q = (const uint16_t *)a.q + (size_t)p.h * a.dk, *d = (const uint16_t *)a.dout + (size_t)p.h * a.dv;
		uint16_t *qt = qs + to * stage;
		uint32_t i = p.i + threadIdx.x % DX_KEYS;
		float *mine = sums + to * 2 * DX_KEYS + threadIdx.x % DX_KEYS;

		tile_load<DX_KEYS, DK>(qt, q, a.dk, a.wide, [&](uint32_t r) { return p.i + r < p.end ? q + (p.s.q0 + p.i + r) * a.ldq : NULL; });
		tile_load<DX_KEYS, DV>(qt + DX_KEYS * (DK + TILE_PAD), d, a.dv, a.wide,
		                       [&](uint32_t r) { return p.i + r < p.end ? d + (p.s.q0 + p.i + r) * a.lddo : NULL; });
		if (threadIdx.x < DX_KEYS)             /* rows beyond the last weigh nothing */
			*mine = i < p.end ? a.lse[(size_t)(p.s.q0 + i) * a.heads + p.h] * LOG2E : INFINITY;
		else if (threadIdx.x < 2 * DX_KEYS)
			mine[DX_KEYS] = i < p.end ? a.delta[(size_t)(p.s.q0 + i) * a.heads + p.h] : 0;
		cp_async_commit();
	};

	tile_load<ATTN_Q, DK>(ks, k, a.dk, a.wide, [&](uint32_t r) { return r < rows.rows ? k + (rows.row + r) * a.ldk : NULL; });
	tile_load<ATTN_Q, DV>(vs, v, a.dv, a.wide, [&](uint32_t r) { return r < rows.rows ? v + (rows.row + r) * a.ldv : NULL; });
	more = dx_next(a, rows, kh, &next, true);
	if (more)
		queries(next, 0);
	for (; more; at ^= 1) {
		const uint16_t *qt = qs + at * stage, *dt = qt + DX_KEYS * (DK + TILE_PAD);
		const float *lse = sums + at * 2 * DX_KEYS;
		float sc[DX_KEYS / 8][4] = { { 0 } }, dp[DX_KEYS / 8][4] = { { 0 } };

		now = next;
		cp_async_wait<0>();
		__syncthreads();                       /* this stage is there; the other is done with */
		more = dx_next(a, rows, kh, &next, false);
		if (more)
			queries(next, at ^ 1);
		tile_product<DK, DX_KEYS>(sc, ks, row, qt);
		tile_product<DV, DX_KEYS>(dp, vs, row, dt);
		dx_key_scores(a, sc, dp, now, rows.row + row + threadIdx.x % WARP / 4, lse, lse + DX_KEYS);
		tile_weigh<DV, DX_KEYS>(dv, sc, dt);
		tile_weigh<DK, DX_KEYS>(dk, dp, qt);
	}
	cp_async_wait<0>();
#pragma unroll
	for (int half = 0; half < 2; half++) {
		uint32_t r = row + threadIdx.x % WARP / 4 + 8 * half;

		if (r >= rows.rows)
			continue;
		tile_put<DK>(dk, half, 1, (uint16_t *)a.dkey + (rows.row + r) * a.ldk + (size_t)kh * a.dk, a.dk, a.wide);
		tile_put<DV>(dv, half, 1, (uint16_t *)a.dvalue + (rows.row + r) * a.ldv + (size_t)kh * a.dv, a.dv, a.wide);
	}
}

template <int DK, int DV> static void attn_dx_launch(struct kern *k, const struct attn &a)
{
	size_t tile = ATTN_Q * (DK + DV + 2 * TILE_PAD) * sizeof(uint16_t), stage = DX_KEYS * (DK + DV + 2 * TILE_PAD) * sizeof(uint16_t);
	size_t bytes = tile + 2 * stage;
	cudaStream_t s = cuda_of(k)->stream;

	SHARED_MORE((k_attn_dq<DK, DV>), bytes);
	LAUNCH((k_attn_dq<DK, DV>), dim3(a.ntiles, a.heads), ATTN_THREADS, bytes, s, a);
	bytes += 4 * DX_KEYS * sizeof(float);
	SHARED_MORE((k_attn_dkv<DK, DV>), bytes);
	LAUNCH((k_attn_dkv<DK, DV>), dim3(a.nrows, a.kv_heads), ATTN_THREADS, bytes, s, a);
}

static void attn_mma_dx(struct kern *k, const struct attn *a, float *delta)
{
	if (a->ntiles > 0)
		LAUNCH(k_attn_delta, dim3(a->ntiles, a->heads), ATTN_THREADS, 0, cuda_of(k)->stream, *a, delta);
	if (a->dk <= 64 && a->dv <= 64)
		attn_dx_launch<64, 64>(k, *a);
	else if (a->dk <= 128)
		attn_dx_launch<128, 128>(k, *a);
	else
		attn_dx_launch<192, 128>(k, *a);
}

void cuda_attn_dx(struct kern *k, const struct kern_attn *a, const void *dout, size_t lddo, void *dq, void *dk, void *dv)
{
	bool plain = a->xt == DT_F32 || a->dk > ATTN_DK || a->dv > ATTN_DV;
	struct attn t = attn_of(k, a, plain ? ATTN_PLAIN : ATTN_Q, true);
	size_t rows = 0;
	float *delta;

	for (uint32_t g = 0; g < a->nseg; g++)
		if (a->seg[g].nq > 0 && (size_t)a->seg[g].q0 + a->seg[g].nq > rows)
			rows = (size_t)a->seg[g].q0 + a->seg[g].nq;
	if (t.ntiles == 0 || a->heads == 0)
		return;
	delta = (float *)cuda_scratch(k, rows * a->heads * sizeof *delta);
	t.delta = delta;
	t.dout = dout;
	t.lddo = lddo;
	t.dq = dq;
	t.dkey = dk;
	t.dvalue = dv;
	t.wide = t.wide && cuda_wide(dout, lddo) && cuda_wide(dq) && cuda_wide(dk) && cuda_wide(dv);
	if (plain)
		attn_plain_dx(k, a->xt, &t, delta);
	else
		attn_mma_dx(k, &t, delta);
}
