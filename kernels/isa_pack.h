/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ISA_PACK_H
#define SFT_ISA_PACK_H
/* From a matrix as it lies in memory to panels [steps][nr] of words for isa_tile.h.
 *
 * A word is an f32 or a pair of bf16 that follow each other along the contraction.  What is missing at the edges is 0. */
#include "ops.h"
#include "vec.h"

enum {
	SLICE = 512                    /* values taken from a row at a time: a multiple of every block */
};

/* A matrix: rows ROW_BYTES apart.  BY_COLS: the product's outputs are its columns, else its rows.  SCALE is applied to each value. */
struct source {
	const char *p;
	enum dtype type;
	size_t row_bytes;
	uint32_t rows, cols;
	bool by_cols;
	float scale;
	const struct kmat *blocks;     /* of a block-scaled matrix: the scales; else NULL */
};

/* What the words are: pairs of bf16, or f32 (ROUND: rounded to bf16 first). */
struct words {
	bool pairs, round;
};

INLINE uint32_t steps_of(struct words w, uint32_t k)
{
	return w.pairs ? k / 2 + (k & 1) : k;
}

static struct source source_of(const struct kmat *w, bool by_cols, float scale)
{
	return (struct source){ w->p, w->type, kmat_row_bytes(w), w->rows, w->cols, by_cols, scale, w->scale ? w : NULL };
}

/* --- values --- */

#if defined(__F16C__) || defined(__AVX512F__)
INLINE float half_at(const void *p)
{
	uint16_t h;

	memcpy(&h, p, sizeof h);
	return _cvtsh_ss(h);
}
#else
INLINE float half_at(const void *p)
{
	uint16_t h;

	memcpy(&h, p, sizeof h);
	return f16_to_f32(h);
}
#endif

/* d[0..15] and d[16..31] = s * (nibble - off) + m: low nibbles first, then high. */
INLINE void unpack_nibbles(const uint8_t *q, float *d, float s, int off, float m)
{
#if defined(__AVX512F__)
	__m128i raw = _mm_loadu_si128((const void *)q), mask = _mm_set1_epi8(15);
	__m512i lo = _mm512_cvtepu8_epi32(_mm_and_si128(raw, mask)), hi = _mm512_cvtepu8_epi32(_mm_and_si128(_mm_srli_epi16(raw, 4), mask));
	__m512i o = _mm512_set1_epi32(off);

	vf_st(d, _mm512_cvtepi32_ps(_mm512_sub_epi32(lo, o)) * vf_set(s) + vf_set(m));
	vf_st(d + 16, _mm512_cvtepi32_ps(_mm512_sub_epi32(hi, o)) * vf_set(s) + vf_set(m));
#else
	for (int i = 0; i < 16; i++)
		d[i] = s * (float)((q[i] & 15) - off) + m;
	for (int i = 0; i < 16; i++)
		d[i + 16] = s * (float)((q[i] >> 4) - off) + m;
#endif
}

static void unpack_q4_0(const uint8_t *b, float *d, uint32_t n)
{
	for (; n > 0; n -= 32, b += 18, d += 32)
		unpack_nibbles(b + 2, d, half_at(b), 8, 0);
}

static void unpack_q4_1(const uint8_t *b, float *d, uint32_t n)
{
	for (; n > 0; n -= 32, b += 20, d += 32)
		unpack_nibbles(b + 4, d, half_at(b), 0, half_at(b + 2));
}

static void unpack_q8_0(const uint8_t *b, float *d, uint32_t n)
{
	for (; n > 0; n -= 32, b += 34, d += 32) {
		float s = half_at(b);
#if defined(__AVX512F__)
		for (int i = 0; i < 32; i += 16)
			vf_st(d + i, _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const void *)(b + 2 + i)))) * vf_set(s));
#else
		for (int i = 0; i < 32; i++)
			d[i] = s * (float)(int8_t)b[2 + i];
#endif
	}
}

