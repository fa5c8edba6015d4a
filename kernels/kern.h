/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_KERN_H
#define SFT_KERN_H
/* The device: memory, copies, and the operations a language model is made of, forward and backward.
 *
 * Three backends answer to this header: `ref` (plain loops, sums in double: the definition), `cpu` (own AVX2, AVX-512 and
 * AVX512-BF16 code, picked at run time) and `cuda`.  Kernels know nothing of layers or tokens.
 *
 * Conventions
 * - Matrices are row-major; "x [t, k]" has t rows of k values, row i at x + i * ldx (ld counted in elements, ld >= columns).
 * - "act type" is DT_F32 or DT_BF16.  With f32 operands products are f32; with bf16 operands the weights are rounded to bf16,
 *   products are exact and sums are f32.  A contraction longer than 512 is summed in blocks, so that a row of 49,152 errs no more
 *   than a short one.
 * - "=" overwrites, "+=" adds; outputs do not overlap inputs unless said.
 * - Every result is the same bits for every number of threads and from run to run.
 * - Sizes of 0 are fine and do nothing.  Arguments are not checked: wrong sizes are the caller's bug.
 * - Memory: what an operation points at is the device's (kern_alloc(), kern_put()), arrays of indices, ids, positions, keys and targets among it, and
 *   a matrix's values and scales; only the argument structs themselves and kern_attn's segments lie in host memory.  On the CPU all of it is ordinary
 *   memory.  Operations on a device of its own may still be at work when they return; they follow each other in order, and kern_get() waits. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dtype.h"
#include "err.h"
#include "kmat.h"
#include "threads.h"

struct kern;

/* DEVICE: "cuda" or "cuda:N" (SFT_SYSTEM without a driver or such a device), "cpu" (the best of this machine), "auto" (cuda where there is one, else cpu),
 * "ref", or for tests a certain instruction set: "cpu:generic", "cpu:avx2", "cpu:avx512", "cpu:avx512bf16" (SFT_SYSTEM if the machine has it not), or the
 * emulated CUDA device: "emu", with words behind colons on how it runs (kernels/emu).  POOL is borrowed and outlives it. */
int  kern_open(struct kern **k, const char *device, struct pool *pool, struct err *e);
void kern_close(struct kern *k);
const char *kern_name(const struct kern *k);        /* "cpu:avx512bf16" */
bool kern_fast_bf16(const struct kern *k);          /* the machine multiplies bf16 faster than f32 */

/* FLOP/s that all threads together reach with operands of type XT in registers and first-level cache, measured in about 20 ms; 0 where
 * the backend cannot say. */
double kern_peak(struct kern *k, enum dtype xt);

/* What each operation has cost since kern_profile_start(): calls, seconds of the clock, floating-point operations (a multiply-add is two; only what
 * the definition asks for), and bytes of its operands, each counted once. */
struct kern_cost {
	const char *op;
	uint64_t calls;
	double seconds, flops, bytes;
};
enum { KERN_COSTS = 64 };
void kern_profile_start(struct kern *k);
/* The operations that were called, in the order of this header, into OUT; returns their number.  0 without kern_profile_start(). */
unsigned kern_profile(const struct kern *k, struct kern_cost out[KERN_COSTS]);

/* Bytes of working memory that an operation takes beside its operands, with THREADS of them: a product of T rows, N outputs and K inputs (OUT: the
 * type of what it writes), the gradient of an [m, n] matrix, attention and its way back over sequences of KEYS rows, NSEG of them.  The most that any of the cpu's instruction
 * sets takes; what one operation had, the next has again. */
size_t kern_room_linear(int threads, uint32_t t, uint32_t n, uint32_t k, enum dtype xt, enum dtype out);
size_t kern_room_outer(int threads, uint32_t t, uint32_t m, uint32_t n, enum dtype xt);
size_t kern_room_attn(int threads, uint32_t nseg, uint32_t keys, uint32_t heads, uint32_t kv_heads, uint32_t dk, uint32_t dv);

/* The same of a device with memory of its own: a product of T rows, N outputs and K inputs with an adapter of rank R, or what else passes of T rows ask for
 * with HEADS heads. */
size_t kern_room_apart(uint32_t t, uint32_t n, uint32_t k, uint32_t r, uint32_t heads, enum dtype xt);

