/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_VEC_H
#define SFT_VEC_H
/* One vector of floats, in the widest form that the file including this is compiled for.
 *
 * The operations of the cpu backend are written once (isa_*.h) over these and compiled per instruction set (cpu_*.c).
 * VW lanes.  ..n: only the first N < VW lanes are read (the rest 0) or written.  vh_: the same for bf16 in memory. */
#include <stdint.h>
#include <string.h>
#include "dtype.h"

#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline, unused))

#if defined(__AVX512F__)
enum { VW = 16 };
typedef __m512 vf;
typedef __m512i vi;
#define LANES(n) ((__mmask16)((1u << (n)) - 1))
INLINE vf vf_set(float x) { return _mm512_set1_ps(x); }
INLINE vf vf_ld(const float *p) { return _mm512_loadu_ps(p); }
INLINE void vf_st(float *p, vf v) { _mm512_storeu_ps(p, v); }
INLINE vf vf_ldn(const float *p, unsigned n) { return _mm512_maskz_loadu_ps(LANES(n), p); }
INLINE void vf_stn(float *p, vf v, unsigned n) { _mm512_mask_storeu_ps(p, LANES(n), v); }
INLINE vf vf_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
INLINE vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }       /* b where either is NaN */
INLINE vf vf_min(vf a, vf b) { return _mm512_min_ps(a, b); }
INLINE vf vf_sqrt(vf a) { return _mm512_sqrt_ps(a); }
INLINE float vf_hsum(vf a) { return _mm512_reduce_add_ps(a); }
INLINE float vf_hmax(vf a) { return _mm512_reduce_max_ps(a); }
INLINE vf vf_bits(vi a) { return _mm512_castsi512_ps(a); }
INLINE vi vi_bits(vf a) { return _mm512_castps_si512(a); }
INLINE vf vf_widen(__m256i h) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16)); }
INLINE vf vh_ld(const uint16_t *p) { return vf_widen(_mm256_loadu_si256((const void *)p)); }
INLINE vf vh_ldn(const uint16_t *p, unsigned n) { return vf_widen(_mm256_maskz_loadu_epi16(LANES(n), p)); }
#if defined(__AVX512BF16__)
INLINE __m256i vh_of(vf v) { return (__m256i)_mm512_cvtneps_pbh(v); }
INLINE vf vf_dp(vf acc, vf a, vf b) { return _mm512_dpbf16_ps(acc, (__m512bh)a, (__m512bh)b); }
#else
INLINE __m256i vh_of(vf v)
{
	vi u = vi_bits(v), odd = _mm512_and_si512(_mm512_srli_epi32(u, 16), _mm512_set1_epi32(1));
	vi r = _mm512_srli_epi32(_mm512_add_epi32(u, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16);
	vi nan = _mm512_or_si512(_mm512_srli_epi32(u, 16), _mm512_set1_epi32(0x40));

	return _mm512_cvtepi32_epi16(_mm512_mask_mov_epi32(r, _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q), nan));
}
#endif
INLINE void vh_st(uint16_t *p, vf v) { _mm256_storeu_si256((void *)p, vh_of(v)); }
INLINE void vh_stn(uint16_t *p, vf v, unsigned n) { _mm256_mask_storeu_epi16(p, LANES(n), vh_of(v)); }
/* 2^n * a, N whole; right down to denormals and up to infinity. */
INLINE vf vf_scale2(vf a, vf n) { return _mm512_scalef_ps(a, n); }
INLINE vf vf_whole(vf a) { return _mm512_roundscale_ps(a, 0); }
#define EXP_LO (-104.0f)
#define EXP_HI 89.0f
INLINE vf vf_zero_below(vf x, float lo, vf y) { return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, vf_set(lo), _CMP_NLT_UQ), y); }

#else /* 4 or 8 lanes */