/* E4M3 has the bits of an f16 of 2^-8 the value, but for its NaN, which is refused when a model is opened. */
static void unpack_e4m3(const uint8_t *p, float *d, uint32_t n)
{
	uint32_t i = 0;

#if defined(__AVX512F__)
	for (; i + 16 <= n; i += 16) {
		__m256i v = _mm256_cvtepu8_epi16(_mm_loadu_si128((const void *)(p + i)));
		__m256i sign = _mm256_slli_epi16(_mm256_and_si256(v, _mm256_set1_epi16(0x80)), 8);
		__m256i mag = _mm256_slli_epi16(_mm256_and_si256(v, _mm256_set1_epi16(0x7f)), 7);

		vf_st(d + i, _mm512_cvtph_ps(_mm256_or_si256(sign, mag)) * vf_set(256));
	}
#endif
	dtype_to_f32(DT_F8_E4M3, p + i, d + i, n - i);
}

static void unpack_f16(const char *p, float *d, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		d[i] = half_at(p + 2 * (size_t)i);
}

static void widen(const uint16_t *p, float *d, uint32_t n)
{
	uint32_t i = 0;

	for (; i + VW <= n; i += VW)
		vf_st(d + i, vh_ld(p + i));
	if (i < n)
		vf_stn(d + i, vh_ldn(p + i, n - i), n - i);
}

static void narrow(const float *p, uint16_t *d, uint32_t n)
{
	uint32_t i = 0;

	for (; i + VW <= n; i += VW)
		vh_st(d + i, vf_ld(p + i));
	if (i < n)
		vh_stn(d + i, vf_ldn(p + i, n - i), n - i);
}

/* N <= SLICE values of row ROW from column COL (a multiple of the block) as f32 at D. */
static void values_at(const struct source *s, uint32_t row, uint32_t col, uint32_t n, float *d)
{
	const char *p = s->p + row * s->row_bytes + (size_t)col / dtype_block(s->type) * dtype_bytes(s->type);

	switch (s->type) {
	case DT_F32:  memcpy(d, p, n * sizeof *d); break;
	case DT_BF16: widen((const uint16_t *)(const void *)p, d, n); break;
	case DT_F16:  unpack_f16(p, d, n); break;
	case DT_Q4_0: unpack_q4_0((const uint8_t *)p, d, n); break;
	case DT_Q4_1: unpack_q4_1((const uint8_t *)p, d, n); break;
	case DT_Q8_0: unpack_q8_0((const uint8_t *)p, d, n); break;
	case DT_F8_E4M3: unpack_e4m3((const uint8_t *)p, d, n); break;
	default:      dtype_to_f32(s->type, p, d, n);
	}
	if (s->blocks)
		kmat_rescale(s->blocks, row, col, n, d);
	for (uint32_t i = 0; s->scale != 1 && i < n; i++)
		d[i] *= s->scale;
}

