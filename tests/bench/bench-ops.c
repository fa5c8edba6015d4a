/* SPDX-License-Identifier: Apache-2.0 */
/* What each operation reaches on one core, at the shapes of training SmolLM2-135M by LoRA on 4 rows of 512 tokens: CPU time of one thread, so
 * that a busy machine matters little.  Products: GFLOP/s and the share of this core's measured peak; the rest: GB/s of what must be
 * read and written.
 * usage: bench-ops [DEVICE [PATTERN]] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kern.h"
#include "mem.h"

enum { T = 2048, HID = 576, FFN = 1536, HEADS = 9, KVH = 3, DIM = 64, VOCAB = 49152, ROWS = 256 };

struct bench {
	struct kern *k;
	const char *only;
	enum dtype xt;
	double peak;                   /* GFLOP/s of xt */
	float *f[6];                   /* f32 arrays, as large as any operation needs */
	void *x[6];                    /* act type */
	void *w;                       /* bf16 or quantised weights */
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + 1e-9 * t.tv_nsec;
}

/* --- peaks --- */

#if defined(__x86_64__)
#include <immintrin.h>
#define PEAK(name, isa, type, instr, flops) \
__attribute__((target(isa))) static double name(void) \
{ \
	type a[12] = { 0 }, x = { 0 }; \
	double best = 0; \
	for (int r = 0; r < 20; r++) { \
		double t = now(); \
		for (int i = 0; i < 200000; i++) \
			__asm__ volatile(instr " %12, %12, %0\n\t" instr " %12, %12, %1\n\t" instr " %12, %12, %2\n\t" instr " %12, %12, %3\n\t" \
			                 instr " %12, %12, %4\n\t" instr " %12, %12, %5\n\t" instr " %12, %12, %6\n\t" instr " %12, %12, %7\n\t" \
			                 instr " %12, %12, %8\n\t" instr " %12, %12, %9\n\t" instr " %12, %12, %10\n\t" instr " %12, %12, %11" \
			                 : "+v"(a[0]), "+v"(a[1]), "+v"(a[2]), "+v"(a[3]), "+v"(a[4]), "+v"(a[5]), "+v"(a[6]), "+v"(a[7]), "+v"(a[8]), \
			                   "+v"(a[9]), "+v"(a[10]), "+v"(a[11]) : "v"(x)); \
		t = now() - t; \
		if (200000 * 12 * flops / t > best) \
			best = 200000 * 12 * flops / t; \
	} \
	return best * 1e-9; \
}
PEAK(peak_avx2, "avx2,fma", __m256, "vfmadd231ps", 16.0)
PEAK(peak_avx512, "avx512f", __m512, "vfmadd231ps", 32.0)
PEAK(peak_bf16, "avx512f,avx512bf16", __m512, "vdpbf16ps", 64.0)

static double peak(const char *name, enum dtype xt)
{
	if (strcmp(name, "cpu:avx512bf16") == 0)
		return xt == DT_BF16 ? peak_bf16() : peak_avx512();
	return strcmp(name, "cpu:avx512") == 0 ? peak_avx512() : strcmp(name, "cpu:avx2") == 0 ? peak_avx2() : 0;
}
#else
static double peak(const char *name, enum dtype xt)
{
	(void)name;
	(void)xt;
	return 0;
}
#endif

/* --- the table --- */

#define RUN(b, name, flops, bytes, ...) do { \
	if ((b)->only == NULL || strstr(name, (b)->only)) { \
		double best_ = 1e9, all_ = 0; \
		for (int i_ = 0; i_ < 200 && (i_ < 3 || all_ < 0.15); i_++) { \
			double t_ = now(); \
			__VA_ARGS__; \
			t_ = now() - t_; \
			all_ += t_; \
			best_ = t_ < best_ ? t_ : best_; \
		} \
		line(b, name, best_, flops, bytes); \
	} \
} while (0)

