/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ISA_ATTN_H
#define SFT_ISA_ATTN_H
/* Attention forward: blocks of keys, softmax carried along, all products by isa_tile.h.
 *
 * A task is one segment, one key/value head and QT queries; its rows are (query, head of the group), so that heads which share keys share
 * tiles.  The keys are walked in blocks of KB, each packed once per task. */
#include "isa_rows.h"
#include "isa_tile.h"

enum {
	QT = 192,                      /* queries of a task */
	KB = 512                       /* keys of a block: a multiple of NR_MAX */
};

/* Columns AT.. (WIDTH of them) of the rows of an act type matrix. */
struct cols {
	const void *p;
	size_t ld, at;
	enum dtype type;
	uint32_t width;
};

INLINE uint32_t up(uint32_t n, uint32_t m)
{
	return (n + m - 1) / m * m;
}

/* Row R as words, filled up with 0 to LD words.  Rows are asked for in order and lie far apart: the ones ahead are fetched (past the end of
 * the matrix that does nothing). */
static void row_words(const struct cols *c, struct words w, size_t r, float *dst, size_t ld)
{
	size_t at = r * c->ld + c->at, size = act_size(c->type);
	uintptr_t ahead = (uintptr_t)c->p + (at + 4 * c->ld) * size;

	for (size_t b = 0; b < c->width * size; b += 64)
		__builtin_prefetch((const void *)(ahead + b));
	memset(dst, 0, ld * sizeof *dst);
	if (w.pairs)
		memcpy(dst, (const uint16_t *)c->p + at, c->width * sizeof(uint16_t));
	else if (c->type == DT_BF16)
		widen((const uint16_t *)c->p + at, dst, c->width);
	else
		memcpy(dst, (const float *)c->p + at, c->width * sizeof *dst);
}

INLINE size_t key_row(const struct kern_seg *s, uint32_t j)
{
	return j < s->np ? s->p0 + j : s->k0 + (j - s->np);
}

/* Keys J.. (N of them) of segment S as rows of LD words; rows of 0 up to a multiple of VW. */
static void key_words(const struct cols *c, struct words w, const struct kern_seg *s, uint32_t j, uint32_t n, float *dst, size_t ld)
{
	for (uint32_t i = 0; i < n; i++)
		row_words(c, w, key_row(s, j + i), dst + i * ld, ld);
	memset(dst + n * ld, 0, (up(n, VW) - n) * ld * sizeof *dst);
}

/* N rows (a multiple of VW) as outputs: panels [n / NR][steps][NR]. */
static void rows_to_panels(const float *rows, size_t ld, uint32_t n, uint32_t steps, float *panels)
{
	for (uint32_t j = 0; j < n; j += VW)
		turn_rows(rows + j * ld, ld, steps, panels + (size_t)(j / NR_MAX) * steps * NR_MAX + j % NR_MAX, NR_MAX);
}

/* N rows (even; of 0 beyond the last) as the contraction, WIDTH columns as outputs: panels PSTEPS steps apart. */
static void rows_to_zipped(const float *rows, size_t ld, uint32_t n, uint32_t width, struct words w, uint32_t psteps, float *panels)
{
	for (uint32_t s = 0; s < steps_of(w, n); s++)
		for (uint32_t c = 0; c < width; c += VW) {
			float *dst = panels + ((size_t)(c / NR_MAX) * psteps + s) * NR_MAX + c % NR_MAX;

			if (w.pairs)
				zip((const uint16_t *)(rows + 2 * s * ld) + c, (const uint16_t *)(rows + (2 * s + 1) * ld) + c, dst);
			else
				memcpy(dst, rows + s * ld + c, sizeof(vf));
		}
}

INLINE unsigned vectors(uint32_t cols)
{
	return cols >= NR_MAX ? NV_MAX : (cols + VW - 1) / VW;
}

/* --- one task --- */

struct attn {
	const struct kern_attn *a;
	struct words w;
	uint32_t group, nblocks;       /* query heads of a key/value head; query blocks of the longest segment */
	uint32_t ksteps, kld, vld;     /* words of a key row, and their strides in copies of keys and values */
	char *local;
	size_t local_bytes;
};

/* What a task works with; all of it is its thread's. */
struct work {
	float *q;                      /* [QT * group][ksteps] */
	float *rows;                   /* [KB][max(kld, vld)] */
	float *kp;                     /* [KB / NR][ksteps][NR] */
	float *vp;                     /* [dv / NR][steps of KB][NR] */
	float *s;                      /* [KB / NR][6][NR] */
	float *p;                      /* [6][KB] */
	float *o;                      /* [QT * group][dv up to NR] */
	float *m, *l;                  /* [QT * group] */
	uint32_t dvp;
	const struct kern_seg *seg;
	uint32_t q0, nq;               /* queries of the task, in the segment */
	uint32_t kh;
};

/* First and past key that query I of the segment sees. */
INLINE uint32_t last_key(const struct kern_seg *s, uint32_t i)
{
	return s->np + s->nk - s->nq + i + 1;
}
INLINE uint32_t first_key(const struct kern_attn *a, const struct kern_seg *s, uint32_t i)
{
	uint32_t last = last_key(s, i);

	return a->window > 0 && last > a->window ? last - a->window : 0;
}

