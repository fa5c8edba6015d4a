/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ISA_WHOLE_H
#define SFT_ISA_WHOLE_H
/* A few rows of weights that are quantised in blocks of 32 (Q4_0, Q4_1, Q8_0) times a few rows x, in whole numbers (vpdpbusd).
 *
 * A block of weights is w = d q + m with q in 0..255 (Q4_0: m = -8 d, Q8_0: m = -128 d), so sum w x = d sum q x + m sum x.  Of each block of 32
 * values x = s X is made once for all rows of w: s is the block's largest value over XMAX, X whole numbers of 24 bits, cut into three signed bytes
 * X = 65536 h + 256 i + l.  sum q X is exact: a lane's sum of four products stays below 2^29 with 4 bits; with 8 bits l is summed by itself.  So what
 * is lost is the rounding of x to 2^-23 of its block's largest value, about what products and sums of f32 lose; a bf16 loses nothing unless
 * it is 2^15 times smaller than its neighbours.  A block whose largest value is below TINY counts as 0; infinities and NaN come out as such.
 *
 * Where x is bf16, which is good to 2^-9 of each value, two bytes do: X = 256 h + i, to 2^-16 of the block's largest. */
#include "isa_pack.h"

enum {
	WHOLE_ROWS = 4                 /* rows of w, and of x, taken together */
};

#if defined(__AVX512VNNI__) && defined(__AVX512BW__)

enum {
	WHOLE_PRODUCTS = 1,                   /* this instruction set has it */
	WHOLE_BLOCK = 32,
	WHOLE_GROUP = 16,              /* blocks whose scales are taken at a time */
	WHOLE_PAIR = 3 * 64,           /* bytes of two blocks of x: h, i, l */
	WHOLE_TURNED = 24 * 64,        /* bytes of 16 blocks of x, turned */
	XMAX3 = 63 * 65536 + 127 * 256 + 127,
	XMAX2 = 127 * 256 + 127
};
#define TINY 1e-30f

struct whole_x {                       /* rows x of GROUPS * WHOLE_GROUP blocks each; what is missing is 0 */
	uint32_t groups;
	unsigned digits;               /* 3: h, i, l; 2: h, i */
	int8_t *digit;
	int8_t *turned;                /* a group's digits again: h, i, l, of each eight vectors, whose lane b holds four values of block b */
	float  *scale, *sum;           /* s, and the sum of x */
};

INLINE bool whole_type(enum dtype t)
{
	return t == DT_Q4_0 || t == DT_Q4_1 || t == DT_Q8_0;
}
INLINE size_t whole_head(const enum dtype t)                 /* bytes before the values of a block, and of a block */
{
	return t == DT_Q4_1 ? 4 : 2;
}
INLINE size_t whole_step(const enum dtype t)
{
	return whole_head(t) + (t == DT_Q8_0 ? 32 : 16);
}
INLINE uint32_t whole_groups(uint32_t cols)
{
	return (cols + WHOLE_GROUP * WHOLE_BLOCK - 1) / (WHOLE_GROUP * WHOLE_BLOCK);
}
INLINE size_t whole_bytes(uint32_t t, uint32_t cols)
{
	return (size_t)t * whole_groups(cols) * (WHOLE_GROUP / 2 * WHOLE_PAIR + WHOLE_TURNED + 2 * WHOLE_GROUP * sizeof(float));
}

/* At P, of 64-byte aligned memory. */
static struct whole_x whole_place(void *p, uint32_t t, uint32_t cols, enum dtype xt)
{
	struct whole_x x = { .groups = whole_groups(cols), .digits = xt == DT_BF16 ? 2 : 3, .scale = p };
	size_t blocks = (size_t)t * x.groups * WHOLE_GROUP;

	x.sum = x.scale + blocks;
	x.digit = (int8_t *)(x.sum + blocks);
	x.turned = x.digit + blocks / 2 * WHOLE_PAIR;
	return x;
}

/* The low byte of each value to D as a signed one; what is left of the values, a byte further right. */
INLINE __m512i cut_byte(__m512i v, int8_t *d)
{
	_mm_storeu_si128((void *)d, _mm512_cvtepi32_epi8(v));
	return _mm512_srai_epi32(_mm512_add_epi32(v, _mm512_set1_epi32(128)), 8);
}

