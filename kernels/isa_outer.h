/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ISA_OUTER_H
#define SFT_ISA_OUTER_H
/* g += alpha p^T q, the contraction over rows.  p is turned once into rows of words along the contraction; each task zips its panel of q
 * a block of rows at a time.  A thin q (LoRA's B) changes places with p, so that panels are always full. */
#include "isa_attn.h"

enum {
	OUTER_BAND = 96,               /* columns of p in a task: a multiple of 6 */
	OUTER_BLOCK = 256,             /* steps of a panel that are packed at a time */
	AHEAD = 16                     /* rows */
};

struct outer {
	uint32_t t, m, n;
	struct cols p, q;              /* AT is not used */
	float *g;
	size_t gi, gj;                 /* strides of g along p's and q's columns */
	float alpha;
	struct words w;
	uint32_t steps, m0, mc;        /* columns m0 .. of p are turned */
	float *turned;                 /* [mc up to VW][steps] */
	char *local;
	size_t local_bytes;
};

/* Rows are far apart, which no prefetcher of the machine sees through: ask for WIDTH columns of a row well ahead. */
INLINE void fetch_ahead(const struct cols *x, uint32_t r, uint32_t t, uint32_t j, uint32_t width)
{
	size_t size = act_size(x->type);
	const char *p = (const char *)x->p + ((size_t)(r + AHEAD) * x->ld + j) * size;

	if (r + AHEAD < t)
		for (size_t i = 0; i < width * size; i += 64)
			__builtin_prefetch(p + i);
}

/* Columns J.. of steps S .. S + N - 1 as words [n][ld], WIDTH columns (a multiple of VW; of 0 beyond the matrix). */
static void zip_steps(const struct outer *c, const struct cols *x, uint32_t s, uint32_t n, uint32_t j, uint32_t width, float *dst, size_t ld)
{
	uint32_t unit = c->w.pairs ? 2 : 1, cols = x->width - j < width ? x->width - j : width;
	float rows[2][NR_MAX];
	struct cols part = { x->p, x->ld, j, x->type, cols };

	for (uint32_t i = 0; i < n; i++, dst += ld) {
		uint32_t r = (s + i) * unit;

		fetch_ahead(x, r, c->t, j, cols);
		if (unit == 2)
			fetch_ahead(x, r + 1, c->t, j, cols);
		if (c->w.pairs && cols == width && r + 1 < c->t) {
			const uint16_t *even = (const uint16_t *)x->p + r * x->ld + j;
			for (uint32_t e = 0; e < width; e += VW)
				zip(even + e, even + x->ld + e, dst + e);
			continue;
		}
		if (x->type == DT_F32 && cols == width) {
			memcpy(dst, (const float *)x->p + r * x->ld + j, width * sizeof *dst);
			continue;
		}
		row_words(&part, c->w, r, rows[0], width);
		if (!c->w.pairs) {
			memcpy(dst, rows[0], width * sizeof *dst);
			continue;
		}
		memset(rows[1], 0, sizeof rows[1]);
		if (r + 1 < c->t)
			row_words(&part, c->w, r + 1, rows[1], width);
		for (uint32_t e = 0; e < width; e += VW)
			zip((const uint16_t *)rows[0] + e, (const uint16_t *)rows[1] + e, dst + e);
	}
}

static void turn_task(void *ctx, uint32_t task, int thread)
{
	const struct outer *c = ctx;
	uint32_t groups = (c->mc + VW - 1) / VW, j = task % groups * VW, s0 = task / groups * OUTER_BLOCK;
	uint32_t past = s0 + OUTER_BLOCK < c->steps ? s0 + OUTER_BLOCK : c->steps;
	float z[VW * VW] __attribute__((aligned(64))), out[VW * VW] __attribute__((aligned(64)));

	(void)thread;
	for (uint32_t s = s0; s < past; s += VW) {
		uint32_t n = past - s < VW ? past - s : VW;

		zip_steps(c, &c->p, s, n, c->m0 + j, VW, z, VW);
		if (n == VW) {
			turn(z, VW, c->turned + (size_t)j * c->steps + s, c->steps);
			continue;
		}
		memset(z + n * VW, 0, (VW - n) * sizeof(vf));
		turn(z, VW, out, VW);
		for (uint32_t i = 0; i < VW; i++)
			memcpy(c->turned + (size_t)(j + i) * c->steps + s, out + i * VW, n * sizeof *out);
	}
}

