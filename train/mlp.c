/* SPDX-License-Identifier: Apache-2.0 */
/* The feed-forward half of a block: x += down(silu(gate(norm2(x))) * up(norm2(x))), or a mixture of such, both ways. */
#include "net.h"

void ffn_forward(struct model *m, const struct ffn *f, uint32_t l, uint32_t t, void *y, enum dtype yt, bool add)
{
	group_side(m, f->in, l, t, m->xn, m->cfg.hidden);
	linear_forward(m, f->in, f->p, P_COUNT, l, t, m->xn, f->gate, m->o.act, false);
	linear_forward(m, f->in, f->p + 1, P_COUNT, l, t, m->xn, f->up, m->o.act, false);
	kern_swiglu(m->k, (size_t)t * f->width, m->o.act, f->gate, f->up, m->h);
	group_side(m, f->down, l, t, m->h, f->width);
	linear_forward(m, f->down, f->p + 2, P_COUNT, l, t, m->h, y, yt, add);
}

void ffn_backward(struct model *m, const struct ffn *f, uint32_t l, uint32_t t, void *dy, bool add)
{
	enum param gate = f->p, up = f->p + 1, down = f->p + 2;

	if (net_m(m, down, l))                                    /* its magnitudes' gradient looks at the product's input */
		kern_swiglu(m->k, (size_t)t * f->width, m->o.act, f->gate, f->up, m->h);
	side_grads(m, f->down, down, l, t, m->h, dy);
	linear_backward(m, f->down, down, l, t, dy, m->dup, m->o.act, false);
	kern_swiglu_dx(m->k, (size_t)t * f->width, m->o.act, f->gate, f->up, m->dup, m->dgate, m->dup, m->h);
	weight_grads(m, down, P_COUNT, l, t, m->h, dy);
	group_side_grads(m, f->down, l, t, m->h, f->width);
	weight_grads(m, gate, P_COUNT, l, t, m->xn, m->dgate);
	weight_grads(m, up, P_COUNT, l, t, m->xn, m->dup);
	side_grads(m, f->in, gate, l, t, m->xn, m->dgate);
	side_grads(m, f->in, up, l, t, m->xn, m->dup);
	group_side_grads(m, f->in, l, t, m->xn, m->cfg.hidden);
	linear_backward(m, f->in, gate, l, t, m->dgate, m->dxn, DT_F32, add);
	linear_backward(m, f->in, up, l, t, m->dup, m->dxn, DT_F32, true);
}

static struct ffn dense(struct model *m, uint32_t l)
{
	struct acts *a = acts_of(m, l);

	return (struct ffn){ P_GATE, G_GATE_UP, G_DOWN, m->cfg.ffn, a->gate, a->up };
}

void mlp_forward(struct model *m, uint32_t l, uint32_t t)
{
	const struct model_config *c = &m->cfg;
	struct acts *a = acts_of(m, l);
	struct ffn f = dense(m, l);

	kern_rmsnorm(m->k, t, c->hidden, m->x, c->hidden, DT_F32, net_vec(m, P_NORM2, l), c->rms_eps, m->xn, c->hidden, m->o.act, a->rstd2, a->x2);
	if (config_is_moe(c, l))
		moe_forward(m, l, t);
	else
		ffn_forward(m, &f, l, t, m->x, DT_F32, true);
}

void mlp_backward(struct model *m, uint32_t l, uint32_t t)
{
	const struct model_config *c = &m->cfg;
	struct acts *a = acts_of(m, l);
	struct ffn f = dense(m, l);

	kern_cast(m->k, (size_t)t * c->hidden, m->dx, DT_F32, m->dy, m->o.act);
	kern_rmsnorm_again(m->k, t, c->hidden, a->x2, a->rstd2, net_vec(m, P_NORM2, l), m->xn, m->o.act);
	if (config_is_moe(c, l))
		moe_backward(m, l, t);
	else
		ffn_backward(m, &f, l, t, m->dy, false);
	kern_rmsnorm_dx(m->k, t, c->hidden, a->x2, c->hidden, m->o.act, a->rstd2, net_vec(m, P_NORM2, l), m->dxn, c->hidden, DT_F32,
	                m->dx, c->hidden, false, net_grad(m, P_NORM2, l));
}