/* One block at X to the places of its bytes. */
INLINE void whole_block(const float *x, const unsigned digits, int8_t *digit, float *scale, float *sum)
{
	const int xmax = digits == 2 ? XMAX2 : XMAX3;
	vf lo = vf_ld(x), hi = vf_ld(x + 16);
	__m512i abs = _mm512_set1_epi32(0x7fffffff), a, b;
	uint32_t bits = _mm512_reduce_max_epu32(_mm512_max_epu32(_mm512_and_si512(vi_bits(lo), abs), _mm512_and_si512(vi_bits(hi), abs)));
	float most;

	memcpy(&most, &bits, sizeof most);
	most = most < TINY ? 0 : most;           /* NaN stays */
	a = _mm512_cvtps_epi32(lo * vf_set(most > 0 ? (float)xmax / most : 0));
	b = _mm512_cvtps_epi32(hi * vf_set(most > 0 ? (float)xmax / most : 0));
	*scale = most / (float)xmax;
	*sum = *scale * (float)_mm512_reduce_add_epi32(_mm512_add_epi32(a, b));
	for (int i = (int)digits - 1; i >= 0; i--) {
		a = cut_byte(a, digit + (size_t)i * 64);
		b = cut_byte(b, digit + (size_t)i * 64 + 16);
	}
}

/* A group's digits, block by block at G, to OUT, turned. */
static void whole_turn_x(const int8_t *g, int8_t *out)
{
	for (uint32_t b = 0; b < WHOLE_GROUP; b++)
		for (uint32_t k = 0; k < 24; k++)
			memcpy(out + k * 64 + b * 4, g + b / 2 * WHOLE_PAIR + k / 8 * 64 + b % 2 * 32 + k % 8 * 4, 4);
}

/* Row I of X from COLS values, for weights of type T. */
static void whole_row(const struct whole_x *x, uint32_t i, const float *values, uint32_t cols, enum dtype t)
{
	size_t first = (size_t)i * x->groups * WHOLE_GROUP;
	uint32_t blocks = x->groups * WHOLE_GROUP, b;

	for (b = 0; b < cols / WHOLE_BLOCK; b++)
		whole_block(values + (size_t)b * WHOLE_BLOCK, x->digits, x->digit + (first + b) / 2 * WHOLE_PAIR + b % 2 * 32, x->scale + first + b, x->sum + first + b);
	for (; b < blocks; b++) {
		for (int k = 0; k < 3; k++)
			memset(x->digit + (first + b) / 2 * WHOLE_PAIR + b % 2 * 32 + k * 64, 0, 32);
		x->scale[first + b] = x->sum[first + b] = 0;
	}
	for (uint32_t g = 0; t == DT_Q4_1 && g < x->groups; g++)
		whole_turn_x(x->digit + (first / 2 + g * WHOLE_GROUP / 2) * WHOLE_PAIR, x->turned + (first / WHOLE_GROUP + g) * WHOLE_TURNED);
}

/* d and m of N <= 16 blocks of type T (the rest 0).  The numbers at the head of block b are words STEP b and, Q4_1, STEP b + 1: 32 words to a vector. */
INLINE void whole_scales(const uint8_t *p, const uint32_t n, const enum dtype t, vf *d, vf *m)
{
	static const uint16_t at[3][32] = {
		{ 0, 9, 18, 27, 4, 13, 22, 31, 8, 17, 26, 3, 12, 21, 30, 7 },
		{ 0, 10, 20, 30, 8, 18, 28, 6, 16, 26, 4, 14, 24, 2, 12, 22, 1, 11, 21, 31, 9, 19, 29, 7, 17, 27, 5, 15, 25, 3, 13, 23 },
		{ 0, 17, 2, 19, 4, 21, 6, 23, 8, 25, 10, 27, 12, 29, 14, 31 },
	};
	const uint32_t step = (uint32_t)whole_step(t) / 2, words = n * step;
	__m512i idx = _mm512_loadu_si512(at[t == DT_Q4_0 ? 0 : t == DT_Q4_1 ? 1 : 2]), v = _mm512_setzero_si512();

	for (uint32_t r = 0; r < (15 * step) / 32 + 1 && 32 * r < words; r++) {
		uint32_t from = (32 * r + step - 1) / step, past = (32 * r + 32 + step - 1) / step;
		uint32_t take = (1u << (past < 16 ? past : 16)) - (1u << from);         /* blocks whose head is in this vector */
		__m512i part = 32 * r + 32 <= words ? _mm512_loadu_si512(p + (size_t)r * 64)
		             : _mm512_maskz_loadu_epi16((1u << (words - 32 * r)) - 1, p + (size_t)r * 64);

		v = _mm512_mask_permutexvar_epi16(v, t == DT_Q4_1 ? take | take << 16 : take, idx, part);
	}
	*d = _mm512_maskz_cvtph_ps(LANES(n), _mm512_castsi512_si256(v));
	*m = t == DT_Q4_1 ? _mm512_maskz_cvtph_ps(LANES(n), _mm512_extracti64x4_epi64(v, 1)) : _mm512_mul_ps(*d, vf_set(t == DT_Q4_0 ? -8 : -128));
}