void *kern_alloc(struct kern *k, size_t bytes);     /* 64-byte aligned, zeroed; NULL if there is none */
void  kern_free(struct kern *k, void *p);
void  kern_put(struct kern *k, void *device, const void *host, size_t bytes);
void  kern_get(struct kern *k, void *host, const void *device, size_t bytes);
void  kern_zero(struct kern *k, void *p, size_t bytes);
uint64_t kern_memory(struct kern *k);               /* bytes that are free on a device with memory of its own; UINT64_MAX: on the processor's */
void  kern_reserve(struct kern *k, size_t bytes);   /* working memory of so many bytes at once, so that operations that need no more allocate nothing */
bool  kern_apart(const struct kern *k);             /* the device has memory of its own: what operations read has to be put there */
void  kern_wait(struct kern *k);                    /* until all operations asked for are done (kern_get() does so too) */

/* y [t, w.rows] (= or +=) x [t, w.cols] w^T  +  scale * u [t, r] b^T  +  bias
 * x, u: act type XT, the same for both.  b [w.rows, r] f32 (bf16 operands: scale * b is rounded to bf16).  r may be 0.
 * y: YT f32 or bf16; ADD is for f32 y only.  Small t (decoding, up to 8 rows) reads the weights
 * once, where they lie, and need not round them to bf16. */
struct kern_linear {
	uint32_t t, r;
	struct kmat w;
	const void *x; size_t ldx; enum dtype xt;
	const void *u; size_t ldu;
	const float *b; float scale;
	const float *bias;                    /* [w.rows] or NULL */
	void *y; size_t ldy; enum dtype yt; bool add;
};
void kern_linear(struct kern *k, const struct kern_linear *a);

/* dx [t, w.cols] (= or +=) alpha * dy [t, w.rows] w  +  du [t, r] a
 * dy, du: act type XT; a [r, w.cols] f32 (the LoRA A).  dx: YT f32 or bf16, ADD for f32 only. */
struct kern_linear_dx {
	uint32_t t, r;
	struct kmat w;
	const void *dy; size_t lddy; enum dtype xt;
	const void *du; size_t lddu;
	const float *a;
	float alpha;
	void *dx; size_t lddx; enum dtype yt; bool add;
};
void kern_linear_dx(struct kern *k, const struct kern_linear_dx *a);

/* g [m, n] += alpha * p [t, m]^T q [t, n]: gradients of weights (m = outputs, n = inputs), LoRA's A and B among them.
 * p, q of act type XT; g f32, rows of ldg. */
void kern_outer(struct kern *k, uint32_t t, uint32_t m, uint32_t n, float alpha, enum dtype xt,
                const void *p, size_t ldp, const void *q, size_t ldq, float *g, size_t ldg);

/* gb [n] += sum over rows of dy [t, n] (act type XT): gradients of biases. */
void kern_colsum(struct kern *k, uint32_t t, uint32_t n, enum dtype xt, const void *dy, size_t lddy, float *gb);

/* DoRA: norms of the rows of W + scale * B A without forming it: norm[o] = sqrt(w2[o] + 2 scale wa[.,o] . b[o] + scale^2 b[o] aat b[o]^T).
 * w2 [out] squared norms of W's rows, wa [r, out] = A W^T, b [out, r], aat [r, r] = A A^T, all f32. */
void kern_dora_norm(struct kern *k, uint32_t out, uint32_t r, float scale, const float *w2, const float *wa, const float *b, const float *aat, float *norm);
/* y [t, n] (= or += for f32) src * (mag / norm) + bias: src [t, n] f32 packed, bias may be NULL, y of type YT rows of ldy. */
void kern_dora_scale(struct kern *k, uint32_t t, uint32_t n, const float *src, const float *mag, const float *norm, const float *bias,
                     void *y, size_t ldy, enum dtype yt, bool add);
/* gmag [n] += sum over rows of dy * src / norm, and dsrc (act type) = dy * mag / norm; the norm counts as a constant.  dy, dsrc [t, n] packed, XT. */
void kern_dora_scale_dx(struct kern *k, uint32_t t, uint32_t n, enum dtype xt, const void *dy, const float *src, const float *mag, const float *norm,
                        void *dsrc, float *gmag);

/* RMS norm of rows: rstd[i] = 1 / sqrt(mean(x[i]^2) + eps), y = x * rstd * w.
 * x [t, n] type XT, rows of ldx; y type YT, rows of ldy (may be x where the types agree); w [n] f32.  rstd [t] and xs [t, n] (type YT,
 * rows of n: a copy of x for the way back) may be NULL. */
void kern_rmsnorm(struct kern *k, uint32_t t, uint32_t n, const void *x, size_t ldx, enum dtype xt, const float *w, float eps,
                  void *y, size_t ldy, enum dtype yt, float *rstd, void *xs);
