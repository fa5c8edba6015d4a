/* SPDX-License-Identifier: Apache-2.0 */
/* Attention in f32 arithmetic, of either type and any sizes: tiles of 32 queries and 32 keys, and 128 columns of what is summed at a time.
 *
 * A block has 256 threads; thread (y, x) = (id / 32, id % 32) has scores of queries y, y + 8, y + 16, y + 24 and key x, and of a sum [32, 128] the rows
 * y ... and the columns x, x + 32, x + 64, x + 96. */
#include "cudaattn.h"

enum { SIDE = 32, PLAIN_THREADS = 256, PLAIN_ROWS = PLAIN_THREADS / SIDE, PER = SIDE / PLAIN_ROWS, PLAIN_COLS = 128, COLS_PER = PLAIN_COLS / SIDE };

struct plain_room {
	float left[SIDE][SIDE + 1], right[SIDE][SIDE + 1];   /* pieces of 32 columns of what is multiplied */
	float w[SIDE][SIDE + 1], v[SIDE][SIDE + 1];          /* weights, and gradients of scores: [query][key] */
};

/* 32 columns of 32 rows from COL on; row(r): where it lies, or NULL. */
template <typename T, typename ROW> __device__ __forceinline__ void plain_load(float (*to)[SIDE + 1], uint32_t col, uint32_t n, const ROW &row)
{
	uint32_t c = col + threadIdx.x % SIDE;

	for (uint32_t r = threadIdx.x / SIDE; r < SIDE; r += PLAIN_ROWS) {
		const T *p = row(r);

		to[r][threadIdx.x % SIDE] = p != NULL && c < n ? act_f(p[c]) : 0;
	}
}

/* sum[p] = product of rows y + 8 p of LEFT with row x of RIGHT, N values. */
template <typename T, typename LEFT, typename RIGHT>
__device__ __forceinline__ void plain_scores(plain_room *room, float sum[PER], uint32_t n, const LEFT &left, const RIGHT &right)
{
	uint32_t y = threadIdx.x / SIDE, x = threadIdx.x % SIDE;

	for (int p = 0; p < PER; p++)
		sum[p] = 0;
	for (uint32_t col = 0; col < n; col += SIDE) {
		__syncthreads();
		plain_load<T>(room->left, col, n, left);
		plain_load<T>(room->right, col, n, right);
		__syncthreads();
#pragma unroll 4
		for (int c = 0; c < SIDE; c++)
#pragma unroll
			for (int p = 0; p < PER; p++)
				sum[p] += room->left[y + p * PLAIN_ROWS][c] * room->right[x][c];
	}
}

/* sum[p][c] += over j of w(y + 8 p, j) times row j, columns COL + x + 32 c. */
template <typename T, typename W, typename ROW>
__device__ __forceinline__ void plain_weigh(plain_room *room, float (*sum)[COLS_PER], uint32_t col, uint32_t n, const W &w, const ROW &row)
{
	uint32_t y = threadIdx.x / SIDE, x = threadIdx.x % SIDE;

#pragma unroll
	for (int c = 0; c < COLS_PER; c++) {
		if (col + c * SIDE >= n)
			break;
		__syncthreads();
		plain_load<T>(room->right, col + c * SIDE, n, row);
		__syncthreads();
#pragma unroll 4
		for (int j = 0; j < SIDE; j++)
#pragma unroll
			for (int p = 0; p < PER; p++)
				sum[p][c] += w(y + p * PLAIN_ROWS, j) * room->right[j][x];
	}
}

/* SUM's rows y ... to where row(r) says (NULL: nowhere). */
template <typename T, typename ROW> __device__ __forceinline__ void plain_put(const float (*sum)[COLS_PER], uint32_t col, uint32_t n, const ROW &row)
{
#pragma unroll
	for (int p = 0; p < PER; p++) {
		T *to = row(threadIdx.x / SIDE + p * PLAIN_ROWS);

#pragma unroll
		for (int c = 0; c < COLS_PER; c++)
			if (to != NULL && col + threadIdx.x % SIDE + c * SIDE < n)
				to[col + threadIdx.x % SIDE + c * SIDE] = f_act<T>(sum[p][c]);
	}
}

