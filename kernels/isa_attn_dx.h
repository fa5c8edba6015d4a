/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ISA_ATTN_DX_H
#define SFT_ISA_ATTN_DX_H
/* Attention backward.  With P = exp(scale q.k - lse), D = sum(dout * o), dS = scale P (dout.v - D):
 *     dv += P^T dout    dk += dS^T q    dq = dS k
 * A task is one query head and one run of queries of one segment (a job).  It works on transposed tiles, keys down and queries across:
 * what is of a query is then a vector, and rows of P^T and dS^T feed the products for dv and dk as they are.  dk and dv of each task are
 * summed apart (f32) and added up afterwards, always in the order of segments and heads: the bits do not depend on the threads.  Where that takes more
 * than PARTS_MAX, jobs are done in rounds, and each adds its parts to what those before have left: memory grows with the keys, not their square. */
#include "isa_attn.h"
#include "mem.h"

enum {
	QB = 128,                      /* queries of a block: a multiple of NR_MAX */
	KT = 96,                       /* keys of a block: a multiple of 6 and of every VW */
	REDUCE_ROWS = 32
};

struct job {
	const struct kern_seg *seg;
	uint32_t q0, nq, keys;         /* queries of the segment; keys they see: 0 .. keys - 1 */
	size_t at;                     /* keys of the jobs before */
};

struct attn_dx {
	const struct kern_attn *a;
	const void *dout;
	size_t lddo;
	void *dq, *dk, *dv;
	struct words w;
	uint32_t group, njobs, h0, nh; /* query heads h0 .. h0 + nh - 1 are worked on */
	uint32_t ksteps, vsteps, kld, vld, dkp, dvp, rows;
	struct job *jobs;
	size_t keys;                   /* of all jobs */
	uint32_t j0, j1;               /* jobs of this round: j0 .. j1 - 1 */
	float *parts;                  /* of each of them and head: [dkp / NR][keys][NR], then the same of dv */
	float *sums;                   /* [rows][dkp + dvp] of the one key/value head, where there are several rounds; else NULL */
	char *local;
	size_t local_bytes;
};

/* One thread's memory. */
struct dx_work {
	float *rows;                   /* [QB][max(kld, vld)] */
	float *qp, *dp;                /* q and dout as outputs: [QB / NR][steps][NR] */
	float *qz, *dz;                /* q and dout as the contraction: [width / NR][steps of QB][NR] */
	float *lse, *d;                /* [QB] */
	float *k, *v;                  /* [KT][steps] */
	float *kt;                     /* k transposed: [dk][steps of KT] */
	float *p, *s;                  /* P^T and dS^T of a tile: [6][QB] */
	float *sz;                     /* dS^T as the contraction: [QB / NR][steps of KT][NR] */
	float *dq;                     /* dq transposed: [QB / NR][dk][NR] */
	float *out;                    /* [VW][dkp] */
	const struct job *j;
	uint32_t h, kh, q0, nq;        /* the block's queries, in the segment */
	float *gk, *gv;                /* the task's part of dk and dv */
};

static size_t dx_carve(const struct attn_dx *c, char *m, struct dx_work *k)
{
	size_t ld = c->kld > c->vld ? c->kld : c->vld, st = steps_of(c->w, KT), sq = steps_of(c->w, QB), at = 0;
	size_t n[15] = { QB * ld, (size_t)QB * c->ksteps, (size_t)QB * c->vsteps, sq * c->dkp, sq * c->dvp, QB, QB, KT * (size_t)c->ksteps,
		KT * (size_t)c->vsteps, up(c->a->dk, VW) * st, 6 * QB, 6 * QB, QB * st, QB * (size_t)up(c->a->dk, VW), VW * (size_t)c->dkp };
	float **to[15] = { &k->rows, &k->qp, &k->dp, &k->qz, &k->dz, &k->lse, &k->d, &k->k, &k->v, &k->kt, &k->p, &k->s, &k->sz, &k->dq, &k->out };

	for (int i = 0; i < 15; i++) {
		*to[i] = (float *)(void *)(m + at);
		at += (n[i] * sizeof(float) + 63) & ~(size_t)63;
	}
	return at;
}

