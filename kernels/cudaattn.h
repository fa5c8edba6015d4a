/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_CUDAATTN_H
#define SFT_CUDAATTN_H
/* What the files of attention share: what a query sees, tables of the work, and tiles of rows in shared memory.
 *
 * Keys of a segment are counted, its shared ones first: key j lies in row p0 + j if j < np, else in row k0 + j - np.  Query i sees the keys
 * first <= j < np + nk - nq + i + 1; with a window only the last of them. */
#include "cudapack.h"

enum { ATTN_Q = 64, ATTN_THREADS = 128, ATTN_PLAIN = 32 };  /* queries (or keys, on the way back) of a block of 4 warps, of 16 each; of a plain one */

/* A block's work there: ATTN_Q queries at most of a segment, from FIRST on. */
struct attn_tile {
	uint32_t seg, first;
};
/* A block's work back to keys and values: ROWS rows from ROW on, which the segments see that VISIT ... names. */
struct attn_rows {
	uint32_t row, rows, visit, visits;
};
/* A segment, and rows LO to HI - 1 of its shared or its own keys: row r is its key r - LO + BASE. */
struct attn_visit {
	uint32_t seg, lo, hi, base;
};

/* What kernels are given: struct kern_attn with the tables on the device. */
struct attn {
	const struct kern_seg *seg;
	const struct attn_tile *tile;
	const struct attn_rows *rows;
	const struct attn_visit *visit;
	uint32_t ntiles, nrows;
	uint32_t heads, kv_heads, dk, dv, window;
	float scale;
	const void *q, *k, *v;
	size_t ldq, ldk, ldv;
	void *o; size_t ldo;
	float *lse;
	bool wide;                     /* rows of all matrices can be read 128 bits at a time */
	/* the way back */
	const void *dout; size_t lddo;
	void *dq, *dkey, *dvalue;
	const float *delta;            /* [., heads]: sum of dout * o */
};

/* The tables of A on the device (cudaattntab.cu); EACH queries a tile; BACK: those of keys too. */
struct attn attn_of(struct kern *k, const struct kern_attn *a, uint32_t each, bool back);

/* cudaattnplain.cu: any sizes, either type. */
void attn_plain(struct kern *k, enum dtype t, const struct attn *a);
void attn_plain_dx(struct kern *k, enum dtype t, const struct attn *a, float *delta);
/* cudaattnone.cu: segments of one query each; ROOM: attn_one_room() bytes. */
size_t attn_one_room(const struct kern_attn *a);
void attn_one(struct kern *k, const struct kern_attn *a, const struct attn *t, void *room);
enum { ATTN_DK = 192, ATTN_DV = 128 };     /* the most values of a head that tensor cores take */

__device__ __forceinline__ uint32_t lesser(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* The keys that query I of S sees: from *FIRST to before the result. */
__device__ __forceinline__ uint32_t attn_sees(const struct kern_seg &s, uint32_t window, uint32_t i, uint32_t *first)
{
	uint32_t last = s.np + s.nk - s.nq + i + 1;

	*first = window > 0 && last > window ? last - window : 0;
	return last;
}
__device__ __forceinline__ size_t attn_key_row(const struct kern_seg &s, uint32_t j)
{
	return j < s.np ? s.p0 + j : s.k0 + (j - s.np);
}

#endif