/* What a block of queries works on. */
struct plain_queries {
	struct kern_seg s;
	uint32_t i, end, h, kh, begin, most, col;
};

__device__ __forceinline__ plain_queries plain_start(const attn &a)
{
	struct attn_tile tile = a.tile[blockIdx.x];
	plain_queries p = { a.seg[tile.seg], tile.first, 0, blockIdx.y, blockIdx.y / (a.heads / a.kv_heads), 0, 0, blockIdx.z * PLAIN_COLS };
	uint32_t any;

	p.end = lesser(p.i + SIDE, p.s.nq);
	attn_sees(p.s, a.window, p.i, &p.begin);
	p.most = attn_sees(p.s, a.window, p.end - 1, &any);
	return p;
}

/* A warp has the row y + 8 p in its 32 lanes. */
/* bars: wide */
template <typename T> __global__ void __launch_bounds__(PLAIN_THREADS, 2) k_attn_plain(attn a)
{
	__shared__ plain_room room;
	plain_queries b = plain_start(a);
	uint32_t y = threadIdx.x / SIDE, x = threadIdx.x % SIDE;
	float o[PER][COLS_PER] = { { 0 } }, max[PER], sum[PER], sc[PER];
	auto q = [&](uint32_t r) { return b.i + r < b.end ? (const T *)a.q + (b.s.q0 + b.i + r) * a.ldq + (size_t)b.h * a.dk : NULL; };

	for (int p = 0; p < PER; p++) {
		max[p] = -INFINITY;
		sum[p] = 0;
	}
	for (uint32_t j0 = b.begin; j0 < b.most; j0 += SIDE) {
		auto k = [&](uint32_t r) { return j0 + r < b.most ? (const T *)a.k + attn_key_row(b.s, j0 + r) * a.ldk + (size_t)b.kh * a.dk : NULL; };
		auto v = [&](uint32_t r) { return j0 + r < b.most ? (const T *)a.v + attn_key_row(b.s, j0 + r) * a.ldv + (size_t)b.kh * a.dv : NULL; };

		plain_scores<T>(&room, sc, a.dk, q, k);
#pragma unroll
		for (int p = 0; p < PER; p++) {
			uint32_t i = b.i + y + p * PLAIN_ROWS, first = 0, last = i < b.end ? attn_sees(b.s, a.window, i, &first) : 0;
			float score = j0 + x >= first && j0 + x < last ? sc[p] * a.scale : -INFINITY, most = fmaxf(max[p], warp_max(score));
			float base = most > -INFINITY ? most : 0, old = expf(max[p] - base), w = expf(score - base);

			max[p] = most;
			sum[p] = sum[p] * old + warp_sum(w);
			room.w[y + p * PLAIN_ROWS][x] = w;
#pragma unroll
			for (int c = 0; c < COLS_PER; c++)
				o[p][c] *= old;
		}
		plain_weigh<T>(&room, o, b.col, a.dv, [&](uint32_t r, uint32_t j) { return room.w[r][j]; }, v);
	}
#pragma unroll
	for (int p = 0; p < PER; p++) {
		uint32_t i = b.i + y + p * PLAIN_ROWS;

#pragma unroll
		for (int c = 0; c < COLS_PER; c++)
			o[p][c] /= sum[p];
		if (a.lse && x == 0 && b.col == 0 && i < b.end)
			a.lse[(size_t)(b.s.q0 + i) * a.heads + b.h] = max[p] + logf(sum[p]);
	}
	plain_put<T>(o, b.col, a.dv, [&](uint32_t r) { return b.i + r < b.end ? (T *)a.o + (b.s.q0 + b.i + r) * a.ldo + (size_t)b.h * a.dv : NULL; });
}

void attn_plain(struct kern *k, enum dtype t, const struct attn *a)
{
	dim3 grid(a->ntiles, a->heads, cuda_blocks(a->dv, PLAIN_COLS));

	CUDA_ACT(t, T, LAUNCH((k_attn_plain<T>), grid, PLAIN_THREADS, 0, cuda_of(k)->stream, *a););
}

