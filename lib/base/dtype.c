/* SPDX-License-Identifier: Apache-2.0 */
#include "dtype.h"

#include <math.h>
#include <string.h>

/* --- numbers of 16 and 8 bits --- */

static float float_of(uint32_t bits)
{
	float f;

	memcpy(&f, &bits, sizeof f);
	return f;
}

static uint32_t bits_of(float f)
{
	uint32_t bits;

	memcpy(&bits, &f, sizeof bits);
	return bits;
}

uint16_t f32_to_bf16(float f)
{
	uint32_t b = bits_of(f);

	if ((b & 0x7fffffff) > 0x7f800000)
		return (uint16_t)(b >> 16 | 0x40);         /* keep a NaN whose payload is all in the low half */
	return (uint16_t)((b + 0x7fff + (b >> 16 & 1)) >> 16);
}

float bf16_to_f32(uint16_t h)
{
	return float_of((uint32_t)h << 16);
}

float f16_to_f32(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000) << 16, mag = h & 0x7fff;

	if (mag >= 0x7c00)                                 /* infinity, NaN */
		return float_of(sign | 0x7f800000 | (mag & 0x3ff) << 13);
	if (mag >= 0x0400)
		return float_of(sign | ((mag << 13) + ((127u - 15u) << 23)));
	return float_of(sign | bits_of((float)mag * 0x1p-24f));   /* subnormal: a multiple of 2^-24 */
}

uint16_t f32_to_f16(float f)
{
	uint32_t b = bits_of(f), mag = b & 0x7fffffff;
	uint16_t sign = (uint16_t)(b >> 16 & 0x8000);

	if (mag > 0x7f800000)
		return (uint16_t)(sign | 0x7e00 | (mag >> 13 & 0x1ff));
	if (mag >= 0x477ff000)                             /* 65520 and more round to infinity */
		return (uint16_t)(sign | 0x7c00);
	if (mag < 0x38800000)                              /* below 2^-14: the sum's last bit is worth 2^-24 */
		return (uint16_t)(sign | (bits_of(float_of(mag) + 0.5f) - bits_of(0.5f)));
	mag += 0xfff + (mag >> 13 & 1);
	return (uint16_t)(sign | (mag - ((127u - 15u) << 23)) >> 13);
}

/* E4M3 as in the OCP specification ("fn": no infinities, only 0x7f is NaN). */
static float e4m3_to_f32(uint8_t v)
{
	uint32_t sign = (uint32_t)(v & 0x80) << 24, mag = v & 0x7f;

	if (mag == 0x7f)
		return float_of(sign | 0x7fc00000);
	if (mag >= 8)
		return float_of(sign | ((mag << 20) + ((127u - 7u) << 23)));
	return float_of(sign | bits_of((float)mag * 0x1p-9f));
}

