/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_OPS_H
#define SFT_OPS_H
/* Behind kern.h: the table of operations that a backend fills, and what all backends share.
 *
 * KERN_OPS is the one list of operations: OP(return type, name, parameters, arguments).  The table, the public functions and the
 * prototypes of `ref` are made of it. */
#include "kern.h"
#include "rng.h"

#define KERN_OPS(OP) \
	OP(void, linear, (struct kern *k, const struct kern_linear *a), (k, a)) \
	OP(void, linear_dx, (struct kern *k, const struct kern_linear_dx *a), (k, a)) \
	OP(void, outer, (struct kern *k, uint32_t t, uint32_t m, uint32_t n, float alpha, enum dtype xt, const void *p, size_t ldp, \
	                 const void *q, size_t ldq, float *g, size_t ldg), (k, t, m, n, alpha, xt, p, ldp, q, ldq, g, ldg)) \
	OP(void, colsum, (struct kern *k, uint32_t t, uint32_t n, enum dtype xt, const void *dy, size_t lddy, float *gb), \
	   (k, t, n, xt, dy, lddy, gb)) \
	OP(void, rmsnorm, (struct kern *k, uint32_t t, uint32_t n, const void *x, size_t ldx, enum dtype xt, const float *w, float eps, \
	                   void *y, size_t ldy, enum dtype yt, float *rstd, void *xs), (k, t, n, x, ldx, xt, w, eps, y, ldy, yt, rstd, xs)) \
	OP(void, rmsnorm_again, (struct kern *k, uint32_t t, uint32_t n, const void *xs, const float *rstd, const float *w, void *y, \
	                         enum dtype xt), (k, t, n, xs, rstd, w, y, xt)) \
	OP(void, rmsnorm_dx, (struct kern *k, uint32_t t, uint32_t n, const void *xs, size_t ldxs, enum dtype xt, const float *rstd, \
	                      const float *w, const void *dy, size_t lddy, enum dtype dyt, void *dx, size_t lddx, bool dx_set, float *gw), \
	   (k, t, n, xs, ldxs, xt, rstd, w, dy, lddy, dyt, dx, lddx, dx_set, gw)) \
	OP(void, rope, (struct kern *k, uint32_t t, uint32_t heads, uint32_t dim, uint32_t half, void *x, size_t ldx, enum dtype xt, \
	                const float *cs, const uint32_t *pos, bool interleaved, bool inverse), \
	   (k, t, heads, dim, half, x, ldx, xt, cs, pos, interleaved, inverse)) \
	OP(void, attn, (struct kern *k, const struct kern_attn *a), (k, a)) \
	OP(void, attn_dx, (struct kern *k, const struct kern_attn *a, const void *dout, size_t lddo, void *dq, void *dk, void *dv), \
	   (k, a, dout, lddo, dq, dk, dv)) \
	OP(void, swiglu, (struct kern *k, size_t count, enum dtype xt, const void *g, const void *u, void *y), (k, count, xt, g, u, y)) \
	OP(void, swiglu_dx, (struct kern *k, size_t count, enum dtype xt, const void *g, const void *u, const void *dy, void *dg, void *du, \
	                     void *y), (k, count, xt, g, u, dy, dg, du, y)) \
	OP(void, embed, (struct kern *k, uint32_t t, struct kmat table, const uint32_t *ids, float *x), (k, t, table, ids, x)) \
	OP(void, embed_dx, (struct kern *k, uint32_t t, uint32_t n, const float *dx, const uint32_t *ids, float *gtable), \
	   (k, t, n, dx, ids, gtable)) \
	OP(void, rows_get, (struct kern *k, uint32_t m, uint32_t n, const float *src, const uint32_t *idx, void *dst, enum dtype dt), \
	   (k, m, n, src, idx, dst, dt)) \
	OP(void, rows_put, (struct kern *k, uint32_t m, uint32_t n, const float *src, const uint32_t *idx, float *dst, bool add), \
	   (k, m, n, src, idx, dst, add)) \
	OP(void, rows_copy, (struct kern *k, uint32_t m, uint32_t n, enum dtype xt, const void *src, size_t lds, const uint32_t *idx, \
	                     void *dst, size_t ldd), (k, m, n, xt, src, lds, idx, dst, ldd)) \
	OP(void, dora_norm, (struct kern *k, uint32_t out, uint32_t r, float scale, const float *w2, const float *wa, const float *b, \
	                     const float *aat, float *norm), (k, out, r, scale, w2, wa, b, aat, norm)) \
	OP(void, dora_scale, (struct kern *k, uint32_t t, uint32_t n, const float *src, const float *mag, const float *norm, const float *bias, \
	                      void *y, size_t ldy, enum dtype yt, bool add), (k, t, n, src, mag, norm, bias, y, ldy, yt, add)) \
	OP(void, dora_scale_dx, (struct kern *k, uint32_t t, uint32_t n, enum dtype xt, const void *dy, const float *src, const float *mag, \
	                         const float *norm, void *dsrc, float *gmag), (k, t, n, xt, dy, src, mag, norm, dsrc, gmag)) \
	OP(void, rows_gather, (struct kern *k, uint32_t m, uint32_t n, enum dtype xt, const void *src, size_t lds, const uint32_t *idx, void *dst), \
	   (k, m, n, xt, src, lds, idx, dst)) \
	OP(void, mla_keys, (struct kern *k, const struct kern_mla *a, const void *kv, const void *kr, size_t ldkr, void *key, void *v), \
	   (k, a, kv, kr, ldkr, key, v)) \
	OP(void, mla_keys_dx, (struct kern *k, const struct kern_mla *a, const void *dkey, const void *dvalue, void *dkv, void *dkr, size_t lddkr), \
	   (k, a, dkey, dvalue, dkv, dkr, lddkr)) \
	OP(void, route, (struct kern *k, const struct kern_route *a, float *scores, uint32_t *expert, float *weight), \
	   (k, a, scores, expert, weight)) \
	OP(void, route_dx, (struct kern *k, const struct kern_route *a, const float *scores, const uint32_t *expert, const float *dweight, \
	                    float *dlogits), (k, a, scores, expert, dweight, dlogits)) \
	OP(void, combine, (struct kern *k, uint32_t t, uint32_t n, uint32_t top, enum dtype xt, const void *y, const uint32_t *slot, \
	                   const float *weight, float *x), (k, t, n, top, xt, y, slot, weight, x)) \
	OP(void, combine_dx, (struct kern *k, uint32_t t, uint32_t n, uint32_t top, enum dtype xt, const float *dx, const void *y, \
	                      const uint32_t *slot, const float *weight, void *dy, float *dweight), (k, t, n, top, xt, dx, y, slot, weight, dy, dweight)) \
	OP(void, combine_add, (struct kern *k, uint32_t t, uint32_t n, uint32_t top, const float *y, const uint32_t *slot, float *x), \
	   (k, t, n, top, y, slot, x)) \
	OP(void, gated, (struct kern *k, uint32_t t, uint32_t n, enum dtype xt, const float *z, const void *y, float *x), (k, t, n, xt, z, y, x)) \
	OP(void, gated_dx, (struct kern *k, uint32_t t, uint32_t n, enum dtype xt, const float *z, const void *y, const float *dx, void *dy, \
	                    float *dz), (k, t, n, xt, z, y, dx, dy, dz)) \
	OP(void, dropout, (struct kern *k, const struct kern_drop *a, enum dtype xt, const void *x, void *y), (k, a, xt, x, y)) \
	OP(void, dropout_dx, (struct kern *k, const struct kern_drop *a, const float *src, void *dst, enum dtype dt), (k, a, src, dst, dt)) \
	OP(void, noise, (struct kern *k, const struct kern_drop *a, const float *mag, float *x), (k, a, mag, x)) \
	OP(void, xent, (struct kern *k, uint32_t m, uint32_t n, const float *logits, size_t ldl, const uint32_t *target, \
	                const float *weight, float smooth, void *dlogits, size_t ldd, enum dtype dt, float *loss), \
	   (k, m, n, logits, ldl, target, weight, smooth, dlogits, ldd, dt, loss)) \
	OP(void, rivals, (struct kern *k, const struct kern_rivals *a), (k, a)) \
	OP(void, cast, (struct kern *k, size_t n, const void *src, enum dtype st, void *dst, enum dtype dt), (k, n, src, st, dst, dt)) \
	OP(void, add, (struct kern *k, size_t n, const float *x, float *y), (k, n, x, y)) \
	OP(void, scale, (struct kern *k, size_t n, float s, float *x), (k, n, s, x)) \
	OP(double, sumsq, (struct kern *k, size_t n, const float *x), (k, n, x)) \
	OP(void, adamw, (struct kern *k, size_t n, const struct kern_adamw *a, float *p, const float *g, float *m, float *v), \
	   (k, n, a, p, g, m, v)) \
	OP(void, sgd, (struct kern *k, size_t n, const struct kern_sgd *a, float *p, const float *g, float *m), (k, n, a, p, g, m)) \
	OP(void, lion, (struct kern *k, size_t n, const struct kern_lion *a, float *p, const float *g, float *m), (k, n, a, p, g, m)) \
	OP(void, adafactor, (struct kern *k, uint32_t rows, uint32_t cols, const struct kern_adafactor *a, float *p, const float *g, float *row, \
	                     float *col), (k, rows, cols, a, p, g, row, col))