/* y [t, n] = xs * rstd * w again from what was saved (act type XT both, rows of n). */
void kern_rmsnorm_again(struct kern *k, uint32_t t, uint32_t n, const void *xs, const float *rstd, const float *w, void *y, enum dtype xt);
/* dx [t, n] f32 += the gradient through the norm of dy [t, n] (type DYT); gw [n] f32 += (NULL: frozen).
 * With DX_SET dx = instead of +=, in type DYT rows of ldd (may be dy): norms of heads. */
void kern_rmsnorm_dx(struct kern *k, uint32_t t, uint32_t n, const void *xs, size_t ldxs, enum dtype xt, const float *rstd, const float *w,
                     const void *dy, size_t lddy, enum dtype dyt, void *dx, size_t lddx, bool dx_set, float *gw);

/* Rotary positions, in place: x [t, heads, dim] (act type XT, rows of ldx); the first 2 * HALF values of each head are rotated.
 * cs [max, 2 * half] f32: cosines then sines of each position; pos [t] < max.  INTERLEAVED: pairs (2i, 2i+1), else (i, i + half).
 * INVERSE rotates back: the gradient. */
void kern_rope(struct kern *k, uint32_t t, uint32_t heads, uint32_t dim, uint32_t half, void *x, size_t ldx, enum dtype xt,
               const float *cs, const uint32_t *pos, bool interleaved, bool inverse);

/* Attention of segments: queries q0 .. q0+nq-1 see the shared keys p0 .. p0+np-1 (all of them) and of their own keys
 * k0 .. k0+nk-1 (nk >= nq) query i sees j <= nk - nq + i.  Training rows: np 0, nk = nq, k0 = q0.  Decoding: the cache's rows.
 * Common prompts and prefix tuning: np > 0.  WINDOW > 0: only the last WINDOW of the keys a query sees, itself included
 * (keys counted shared first). */
struct kern_seg {
	uint32_t q0, nq, p0, np, k0, nk;
};
struct kern_attn {
	const struct kern_seg *seg; uint32_t nseg;     /* host memory; query ranges do not overlap */
	uint32_t heads, kv_heads, dk, dv;              /* key/value head of query head h: h / (heads / kv_heads) */
	float scale;
	uint32_t window;
	enum dtype xt;                                 /* act type of all matrices here */
	const void *q; size_t ldq;                     /* [., heads * dk] */
	const void *k; size_t ldk;                     /* [., kv_heads * dk] */
	const void *v; size_t ldv;                     /* [., kv_heads * dv] */
	void *o; size_t ldo;                           /* [., heads * dv] */
	float *lse;                                    /* [., heads]: log-sum-exp of each query's scaled scores; NULL: not wanted */
};
void kern_attn(struct kern *k, const struct kern_attn *a);
/* dq, dk, dv (act type, rows of ldq, ldk, ldv) =; rows of keys that several segments share get the sum; key rows that no segment
 * covers are not touched.  a->o, a->lse as the forward left them. */
void kern_attn_dx(struct kern *k, const struct kern_attn *a, const void *dout, size_t lddo, void *dq, void *dk, void *dv);

/* y = silu(g) * u, all [t, n] packed, act type XT. */
void kern_swiglu(struct kern *k, size_t count, enum dtype xt, const void *g, const void *u, void *y);
/* From dy: dg, du (act type; either may be dy), and y again (NULL: not wanted; may be neither dg, du nor dy). */
void kern_swiglu_dx(struct kern *k, size_t count, enum dtype xt, const void *g, const void *u, const void *dy, void *dg, void *du, void *y);

/* x [t, n] f32 = rows of the embedding table. */
void kern_embed(struct kern *k, uint32_t t, struct kmat table, const uint32_t *ids, float *x);
/* gtable [rows, n] f32 += dx rows, in the order of positions. */
void kern_embed_dx(struct kern *k, uint32_t t, uint32_t n, const float *dx, const uint32_t *ids, float *gtable);

/* Rows: dst [m, n] (type DT) = src[idx[i]] (f32);  and dst[idx[i]] (f32) = or += src [m, n] f32. */
void kern_rows_get(struct kern *k, uint32_t m, uint32_t n, const float *src, const uint32_t *idx, void *dst, enum dtype dt);
void kern_rows_put(struct kern *k, uint32_t m, uint32_t n, const float *src, const uint32_t *idx, float *dst, bool add);
/* Rows of the act type scattered, for key/value caches: dst[idx[i]] = src[i], rows of n, strides ld. */
void kern_rows_copy(struct kern *k, uint32_t m, uint32_t n, enum dtype xt, const void *src, size_t lds, const uint32_t *idx, void *dst, size_t ldd);

