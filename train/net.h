/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_NET_H
#define SFT_NET_H
/* Inside of the model, shared by model.c (opening, batches), acts.c (memory), linear.c (linear layers and their adapters), attn.c and mla.c
 * (attention), mlp.c and moe.c (feed-forward), head.c (logits and loss).  Nothing else includes this. */
#include "model.h"

/* Linear layers that read the same input: their LoRA As lie next to each other, so one product serves the group. */
enum group { G_QKV, G_QB, G_KVB, G_O, G_GATE_UP, G_DOWN, G_SHARED_GATE_UP, G_SHARED_DOWN, G_EXPERT_GATE_UP, G_EXPERT_DOWN, G_COUNT };
enum { GROUP_MAX = 6 };
extern const enum param group_member[G_COUNT][GROUP_MAX];    /* ended by P_COUNT */

/* What one layer keeps for its way back, all of the act type unless said.  Without training, and with checkpointing, all layers
 * share one set. */
struct acts {
	void  *x1, *x2;                /* [t, hidden] inputs of the two norms */
	float *rstd1, *rstd2;          /* [t] */
	void  *q, *k, *v;              /* after rotation; the keys and values of a trained prefix lie before k and v */
	void  *qs, *ks;                /* before the norm of heads (only with qk_norm) */
	float *rstdq, *rstdk;          /* [t * heads], [t * kv_heads] */
	void  *xqa, *xkv;              /* MLA: [t, q_rank], [t, kv_rank] inputs of the latents' norms */
	float *rstdqa, *rstdkv;        /* [t] */
	void  *o;                      /* [t, heads * v_dim] output of attention */
	float *lse;                    /* [t, heads] */
	void  *gate, *up;              /* [t, ffn] */
	struct moe_acts {              /* a mixture; s = t * top slots, sorted by expert */
		float    *scores;          /* [t, experts] */
		uint32_t *expert;          /* [t, top] */
		float    *weight;          /* [t, top] */
		uint32_t *slot, *token;    /* [t, top] the slot of each choice; [s] the token of each slot */
		uint32_t *first;           /* host: [experts + 1] first slot of each expert */
		void     *gate, *up;       /* [s, expert_ffn] */
		void     *y;               /* [s, hidden] the experts' answers */
		void     *sgate, *sup;     /* [t, shared_ffn] */
		float    *sz;              /* [t] before the sigmoid of the shared expert's gate */
		void     *sy;              /* [t, hidden] its answer (only with a gate) */
	} moe;
	void  *side[G_COUNT];          /* [t (experts: s), side_width] x A^T of each group */
	uint32_t side_width[G_COUNT];
	float *xin;                    /* [t, hidden] input of the layer: checkpointing only */
};

struct model {
	struct kern *k;
	const struct weights *w;
	const struct lora *lora;       /* NULL: none */
	struct model_opts o;
	struct model_config cfg;
	uint32_t qd, kd, vd, od;       /* values of a token's q, k, v and output of attention */
	size_t   esize;                /* bytes of an activation */
	float    attn_scale;           /* head_dim^-0.5 */

	float *w2, *norm;              /* DoRA: where a magnitude lies in the block, the squared norm of W's row, and the norm of the adapted one */
	float *wa;                     /* DoRA: [rank, output + rank], the largest */
	bool   norms_ready;

	uint32_t prefix;               /* virtual tokens before every sequence; 0: none */
	uint32_t *prefix_row;          /* [2 * layers][prefix]: rows of kd values in the block (keys of layer 0, values of layer 0, ...) */
	float *prefix_grad;            /* [prefix, kd] */
	struct kern_seg *seg;          /* a batch's segments and positions behind the prefix */
	uint32_t *pos, cap_seg, cap_pos;

	float *values, *grad;          /* trained block: borrowed (LoRA) or ours (full, and where the device is apart); grad is ours */
	/* The device is apart (apart.c): values on the host (LoRA: borrowed), and how many; base weights there, by place; a batch's arrays. */
	float *host;
	size_t nhost;
	char  *weights;
	struct kmat *dev;              /* NULL: weights are read where the file's map has them */
	uint32_t *in_ids, *in_pos, *in_row, *in_out, *in_target;
	float *in_weight;
	uint32_t *rivals, *in_rival;   /* cap_rivals words; [chunk] their rows */
	size_t cap_rivals;
	size_t ntrained;
	size_t *full;                  /* full: offset of each place in the block; NULL otherwise */
	int32_t first_trained;         /* lowest layer with something trained (-1: the embedding too); layers: none */

	float   *rope;                 /* [positions, rotated] */
	uint32_t positions;

