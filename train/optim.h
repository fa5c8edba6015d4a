/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_OPTIM_H
#define SFT_OPTIM_H
/* Optimisers over the block of trained values, with the gradient clipped by its global norm as torch.nn.utils.clip_grad_norm_ does.  Formulas: kern.h;
 * weight decay on every trained value. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "adapter.h"
#include "err.h"
#include "kern.h"
#include "weights.h"

/* AdamW: betas 0.9, 0.999.  SGD: momentum 0.9.  Lion: betas 0.9, 0.99.  Adafactor: beta2 = 1 - t^-0.8, updates of at most rms 1, factored by
 * the rows and columns of each matrix. */
enum optim_kind { OPTIM_ADAMW, OPTIM_SGD, OPTIM_LION, OPTIM_ADAFACTOR };

/* A run of the block that is one matrix (a vector: rows 1), and the factor of its rate. */
struct optim_part {
	size_t   offset;
	uint32_t rows, cols;
	double   rate;
};

/* The parts of the block, in order and without gaps, for the caller to free: of an adapter, whose Bs learn RATIO times as fast as the rest
 * (LoRA+, Hayou et al. 2024; 1: alike), or of all weights that training changes. */
struct optim_part *optim_parts_adapter(const struct lora *l, double ratio, size_t *n);
struct optim_part *optim_parts_full(const struct model_config *c, size_t *n);

struct optim_opts {
	enum optim_kind kind;
	double decay, clip;               /* clip 0: never */
};

struct optim {
	struct kern *k;                   /* borrowed */
	struct optim_opts o;
	size_t n;                         /* trained values */
	struct optim_part *part;          /* ours */
	size_t   nparts;
	float   *state[2];                /* moments, or Adafactor's means; device memory */
	size_t   nstate[2];               /* values of each */
	float   *host[2];                 /* the same in host memory: where the device has its own, as optim_fetch() last brought it */
	uint64_t t;                       /* steps done */
};

/* Values of state that an optimiser keeps for these parts: of either kind, STATE[0] and STATE[1]. */
void optim_measure(const struct optim_part *part, size_t n, enum optim_kind kind, size_t state[2]);

/* State zero; PART is copied, and its N parts make up the block.  SFT_SYSTEM: no memory. */
int  optim_init(struct optim *o, struct kern *k, const struct optim_part *part, size_t n, const struct optim_opts *how, struct err *e);
void optim_release(struct optim *o);

/* The state from the device to host[] and from there to it; nothing where they are the same. */
void optim_fetch(struct optim *o);
void optim_store(struct optim *o);

/* Global L2 norm of G [n], before clipping. */
double optim_norm(const struct optim *o, const float *g);

/* One step at rate LR: G, whose norm is NORM, times min(1, clip / (norm + 1e-6)) into P. */
void optim_step(struct optim *o, double lr, double norm, float *p, const float *g);

#endif