static size_t work_carve(const struct attn *c, char *m, struct work *k)
{
	const struct kern_attn *a = c->a;
	uint32_t rows = QT * c->group, ld = c->kld > c->vld ? c->kld : c->vld, dvp = up(a->dv, NR_MAX);
	size_t n[9] = { (size_t)rows * c->ksteps, (size_t)KB * ld, (size_t)KB * c->ksteps, (size_t)KB * dvp, 6 * KB, 6 * KB,
		(size_t)rows * dvp, rows, rows }, at = 0;
	float **to[9] = { &k->q, &k->rows, &k->kp, &k->vp, &k->s, &k->p, &k->o, &k->m, &k->l };

	for (int i = 0; i < 9; i++) {
		*to[i] = (float *)(void *)(m + at);
		at += (n[i] * sizeof(float) + 63) & ~(size_t)63;
	}
	k->dvp = dvp;
	return at;
}

/* Keys B.. (N) and their values, packed. */
static void pack_keys(const struct attn *c, struct work *k, uint32_t b, uint32_t n)
{
	const struct kern_attn *a = c->a;
	struct cols kc = { a->k, a->ldk, (size_t)k->kh * a->dk, a->xt, a->dk }, vc = { a->v, a->ldv, (size_t)k->kh * a->dv, a->xt, a->dv };

	key_words(&kc, c->w, k->seg, b, n, k->rows, c->kld);
	rows_to_panels(k->rows, c->kld, up(n, VW), c->ksteps, k->kp);
	key_words(&vc, c->w, k->seg, b, n, k->rows, c->vld);
	rows_to_zipped(k->rows, c->vld, up(n, VW), k->dvp, c->w, steps_of(c->w, KB), k->vp);
}

/* Scores of M rows with keys LO .. HI - 1 of the block (LO a multiple of NR). */
static void tile_scores(const struct attn *c, struct work *k, uint32_t r, uint32_t m, uint32_t lo, uint32_t hi)
{
	for (uint32_t j = lo; j < hi; j += NR_MAX)
		tile_run(c->w.pairs, m, vectors(hi - j), (const char *)(k->q + (size_t)r * c->ksteps), c->ksteps * 4,
		         k->kp + (size_t)j * c->ksteps, NR_MAX, c->ksteps, k->s + (size_t)j * 6, false);
}

INLINE float *score_at(struct work *k, uint32_t r, uint32_t j)
{
	return k->s + (size_t)(j / NR_MAX) * 6 * NR_MAX + r * NR_MAX + j % NR_MAX;
}

/* Row R of the tile: weights into k->p for keys LO .. HI - 1 (multiples of VW), of which FIRST .. PAST - 1 are seen.
 * Returns the factor that what was summed before is to be scaled by. */
static float tile_softmax(const struct attn *c, struct work *k, uint32_t row, uint32_t r, uint32_t lo, uint32_t hi, uint32_t first, uint32_t past)
{
	vf most = vf_set(-INFINITY), sum = vf_zero(), scaled = vf_set(c->a->scale), minus;
	float old = k->m[row], top, fix;
	enum dtype pt = c->w.pairs ? DT_BF16 : DT_F32;
	float *p = k->p + (size_t)r * KB;

	for (uint32_t j = lo; j < first; j++)
		*score_at(k, r, j) = -INFINITY;
	for (uint32_t j = past; j < hi; j++)
		*score_at(k, r, j) = -INFINITY;
	for (uint32_t j = lo; j < hi; j += VW)
		most = vf_max(most, vf_ld(score_at(k, r, j)) * scaled);
	top = vf_hmax(most);
	top = top > old || top != top ? top : old;
	if (top == -INFINITY) {        /* sees none of these keys, nor any before */
		memset(p, 0, KB * sizeof *p);
		return 1;
	}
	minus = vf_set(-top);
	for (uint32_t j = lo; j < hi; j += VW) {
		vf e = vf_exp(vf_fma(vf_ld(score_at(k, r, j)), scaled, minus));
		sum = sum + e;
		vx_st(p, pt, j, e);
	}
	fix = old == -INFINITY ? 0 : expf(old - top);
	k->m[row] = top;
	k->l[row] = k->l[row] * fix + vf_hsum(sum);
	return fix;
}

/* o = o * fix + p v for M rows from R. */
static void tile_values(const struct attn *c, struct work *k, uint32_t r, uint32_t m, uint32_t lo, uint32_t hi, const float *fix)
{
	uint32_t unit = c->w.pairs ? 2 : 1;
	float tile[6 * NR_MAX] __attribute__((aligned(64)));

	for (uint32_t d = 0; d < c->a->dv; d += NR_MAX) {
		unsigned nv = vectors(c->a->dv - d);

		tile_run(c->w.pairs, m, nv, (const char *)k->p + (size_t)lo / unit * 4, KB * 4,
		         k->vp + (size_t)d * steps_of(c->w, KB) + (size_t)lo / unit * NR_MAX, NR_MAX, (hi - lo) / unit, tile, false);
		for (uint32_t i = 0; i < m; i++)
			for (uint32_t j = 0; j < nv * VW; j += VW) {
				float *o = k->o + (size_t)(r + i) * k->dvp + d + j;
				vf_st(o, vf_fma(vf_ld(o), vf_set(fix[i]), vf_ld(tile + i * NR_MAX + j)));
			}
	}
}

