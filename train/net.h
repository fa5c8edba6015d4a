/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_NET_H
#define SFT_NET_H
/* Inside of the model, shared by model.c (opening, batches), acts.c (memory), layer.c (one block of the network, both ways) and
 * head.c (logits and loss).  Nothing else includes this. */
#include "model.h"

/* Linear layers that read the same input: their LoRA As lie next to each other, so one product serves the group. */
enum group { G_QKV, G_O, G_GATE_UP, G_DOWN, G_COUNT };
enum { GROUP_MAX = 3 };
extern const enum param group_member[G_COUNT][GROUP_MAX];    /* P_COUNT ends a shorter one */

/* What one layer keeps for its way back, all of the act type unless said.  Without training, and with checkpointing, all layers
 * share one set. */
struct acts {
	void  *x1, *x2;                /* [t, hidden] inputs of the two norms */
	float *rstd1, *rstd2;          /* [t] */
	void  *q, *k, *v;              /* after rotation */
	void  *qs, *ks;                /* before the norm of heads (only with qk_norm) */
	float *rstdq, *rstdk;          /* [t * heads], [t * kv_heads] */
	void  *o;                      /* [t, heads * head_dim] output of attention */
	float *lse;                    /* [t, heads] */
	void  *gate, *up;              /* [t, ffn] */
	void  *side[G_COUNT];          /* [t, members * rank]: x A^T of each group */
	float *xin;                    /* [t, hidden] input of the layer: checkpointing only */
};

struct model {
	struct kern *k;
	const struct weights *w;
	const struct lora *lora;       /* NULL: none */
	struct model_opts o;
	struct model_config cfg;
	uint32_t qd, kvd;              /* heads * head_dim, kv_heads * head_dim */
	size_t   esize;                /* bytes of an activation */
	float    attn_scale;           /* head_dim^-0.5 */

	float *values, *grad;          /* trained block: borrowed (LoRA) or ours (full); grad is ours */
	size_t ntrained;
	size_t *full;                  /* full: offset of each weight in the block, [P_LAYER + layers * kinds]; NULL otherwise */
	int32_t first_trained;         /* lowest layer with something trained (-1: the embedding too); layers: none */

	float   *rope;                 /* [positions, head_dim] */
	uint32_t positions;

	/* activations: one block, laid out by acts_plan() for at most these sizes */
	char    *block;
	uint32_t cap_t, cap_out;
	bool     cap_train;
	struct acts *acts;             /* [layers]; the first nacts have a set of their own */
	uint32_t nacts;
	float *x, *dx, *dxn;           /* [t, hidden] residual stream, its gradient, the gradient of a norm's output */
	void  *xn, *dy;                /* [t, hidden] */
	void  *h;                      /* [t, ffn] silu(gate) * up, or on the way back its recomputation */
	void  *dgate, *dup;            /* [t, ffn] */
	void  *dq, *dk, *dv, *dout;    /* gradients of q, k, v and of attention's output */
	void  *dside;                  /* [t, GROUP_MAX * rank] */
	float *rows;                   /* [nout, hidden] gathered rows, then their gradient */
	void  *rows_x, *rows_n;        /* [nout, hidden] input and output of the last norm */
	float *rows_rstd, *rows_loss;  /* [nout] */
	float *drows;                  /* [nout, hidden] */
	float *logits;                 /* [chunk, vocab] */
	void  *dlogits;                /* [chunk, vocab] */
	uint32_t chunk;
};

struct kv_cache {
	struct kern *k;
	uint32_t rows, layers;
	size_t   kbytes;               /* of one layer's keys (values are as large) */
	char    *block;                /* layer l: keys at 2 l kbytes, values behind them */
};

/* acts.c: make room for a batch; SFT_SYSTEM when there is none.  acts_bytes: what that takes. */
int    acts_reserve(struct model *m, uint32_t tokens, uint32_t nout, bool train, struct err *e);
size_t acts_bytes(const struct model *m, uint32_t tokens, uint32_t nout, bool train);
void   acts_release(struct model *m);
struct acts *acts_of(struct model *m, uint32_t layer);

/* Weight matrix and vector as the kernels see them, trained or frozen; where gradients go (NULL: frozen). */
struct kmat  net_mat(const struct model *m, enum param p, uint32_t layer);
const float *net_vec(const struct model *m, enum param p, uint32_t layer);     /* NULL: this model has none */
float       *net_grad(const struct model *m, enum param p, uint32_t layer);
/* The LoRA of a linear layer: values of A and B and their gradients; NULL where it carries none. */
float *net_a(const struct model *m, enum param p, uint32_t layer);
float *net_b(const struct model *m, enum param p, uint32_t layer);
float *net_grad_of(const struct model *m, const float *value);

/* layer.c: m->x [t, hidden] through layer L; with CACHE keys and values go to its rows KVROW. */
void layer_forward(struct model *m, uint32_t l, const struct batch *b, struct kv_cache *cache, const uint32_t *kvrow);
/* m->dx from gradient of the layer's output to that of its input (left unfinished when nothing below is trained). */
void layer_backward(struct model *m, uint32_t l, const struct batch *b);

/* head.c: after the last layer.  Rows b->out of m->x through the last norm (m->rows_n). */
void head_norm(struct model *m, const struct batch *b);
void head_logits(struct model *m, const struct batch *b, float *logits);       /* host memory */
void head_logp(struct model *m, const struct batch *b, float *logp);
/* Adds to *LOSS, writes m->dx (all rows). */
void head_train(struct model *m, const struct batch *b, double *loss);

#endif