struct kern_ops {
	const char *name;
	bool fast_bf16;
	double (*peak)(struct kern *k, enum dtype xt);     /* NULL: unknown */
	/* Memory of the device's own, kern.h's functions; ALLOC NULL: the processor's, and the others are NULL too. */
	void *(*alloc)(struct kern *k, size_t bytes);
	void  (*free)(struct kern *k, void *p);
	void  (*put)(struct kern *k, void *device, const void *host, size_t bytes);
	void  (*get)(struct kern *k, void *host, const void *device, size_t bytes);
	void  (*zero)(struct kern *k, void *p, size_t bytes);
	void  (*wait)(struct kern *k);
	uint64_t (*memory)(struct kern *k);                /* bytes that are free */
	void  (*reserve)(struct kern *k, size_t bytes);
	void *(*both)(struct kern *k, size_t bytes);       /* memory that host and device both see: tests */
	void  (*close)(struct kern *k);
#define OP(ret, name, params, args) ret (*name) params;
	KERN_OPS(OP)
#undef OP
};

struct kern {
	const struct kern_ops *ops;
	struct pool *pool;
	void *own;                     /* state of a backend with memory of its own */
	void *scratch;                 /* as mem_new gave it */
	size_t scratch_size;
	struct kern_cost *cost;        /* [KERN_COSTS] while there is a profile, by number of the operation; else NULL */
};

