/* SPDX-License-Identifier: Apache-2.0 */
/* The backward operations of ref against its forward operations: central differences of a random linear function of the outputs. */
#include "derive.h"

/* --- y = x w^T + u b^T: x, then u, w and b --- */

static double loss_linear(struct probe *p)
{
	float y[12 * 9];

	kern_linear(trial_ref, &(struct kern_linear){ .t = 12, .r = 3, .w = kmat_f32(p->x + 200, 9, 7), .x = p->x, .ldx = 7, .xt = DT_F32,
		.u = p->x + 100, .ldu = 3, .b = p->x + 300, .scale = 0.5f, .y = y, .ldy = 9, .yt = DT_F32 });
	return dot(y, p->c, 12 * 9);
}

static void linear_and_outer(void)
{
	struct probe *p = fresh();

	p->n = 327;
	kern_linear_dx(trial_ref, &(struct kern_linear_dx){ .t = 12, .w = kmat_f32(p->x + 200, 9, 7), .dy = p->c, .lddy = 9, .xt = DT_F32, .alpha = 1,
		.dx = p->grad, .lddx = 7, .yt = DT_F32 });
	kern_linear_dx(trial_ref, &(struct kern_linear_dx){ .t = 12, .w = kmat_f32(p->x + 300, 9, 3), .dy = p->c, .lddy = 9, .xt = DT_F32, .alpha = 0.5f,
		.dx = p->grad + 100, .lddx = 3, .yt = DT_F32 });
	kern_outer(trial_ref, 12, 9, 7, 1, DT_F32, p->c, 9, p->x, 7, p->grad + 200, 7);
	kern_outer(trial_ref, 12, 9, 3, 0.5f, DT_F32, p->c, 9, p->x + 100, 3, p->grad + 300, 3);
	FITS(p, loss_linear);
	mem_free(p);
}

/* dx of the side product: y = (x a^T) b^T, so dx = du a. */
static double loss_side(struct probe *p)
{
	float y[12 * 3];

	kern_linear(trial_ref, &(struct kern_linear){ .t = 12, .w = kmat_f32(p->w, 3, 7), .x = p->x, .ldx = 7, .xt = DT_F32, .y = y, .ldy = 3, .yt = DT_F32 });
	return dot(y, p->c, 12 * 3);
}

static void linear_dx_side(void)
{
	struct probe *p = fresh();
	float none[1] = { 0 };

	p->n = 12 * 7;
	kern_linear_dx(trial_ref, &(struct kern_linear_dx){ .t = 12, .r = 3, .w = kmat_f32(none, 0, 7), .dy = none, .xt = DT_F32, .du = p->c, .lddu = 3,
		.a = p->w, .alpha = 1, .dx = p->grad, .lddx = 7, .yt = DT_F32 });
	FITS(p, loss_side);
	mem_free(p);
}

static double loss_bias(struct probe *p)
{
	float y[12 * 9];

	kern_linear(trial_ref, &(struct kern_linear){ .t = 12, .w = kmat_f32(p->w, 9, 7), .x = p->w, .ldx = 7, .xt = DT_F32, .bias = p->x, .y = y, .ldy = 9,
		.yt = DT_F32 });
	return dot(y, p->c, 12 * 9);
}

static void colsum(void)
{
	struct probe *p = fresh();

	p->n = 9;
	kern_colsum(trial_ref, 12, 9, DT_F32, p->c, 9, p->grad);
	FITS(p, loss_bias);
	mem_free(p);
}

/* --- norms: x, then w --- */

static double loss_norm(struct probe *p)
{
	float y[5 * 20];

	kern_rmsnorm(trial_ref, 5, 20, p->x, 20, DT_F32, p->x + 100, 1e-2f, y, 20, DT_F32, p->extra, p->extra + 100);
	return dot(y, p->c, 5 * 20);
}

static void rmsnorm(void)
{
	struct probe *p = fresh();
	float again[100], set[100];

	p->n = 120;
	loss_norm(p);
	kern_rmsnorm_again(trial_ref, 5, 20, p->extra + 100, p->extra, p->x + 100, again, DT_F32);
	CHECK(fabs(dot(again, p->c, 100) - loss_norm(p)) < 1e-5);
	memcpy(set, p->c, sizeof set);
	kern_rmsnorm_dx(trial_ref, 5, 20, p->extra + 100, 20, DT_F32, p->extra, p->x + 100, set, 20, DT_F32, set, 20, true, NULL);
	kern_rmsnorm_dx(trial_ref, 5, 20, p->extra + 100, 20, DT_F32, p->extra, p->x + 100, p->c, 20, DT_F32, p->grad, 20, false, p->grad + 100);
	CHECK(memcmp(set, p->grad, sizeof set) == 0);
	FITS(p, loss_norm);
	mem_free(p);
}

/* --- rotation: its inverse carries gradients back --- */

static double loss_rope(struct probe *p)
{
	float y[4 * 24];

	memcpy(y, p->x, sizeof y);
	kern_rope(trial_ref, 4, 2, 12, 5, y, 24, DT_F32, p->w, p->idx, p->flag, false);
	return dot(y, p->c, 4 * 24);
}

static void rope(void)
{
	struct probe *p = fresh();

	p->n = 4 * 24;
	for (uint32_t i = 0; i < 8; i++)
		for (uint32_t j = 0; j < 5; j++) {
			p->w[i * 10 + j] = (float)cos(i * 0.3 + j);
			p->w[i * 10 + 5 + j] = (float)sin(i * 0.3 + j);
		}
	for (uint32_t i = 0; i < 4; i++)
		p->idx[i] = i * 3 % 8;
	for (int v = 0; v < 2; v++) {
		p->flag = v;
		memcpy(p->grad, p->c, p->n * sizeof *p->c);
		kern_rope(trial_ref, 4, 2, 12, 5, p->grad, 24, DT_F32, p->w, p->idx, p->flag, true);
		FITS(p, loss_rope);
	}
	mem_free(p);
}

