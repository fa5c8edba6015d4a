/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ISA_PRODUCT_H
#define SFT_ISA_PRODUCT_H
/* Matrix products: y = alpha * a b + side product + bias.
 *
 * b is packed in panels, a chunk of it at a time that stays in the caches; then tasks of BAND rows times GROUP panels.  Sums are blocked
 * by sizes alone, so the bits do not depend on the threads. */
#include "isa_pack.h"
#include "isa_small.h"
#include "isa_tile.h"

enum {
	GROUP = 6,                     /* panels of a task */
	PACK_COLS = 256,               /* columns packed by a task: a multiple of every block and panel */
	PACK_STEPS = 256               /* steps packed by a task */
};

struct left {                          /* rows [t, k] of act type */
	const char *p;
	size_t ld;
	enum dtype type;
};

struct product {
	uint32_t t, n, k, r;           /* rows, outputs, contraction, contraction of the side product */
	struct left a, u;
	struct source b, ub;
	float alpha;
	const float *bias;
	void *y;
	size_t ldy;
	enum dtype yt;
	bool add;
};

/* One chunk of a product: outputs N0.. (NC), contraction K0.. (KC). */
struct chunk {
	const struct product *p;
	struct words w;
	uint32_t nv, nr, t0, t1, n0, nc, k0, kc, steps, rsteps, panels;
	bool last;                     /* of the contraction */
	float *panel, *side;           /* [panels][steps][nr], [panels][rsteps][nr] */
	char *local;                   /* of each thread: LOCAL_BYTES */
	size_t local_bytes;
	const float *prev;             /* f32 to add; NULL: none */
	size_t ldprev;
	void *out;
	size_t ldout;
	enum dtype ot;
};

/* --- packing --- */

/* Tasks that one range of columns is cut into. */
static uint32_t pack_parts(const struct source *s, uint32_t psteps)
{
	return s->by_cols ? (psteps + PACK_STEPS - 1) / PACK_STEPS : 1;
}

static uint32_t pack_tasks(const struct source *s, const struct chunk *c, uint32_t psteps)
{
	return s->by_cols ? (c->nc + PACK_COLS - 1) / PACK_COLS * pack_parts(s, psteps) : c->panels;
}

/* Part PART of the panels at TO of contraction K0 .. K0 + KC - 1. */
static void pack_part(const struct chunk *c, const struct source *s, uint32_t k0, uint32_t kc, uint32_t psteps, float *to, uint32_t part)
{
	uint32_t unit = c->w.pairs ? 2 : 1, nparts = pack_parts(s, psteps);
	uint32_t col = part / nparts * PACK_COLS, first = part % nparts * PACK_STEPS, k = first * unit;

	if (!s->by_cols)
		pack_rows(s, c->w, c->n0 + part * c->nr, c->nr, k0, kc, to + (size_t)part * psteps * c->nr);
	else
		pack_cols(s, c->w, c->n0 + col, c->nc - col < PACK_COLS ? c->nc - col : PACK_COLS, c->nr, k0 + k,
		          kc - k < PACK_STEPS * unit ? kc - k : PACK_STEPS * unit, psteps, to + ((size_t)(col / c->nr) * psteps + first) * c->nr);
}

static void pack_task(void *ctx, uint32_t task, int thread)
{
	const struct chunk *c = ctx;
	uint32_t main_tasks = pack_tasks(&c->p->b, c, c->steps);

	(void)thread;
	if (task < main_tasks)
		pack_part(c, &c->p->b, c->k0, c->kc, c->steps, c->panel, task);
	else
		pack_part(c, &c->p->ub, 0, c->p->r, c->rsteps, c->side, task - main_tasks);
}

/* --- rows of the left operand as words --- */

INLINE bool as_it_lies(const struct left *a, struct words w, uint32_t k)
{
	return w.pairs ? (k & 1) == 0 : a->type == DT_F32;
}

/* Rows I.. (M of them), values K0 .. K0 + KC - 1, where tiles can read them: in place, or copied to LOCAL. */
static const char *left_words(const struct left *a, struct words w, uint32_t i, uint32_t m, uint32_t k0, uint32_t kc, char *local, size_t *ld)
{
	size_t size = act_size(a->type), row = (size_t)steps_of(w, kc) * 4;

	if (as_it_lies(a, w, kc)) {
		*ld = a->ld * size;
		return a->p + (i * a->ld + k0) * size;
	}
	for (uint32_t r = 0; r < m; r++) {
		const char *src = a->p + ((i + r) * a->ld + k0) * size;
		char *dst = local + r * row;

		if (w.pairs) {
			memcpy(dst, src, kc * size);
			memset(dst + kc * size, 0, row - kc * size);
		} else {
			widen((const uint16_t *)(const void *)src, (float *)(void *)dst, kc);
		}
	}
	*ld = row;
	return local;
}

/* --- one tile to where it belongs --- */

