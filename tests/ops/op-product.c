/* SPDX-License-Identifier: Apache-2.0 */
/* The matrix products of every backend against ref: ragged sizes, strides, all weight types. */
#include "trial.h"

static const enum dtype act[2] = { DT_F32, DT_BF16 };

/* Bytes that are sound blocks of any type: scales are kept small. */
static void *weights(enum dtype t, uint32_t rows, uint32_t cols, float scale)
{
	size_t n = (size_t)rows * cols, blocks = n / dtype_block(t), bytes = dtype_bytes(t);
	uint8_t *p;

	if (t == DT_F32 || t == DT_BF16)
		return trial_values(n, t, scale);
	p = trial_new(blocks * bytes + 64);
	for (size_t i = 0; i < blocks * bytes; i++)
		p[i] = (uint8_t)(trial_rnd() * 127);
	for (size_t b = 0; b < blocks; b++) {          /* the f16 scales stand first, or last in Q6_K, Q3_K; Q2_K before the end */
		uint16_t d = f32_to_f16(scale * (t == DT_F16 ? trial_rnd() : 0.02f)), m = f32_to_f16(-0.1f * scale);
		uint8_t *at = p + b * bytes;

		if (t == DT_Q6_K || t == DT_Q3_K)
			at += bytes - 2;
		if (t == DT_Q2_K)
			at += bytes - 4;
		memcpy(at, &d, 2);
		if (t == DT_Q4_1 || t == DT_Q5_1 || t == DT_Q2_K || t == DT_Q4_K || t == DT_Q5_K)
			memcpy(at + 2, &m, 2);
	}
	return p;
}

static void run_linear(struct kern *k, void *ctx, void *out)
{
	struct kern_linear a = *(struct kern_linear *)ctx;

	a.y = out;
	kern_linear(k, &a);
}

static void run_dx(struct kern *k, void *ctx, void *out)
{
	struct kern_linear_dx a = *(struct kern_linear_dx *)ctx;

	a.dx = out;
	kern_linear_dx(k, &a);
}

struct shape {
	uint32_t t, rows, cols, r;
	enum dtype w;
	unsigned flags;                /* 1: bias, 2: add, 4: y is bf16, 8: strides are wider, 16: alpha, 32: scales of blocks of 24 */
};

static const struct shape shapes[] = {
	{ 1, 1, 1, 0, DT_F32, 0 }, { 3, 17, 5, 0, DT_F32, 8 }, { 13, 8, 33, 0, DT_F32, 4 }, { 100, 24, 64, 0, DT_F32, 2 },
	{ 17, 65, 577, 3, DT_F32, 1 | 8 }, { 97, 130, 96, 8, DT_BF16, 2 | 8 }, { 200, 100, 63, 5, DT_BF16, 1 | 4 | 8 },
	{ 2, 40, 64, 8, DT_Q4_1, 1 }, { 7, 33, 96, 4, DT_Q8_0, 2 | 8 }, { 8, 64, 256, 0, DT_Q4_0, 4 }, { 40, 96, 160, 8, DT_Q4_1, 8 | 16 },
	{ 25, 70, 96, 0, DT_Q4_0, 2 }, { 11, 300, 64, 16, DT_Q8_0, 4 | 16 }, { 9, 65, 1536, 8, DT_F16, 1 | 8 }, { 14, 20, 64, 0, DT_Q5_0, 0 },
	{ 14, 20, 64, 0, DT_Q5_1, 0 }, { 10, 20, 512, 0, DT_Q2_K, 0 }, { 10, 20, 768, 2, DT_Q3_K, 0 }, { 1, 20, 256, 0, DT_Q4_K, 0 },
	{ 10, 20, 256, 0, DT_Q4_K, 0 }, { 10, 20, 256, 0, DT_Q5_K, 2 }, { 10, 67, 256, 0, DT_Q6_K, 0 }, { 5, 7, 19, 0, DT_F8_E4M3, 0 },
	{ 1, 30, 100, 0, DT_F8_E4M3, 32 }, { 11, 70, 130, 4, DT_F8_E4M3, 32 | 8 }, { 30, 24, 600, 0, DT_F8_E4M3, 32 | 2 },
	{ 10, 600, 9, 0, DT_F32, 0 }, { 12, 5000, 24, 3, DT_BF16, 4 | 16 }, { 12, 9, 5003, 3, DT_BF16, 1 | 4 }, { 12, 5001, 70, 1, DT_F32, 2 | 16 },
	{ 12, 70, 2600, 8, DT_F32, 2 }, { 0, 4, 4, 0, DT_F32, 0 }, { 1, 49, 576, 0, DT_BF16, 0 }, { 5, 7, 9, 2, DT_F16, 2 },
	/* a few rows: groups of blocks and what is left of them */
	{ 1, 50, 576, 0, DT_Q4_1, 0 }, { 3, 21, 1120, 4, DT_Q4_1, 2 | 8 }, { 6, 9, 1536, 0, DT_Q4_1, 4 }, { 5, 19, 608, 0, DT_Q4_0, 1 },
	{ 4, 11, 1056, 3, DT_Q8_0, 8 }, { 8, 35, 200, 0, DT_BF16, 2 }, { 2, 5, 83, 0, DT_F32, 1 },
};