static void add_sums(const struct outer *c, const float *sums, uint32_t i0, uint32_t m, uint32_t j0, uint32_t n)
{
	for (uint32_t i = 0; i < m; i++) {
		float *g = c->g + (c->m0 + i0 + i) * c->gi + j0 * c->gj;
		const float *s = sums + (size_t)i * NR_MAX;

		if (c->gj == 1)
			for (uint32_t j = 0; j < n; j += VW)
				vf_put(g + j, vf_fma(vf_ld(s + j), vf_set(c->alpha), vf_get(g + j, lanes(n - j))), lanes(n - j));
		else
			for (uint32_t j = 0; j < n; j++)
				g[j * c->gj] += c->alpha * s[j];
	}
}

static void outer_task(void *ctx, uint32_t task, int thread)
{
	const struct outer *c = ctx;
	uint32_t bands = (c->mc + OUTER_BAND - 1) / OUTER_BAND, i0 = task % bands * OUTER_BAND, j0 = task / bands * NR_MAX;
	uint32_t m = c->mc - i0 < OUTER_BAND ? c->mc - i0 : OUTER_BAND, n = c->n - j0 < NR_MAX ? c->n - j0 : NR_MAX;
	float *panel = (float *)(void *)(c->local + (size_t)thread * c->local_bytes), *sums = panel + OUTER_BLOCK * NR_MAX;

	for (uint32_t s = 0; s < c->steps; s += OUTER_BLOCK) {
		uint32_t steps = c->steps - s < OUTER_BLOCK ? c->steps - s : OUTER_BLOCK;

		zip_steps(c, &c->q, s, steps, j0, vectors(n) * VW, panel, NR_MAX);
		for (uint32_t i = 0; i < m; i += 6)
			tile_run(c->w.pairs, m - i < 6 ? m - i : 6, vectors(n), (const char *)(c->turned + (size_t)(i0 + i) * c->steps + s), c->steps * 4,
			         panel, NR_MAX, steps, sums + (size_t)i * NR_MAX, s > 0);
	}
	add_sums(c, sums, i0, m, j0, n);
}

static void outer(struct kern *k, uint32_t t, uint32_t m, uint32_t n, float alpha, enum dtype xt, const void *p, size_t ldp,
                  const void *q, size_t ldq, float *g, size_t ldg)
{
	struct outer c = { t, m, n, { p, ldp, 0, xt, m }, { q, ldq, 0, xt, n }, g, ldg, 1, alpha, { FAST_BF16 && xt == DT_BF16, false },
		0, 0, 0, NULL, NULL, (OUTER_BLOCK + OUTER_BAND) * NR_MAX * sizeof(float) };
	size_t locals = c.local_bytes * (size_t)pool_size(k->pool), most;

	if (t == 0 || m == 0 || n == 0)
		return;
	if (n < m && n < NR_MAX)
		c = (struct outer){ t, n, m, c.q, c.p, g, 1, ldg, alpha, c.w, 0, 0, 0, NULL, NULL, c.local_bytes };
	c.steps = steps_of(c.w, t);
	most = OUTER_WORDS / c.steps / OUTER_BAND * OUTER_BAND;
	most = most < OUTER_BAND ? OUTER_BAND : most < c.m ? most : c.m;
	c.local = kern_scratch(k, locals + (most + VW) * c.steps * sizeof(float));
	c.turned = (float *)(void *)(c.local + locals);
	for (; c.m0 < c.m; c.m0 += c.mc) {
		c.mc = c.m - c.m0 < most ? c.m - c.m0 : (uint32_t)most;
		pool_run(k->pool, turn_task, &c, (c.mc + VW - 1) / VW * ((c.steps + OUTER_BLOCK - 1) / OUTER_BLOCK));
		pool_run(k->pool, outer_task, &c, (c.mc + OUTER_BAND - 1) / OUTER_BAND * ((c.n + NR_MAX - 1) / NR_MAX));
	}
}

#endif
