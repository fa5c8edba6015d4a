/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_CUDAQUANT_H
#define SFT_CUDAQUANT_H
/* Weights of every type as f32, 8 values at a time: the arithmetic of lib/base/dtype.c, value for value.
 *
 * quant8<T>(row, c, f): values C to C + 7 (C a multiple of 8) of the row whose bytes begin at ROW.  All block types have an even number of bytes and
 * rows begin at even addresses, so halves can be read as such. */
#include "cudapack.h"

__device__ __forceinline__ float f16_f(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000) << 16, mag = h & 0x7fff;

	if (mag >= 0x7c00)
		return __uint_as_float(sign | 0x7f800000u | (mag & 0x3ff) << 13);
	if (mag >= 0x0400)
		return __uint_as_float(sign | ((mag << 13) + ((127u - 15u) << 23)));
	return __uint_as_float(sign | __float_as_uint((float)mag * 0x1p-24f));
}

__device__ __forceinline__ float e4m3_f(uint8_t v)
{
	uint32_t sign = (uint32_t)(v & 0x80) << 24, mag = v & 0x7f;

	if (mag == 0x7f)
		return __uint_as_float(sign | 0x7fc00000u);
	if (mag >= 8)
		return __uint_as_float(sign | ((mag << 20) + ((127u - 7u) << 23)));
	return __uint_as_float(sign | __float_as_uint((float)mag * 0x1p-9f));
}

__device__ __forceinline__ uint32_t half_at(const uint8_t *p)
{
	return *reinterpret_cast<const uint16_t *>(p);
}
__device__ __forceinline__ float scale_at(const uint8_t *p)
{
	return f16_f((uint16_t)half_at(p));
}

/* Bytes P to P + 7 (P even): W[0] the first four. */
__device__ __forceinline__ void bytes8(const uint8_t *p, uint32_t w[2])
{
	w[0] = half_at(p) | half_at(p + 2) << 16;
	w[1] = half_at(p + 4) | half_at(p + 6) << 16;
}
__device__ __forceinline__ int byte_of(const uint32_t w[2], int i)
{
	return (int)(w[i / 4] >> (i % 4 * 8) & 255);
}

/* Q4_0, Q4_1, Q5_0, Q5_1: f16 d, f16 m with MIN, 32 fifth bits with FIFTH, then 16 bytes: value i < 16 in the low nibbles, i + 16 in the high. */
template <bool MIN, bool FIFTH> __device__ __forceinline__ void quant_nibbles(const uint8_t *row, uint32_t c, float *f)
{
	const int head = MIN ? 4 : 2, bytes = head + (FIFTH ? 4 : 0) + 16, low = MIN ? 0 : FIFTH ? 16 : 8;
	const uint8_t *b = row + (size_t)(c / 32) * bytes;
	uint32_t at = c % 32, w[2], fifths = 0;
	int shift = at >= 16 ? 4 : 0;
	float d = scale_at(b), m = MIN ? scale_at(b + 2) : 0;

	if (FIFTH)
		fifths = (half_at(b + head) | half_at(b + head + 2) << 16) >> at;
	bytes8(b + bytes - 16 + at % 16, w);
#pragma unroll
	for (int i = 0; i < 8; i++) {
		int q = byte_of(w, i) >> shift & 15;

		if (FIFTH)
			q |= (int)(fifths >> i & 1) << 4;
		f[i] = MIN ? d * (float)q + m : d * (float)(q - low);
	}
}

__device__ __forceinline__ void quant_q8_0(const uint8_t *row, uint32_t c, float *f)
{
	const uint8_t *b = row + (size_t)(c / 32) * 34;
	uint32_t w[2];
	float d = scale_at(b);

	bytes8(b + 2 + c % 32, w);
#pragma unroll
	for (int i = 0; i < 8; i++)
		f[i] = (float)(int8_t)byte_of(w, i) * d;
}

__device__ __forceinline__ void quant_q2_k(const uint8_t *row, uint32_t c, float *f)
{
	const uint8_t *b = row + (size_t)(c / 256) * 84;
	uint32_t at = c % 256, w[2];
	int both = b[at / 16], shift = (int)(at % 128 / 32 * 2);
	float d = scale_at(b + 80) * (float)(both & 15), m = scale_at(b + 82) * (float)(both >> 4);

	bytes8(b + 16 + at / 128 * 32 + at % 32, w);
#pragma unroll
	for (int i = 0; i < 8; i++)
		f[i] = d * (float)(byte_of(w, i) >> shift & 3) - m;
}