#if defined(__AVX512BF16__)
/* bf16 of the 32 values s * q + m at D; the 16 there may be are made once and looked up. */
INLINE void halves_nibbles(const uint8_t *q, float s, int off, float m, uint16_t *d)
{
	const __m512 count = _mm512_set_ps(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
	__m128i raw = _mm_loadu_si128((const void *)q), mask = _mm_set1_epi8(15);
	__m512i at = _mm512_cvtepu8_epi16(_mm256_set_m128i(_mm_and_si128(_mm_srli_epi16(raw, 4), mask), _mm_and_si128(raw, mask)));
	__m256i table = vh_of((count - vf_set((float)off)) * vf_set(s) + vf_set(m));

	_mm512_storeu_si512(d, _mm512_permutexvar_epi16(at, _mm512_castsi256_si512(table)));
}

/* As values_at(), rounded to bf16, for types that need no f32 on the way; false: not one of them. */
INLINE bool halves_at(const struct source *s, uint32_t row, uint32_t col, uint32_t n, uint16_t *d)
{
	const uint8_t *p = (const uint8_t *)s->p + row * s->row_bytes;
	uint32_t i = 0;

	if (s->blocks || s->scale != 1)
		return false;
	switch (s->type) {
	case DT_Q4_0:
		for (p += col / 32 * 18; i < n; i += 32, p += 18)
			halves_nibbles(p + 2, half_at(p), 8, 0, d + i);
		return true;
	case DT_Q4_1:
		for (p += col / 32 * 20; i < n; i += 32, p += 20)
			halves_nibbles(p + 4, half_at(p), 0, half_at(p + 2), d + i);
		return true;
	case DT_Q8_0:
		for (p += col / 32 * 34; i < n; i += 32, p += 34)
			for (int h = 0; h < 32; h += 16)
				vh_st(d + i + h, _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const void *)(p + 2 + h)))) * vf_set(half_at(p)));
		return true;
	default:
		return false;
	}
}
#else
INLINE bool halves_at(const struct source *s, uint32_t row, uint32_t col, uint32_t n, uint16_t *d)
{
	(void)s, (void)row, (void)col, (void)n, (void)d;
	return false;
}
#endif

/* Values as words at D, the last pair filled up with 0. */
static void words_at(const struct source *s, struct words w, uint32_t row, uint32_t col, uint32_t n, void *d)
{
	float tmp[SLICE];
	uint16_t *h = d;

	if (w.pairs && s->type == DT_BF16 && s->scale == 1) {
		memcpy(d, s->p + row * s->row_bytes + 2 * (size_t)col, 2 * (size_t)n);
	} else if (w.pairs && halves_at(s, row, col, n, h)) {
		;
	} else if (w.pairs) {
		values_at(s, row, col, n, tmp);
		narrow(tmp, h, n);
	} else {
		values_at(s, row, col, n, d);
		if (w.round && (s->type != DT_BF16 || s->scale != 1)) {
			uint16_t half[SLICE];
			narrow(d, half, n);
			widen(half, d, n);
		}
		return;
	}
	if (n & 1)
		h[n] = 0;
}

/* --- panels --- */

#if defined(__AVX512F__)
/* VW rows of LD words -> VW columns of NR words. */
INLINE void turn(const float *src, size_t ld, float *dst, size_t nr)
{
	__m512 r[16], q[16];

#pragma GCC unroll 16
	for (int i = 0; i < 16; i++)
		r[i] = _mm512_loadu_ps(src + (size_t)i * ld);
#pragma GCC unroll 8
	for (int i = 0; i < 16; i += 2) {
		q[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
		q[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
	}
#pragma GCC unroll 4
	for (int i = 0; i < 16; i += 4) {
		r[i] = _mm512_shuffle_ps(q[i], q[i + 2], 0x44);
		r[i + 1] = _mm512_shuffle_ps(q[i], q[i + 2], 0xee);
		r[i + 2] = _mm512_shuffle_ps(q[i + 1], q[i + 3], 0x44);
		r[i + 3] = _mm512_shuffle_ps(q[i + 1], q[i + 3], 0xee);
	}
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		q[i] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
		q[i + 4] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
		q[i + 8] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
		q[i + 12] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
	}
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		_mm512_storeu_ps(dst + (size_t)i * nr, _mm512_shuffle_f32x4(q[i], q[i + 8], 0x88));
		_mm512_storeu_ps(dst + (size_t)(i + 4) * nr, _mm512_shuffle_f32x4(q[i + 4], q[i + 12], 0x88));
		_mm512_storeu_ps(dst + (size_t)(i + 8) * nr, _mm512_shuffle_f32x4(q[i], q[i + 8], 0xdd));
		_mm512_storeu_ps(dst + (size_t)(i + 12) * nr, _mm512_shuffle_f32x4(q[i + 4], q[i + 12], 0xdd));
	}
}
#else
INLINE void turn(const float *src, size_t ld, float *dst, size_t nr)
{
	for (int j = 0; j < VW; j++)
		for (int i = 0; i < VW; i++)
			memcpy(dst + (size_t)j * nr + i, src + (size_t)i * ld + j, 4);
}
#endif