static void line(const struct bench *b, const char *name, double s, double flops, double bytes)
{
	printf("%-5s %-34s %9.3f ms", b->xt == DT_BF16 ? "bf16" : "f32", name, s * 1e3);
	if (flops > 0)
		printf(" %8.1f GFLOP/s %4.0f%%", flops / s * 1e-9, b->peak > 0 ? flops / s * 1e-7 / b->peak : 0.0);
	else
		printf(" %24s", "");
	if (bytes > 0)
		printf(" %7.1f GB/s", bytes / s * 1e-9);
	putchar('\n');
	fflush(stdout);
}

static void product(struct bench *b, const char *name, enum dtype wt, uint32_t t, uint32_t rows, uint32_t cols, uint32_t r, enum dtype yt, bool dx)
{
	struct kmat w = { .p = wt == DT_F32 ? (void *)b->f[0] : b->w, .type = wt, .rows = rows, .cols = cols };
	double flops = 2.0 * t * (rows * (double)cols + (double)r * (dx ? cols : rows));

	if (!dx)
		RUN(b, name, flops, 0, kern_linear(b->k, &(struct kern_linear){ .t = t, .r = r, .w = w, .x = b->x[0], .ldx = cols, .xt = b->xt, .u = b->x[1],
			.ldu = r, .b = b->f[1], .scale = 1, .y = b->f[2], .ldy = rows, .yt = yt }));
	else
		RUN(b, name, flops, 0, kern_linear_dx(b->k, &(struct kern_linear_dx){ .t = t, .r = r, .w = w, .dy = b->x[0], .lddy = rows, .xt = b->xt,
			.du = b->x[1], .lddu = r, .a = b->f[1], .alpha = 1, .dx = b->f[2], .lddx = cols, .yt = yt }));
}

static void products(struct bench *b)
{
	enum dtype a = b->xt;

	product(b, "linear 576x576 r8 Q4_1", DT_Q4_1, T, HID, HID, 8, a, false);
	product(b, "linear 192x576 r8 Q4_1", DT_Q4_1, T, 192, HID, 8, a, false);
	product(b, "linear 1536x576 r8 Q4_1", DT_Q4_1, T, FFN, HID, 8, a, false);
	product(b, "linear 1536x576 r8 bf16", DT_BF16, T, FFN, HID, 8, a, false);
	product(b, "linear 576x1536 r8 Q4_1", DT_Q4_1, T, HID, FFN, 8, DT_F32, false);
	product(b, "linear_dx 576x576 r8 Q4_1", DT_Q4_1, T, HID, HID, 8, a, true);
	product(b, "linear_dx 192x576 r8 Q4_1", DT_Q4_1, T, 192, HID, 8, DT_F32, true);
	product(b, "linear_dx 1536x576 r8 Q4_1", DT_Q4_1, T, FFN, HID, 8, DT_F32, true);
	product(b, "linear_dx 576x1536 r8 Q4_1", DT_Q4_1, T, HID, FFN, 8, a, true);
	product(b, "head 49152x576 Q8_0", DT_Q8_0, ROWS, VOCAB, HID, 0, DT_F32, false);
	product(b, "head_dx 49152x576 Q8_0", DT_Q8_0, ROWS, VOCAB, HID, 0, DT_F32, true);
	product(b, "side 24x576 (A of qkv)", DT_F32, T, 24, HID, 0, a, false);
	product(b, "side 16x576 (A of gate, up)", DT_F32, T, 16, HID, 0, a, false);
	product(b, "side 8x1536 (A of down)", DT_F32, T, 8, FFN, 0, a, false);
	product(b, "side_dx 576x8 (B of q)", DT_F32, T, HID, 8, 0, a, true);
	product(b, "side_dx 1536x8 (B of gate)", DT_F32, T, FFN, 8, 0, a, true);
	product(b, "decode 1536x576 Q4_1 t=1", DT_Q4_1, 1, FFN, HID, 8, a, false);
	product(b, "decode 49152x576 Q8_0 t=1", DT_Q8_0, 1, VOCAB, HID, 0, DT_F32, false);
	product(b, "decode 49152x576 bf16 t=1", DT_BF16, 1, VOCAB, HID, 0, DT_F32, false);
	RUN(b, "outer dA 24x576", 2.0 * T * 24 * HID, 0, kern_outer(b->k, T, 24, HID, 1, a, b->x[1], 24, b->x[0], HID, b->f[2], HID));
	RUN(b, "outer dA 8x1536", 2.0 * T * 8 * FFN, 0, kern_outer(b->k, T, 8, FFN, 1, a, b->x[1], 8, b->x[0], FFN, b->f[2], FFN));
	RUN(b, "outer dB 576x8", 2.0 * T * 8 * HID, 0, kern_outer(b->k, T, HID, 8, 1, a, b->x[0], HID, b->x[1], 24, b->f[2], 8));
	RUN(b, "outer dB 1536x8", 2.0 * T * 8 * FFN, 0, kern_outer(b->k, T, FFN, 8, 1, a, b->x[0], FFN, b->x[1], 16, b->f[2], 8));
	RUN(b, "outer dW 576x576", 2.0 * T * HID * HID, 0, kern_outer(b->k, T, HID, HID, 1, a, b->x[0], HID, b->x[1], HID, b->f[2], HID));
	RUN(b, "outer dW 1536x576", 2.0 * T * FFN * HID, 0, kern_outer(b->k, T, FFN, HID, 1, a, b->x[0], FFN, b->x[1], HID, b->f[2], HID));
	RUN(b, "outer dW 49152x576", 2.0 * ROWS * VOCAB * HID, 0, kern_outer(b->k, ROWS, VOCAB, HID, 1, a, b->x[0], VOCAB, b->x[1], HID, b->f[2], HID));
}