INLINE vf finish(vf v, const float *bias, const float *prev, unsigned n)
{
	if (bias != NULL)
		v = v + (n == VW ? vf_ld(bias) : vf_ldn(bias, n));
	if (prev != NULL)
		v = v + (n == VW ? vf_ld(prev) : vf_ldn(prev, n));
	return v;
}

/* Ask for the places that a tile goes to, so that they are there when its sums are. */
INLINE void fetch_places(const struct chunk *c, uint32_t i, uint32_t m, uint32_t j, uint32_t n)
{
	size_t size = act_size(c->ot);

	for (uint32_t r = 0; r < m; r++)
		for (size_t b = 0; b < n * size; b += 64)
			__builtin_prefetch((const char *)c->out + ((i + r) * c->ldout + j) * size + b, 1);
}

/* The rows of the next tile, the first time that they are read. */
INLINE void fetch_rows(const char *a, size_t lda, uint32_t m, uint32_t steps)
{
	for (uint32_t r = 0; r < m; r++)
		for (size_t b = 0; b < steps * 4u; b += 64)
			__builtin_prefetch(a + r * lda + b);
}

static void put_tile(const struct chunk *c, const float *tile, uint32_t i, uint32_t m, uint32_t j, uint32_t n)
{
	for (uint32_t r = 0; r < m; r++) {
		size_t at = (i + r) * c->ldout + j;
		const float *bias = c->last && c->p->bias != NULL ? c->p->bias + j : NULL;
		const float *prev = c->prev != NULL ? c->prev + (i + r) * c->ldprev + j : NULL;
		uint32_t q = 0;

		for (; q + VW <= n; q += VW)
			vx_st(c->out, c->ot, at + q, finish(vf_ld(tile + r * c->nr + q), bias ? bias + q : NULL, prev ? prev + q : NULL, VW));
		if (q < n)
			vx_stn(c->out, c->ot, at + q, finish(vf_ld(tile + r * c->nr + q), bias ? bias + q : NULL, prev ? prev + q : NULL, n - q), n - q);
	}
}

static void scale_tile(float *tile, uint32_t n, float alpha)
{
	for (uint32_t i = 0; i < n; i += VW)
		vf_st(tile + i, vf_ld(tile + i) * vf_set(alpha));
}

static void band_task(void *ctx, uint32_t task, int thread)
{
	const struct chunk *c = ctx;
	const struct product *p = c->p;
	uint32_t bands = (c->t1 - c->t0 + BAND - 1) / BAND, first = task / bands * GROUP;   /* band after band: the panels stay cached */
	uint32_t past = first + GROUP < c->panels ? first + GROUP : c->panels;
	uint32_t i0 = c->t0 + task % bands * BAND, i1 = i0 + BAND < c->t1 ? i0 + BAND : c->t1;
	char *local = c->local + (size_t)thread * c->local_bytes;
	float tile[MR_MAX * NR_MAX] __attribute__((aligned(64)));
	size_t lda, ldu = 0;
	const char *a = left_words(&p->a, c->w, i0, i1 - i0, c->k0, c->kc, local, &lda), *u = NULL;
	bool side = c->last && p->r > 0;

	if (side)
		u = left_words(&p->u, c->w, i0, i1 - i0, 0, p->r, local + (size_t)BAND * c->steps * 4, &ldu);
	for (uint32_t g = first; g < past; g++) {
		uint32_t j = c->n0 + g * c->nr, n = p->n - j < c->nr ? p->n - j : c->nr;

		for (uint32_t i = i0, m; i < i1; i += m) {
			m = tile_take(i1 - i, c->nv);
			fetch_places(c, i, m, j, n);
			if (g == first)
				fetch_rows(a + (i + m - i0) * lda, lda, i1 - i - m < m ? i1 - i - m : m, c->steps);
			tile_run(c->w.pairs, m, c->nv, a + (i - i0) * lda, lda, c->panel + (size_t)g * c->steps * c->nr, c->nr, c->steps, tile, false);
			if (p->alpha != 1)
				scale_tile(tile, m * c->nr, p->alpha);
			if (side)
				tile_run(c->w.pairs, m, c->nv, u + (i - i0) * ldu, ldu, c->side + (size_t)g * c->rsteps * c->nr, c->nr, c->rsteps, tile, true);
			put_tile(c, tile, i, m, j, n);
		}
	}
}

/* --- chunks --- */

/* Where sums so far come from and go to: y itself, unless a bf16 y has to wait for more of the contraction. */
static void chunk_ends(struct chunk *c, float *sums, uint32_t lds)
{
	const struct product *p = c->p;
	bool first = c->k0 == 0, aside = sums != NULL;

	c->prev = NULL;
	if (!aside && (!first || p->add)) {
		c->prev = p->y;
		c->ldprev = p->ldy;
	} else if (!first) {
		c->prev = sums - (size_t)c->t0 * lds;
		c->ldprev = lds;
	}
	if (aside && !c->last) {
		c->out = sums - (size_t)c->t0 * lds;
		c->ldout = lds;
		c->ot = DT_F32;
	} else {
		c->out = p->y;
		c->ldout = p->ldy;
		c->ot = p->yt;
	}
}