/* q of the two blocks at P and Q (behind their heads) in the order of x. */
INLINE __m512i whole_pair(const uint8_t *p, const uint8_t *q, const enum dtype t)
{
	__m512i v;

	if (t == DT_Q8_0) {
		v = _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu_si256((const void *)p)), _mm256_loadu_si256((const void *)q), 1);
		return _mm512_xor_si512(v, _mm512_set1_epi8(-128));
	}
	v = _mm512_broadcast_i32x4(_mm_loadu_si128((const void *)p));
	v = _mm512_mask_broadcast_i32x4(v, 0xff00, _mm_loadu_si128((const void *)q));
	return _mm512_and_si512(_mm512_srlv_epi64(v, _mm512_set_epi64(4, 4, 0, 0, 4, 4, 0, 0)), _mm512_set1_epi8(15));
}

/* Sums of q X in each lane; X: its digits. */
INLINE vf whole_sums(__m512i q, const __m512i *x, const enum dtype t, const unsigned digits)
{
	__m512i s = _mm512_dpbusd_epi32(_mm512_slli_epi32(_mm512_dpbusd_epi32(_mm512_setzero_si512(), q, x[0]), 8), q, x[1]);

	if (digits == 2)
		return _mm512_cvtepi32_ps(s);
	if (t == DT_Q8_0)
		return vf_fma(_mm512_cvtepi32_ps(s), vf_set(256), _mm512_cvtepi32_ps(_mm512_dpbusd_epi32(_mm512_setzero_si512(), q, x[2])));
	return _mm512_cvtepi32_ps(_mm512_dpbusd_epi32(_mm512_slli_epi32(s, 8), q, x[2]));
}

/* HERE <= 16 blocks from byte OFF on of the rows P times those of N rows of x from block AT on; rows of x are STRIDE blocks long. */
INLINE void whole_group(const struct whole_x *x, size_t at, size_t stride, const uint8_t *const *p, size_t off, const uint32_t here, const enum dtype t,
                        vf sums[][WHOLE_ROWS], const unsigned n, const unsigned digits)
{
	const int8_t *digit = x->digit + at / 2 * WHOLE_PAIR;
	__m512i pick = _mm512_set_epi32(1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0), w[WHOLE_ROWS];
	vf d, m, ds[WHOLE_ROWS][WHOLE_ROWS];

#pragma GCC unroll 4
	for (unsigned r = 0; r < WHOLE_ROWS; r++) {
		whole_scales(p[r] + off, here, t, &d, &m);
#pragma GCC unroll 4
		for (unsigned e = 0; e < n; e++) {
			ds[r][e] = d * vf_ldn(x->scale + at + e * stride, here);
			sums[r][e] = vf_fma(m, vf_ldn(x->sum + at + e * stride, here), sums[r][e]);
		}
	}
	stride = stride / 2 * WHOLE_PAIR;
	off += whole_head(t);
	for (uint32_t c = 0; c < here; c += 2, off += 2 * whole_step(t), digit += WHOLE_PAIR) {
#pragma GCC unroll 4
		for (unsigned r = 0; r < WHOLE_ROWS; r++)
			w[r] = whole_pair(p[r] + off, p[r] + off + (c + 1 < here ? whole_step(t) : 0), t);
#pragma GCC unroll 4
		for (unsigned e = 0; e < n; e++) {
			const int8_t *g = digit + e * stride;
			__m512i v[3] = { _mm512_loadu_si512(g), _mm512_loadu_si512(g + 64), _mm512_loadu_si512(g + 64 * (digits - 1)) };

#pragma GCC unroll 4
			for (unsigned r = 0; r < WHOLE_ROWS; r++)
				sums[r][e] = vf_fma(whole_sums(w[r], v, t, digits), _mm512_permutexvar_ps(pick, ds[r][e]), sums[r][e]);
		}
		pick = _mm512_add_epi32(pick, _mm512_set1_epi32(2));
	}
}

