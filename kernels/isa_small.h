/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ISA_SMALL_H
#define SFT_ISA_SMALL_H
/* y = x w^T for a few rows x (decoding): nothing is packed; each row of w is read once where it lies, widened in registers, and multiplied
 * with up to SMALL_ROWS rows of x in f32. */
#include "isa_whole.h"

enum {
	SMALL_T = 8,                   /* the most rows of x */
	SMALL_ROWS = WHOLE_ROWS,       /* rows of x, and of w, taken together */
	SMALL_TASKS = 16,              /* tasks of a product, within these bounds for rows of w in a task: multiples of SMALL_ROWS */
	SMALL_LEAST = 16,
	SMALL_MOST = 256
};

struct small {
	const struct kern_linear *a;
	struct source w;
	const float *x;                /* [t][ldx] */
	size_t ldx;
	const float *u;                /* [t][r], times the side product's scale */
	bool whole;                    /* xw takes the place of x */
	struct whole_x xw;
	uint32_t per;                  /* rows of w in a task */
};

/* sums += w x for VW values of w and N rows of x. */
INLINE void small_add(vf w, const float *x, size_t ldx, vf *sums, const unsigned n)
{
#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++)
		sums[i] = vf_fma(w, vf_ld(x + i * ldx), sums[i]);
}

#if defined(__AVX512F__)
/* A block of 32: 2 vectors. */
INLINE void small_nibbles(const uint8_t *q, float d, float m, const float *x, size_t ldx, vf *sums, const unsigned n)
{
	__m128i raw = _mm_loadu_si128((const void *)q), mask = _mm_set1_epi8(15);
	vf lo = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_and_si128(raw, mask)));
	vf hi = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_and_si128(_mm_srli_epi16(raw, 4), mask)));

	small_add(vf_fma(lo, vf_set(d), vf_set(m)), x, ldx, sums, n);
	small_add(vf_fma(hi, vf_set(d), vf_set(m)), x + 16, ldx, sums + SMALL_ROWS, n);
}

INLINE void small_bytes(const uint8_t *q, float d, const float *x, size_t ldx, vf *sums, const unsigned n)
{
	small_add(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const void *)q))) * vf_set(d), x, ldx, sums, n);
	small_add(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const void *)(q + 16)))) * vf_set(d), x + 16, ldx, sums + SMALL_ROWS, n);
}

/* Values of the row at P that whole blocks hold; returns how many were done. */
INLINE uint32_t small_blocks(enum dtype type, const uint8_t *p, uint32_t cols, const float *x, size_t ldx, vf *sums, const unsigned n)
{
	uint32_t c = 0;

	switch (type) {
	case DT_Q4_1:
		for (; c < cols; c += 32, p += 20)
			small_nibbles(p + 4, half_at(p), half_at(p + 2), x + c, ldx, sums, n);
		break;
	case DT_Q4_0:
		for (; c < cols; c += 32, p += 18)
			small_nibbles(p + 2, half_at(p), -8 * half_at(p), x + c, ldx, sums, n);
		break;
	case DT_Q8_0:
		for (; c < cols; c += 32, p += 34)
			small_bytes(p + 2, half_at(p), x + c, ldx, sums, n);
		break;
	default:
		break;
	}
	return c;
}
#else
INLINE uint32_t small_blocks(enum dtype type, const uint8_t *p, uint32_t cols, const float *x, size_t ldx, vf *sums, const unsigned n)
{
	(void)type, (void)p, (void)cols, (void)x, (void)ldx, (void)sums, (void)n;
	return 0;
}
#endif

/* The row P of w times N rows of x: sums to be added up. */
INLINE void small_row(const struct small *s, const uint8_t *p, const float *x, vf *out, const unsigned n)
{
	vf sums[2 * SMALL_ROWS];       /* two chains for each row of x */
	float tmp[SLICE + VW];
	uint32_t cols = s->w.cols, j = (uint32_t)((size_t)(p - (const uint8_t *)s->w.p) / s->w.row_bytes);

	for (unsigned i = 0; i < 2 * SMALL_ROWS; i++)
		sums[i] = vf_zero();
	for (uint32_t c = small_blocks(s->w.type, p, cols, x, s->ldx, sums, n), m; c < cols; c += m) {
		m = cols - c < SLICE ? cols - c : SLICE;
		values_at(&s->w, j, c, m, tmp);
		memset(tmp + m, 0, VW * sizeof *tmp);
		for (uint32_t i = 0; i < m; i += VW)
			small_add(vf_ld(tmp + i), x + c + i, s->ldx, sums, n);
	}
	for (unsigned i = 0; i < n; i++)
		out[i] = sums[i] + sums[SMALL_ROWS + i];
}

/* The row P of w, f32 or bf16, times N rows of x: sums to be added up.  Row after row, as memory likes it; four chains hide what a sum takes. */
INLINE void small_dense(const uint8_t *p, uint32_t cols, const float *x, size_t ldx, vf *out, const enum dtype t, const unsigned n)
{
	vf sums[4][SMALL_ROWS];
	uint32_t c = 0;

#pragma GCC unroll 4
	for (unsigned q = 0; q < 4; q++)
#pragma GCC unroll 4
		for (unsigned i = 0; i < n; i++)
			sums[q][i] = vf_zero();
	for (; c + 4 * VW <= cols; c += 4 * VW)
#pragma GCC unroll 4
		for (uint32_t q = 0; q < 4; q++)
			small_add(vx_ld(p, t, c + q * VW), x + c + q * VW, ldx, sums[q], n);
	for (; c + VW <= cols; c += VW)
		small_add(vx_ld(p, t, c), x + c, ldx, sums[0], n);
	if (c < cols)
		small_add(vx_ldn(p, t, c, cols - c), x + c, ldx, sums[0], n);
#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++)
		out[i] = (sums[0][i] + sums[1][i]) + (sums[2][i] + sums[3][i]);
}