/* --- a block of queries --- */

/* One of q and dout, both ways packed. */
static void pack_queries(const struct attn_dx *c, struct dx_work *k, const struct cols *m, size_t ld, uint32_t steps, uint32_t wide,
                         float *panels, float *zipped)
{
	for (uint32_t i = 0; i < QB; i++)
		if (i < k->nq)
			row_words(m, c->w, k->j->seg->q0 + k->q0 + i, k->rows + i * ld, ld);
		else
			memset(k->rows + i * ld, 0, ld * sizeof *k->rows);
	rows_to_panels(k->rows, ld, QB, steps, panels);
	rows_to_zipped(k->rows, ld, QB, wide, c->w, steps_of(c->w, QB), zipped);
}

static void start_queries(const struct attn_dx *c, struct dx_work *k)
{
	const struct kern_attn *a = c->a;
	struct cols q = { a->q, a->ldq, (size_t)k->h * a->dk, a->xt, a->dk }, d = { c->dout, c->lddo, (size_t)k->h * a->dv, a->xt, a->dv };

	pack_queries(c, k, &q, c->kld, c->ksteps, c->dkp, k->qp, k->qz);
	pack_queries(c, k, &d, c->vld, c->vsteps, c->dvp, k->dp, k->dz);
	for (uint32_t i = 0; i < QB; i++) {
		size_t row = k->j->seg->q0 + k->q0 + i;
		vf s = vf_zero();

		for (uint32_t e = 0; i < k->nq && e < a->dv; e += VW) {
			unsigned m = lanes(a->dv - e);
			s = vf_fma(vx_get(c->dout, a->xt, row * c->lddo + d.at + e, m), vx_get(a->o, a->xt, row * a->ldo + d.at + e, m), s);
		}
		k->lse[i] = i < k->nq ? a->lse[row * a->heads + k->h] : 0;
		k->d[i] = vf_hsum(s);
	}
	memset(k->dq, 0, (size_t)QB * up(a->dk, VW) * sizeof *k->dq);
}

/* dq of the block, turned back. */
static void put_queries(const struct attn_dx *c, struct dx_work *k)
{
	const struct kern_attn *a = c->a;
	uint32_t dkv = up(a->dk, VW);

	for (uint32_t i = 0; i < k->nq; i += VW) {
		const float *src = k->dq + (size_t)(i / NR_MAX) * dkv * NR_MAX + i % NR_MAX;

		for (uint32_t e = 0; e < dkv; e += VW)
			turn(src + (size_t)e * NR_MAX, NR_MAX, k->out + e, c->dkp);
		for (uint32_t r = 0; r < VW && i + r < k->nq; r++)
			for (uint32_t e = 0; e < a->dk; e += VW)
				vx_put(c->dq, a->xt, (k->j->seg->q0 + k->q0 + i + r) * a->ldq + (size_t)k->h * a->dk + e,
				       vf_ld(k->out + (size_t)r * c->dkp + e), lanes(a->dk - e));
	}
}

/* --- a tile: M keys from J (numbered in the segment) and all queries of the block --- */

/* Queries LO .. HI - 1 of the block see key J. */
static void seen_by(const struct attn_dx *c, const struct dx_work *k, uint32_t j, uint32_t *lo, uint32_t *hi)
{
	uint32_t base = last_key(k->j->seg, k->q0);     /* query 0 sees keys below this */

	*lo = j < base ? 0 : j - base + 1;
	*hi = k->nq;
	if (c->a->window > 0) {
		uint32_t past = j + c->a->window < base ? 0 : j + c->a->window - base + 1;   /* query i sees j if last_key - window <= j */
		*hi = past < *hi ? past : *hi;
	}
	*lo = *lo < *hi ? *lo : *hi;
}