static uint16_t u16_at(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static float f16_at(const uint8_t *p)
{
	return f16_to_f32(u16_at(p));
}

/* --- blocks: one block at B to its values at D.  Layouts: ggml's ggml-common.h; arithmetic: gguf-py's quants.py --- */

static void q4_0(const uint8_t *b, float *d)
{
	float s = f16_at(b);

	for (int i = 0; i < 16; i++) {
		d[i] = s * (float)((b[2 + i] & 15) - 8);
		d[16 + i] = s * (float)((b[2 + i] >> 4) - 8);
	}
}

static void q4_1(const uint8_t *b, float *d)
{
	float s = f16_at(b), m = f16_at(b + 2);

	for (int i = 0; i < 16; i++) {
		d[i] = s * (float)(b[4 + i] & 15) + m;
		d[16 + i] = s * (float)(b[4 + i] >> 4) + m;
	}
}

/* The fifth bits of 32 values lie in 4 bytes at H. */
static int fifth(const uint8_t *h, int i)
{
	return (h[i / 8] >> (i % 8) & 1) << 4;
}

static void q5_0(const uint8_t *b, float *d)
{
	float s = f16_at(b);

	for (int i = 0; i < 16; i++) {
		d[i] = s * (float)(((b[6 + i] & 15) | fifth(b + 2, i)) - 16);
		d[16 + i] = s * (float)((b[6 + i] >> 4 | fifth(b + 2, 16 + i)) - 16);
	}
}

static void q5_1(const uint8_t *b, float *d)
{
	float s = f16_at(b), m = f16_at(b + 2);

	for (int i = 0; i < 16; i++) {
		d[i] = s * (float)((b[8 + i] & 15) | fifth(b + 4, i)) + m;
		d[16 + i] = s * (float)(b[8 + i] >> 4 | fifth(b + 4, 16 + i)) + m;
	}
}

static void q8_0(const uint8_t *b, float *d)
{
	float s = f16_at(b);

	for (int i = 0; i < 32; i++)
		d[i] = (float)(int8_t)b[2 + i] * s;
}

/* 16 scales with their minima in nibbles; 64 bytes of 2-bit values; d, dmin. */
static void q2_k(const uint8_t *b, float *d)
{
	const uint8_t *qs = b + 16;
	float s = f16_at(b + 80), m = f16_at(b + 82);

	for (int i = 0; i < 256; i++) {
		int q = qs[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
		float sc = s * (float)(b[i / 16] & 15), mn = m * (float)(b[i / 16] >> 4);

		d[i] = sc * (float)q - mn;
	}
}

/* 32 bytes of third bits (inverted: a clear bit subtracts 4); 64 bytes of 2-bit values; 16 scales of 6 bits in 12 bytes; d. */
static void q3_k(const uint8_t *b, float *d)
{
	const uint8_t *hm = b, *qs = b + 32, *sb = b + 96;
	float s = f16_at(b + 108);

	for (int i = 0; i < 256; i++) {
		int j = i / 16;
		int sc = ((sb[j % 8] >> (j / 8 * 4) & 15) | (sb[8 + j % 4] >> (j / 4 * 2) & 3) << 4) - 32;
		int q = qs[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;

		if (!(hm[i % 32] >> (i / 32) & 1))
			q -= 4;
		d[i] = s * (float)sc * (float)q;
	}
}

/* Scale and minimum J (0..7) of Q4_K and Q5_K: 6 bits each, packed in 12 bytes. */
static void scale_min(const uint8_t *s, int j, int *sc, int *mn)
{
	if (j < 4) {
		*sc = s[j] & 63;
		*mn = s[j + 4] & 63;
	} else {
		*sc = (s[j + 4] & 15) | s[j - 4] >> 6 << 4;
		*mn = s[j + 4] >> 4 | s[j] >> 6 << 4;
	}
}

static void q4_k(const uint8_t *b, float *d)
{
	float s = f16_at(b), m = f16_at(b + 2);

	for (int j = 0; j < 8; j++) {
		const uint8_t *q = b + 16 + j / 2 * 32;
		int sc, mn;

		scale_min(b + 4, j, &sc, &mn);
		for (int l = 0; l < 32; l++)
			d[32 * j + l] = s * (float)sc * (float)(q[l] >> (j % 2 * 4) & 15) - m * (float)mn;
	}
}

static void q5_k(const uint8_t *b, float *d)
{
	const uint8_t *qh = b + 16;
	float s = f16_at(b), m = f16_at(b + 2);

	for (int j = 0; j < 8; j++) {
		const uint8_t *q = b + 48 + j / 2 * 32;
		int sc, mn;

		scale_min(b + 4, j, &sc, &mn);
		for (int l = 0; l < 32; l++) {
			int v = (q[l] >> (j % 2 * 4) & 15) | (qh[l] >> j & 1) << 4;

			d[32 * j + l] = s * (float)sc * (float)v - m * (float)mn;
		}
	}
}

/* 128 bytes of low nibbles, 64 of high pairs, 16 scales, d. */
static void q6_k(const uint8_t *b, float *d)
{
	const uint8_t *ql = b, *qh = b + 128;
	const int8_t *sc = (const int8_t *)b + 192;
	float s = f16_at(b + 208);

	for (int i = 0; i < 256; i++) {
		int h = i / 128, k = i % 128 / 32, l = i % 32;
		int lo = ql[64 * h + l + 32 * (k & 1)] >> (k >= 2 ? 4 : 0) & 15;
		int q = (lo | (qh[32 * h + l] >> (2 * k) & 3) << 4) - 32;

		d[i] = s * (float)sc[i / 16] * (float)q;
	}
}

static void f32(const uint8_t *b, float *d)
{
	memcpy(d, b, sizeof *d);
}

static void f16(const uint8_t *b, float *d)
{
	*d = f16_at(b);
}

static void bf16(const uint8_t *b, float *d)
{
	*d = bf16_to_f32(u16_at(b));
}

static void f8_e4m3(const uint8_t *b, float *d)
{
	*d = e4m3_to_f32(*b);
}

/* E5M2 is the upper half of an f16. */
static void f8_e5m2(const uint8_t *b, float *d)
{
	*d = f16_to_f32((uint16_t)(*b << 8));
}

/* E8M0 is an exponent alone: the scales of newer FP8 files. */
static void f8_e8m0(const uint8_t *b, float *d)
{
	*d = *b == 255 ? float_of(0x7fc00000) : ldexpf(1, *b - 127);
}

/* --- the table --- */

struct info {
	enum dtype type;
	const char *name;
	uint8_t block, bytes;                              /* block 0 stands for 256 */
	void (*f32)(const uint8_t *b, float *d);
};

static const struct info table[] = {
	{ DT_F32,  "F32",  1, 4, f32 },        { DT_F16,  "F16",  1, 2, f16 },       { DT_BF16, "BF16", 1, 2, bf16 },
	{ DT_Q4_0, "Q4_0", 32, 18, q4_0 },     { DT_Q4_1, "Q4_1", 32, 20, q4_1 },    { DT_Q5_0, "Q5_0", 32, 22, q5_0 },
	{ DT_Q5_1, "Q5_1", 32, 24, q5_1 },     { DT_Q8_0, "Q8_0", 32, 34, q8_0 },    { DT_Q2_K, "Q2_K", 0, 84, q2_k },
	{ DT_Q3_K, "Q3_K", 0, 110, q3_k },     { DT_Q4_K, "Q4_K", 0, 144, q4_k },    { DT_Q5_K, "Q5_K", 0, 176, q5_k },
	{ DT_Q6_K, "Q6_K", 0, 210, q6_k },     { DT_I8,   "I8",   1, 1, NULL },      { DT_I16,  "I16",  1, 2, NULL },
	{ DT_I32,  "I32",  1, 4, NULL },       { DT_I64,  "I64",  1, 8, NULL },      { DT_F64,  "F64",  1, 8, NULL },
	{ DT_F8_E4M3, "F8_E4M3", 1, 1, f8_e4m3 }, { DT_F8_E5M2, "F8_E5M2", 1, 1, f8_e5m2 },
	{ DT_F8_E8M0, "F8_E8M0", 1, 1, f8_e8m0 },
	{ DT_U8,   "U8",   1, 1, NULL },       { DT_U16,  "U16",  1, 2, NULL },      { DT_U32,  "U32",  1, 4, NULL },
	{ DT_U64,  "U64",  1, 8, NULL },       { DT_BOOL, "BOOL", 1, 1, NULL },
};

static const struct info *info_of(enum dtype t)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (table[i].type == t)
			return &table[i];
	return NULL;
}

unsigned dtype_block(enum dtype t)
{
	const struct info *i = info_of(t);

	return i == NULL ? 0 : i->block ? i->block : 256;
}

unsigned dtype_bytes(enum dtype t)
{
	const struct info *i = info_of(t);

	return i ? i->bytes : 0;
}

const char *dtype_name(enum dtype t)
{
	const struct info *i = info_of(t);

	return i ? i->name : "unknown";
}

enum dtype dtype_named(const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (strlen(table[i].name) == n && memcmp(table[i].name, name, n) == 0)
			return table[i].type;
	return DT_NONE;
}

int dtype_to_f32(enum dtype t, const void *src, float *dst, size_t n)
{
	const struct info *i = info_of(t);
	const uint8_t *b = src;
	unsigned block = dtype_block(t);

	if (i == NULL || i->f32 == NULL)
		return 0;
	if (t == DT_F32) {
		if (n)
			memcpy(dst, src, n * sizeof *dst);
		return 1;
	}
	for (size_t k = 0; k < n; k += block, b += i->bytes)
		i->f32(b, dst + k);
	return 1;
}

static int to_half(const float *src, uint16_t *dst, size_t n, uint16_t infinity, uint16_t (*narrow)(float))
{
	int rc = 1;

	for (size_t i = 0; i < n; i++) {
		dst[i] = narrow(src[i]);
		if ((dst[i] & 0x7fff) == infinity && !isinf(src[i]))
			rc = -1;
	}
	return rc;
}

/* f16 d = largest magnitude / 127, then 32 bytes round(x / d), halves away from zero. */
static int to_q8_0(const float *src, uint8_t *dst)
{
	float most = 0, d, by;
	uint16_t half;

	for (int i = 0; i < 32; i++) {
		if (!isfinite(src[i]))
			return -1;
		most = fmaxf(most, fabsf(src[i]));
	}
	d = most / 127;
	by = d > 0 ? 1 / d : 0;
	half = f32_to_f16(d);
	memcpy(dst, &half, 2);
	for (int i = 0; i < 32; i++)
		dst[2 + i] = (uint8_t)(int8_t)roundf(src[i] * by);
	return (half & 0x7fff) == 0x7c00 ? -1 : 1;
}

int dtype_from_f32(enum dtype t, const float *src, void *dst, size_t n)
{
	int rc = 1;

	switch (t) {
	case DT_F32:
		if (n)
			memcpy(dst, src, n * sizeof *src);
		return 1;
	case DT_F16:
		return to_half(src, dst, n, 0x7c00, f32_to_f16);
	case DT_BF16:
		return to_half(src, dst, n, 0x7f80, f32_to_bf16);
	case DT_Q8_0:
		for (size_t i = 0; i < n; i += 32)
			if (to_q8_0(src + i, (uint8_t *)dst + i / 32 * 34) < 0)
				rc = -1;
		return rc;
	default:
		return 0;
	}
}