/* --- back --- */

/* sum of dout * o: a warp for each query and head. */
template <typename T> __global__ void __launch_bounds__(PLAIN_THREADS) k_plain_delta(attn a, float *delta)
{
	plain_queries b = plain_start(a);

	for (uint32_t i = b.i + threadIdx.x / WARP; i < b.end; i += PLAIN_THREADS / WARP) {
		const T *o = (const T *)a.o + (b.s.q0 + i) * a.ldo + (size_t)b.h * a.dv, *d = (const T *)a.dout + (b.s.q0 + i) * a.lddo + (size_t)b.h * a.dv;
		float sum = 0;

		for (uint32_t c = threadIdx.x % WARP; c < a.dv; c += WARP)
			sum += act_f(o[c]) * act_f(d[c]);
		sum = warp_sum(sum);
		if (threadIdx.x % WARP == 0)
			delta[(size_t)(b.s.q0 + i) * a.heads + b.h] = sum;
	}
}

/* Of queries B (32) and keys J0 ... (JEND): weights into room.w, gradients of scores into room.v.  seen(i, j): whether query i sees key j. */
template <typename T, typename Q, typename K, typename D, typename V, typename SEEN>
__device__ __forceinline__ void plain_gradients(const attn &a, plain_room *room, const struct kern_seg &s, uint32_t h, uint32_t i0, const Q &q, const K &k,
                                                const D &d, const V &v, const SEEN &seen)
{
	uint32_t y = threadIdx.x / SIDE, x = threadIdx.x % SIDE;
	float sc[PER], dp[PER];

	plain_scores<T>(room, sc, a.dk, q, k);
	plain_scores<T>(room, dp, a.dv, d, v);
#pragma unroll
	for (int p = 0; p < PER; p++) {
		uint32_t r = y + p * PLAIN_ROWS;
		size_t at = (size_t)(s.q0 + i0 + r) * a.heads + h;
		bool see = seen(i0 + r, x);
		float w = see ? expf(sc[p] * a.scale - a.lse[at]) : 0;

		room->w[r][x] = w;
		room->v[r][x] = see ? w * (dp[p] - a.delta[at]) * a.scale : 0;
	}
}

/* bars: wide */
template <typename T> __global__ void __launch_bounds__(PLAIN_THREADS, 2) k_plain_dq(attn a)
{
	__shared__ plain_room room;
	plain_queries b = plain_start(a);
	float dq[PER][COLS_PER] = { { 0 } };
	auto q = [&](uint32_t r) { return b.i + r < b.end ? (const T *)a.q + (b.s.q0 + b.i + r) * a.ldq + (size_t)b.h * a.dk : NULL; };
	auto d = [&](uint32_t r) { return b.i + r < b.end ? (const T *)a.dout + (b.s.q0 + b.i + r) * a.lddo + (size_t)b.h * a.dv : NULL; };

	for (uint32_t j0 = b.begin; j0 < b.most; j0 += SIDE) {
		auto k = [&](uint32_t r) { return j0 + r < b.most ? (const T *)a.k + attn_key_row(b.s, j0 + r) * a.ldk + (size_t)b.kh * a.dk : NULL; };
		auto v = [&](uint32_t r) { return j0 + r < b.most ? (const T *)a.v + attn_key_row(b.s, j0 + r) * a.ldv + (size_t)b.kh * a.dv : NULL; };

		plain_gradients<T>(a, &room, b.s, b.h, b.i, q, k, d, v, [&](uint32_t i, uint32_t x) {
			uint32_t first, last = attn_sees(b.s, a.window, i, &first);

			return i < b.end && j0 + x >= first && j0 + x < last;
		});
		plain_weigh<T>(&room, dq, b.col, a.dk, [&](uint32_t r, uint32_t j) { return room.v[r][j]; }, k);
	}
	plain_put<T>(dq, b.col, a.dk, [&](uint32_t r) { return b.i + r < b.end ? (T *)a.dq + (b.s.q0 + b.i + r) * a.ldq + (size_t)b.h * a.dk : NULL; });
}

