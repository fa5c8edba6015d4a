/* SPDX-License-Identifier: Apache-2.0 */
/* How much working memory the cpu's operations take: what isa_product.h, isa_outer.h and isa_attn_dx.h ask kern_scratch() for,
 * for the widest vectors. */
#include "ops.h"

enum {
	PANEL = 64,  /* columns of the widest panel */
	BLOCK = 128, /* queries of a block of attention's way back, */
	KEYS = 512   /* and keys of a block of its way there */
};

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static size_t up(size_t n, size_t m) { return (n + m - 1) / m * m; }

/* kern_scratch() takes an eighth more than it is asked for. */
static size_t with_spare(size_t bytes) { return bytes + bytes / 8; }

/* Words along a contraction of K: pairs of bf16 are one. */
static size_t words(uint32_t k, enum dtype xt) { return xt == DT_BF16 ? (k + 1) / 2 : k; }

size_t kern_room_linear(int threads, uint32_t t, uint32_t n, uint32_t k, enum dtype xt, enum dtype out)
{
	size_t all = words(k, xt), steps = least(all, CHUNK_STEPS), cols, sums = 0;

	if (t == 0 || n == 0 || k == 0)
		return 0;
	cols = least(n, CHUNK_WORDS / steps);
	if (all > steps && out == DT_BF16)
		sums = least(t, SUMS_MAX / n > BAND ? SUMS_MAX / n : BAND) * (size_t)n;
	return with_spare(((cols + PANEL) * steps + sums + (size_t)threads * BAND * steps) * sizeof(float));
}

size_t kern_room_outer(int threads, uint32_t t, uint32_t m, uint32_t n, enum dtype xt)
{
	size_t steps = words(t, xt), wide = m > n ? m : n;

	if (t == 0 || m == 0 || n == 0)
		return 0;
	return with_spare((least(wide, OUTER_WORDS / steps > BAND ? OUTER_WORDS / steps : BAND) * steps +
			   (size_t)threads * (256 + BAND) * PANEL) *
			  sizeof(float));
}

size_t kern_room_attn(int threads, uint32_t nseg, uint32_t keys, uint32_t heads, uint32_t kv_heads, uint32_t dk, uint32_t dv)
{
	size_t wide = up(dk, PANEL) + up(dv, PANEL), group = heads / kv_heads, seen = 0, parts, there, back;

	for (uint32_t q = 0; q < keys; q += JOB_QUERIES)
		seen += least(keys, (size_t)q + JOB_QUERIES);
	parts = seen * nseg * wide * sizeof(float);
	if (parts * heads <= PARTS_MAX)
		parts *= heads;
	else if (parts * group <= PARTS_MAX)
		parts *= group;
	else { /* rounds, and what they have summed */
		size_t job = keys * wide * sizeof(float) * group;

		parts = (job > PARTS_MAX ? job : PARTS_MAX) + (size_t)nseg * keys * wide * sizeof(float);
	}
	back = (3 * BLOCK * wide + 3 * (size_t)BLOCK * BAND) * sizeof(float); /* of a thread */
	there = (192 * group * wide + 3 * (size_t)KEYS * wide) * sizeof(float);
	return with_spare(parts + (size_t)threads * (back > there ? back : there));
}

/* cudaproduct.cu: sums in f32 that end as bf16, a tile of the weights in the operands' type, and the adapter's side; or attention's sums of rows. */
size_t kern_room_apart(uint32_t t, uint32_t n, uint32_t k, uint32_t r, uint32_t heads, enum dtype xt)
{
	size_t wide = n > k ? n : k, size = xt == DT_BF16 ? 2 : 4, product, attn = (size_t)t * heads * sizeof(float);

	product = (xt == DT_BF16 ? t * wide * sizeof(float) : 0) + least((size_t)n * k, CUDA_TILE + 256 * wide) * size + ((size_t)t + wide) * (r + 4) * size;
	return up(product > attn ? product : attn, 256) + 4096;
}
