/* SPDX-License-Identifier: Apache-2.0 */
/* Multi-head latent attention (DeepSeek V2, V3): keys and values of all heads come from one short latent, and one rotated key serves them all.
 *     q = q_b(norm(q_a(x)))  or  q_proj(x);   kv_a(x) = latent, rotated key;   kv_b(norm(latent)) = per head key, value
 * The latents' norms use eps 1e-6 whatever the configuration says, as the reference does. */
#include "net.h"

static const float LATENT_EPS = 1e-6f;

static uint32_t kva_width(const struct model_config *c)
{
	return c->kv_rank + c->rotated;
}

static struct kern_mla keys_of(const struct model *m, uint32_t t)
{
	const struct model_config *c = &m->cfg;

	return (struct kern_mla){ .t = t, .heads = c->heads, .nope = c->head_dim - c->rotated, .rope = c->rotated, .dv = c->v_dim, .xt = m->o.act };
}

static void q_forward(struct model *m, uint32_t l, uint32_t t)
{
	const struct model_config *c = &m->cfg;
	struct acts *a = acts_of(m, l);
	struct at at = { .layer = l, .t = t };
	uint32_t r = c->q_rank;

	if (r == 0) {
		linear_forward(m, G_QKV, P_WQ, P_COUNT, &at, m->xn, a->q, m->o.act, false);
		return;
	}
	linear_forward(m, G_QKV, P_QA, P_COUNT, &at, m->xn, m->qa, m->o.act, false);
	kern_rmsnorm(m->k, t, r, m->qa, r, m->o.act, net_vec(m, P_QANORM, l), LATENT_EPS, m->qa, r, m->o.act, a->rstdqa, a->xqa);
	group_side(m, G_QB, &at, m->qa, r);
	linear_forward(m, G_QB, P_QB, P_COUNT, &at, m->qa, a->q, m->o.act, false);
}

void mla_forward(struct model *m, uint32_t l, const struct batch *b)
{
	const struct model_config *c = &m->cfg;
	struct acts *a = acts_of(m, l);
	struct kern_mla keys = keys_of(m, b->n);
	struct at at = { .layer = l, .t = b->n };
	uint32_t w = kva_width(c), r = c->kv_rank;

	group_side(m, G_QKV, &at, m->xn, c->hidden);
	q_forward(m, l, b->n);
	linear_forward(m, G_QKV, P_KVA, P_COUNT, &at, m->xn, m->kva, m->o.act, false);
	kern_rmsnorm(m->k, b->n, r, m->kva, w, m->o.act, net_vec(m, P_KVANORM, l), LATENT_EPS, m->lat, r, m->o.act, a->rstdkv, a->xkv);
	group_side(m, G_KVB, &at, m->lat, r);
	linear_forward(m, G_KVB, P_KVB, P_COUNT, &at, m->lat, m->kvb, m->o.act, false);
	rotate(m, b->n, c->heads, c->head_dim, a->q, m->qd, b->pos, false);
	rotate(m, b->n, 1, c->rotated, net_at(m, m->kva, r), w, b->pos, false);
	kern_mla_keys(m->k, &keys, m->kvb, net_at(m, m->kva, r), w, a->k, a->v);
}

/* From m->dq to m->dqa: the gradient of what q_a gave. */
static void q_backward(struct model *m, uint32_t l, uint32_t t)
{
	struct acts *a = acts_of(m, l);
	struct at at = { .layer = l, .t = t };
	uint32_t r = m->cfg.q_rank;

	kern_rmsnorm_again(m->k, t, r, a->xqa, a->rstdqa, net_vec(m, P_QANORM, l), m->qa, m->o.act);
	weight_grads(m, P_QB, P_COUNT, &at, m->qa, m->dq);
	side_grads(m, G_QB, P_QB, &at, m->qa, m->dq);
	group_side_grads(m, G_QB, &at, m->qa, r);
	linear_backward(m, G_QB, P_QB, &at, m->dq, m->dqa, m->o.act, false);
	group_backward(m, G_QB, &at, m->dqa, m->o.act);
	kern_rmsnorm_dx(m->k, t, r, a->xqa, r, m->o.act, a->rstdqa, net_vec(m, P_QANORM, l), m->dqa, r, m->o.act, m->dqa, r, true, net_grad(m, P_QANORM, l));
}

/* From m->dk and m->dv to m->dkva. */
static void kv_backward(struct model *m, uint32_t l, const struct batch *b)
{
	const struct model_config *c = &m->cfg;
	struct acts *a = acts_of(m, l);
	struct kern_mla keys = keys_of(m, b->n);
	uint32_t w = kva_width(c), r = c->kv_rank, t = b->n;
	struct at at = { .layer = l, .t = t };

	kern_mla_keys_dx(m->k, &keys, m->dk, m->dv, m->kvb, net_at(m, m->dkva, r), w);
	rotate(m, t, 1, c->rotated, net_at(m, m->dkva, r), w, b->pos, true);
	kern_rmsnorm_again(m->k, t, r, a->xkv, a->rstdkv, net_vec(m, P_KVANORM, l), m->lat, m->o.act);
	weight_grads(m, P_KVB, P_COUNT, &at, m->lat, m->kvb);
	side_grads(m, G_KVB, P_KVB, &at, m->lat, m->kvb);
	group_side_grads(m, G_KVB, &at, m->lat, r);
	linear_backward(m, G_KVB, P_KVB, &at, m->kvb, m->dlat, m->o.act, false);
	group_backward(m, G_KVB, &at, m->dlat, m->o.act);
	kern_rmsnorm_dx(m->k, t, r, a->xkv, r, m->o.act, a->rstdkv, net_vec(m, P_KVANORM, l), m->dlat, r, m->o.act, m->dkva, w, true, net_grad(m, P_KVANORM, l));
}

void mla_backward(struct model *m, uint32_t l, const struct batch *b, bool down)
{
	const struct model_config *c = &m->cfg;
	enum param q = c->q_rank ? P_QA : P_WQ;
	void *dq = c->q_rank ? m->dqa : m->dq;
	struct at at = { .layer = l, .t = b->n };

	rotate(m, b->n, c->heads, c->head_dim, m->dq, m->qd, b->pos, true);
	if (c->q_rank)
		q_backward(m, l, b->n);
	kv_backward(m, l, b);
	weight_grads(m, q, P_COUNT, &at, m->xn, dq);
	weight_grads(m, P_KVA, P_COUNT, &at, m->xn, m->dkva);
	side_grads(m, G_QKV, q, &at, m->xn, dq);
	side_grads(m, G_QKV, P_KVA, &at, m->xn, m->dkva);
	group_side_grads(m, G_QKV, &at, m->xn, c->hidden);
	if (!down)
		return;
	linear_backward(m, G_QKV, q, &at, dq, m->dxn, DT_F32, false);
	linear_backward(m, G_QKV, P_KVA, &at, m->dkva, m->dxn, DT_F32, true);
	group_backward(m, G_QKV, &at, m->dxn, DT_F32);
}