/* dst [m, n] = src[idx[i]], act type: tokens sorted by expert. */
void kern_rows_gather(struct kern *k, uint32_t m, uint32_t n, enum dtype xt, const void *src, size_t lds, const uint32_t *idx, void *dst);

/* Latent attention (MLA): keys and values of all heads from what the latent gave and the one rotated key that the heads share.
 * kv [t, heads * (nope + dv)] (per head: nope key values, then the value), kr [t, rope] rows of ldkr ->
 * key [t, heads * (nope + rope)], v [t, heads * dv].  And back: dkv =, dkr [t, rope] rows of lddkr = (sum over the heads). */
struct kern_mla {
	uint32_t t, heads, nope, rope, dv;
	enum dtype xt;
};
void kern_mla_keys(struct kern *k, const struct kern_mla *a, const void *kv, const void *kr, size_t ldkr, void *key, void *v);
void kern_mla_keys_dx(struct kern *k, const struct kern_mla *a, const void *dkey, const void *dvalue, void *dkv, void *dkr, size_t lddkr);

/* Choice of experts.  scores [t, experts] f32 holds the router's logits, and afterwards sigmoid or softmax of them.
 * A token takes the TOP best experts by score (+ bias where given), of the TOPG best of GROUPS equal runs where TOPG < GROUPS (a run's score: the
 * sum of its two best with PAIR, else its best; other runs count as 0, or with PAIR as minus infinity); of equals the first.  weight = score (without bias), divided by
 * (their sum + 1e-20) with NORM, times SCALE.  expert [t, top] ascending, weight [t, top] in the same order. */
struct kern_route {
	uint32_t t, experts, top, groups, topg;
	bool sigmoid, pair, norm;
	float scale;
	const float *bias;                    /* [experts] or NULL */
};
void kern_route(struct kern *k, const struct kern_route *a, float *scores, uint32_t *expert, float *weight);
/* dlogits [t, experts] f32 = from dweight [t, top]; the choice itself has no gradient. */
void kern_route_dx(struct kern *k, const struct kern_route *a, const float *scores, const uint32_t *expert, const float *dweight, float *dlogits);

/* x [t, n] f32 += sum over j of weight[i, j] * y[slot[i, j]] (y: act type, rows of n): the experts' answers put together. */
void kern_combine(struct kern *k, uint32_t t, uint32_t n, uint32_t top, enum dtype xt, const void *y, const uint32_t *slot, const float *weight, float *x);
/* dy[slot[i, j]] (act type) = weight[i, j] * dx[i];  dweight[i, j] = sum of dx[i] * y[slot[i, j]]. */
void kern_combine_dx(struct kern *k, uint32_t t, uint32_t n, uint32_t top, enum dtype xt, const float *dx, const void *y, const uint32_t *slot,
                     const float *weight, void *dy, float *dweight);
/* x [t, n] f32 += the rows of y (f32) in slots slot[i, 0..top-1]. */
void kern_combine_add(struct kern *k, uint32_t t, uint32_t n, uint32_t top, const float *y, const uint32_t *slot, float *x);

/* Gate of a shared expert: x [t, n] f32 += sigmoid(z[i]) * y[i] (y act type), and back: dy = sigmoid(z) dx (act type), dz [t] f32. */
void kern_gated(struct kern *k, uint32_t t, uint32_t n, enum dtype xt, const float *z, const void *y, float *x);
void kern_gated_dx(struct kern *k, uint32_t t, uint32_t n, enum dtype xt, const float *z, const void *y, const float *dx, void *dy, float *dz);

/* Random numbers without a state: value C of row I is a hash of the row's key (key[row ? row[i] : i]), SALT (which use of that row it is) and C.  So
 * a pass draws the same numbers again on the way back, whatever is computed anew and however the rows are split.
 * Dropout: y [t, n] packed = x / (1 - p), or 0 with probability P (x: act type, packed); and back: dst [t, n] (type DT, packed) += src / (1 - p)
 * where the value was kept (src f32).  0 <= p < 1. */