/* V with lanes outside LO .. HI - 1 set to 0. */
INLINE vf keep(vf v, int64_t lo, int64_t hi)
{
	if (lo <= 0 && hi >= VW)
		return v;
#if defined(__AVX512F__)
	lo = lo < 0 ? 0 : lo > VW ? VW : lo;
	hi = hi < lo ? lo : hi > VW ? VW : hi;
	return _mm512_maskz_mov_ps(LANES(hi) & (__mmask16)~LANES(lo), v);
#else
	for (int i = 0; i < VW; i++)
		if (i < lo || i >= hi)
			v[i] = 0;
	return v;
#endif
}

/* From scores S and products DP [6][NR] of query panel PANEL, vectors from V0: rows of P^T and dS^T. */
static void tile_grads(const struct attn_dx *c, struct dx_work *k, uint32_t j, uint32_t m, uint32_t panel, uint32_t v0, const float *s, const float *dp)
{
	enum dtype t = c->w.pairs ? DT_BF16 : DT_F32;
	vf scaled = vf_set(c->a->scale);

	for (uint32_t r = 0; r < m; r++) {
		uint32_t lo, hi;

		seen_by(c, k, j + r, &lo, &hi);
		for (uint32_t q = v0; q < NR_MAX; q += VW) {
			uint32_t i = panel * NR_MAX + q;
			vf p = vf_exp(vf_fma(vf_ld(s + r * NR_MAX + q), scaled, -vf_ld(k->lse + i)));

			p = keep(p, (int64_t)lo - i, (int64_t)hi - i);
			vx_st(k->p + r * QB, t, i, p);
			vx_st(k->s + r * QB, t, i, p * scaled * (vf_ld(dp + r * NR_MAX + q) - vf_ld(k->d + i)));
		}
	}
}

/* dS^T of the tile, whose first key is B of the block, into k->sz; queries before FROM are 0. */
static void zip_grads(const struct attn_dx *c, struct dx_work *k, uint32_t b, uint32_t m, uint32_t from)
{
	uint32_t steps = steps_of(c->w, KT), unit = c->w.pairs ? 2 : 1;

	for (uint32_t r = 0; r < m; r++) {
		memset((char *)(k->s + r * QB), 0, from * 4 / unit);
		if (r + 1 == m && (m & 1))
			memset(k->s + (r + 1) * QB, 0, QB * sizeof *k->s);
	}
	for (uint32_t r = 0; r < m; r += unit)
		for (uint32_t i = 0; i < QB; i += VW) {
			float *dst = k->sz + ((size_t)(i / NR_MAX) * steps + (b + r) / unit) * NR_MAX + i % NR_MAX;

			if (c->w.pairs)
				zip((const uint16_t *)(k->s + r * QB) + i, (const uint16_t *)(k->s + (r + 1) * QB) + i, dst);
			else
				memcpy(dst, k->s + r * QB + i, sizeof(vf));
		}
}

static void key_tile(const struct attn_dx *c, struct dx_work *k, uint32_t block, uint32_t b, uint32_t m)
{
	uint32_t j = block + b, unit = c->w.pairs ? 2 : 1, lo, hi, from, past;
	float s[6 * NR_MAX] __attribute__((aligned(64))), dp[6 * NR_MAX] __attribute__((aligned(64)));

	seen_by(c, k, j, &lo, &hi);
	from = lo / VW * VW;
	past = up(k->nq, NR_MAX);
	for (uint32_t i = from / NR_MAX * NR_MAX; i < past; i += NR_MAX) {
		uint32_t v0 = from > i ? from - i : 0;

		tile_run(c->w.pairs, m, NV_MAX - v0 / VW, (const char *)(k->k + (size_t)b * c->ksteps), c->ksteps * 4,
		         k->qp + (size_t)i * c->ksteps + v0, NR_MAX, c->ksteps, s + v0, false);
		tile_run(c->w.pairs, m, NV_MAX - v0 / VW, (const char *)(k->v + (size_t)b * c->vsteps), c->vsteps * 4,
		         k->dp + (size_t)i * c->vsteps + v0, NR_MAX, c->vsteps, dp + v0, false);
		tile_grads(c, k, j, m, i / NR_MAX, v0, s, dp);
	}
	if (from < past) {
		uint32_t at = from / unit, steps = (past - from) / unit, all = steps_of(c->w, QB);

		for (uint32_t e = 0; e < c->a->dv; e += NR_MAX)
			tile_run(c->w.pairs, m, vectors(c->a->dv - e), (const char *)(k->p + at), QB * 4, k->dz + ((size_t)e / NR_MAX * all + at) * NR_MAX,
			         NR_MAX, steps, k->gv + ((size_t)e / NR_MAX * k->j->keys + j) * NR_MAX, true);
		for (uint32_t e = 0; e < c->a->dk; e += NR_MAX)
			tile_run(c->w.pairs, m, vectors(c->a->dk - e), (const char *)(k->s + at), QB * 4, k->qz + ((size_t)e / NR_MAX * all + at) * NR_MAX,
			         NR_MAX, steps, k->gk + ((size_t)e / NR_MAX * k->j->keys + j) * NR_MAX, true);
	}
	zip_grads(c, k, b, m, from < past ? from : QB);
}

