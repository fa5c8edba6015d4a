/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ISA_ATTN_ONE_H
#define SFT_ISA_ATTN_ONE_H
/* Attention forward where every segment has one query (decoding): keys and values are read once where they lie, in f32, by all heads that share
 * them; packing them for tiles would cost more than the products.  A task is one segment and one key/value head. */
#include "isa_attn.h"

enum {
	ONE_HEADS = 4,                 /* query heads taken together */
	ONE_KEYS = 512                 /* keys whose scores are held */
};

struct one {
	const struct kern_attn *a;
	const struct kern_seg *seg;
	uint32_t kh, heads;            /* key/value head; query heads H0 .. H0 + HEADS - 1 */
	size_t h0;
	float *q;                      /* [heads][qp] queries, times the scale */
	float *o;                      /* [heads][op] */
	uint32_t qp, op;               /* dk, dv up to a vector */
	float m[ONE_HEADS], l[ONE_HEADS];
	float p[ONE_HEADS][ONE_KEYS];  /* scores, then weights */
};

/* Keys of a head lie far apart: those that come after the next ones are asked for (past the end of the matrix that does nothing). */
INLINE void one_fetch(const void *p, size_t at, size_t ld, uint32_t width, size_t size)
{
	uintptr_t ahead = (uintptr_t)p + (at + 16 * ld) * size;

	for (size_t b = 0; b < width * size; b += 64)
		__builtin_prefetch((const void *)(ahead + b));
}

/* Scores of keys B .. B + 3 (the last again where there are fewer than four: N). */
INLINE void one_scores(struct one *c, uint32_t b, uint32_t j, uint32_t n, const unsigned heads)
{
	const struct kern_attn *a = c->a;
	vf s[ONE_HEADS][4];
	size_t at[4];

#pragma GCC unroll 4
	for (unsigned r = 0; r < 4; r++) {
		at[r] = key_row(c->seg, b + j + (r < n ? r : n - 1)) * a->ldk + (size_t)c->kh * a->dk;
		one_fetch(a->k, at[r], a->ldk, a->dk, act_size(a->xt));
#pragma GCC unroll 4
		for (unsigned h = 0; h < heads; h++)
			s[h][r] = vf_zero();
	}
	for (uint32_t d = 0; d < a->dk; d += VW)
#pragma GCC unroll 4
		for (unsigned r = 0; r < 4; r++) {
			vf key = vx_get(a->k, a->xt, at[r] + d, lanes(a->dk - d));

#pragma GCC unroll 4
			for (unsigned h = 0; h < heads; h++)
				s[h][r] = vf_fma(key, vf_ld(c->q + h * c->qp + d), s[h][r]);
		}
#pragma GCC unroll 4
	for (unsigned h = 0; h < heads; h++)
		vf_stn(c->p[h] + j, vf_hsum4(s[h][0], s[h][1], s[h][2], s[h][3]), n);
}

/* N scores of head H to weights; what was summed before is scaled to the new largest one. */
static void one_softmax(struct one *c, unsigned h, uint32_t n)
{
	float *p = c->p[h], top = row_max(p, n), fix;
	vf sum = vf_zero();

	top = top > c->m[h] || top != top ? top : c->m[h];
	fix = c->m[h] == -INFINITY ? 0 : expf(c->m[h] - top);
	for (uint32_t j = 0; j < n; j += VW) {
		unsigned m = lanes(n - j);
		vf e = vf_exp(vf_get(p + j, m) - vf_set(top));

		vf_put(p + j, e, m);
		sum = sum + vf_get(p + j, m);
	}
	c->l[h] = c->l[h] * fix + vf_hsum(sum);
	c->m[h] = top;
	for (uint32_t d = 0; d < c->op; d += VW)
		vf_st(c->o + h * c->op + d, vf_ld(c->o + h * c->op + d) * vf_set(fix));
}