/* Rows J.. (M of them; the last again in place of those that are missing) of w times rows I.. (N of them) of x. */
INLINE void small_rows(const struct small *s, uint32_t j, uint32_t m, uint32_t i, vf sums[][SMALL_ROWS], const unsigned n)
{
	const float *x = s->x + i * s->ldx;
	const uint8_t *p[SMALL_ROWS];

	for (uint32_t r = 0; r < SMALL_ROWS; r++)
		p[r] = (const uint8_t *)s->w.p + (j + (r < m ? r : m - 1)) * s->w.row_bytes;
	if (VW == 16 && s->w.type == DT_BF16) {
		for (uint32_t r = 0; r < SMALL_ROWS; r++)
			small_dense(p[r], s->w.cols, x, s->ldx, sums[r], DT_BF16, n);
	} else if (VW == 16 && s->w.type == DT_F32) {
		for (uint32_t r = 0; r < SMALL_ROWS; r++)
			small_dense(p[r], s->w.cols, x, s->ldx, sums[r], DT_F32, n);
	} else if (!s->whole) {
		for (uint32_t r = 0; r < SMALL_ROWS; r++)
			small_row(s, p[r], x, sums[r], n);
	} else {
		whole_dot(&s->xw, p, s->w.cols / 32, s->w.type, i, sums, n);
	}
}

/* y[i, j..] from the sums V of M rows of w with row I of x. */
INLINE void small_put(const struct small *s, uint32_t i, uint32_t j, uint32_t m, vf v)
{
	const struct kern_linear *a = s->a;
	size_t at = i * a->ldy + j;

	if (a->r > 0) {
		float side[SMALL_ROWS] = { 0 };

		for (uint32_t r = 0; r < m; r++)
			for (uint32_t c = 0; c < a->r; c++)
				side[r] += s->u[i * a->r + c] * a->b[(size_t)(j + r) * a->r + c];
		v = v + vf_ldn(side, m);
	}
	if (a->bias != NULL)
		v = v + vf_ldn(a->bias + j, m);
	if (a->add)
		v = v + vf_ldn((const float *)a->y + at, m);
	vx_stn(a->y, a->yt, at, v, m);
}

/* The same with N rows of x. */
INLINE void small_step(const struct small *s, uint32_t j, uint32_t m, uint32_t i, const unsigned n)
{
	vf sums[SMALL_ROWS][SMALL_ROWS];

	small_rows(s, j, m, i, sums, n);
#pragma GCC unroll 4
	for (unsigned e = 0; e < n; e++) {
		small_put(s, i + e, j, m, vf_hsum4(sums[0][e], sums[1][e], sums[2][e], sums[3][e]));
	}
}

static void small_task(void *ctx, uint32_t task, int thread)
{
	const struct small *s = ctx;
	const struct kern_linear *a = s->a;
	uint32_t past = (task + 1) * s->per < a->w.rows ? (task + 1) * s->per : a->w.rows;

	(void)thread;
	for (uint32_t j = task * s->per; j < past; j += SMALL_ROWS)
		for (uint32_t i = 0; i < a->t; i += SMALL_ROWS) {
			uint32_t n = a->t - i < SMALL_ROWS ? a->t - i : SMALL_ROWS, m = past - j < SMALL_ROWS ? past - j : SMALL_ROWS;

			switch (n) {
			case 1: small_step(s, j, m, i, 1); break;
			case 2: small_step(s, j, m, i, 2); break;
			case 3: small_step(s, j, m, i, 3); break;
			default: small_step(s, j, m, i, 4);
			}
		}
}

/* Row I of x as f32 at X, with 0 up to a whole vector, so that every load is one. */
static void small_x(const struct kern_linear *a, uint32_t i, float *x, size_t ldx)
{
	uint32_t c = 0;

	for (; c + VW <= a->w.cols; c += VW)
		vf_st(x + c, vx_ld(a->x, a->xt, i * a->ldx + c));
	for (; c < a->w.cols; c++)
		x[c] = act_get(a->x, a->xt, i * a->ldx + c);
	memset(x + c, 0, (ldx - c) * sizeof *x);
}

static void linear_small(struct kern *k, const struct kern_linear *a)
{
	struct small s = { .a = a, .w = source_of(&a->w, false, 1), .ldx = (a->w.cols + VW - 1) / VW * VW + VW };
	size_t nx = (a->t * (s.ldx + a->r) + 15) & ~(size_t)15;
	float *x = kern_scratch(k, nx * sizeof *x + whole_bytes(a->t, a->w.cols)), *u = x + a->t * s.ldx;

	s.x = x;
	s.u = u;
	s.whole = WHOLE_PRODUCTS && whole_type(s.w.type) && s.w.blocks == NULL;
	s.xw = whole_place(x + nx, a->t, a->w.cols, a->xt);
	for (uint32_t i = 0; i < a->t; i++, x += s.ldx) {
		small_x(a, i, x, s.ldx);
		if (s.whole)
			whole_row(&s.xw, i, x, a->w.cols, s.w.type);
		for (uint32_t c = 0; c < a->r; c++)
			u[i * a->r + c] = a->scale * act_get(a->u, a->xt, i * a->ldu + c);
	}
	s.per = (a->w.rows / SMALL_TASKS + SMALL_ROWS - 1) / SMALL_ROWS * SMALL_ROWS;
	s.per = s.per < SMALL_LEAST ? SMALL_LEAST : s.per > SMALL_MOST ? SMALL_MOST : s.per;
	pool_run(k->pool, small_task, &s, (a->w.rows + s.per - 1) / s.per);
}

#endif