/* VW rows of STEPS words to STEPS columns. */
static void turn_rows(const float *src, size_t ld, uint32_t steps, float *dst, size_t nr)
{
	uint32_t s = 0;

	for (; s + VW <= steps; s += VW)
		turn(src + s, ld, dst + s * nr, nr);
	for (; s < steps; s++)
		for (int i = 0; i < VW; i++)
			memcpy(dst + s * nr + i, src + (size_t)i * ld + s, 4);
}

/* One panel of outputs J.. that are rows of the source, contraction K0 .. K0 + KC - 1. */
static void pack_rows(const struct source *src, struct words w, uint32_t j, uint32_t nr, uint32_t k0, uint32_t kc, float *panel)
{
	float tmp[VW][SLICE + 16];     /* no power of two: that would leave the rows few places in the cache */

	for (uint32_t g = 0; g < nr; g += VW)
		for (uint32_t c = 0; c < kc; c += SLICE) {
			uint32_t n = kc - c < SLICE ? kc - c : SLICE, steps = steps_of(w, n);

			for (uint32_t i = 0; i < VW; i++)
				if (j + g + i < src->rows)
					words_at(src, w, j + g + i, k0 + c, n, tmp[i]);
				else
					memset(tmp[i], 0, steps * sizeof(float));
			turn_rows(tmp[0], SLICE + 16, steps, panel + (size_t)steps_of(w, c) * nr + g, nr);
		}
}

/* Two rows of N bf16 to N words. */
INLINE void zip(const uint16_t *even, const uint16_t *odd, float *dst)
{
#if defined(__AVX512F__)
	__m512i lo = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)even)), hi = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)odd));

	_mm512_storeu_si512(dst, _mm512_or_si512(lo, _mm512_slli_epi32(hi, 16)));
#else
	for (int i = 0; i < VW; i++) {
		uint32_t word = even[i] | (uint32_t)odd[i] << 16;
		memcpy(dst + i, &word, 4);
	}
#endif
}

/* Up to SLICE outputs J.. (N of them) that are columns of the source, contraction rows K0 .. K0 + KC - 1, to panels of NR columns that lie
 * PSTEPS steps apart. */
static void pack_cols(const struct source *src, struct words w, uint32_t j, uint32_t n, uint32_t nr, uint32_t k0, uint32_t kc, uint32_t psteps,
                      float *panel)
{
	float even[SLICE], odd[SLICE];
	uint32_t wide = (n + nr - 1) / nr * nr;
	size_t block = dtype_block(src->type), size = dtype_bytes(src->type), bytes = n / block * size;
	const char *from = src->p + j / block * size;

	memset(even, 0, wide * sizeof *even);
	for (uint32_t s = 0; s < steps_of(w, kc); s++) {
		uint32_t k = k0 + (w.pairs ? 2 * s : s);

		for (uint32_t r = k + 8; r < k + (w.pairs ? 10 : 9) && r < src->rows; r++)     /* rows lie further apart than the machine looks ahead */
			for (size_t b = 0; b < bytes; b += 64)
				__builtin_prefetch(from + r * src->row_bytes + b);
		words_at(src, w, k, j, n, even);
		if (w.pairs) {
			memset(odd, 0, wide * sizeof(uint16_t));
			if (k + 1 < k0 + kc)
				words_at(src, w, k + 1, j, n, odd);
		}
		for (uint32_t c = 0; c < wide; c += VW) {
			float *dst = panel + ((size_t)(c / nr) * psteps + s) * nr + c % nr;

			if (w.pairs)
				zip((const uint16_t *)even + c, (const uint16_t *)odd + c, dst);
			else
				memcpy(dst, even + c, sizeof(vf));
		}
	}
}

#endif