/* --- a block of queries with a block of keys --- */

static void key_block(const struct attn_dx *c, struct dx_work *k, uint32_t j, uint32_t n)
{
	const struct kern_attn *a = c->a;
	struct cols kc = { a->k, a->ldk, (size_t)k->kh * a->dk, a->xt, a->dk }, vc = { a->v, a->ldv, (size_t)k->kh * a->dv, a->xt, a->dv };
	uint32_t steps = steps_of(c->w, n), all = steps_of(c->w, KT), dkv = up(a->dk, VW);

	for (uint32_t i = 0; i < n; i++) {
		row_words(&kc, c->w, key_row(k->j->seg, j + i), k->rows + i * c->kld, c->kld);
		memcpy(k->k + (size_t)i * c->ksteps, k->rows + i * c->kld, c->ksteps * 4);
		row_words(&vc, c->w, key_row(k->j->seg, j + i), k->v + (size_t)i * c->vsteps, c->vsteps);
	}
	memset(k->rows + n * c->kld, 0, c->kld * sizeof(float));       /* the odd one's partner */
	for (uint32_t b = 0; b < n; b += 6)
		key_tile(c, k, j, b, n - b < 6 ? n - b : 6);
	/* k transposed: zip keys, then turn [steps][dk] into [dk][steps] */
	for (uint32_t e = 0; e < dkv; e += VW)
		for (uint32_t s = 0; s < steps; s += VW) {
			float z[VW * VW] __attribute__((aligned(64)));

			for (uint32_t i = 0; i < VW; i++) {
				const float *r = k->rows + (size_t)(s + i) * (c->w.pairs ? 2 : 1) * c->kld;
				if (s + i >= steps)
					memset(z + i * VW, 0, sizeof(vf));
				else if (c->w.pairs)
					zip((const uint16_t *)r + e, (const uint16_t *)(r + c->kld) + e, z + i * VW);
				else
					memcpy(z + i * VW, r + e, sizeof(vf));
			}
			turn(z, VW, k->kt + (size_t)e * all + s, all);
		}
	for (uint32_t i = 0; i < k->nq; i += NR_MAX)
		for (uint32_t e = 0; e < a->dk; e += 6)
			tile_run(c->w.pairs, a->dk - e < 6 ? a->dk - e : 6, NV_MAX, (const char *)(k->kt + (size_t)e * all), all * 4,
			         k->sz + (size_t)(i / NR_MAX) * all * NR_MAX, NR_MAX, steps, k->dq + ((size_t)(i / NR_MAX) * dkv + e) * NR_MAX, true);
}

static float *part_of(const struct attn_dx *c, const struct job *j, uint32_t h)
{
	return c->parts + ((j->at - c->jobs[c->j0].at) * c->nh + (size_t)(h - c->h0) * j->keys) * (c->dkp + c->dvp);
}

