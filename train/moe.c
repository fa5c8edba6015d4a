/* SPDX-License-Identifier: Apache-2.0 */
/* A mixture of experts: each token takes the `top` best of them by the router, weighted, and the shared expert.
 * Choices are sorted by expert into slots, so that each expert multiplies one run of rows. */
#include "net.h"

#include <string.h>

#include "mem.h"

static struct kern_route router(const struct model *m, uint32_t l, uint32_t t)
{
	const struct model_config *c = &m->cfg;

	return (struct kern_route){ .t = t, .experts = c->experts, .top = c->top, .groups = c->groups, .topg = c->topg, .sigmoid = c->route_sigmoid,
		.pair = c->route_pair, .norm = c->route_norm, .scale = (float)c->route_scale, .bias = net_vec(m, P_RBIAS, l) };
}

static struct ffn shared(struct model *m, uint32_t l, uint32_t t)
{
	struct moe_acts *a = &acts_of(m, l)->moe;

	return (struct ffn){ .p = P_SGATE, .in = G_SHARED_GATE_UP, .down = G_SHARED_DOWN, .width = m->cfg.shared_ffn, .at = { .layer = l, .t = t },
		.x = m->xn, .gate = a->sgate, .up = a->sup, .h = m->h, .dgate = m->dgate, .dup = m->dup };
}

/* Expert X over its run of slots. */
static struct ffn routed(struct model *m, uint32_t l, uint32_t x)
{
	struct moe_acts *a = &acts_of(m, l)->moe;
	size_t s = a->first[x], f = m->cfg.expert_ffn;

	return (struct ffn){ .p = P_EGATE, .in = G_EXPERT_GATE_UP, .down = G_EXPERT_DOWN, .width = m->cfg.expert_ffn,
		.at = { .layer = l, .t = a->first[x + 1] - a->first[x], .expert = x, .slot = a->first[x], .row = a->token + s },
		.x = net_at(m, m->xe, s * m->cfg.hidden), .gate = net_at(m, a->gate, s * f), .up = net_at(m, a->up, s * f),
		.h = net_at(m, m->h, s * f), .dgate = net_at(m, m->dgate, s * f), .dup = net_at(m, m->dup, s * f) };
}

/* A counting sort of the choices by expert; within an expert tokens stay in order. */
static void sort_choices(struct model *m, struct moe_acts *a, uint32_t t)
{
	uint32_t n = t * m->cfg.top, experts = m->cfg.experts;
	uint32_t *expert = mem_grow(NULL, 3 * (size_t)n + 1, sizeof *expert), *slot = expert + n, *token = slot + n;

	kern_get(m->k, expert, a->expert, n * sizeof *expert);
	memset(a->first, 0, (experts + 1) * sizeof *a->first);
	for (uint32_t i = 0; i < n; i++)
		a->first[expert[i] + 1]++;
	for (uint32_t x = 0; x < experts; x++)
		a->first[x + 1] += a->first[x];
	for (uint32_t i = 0; i < n; i++) {
		slot[i] = a->first[expert[i]]++;
		token[slot[i]] = i / m->cfg.top;
	}
	memmove(a->first + 1, a->first, experts * sizeof *a->first);      /* the counters have moved on by one expert */
	a->first[0] = 0;
	kern_put(m->k, a->slot, slot, n * sizeof *slot);
	kern_put(m->k, a->token, token, n * sizeof *token);
	mem_free(expert);
}

static void experts_forward(struct model *m, uint32_t l, struct moe_acts *a)
{
	for (uint32_t x = 0; x < m->cfg.experts; x++) {
		struct ffn f = routed(m, l, x);

		if (f.at.t)
			ffn_forward(m, &f, net_at(m, a->y, (size_t)f.at.slot * m->cfg.hidden), m->o.act, false);
	}
}

