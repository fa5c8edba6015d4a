/* SPDX-License-Identifier: Apache-2.0 */
/* The attention half of a block: x += o(attention(q, k, v of norm1(x))), both ways. */
#include "net.h"

/* The last `rotated` values of each head turn with the position. */
void rotate(struct model *m, uint32_t t, uint32_t heads, uint32_t dim, void *x, size_t ld, const uint32_t *pos, bool inverse)
{
	uint32_t r = m->cfg.rotated;

	kern_rope(m->k, t, heads, dim, r / 2, net_at(m, x, dim - r), ld, m->o.act, m->rope, pos, m->cfg.rope_pairs, inverse);
}

/* The first row of keys or values: a trained prefix's, where there is one. */
static void *from_prefix(const struct model *m, void *rows, uint32_t d)
{
	return (char *)rows - (size_t)m->prefix * d * m->esize;
}

static struct kern_attn attention(const struct model *m, uint32_t l, const struct acts *a, const struct batch *b)
{
	const struct model_config *c = &m->cfg;

	return (struct kern_attn){ .seg = b->seg, .nseg = b->nseg, .heads = c->heads, .kv_heads = c->kv_heads,
		.dk = c->head_dim, .dv = c->v_dim, .scale = m->attn_scale, .window = config_window(c, l), .xt = m->o.act,
		.q = a->q, .ldq = m->qd, .k = from_prefix(m, a->k, m->kd), .ldk = m->kd, .v = from_prefix(m, a->v, m->vd), .ldv = m->vd, .o = a->o, .ldo = m->od, .lse = a->lse };
}

static void norm_heads(struct model *m, uint32_t l, uint32_t t, struct acts *a)
{
	const struct model_config *c = &m->cfg;
	uint32_t d = c->head_dim;
	const float *wq = net_vec(m, P_QNORM, l), *wk = net_vec(m, P_KNORM, l);

	if (!c->qk_norm)
		return;
	kern_rmsnorm(m->k, t * c->heads, d, a->q, d, m->o.act, wq, c->rms_eps, a->q, d, m->o.act, a->rstdq, a->qs);
	kern_rmsnorm(m->k, t * c->kv_heads, d, a->k, d, m->o.act, wk, c->rms_eps, a->k, d, m->o.act, a->rstdk, a->ks);
}

static void heads_backward(struct model *m, uint32_t l, uint32_t t, struct acts *a)
{
	const struct model_config *c = &m->cfg;
	uint32_t d = c->head_dim;

	if (!c->qk_norm)
		return;
	kern_rmsnorm_dx(m->k, t * c->heads, d, a->qs, d, m->o.act, a->rstdq, net_vec(m, P_QNORM, l), m->dq, d, m->o.act, m->dq, d, true,
	                net_grad(m, P_QNORM, l));
	kern_rmsnorm_dx(m->k, t * c->kv_heads, d, a->ks, d, m->o.act, a->rstdk, net_vec(m, P_KNORM, l), m->dk, d, m->o.act, m->dk, d, true,
	                net_grad(m, P_KNORM, l));
}

/* q, k, v from m->xn, and back to m->dxn. */
static void qkv_forward(struct model *m, uint32_t l, const struct batch *b)
{
	const struct model_config *c = &m->cfg;
	struct acts *a = acts_of(m, l);
	struct at at = { .layer = l, .t = b->n };

	group_side(m, G_QKV, &at, m->xn, c->hidden);
	linear_forward(m, G_QKV, P_WQ, P_BQ, &at, m->xn, a->q, m->o.act, false);
	linear_forward(m, G_QKV, P_WK, P_BK, &at, m->xn, a->k, m->o.act, false);
	linear_forward(m, G_QKV, P_WV, P_BV, &at, m->xn, a->v, m->o.act, false);
	norm_heads(m, l, b->n, a);
	rotate(m, b->n, c->heads, c->head_dim, a->q, m->qd, b->pos, false);
	rotate(m, b->n, c->kv_heads, c->head_dim, a->k, m->kd, b->pos, false);
}