/* Sixteen blocks Q4_1 at P, turned: lane b of w[k] holds the four q's k of block b, of d and m its own.  They are five vectors of 16 words (of four
 * bytes), and word k of block b is lane (5 b + k) % 16 of one of them: a blend takes those of all blocks, a permutation brings them in order. */
INLINE void whole_turn(const uint8_t *p, __m512i *w, vf *d, vf *m)
{
	static const uint16_t lanes[5] = { 0x8421, 0x0842, 0x1084, 0x2108, 0x4210 };         /* l % 5 = 0, 1, ... */
	const __m512i first = _mm512_set_epi32(11, 6, 1, 12, 7, 2, 13, 8, 3, 14, 9, 4, 15, 10, 5, 0), low = _mm512_set1_epi8(15);
	__m512i s[5], v[5];

#pragma GCC unroll 5
	for (int r = 0; r < 5; r++)
		s[r] = _mm512_loadu_si512(p + (size_t)r * 64);
#pragma GCC unroll 5
	for (int k = 0; k < 5; k++) {
		v[k] = s[0];
#pragma GCC unroll 5
		for (int r = 1; r < 5; r++)
			v[k] = _mm512_mask_mov_epi32(v[k], lanes[(k - r + 5) % 5], s[r]);
		v[k] = _mm512_permutexvar_epi32(_mm512_add_epi32(first, _mm512_set1_epi32(k)), v[k]);
	}
	*d = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(v[0]));
	*m = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32(v[0], 16)));
#pragma GCC unroll 4
	for (int k = 0; k < 4; k++) {
		w[k] = _mm512_and_si512(v[k + 1], low);
		w[k + 4] = _mm512_and_si512(_mm512_srli_epi16(v[k + 1], 4), low);
	}
}

/* 16 blocks Q4_1 at P and at Q times those of N rows of x from block AT on; rows of x are STRIDE blocks long. */
INLINE void whole_turned(const struct whole_x *x, size_t at, size_t stride, const uint8_t *p, const uint8_t *q, vf *psums, vf *qsums, const unsigned n,
                         const unsigned digits)
{
	__m512i pw[8], qw[8];
	vf pd, pm, qd, qm;

	whole_turn(p, pw, &pd, &pm);
	whole_turn(q, qw, &qd, &qm);
#pragma GCC unroll 4
	for (unsigned e = 0; e < n; e++, at += stride) {
		const int8_t *g = x->turned + at / WHOLE_GROUP * WHOLE_TURNED;
		vf scale = vf_ld(x->scale + at), sum = vf_ld(x->sum + at);
		__m512i a[3] = { _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512() }, b[3] = { a[0], a[0], a[0] };

#pragma GCC unroll 8
		for (int k = 0; k < 8; k++)
#pragma GCC unroll 3
			for (unsigned c = 0; c < digits; c++) {
				__m512i v = _mm512_loadu_si512(g + c * 512 + k * 64);

				a[c] = _mm512_dpbusd_epi32(a[c], pw[k], v);
				b[c] = _mm512_dpbusd_epi32(b[c], qw[k], v);
			}
#pragma GCC unroll 3
		for (unsigned c = 1; c < digits; c++) {
			a[c] = _mm512_add_epi32(_mm512_slli_epi32(a[c - 1], 8), a[c]);
			b[c] = _mm512_add_epi32(_mm512_slli_epi32(b[c - 1], 8), b[c]);
		}
		psums[e] = vf_fma(pm, sum, vf_fma(_mm512_cvtepi32_ps(a[digits - 1]), pd * scale, psums[e]));
		qsums[e] = vf_fma(qm, sum, vf_fma(_mm512_cvtepi32_ps(b[digits - 1]), qd * scale, qsums[e]));
	}
}

/* Two blocks Q4_1 from byte OFF on of each of the four rows P times those of N rows of x from block AT on, as above with eight lanes: lane 2 r + b is of
 * row r and block b.  The rows' ten words each are laid end to end in five vectors. */