void moe_forward(struct model *m, uint32_t l, uint32_t t)
{
	const struct model_config *c = &m->cfg;
	struct moe_acts *a = &acts_of(m, l)->moe;
	struct kern_route r = router(m, l, t);
	struct ffn f = shared(m, l, t);

	kern_linear(m->k, &(struct kern_linear){ .t = t, .w = net_mat(m, P_ROUTER, l), .x = m->xn, .ldx = c->hidden, .xt = m->o.act,
		.y = a->scores, .ldy = c->experts, .yt = DT_F32 });
	kern_route(m->k, &r, a->scores, a->expert, a->weight);
	sort_choices(m, a, t);
	kern_rows_gather(m->k, t * c->top, c->hidden, m->o.act, m->xn, c->hidden, a->token, m->xe);
	experts_forward(m, l, a);
	kern_combine(m->k, t, c->hidden, c->top, m->o.act, a->y, a->slot, a->weight, m->x);
	if (c->shared_ffn == 0)
		return;
	if (!c->shared_gate) {
		ffn_forward(m, &f, m->x, DT_F32, true);
		return;
	}
	kern_linear(m->k, &(struct kern_linear){ .t = t, .w = net_mat(m, P_SHGATE, l), .x = m->xn, .ldx = c->hidden, .xt = m->o.act,
		.y = a->sz, .ldy = 1, .yt = DT_F32 });
	ffn_forward(m, &f, a->sy, m->o.act, false);
	kern_gated(m->k, t, c->hidden, m->o.act, a->sz, a->sy, m->x);
}

/* --- and back --- */

static void experts_backward(struct model *m, uint32_t l)
{
	for (uint32_t x = 0; x < m->cfg.experts; x++) {
		struct ffn f = routed(m, l, x);
		size_t at = (size_t)f.at.slot * m->cfg.hidden;

		if (f.at.t)
			ffn_backward(m, &f, net_at(m, m->dye, at), m->dxe + at, false);
	}
}

/* Gradient of a matrix that reads m->xn and gave f32 values: D [t, n] f32 -> its weights, and m->dxn +=. */
static void small_backward(struct model *m, enum param p, uint32_t l, uint32_t t, const float *d)
{
	struct kmat w = net_mat(m, p, l);
	float *g = net_grad(m, p, l);

	kern_cast(m->k, (size_t)t * w.rows, d, DT_F32, m->small, m->o.act);
	if (g)
		kern_outer(m->k, t, w.rows, w.cols, 1, m->o.act, m->small, w.rows, m->xn, w.cols, g, w.cols);
	kern_linear_dx(m->k, &(struct kern_linear_dx){ .t = t, .w = w, .dy = m->small, .lddy = w.rows, .xt = m->o.act, .alpha = 1,
		.dx = m->dxn, .lddx = w.cols, .yt = DT_F32, .add = true });
}

static void shared_backward(struct model *m, uint32_t l, uint32_t t, struct moe_acts *a)
{
	const struct model_config *c = &m->cfg;
	struct ffn f = shared(m, l, t);

	if (c->shared_ffn == 0)
		return;
	if (c->shared_gate) {
		kern_gated_dx(m->k, t, c->hidden, m->o.act, a->sz, a->sy, m->dx, m->dy, m->dweight);
		small_backward(m, P_SHGATE, l, t, m->dweight);
	}
	ffn_backward(m, &f, m->dy, m->dxn, true);
}

void moe_backward(struct model *m, uint32_t l, uint32_t t)
{
	const struct model_config *c = &m->cfg;
	struct moe_acts *a = &acts_of(m, l)->moe;
	struct kern_route r = router(m, l, t);

	kern_zero(m->k, m->dxn, (size_t)t * c->hidden * sizeof(float));
	kern_combine_dx(m->k, t, c->hidden, c->top, m->o.act, m->dx, a->y, a->slot, a->weight, m->dye, m->dweight);
	kern_rows_gather(m->k, t * c->top, c->hidden, m->o.act, m->xn, c->hidden, a->token, m->xe);
	experts_backward(m, l);
	kern_combine_add(m->k, t, c->hidden, c->top, m->dxe, a->slot, m->dxn);
	kern_route_dx(m->k, &r, a->scores, a->expert, m->dweight, m->dlogits_route);
	small_backward(m, P_ROUTER, l, t, m->dlogits_route);
	shared_backward(m, l, t, a);
}