/* A block for 32 rows of keys and one of their heads: over who sees them, the heads of the group, and their queries. */
/* bars: wide */
template <typename T> __global__ void __launch_bounds__(PLAIN_THREADS, 2) k_plain_dkv(attn a)
{
	__shared__ plain_room room;
	struct attn_rows rows = a.rows[blockIdx.x];
	uint32_t kh = blockIdx.y, col = blockIdx.z * PLAIN_COLS, group = a.heads / a.kv_heads;
	float dk[PER][COLS_PER] = { { 0 } }, dv[PER][COLS_PER] = { { 0 } };
	auto k = [&](uint32_t r) { return r < rows.rows ? (const T *)a.k + (rows.row + r) * a.ldk + (size_t)kh * a.dk : NULL; };
	auto v = [&](uint32_t r) { return r < rows.rows ? (const T *)a.v + (rows.row + r) * a.ldv + (size_t)kh * a.dv : NULL; };

	for (uint32_t n = 0; n < rows.visits * group; n++) {
		struct attn_visit visit = a.visit[rows.visit + n / group];
		struct kern_seg s = a.seg[visit.seg];
		uint32_t h = kh * group + n % group, off = s.np + s.nk - s.nq, lo = visit.lo > rows.row ? visit.lo : rows.row;
		uint32_t hi = lesser(visit.hi, rows.row + rows.rows), shift = visit.base - visit.lo, past = hi - 1 + shift + a.window;
		uint32_t begin = lo + shift > off ? lo + shift - off : 0, end = a.window == 0 ? s.nq : past > off ? lesser(past - off, s.nq) : 0;

		for (uint32_t i0 = begin; i0 < end; i0 += SIDE) {
			auto q = [&](uint32_t r) { return i0 + r < end ? (const T *)a.q + (s.q0 + i0 + r) * a.ldq + (size_t)h * a.dk : NULL; };
			auto d = [&](uint32_t r) { return i0 + r < end ? (const T *)a.dout + (s.q0 + i0 + r) * a.lddo + (size_t)h * a.dv : NULL; };

			plain_gradients<T>(a, &room, s, h, i0, q, k, d, v, [&](uint32_t i, uint32_t x) {
				uint32_t first, last = attn_sees(s, a.window, i, &first), r = rows.row + x;

				return i < end && r >= lo && r < hi && r + shift >= first && r + shift < last;
			});
			plain_weigh<T>(&room, dv, col, a.dv, [&](uint32_t r, uint32_t j) { return room.w[j][r]; }, d);
			plain_weigh<T>(&room, dk, col, a.dk, [&](uint32_t r, uint32_t j) { return room.v[j][r]; }, q);
		}
	}
	plain_put<T>(dk, col, a.dk, [&](uint32_t r) { return r < rows.rows ? (T *)a.dkey + (rows.row + r) * a.ldk + (size_t)kh * a.dk : NULL; });
	plain_put<T>(dv, col, a.dv, [&](uint32_t r) { return r < rows.rows ? (T *)a.dvalue + (rows.row + r) * a.ldv + (size_t)kh * a.dv : NULL; });
}

void attn_plain_dx(struct kern *k, enum dtype t, const struct attn *a, float *delta)
{
	cudaStream_t s = cuda_of(k)->stream;
	uint32_t wide = a->dk > a->dv ? a->dk : a->dv;

	CUDA_ACT(t, T,
		LAUNCH((k_plain_delta<T>), dim3(a->ntiles, a->heads), PLAIN_THREADS, 0, s, *a, delta);
		LAUNCH((k_plain_dq<T>), dim3(a->ntiles, a->heads, cuda_blocks(a->dk, PLAIN_COLS)), PLAIN_THREADS, 0, s, *a);
		LAUNCH((k_plain_dkv<T>), dim3(a->nrows, a->kv_heads, cuda_blocks(wide, PLAIN_COLS)), PLAIN_THREADS, 0, s, *a);
	);
}