static void attn_dx_task(void *ctx, uint32_t task, int thread)
{
	const struct attn_dx *c = ctx;
	struct dx_work k;

	dx_carve(c, c->local + (size_t)thread * c->local_bytes, &k);
	k.j = &c->jobs[c->j1 - 1 - task / c->nh];
	k.h = c->h0 + task % c->nh;
	k.kh = k.h / c->group;
	k.gk = part_of(c, k.j, k.h);
	k.gv = k.gk + (size_t)k.j->keys * c->dkp;
	memset(k.gk, 0, (size_t)k.j->keys * (c->dkp + c->dvp) * sizeof(float));
	for (k.q0 = k.j->q0; k.q0 < k.j->q0 + k.j->nq; k.q0 += QB) {
		uint32_t left = k.j->q0 + k.j->nq - k.q0, past;

		k.nq = left < QB ? left : QB;
		start_queries(c, &k);
		past = last_key(k.j->seg, k.q0 + k.nq - 1);
		for (uint32_t j = first_key(c->a, k.j->seg, k.q0) / KT * KT; j < past; j += KT)
			key_block(c, &k, j, past - j < KT ? past - j : KT);
		put_queries(c, &k);
	}
}

/* --- the sums of keys --- */

/* Add what job J has for row R of head H to G [dkp + dvp]. */
static void add_part(const struct attn_dx *c, const struct job *j, uint32_t key, uint32_t h, float *g)
{
	const float *p = part_of(c, j, h);

	for (uint32_t e = 0; e < c->dkp + c->dvp; e += VW)
		vf_st(g + e, vf_ld(g + e) + vf_ld(p + ((size_t)(e / NR_MAX) * j->keys + key) * NR_MAX + e % NR_MAX));
}

static void add_job(const struct attn_dx *c, const struct job *j, uint32_t row, uint32_t kh, float *g)
{
	const struct kern_seg *s = j->seg;

	for (uint32_t h = kh * c->group; h < (kh + 1) * c->group; h++) {
		if (row - s->p0 < s->np && row - s->p0 < j->keys)
			add_part(c, j, row - s->p0, h, g);
		if (row - s->k0 < s->nk && s->np + (row - s->k0) < j->keys)
			add_part(c, j, s->np + (row - s->k0), h, g);
	}
}

INLINE bool covers(const struct kern_seg *s, uint32_t row)
{
	return row - s->p0 < s->np || row - s->k0 < s->nk;      /* unsigned: below the range is far above it */
}

/* Row ROW of key/value head KH, its sums so far in G. */
static void put_keys(const struct attn_dx *c, uint32_t row, uint32_t kh, const float *g)
{
	const struct kern_attn *a = c->a;
	bool any = false;

	for (uint32_t i = 0; i < c->njobs && !any; i++)
		any = covers(c->jobs[i].seg, row);
	if (!any)
		return;
	for (uint32_t e = 0; e < a->dk; e += VW)
		vx_put(c->dk, a->xt, row * a->ldk + (size_t)kh * a->dk + e, vf_ld(g + e), lanes(a->dk - e));
	for (uint32_t e = 0; e < a->dv; e += VW)
		vx_put(c->dv, a->xt, row * a->ldv + (size_t)kh * a->dv + e, vf_ld(g + c->dkp + e), lanes(a->dv - e));
}

static void reduce_row(const struct attn_dx *c, uint32_t row, uint32_t kh, float *g)
{
	if (c->sums != NULL)
		g = c->sums + (size_t)row * (c->dkp + c->dvp);
	if (c->j0 == 0)
		memset(g, 0, (c->dkp + c->dvp) * sizeof *g);
	for (uint32_t i = c->j0; i < c->j1; i++)
		if (covers(c->jobs[i].seg, row))
			add_job(c, &c->jobs[i], row, kh, g);
	if (c->j1 == c->njobs)
		put_keys(c, row, kh, g);
}

static void reduce_task(void *ctx, uint32_t task, int thread)
{
	const struct attn_dx *c = ctx;
	float *g = (float *)(void *)(c->local + (size_t)thread * c->local_bytes);
	uint32_t past = (task + 1) * REDUCE_ROWS < c->rows ? (task + 1) * REDUCE_ROWS : c->rows;

	for (uint32_t row = task * REDUCE_ROWS; row < past; row++)
		for (uint32_t kh = c->h0 / c->group; kh < (c->h0 + c->nh) / c->group; kh++)
			reduce_row(c, row, kh, g);
}

/* --- jobs --- */

