/* SPDX-License-Identifier: Apache-2.0 */
/* One block of the network, forward and backward:
 *     x += attention(norm1(x));  x += down(silu(gate(norm2(x))) * up(norm2(x)))
 * The way back mirrors the way there.  What is frozen gets no gradient, and nothing is computed below the first layer that is trained. */
#include "net.h"

const enum param group_member[G_COUNT][GROUP_MAX] = {
	[G_QKV]     = { P_WQ, P_WK, P_WV },
	[G_O]       = { P_WO, P_COUNT, P_COUNT },
	[G_GATE_UP] = { P_GATE, P_UP, P_COUNT },
	[G_DOWN]    = { P_DOWN, P_COUNT, P_COUNT },
};

/* --- groups of linear layers with their adapters --- */

/* Members of group G that carry an adapter in layer L; *FIRST_A: the first A of the group (the others follow it). */
static uint32_t adapted(const struct model *m, enum group g, uint32_t l, const float **first_a)
{
	uint32_t n = 0;

	for (int i = 0; i < GROUP_MAX && group_member[g][i] != P_COUNT; i++) {
		const float *a = net_a(m, group_member[g][i], l);
		if (a && n++ == 0)
			*first_a = a;
	}
	return n;
}

/* Place of member P among the adapted ones of its group: its columns of the side product. */
static uint32_t place(const struct model *m, enum group g, enum param p, uint32_t l)
{
	uint32_t n = 0;

	for (int i = 0; group_member[g][i] != p; i++)
		n += net_a(m, group_member[g][i], l) != NULL;
	return n;
}

static char *at(void *p, size_t elements, size_t esize)
{
	return (char *)p + elements * esize;
}

/* side = x A^T for all adapted members of the group at once. */
static void side_forward(struct model *m, enum group g, uint32_t l, uint32_t t, const void *x, uint32_t in)
{
	const float *a = NULL;
	uint32_t n = adapted(m, g, l, &a) * (m->lora ? m->lora->rank : 0);

	if (n == 0)
		return;
	kern_linear(m->k, &(struct kern_linear){ .t = t, .w = { a, DT_F32, n, in }, .x = x, .ldx = in, .xt = m->o.act,
		.y = acts_of(m, l)->side[g], .ldy = n, .yt = m->o.act });
}

/* y (= or +=) x W^T + scale * side B^T + bias */
static void linear_forward(struct model *m, enum group g, enum param p, enum param bias, uint32_t l, uint32_t t,
                           const void *x, void *y, enum dtype yt, bool add)
{
	struct kmat w = net_mat(m, p, l);
	const float *b = net_b(m, p, l), *a = NULL;
	struct kern_linear f = { .t = t, .w = w, .x = x, .ldx = w.cols, .xt = m->o.act, .y = y, .ldy = w.rows, .yt = yt, .add = add };

	if (b) {
		uint32_t r = m->lora->rank;
		f.r = r;
		f.u = at(acts_of(m, l)->side[g], (size_t)place(m, g, p, l) * r, m->esize);
		f.ldu = (size_t)adapted(m, g, l, &a) * r;
		f.b = b;
		f.scale = m->lora->scale;
	}
	if (bias != P_COUNT)
		f.bias = net_vec(m, bias, l);
	kern_linear(m->k, &f);
}

/* Gradients of W and bias of member P, where they are trained, from its input X and DY [t, out]. */
static void weight_grads(struct model *m, enum param p, enum param bias, uint32_t l, uint32_t t, const void *x, const void *dy)
{
	struct kmat w = net_mat(m, p, l);
	float *gw = net_grad(m, p, l), *gb = bias != P_COUNT ? net_grad(m, bias, l) : NULL;

	if (gw)
		kern_outer(m->k, t, w.rows, w.cols, 1, m->o.act, dy, w.rows, x, w.cols, gw, w.cols);
	if (gb)
		kern_colsum(m->k, t, w.rows, m->o.act, dy, w.rows, gb);
}