	/* activations: one block, laid out by acts_plan() for at most these sizes */
	char    *block;
	uint32_t cap_t, cap_out;
	bool     cap_train;
	struct acts *acts;             /* [layers]; the first nacts have a set of their own */
	uint32_t nacts;
	float *x, *dx, *dxn;           /* [t, hidden] residual stream, its gradient, the gradient of a norm's output */
	void  *xn, *dy;                /* [t, hidden] */
	void  *h;                      /* [t, ffn] (or the widest mixture) silu(gate) * up, on the way back again */
	void  *dgate, *dup;            /* as wide */
	void  *dq, *dk, *dv, *dout;    /* gradients of q, k, v and of attention's output */
	void  *qa, *kva, *lat, *kvb;   /* MLA: [t, q_rank], [t, kv_rank + rotated], [t, kv_rank], [t, heads * (nope + v_dim)] */
	void  *dqa, *dkva, *dlat;      /* gradients of the first, the second, and of a normed latent */
	void  *xe, *dye;               /* mixture: [s, hidden] inputs of the experts by slot; gradient of their answers */
	float *dxe;                    /* [s, hidden] */
	float *dweight, *dlogits_route;/* [t, top], [t, experts] */
	void  *small;                  /* [t, experts] the latter, or a gate's gradient, in the act type */
	void  *dside;                  /* [t or s, widest side] */
	float *dshared;                /* fused experts: [s, rank] the same of gate and up, being summed */
	bool   dropping;               /* this pass thins out what the As read */
	uint64_t *key;                 /* [t] the tokens' random numbers (dropout, noise) */
	float *mag;                    /* [t] sizes of the noise on their embeddings */
	void  *xdrop;                  /* dropout: [t or s, widest input] thinned; and what comes back to it */
	float *dxdrop;
	float *dora;                   /* DoRA: [t (experts: s), output] a product before it is scaled, the widest */
	float *rows;                   /* [nout, hidden] gathered rows, then their gradient */
	void  *rows_x, *rows_n;        /* [nout, hidden] input and output of the last norm */
	float *rows_rstd, *rows_loss;  /* [nout] */
	float *drows;                  /* [nout, hidden] */
	float *logits;                 /* [chunk, vocab] */
	void  *dlogits;                /* [chunk, vocab] */
	uint32_t chunk;
	float *rival_loss;             /* [chunk] */
};

struct kv_cache {
	struct kern *k;
	uint32_t rows, layers;
	size_t   kbytes, vbytes;       /* of one layer's keys and values */
	char    *block;                /* layer by layer: keys, then values */
};

/* acts.c: make room for a batch; SFT_SYSTEM when there is none.  acts_bytes: what that takes, in all and in parts; it looks at shapes only. */
int    acts_reserve(struct model *m, uint32_t tokens, uint32_t nout, bool train, struct err *e);
size_t acts_bytes(const struct model *m, uint32_t tokens, uint32_t nout, bool train, struct acts_size *size);
void   acts_release(struct model *m);
struct acts *acts_of(struct model *m, uint32_t layer);

/* Weight matrix and vector as the kernels see them, trained or frozen; where gradients go (NULL: frozen). */
struct kmat  net_mat(const struct model *m, enum param p, uint32_t layer);
const float *net_vec(const struct model *m, enum param p, uint32_t layer);     /* NULL: this model has none */
float       *net_grad(const struct model *m, enum param p, uint32_t layer);
struct kmat  net_expert(const struct model *m, enum param p, uint32_t layer, uint32_t expert);
float       *net_expert_grad(const struct model *m, enum param p, uint32_t layer, uint32_t expert);
bool         net_has(const struct model *m, enum param p, uint32_t layer);
/* The adapter of a linear layer; NULL where it carries none. */
const struct lora_site *net_site(const struct model *m, enum param p, uint32_t layer, uint32_t expert);
float *net_grad_of(const struct model *m, const float *value);
/* Element I of an activation matrix. */
static inline void *net_at(const struct model *m, void *p, size_t i)
{
	return (char *)p + i * m->esize;
}

/* Where a group stands, and the rows that pass through it. */
struct at {
	uint32_t layer, t;
	uint32_t expert, slot;         /* a mixture: which expert, and the slot of its first row */
	const uint32_t *row;           /* a mixture: the token of each row; NULL: they are in order */
};

/* linear.c: linear layers in groups.  Forward: group_side() once, then linear_forward() of each member.  Backward: of each member
 * weight_grads() and side_grads(); group_side_grads() when all members' side_grads() are done; then linear_backward() of each, and group_backward().  With
 * DoRA side_grads() turns DY into the gradient of the product before it was scaled. */
