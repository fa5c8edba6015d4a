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
	[G_EXPERT_GATE_UP] = { P_EGATE, P_EUP, P_COUNT },
	[G_EXPERT_DOWN]    = { P_EDOWN, P_COUNT },
};

/* The first A of the group in the block of trained values: the others follow it (or are the same). */
static const struct lora_site *first_site(const struct model *m, enum group g, uint32_t l, uint32_t x)
{
	const struct lora_site *s = NULL;

	for (int i = 0; s == NULL && group_member[g][i] != P_COUNT; i++)
		s = net_site(m, group_member[g][i], l, x);
	return s;
}

static uint32_t input_width(const struct model *m, enum group g, uint32_t l, uint32_t x)
{
	for (int i = 0; group_member[g][i] != P_COUNT; i++)
		if (net_has(m, group_member[g][i], l))
			return net_expert(m, group_member[g][i], l, x).cols;
	return 0;
}

/* Columns of member S in the side product. */
static uint32_t column(const struct model *m, enum group g, const struct at *at, const struct lora_site *s)
{
	return (uint32_t)((s->a - first_site(m, g, at->layer, at->expert)->a) / input_width(m, g, at->layer, at->expert));
}

uint32_t group_width(const struct model *m, enum group g, uint32_t l, uint32_t x)
{
	struct at at = { .layer = l, .expert = x };
	uint32_t w = 0;

	for (int i = 0; group_member[g][i] != P_COUNT; i++) {
		const struct lora_site *s = net_site(m, group_member[g][i], l, x);

		if (s)
			w = column(m, g, &at, s) + s->rank;
	}
	return w;
}

/* The group's side product of these rows: [t, group_width()], packed. */
static void *side(struct model *m, enum group g, const struct at *at)
{
	const struct acts *a = acts_of(m, at->layer);

	return net_at(m, a->side[g], (size_t)at->slot * a->side_width[g]);
}

static struct kern_drop drop(struct model *m, enum group g, const struct at *at, uint32_t n)
{
	return (struct kern_drop){ .t = at->t, .n = n, .key = m->key, .row = at->row, .p = (float)m->lora->dropout,
		.salt = ((uint64_t)at->expert << 32 | at->layer) * G_COUNT + (uint64_t)g + 1 };
}

/* What the As read: X, with dropout its values thinned out (into m->xdrop). */
static const void *thinned(struct model *m, enum group g, const struct at *at, const void *x, uint32_t in)
{
	struct kern_drop d;

	if (!m->dropping)
		return x;
	d = drop(m, g, at, in);
	kern_dropout(m->k, &d, m->o.act, x, m->xdrop);
	return m->xdrop;
}

/* side = x A^T for all adapted members of the group at once. */
void group_side(struct model *m, enum group g, const struct at *at, const void *x, uint32_t in)
{
	const struct lora_site *s = first_site(m, g, at->layer, at->expert);
	uint32_t n;

	if (s == NULL)
		return;
	n = group_width(m, g, at->layer, at->expert);
	kern_linear(m->k, &(struct kern_linear){ .t = at->t, .w = kmat_f32(m->values + s->a, n, in), .x = thinned(m, g, at, x, in), .ldx = in,
		.xt = m->o.act, .y = side(m, g, at), .ldy = n, .yt = m->o.act });
}

/* y (= or +=) x W^T + scale * side B^T + bias */
static void product(struct model *m, enum group g, enum param p, const float *bias, const struct at *at, const void *x, void *y, enum dtype yt, bool add)
{
	struct kmat w = net_expert(m, p, at->layer, at->expert);
	const struct lora_site *s = net_site(m, p, at->layer, at->expert);
	struct kern_linear f = { .t = at->t, .w = w, .x = x, .ldx = w.cols, .xt = m->o.act, .bias = bias, .y = y, .ldy = w.rows, .yt = yt, .add = add };

	if (s) {
		f.r = s->rank;
		f.u = net_at(m, side(m, g, at), column(m, g, at, s));
		f.ldu = group_width(m, g, at->layer, at->expert);
		f.b = m->values + s->b;
		f.scale = s->scale;
	}
	kern_linear(m->k, &f);
}

void linear_forward(struct model *m, enum group g, enum param p, enum param bias, const struct at *at, const void *x, void *y, enum dtype yt, bool add)
{
	const float *b = bias != P_COUNT ? net_vec(m, bias, at->layer) : NULL, *mag = net_m(m, p, at->layer, at->expert);
	uint32_t out = net_expert(m, p, at->layer, at->expert).rows;

	if (mag == NULL) {
		product(m, g, p, b, at, x, y, yt, add);
		return;
	}
	product(m, g, p, NULL, at, x, m->dora, DT_F32, false);
	kern_dora_scale(m->k, at->t, out, m->dora, mag, m->norm + (mag - m->values), b, y, out, yt, add);
}

/* Gradients of W and bias of member P, where they are trained, from its input X and DY [t, out]. */
void weight_grads(struct model *m, enum param p, enum param bias, const struct at *at, const void *x, const void *dy)
{
	struct kmat w = net_expert(m, p, at->layer, at->expert);
	float *gw = net_expert_grad(m, p, at->layer, at->expert), *gb = bias != P_COUNT ? net_grad(m, bias, at->layer) : NULL;

	if (gw)
		kern_outer(m->k, at->t, w.rows, w.cols, 1, m->o.act, dy, w.rows, x, w.cols, gw, w.cols);
	if (gb)
		kern_colsum(m->k, at->t, w.rows, m->o.act, dy, w.rows, gb);
}