__device__ __forceinline__ void quant_q3_k(const uint8_t *row, uint32_t c, float *f)
{
	const uint8_t *b = row + (size_t)(c / 256) * 110, *sb = b + 96;
	uint32_t at = c % 256, j = at / 16, w[2], high[2];
	int sc = (int)((sb[j % 8] >> (j / 8 * 4) & 15) | (sb[8 + j % 4] >> (j / 4 * 2) & 3) << 4) - 32, shift = (int)(at % 128 / 32 * 2);
	float d = scale_at(b + 108) * (float)sc;

	bytes8(b + 32 + at / 128 * 32 + at % 32, w);
	bytes8(b + at % 32, high);
#pragma unroll
	for (int i = 0; i < 8; i++) {
		int q = byte_of(w, i) >> shift & 3;

		f[i] = d * (float)(byte_of(high, i) >> (at / 32) & 1 ? q : q - 4);
	}
}

/* Q4_K and Q5_K: f16 d, f16 dmin, 12 bytes of 6-bit scales and minima, 32 of fifth bits with FIFTH, 128 of nibbles. */
template <bool FIFTH> __device__ __forceinline__ void quant_q45_k(const uint8_t *row, uint32_t c, float *f)
{
	const uint8_t *b = row + (size_t)(c / 256) * (FIFTH ? 176 : 144), *s = b + 4;
	uint32_t at = c % 256, j = at / 32, w[2], high[2] = { 0, 0 };
	int sc, mn, shift = (int)(j % 2 * 4);
	float d, m;

	if (j < 4) {
		sc = s[j] & 63;
		mn = s[j + 4] & 63;
	} else {
		sc = (s[j + 4] & 15) | s[j - 4] >> 6 << 4;
		mn = s[j + 4] >> 4 | s[j] >> 6 << 4;
	}
	d = scale_at(b) * (float)sc;
	m = scale_at(b + 2) * (float)mn;
	bytes8(b + (FIFTH ? 48 : 16) + j / 2 * 32 + at % 32, w);
	if (FIFTH)
		bytes8(b + 16 + at % 32, high);
#pragma unroll
	for (int i = 0; i < 8; i++) {
		int q = byte_of(w, i) >> shift & 15;

		if (FIFTH)
			q |= (byte_of(high, i) >> j & 1) << 4;
		f[i] = d * (float)q - m;
	}
}

__device__ __forceinline__ void quant_q6_k(const uint8_t *row, uint32_t c, float *f)
{
	const uint8_t *b = row + (size_t)(c / 256) * 210;
	uint32_t at = c % 256, h = at / 128, k = at % 128 / 32, l = at % 32, w[2], high[2];
	float d = scale_at(b + 208) * (float)(int8_t)b[192 + at / 16];

	bytes8(b + 64 * h + l + 32 * (k & 1), w);
	bytes8(b + 128 + 32 * h + l, high);
#pragma unroll
	for (int i = 0; i < 8; i++)
		f[i] = d * (float)(((byte_of(w, i) >> (k >= 2 ? 4 : 0) & 15) | (byte_of(high, i) >> (2 * k) & 3) << 4) - 32);
}

/* A value of a plain type. */
template <int T> __device__ __forceinline__ float plain1(const uint8_t *row, uint32_t c)
{
	switch (T) {
	case DT_F32:     return reinterpret_cast<const float *>(row)[c];
	case DT_F16:     return f16_f(reinterpret_cast<const uint16_t *>(row)[c]);
	case DT_BF16:    return bf16_f(reinterpret_cast<const uint16_t *>(row)[c]);
	case DT_F8_E4M3: return e4m3_f(row[c]);
	case DT_F8_E5M2: return f16_f((uint16_t)(row[c] << 8));
	default:         return row[c] == 255 ? __uint_as_float(0x7fc00000u) : row[c] == 0 ? 0x1p-127f : __uint_as_float((uint32_t)row[c] << 23);
	}
}

template <int T> __device__ __forceinline__ void quant8(const uint8_t *row, uint32_t c, float *f)
{
	switch (T) {
	case DT_Q4_0: quant_nibbles<false, false>(row, c, f); break;
	case DT_Q4_1: quant_nibbles<true, false>(row, c, f); break;
	case DT_Q5_0: quant_nibbles<false, true>(row, c, f); break;
	case DT_Q5_1: quant_nibbles<true, true>(row, c, f); break;
	case DT_Q8_0: quant_q8_0(row, c, f); break;
	case DT_Q2_K: quant_q2_k(row, c, f); break;
	case DT_Q3_K: quant_q3_k(row, c, f); break;
	case DT_Q4_K: quant_q45_k<false>(row, c, f); break;
	case DT_Q5_K: quant_q45_k<true>(row, c, f); break;
	case DT_Q6_K: quant_q6_k(row, c, f); break;
	default:
#pragma unroll
		for (int i = 0; i < 8; i++)
			f[i] = plain1<T>(row, c + i);
	}
}