/* Of blocks of 24, for those shapes that have them; else NULL. */
static float *scales_of(const struct shape *s)
{
	float *f = s->flags & 32 ? trial_values((size_t)((s->rows + 23) / 24) * ((s->cols + 23) / 24), DT_F32, 1) : NULL;

	for (uint32_t i = 0; f && i < (s->rows + 23) / 24 * ((s->cols + 23) / 24); i++)
		f[i] = 0.01f + 0.02f * fabsf(f[i]);
	return f;
}

static void linear(const struct shape *s, enum dtype xt)
{
	bool wide = s->flags & 8;
	enum dtype yt = s->flags & 4 ? DT_BF16 : DT_F32;
	struct kern_linear a = { .t = s->t, .r = s->r, .w = { .type = s->w, .rows = s->rows, .cols = s->cols, .block = 24 }, .xt = xt, .yt = yt, .scale = 0.7f,
		.ldx = s->cols + (wide ? 3 : 0), .ldu = s->r + (wide ? 5 : 0), .ldy = s->rows + (wide ? 7 : 0), .add = s->flags & 2 };
	size_t n = s->t * a.ldy;
	float *scales = scales_of(s);
	void *w = weights(s->w, s->rows, s->cols, 1), *x = trial_values(s->t * a.ldx, xt, 1), *u = trial_values(s->t * a.ldu, xt, 1);
	void *b = trial_values((size_t)s->rows * s->r, DT_F32, 1), *bias = trial_values(s->rows, DT_F32, 1);
	void *init = a.add ? trial_values(n, yt, 1) : trial_nans(n, yt);

	a.w.p = w;
	a.w.scale = scales;
	a.x = x;
	a.u = u;
	a.b = b;
	a.bias = s->flags & 1 ? bias : NULL;
	/* few rows: weights need not be rounded to bf16 */
	trial("linear", run_linear, &a, init, n, yt, xt == DT_BF16 && s->t <= 8 ? 6e-3 : trial_tol(yt, xt == DT_BF16 ? 2e-5 : 2e-6));
	trial_free(w);
	trial_free(scales);
	trial_free(x);
	trial_free(u);
	trial_free(b);
	trial_free(bias);
	trial_free(init);
}