/* Rows R .. R + M - 1 with the block of keys B .. B + N - 1. */
static void tile_block(const struct attn *c, struct work *k, uint32_t r, uint32_t m, uint32_t b, uint32_t n)
{
	const struct kern_seg *s = k->seg;
	uint32_t first = first_key(c->a, s, k->q0 + r / c->group), past = last_key(s, k->q0 + (r + m - 1) / c->group), lo, hi;
	float fix[6];

	if (past <= b || first >= b + n)
		return;
	lo = first > b ? (first - b) / NR_MAX * NR_MAX : 0;
	hi = up((past < b + n ? past : b + n) - b, VW);
	tile_scores(c, k, r, m, lo, hi);
	for (uint32_t i = 0; i < m; i++) {
		uint32_t q = k->q0 + (r + i) / c->group, f = first_key(c->a, s, q), l = last_key(s, q);

		f = f < b ? 0 : f - b;
		l = l < b ? 0 : l - b < n ? l - b : n;
		fix[i] = tile_softmax(c, k, r + i, i, lo, hi, f < hi ? (f > lo ? f : lo) : hi, l > lo ? l : lo);
	}
	tile_values(c, k, r, m, lo, hi, fix);
}

static void put_rows(const struct attn *c, struct work *k)
{
	const struct kern_attn *a = c->a;

	for (uint32_t r = 0; r < k->nq * c->group; r++) {
		size_t row = k->seg->q0 + k->q0 + r / c->group, h = (size_t)k->kh * c->group + r % c->group;

		for (uint32_t j = 0; j < a->dv; j += VW)
			vx_put(a->o, a->xt, row * a->ldo + h * a->dv + j, vf_ld(k->o + (size_t)r * k->dvp + j) * vf_set(1 / k->l[r]), lanes(a->dv - j));
		if (a->lse != NULL)
			a->lse[row * a->heads + h] = k->m[r] + logf(k->l[r]);
	}
}

static void start_rows(const struct attn *c, struct work *k)
{
	const struct kern_attn *a = c->a;

	for (uint32_t r = 0; r < k->nq * c->group; r++) {
		size_t h = (size_t)k->kh * c->group + r % c->group;
		struct cols qc = { a->q, a->ldq, h * a->dk, a->xt, a->dk };

		row_words(&qc, c->w, k->seg->q0 + k->q0 + r / c->group, k->q + (size_t)r * c->ksteps, c->ksteps);
		k->m[r] = -INFINITY;
		k->l[r] = 0;
	}
	memset(k->o, 0, (size_t)k->nq * c->group * k->dvp * sizeof *k->o);
}

static void attn_task(void *ctx, uint32_t task, int thread)
{
	const struct attn *c = ctx;
	struct work k;
	uint32_t first, past, rows;

	work_carve(c, c->local + (size_t)thread * c->local_bytes, &k);
	k.kh = task % c->a->kv_heads;
	task /= c->a->kv_heads;
	k.seg = &c->a->seg[task % c->a->nseg];
	k.q0 = (c->nblocks - 1 - task / c->a->nseg) * QT;        /* the longest first */
	if (k.q0 >= k.seg->nq)
		return;
	k.nq = k.seg->nq - k.q0 < QT ? k.seg->nq - k.q0 : QT;
	start_rows(c, &k);
	rows = k.nq * c->group;
	first = first_key(c->a, k.seg, k.q0);
	past = last_key(k.seg, k.q0 + k.nq - 1);
	for (uint32_t b = first / KB * KB; b < past; b += KB) {
		uint32_t n = past - b < KB ? past - b : KB;

		pack_keys(c, &k, b, n);
		for (uint32_t r = 0; r < rows; r += 6)
			tile_block(c, &k, r, rows - r < 6 ? rows - r : 6, b, n);
	}
	put_rows(c, &k);
}

static uint32_t most_queries(const struct kern_attn *a)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < a->nseg; i++)
		n = a->seg[i].nq > n ? a->seg[i].nq : n;
	return n;
}

static void attn(struct kern *k, const struct kern_attn *a)
{
	struct words w = { FAST_BF16 && a->xt == DT_BF16, false };
	struct attn c = { .a = a, .w = w, .group = a->heads / a->kv_heads, .nblocks = (most_queries(a) + QT - 1) / QT };
	struct work unused;

	c.ksteps = steps_of(w, a->dk);
	c.kld = c.ksteps;
	c.vld = up(a->dv, NR_MAX) / (w.pairs ? 2 : 1);
	c.local_bytes = work_carve(&c, NULL, &unused);
	c.local = kern_scratch(k, c.local_bytes * (size_t)pool_size(k->pool));
	pool_run(k->pool, attn_task, &c, c.nblocks * a->nseg * a->kv_heads);
}

#endif
