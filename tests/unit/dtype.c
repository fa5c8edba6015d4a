/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dtype.h"
#include "test.h"

/* blocks.bin of tests/data/dtype/make.py: every value must have the reference's bits. */
static void blocks_as_reference(void)
{
	char path[1024];
	int32_t head[4];
	int types = 0;
	FILE *f;

	snprintf(path, sizeof path, "%s/dtype/blocks.bin", getenv("DATA") ? getenv("DATA") : "tests/data");
	f = fopen(path, "rb");
	CHECK(f != NULL);
	if (f == NULL)
		return;
	while (fread(head, sizeof head, 1, f) == 1) {
		enum dtype t = (enum dtype)head[0];
		size_t n = (size_t)head[1] * (size_t)head[3], bytes = (size_t)head[1] * (size_t)head[2];
		unsigned char *raw = malloc(bytes + 1);
		float *want = malloc(n * sizeof *want), *got = malloc(n * sizeof *got);

		CHECK(dtype_bytes(t) == (unsigned)head[2] && dtype_block(t) == (unsigned)head[3]);
		CHECK(fread(raw + 1, 1, bytes, f) == bytes && fread(want, sizeof *want, n, f) == n);
		CHECK(dtype_to_f32(t, raw + 1, got, n));           /* unaligned on purpose */
		if (memcmp(got, want, n * sizeof *got) != 0)
			printf("# %s differs\n", dtype_name(t));
		CHECK(memcmp(got, want, n * sizeof *got) == 0);
		types++;
		free(raw), free(want), free(got);
	}
	CHECK(types == 12);
	fclose(f);
}

/* Every f16 goes to f32 and back; every value between two f16 rounds to the nearer, ties to even. */
static void f16_all(void)
{
	int bad = 0;

	for (unsigned h = 0; h < 0x10000; h++) {
		float f = f16_to_f32((uint16_t)h);
		double exact = ldexp(h & 0x3ff, -24) * (h & 0x7c00 ? 0 : 1);

		if ((h & 0x7c00) == 0x7c00) {
			bad += h & 0x3ff ? !isnan(f) || !isnan(f16_to_f32(f32_to_f16(f))) : f32_to_f16(f) != h;
			continue;
		}
		if (h & 0x7c00)
			exact = ldexp(1024 + (h & 0x3ff), (int)(h >> 10 & 31) - 25);
		bad += fabs((double)f) != exact || f32_to_f16(f) != h;
	}
	CHECK(bad == 0);
	for (unsigned h = 0; h < 0x7bff; h++) {
		float lo = f16_to_f32((uint16_t)h), hi = f16_to_f32((uint16_t)(h + 1)), mid = (lo + hi) / 2;

		bad += f32_to_f16(mid) != (h & 1 ? h + 1 : h);
		bad += f32_to_f16(nextafterf(mid, lo)) != h || f32_to_f16(nextafterf(mid, hi)) != h + 1;
	}
	CHECK(bad == 0);
	CHECK(f32_to_f16(65519.f) == 0x7bff && f32_to_f16(65520.f) == 0x7c00 && f32_to_f16(-1e30f) == 0xfc00);
}

static void bf16_rounds(void)
{
	CHECK(f32_to_bf16(1.0f) == 0x3f80 && bf16_to_f32(0x3f80) == 1.0f);
	CHECK(f32_to_bf16(1.00390625f) == 0x3f80);                 /* a tie: to even */
	CHECK(f32_to_bf16(1.01171875f) == 0x3f82);
	CHECK(f32_to_bf16(1.0039064f) == 0x3f81);
	CHECK(f32_to_bf16(3.4e38f) == 0x7f80);
	CHECK(isnan(bf16_to_f32(f32_to_bf16(NAN))));
	for (unsigned h = 0; h < 0x7f80; h++)
		CHECK(f32_to_bf16(bf16_to_f32((uint16_t)h)) == h);
}