/* Gradient of B of member P, and of its part of the side product, which goes to m->dside. */
static void side_grads(struct model *m, enum group g, enum param p, uint32_t l, uint32_t t, const void *dy)
{
	const float *a = NULL;
	float *b = net_b(m, p, l);
	uint32_t out = net_mat(m, p, l).rows, r;
	size_t ld, off;

	if (b == NULL)
		return;
	r = m->lora->rank;
	ld = (size_t)adapted(m, g, l, &a) * r;
	off = (size_t)place(m, g, p, l) * r;
	kern_outer(m->k, t, out, r, m->lora->scale, m->o.act, dy, out, at(acts_of(m, l)->side[g], off, m->esize), ld, net_grad_of(m, b), r);
	kern_linear_dx(m->k, &(struct kern_linear_dx){ .t = t, .w = { b, DT_F32, out, r }, .dy = dy, .lddy = out, .xt = m->o.act,
		.alpha = m->lora->scale, .dx = at(m->dside, off, m->esize), .lddx = ld, .yt = m->o.act });
}

/* dx (= or +=) dy W + dside A */
static void linear_backward(struct model *m, enum group g, enum param p, uint32_t l, uint32_t t, const void *dy, void *dx, enum dtype yt, bool add)
{
	struct kmat w = net_mat(m, p, l);
	const float *first = NULL;
	float *a = net_a(m, p, l);
	struct kern_linear_dx f = { .t = t, .w = w, .dy = dy, .lddy = w.rows, .xt = m->o.act, .alpha = 1, .dx = dx, .lddx = w.cols, .yt = yt, .add = add };

	if (a) {
		uint32_t r = m->lora->rank;
		f.r = r;
		f.du = at(m->dside, (size_t)place(m, g, p, l) * r, m->esize);
		f.lddu = (size_t)adapted(m, g, l, &first) * r;
		f.a = a;
	}
	kern_linear_dx(m->k, &f);
}

/* Gradient of the group's As, once m->dside is complete: dA += dside^T x. */
static void side_backward(struct model *m, enum group g, uint32_t l, uint32_t t, const void *x, uint32_t in)
{
	const float *a = NULL;
	uint32_t n = adapted(m, g, l, &a) * (m->lora ? m->lora->rank : 0);

	if (n)
		kern_outer(m->k, t, n, in, 1, m->o.act, m->dside, n, x, in, net_grad_of(m, a), in);
}

/* --- attention --- */

static struct kern_attn attention(const struct model *m, const struct acts *a, const struct batch *b)
{
	const struct model_config *c = &m->cfg;

	return (struct kern_attn){ .seg = b->seg, .nseg = b->nseg, .heads = c->heads, .kv_heads = c->kv_heads,
		.dk = c->head_dim, .dv = c->head_dim, .scale = m->attn_scale, .window = c->window, .xt = m->o.act,
		.q = a->q, .ldq = m->qd, .k = a->k, .ldk = m->kvd, .v = a->v, .ldv = m->kvd, .o = a->o, .ldo = m->qd, .lse = a->lse };
}