static void qkv_backward(struct model *m, uint32_t l, const struct batch *b, bool down)
{
	const struct model_config *c = &m->cfg;
	const struct { enum param w, b; void *d; } part[] = { { P_WQ, P_BQ, m->dq }, { P_WK, P_BK, m->dk }, { P_WV, P_BV, m->dv } };
	struct at at = { .layer = l, .t = b->n };

	rotate(m, b->n, c->heads, c->head_dim, m->dq, m->qd, b->pos, true);
	rotate(m, b->n, c->kv_heads, c->head_dim, m->dk, m->kd, b->pos, true);
	heads_backward(m, l, b->n, acts_of(m, l));
	for (int i = 0; i < 3; i++) {
		weight_grads(m, part[i].w, part[i].b, &at, m->xn, part[i].d);
		side_grads(m, G_QKV, part[i].w, &at, m->xn, part[i].d);
	}
	group_side_grads(m, G_QKV, &at, m->xn, c->hidden);
	if (!down)
		return;
	for (int i = 0; i < 3; i++)
		linear_backward(m, G_QKV, part[i].w, &at, part[i].d, m->dxn, DT_F32, i > 0);
	group_backward(m, G_QKV, &at, m->dxn, DT_F32);
}

/* Keys and values of this pass go to their rows of the cache (behind a prefix's, which lie there since it was opened), and attention looks there. */
static void use_cache(struct model *m, uint32_t l, uint32_t t, struct acts *a, struct kv_cache *cache, const uint32_t *kvrow, struct kern_attn *f)
{
	char *keys = cache->block + l * (cache->kbytes + cache->vbytes), *values = keys + cache->kbytes;

	kern_rows_copy(m->k, t, m->kd, m->o.act, a->k, m->kd, kvrow, net_at(m, keys, (size_t)m->prefix * m->kd), m->kd);
	kern_rows_copy(m->k, t, m->vd, m->o.act, a->v, m->vd, kvrow, net_at(m, values, (size_t)m->prefix * m->vd), m->vd);
	f->k = keys;
	f->v = values;
}

void attention_forward(struct model *m, uint32_t l, const struct batch *b, struct kv_cache *cache, const uint32_t *kvrow)
{
	const struct model_config *c = &m->cfg;
	struct acts *a = acts_of(m, l);
	struct at at = { .layer = l, .t = b->n };
	struct kern_attn f;

	kern_rmsnorm(m->k, b->n, c->hidden, m->x, c->hidden, DT_F32, net_vec(m, P_NORM1, l), c->rms_eps, m->xn, c->hidden, m->o.act, a->rstd1, a->x1);
	if (c->kv_rank)
		mla_forward(m, l, b);
	else
		qkv_forward(m, l, b);
	f = attention(m, l, a, b);
	if (cache)
		use_cache(m, l, b->n, a, cache, kvrow, &f);
	else
		virtual_fill(m, l, from_prefix(m, a->k, m->kd), from_prefix(m, a->v, m->vd));
	kern_attn(m->k, &f);
	group_side(m, G_O, &at, a->o, m->od);
	linear_forward(m, G_O, P_WO, P_COUNT, &at, a->o, m->x, DT_F32, true);
}

void attention_backward(struct model *m, uint32_t l, const struct batch *b, bool below)
{
	const struct model_config *c = &m->cfg;
	struct acts *a = acts_of(m, l);
	struct kern_attn f = attention(m, l, a, b);
	bool down = below || net_grad(m, P_NORM1, l) != NULL;
	uint32_t t = b->n;
	struct at at = { .layer = l, .t = t };

	kern_cast(m->k, (size_t)t * c->hidden, m->dx, DT_F32, m->dy, m->o.act);
	weight_grads(m, P_WO, P_COUNT, &at, a->o, m->dy);
	side_grads(m, G_O, P_WO, &at, a->o, m->dy);
	group_side_grads(m, G_O, &at, a->o, m->od);
	linear_backward(m, G_O, P_WO, &at, m->dy, m->dout, m->o.act, false);
	group_backward(m, G_O, &at, m->dout, m->o.act);
	kern_attn_dx(m->k, &f, m->dout, m->od, m->dq, from_prefix(m, m->dk, m->kd), from_prefix(m, m->dv, m->vd));
	virtual_grads(m, l, from_prefix(m, m->dk, m->kd), from_prefix(m, m->dv, m->vd));
	kern_rmsnorm_again(m->k, t, c->hidden, a->x1, a->rstd1, net_vec(m, P_NORM1, l), m->xn, m->o.act);
	if (c->kv_rank)
		mla_backward(m, l, b, down);
	else
		qkv_backward(m, l, b, down);
	if (down)
		kern_rmsnorm_dx(m->k, t, c->hidden, a->x1, c->hidden, m->o.act, a->rstd1, net_vec(m, P_NORM1, l), m->dxn, c->hidden, DT_F32,
		                m->dx, c->hidden, false, net_grad(m, P_NORM1, l));
}
