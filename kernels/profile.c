/* SPDX-License-Identifier: Apache-2.0 */
/* What a call of each operation asks for: floating-point operations of its definition, and the bytes of its operands, each once.  Exponentials and
 * the like count as one. */
#include "ops.h"

static double act(enum dtype t)
{
	return t == DT_BF16 ? 2 : 4;
}

static double bytes_of(const struct kmat *w)
{
	return (double)kmat_row_bytes(w) * w->rows;
}

/* WORK(name, parameters): FLOPS and BYTES from the parameters. */
#define WORK(name, params, flops, bytes) \
struct kern_work work_##name params \
{ \
	return (struct kern_work){ (double)(flops), (double)(bytes) }; \
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"

WORK(linear, (struct kern *k, const struct kern_linear *a), 2.0 * a->t * a->w.rows * ((double)a->w.cols + a->r),
     bytes_of(&a->w) + (double)a->t * (a->w.cols + a->r) * act(a->xt) + 4.0 * a->w.rows * a->r + (double)a->t * a->w.rows * act(a->yt) * (1 + a->add))
WORK(linear_dx, (struct kern *k, const struct kern_linear_dx *a), 2.0 * a->t * a->w.cols * ((double)a->w.rows + a->r),
     bytes_of(&a->w) + (double)a->t * (a->w.rows + a->r) * act(a->xt) + 4.0 * a->w.cols * a->r + (double)a->t * a->w.cols * act(a->yt) * (1 + a->add))
WORK(outer, (struct kern *k, uint32_t t, uint32_t m, uint32_t n, float alpha, enum dtype xt, const void *p, size_t ldp, const void *q, size_t ldq, float *g,
             size_t ldg), 2.0 * t * m * n, (double)t * (m + n) * act(xt) + 8.0 * m * n)
WORK(colsum, (struct kern *k, uint32_t t, uint32_t n, enum dtype xt, const void *dy, size_t lddy, float *gb), (double)t * n, (double)t * n * act(xt) + 8.0 * n)
WORK(rmsnorm, (struct kern *k, uint32_t t, uint32_t n, const void *x, size_t ldx, enum dtype xt, const float *w, float eps, void *y, size_t ldy, enum dtype yt,
               float *rstd, void *xs), 4.0 * t * n, (double)t * n * (act(xt) + act(yt) * (xs ? 2 : 1)))
WORK(rmsnorm_again, (struct kern *k, uint32_t t, uint32_t n, const void *xs, const float *rstd, const float *w, void *y, enum dtype xt),
     2.0 * t * n, 2.0 * t * n * act(xt))
WORK(rmsnorm_dx, (struct kern *k, uint32_t t, uint32_t n, const void *xs, size_t ldxs, enum dtype xt, const float *rstd, const float *w, const void *dy, size_t lddy,
                  enum dtype dyt, void *dx, size_t lddx, bool dx_set, float *gw),
     8.0 * t * n, (double)t * n * (act(xt) + act(dyt) + (dx_set ? act(dyt) : 8)))
WORK(rope, (struct kern *k, uint32_t t, uint32_t heads, uint32_t dim, uint32_t half, void *x, size_t ldx, enum dtype xt, const float *cs, const uint32_t *pos,
            bool interleaved, bool inverse), 6.0 * t * heads * half, 4.0 * t * heads * half * act(xt))

/* Pairs of a query and a key it sees. */
static double seen(const struct kern_attn *a)
{
	double pairs = 0;

	for (uint32_t i = 0; i < a->nseg; i++) {
		const struct kern_seg *s = &a->seg[i];
		double all = (double)s->nq * s->np + (double)s->nq * (s->nk - s->nq) + (double)s->nq * (s->nq + 1) / 2;
		double most = a->window ? (double)s->nq * a->window : all;

		pairs += all < most ? all : most;
	}
	return pairs;
}

static double attn_bytes(const struct kern_attn *a)
{
	double q = 0, keys = 0;

	for (uint32_t i = 0; i < a->nseg; i++) {
		q += a->seg[i].nq;
		keys += a->seg[i].nk;
	}
	return act(a->xt) * (q * a->heads * (a->dk + a->dv) + keys * a->kv_heads * (a->dk + a->dv));
}

WORK(attn, (struct kern *k, const struct kern_attn *a), 2 * seen(a) * a->heads * (a->dk + a->dv), attn_bytes(a))
WORK(attn_dx, (struct kern *k, const struct kern_attn *a, const void *dout, size_t lddo, void *dq, void *dk, void *dv),
     2 * seen(a) * a->heads * (3.0 * a->dk + 2.0 * a->dv), 2 * attn_bytes(a))
WORK(swiglu, (struct kern *k, size_t count, enum dtype xt, const void *g, const void *u, void *y), 4.0 * count, 3.0 * count * act(xt))
WORK(swiglu_dx, (struct kern *k, size_t count, enum dtype xt, const void *g, const void *u, const void *dy, void *dg, void *du, void *y),
     8.0 * count, count * act(xt) * (y ? 6.0 : 5.0))
WORK(embed, (struct kern *k, uint32_t t, struct kmat table, const uint32_t *ids, float *x), 0, (double)t * (kmat_row_bytes(&table) + 4.0 * table.cols))
WORK(embed_dx, (struct kern *k, uint32_t t, uint32_t n, const float *dx, const uint32_t *ids, float *gtable), (double)t * n, 12.0 * t * n)
WORK(rows_get, (struct kern *k, uint32_t m, uint32_t n, const float *src, const uint32_t *idx, void *dst, enum dtype dt), 0, (double)m * n * (4 + act(dt)))
WORK(rows_put, (struct kern *k, uint32_t m, uint32_t n, const float *src, const uint32_t *idx, float *dst, bool add), add ? (double)m * n : 0,
     (double)m * n * (add ? 12 : 8))
WORK(rows_copy, (struct kern *k, uint32_t m, uint32_t n, enum dtype xt, const void *src, size_t lds, const uint32_t *idx, void *dst, size_t ldd), 0,
     2.0 * m * n * act(xt))
WORK(dora_norm, (struct kern *k, uint32_t out, uint32_t r, float scale, const float *w2, const float *wa, const float *b, const float *aat, float *norm),
     2.0 * out * r * (r + 2.0), 4.0 * out * (2.0 * r + 2))
WORK(dora_scale, (struct kern *k, uint32_t t, uint32_t n, const float *src, const float *mag, const float *norm, const float *bias, void *y, size_t ldy,
                  enum dtype yt, bool add), 2.0 * t * n, (double)t * n * (4 + act(yt) * (1 + add)))
WORK(dora_scale_dx, (struct kern *k, uint32_t t, uint32_t n, enum dtype xt, const void *dy, const float *src, const float *mag, const float *norm, void *dsrc,
                     float *gmag), 4.0 * t * n, (double)t * n * (4 + 2 * act(xt)))
WORK(rows_gather, (struct kern *k, uint32_t m, uint32_t n, enum dtype xt, const void *src, size_t lds, const uint32_t *idx, void *dst), 0, 2.0 * m * n * act(xt))
WORK(mla_keys, (struct kern *k, const struct kern_mla *a, const void *kv, const void *kr, size_t ldkr, void *key, void *v), 0,
     (double)a->t * a->heads * act(a->xt) * (2.0 * (a->nope + a->dv) + a->rope))
WORK(mla_keys_dx, (struct kern *k, const struct kern_mla *a, const void *dkey, const void *dvalue, void *dkv, void *dkr, size_t lddkr),
     (double)a->t * a->heads * a->rope, (double)a->t * a->heads * act(a->xt) * (2.0 * (a->nope + a->dv) + a->rope))
WORK(route, (struct kern *k, const struct kern_route *a, float *scores, uint32_t *expert, float *weight), 4.0 * a->t * a->experts, 8.0 * a->t * a->experts)
WORK(route_dx, (struct kern *k, const struct kern_route *a, const float *scores, const uint32_t *expert, const float *dweight, float *dlogits),
     4.0 * a->t * a->experts, 8.0 * a->t * a->experts)
WORK(combine, (struct kern *k, uint32_t t, uint32_t n, uint32_t top, enum dtype xt, const void *y, const uint32_t *slot, const float *weight, float *x),
     2.0 * t * n * top, (double)t * n * (top * act(xt) + 8))
WORK(combine_dx, (struct kern *k, uint32_t t, uint32_t n, uint32_t top, enum dtype xt, const float *dx, const void *y, const uint32_t *slot, const float *weight,
                  void *dy, float *dweight), 3.0 * t * n * top, (double)t * n * (2 * top * act(xt) + 4))
WORK(combine_add, (struct kern *k, uint32_t t, uint32_t n, uint32_t top, const float *y, const uint32_t *slot, float *x),
     (double)t * n * top, 4.0 * t * n * (top + 2.0))
WORK(gated, (struct kern *k, uint32_t t, uint32_t n, enum dtype xt, const float *z, const void *y, float *x), 2.0 * t * n, (double)t * n * (act(xt) + 8))
WORK(gated_dx, (struct kern *k, uint32_t t, uint32_t n, enum dtype xt, const float *z, const void *y, const float *dx, void *dy, float *dz),
     3.0 * t * n, (double)t * n * (2 * act(xt) + 4))
WORK(dropout, (struct kern *k, const struct kern_drop *a, enum dtype xt, const void *x, void *y), (double)a->t * a->n, 2.0 * a->t * a->n * act(xt))
WORK(dropout_dx, (struct kern *k, const struct kern_drop *a, const float *src, void *dst, enum dtype dt), 2.0 * a->t * a->n, (double)a->t * a->n * (4 + 2 * act(dt)))
WORK(noise, (struct kern *k, const struct kern_drop *a, const float *mag, float *x), 2.0 * a->t * a->n, 8.0 * a->t * a->n)
WORK(xent, (struct kern *k, uint32_t m, uint32_t n, const float *logits, size_t ldl, const uint32_t *target, const float *weight, float smooth, void *dlogits,
            size_t ldd, enum dtype dt, float *loss), (double)m * n * (dlogits ? 5 : 3), (double)m * n * (4 + (dlogits ? act(dt) : 0)))
WORK(rivals, (struct kern *k, const struct kern_rivals *a), (double)a->m * a->n * 5, (double)a->m * a->n * (4 + 2 * act(a->dt)))
WORK(cast, (struct kern *k, size_t n, const void *src, enum dtype st, void *dst, enum dtype dt), 0, n * (act(st) + act(dt)))
WORK(add, (struct kern *k, size_t n, const float *x, float *y), n, 12.0 * n)
WORK(scale, (struct kern *k, size_t n, float s, float *x), n, 8.0 * n)
WORK(sumsq, (struct kern *k, size_t n, const float *x), 2.0 * n, 4.0 * n)
WORK(adamw, (struct kern *k, size_t n, const struct kern_adamw *a, float *p, const float *g, float *m, float *v), 14.0 * n, 28.0 * n)
WORK(sgd, (struct kern *k, size_t n, const struct kern_sgd *a, float *p, const float *g, float *m), 6.0 * n, 20.0 * n)
WORK(lion, (struct kern *k, size_t n, const struct kern_lion *a, float *p, const float *g, float *m), 9.0 * n, 20.0 * n)
WORK(adafactor, (struct kern *k, uint32_t rows, uint32_t cols, const struct kern_adafactor *a, float *p, const float *g, float *row, float *col),
     10.0 * rows * cols, 16.0 * rows * cols)

#pragma GCC diagnostic pop