static uint32_t jobs_of(const struct kern_seg *s)
{
	return s->nq == 0 ? 1 : (s->nq + JOB_QUERIES - 1) / JOB_QUERIES;
}

static void make_jobs(struct attn_dx *c)
{
	struct job *j = c->jobs;

	for (uint32_t i = 0; i < c->a->nseg; i++) {
		const struct kern_seg *s = &c->a->seg[i];

		for (uint32_t q = 0, n = jobs_of(s); n > 0; n--, q += JOB_QUERIES, j++) {
			uint32_t nq = s->nq - q < JOB_QUERIES ? s->nq - q : JOB_QUERIES;

			*j = (struct job){ s, q, nq, nq > 0 ? last_key(s, q + nq - 1) : s->np + s->nk, c->keys };
			c->keys += j->keys;
		}
		c->rows = s->np > 0 && s->p0 + s->np > c->rows ? s->p0 + s->np : c->rows;
		c->rows = s->k0 + s->nk > c->rows ? s->k0 + s->nk : c->rows;
	}
}

/* The job behind the last of a round that begins with job J, and into *KEYS (if more) the keys of the round. */
static uint32_t round_end(const struct attn_dx *c, uint32_t j, size_t *keys)
{
	size_t most = PARTS_MAX / ((c->dkp + c->dvp) * sizeof(float) * c->nh), n = 0;

	do
		n += c->jobs[j++].keys;
	while (j < c->njobs && n + c->jobs[j].keys <= most);
	*keys = n > *keys ? n : *keys;
	return j;
}

/* Memory of the rounds, once it is known how many heads are taken together. */
static void place_parts(struct kern *k, struct attn_dx *c)
{
	struct dx_work unused;
	size_t locals, keys = 0, row = (c->dkp + c->dvp) * sizeof(float), parts;
	bool rounds = round_end(c, 0, &keys) < c->njobs;

	for (uint32_t j = 0; j < c->njobs; )
		j = round_end(c, j, &keys);
	c->local_bytes = dx_carve(c, NULL, &unused);
	locals = c->local_bytes * (size_t)pool_size(k->pool);
	parts = keys * row * c->nh;
	c->local = kern_scratch(k, locals + parts + (rounds ? c->rows * row : 0));
	c->parts = (float *)(void *)(c->local + locals);
	c->sums = rounds ? (float *)(void *)(c->local + locals + parts) : NULL;
}

static void attn_dx(struct kern *k, const struct kern_attn *a, const void *dout, size_t lddo, void *dq, void *dk, void *dv)
{
	struct words w = { FAST_BF16 && a->xt == DT_BF16, false };
	struct attn_dx c = { .a = a, .dout = dout, .lddo = lddo, .dq = dq, .dk = dk, .dv = dv, .w = w, .group = a->heads / a->kv_heads,
		.ksteps = steps_of(w, a->dk), .vsteps = steps_of(w, a->dv), .dkp = up(a->dk, NR_MAX), .dvp = up(a->dv, NR_MAX) };
	size_t unused = 0;

	c.kld = c.dkp / (w.pairs ? 2 : 1);
	c.vld = c.dvp / (w.pairs ? 2 : 1);
	for (uint32_t i = 0; i < a->nseg; i++)
		c.njobs += jobs_of(&a->seg[i]);
	if (c.njobs == 0)
		return;
	c.jobs = mem_new(c.njobs * sizeof *c.jobs);
	make_jobs(&c);
	c.nh = c.keys * (c.dkp + c.dvp) * sizeof(float) * a->heads > PARTS_MAX ? c.group : a->heads;
	place_parts(k, &c);
	for (c.h0 = 0; c.h0 < a->heads; c.h0 += c.nh)
		for (c.j0 = 0; c.j0 < c.njobs; c.j0 = c.j1) {
			c.j1 = round_end(&c, c.j0, &unused);
			pool_run(k->pool, attn_dx_task, &c, (c.j1 - c.j0) * c.nh);
			pool_run(k->pool, reduce_task, &c, (c.rows + REDUCE_ROWS - 1) / REDUCE_ROWS);
		}
	mem_free(c.jobs);
}

#endif