#if defined(__AVX2__)
enum { VW = 8 };
typedef __m256 vf;
typedef __m256i vi;
typedef int32_t vlanes __attribute__((vector_size(32)));
INLINE vf vf_set(float x) { return _mm256_set1_ps(x); }
INLINE vf vf_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
INLINE vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); }
INLINE vf vf_min(vf a, vf b) { return _mm256_min_ps(a, b); }
INLINE vf vf_sqrt(vf a) { return _mm256_sqrt_ps(a); }
#else
enum { VW = 4 };
typedef float vf __attribute__((vector_size(16)));
typedef int32_t vi __attribute__((vector_size(16)));
typedef vi vlanes;
INLINE vf vf_set(float x) { return (vf){ x, x, x, x }; }
INLINE vf vf_fma(vf a, vf b, vf c) { return a * b + c; }
INLINE vf vf_pick(vi m, vf a, vf b) { return (vf)((m & (vi)a) | (~m & (vi)b)); }
INLINE vf vf_max(vf a, vf b) { return vf_pick(a > b, a, b); }
INLINE vf vf_min(vf a, vf b) { return vf_pick(a < b, a, b); }
INLINE vf vf_sqrt(vf a) { return (vf){ __builtin_sqrtf(a[0]), __builtin_sqrtf(a[1]), __builtin_sqrtf(a[2]), __builtin_sqrtf(a[3]) }; }
#endif
INLINE vf vf_ld(const float *p) { vf v; memcpy(&v, p, sizeof v); return v; }
INLINE void vf_st(float *p, vf v) { memcpy(p, &v, sizeof v); }
INLINE vf vf_ldn(const float *p, unsigned n)
{
	float t[VW] = { 0 };

	for (unsigned i = 0; i < n; i++)
		t[i] = p[i];
	return vf_ld(t);
}
INLINE void vf_stn(float *p, vf v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		p[i] = v[i];
}
INLINE float vf_hsum(vf a)
{
	float s = 0;

	for (int i = 0; i < VW; i++)
		s += a[i];
	return s;
}
INLINE float vf_hmax(vf a)
{
	float s = a[0];

	for (int i = 1; i < VW; i++)
		s = a[i] > s ? a[i] : s;
	return s;
}
INLINE vf vh_ld(const uint16_t *p)
{
	vlanes u;

	for (int i = 0; i < VW; i++)
		u[i] = (int32_t)((uint32_t)p[i] << 16);
	return (vf)u;
}
INLINE vf vh_ldn(const uint16_t *p, unsigned n)
{
	uint16_t t[VW] = { 0 };

	for (unsigned i = 0; i < n; i++)
		t[i] = p[i];
	return vh_ld(t);
}
INLINE vlanes vh_of(vf v)
{
	vlanes u = (vlanes)v, r = (u + 0x7fff + ((u >> 16) & 1)) >> 16, nan = (vlanes)(v != v);

	return (nan & ((u >> 16) | 0x40)) | (~nan & r);
}
INLINE void vh_stn(uint16_t *p, vf v, unsigned n)
{
	vlanes u = vh_of(v);

	for (unsigned i = 0; i < n; i++)
		p[i] = (uint16_t)u[i];
}
INLINE void vh_st(uint16_t *p, vf v) { vh_stn(p, v, VW); }
/* Whole numbers by adding 1.5 * 2^23, which leaves no bits behind the point: |a| < 2^22. */
#define WHOLE 12582912.0f
INLINE vf vf_whole(vf a) { return (a + vf_set(WHOLE)) - vf_set(WHOLE); }
INLINE vf vf_scale2(vf a, vf n)
{
	vlanes e = (vlanes)(n + vf_set(WHOLE)) - (vlanes)vf_set(WHOLE);

	return a * (vf)((e + 127) << 23);
}
#define EXP_LO (-87.3f)
#define EXP_HI 88.3f
INLINE vf vf_zero_below(vf x, float lo, vf y) { return (vf)(~(vlanes)(x < vf_set(lo)) & (vlanes)y); }
INLINE vf vf_dp(vf acc, vf a, vf b) { return vf_fma(a, b, acc); }   /* never used: see FAST_BF16 */
#endif

#if defined(__AVX512BF16__)
enum { FAST_BF16 = 1 };
#else
enum { FAST_BF16 = 0 };
#if defined(__AVX512F__)
INLINE vf vf_dp(vf acc, vf a, vf b) { return vf_fma(a, b, acc); }   /* never used */
#endif
#endif

/* Lanes 0..3: the sums of the lanes of A, B, C and D, each in the same order; the rest is 0. */
INLINE vf vf_hsum4(vf a, vf b, vf c, vf d)
{
#if defined(__AVX512F__)
	vf ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b)), cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
	vf s = _mm512_add_ps(_mm512_shuffle_ps(ab, cd, 0x44), _mm512_shuffle_ps(ab, cd, 0xee));
	__m256 h = _mm256_add_ps(_mm512_castps512_ps256(s), _mm512_extractf32x8_ps(s, 1));

	return _mm512_zextps128_ps512(_mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1)));
#else
	vf s = vf_set(0);

	s[0] = vf_hsum(a);
	s[1] = vf_hsum(b);
	s[2] = vf_hsum(c);
	s[3] = vf_hsum(d);
	return s;
#endif
}

INLINE vf vf_zero(void) { return vf_set(0); }

/* e^x, within 2e-7 of it; 0 below EXP_LO, NaN stays NaN.  Polynomial of Cephes' expf. */
INLINE vf vf_exp(vf in)
{
	vf x = vf_min(vf_set(EXP_HI), vf_max(vf_set(EXP_LO), in));
	vf n = vf_whole(x * vf_set(1.44269504088896341f));
	vf r = vf_fma(n, vf_set(2.12194440e-4f), vf_fma(n, vf_set(-0.693359375f), x));
	vf p = vf_set(1.9875691500e-4f);

	p = vf_fma(p, r, vf_set(1.3981999507e-3f));
	p = vf_fma(p, r, vf_set(8.3334519073e-3f));
	p = vf_fma(p, r, vf_set(4.1665795894e-2f));
	p = vf_fma(p, r, vf_set(1.6666665459e-1f));
	p = vf_fma(p, r, vf_set(5.0000001201e-1f));
	p = vf_fma(p, r * r, r + vf_set(1));
	return vf_zero_below(in, EXP_LO, vf_scale2(p, n));
}

/* Act type arrays: values I.. of P. */
INLINE vf vx_ld(const void *p, enum dtype t, size_t i)
{
	return t == DT_BF16 ? vh_ld((const uint16_t *)p + i) : vf_ld((const float *)p + i);
}
INLINE vf vx_ldn(const void *p, enum dtype t, size_t i, unsigned n)
{
	return t == DT_BF16 ? vh_ldn((const uint16_t *)p + i, n) : vf_ldn((const float *)p + i, n);
}
INLINE void vx_st(void *p, enum dtype t, size_t i, vf v)
{
	if (t == DT_BF16)
		vh_st((uint16_t *)p + i, v);
	else
		vf_st((float *)p + i, v);
}
INLINE void vx_stn(void *p, enum dtype t, size_t i, vf v, unsigned n)
{
	if (t == DT_BF16)
		vh_stn((uint16_t *)p + i, v, n);
	else
		vf_stn((float *)p + i, v, n);
}

#endif
