/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ISA_SMALL_H
#define SFT_ISA_SMALL_H
/* y = x w^T for a few rows x (decoding): nothing is packed; each row of w is read once where it lies, widened in registers, and multiplied
 * with up to SMALL_ROWS rows of x in f32. */
#include "isa_pack.h"

enum {
	SMALL_T = 8,                   /* the most rows of x */
	SMALL_ROWS = 4,                /* rows of x in one pass over a row of w */
	SMALL_TASK = 32                /* rows of w in a task */
};

struct small {
	const struct kern_linear *a;
	struct source w;
	const float *x;                /* [t][ldx] */
	size_t ldx;
	const float *u;                /* [t][r], times the side product's scale */
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
	case DT_BF16:
		for (; c + VW <= cols; c += VW)
			small_add(vh_ld((const uint16_t *)(const void *)p + c), x + c, ldx, sums, n);
		break;
	case DT_F32:
		for (; c + VW <= cols; c += VW)
			small_add(vf_ld((const float *)(const void *)p + c), x + c, ldx, sums, n);
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

/* Row J of w times N rows of x. */
INLINE void small_row(const struct small *s, uint32_t j, const float *x, float *y, const unsigned n)
{
	vf sums[2 * SMALL_ROWS];       /* two chains for each row of x */
	float tmp[SLICE + VW];
	uint32_t cols = s->w.cols;

	for (unsigned i = 0; i < 2 * SMALL_ROWS; i++)
		sums[i] = vf_zero();
	for (uint32_t c = small_blocks(s->w.type, (const uint8_t *)s->w.p + j * s->w.row_bytes, cols, x, s->ldx, sums, n), m; c < cols; c += m) {
		m = cols - c < SLICE ? cols - c : SLICE;
		values_at(&s->w, j, c, m, tmp);
		memset(tmp + m, 0, VW * sizeof *tmp);
		for (uint32_t i = 0; i < m; i += VW)
			small_add(vf_ld(tmp + i), x + c + i, s->ldx, sums, n);
	}
	for (unsigned i = 0; i < n; i++)
		y[i] = vf_hsum(sums[i] + sums[SMALL_ROWS + i]);
}

static void small_put(const struct small *s, uint32_t i, uint32_t j, float v)
{
	const struct kern_linear *a = s->a;

	for (uint32_t c = 0; c < a->r; c++)
		v += s->u[i * a->r + c] * a->b[(size_t)j * a->r + c];
	if (a->bias != NULL)
		v += a->bias[j];
	if (a->add)
		v += ((const float *)a->y)[i * a->ldy + j];
	act_put(a->y, a->yt, i * a->ldy + j, v);
}

static void small_task(void *ctx, uint32_t task, int thread)
{
	const struct small *s = ctx;
	const struct kern_linear *a = s->a;
	uint32_t past = (task + 1) * SMALL_TASK < a->w.rows ? (task + 1) * SMALL_TASK : a->w.rows;

	(void)thread;
	for (uint32_t j = task * SMALL_TASK; j < past; j++)
		for (uint32_t i = 0; i < a->t; i += SMALL_ROWS) {
			uint32_t n = a->t - i < SMALL_ROWS ? a->t - i : SMALL_ROWS;
			const float *x = s->x + i * s->ldx;
			float y[SMALL_ROWS];

			switch (n) {
			case 1: small_row(s, j, x, y, 1); break;
			case 2: small_row(s, j, x, y, 2); break;
			case 3: small_row(s, j, x, y, 3); break;
			default: small_row(s, j, x, y, 4);
			}
			for (uint32_t e = 0; e < n; e++)
				small_put(s, i + e, j, y[e]);
		}
}

/* x is copied: rows of 0 up to a whole vector, so that every load is one. */
static void linear_small(struct kern *k, const struct kern_linear *a)
{
	struct small s = { a, source_of(&a->w, false, 1), NULL, (a->w.cols + VW - 1) / VW * VW + VW, NULL };
	float *x = kern_scratch(k, a->t * (s.ldx + a->r) * sizeof *x), *u = x + a->t * s.ldx;

	s.x = x;
	s.u = u;
	for (uint32_t i = 0; i < a->t; i++, x += s.ldx) {
		for (uint32_t c = 0; c < a->w.cols; c++)
			x[c] = act_get(a->x, a->xt, i * a->ldx + c);
		memset(x + a->w.cols, 0, (s.ldx - a->w.cols) * sizeof *x);
		for (uint32_t c = 0; c < a->r; c++)
			u[i * a->r + c] = a->scale * act_get(a->u, a->xt, i * a->ldu + c);
	}
	pool_run(k->pool, small_task, &s, (a->w.rows + SMALL_TASK - 1) / SMALL_TASK);
}

#endif