static void linear_dx(const struct shape *s, enum dtype xt)
{
	bool wide = s->flags & 8;
	enum dtype yt = s->flags & 4 ? DT_BF16 : DT_F32;
	struct kern_linear_dx a = { .t = s->t, .r = s->r, .w = { .type = s->w, .rows = s->rows, .cols = s->cols, .block = 24 }, .xt = xt, .yt = yt, .alpha = s->flags & 16 ? 1.7f : 1,
		.lddy = s->rows + (wide ? 3 : 0), .lddu = s->r + (wide ? 5 : 0), .lddx = s->cols + (wide ? 7 : 0), .add = s->flags & 2 };
	size_t n = s->t * a.lddx;
	float *scales = scales_of(s);
	void *w = weights(s->w, s->rows, s->cols, 1), *dy = trial_values(s->t * a.lddy, xt, 1), *du = trial_values(s->t * a.lddu, xt, 1);
	void *la = trial_values((size_t)s->r * s->cols, DT_F32, 1);
	void *init = a.add ? trial_values(n, yt, 1) : trial_nans(n, yt);

	a.w.p = w;
	a.w.scale = scales;
	a.dy = dy;
	a.du = du;
	a.a = la;
	trial("linear_dx", run_dx, &a, init, n, yt, trial_tol(yt, xt == DT_BF16 ? 2e-5 : 2e-6));
	trial_free(w);
	trial_free(scales);
	trial_free(dy);
	trial_free(du);
	trial_free(la);
	trial_free(init);
}

struct outer {
	uint32_t t, m, n;
	size_t ldp, ldq, ldg;
	enum dtype xt;
	void *p, *q;
};

static void run_outer(struct kern *k, void *ctx, void *out)
{
	struct outer *o = ctx;

	kern_outer(k, o->t, o->m, o->n, 0.6f, o->xt, o->p, o->ldp, o->q, o->ldq, out, o->ldg);
}

static void outer(uint32_t t, uint32_t m, uint32_t n, unsigned extra, enum dtype xt)
{
	struct outer o = { t, m, n, m + extra, n + 2 * extra, n + extra, xt, NULL, NULL };
	float *init = trial_values(m * o.ldg, DT_F32, 1);

	o.p = trial_values(t * o.ldp, xt, 1);
	o.q = trial_values(t * o.ldq, xt, 1);
	trial("outer", run_outer, &o, init, m * o.ldg, DT_F32, xt == DT_BF16 ? 2e-5 : 2e-6);
	trial_free(o.p);
	trial_free(o.q);
	trial_free(init);
}

static void run_colsum(struct kern *k, void *ctx, void *out)
{
	struct outer *o = ctx;

	kern_colsum(k, o->t, o->m, o->xt, o->p, o->ldp, out);
}

static void colsum(uint32_t t, uint32_t n, enum dtype xt)
{
	struct outer o = { .t = t, .m = n, .ldp = n + 3, .xt = xt };
	float *init = trial_values(n, DT_F32, 1);

	o.p = trial_values(t * o.ldp, xt, 1);
	trial("colsum", run_colsum, &o, init, n, DT_F32, 2e-6);
	trial_free(o.p);
	trial_free(init);
}

int main(int argc, char **argv)
{
	static const uint32_t outers[][4] = { { 1, 1, 1, 0 }, { 3, 5, 7, 1 }, { 33, 8, 100, 0 }, { 64, 577, 8, 0 }, { 101, 24, 65, 3 }, { 70, 130, 16, 1 },
		{ 1031, 3, 40, 0 }, { 50, 64, 96, 0 }, { 77, 65, 130, 5 }, { 2100, 48, 50, 0 }, { 30, 40, 1, 2 }, { 1200, 100, 33, 0 } };

	trial_open(argc, argv);
	for (int x = 0; x < 2 && trial_wants("linear"); x++)
		for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
			linear(&shapes[i], act[x]);
	trial_lines("linear");
	for (int x = 0; x < 2 && trial_wants("linear_dx"); x++)
		for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
			linear_dx(&shapes[i], act[x]);
	trial_lines("linear_dx");
	for (int x = 0; x < 2 && trial_wants("outer"); x++)
		for (size_t i = 0; i < sizeof outers / sizeof *outers; i++)
			outer(outers[i][0], outers[i][1], outers[i][2], outers[i][3], act[x]);
	trial_lines("outer");
	for (int x = 0; x < 2 && trial_wants("colsum"); x++) {
		colsum(1, 1, act[x]);
		colsum(37, 19, act[x]);
		colsum(600, 65, act[x]);
	}
	trial_lines("colsum");
	trial_close();
	return test_end();
}