struct kern_drop {
	uint32_t t, n;
	const uint64_t *key;
	const uint32_t *row;                  /* NULL: row i has key i */
	uint64_t salt;
	float p;
};
void kern_dropout(struct kern *k, const struct kern_drop *a, enum dtype xt, const void *x, void *y);
void kern_dropout_dx(struct kern *k, const struct kern_drop *a, const float *src, void *dst, enum dtype dt);
/* x [t, n] f32 += uniform noise in [-mag[i], mag[i]) (NEFTune); a->row and a->p are not looked at. */
void kern_noise(struct kern *k, const struct kern_drop *a, const float *mag, float *x);

/* Cross-entropy of rows: loss[i] = lse(logits[i]) - logits[i][target[i]] (natural log; unweighted), and unless dlogits is NULL
 * dlogits[i] = weight[i] * (softmax(logits[i]) - onehot), type DT (f32: may be logits itself).
 * SMOOTH: label smoothing as torch has it (targets (1 - s) onehot + s / n; loss likewise). */
void kern_xent(struct kern *k, uint32_t m, uint32_t n, const float *logits, size_t ldl, const uint32_t *target, const float *weight,
               float smooth, void *dlogits, size_t ldd, enum dtype dt, float *loss);

/* What must not be said: for each i < m, with q = sum of softmax(logits[row[i]]) over id[first[i]] .. id[first[i + 1] - 1] (at least one, ascending),
 *     loss[i] = -log(1 - q),  and unless dlogits is NULL  dlogits[row[i]] += weight[i] * its gradient
 *     (p / (1 - q) - q p / (1 - q) = p at those ids, -q p / (1 - q) elsewhere); 1 - q is summed over the others, and at least 1e-30.
 * dlogits (type DT) is not logits; no row stands twice.  Source: unlikelihood training (Welleck et al. 2019). */
struct kern_rivals {
	uint32_t m, n;
	const uint32_t *row, *first, *id;
	const float *logits; size_t ldl;
	const float *weight;
	void *dlogits; size_t ldd; enum dtype dt;
	float *loss;
};
void kern_rivals(struct kern *k, const struct kern_rivals *a);

void kern_cast(struct kern *k, size_t n, const void *src, enum dtype st, void *dst, enum dtype dt);   /* between f32 and bf16 */
void kern_add(struct kern *k, size_t n, const float *x, float *y);                                    /* y += x */
void kern_scale(struct kern *k, size_t n, float s, float *x);                                         /* x *= s */
double kern_sumsq(struct kern *k, size_t n, const float *x);          /* sum of squares in double, in a fixed order */

/* Optimisers: one step of the values p [n] by the gradient gscale * g, and of the state.  Rates are doubles: 1 - 0.999f is 1e-5 off 0.001.
 *
 * AdamW as torch.optim.AdamW: p *= 1 - lr * decay; m, v updated; p -= lr * (m / c1) / (sqrt(v / c2) + eps),
 * with c1 = 1 - beta1^t, c2 = 1 - beta2^t given by the caller. */
struct kern_adamw {
	double lr, beta1, beta2, eps, decay, gscale, c1, c2;
};
void kern_adamw(struct kern *k, size_t n, const struct kern_adamw *a, float *p, const float *g, float *m, float *v);
/* SGD as torch.optim.SGD: d = g + decay * p; m = momentum * m + d (FIRST: m = d); p -= lr * m. */
struct kern_sgd {
	double lr, momentum, decay, gscale;
	bool first;
};
void kern_sgd(struct kern *k, size_t n, const struct kern_sgd *a, float *p, const float *g, float *m);
/* Lion (Chen et al. 2023): p *= 1 - lr * decay; p -= lr * sign(beta1 * m + (1 - beta1) * g); m = beta2 * m + (1 - beta2) * g. */
struct kern_lion {
	double lr, beta1, beta2, decay, gscale;
};
void kern_lion(struct kern *k, size_t n, const struct kern_lion *a, float *p, const float *g, float *m);
/* Adafactor (Shazeer and Stern 2018) without first moment, as transformers.Adafactor with given rates, of one matrix p, g [rows, cols]:
 *     row[i] = beta2 * row[i] + (1 - beta2) * mean over j of (g^2 + eps);  col[j] likewise over i
 *     u = g * rsqrt(row[i] / mean(row)) * rsqrt(col[j]);  u /= max(1, rms(u) / threshold);  p -= lr * decay * p;  p -= lr * u
 * With rows 1 (a vector) row is not looked at, and u = g * rsqrt(col[j]). */
struct kern_adafactor {
	double lr, beta2, eps, threshold, decay, gscale;
};
void kern_adafactor(struct kern *k, uint32_t rows, uint32_t cols, const struct kern_adafactor *a, float *p, const float *g, float *row, float *col);

#endif
