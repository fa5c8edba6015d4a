/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ISA_TILE_H
#define SFT_ISA_TILE_H
/* The innermost product: a few rows times one panel of columns, all sums in registers.
 *
 * Both operands are seen as 32-bit words along the contraction: a word is one f32, or with PAIRS two bf16 (AVX512-BF16's vdpbf16ps).
 * A: rows of words, LDA bytes apart.  B: a panel [steps][nr] of words, nr = nv * VW columns or more.  C: f32 [mr][nr]. */
#include "vec.h"

enum {
	NV_MAX = VW == 16 ? 4 : 2,     /* vectors across a panel */
	NR_MAX = NV_MAX * VW,
	MR_MAX = 12,
	BLOCK_STEPS = 512              /* f32 values (pairs: half of it) in one chain of sums; a last one that is a quarter longer is not cut */
};

typedef void tile_fn(const char *a, size_t lda, const float *b, unsigned nr, unsigned steps, float *c, bool more);

INLINE vf broadcast_word(const char *p)
{
	float w;

	memcpy(&w, p, sizeof w);
	return vf_set(w);
}

/* c = or (MORE) += a b, one chain. */
INLINE void tile_chain(const char *a, size_t lda, const float *b, unsigned nr, unsigned steps, float *c, bool more,
                       const unsigned mr, const unsigned nv, const bool pairs)
{
	const char *a6 = a + 6 * lda;
	vf s[MR_MAX][NV_MAX];

#pragma GCC unroll 12
	for (unsigned i = 0; i < mr; i++)
#pragma GCC unroll 4
		for (unsigned j = 0; j < nv; j++)
			s[i][j] = vf_zero();
	for (unsigned q = 0; q < steps; q++, b += nr) {
		vf w[NV_MAX];

#pragma GCC unroll 4
		for (unsigned j = 0; j < nv; j++)
			w[j] = vf_ld(b + j * VW);
#pragma GCC unroll 12
		for (unsigned i = 0; i < mr; i++) {
			vf x = broadcast_word((i < 6 ? a + i * lda : a6 + (i - 6) * lda) + 4 * (size_t)q);
#pragma GCC unroll 4
			for (unsigned j = 0; j < nv; j++)
				s[i][j] = pairs ? vf_dp(s[i][j], x, w[j]) : vf_fma(x, w[j], s[i][j]);
		}
	}
#pragma GCC unroll 12
	for (unsigned i = 0; i < mr; i++)
#pragma GCC unroll 4
		for (unsigned j = 0; j < nv; j++) {
			float *p = c + i * nr + j * VW;
			vf_st(p, more ? (vf)(vf_ld(p) + s[i][j]) : s[i][j]);
		}
}

#define TILE(mr, nv, kind, pairs) \
static void tile_##kind##mr##x##nv(const char *a, size_t lda, const float *b, unsigned nr, unsigned steps, float *c, bool more) \
{ \
	const unsigned block = BLOCK_STEPS / (pairs ? 2 : 1); \
	for (; steps > block + block / 4; steps -= block, a += block * 4, b += block * nr, more = true) \
		tile_chain(a, lda, b, nr, block, c, more, mr, nv, pairs); \
	tile_chain(a, lda, b, nr, steps, c, more, mr, nv, pairs); \
}
#define TILES(nv, kind, pairs) \
	TILE(1, nv, kind, pairs) TILE(2, nv, kind, pairs) TILE(3, nv, kind, pairs) TILE(4, nv, kind, pairs) TILE(5, nv, kind, pairs) TILE(6, nv, kind, pairs)
#define ROW(nv, kind, twelve) { tile_##kind##1x##nv, tile_##kind##2x##nv, tile_##kind##3x##nv, tile_##kind##4x##nv, tile_##kind##5x##nv, \
	tile_##kind##6x##nv, twelve }

TILES(1, f, false) TILES(2, f, false)
TILE(12, 1, f, false)
#if defined(__AVX512F__)
TILES(3, f, false) TILES(4, f, false)
TILE(12, 2, f, false)
#endif
#if defined(__AVX512BF16__)
TILES(1, h, true) TILES(2, h, true) TILES(3, h, true) TILES(4, h, true)
TILE(12, 1, h, true) TILE(12, 2, h, true)
#endif

/* The function for M rows (1..6; 7: twelve) and NV vectors. */
static tile_fn *const tile_table[2][NV_MAX][7] = {
#if defined(__AVX512F__)
	{ ROW(1, f, tile_f12x1), ROW(2, f, tile_f12x2), ROW(3, f, NULL), ROW(4, f, NULL) },
#if defined(__AVX512BF16__)
	{ ROW(1, h, tile_h12x1), ROW(2, h, tile_h12x2), ROW(3, h, NULL), ROW(4, h, NULL) },
#endif
#else
	{ ROW(1, f, tile_f12x1), ROW(2, f, NULL) },
#endif
};

/* Rows taken at a time by products of NV vectors. */
INLINE unsigned tile_rows(unsigned nv)
{
	return nv == 1 || (nv == 2 && VW == 16) ? 12 : 6;
}

/* How many of LEFT rows the next tile takes. */
INLINE unsigned tile_take(unsigned left, unsigned nv)
{
	return left >= 12 && tile_rows(nv) == 12 ? 12 : left >= 6 ? 6 : left;
}

INLINE void tile_run(bool pairs, unsigned m, unsigned nv, const char *a, size_t lda, const float *b, unsigned nr, unsigned steps, float *c, bool more)
{
	tile_table[pairs][nv - 1][m == 12 ? 6 : m - 1](a, lda, b, nr, steps, c, more);
}

#endif
