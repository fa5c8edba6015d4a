/* SPDX-License-Identifier: Apache-2.0 */
/* Linear layers with their adapters, in groups that read the same input. */
#include "net.h"

const enum param group_member[G_COUNT][GROUP_MAX] = {
	[G_QKV]            = { P_WQ, P_WK, P_WV, P_QA, P_KVA, P_COUNT },
	[G_QB]             = { P_QB, P_COUNT },
	[G_KVB]            = { P_KVB, P_COUNT },
	[G_O]              = { P_WO, P_COUNT },
	[G_GATE_UP]        = { P_GATE, P_UP, P_COUNT },
	[G_DOWN]           = { P_DOWN, P_COUNT },
	[G_SHARED_GATE_UP] = { P_SGATE, P_SUP, P_COUNT },
	[G_SHARED_DOWN]    = { P_SDOWN, P_COUNT },
};

/* The first A of the group in the block of trained values: the others follow it. */
static const float *first_a(const struct model *m, enum group g, uint32_t l)
{
	for (int i = 0; group_member[g][i] != P_COUNT; i++)
		if (net_a(m, group_member[g][i], l))
			return net_a(m, group_member[g][i], l);
	return NULL;
}

uint32_t group_width(const struct model *m, enum group g, uint32_t l)
{
	uint32_t n = 0;

	for (int i = 0; group_member[g][i] != P_COUNT; i++)
		n += net_a(m, group_member[g][i], l) != NULL;
	return m->lora ? n * m->lora->rank : 0;
}

/* Place of member P among the adapted ones of its group: its columns of the side product. */
static uint32_t place(const struct model *m, enum group g, enum param p, uint32_t l)
{
	uint32_t n = 0;

	for (int i = 0; group_member[g][i] != p; i++)
		n += net_a(m, group_member[g][i], l) != NULL;
	return n;
}

/* side = x A^T for all adapted members of the group at once. */
void group_side(struct model *m, enum group g, uint32_t l, uint32_t t, const void *x, uint32_t in)
{
	uint32_t n = group_width(m, g, l);

	if (n == 0)
		return;
	kern_linear(m->k, &(struct kern_linear){ .t = t, .w = { first_a(m, g, l), DT_F32, n, in }, .x = x, .ldx = in, .xt = m->o.act,
		.y = acts_of(m, l)->side[g], .ldy = n, .yt = m->o.act });
}

/* y (= or +=) x W^T + scale * side B^T + bias */
static void product(struct model *m, enum group g, enum param p, const float *bias, uint32_t l, uint32_t t, const void *x, void *y, enum dtype yt, bool add)
{
	struct kmat w = net_mat(m, p, l);
	const float *b = net_b(m, p, l);
	struct kern_linear f = { .t = t, .w = w, .x = x, .ldx = w.cols, .xt = m->o.act, .bias = bias, .y = y, .ldy = w.rows, .yt = yt, .add = add };

	if (b) {
		uint32_t r = m->lora->rank;
		f.r = r;
		f.u = net_at(m, acts_of(m, l)->side[g], (size_t)place(m, g, p, l) * r);
		f.ldu = group_width(m, g, l);
		f.b = b;
		f.scale = m->lora->scale;
	}
	kern_linear(m->k, &f);
}

void linear_forward(struct model *m, enum group g, enum param p, enum param bias, uint32_t l, uint32_t t, const void *x, void *y, enum dtype yt, bool add)
{
	const float *b = bias != P_COUNT ? net_vec(m, bias, l) : NULL, *mag = net_m(m, p, l);
	uint32_t out = net_mat(m, p, l).rows;

	if (mag == NULL) {
		product(m, g, p, b, l, t, x, y, yt, add);
		return;
	}
	product(m, g, p, NULL, l, t, x, m->dora, DT_F32, false);
	kern_dora_scale(m->k, t, out, m->dora, mag, m->norm + (mag - m->values), b, y, out, yt, add);
}

/* Gradients of W and bias of member P, where they are trained, from its input X and DY [t, out]. */
void weight_grads(struct model *m, enum param p, enum param bias, uint32_t l, uint32_t t, const void *x, const void *dy)
{
	struct kmat w = net_mat(m, p, l);
	float *gw = net_grad(m, p, l), *gb = bias != P_COUNT ? net_grad(m, bias, l) : NULL;

	if (gw)
		kern_outer(m->k, t, w.rows, w.cols, 1, m->o.act, dy, w.rows, x, w.cols, gw, w.cols);
	if (gb)
		kern_colsum(m->k, t, w.rows, m->o.act, dy, w.rows, gb);
}

/* Gradient of member P's magnitudes, and DY of the product before the scaling; the product is computed again. */
static void magnitude_grads(struct model *m, enum group g, enum param p, uint32_t l, uint32_t t, const void *x, void *dy)
{
	const float *mag = net_m(m, p, l);

	if (mag == NULL)
		return;
	product(m, g, p, NULL, l, t, x, m->dora, DT_F32, false);
	kern_dora_scale_dx(m->k, t, net_mat(m, p, l).rows, m->o.act, dy, m->dora, mag, m->norm + (mag - m->values), dy, net_grad_of(m, mag));
}

/* Gradient of B of member P, and of its part of the side product, which goes to m->dside. */
void side_grads(struct model *m, enum group g, enum param p, uint32_t l, uint32_t t, const void *x, void *dy)
{
	float *b = net_b(m, p, l);
	uint32_t out = net_mat(m, p, l).rows, r;
	size_t ld, off;

	if (b == NULL)
		return;
	magnitude_grads(m, g, p, l, t, x, dy);
	r = m->lora->rank;
	ld = group_width(m, g, l);
	off = (size_t)place(m, g, p, l) * r;
	kern_outer(m->k, t, out, r, m->lora->scale, m->o.act, dy, out, net_at(m, acts_of(m, l)->side[g], off), ld, net_grad_of(m, b), r);
	kern_linear_dx(m->k, &(struct kern_linear_dx){ .t = t, .w = { b, DT_F32, out, r }, .dy = dy, .lddy = out, .xt = m->o.act,
		.alpha = m->lora->scale, .dx = net_at(m, m->dside, off), .lddx = ld, .yt = m->o.act });
}

/* dx (= or +=) dy W + dside A */
void linear_backward(struct model *m, enum group g, enum param p, uint32_t l, uint32_t t, const void *dy, void *dx, enum dtype yt, bool add)
{
	struct kmat w = net_mat(m, p, l);
	float *a = net_a(m, p, l);
	struct kern_linear_dx f = { .t = t, .w = w, .dy = dy, .lddy = w.rows, .xt = m->o.act, .alpha = 1, .dx = dx, .lddx = w.cols, .yt = yt, .add = add };

	if (a) {
		uint32_t r = m->lora->rank;
		f.r = r;
		f.du = net_at(m, m->dside, (size_t)place(m, g, p, l) * r);
		f.lddu = group_width(m, g, l);
		f.a = a;
	}
	kern_linear_dx(m->k, &f);
}

/* Gradient of the group's As, once m->dside is complete: dA += dside^T x. */
void group_side_grads(struct model *m, enum group g, uint32_t l, uint32_t t, const void *x, uint32_t in)
{
	uint32_t n = group_width(m, g, l);

	if (n)
		kern_outer(m->k, t, n, in, 1, m->o.act, m->dside, n, x, in, net_grad_of(m, first_a(m, g, l)), in);
}