static void run_chunk(struct kern *k, struct chunk *c)
{
	uint32_t side;

	c->panels = (c->nc + c->nr - 1) / c->nr;
	side = c->last && c->p->r > 0 ? pack_tasks(&c->p->ub, c, c->rsteps) : 0;
	pool_run(k->pool, pack_task, c, pack_tasks(&c->p->b, c, c->steps) + side);
	pool_run(k->pool, band_task, c, (c->panels + GROUP - 1) / GROUP * ((c->t1 - c->t0 + BAND - 1) / BAND));
}

static size_t up64(size_t n)
{
	return (n + 63) & ~(size_t)63;
}

static void product_run(struct kern *k, const struct product *p)
{
	struct words w = { FAST_BF16 && p->a.type == DT_BF16, p->a.type == DT_BF16 };
	struct chunk c = { .p = p, .w = w, .nv = p->n <= VW ? 1 : p->n <= 2 * VW || NV_MAX == 2 ? 2 : 4 };
	uint32_t all = steps_of(w, p->k), most = all < CHUNK_STEPS ? all : CHUNK_STEPS, unit = w.pairs ? 2 : 1;
	uint32_t cols = CHUNK_WORDS / (most > 0 ? most : 1) / PACK_COLS * PACK_COLS, nmax, tmax = p->t;
	bool aside = all > most && p->yt == DT_BF16;
	size_t panel_bytes, side_bytes, sums_bytes = 0;
	char *m;

	if (p->t == 0 || p->n == 0)
		return;
	c.nr = c.nv * VW;
	nmax = p->n < cols ? p->n : cols;
	c.rsteps = steps_of(w, p->r);
	if (aside) {
		tmax = SUMS_MAX / p->n > BAND ? SUMS_MAX / p->n : BAND;
		tmax = tmax < p->t ? tmax : p->t;
		sums_bytes = up64((size_t)tmax * p->n * sizeof(float));
	}
	panel_bytes = up64((size_t)(nmax + c.nr) * most * 4);
	side_bytes = up64((size_t)(nmax + c.nr) * c.rsteps * 4);
	c.local_bytes = up64((size_t)BAND * (most + c.rsteps) * 4);
	m = kern_scratch(k, sums_bytes + panel_bytes + side_bytes + c.local_bytes * (size_t)pool_size(k->pool));
	c.panel = (float *)(void *)(m + sums_bytes);
	c.side = (float *)(void *)(m + sums_bytes + panel_bytes);
	c.local = m + sums_bytes + panel_bytes + side_bytes;
	for (c.t0 = 0; c.t0 < p->t; c.t0 = c.t1) {
		c.t1 = p->t - c.t0 < tmax ? p->t : c.t0 + tmax;
		for (c.n0 = 0; c.n0 < p->n; c.n0 += c.nc) {
			uint32_t s = 0;

			c.nc = p->n - c.n0 < nmax ? p->n - c.n0 : nmax;
			do {
				c.steps = all - s < most ? all - s : most;
				c.k0 = s * unit;
				c.last = s + c.steps == all;
				c.kc = c.last ? p->k - c.k0 : c.steps * unit;
				chunk_ends(&c, aside ? (float *)(void *)m : NULL, p->n);
				run_chunk(k, &c);
				s += c.steps;
			} while (s < all);
		}
	}
}

/* --- linear layers --- */

static void linear(struct kern *k, const struct kern_linear *a)
{
	struct kmat side = kmat_f32(a->b, a->w.rows, a->r);

	if (a->t <= SMALL_T) {
		linear_small(k, a);
		return;
	}
	product_run(k, &(struct product){ .t = a->t, .n = a->w.rows, .k = a->w.cols, .r = a->r,
		.a = { a->x, a->ldx, a->xt }, .u = { a->u, a->ldu, a->xt }, .b = source_of(&a->w, false, 1), .ub = source_of(&side, false, a->scale),
		.alpha = 1, .bias = a->bias, .y = a->y, .ldy = a->ldy, .yt = a->yt, .add = a->add });
}

static void linear_dx(struct kern *k, const struct kern_linear_dx *a)
{
	struct kmat side = kmat_f32(a->a, a->r, a->w.cols);

	product_run(k, &(struct product){ .t = a->t, .n = a->w.cols, .k = a->w.rows, .r = a->r,
		.a = { a->dy, a->lddy, a->xt }, .u = { a->du, a->lddu, a->xt }, .b = source_of(&a->w, true, 1), .ub = source_of(&side, true, 1),
		.alpha = a->alpha, .y = a->dx, .ldy = a->lddx, .yt = a->yt, .add = a->add });
}

#endif