/* A matrix as kernels see it. */
struct quant {
	const uint8_t *p;
	size_t row_bytes;
	uint32_t rows, cols;
	const float *scale;            /* NULL: 1 */
	uint32_t block, scales;        /* scales of a row of blocks */
};

/* Bytes of N values of a type: dtype_bytes(), without the library it is in. */
static inline size_t quant_bytes(enum dtype t, size_t n)
{
	switch (t) {
	case DT_Q4_0: return n / 32 * 18;
	case DT_Q4_1: return n / 32 * 20;
	case DT_Q5_0: return n / 32 * 22;
	case DT_Q5_1: return n / 32 * 24;
	case DT_Q8_0: return n / 32 * 34;
	case DT_Q2_K: return n / 256 * 84;
	case DT_Q3_K: return n / 256 * 110;
	case DT_Q4_K: return n / 256 * 144;
	case DT_Q5_K: return n / 256 * 176;
	case DT_Q6_K: return n / 256 * 210;
	case DT_F32: return n * 4;
	case DT_F16: case DT_BF16: return n * 2;
	default: return n;
	}
}

static inline struct quant quant_of(const struct kmat *w)
{
	return { (const uint8_t *)w->p, quant_bytes(w->type, w->cols), w->rows, w->cols, w->scale, w->block, w->scale ? (w->cols + w->block - 1) / w->block : 0 };
}

/* Up to 8 values of a row from column C on, scaled; returns how many the row has there.  FAST: plain types whose rows lie at multiples of 16 bytes. */
template <int T, bool FAST> __device__ __forceinline__ uint32_t quant_get(const quant &q, uint32_t row, uint32_t c, float *f)
{
	const uint8_t *p = q.p + row * q.row_bytes;
	uint32_t n = q.cols - c < 8 ? q.cols - c : 8;

	if (T == DT_F32 && FAST)
		pack_get<8>(reinterpret_cast<const float *>(p) + c, f);
	else if (T == DT_BF16 && FAST)
		pack_get<8>(reinterpret_cast<const uint16_t *>(p) + c, f);
	else if (n == 8)
		quant8<T>(p, c, f);
	else
#pragma unroll
		for (uint32_t i = 0; i < 8; i++)
			f[i] = i < n ? plain1<T>(p, c + i) : 0;
	if (q.scale)
#pragma unroll
		for (uint32_t i = 0; i < 8; i++)
			f[i] *= i < n ? q.scale[(size_t)(row / q.block) * q.scales + (c + i) / q.block] : 0;
	return n;
}

/* The body with the constant W for the type TYPE of a matrix. */
#define QUANT_CASE(TYPE, W, ...) case TYPE: { constexpr int W = TYPE; __VA_ARGS__ } break;
#define QUANT_TYPES(type, W, ...) do { switch (type) { \
	QUANT_CASE(DT_F16, W, __VA_ARGS__) QUANT_CASE(DT_BF16, W, __VA_ARGS__) \
	QUANT_CASE(DT_Q4_0, W, __VA_ARGS__) QUANT_CASE(DT_Q4_1, W, __VA_ARGS__) QUANT_CASE(DT_Q5_0, W, __VA_ARGS__) QUANT_CASE(DT_Q5_1, W, __VA_ARGS__) \
	QUANT_CASE(DT_Q8_0, W, __VA_ARGS__) QUANT_CASE(DT_Q2_K, W, __VA_ARGS__) QUANT_CASE(DT_Q3_K, W, __VA_ARGS__) QUANT_CASE(DT_Q4_K, W, __VA_ARGS__) \
	QUANT_CASE(DT_Q5_K, W, __VA_ARGS__) QUANT_CASE(DT_Q6_K, W, __VA_ARGS__) QUANT_CASE(DT_F8_E4M3, W, __VA_ARGS__) \
	QUANT_CASE(DT_F8_E5M2, W, __VA_ARGS__) QUANT_CASE(DT_F8_E8M0, W, __VA_ARGS__) \
	default: { constexpr int W = DT_F32; __VA_ARGS__ } break; \
	} } while (0)

#endif