uint32_t group_width(const struct model *m, enum group g, uint32_t layer, uint32_t expert);      /* columns of the side product */
void group_side(struct model *m, enum group g, const struct at *at, const void *x, uint32_t in);
void linear_forward(struct model *m, enum group g, enum param p, enum param bias, const struct at *at, const void *x, void *y, enum dtype yt, bool add);
void weight_grads(struct model *m, enum param p, enum param bias, const struct at *at, const void *x, const void *dy);
void side_grads(struct model *m, enum group g, enum param p, const struct at *at, const void *x, void *dy);
void group_side_grads(struct model *m, enum group g, const struct at *at, const void *x, uint32_t in);
void linear_backward(struct model *m, enum group g, enum param p, const struct at *at, const void *dy, void *dx, enum dtype yt, bool add);
void group_backward(struct model *m, enum group g, const struct at *at, void *dx, enum dtype yt);

/* virtual.c: a trained prefix.  Memory for it, and how much that is; B as the layers see it (positions and keys behind the prefix; B itself without one); the
 * prefix's keys and values of layer L put before K and V; their gradients taken from before DK and DV. */
int  virtual_open(struct model *m, struct err *e);
size_t virtual_bytes(const struct model *m);
void virtual_close(struct model *m);
struct batch virtual_batch(struct model *m, const struct batch *b);
void virtual_fill(struct model *m, uint32_t l, void *k, void *v);
void virtual_grads(struct model *m, uint32_t l, const void *dk, const void *dv);

/* apart.c: weights and trained values onto a device with memory of its own, and what the weights take; *B and KVROW with their arrays there (segments and
 * rival_out stay).  All do nothing on others. */
int  apart_open(struct model *m, struct err *e);
size_t apart_bytes(const struct model *m);
void apart_close(struct model *m);
int  apart_batch(struct model *m, struct batch *b, const uint32_t **kvrow, struct err *e);

/* dora.c: norms of all adapted rows for this pass; memory for them, and how much.  dora_width: widest output of an adapted layer for a token (0: no DoRA). */
int  dora_open(struct model *m, struct err *e);
size_t dora_bytes(const struct model *m);
void dora_close(struct model *m);
void dora_norms(struct model *m);
size_t dora_width(const struct model *m);
float *net_m(const struct model *m, enum param p, uint32_t layer, uint32_t expert);    /* magnitudes; NULL: none */

/* One block: m->x [t, hidden] through attention and feed-forward of layer L; with CACHE keys and values go to its rows KVROW.  Back: m->dx from
 * the gradient of the layer's output to that of its input (left unfinished where nothing BELOW is trained). */
void attention_forward(struct model *m, uint32_t l, const struct batch *b, struct kv_cache *cache, const uint32_t *kvrow);
void attention_backward(struct model *m, uint32_t l, const struct batch *b, bool below);
void mlp_forward(struct model *m, uint32_t l, uint32_t t);
void mlp_backward(struct model *m, uint32_t l, uint32_t t);

/* mla.c: q, k and v of latent attention from m->xn, and back to m->dxn (only the adapters' gradients where !DOWN). */
void mla_forward(struct model *m, uint32_t l, const struct batch *b);
void mla_backward(struct model *m, uint32_t l, const struct batch *b, bool down);
void rotate(struct model *m, uint32_t t, uint32_t heads, uint32_t dim, void *x, size_t ld, const uint32_t *pos, bool inverse);

/* moe.c: a mixture from m->xn to m->x, and from m->dx (and m->dy, the same in the act type) to m->dxn. */
void moe_forward(struct model *m, uint32_t l, uint32_t t);
void moe_backward(struct model *m, uint32_t l, uint32_t t);

/* mlp.c: a gated pair and its way down, for dense layers, shared experts and routed ones: gate, up and down are P, P + 1, P + 2. */
struct ffn {
	enum param p;
	enum group in, down;
	uint32_t width;
	struct at at;
	const void *x;                 /* [t, hidden] input */
	void *gate, *up;               /* [t, width] kept for the way back */
	void *h, *dgate, *dup;         /* [t, width] for the time being */
};
void ffn_forward(struct model *m, const struct ffn *f, void *y, enum dtype yt, bool add);
/* From DY [t, hidden] (act type): DX [t, hidden] = or +=. */
void ffn_backward(struct model *m, const struct ffn *f, void *dy, float *dx, bool add);

/* head.c: after the last layer.  Rows b->out of m->x through the last norm (m->rows_n). */
void head_norm(struct model *m, const struct batch *b);
void head_logits(struct model *m, const struct batch *b, float *logits);       /* host memory */
void head_logp(struct model *m, const struct batch *b, float *logp);
/* Adds to *LOSS, writes m->dx (all rows). */
void head_train(struct model *m, const struct batch *b, struct model_loss *loss);

#endif
