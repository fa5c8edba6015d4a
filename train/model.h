/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_MODEL_H
#define SFT_MODEL_H
/* The forward and backward pass: one for training, scoring and generation.
 *
 * A model is base weights, perhaps an adapter (or all weights trained), on a device.  It takes batches of tokens without padding: rows of
 * several sequences one after the other, told apart by segments.  Not for threads to share. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "adapter.h"
#include "err.h"
#include "kern.h"
#include "weights.h"

struct model;

enum { MODEL_TRAIN_LORA = 1, MODEL_TRAIN_FULL = 2 };

struct model_opts {
	enum dtype act;                /* DT_F32 or DT_BF16: type of activations and products */
	unsigned   train;              /* 0: forward only */
	float      smoothing;          /* label smoothing of the loss, 0: none */
	bool       checkpointing;      /* keep only each layer's input, compute the rest again on the way back */
	bool       apart;              /* model_measure(): the device has memory of its own; model_open() asks the device */
};

/* On a device with memory of its own W may be hollow (weights_header()): then weights are drawn, for timing.  W and K are borrowed and outlive the model; L (may be NULL) is borrowed too, VALUES its block (borrowed, read by every forward). */
int  model_open(struct model **m, struct kern *k, const struct weights *w, const struct lora *l, float *values,
                const struct model_opts *o, struct err *e);
void model_close(struct model *m);
const struct model_config *model_config(const struct model *m);

/* Tokens of one pass.  Positions restart in each sequence. */
struct batch {
	uint32_t n;                    /* tokens */
	const uint32_t *ids, *pos;
	const struct kern_seg *seg; uint32_t nseg;   /* rows of keys are rows of the batch, or with a cache rows of the cache */
	uint32_t nout;                 /* rows whose logits are wanted; a row may stand there several times.  None elsewhere are computed */
	const uint32_t *out;
	const uint32_t *target;        /* [nout] the token each of them should predict (loss) */
	const float    *weight;        /* [nout] factor of its gradient: 1 / (trained tokens of the whole step) */
	/* What must not be said at nrival of the outputs (kern_rivals): rival_out ascends, numbers of outputs; nrival 0: nothing. */
	uint32_t nrival;
	const uint32_t *rival_out, *rival_first, *rival_id;
	const float    *rival_weight;  /* [nrival] factor of its gradient */
	const uint64_t *key;           /* [n] training with dropout or noise: a random number of each token's own.  What is drawn for a token follows
	                                  from it alone, so splitting a batch changes nothing.  NULL: neither */
	const float    *noise;         /* [n] training: uniform noise of this size on each token's embedding (NEFTune); NULL: none */
};

/* Keys and values of tokens seen, for generation and scoring: ROWS rows of every layer. */
struct kv_cache;
int  kv_open(struct kv_cache **c, struct model *m, uint32_t rows, struct err *e);
void kv_close(struct kv_cache *c);
uint32_t kv_rows(const struct kv_cache *c);

/* Forward.  With CACHE, the keys and values of token i go to cache row KVROW[i] and segments speak of cache rows; nothing is saved for a
 * backward pass.  LOGITS [nout, vocab] f32 (host memory; NULL: not wanted).  SFT_SYSTEM: no memory for the activations. */
int  model_forward(struct model *m, const struct batch *b, struct kv_cache *cache, const uint32_t *kvrow, float *logits, struct err *e);

/* Log-probability of each target: logp[nout] = log softmax(logits[out[i]])[target[i]], without keeping logits. */
int  model_logp(struct model *m, const struct batch *b, struct kv_cache *cache, const uint32_t *kvrow, float *logp, struct err *e);

/* Forward, loss and backward: LOSS += sums over the outputs, unweighted; gradients of the weighted sum of both are added to model_grad(). */
struct model_loss {
	double token;                  /* -log p of the targets */
	double rival;                  /* -log(1 - p of the rivals) */
};
int  model_train(struct model *m, const struct batch *b, struct model_loss *loss, struct err *e);

/* Trained values, in the order of the block; the gradient has the same layout. */
size_t  model_trained(const struct model *m);
float  *model_values(struct model *m);              /* device memory, as the gradient */
float  *model_grad(struct model *m);
/* The gradient of values that stay as they are (an adapter's frozen ones) is made 0. */
void    model_freeze(struct model *m);
/* The values in host memory: where a device has memory of its own, as model_fetch() last brought them; model_store() puts them there.  Elsewhere the
 * values themselves, and the two do nothing. */
float  *model_host(struct model *m);
void    model_fetch(struct model *m);
void    model_store(struct model *m);
/* MODEL_TRAIN_FULL: the values of a place (as in place_at()) that the model has, in model_host().  Trained are all but the biases of routers, which
 * only move a choice: their values lie behind the block. */
const float *model_full(const struct model *m, size_t place);

/* The largest pass: its tokens, its rows with a target, and the positions of the longest sequence. */
struct pass_size {
	uint32_t tokens, nout, positions;
};
/* Bytes of what a pass makes.  Without training and with checkpointing one layer's memory serves all of them. */
struct acts_size {
	size_t layers, layer;          /* what layers keep for their way back; the largest layer's share */
	size_t inputs;                 /* checkpointing: the input of each layer */
	size_t work;                   /* values on their way, gradients among them */
	size_t head;                   /* rows behind the last layer, a chunk of logits and its gradient */
};
struct model_size {
	size_t trained;                /* values */
	size_t values;                 /* bytes from here on: the block of trained values (with MODEL_TRAIN_FULL all weights as f32) */
	size_t grad;
	size_t weights;                /* base weights in the device's own memory; 0: they are read where the file's map has them */
	size_t tables;                 /* angles of positions, DoRA's norms, a prefix's rows */
	size_t all;                    /* activations of a pass, the sum of: */
	struct acts_size acts;
};
/* What a model so opened takes for such passes.  It is the allocation's own reckoning, without a device and without weights: W may be hollow
 * (weights_header()). */
void model_measure(struct model_size *s, const struct weights *w, const struct lora *l, const struct model_opts *o, const struct pass_size *pass);

#endif