static void rotate(struct model *m, uint32_t t, uint32_t heads, void *x, const uint32_t *pos, bool inverse)
{
	uint32_t d = m->cfg.head_dim;

	kern_rope(m->k, t, heads, d, d / 2, x, (size_t)heads * d, m->o.act, m->rope, pos, false, inverse);
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

/* Keys and values of this pass go to their rows of the cache, and attention looks there. */
static void use_cache(struct model *m, uint32_t l, uint32_t t, struct acts *a, struct kv_cache *cache, const uint32_t *kvrow, struct kern_attn *f)
{
	char *keys = cache->block + 2 * l * cache->kbytes, *values = keys + cache->kbytes;

	kern_rows_copy(m->k, t, m->kvd, m->o.act, a->k, m->kvd, kvrow, keys, m->kvd);
	kern_rows_copy(m->k, t, m->kvd, m->o.act, a->v, m->kvd, kvrow, values, m->kvd);
	f->k = keys;
	f->v = values;
}

static void attention_forward(struct model *m, uint32_t l, const struct batch *b, struct kv_cache *cache, const uint32_t *kvrow)
{
	const struct model_config *c = &m->cfg;
	struct acts *a = acts_of(m, l);
	enum dtype at_ = m->o.act;
	struct kern_attn f;

	kern_rmsnorm(m->k, b->n, c->hidden, m->x, c->hidden, DT_F32, net_vec(m, P_NORM1, l), c->rms_eps, m->xn, c->hidden, at_, a->rstd1, a->x1);
	side_forward(m, G_QKV, l, b->n, m->xn, c->hidden);
	linear_forward(m, G_QKV, P_WQ, P_BQ, l, b->n, m->xn, a->q, at_, false);
	linear_forward(m, G_QKV, P_WK, P_BK, l, b->n, m->xn, a->k, at_, false);
	linear_forward(m, G_QKV, P_WV, P_BV, l, b->n, m->xn, a->v, at_, false);
	norm_heads(m, l, b->n, a);
	rotate(m, b->n, c->heads, a->q, b->pos, false);
	rotate(m, b->n, c->kv_heads, a->k, b->pos, false);
	f = attention(m, a, b);
	if (cache)
		use_cache(m, l, b->n, a, cache, kvrow, &f);
	kern_attn(m->k, &f);
	side_forward(m, G_O, l, b->n, a->o, m->qd);
	linear_forward(m, G_O, P_WO, P_COUNT, l, b->n, a->o, m->x, DT_F32, true);
}

static void heads_backward(struct model *m, uint32_t l, uint32_t t, struct acts *a)
{
	const struct model_config *c = &m->cfg;
	uint32_t d = c->head_dim;

	if (!c->qk_norm)
		return;
	kern_rmsnorm_dx(m->k, t * c->heads, d, a->qs, d, m->o.act, a->rstdq, net_vec(m, P_QNORM, l), m->dq, d, m->o.act, m->dq, d, true, net_grad(m, P_QNORM, l));
	kern_rmsnorm_dx(m->k, t * c->kv_heads, d, a->ks, d, m->o.act, a->rstdk, net_vec(m, P_KNORM, l), m->dk, d, m->o.act, m->dk, d, true, net_grad(m, P_KNORM, l));
}

static void attention_backward(struct model *m, uint32_t l, const struct batch *b, bool below)
{
	const struct model_config *c = &m->cfg;
	struct acts *a = acts_of(m, l);
	struct kern_attn f = attention(m, a, b);
	uint32_t t = b->n;

	kern_cast(m->k, (size_t)t * c->hidden, m->dx, DT_F32, m->dy, m->o.act);
	weight_grads(m, P_WO, P_COUNT, l, t, a->o, m->dy);
	side_grads(m, G_O, P_WO, l, t, m->dy);
	side_backward(m, G_O, l, t, a->o, m->qd);
	linear_backward(m, G_O, P_WO, l, t, m->dy, m->dout, m->o.act, false);
	kern_attn_dx(m->k, &f, m->dout, m->qd, m->dq, m->dk, m->dv);
	rotate(m, t, c->heads, m->dq, b->pos, true);
	rotate(m, t, c->kv_heads, m->dk, b->pos, true);
	heads_backward(m, l, t, a);
	kern_rmsnorm_again(m->k, t, c->hidden, a->x1, a->rstd1, net_vec(m, P_NORM1, l), m->xn, m->o.act);
	weight_grads(m, P_WQ, P_BQ, l, t, m->xn, m->dq);
	side_grads(m, G_QKV, P_WQ, l, t, m->dq);
	weight_grads(m, P_WK, P_BK, l, t, m->xn, m->dk);
	side_grads(m, G_QKV, P_WK, l, t, m->dk);
	weight_grads(m, P_WV, P_BV, l, t, m->xn, m->dv);
	side_grads(m, G_QKV, P_WV, l, t, m->dv);
	side_backward(m, G_QKV, l, t, m->xn, c->hidden);
	if (!below && !net_grad(m, P_NORM1, l))
		return;
	linear_backward(m, G_QKV, P_WQ, l, t, m->dq, m->dxn, DT_F32, false);
	linear_backward(m, G_QKV, P_WK, l, t, m->dk, m->dxn, DT_F32, true);
	linear_backward(m, G_QKV, P_WV, l, t, m->dv, m->dxn, DT_F32, true);
	kern_rmsnorm_dx(m->k, t, c->hidden, a->x1, c->hidden, m->o.act, a->rstd1, net_vec(m, P_NORM1, l), m->dxn, c->hidden, DT_F32,
	                m->dx, c->hidden, false, net_grad(m, P_NORM1, l));
}

/* --- feed-forward --- */

static void mlp_forward(struct model *m, uint32_t l, const struct batch *b)
{
	const struct model_config *c = &m->cfg;
	struct acts *a = acts_of(m, l);
	enum dtype at_ = m->o.act;

	kern_rmsnorm(m->k, b->n, c->hidden, m->x, c->hidden, DT_F32, net_vec(m, P_NORM2, l), c->rms_eps, m->xn, c->hidden, at_, a->rstd2, a->x2);
	side_forward(m, G_GATE_UP, l, b->n, m->xn, c->hidden);
	linear_forward(m, G_GATE_UP, P_GATE, P_COUNT, l, b->n, m->xn, a->gate, at_, false);
	linear_forward(m, G_GATE_UP, P_UP, P_COUNT, l, b->n, m->xn, a->up, at_, false);
	kern_swiglu(m->k, (size_t)b->n * c->ffn, at_, a->gate, a->up, m->h);
	side_forward(m, G_DOWN, l, b->n, m->h, c->ffn);
	linear_forward(m, G_DOWN, P_DOWN, P_COUNT, l, b->n, m->h, m->x, DT_F32, true);
}

static void mlp_backward(struct model *m, uint32_t l, const struct batch *b)
{
	const struct model_config *c = &m->cfg;
	struct acts *a = acts_of(m, l);
	uint32_t t = b->n;

	kern_cast(m->k, (size_t)t * c->hidden, m->dx, DT_F32, m->dy, m->o.act);
	side_grads(m, G_DOWN, P_DOWN, l, t, m->dy);
	linear_backward(m, G_DOWN, P_DOWN, l, t, m->dy, m->dup, m->o.act, false);
	kern_swiglu_dx(m->k, (size_t)t * c->ffn, m->o.act, a->gate, a->up, m->dup, m->dgate, m->dup, m->h);
	weight_grads(m, P_DOWN, P_COUNT, l, t, m->h, m->dy);
	side_backward(m, G_DOWN, l, t, m->h, c->ffn);
	kern_rmsnorm_again(m->k, t, c->hidden, a->x2, a->rstd2, net_vec(m, P_NORM2, l), m->xn, m->o.act);
	weight_grads(m, P_GATE, P_COUNT, l, t, m->xn, m->dgate);
	side_grads(m, G_GATE_UP, P_GATE, l, t, m->dgate);
	weight_grads(m, P_UP, P_COUNT, l, t, m->xn, m->dup);
	side_grads(m, G_GATE_UP, P_UP, l, t, m->dup);
	side_backward(m, G_GATE_UP, l, t, m->xn, c->hidden);
	linear_backward(m, G_GATE_UP, P_GATE, l, t, m->dgate, m->dxn, DT_F32, false);
	linear_backward(m, G_GATE_UP, P_UP, l, t, m->dup, m->dxn, DT_F32, true);
	kern_rmsnorm_dx(m->k, t, c->hidden, a->x2, c->hidden, m->o.act, a->rstd2, net_vec(m, P_NORM2, l), m->dxn, c->hidden, DT_F32,
	                m->dx, c->hidden, false, net_grad(m, P_NORM2, l));
}

/* --- the block --- */

void layer_forward(struct model *m, uint32_t l, const struct batch *b, struct kv_cache *cache, const uint32_t *kvrow)
{
	attention_forward(m, l, b, cache, kvrow);
	mlp_forward(m, l, b);
}

void layer_backward(struct model *m, uint32_t l, const struct batch *b)
{
	mlp_backward(m, l, b);
	attention_backward(m, l, b, (int32_t)l > m->first_trained);
}