/* Numbers of the operations. */
#define OP(ret, name, params, args) OP_##name,
enum kern_op { KERN_OPS(OP) OP_COUNT };
#undef OP

/* profile.c: what a call of each operation asks for. */
struct kern_work {
	double flops, bytes;
};
#define OP(ret, name, params, args) struct kern_work work_##name params;
KERN_OPS(OP)
#undef OP

/* The plain operations; a table may use single ones. */
#define OP(ret, name, params, args) ret ref_##name params;
KERN_OPS(OP)
#undef OP

/* One token of kern_route, once its scores S are there: who is chosen, and their weights.  ROOM: ROUTE_ROOM floats of one's own. */
#define ROUTE_ROOM(experts) (3 * (size_t)(experts))
void route_choose(const struct kern_route *a, const float *s, float *room, uint32_t *who, float *w);
/* And of its way back: DL [experts] from DW [top].  DS: [experts] of one's own. */
void route_row_dx(const struct kern_route *a, const float *s, const uint32_t *who, const float *dw, double *ds, float *dl);

/* What bounds the working memory of the cpu's operations (room.c adds it up). */
enum {
	BAND = 96,                     /* products: rows of a task, a multiple of 12 */
	CHUNK_STEPS = 2048,            /* steps of a chunk: a panel of them fits the second cache */
	CHUNK_WORDS = 1 << 21,
	SUMS_MAX = 1 << 23,            /* f32 sums kept aside when a long contraction ends in bf16 */
	OUTER_WORDS = 1 << 22,         /* outer products: of p, turned */
	JOB_QUERIES = 1024,            /* attention backward: queries of a job */
	CUDA_TILE = 1 << 25,           /* cuda: values of weights that are unpacked at a time */
	PARTS_MAX = 1 << 24            /* bytes of sums kept apart at a time, if those of one job and key/value head fit */
};

/* BYTES of working memory, 64-byte aligned, contents undefined; valid until the next call.  Never NULL (mem_new). */
void *kern_scratch(struct kern *k, size_t bytes);

/* cuda.c: a device that a shared object beside the program serves, "cuda", "cuda:N" (sft-cuda.so) or "emu..." (sft-emu.so, tests). */
int  cuda_open(struct kern *k, const char *device, struct err *e);
int  cuda_devices(void);           /* 0: no such object, no driver, or no device */

extern const struct kern_ops ops_generic;
#if defined(__x86_64__)
extern const struct kern_ops ops_avx2, ops_avx512, ops_avx512bf16;
#endif

/* The hash behind kern_drop: of row I, and of value C in a row (the finaliser of MurmurHash3, 32 bits). */
static inline uint32_t noise_row(const struct kern_drop *a, uint32_t i)
{
	return (uint32_t)(rng_mix(a->key[a->row ? a->row[i] : i] + a->salt * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}
static inline uint32_t noise_bits(uint32_t row, uint32_t c)
{
	uint32_t h = row + c * UINT32_C(0x9e3779b9);

	h = (h ^ h >> 16) * UINT32_C(0x85ebca6b);
	h = (h ^ h >> 13) * UINT32_C(0xc2b2ae35);
	return h ^ h >> 16;
}
/* A value is dropped where its bits are below this. */
static inline uint32_t noise_limit(float p)
{
	return (uint32_t)((double)p * 4294967296.0);
}

/* Element I of an act type array, and its size. */
static inline float act_get(const void *p, enum dtype t, size_t i)
{
	return t == DT_BF16 ? bf16_to_f32(((const uint16_t *)p)[i]) : ((const float *)p)[i];
}
static inline void act_put(void *p, enum dtype t, size_t i, float v)
{
	if (t == DT_BF16)
		((uint16_t *)p)[i] = f32_to_bf16(v);
	else
		((float *)p)[i] = v;
}
static inline size_t act_size(enum dtype t)
{
	return t == DT_BF16 ? 2 : 4;
}

#endif