INLINE void whole_twos(const struct whole_x *x, size_t at, size_t stride, const uint8_t *const *p, size_t off, vf sums[][WHOLE_ROWS], const unsigned n,
                       const unsigned digits)
{
	static const uint8_t lanes[5] = { 0x21, 0x42, 0x84, 0x08, 0x10 };              /* l % 5 = 0, 1, ... */
	const uint8_t *r0 = p[0] + off, *r1 = p[1] + off, *r2 = p[2] + off, *r3 = p[3] + off;
	const __m256i first = _mm256_set_epi32(3, 6, 1, 4, 7, 2, 5, 0), low = _mm256_set1_epi8(15);
	__m256i s[5], v[5], w[8];
	__m256 d, m;

	s[0] = _mm256_loadu_si256((const void *)r0);
	s[1] = _mm256_mask_loadu_epi32(_mm256_maskz_loadu_epi32(0x03, r0 + 32), 0xfc, r1 - 8);
	s[2] = _mm256_mask_loadu_epi32(_mm256_maskz_loadu_epi32(0x0f, r1 + 24), 0xf0, r2 - 16);
	s[3] = _mm256_mask_loadu_epi32(_mm256_maskz_loadu_epi32(0x3f, r2 + 16), 0xc0, r3 - 24);
	s[4] = _mm256_loadu_si256((const void *)(r3 + 8));
#pragma GCC unroll 5
	for (int k = 0; k < 5; k++) {
		v[k] = s[0];
#pragma GCC unroll 5
		for (int r = 1; r < 5; r++)
			v[k] = _mm256_mask_mov_epi32(v[k], lanes[(k + 2 * r) % 5], s[r]);       /* lane l of vector r is word 8 r + l = 5 b + k */
		v[k] = _mm256_permutexvar_epi32(_mm256_add_epi32(first, _mm256_set1_epi32(k)), v[k]);
	}
	d = _mm256_cvtph_ps(_mm256_cvtepi32_epi16(v[0]));
	m = _mm256_cvtph_ps(_mm256_cvtepi32_epi16(_mm256_srli_epi32(v[0], 16)));
#pragma GCC unroll 4
	for (int k = 0; k < 4; k++) {
		w[k] = _mm256_and_si256(v[k + 1], low);
		w[k + 4] = _mm256_and_si256(_mm256_srli_epi16(v[k + 1], 4), low);
	}
#pragma GCC unroll 4
	for (unsigned e = 0; e < n; e++, at += stride) {
		const int8_t *g = x->turned + at / WHOLE_GROUP * WHOLE_TURNED + at % WHOLE_GROUP * 4;
		__m256i a[3] = { _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256() };
		double scale, sum;
		vf all;

		memcpy(&scale, x->scale + at, sizeof scale);             /* of both blocks */
		memcpy(&sum, x->sum + at, sizeof sum);
#pragma GCC unroll 8
		for (int k = 0; k < 8; k++)
#pragma GCC unroll 3
			for (unsigned c = 0; c < digits; c++) {
				int64_t both;

				memcpy(&both, g + c * 512 + k * 64, sizeof both);
				a[c] = _mm256_dpbusd_epi32(a[c], w[k], _mm256_set1_epi64x(both));
			}
#pragma GCC unroll 3
		for (unsigned c = 1; c < digits; c++)
			a[c] = _mm256_add_epi32(_mm256_slli_epi32(a[c - 1], 8), a[c]);
		all = _mm512_zextps256_ps512(_mm256_fmadd_ps(m, _mm256_castpd_ps(_mm256_set1_pd(sum)),
		                             _mm256_mul_ps(_mm256_cvtepi32_ps(a[digits - 1]), _mm256_mul_ps(d, _mm256_castpd_ps(_mm256_set1_pd(scale))))));
#pragma GCC unroll 4
		for (unsigned r = 0; r < WHOLE_ROWS; r++)
			sums[r][e] = _mm512_mask_add_ps(sums[r][e], (__mmask16)(3u << (2 * r)), sums[r][e], all);
	}
}