/* Gradient of member P's magnitudes, and DY of the product before the scaling; the product is computed again. */
static void magnitude_grads(struct model *m, enum group g, enum param p, const struct at *at, const void *x, void *dy)
{
	const float *mag = net_m(m, p, at->layer, at->expert);

	if (mag == NULL)
		return;
	product(m, g, p, NULL, at, x, m->dora, DT_F32, false);
	kern_dora_scale_dx(m->k, at->t, net_expert(m, p, at->layer, at->expert).rows, m->o.act, dy, m->dora, mag, m->norm + (mag - m->values), dy,
	                   net_grad_of(m, mag));
}

/* Has an earlier member of the group the A of S: then its part of m->dside is there already. */
static bool shares_a(const struct model *m, enum group g, enum param p, const struct at *at, const struct lora_site *s)
{
	for (int i = 0; group_member[g][i] != p; i++) {
		const struct lora_site *q = net_site(m, group_member[g][i], at->layer, at->expert);

		if (q && q->a == s->a)
			return true;
	}
	return false;
}

/* m->dside (=, or += where another member has the same A) scale * dy B. */
static void side_dx(struct model *m, enum group g, enum param p, const struct at *at, const struct lora_site *s, uint32_t out, const void *dy)
{
	uint32_t ld = group_width(m, g, at->layer, at->expert), n = at->t * s->rank;
	bool add = shares_a(m, g, p, at, s);
	struct kern_linear_dx f = { .t = at->t, .w = kmat_f32(m->values + s->b, out, s->rank), .dy = dy, .lddy = out, .xt = m->o.act, .alpha = s->scale,
		.dx = net_at(m, m->dside, column(m, g, at, s)), .lddx = ld, .yt = m->o.act };

	if (!add) {
		kern_linear_dx(m->k, &f);
		return;
	}
	/* The two share all columns (ld is the rank); the sum is taken in f32. */
	kern_cast(m->k, n, m->dside, m->o.act, m->dshared, DT_F32);
	f.dx = m->dshared;
	f.yt = DT_F32;
	f.add = true;
	kern_linear_dx(m->k, &f);
	kern_cast(m->k, n, m->dshared, DT_F32, m->dside, m->o.act);
}

/* Gradient of B of member P, and of its part of the side product, which goes to m->dside. */
void side_grads(struct model *m, enum group g, enum param p, const struct at *at, const void *x, void *dy)
{
	const struct lora_site *s = net_site(m, p, at->layer, at->expert);
	uint32_t out = net_expert(m, p, at->layer, at->expert).rows;

	if (s == NULL)
		return;
	magnitude_grads(m, g, p, at, x, dy);
	kern_outer(m->k, at->t, out, s->rank, s->scale, m->o.act, dy, out, net_at(m, side(m, g, at), column(m, g, at, s)),
	           group_width(m, g, at->layer, at->expert), m->grad + s->b, s->rank);
	side_dx(m, g, p, at, s, out, dy);
}

/* dx (= or +=) dy W + dside A.  With dropout, and where two members share an A, the second part is left to group_backward(). */
void linear_backward(struct model *m, enum group g, enum param p, const struct at *at, const void *dy, void *dx, enum dtype yt, bool add)
{
	struct kmat w = net_expert(m, p, at->layer, at->expert);
	const struct lora_site *s = net_site(m, p, at->layer, at->expert);
	struct kern_linear_dx f = { .t = at->t, .w = w, .dy = dy, .lddy = w.rows, .xt = m->o.act, .alpha = 1, .dx = dx, .lddx = w.cols, .yt = yt, .add = add };

	if (s && !m->dropping && !shares_a(m, g, p, at, s)) {
		f.r = s->rank;
		f.du = net_at(m, m->dside, column(m, g, at, s));
		f.lddu = group_width(m, g, at->layer, at->expert);
		f.a = m->values + s->a;
	}
	kern_linear_dx(m->k, &f);
}

/* Gradient of the group's As, once m->dside is complete: dA += dside^T x. */
void group_side_grads(struct model *m, enum group g, const struct at *at, const void *x, uint32_t in)
{
	const struct lora_site *s = first_site(m, g, at->layer, at->expert);
	uint32_t n = group_width(m, g, at->layer, at->expert);

	if (s)
		kern_outer(m->k, at->t, n, in, 1, m->o.act, m->dside, n, thinned(m, g, at, x, in), in, m->grad + s->a, in);
}

/* With dropout: dx += what came back to the group's thinned input. */
void group_backward(struct model *m, enum group g, const struct at *at, void *dx, enum dtype yt)
{
	const struct lora_site *s = first_site(m, g, at->layer, at->expert);
	uint32_t n = group_width(m, g, at->layer, at->expert), in = input_width(m, g, at->layer, at->expert);
	struct kern_drop d;

	if (s == NULL || !m->dropping)
		return;
	kern_linear_dx(m->k, &(struct kern_linear_dx){ .t = at->t, .w = kmat_f32(m->values + s->a, n, in), .dy = m->dside, .lddy = n, .xt = m->o.act,
		.alpha = 1, .dx = m->dxdrop, .lddx = in, .yt = DT_F32 });
	d = drop(m, g, at, in);
	kern_dropout_dx(m->k, &d, m->dxdrop, dx, yt);
}