static void f8_values(void)
{
	const unsigned char e4[] = { 0x00, 0x01, 0x08, 0x38, 0x7e, 0xb8 }, e5[] = { 0x00, 0x01, 0x04, 0x3c, 0x7b, 0xbc };
	const float want4[] = { 0, 0x1p-9f, 0x1p-6f, 1, 448, -1 }, want5[] = { 0, 0x1p-16f, 0x1p-14f, 1, 57344, -1 };
	float got[6];
	unsigned char nan4 = 0x7f;

	CHECK(dtype_to_f32(DT_F8_E4M3, e4, got, 6) && memcmp(got, want4, sizeof got) == 0);
	CHECK(dtype_to_f32(DT_F8_E5M2, e5, got, 6) && memcmp(got, want5, sizeof got) == 0);
	CHECK(dtype_to_f32(DT_F8_E4M3, &nan4, got, 1) && isnan(got[0]));
}

static void names(void)
{
	CHECK(dtype_named("Q4_1", 4) == DT_Q4_1 && dtype_named("BF16", 4) == DT_BF16);
	CHECK(dtype_named("bf16", 4) == DT_NONE && dtype_named("F3", 2) == DT_NONE && dtype_named("", 0) == DT_NONE);
	CHECK_STR(dtype_name(DT_F8_E5M2), "F8_E5M2");
	CHECK(dtype_block((enum dtype)4) == 0 && dtype_block((enum dtype)31) == 0 && dtype_bytes((enum dtype)-7) == 0);
	CHECK(!dtype_to_f32(DT_I8, "", NULL, 0) && !dtype_to_f32((enum dtype)9, "", NULL, 0));
}

/* Values to a type and back; what the type cannot hold is said. */
static void from_f32(void)
{
	float x[64], y[64];
	unsigned char out[64 * 4];

	for (int i = 0; i < 64; i++)
		x[i] = (float)((i * 37 % 64) - 31) * 0.37f;
	CHECK(dtype_from_f32(DT_F32, x, out, 64) == 1 && memcmp(out, x, sizeof x) == 0);
	CHECK(dtype_from_f32(DT_BF16, x, out, 64) == 1 && dtype_to_f32(DT_BF16, out, y, 64));
	for (int i = 0; i < 64; i++)
		CHECK(fabsf(y[i] - x[i]) <= fabsf(x[i]) / 256);
	CHECK(dtype_from_f32(DT_Q8_0, x, out, 64) == 1 && dtype_to_f32(DT_Q8_0, out, y, 64));
	for (int i = 0; i < 64; i++)
		CHECK(fabsf(y[i] - x[i]) <= 32 * 0.37f / 127 * 0.57f);
	CHECK(dtype_from_f32(DT_Q4_0, x, out, 64) == 0 && dtype_from_f32(DT_I32, x, out, 64) == 0);
	memset(x, 0, 32 * sizeof *x);
	CHECK(dtype_from_f32(DT_Q8_0, x, out, 32) == 1 && dtype_to_f32(DT_Q8_0, out, y, 32) && y[0] == 0 && y[31] == 0);
	x[3] = 65519;                                  /* the last that rounds to 65504 */
	CHECK(dtype_from_f32(DT_F16, x, out, 32) == 1);
	x[3] = 65520;
	CHECK(dtype_from_f32(DT_F16, x, out, 32) == -1 && dtype_from_f32(DT_BF16, x, out, 32) == 1);
	x[3] = 3.4e38f;
	CHECK(dtype_from_f32(DT_BF16, x, out, 32) == -1 && dtype_from_f32(DT_Q8_0, x, out, 32) == -1);
	x[3] = INFINITY;
	CHECK(dtype_from_f32(DT_F16, x, out, 32) == 1 && dtype_from_f32(DT_Q8_0, x, out, 32) == -1);
	x[3] = NAN;
	CHECK(dtype_from_f32(DT_BF16, x, out, 32) == 1 && dtype_from_f32(DT_Q8_0, x, out, 32) == -1);
}

int main(void)
{
	TEST(blocks_as_reference);
	TEST(f16_all);
	TEST(bf16_rounds);
	TEST(f8_values);
	TEST(names);
	TEST(from_f32);
	return test_end();
}