/* The WHOLE_ROWS rows P of BLOCKS blocks times rows I.. (N of them) of X: sums to be added up. */
INLINE void whole_rows(const struct whole_x *x, const uint8_t *const *p, uint32_t blocks, uint32_t i, vf sums[][WHOLE_ROWS], const enum dtype t,
                       const unsigned n, const unsigned digits)
{
	size_t stride = (size_t)x->groups * WHOLE_GROUP, at = i * stride, off = 0;
	uint32_t b = 0;
	vf s[WHOLE_ROWS][WHOLE_ROWS];

#pragma GCC unroll 4
	for (unsigned r = 0; r < WHOLE_ROWS; r++)
#pragma GCC unroll 4
		for (unsigned e = 0; e < n; e++)
			s[r][e] = vf_zero();
	for (; b + WHOLE_GROUP <= blocks; b += WHOLE_GROUP, off += WHOLE_GROUP * whole_step(t))
		if (t == DT_Q4_1) {
			whole_turned(x, at + b, stride, p[0] + off, p[1] + off, s[0], s[1], n, digits);
			whole_turned(x, at + b, stride, p[2] + off, p[3] + off, s[2], s[3], n, digits);
		} else {
			whole_group(x, at + b, stride, p, off, WHOLE_GROUP, t, s, n, digits);
		}
	for (; b + 2 <= blocks; b += 2, off += 2 * whole_step(t))
		if (t == DT_Q4_1)
			whole_twos(x, at + b, stride, p, off, s, n, digits);
		else
			whole_group(x, at + b, stride, p, off, 2, t, s, n, digits);
	if (b < blocks)
		whole_group(x, at + b, stride, p, off, 1, t, s, n, digits);
#pragma GCC unroll 4
	for (unsigned r = 0; r < WHOLE_ROWS; r++)
#pragma GCC unroll 4
		for (unsigned e = 0; e < n; e++)
			sums[r][e] = s[r][e];
}

#define WHOLE_FN(t, n, digits) \
__attribute__((noinline)) static void whole_##t##_##n##_##digits(const struct whole_x *x, const uint8_t *const *p, uint32_t blocks, uint32_t i, \
                                                                vf sums[][WHOLE_ROWS]) \
{ \
	whole_rows(x, p, blocks, i, sums, t, n, digits); \
}
#define WHOLE_FNS(t, digits) WHOLE_FN(t, 1, digits) WHOLE_FN(t, 2, digits) WHOLE_FN(t, 3, digits) WHOLE_FN(t, 4, digits)
#define WHOLE_NAMES(t, digits) { whole_##t##_1_##digits, whole_##t##_2_##digits, whole_##t##_3_##digits, whole_##t##_4_##digits }
WHOLE_FNS(DT_Q4_0, 2) WHOLE_FNS(DT_Q4_1, 2) WHOLE_FNS(DT_Q8_0, 2)
WHOLE_FNS(DT_Q4_0, 3) WHOLE_FNS(DT_Q4_1, 3) WHOLE_FNS(DT_Q8_0, 3)

static void whole_dot(const struct whole_x *x, const uint8_t *const *p, uint32_t blocks, enum dtype t, uint32_t i, vf sums[][WHOLE_ROWS], unsigned n)
{
	static void (*const fn[2][3][WHOLE_ROWS])(const struct whole_x *, const uint8_t *const *, uint32_t, uint32_t, vf [][WHOLE_ROWS]) = {
		{ WHOLE_NAMES(DT_Q4_0, 2), WHOLE_NAMES(DT_Q4_1, 2), WHOLE_NAMES(DT_Q8_0, 2) },
		{ WHOLE_NAMES(DT_Q4_0, 3), WHOLE_NAMES(DT_Q4_1, 3), WHOLE_NAMES(DT_Q8_0, 3) },
	};

	fn[x->digits - 2][t == DT_Q4_0 ? 0 : t == DT_Q4_1 ? 1 : 2][n - 1](x, p, blocks, i, sums);
}

#else

enum { WHOLE_PRODUCTS = 0 };
struct whole_x { char none; };
INLINE bool whole_type(enum dtype t) { (void)t; return false; }
INLINE size_t whole_bytes(uint32_t t, uint32_t cols) { (void)t, (void)cols; return 0; }
INLINE struct whole_x whole_place(void *p, uint32_t t, uint32_t cols, enum dtype xt) { (void)p, (void)t, (void)cols, (void)xt; return (struct whole_x){ 0 }; }
INLINE void whole_row(const struct whole_x *x, uint32_t i, const float *values, uint32_t cols, enum dtype t) { (void)x, (void)i, (void)values, (void)cols, (void)t; }
INLINE void whole_dot(const struct whole_x *x, const uint8_t *const *p, uint32_t blocks, enum dtype t, uint32_t i, vf sums[][WHOLE_ROWS], unsigned n)
{
	(void)x, (void)p, (void)blocks, (void)t, (void)i, (void)n;
	memset(sums, 0, WHOLE_ROWS * sizeof *sums);           /* never called */
}

#endif

#endif