static void attention(struct bench *b, const char *name, uint32_t nseg, uint32_t len)
{
	struct kern_seg s[16];
	struct kern_attn a = { .seg = s, .nseg = nseg, .heads = HEADS, .kv_heads = KVH, .dk = DIM, .dv = DIM, .scale = 0.125f, .xt = b->xt,
		.q = b->x[0], .ldq = HID, .k = b->x[1], .ldk = KVH * DIM, .v = b->x[2], .ldv = KVH * DIM, .o = b->x[3], .ldo = HID, .lse = b->f[0] };
	double pairs = (double)nseg * HEADS * len * (len + 1.0) / 2;
	char label[64];

	for (uint32_t i = 0; i < nseg; i++)
		s[i] = (struct kern_seg){ i * len, len, 0, 0, i * len, len };
	snprintf(label, sizeof label, "attn %s", name);
	RUN(b, label, pairs * 4 * DIM, 0, kern_attn(b->k, &a));
	snprintf(label, sizeof label, "attn_dx %s", name);
	RUN(b, label, pairs * 10 * DIM, 0, kern_attn_dx(b->k, &a, b->x[4], HID, b->x[5], b->f[1], b->f[2]));
}

static void others(struct bench *b)
{
	struct kern *k = b->k;
	enum dtype a = b->xt;
	double e = a == DT_BF16 ? 2 : 4, th = (double)T * HID, tf = (double)T * FFN;
	uint32_t *pos = mem_try(sizeof *pos * VOCAB), *ids = mem_try(sizeof *ids * VOCAB);
	struct kern_adamw w = { 1e-4f, 0.9f, 0.999f, 1e-8f, 0, 1, 0.1, 0.001 };
	size_t n = 2442240;

	for (uint32_t i = 0; i < VOCAB; i++) {
		pos[i] = i % 512;
		ids[i] = i * 7 % VOCAB;
	}
	RUN(b, "rmsnorm", 0, th * (4 + 2 * e), kern_rmsnorm(k, T, HID, b->f[0], HID, DT_F32, b->f[1], 1e-5f, b->x[0], HID, a, b->f[2], b->x[1]));
	RUN(b, "rmsnorm_again", 0, th * 2 * e, kern_rmsnorm_again(k, T, HID, b->x[0], b->f[2], b->f[1], b->x[1], a));
	RUN(b, "rmsnorm_dx", 0, th * (12 + e), kern_rmsnorm_dx(k, T, HID, b->x[0], HID, a, b->f[2], b->f[1], b->f[3], HID, DT_F32, b->f[4], HID, false, NULL));
	RUN(b, "rope", 0, th * 2 * e, kern_rope(k, T, HEADS, DIM, DIM / 2, b->x[0], HID, a, b->f[0], pos, false, false));
	RUN(b, "swiglu", 0, tf * 3 * e, kern_swiglu(k, (size_t)tf, a, b->x[0], b->x[1], b->x[2]));
	RUN(b, "swiglu_dx", 0, tf * 6 * e, kern_swiglu_dx(k, (size_t)tf, a, b->x[0], b->x[1], b->x[2], b->x[3], b->x[2], b->x[4]));
	RUN(b, "xent", 0, (double)ROWS * VOCAB * (4 + e), kern_xent(k, ROWS, VOCAB, b->f[0], VOCAB, ids, b->f[1], 0, b->x[0], VOCAB, a, b->f[2]));
	RUN(b, "cast f32 to act", 0, th * (4 + e), kern_cast(k, (size_t)th, b->f[0], DT_F32, b->x[0], a));
	RUN(b, "embed Q8_0", 0, th * 5, kern_embed(k, T, (struct kmat){ .p = b->w, .type = DT_Q8_0, .rows = VOCAB, .cols = HID }, ids, b->f[0]));
	RUN(b, "rows_get", 0, th * (4 + e), kern_rows_get(k, T, HID, b->f[0], ids, b->x[0], a));
	RUN(b, "rows_put", 0, th * 8, kern_rows_put(k, T, HID, b->f[0], ids, b->f[1], false));
	RUN(b, "colsum 2048x576", 0, th * e, kern_colsum(k, T, HID, a, b->x[0], HID, b->f[0]));
	RUN(b, "add", 0, th * 12, kern_add(k, (size_t)th, b->f[0], b->f[1]));
	RUN(b, "scale", 0, n * 8.0, kern_scale(k, n, 1, b->f[0]));
	RUN(b, "sumsq", 0, n * 4.0, (void)kern_sumsq(k, n, b->f[0]));
	RUN(b, "adamw", 0, n * 28.0, kern_adamw(k, n, &w, b->f[0], b->f[1], b->f[2], b->f[3]));
	mem_free(pos);
	mem_free(ids);
}

