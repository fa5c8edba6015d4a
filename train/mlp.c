/* SPDX-License-Identifier: Apache-2.0 */
/* The feed-forward half of a block: x += down(silu(gate(norm2(x))) * up(norm2(x))), or a mixture of such, both ways. */
#include "net.h"

void ffn_forward(struct model *m, const struct ffn *f, void *y, enum dtype yt, bool add)
{
	const struct at *at = &f->at;

	group_side(m, f->in, at, f->x, m->cfg.hidden);
	linear_forward(m, f->in, f->p, P_COUNT, at, f->x, f->gate, m->o.act, false);
	linear_forward(m, f->in, f->p + 1, P_COUNT, at, f->x, f->up, m->o.act, false);
	kern_swiglu(m->k, (size_t)at->t * f->width, m->o.act, f->gate, f->up, f->h);
	group_side(m, f->down, at, f->h, f->width);
	linear_forward(m, f->down, f->p + 2, P_COUNT, at, f->h, y, yt, add);
}

void ffn_backward(struct model *m, const struct ffn *f, void *dy, float *dx, bool add)
{
	enum param gate = f->p, up = f->p + 1, down = f->p + 2;
	const struct at *at = &f->at;

	if (net_m(m, down, at->layer, at->expert))                /* its magnitudes' gradient looks at the product's input */
		kern_swiglu(m->k, (size_t)at->t * f->width, m->o.act, f->gate, f->up, f->h);
	side_grads(m, f->down, down, at, f->h, dy);
	linear_backward(m, f->down, down, at, dy, f->dup, m->o.act, false);
	group_backward(m, f->down, at, f->dup, m->o.act);
	kern_swiglu_dx(m->k, (size_t)at->t * f->width, m->o.act, f->gate, f->up, f->dup, f->dgate, f->dup, f->h);
	weight_grads(m, down, P_COUNT, at, f->h, dy);
	group_side_grads(m, f->down, at, f->h, f->width);
	weight_grads(m, gate, P_COUNT, at, f->x, f->dgate);
	weight_grads(m, up, P_COUNT, at, f->x, f->dup);
	side_grads(m, f->in, gate, at, f->x, f->dgate);
	side_grads(m, f->in, up, at, f->x, f->dup);
	group_side_grads(m, f->in, at, f->x, m->cfg.hidden);
	linear_backward(m, f->in, gate, at, f->dgate, dx, DT_F32, add);
	linear_backward(m, f->in, up, at, f->dup, dx, DT_F32, true);
	group_backward(m, f->in, at, dx, DT_F32);
}

static struct ffn dense(struct model *m, uint32_t l, uint32_t t)
{
	struct acts *a = acts_of(m, l);

	return (struct ffn){ .p = P_GATE, .in = G_GATE_UP, .down = G_DOWN, .width = m->cfg.ffn, .at = { .layer = l, .t = t }, .x = m->xn,
		.gate = a->gate, .up = a->up, .h = m->h, .dgate = m->dgate, .dup = m->dup };
}

void mlp_forward(struct model *m, uint32_t l, uint32_t t)
{
	const struct model_config *c = &m->cfg;
	struct acts *a = acts_of(m, l);
	struct ffn f = dense(m, l, t);

	kern_rmsnorm(m->k, t, c->hidden, m->x, c->hidden, DT_F32, net_vec(m, P_NORM2, l), c->rms_eps, m->xn, c->hidden, m->o.act, a->rstd2, a->x2);
	if (config_is_moe(c, l))
		moe_forward(m, l, t);
	else
		ffn_forward(m, &f, m->x, DT_F32, true);
}

void mlp_backward(struct model *m, uint32_t l, uint32_t t)
{
	const struct model_config *c = &m->cfg;
	struct acts *a = acts_of(m, l);
	struct ffn f = dense(m, l, t);

	kern_cast(m->k, (size_t)t * c->hidden, m->dx, DT_F32, m->dy, m->o.act);
	kern_rmsnorm_again(m->k, t, c->hidden, a->x2, a->rstd2, net_vec(m, P_NORM2, l), m->xn, m->o.act);
	if (config_is_moe(c, l))
		moe_backward(m, l, t);
	else
		ffn_backward(m, &f, m->dy, m->dxn, false);
	kern_rmsnorm_dx(m->k, t, c->hidden, a->x2, c->hidden, m->o.act, a->rstd2, net_vec(m, P_NORM2, l), m->dxn, c->hidden, DT_F32,
	                m->dx, c->hidden, false, net_grad(m, P_NORM2, l));
}