/* --- swiglu: g, then u --- */

static double loss_swiglu(struct probe *p)
{
	float y[90];

	kern_swiglu(trial_ref, 90, DT_F32, p->x, p->x + 90, y);
	return dot(y, p->c, 90);
}

static void swiglu(void)
{
	struct probe *p = fresh();
	float y[90], same[90];

	p->n = 180;
	kern_swiglu_dx(trial_ref, 90, DT_F32, p->x, p->x + 90, p->c, p->grad, p->grad + 90, y);
	kern_swiglu(trial_ref, 90, DT_F32, p->x, p->x + 90, same);
	CHECK(memcmp(y, same, sizeof y) == 0);
	FITS(p, loss_swiglu);
	mem_free(p);
}

/* --- cross-entropy --- */

static double loss_xent(struct probe *p)
{
	float loss[6];

	kern_xent(trial_ref, 6, 11, p->x, 11, p->idx, NULL, p->flag ? 0.2f : 0, NULL, 0, DT_F32, loss);
	return dot(loss, p->w, 6);
}

static void xent(void)
{
	struct probe *p = fresh();
	float loss[6];

	p->n = 66;
	for (uint32_t i = 0; i < 6; i++)
		p->idx[i] = i * 5 % 11;
	for (int v = 0; v < 2; v++) {
		p->flag = v;
		kern_xent(trial_ref, 6, 11, p->x, 11, p->idx, p->w, v ? 0.2f : 0, p->grad, 11, DT_F32, loss);
		FITS(p, loss_xent);
	}
	mem_free(p);
}

/* --- rivals: two rows of six, three and one ids --- */

static const uint32_t rival_row[] = { 1, 4 }, rival_first[] = { 0, 3, 4 }, rival_id[] = { 0, 4, 10, 7 };

static double loss_rivals(struct probe *p)
{
	float loss[2];

	kern_rivals(trial_ref, &(struct kern_rivals){ .m = 2, .n = 11, .row = rival_row, .first = rival_first, .id = rival_id, .logits = p->x, .ldl = 11, .loss = loss });
	return dot(loss, p->w, 2);
}

static void rivals(void)
{
	struct probe *p = fresh();
	float loss[2];

	p->n = 66;
	memset(p->grad, 0, 66 * sizeof *p->grad);
	kern_rivals(trial_ref, &(struct kern_rivals){ .m = 2, .n = 11, .row = rival_row, .first = rival_first, .id = rival_id, .logits = p->x, .ldl = 11, .weight = p->w,
		.dlogits = p->grad, .ldd = 11, .dt = DT_F32, .loss = loss });
	FITS(p, loss_rivals);
	mem_free(p);
}

/* --- embedding: rows that stand twice --- */

static double loss_embed(struct probe *p)
{
	float y[7 * 6];

	kern_embed(trial_ref, 7, kmat_f32(p->x, 5, 6), p->idx, y);
	return dot(y, p->c, 7 * 6);
}

static void embed(void)
{
	struct probe *p = fresh();

	p->n = 30;
	for (uint32_t i = 0; i < 7; i++)
		p->idx[i] = i * 3 % 5;
	kern_embed_dx(trial_ref, 7, 6, p->c, p->idx, p->grad);
	FITS(p, loss_embed);
	mem_free(p);
}

/* --- attention: q, then k, then v; shared keys, groups, windows --- */

enum { Q = 14, KEYS = 14, HEADS = 4, KVH = 2, DK = 5, DV = 3 };

static double loss_attn(struct probe *p)
{
	p->a.q = p->x;
	p->a.k = p->x + Q * HEADS * DK;
	p->a.v = p->x + Q * HEADS * DK + KEYS * KVH * DK;
	p->a.o = p->extra;
	p->a.lse = p->extra + 1000;
	kern_attn(trial_ref, &p->a);
	return dot(p->extra, p->c, Q * HEADS * DV);
}

static void attention(void)
{
	struct probe *p = fresh();

	p->n = Q * HEADS * DK + KEYS * KVH * (DK + DV);
	p->seg[0] = (struct kern_seg){ 0, 4, 0, 0, 0, 4 };
	p->seg[1] = (struct kern_seg){ 4, 3, 0, 4, 4, 3 };
	p->seg[2] = (struct kern_seg){ 7, 7, 0, 4, 7, 7 };
	for (uint32_t window = 0; window < 8; window += 3) {
		p->a = (struct kern_attn){ .seg = p->seg, .nseg = 3, .heads = HEADS, .kv_heads = KVH, .dk = DK, .dv = DV, .scale = 0.7f, .window = window,
			.xt = DT_F32, .ldq = HEADS * DK, .ldk = KVH * DK, .ldv = KVH * DV, .ldo = HEADS * DV };
		loss_attn(p);
		kern_attn_dx(trial_ref, &p->a, p->c, HEADS * DV, p->grad, p->grad + Q * HEADS * DK, p->grad + Q * HEADS * DK + KEYS * KVH * DK);
		FITS(p, loss_attn);
	}
	mem_free(p);
}

int main(void)
{
	trial_open(1, NULL);
	TEST(linear_and_outer);
	TEST(linear_dx_side);
	TEST(colsum);
	TEST(rmsnorm);
	TEST(rope);
	TEST(swiglu);
	TEST(xent);
	TEST(rivals);
	TEST(embed);
	TEST(attention);
	trial_close();
	return test_end();
}