static void fill(struct bench *b)
{
	size_t big = (size_t)VOCAB * HID;
	uint32_t seed = 1;

	b->w = kern_alloc(b->k, big * 2);
	for (size_t i = 0; i < big * 2; i++)        /* blocks and bf16 alike: small numbers without NaN */
		((uint8_t *)b->w)[i] = (uint8_t)((seed = seed * 1664525u + 1013904223u) >> 26);
	for (int i = 0; i < 6; i++) {
		b->f[i] = kern_alloc(b->k, big * 4);
		b->x[i] = kern_alloc(b->k, big * 4);
		for (size_t j = 0; j < big; j++)
			b->f[i][j] = (float)(int32_t)(seed = seed * 1664525u + 1013904223u) * 0x1p-31f;
		kern_cast(b->k, big, b->f[i], DT_F32, b->x[i], b->xt);
	}
}

int main(int argc, char **argv)
{
	static const enum dtype act[2] = { DT_BF16, DT_F32 };
	struct pool *pool = pool_open(1);
	struct err e;

	for (int x = 0; x < 2; x++) {
		struct bench b = { .xt = act[x], .only = argc > 2 ? argv[2] : NULL };

		if (kern_open(&b.k, argc > 1 ? argv[1] : "cpu", pool, &e) != 0) {
			fprintf(stderr, "bench-ops: %s\n", e.msg);
			return e.code;
		}
		b.peak = peak(kern_name(b.k), b.xt);
		printf("%s, %s: peak of one core %.1f GFLOP/s\n", kern_name(b.k), x == 0 ? "bf16" : "f32", b.peak);
		fill(&b);
		products(&b);
		attention(&b, "4 x 512", 4, 512);
		attention(&b, "1 x 2048", 1, 2048);
		others(&b);
		for (int i = 0; i < 6; i++) {
			kern_free(b.k, b.f[i]);
			kern_free(b.k, b.x[i]);
		}
		kern_free(b.k, b.w);
		kern_close(b.k);
	}
	pool_close(pool);
	return 0;
}