/* o += p v over N keys from B, values D .. D + 4 VW - 1. */
INLINE void one_values(struct one *c, uint32_t b, uint32_t n, uint32_t d, const unsigned heads)
{
	const struct kern_attn *a = c->a;
	uint32_t nv = (a->dv - d + VW - 1) / VW < 4 ? (a->dv - d + VW - 1) / VW : 4;
	vf s[ONE_HEADS][4];

#pragma GCC unroll 4
	for (unsigned h = 0; h < heads; h++)
#pragma GCC unroll 4
		for (unsigned v = 0; v < 4; v++)
			s[h][v] = v < nv ? vf_ld(c->o + h * c->op + d + v * VW) : vf_zero();
	for (uint32_t j = 0; j < n; j++) {
		size_t at = key_row(c->seg, b + j) * a->ldv + (size_t)c->kh * a->dv + d;

		one_fetch(a->v, at, a->ldv, a->dv - d < 4 * VW ? a->dv - d : 4 * VW, act_size(a->xt));
#pragma GCC unroll 4
		for (unsigned v = 0; v < 4; v++) {
			if (v >= nv)
				break;
			vf x = vx_get(a->v, a->xt, at + v * VW, lanes(a->dv - d - v * VW));

#pragma GCC unroll 4
			for (unsigned h = 0; h < heads; h++)
				s[h][v] = vf_fma(x, vf_set(c->p[h][j]), s[h][v]);
		}
	}
#pragma GCC unroll 4
	for (unsigned h = 0; h < heads; h++)
		for (uint32_t v = 0; v < nv; v++)
			vf_st(c->o + h * c->op + d + v * VW, s[h][v]);
}

INLINE void one_block(struct one *c, uint32_t b, uint32_t n, const unsigned heads)
{
	for (uint32_t j = 0; j < n; j += 4)
		one_scores(c, b, j, n - j < 4 ? n - j : 4, heads);
	for (unsigned h = 0; h < heads; h++)
		one_softmax(c, h, n);
	for (uint32_t d = 0; d < c->a->dv; d += 4 * VW)
		one_values(c, b, n, d, heads);
}

static void one_start(struct one *c)
{
	const struct kern_attn *a = c->a;

	memset(c->o, 0, (size_t)c->heads * c->op * sizeof *c->o);
	for (uint32_t h = 0; h < c->heads; h++) {
		c->m[h] = -INFINITY;
		c->l[h] = 0;
		for (uint32_t d = 0; d < a->dk; d += VW)
			vf_st(c->q + h * c->qp + d, vx_get(a->q, a->xt, c->seg->q0 * a->ldq + (c->h0 + h) * a->dk + d, lanes(a->dk - d)) * vf_set(a->scale));
	}
}

static void one_put(const struct one *c)
{
	const struct kern_attn *a = c->a;

	for (uint32_t h = 0; h < c->heads; h++) {
		for (uint32_t d = 0; d < a->dv; d += VW)
			vx_put(a->o, a->xt, c->seg->q0 * a->ldo + (c->h0 + h) * a->dv + d, vf_ld(c->o + h * c->op + d) * vf_set(1 / c->l[h]), lanes(a->dv - d));
		if (a->lse != NULL)
			a->lse[(size_t)c->seg->q0 * a->heads + c->h0 + h] = c->m[h] + logf(c->l[h]);
	}
}

static void one_task(void *ctx, uint32_t task, int thread)
{
	const struct attn *s = ctx;
	struct one c = { .a = s->a, .kh = task % s->a->kv_heads, .seg = &s->a->seg[task / s->a->kv_heads], .qp = up(s->a->dk, VW), .op = up(s->a->dv, VW) };
	uint32_t past, first;

	if (c.seg->nq == 0)
		return;
	past = last_key(c.seg, 0);
	first = first_key(c.a, c.seg, 0);
	c.q = (float *)(void *)(s->local + (size_t)thread * s->local_bytes);
	c.o = c.q + (size_t)ONE_HEADS * c.qp;
	for (uint32_t g = 0; g < s->group; g += ONE_HEADS) {
		c.h0 = (size_t)c.kh * s->group + g;
		c.heads = s->group - g < ONE_HEADS ? s->group - g : ONE_HEADS;
		one_start(&c);
		for (uint32_t b = first, n; b < past; b += n) {
			n = past - b < ONE_KEYS ? past - b : ONE_KEYS;
			switch (c.heads) {
			case 1: one_block(&c, b, n, 1); break;
			case 2: one_block(&c, b, n, 2); break;
			case 3: one_block(&c, b, n, 3); break;
			default: one_block(&c, b, n, 4);
			}
		}
		one_put(&c);
	}
}

static void attn_forward(struct kern *k, const struct kern_attn *a)
{
	struct attn c = { .a = a, .group = a->heads / a->kv_heads };

	if (most_queries(a) > 1) {
		attn(k, a);
		return;
	}
	c.local_bytes = (size_t)ONE_HEADS * (up(a->dk, VW) + up(a->dv, VW)) * sizeof(float);
	c.local = kern_scratch(k, c.local_bytes * (size_t)pool_size(k->pool));
	pool_run(k->pool, one_task, &c, a->nseg * a->kv_heads);
}

#endif
