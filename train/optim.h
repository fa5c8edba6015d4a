/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_OPTIM_H
#define SFT_OPTIM_H
/* AdamW over the block of trained values, with the gradient clipped by its global norm.  Formulas and their order: torch.optim.AdamW
 * and torch.nn.utils.clip_grad_norm_; weight decay on every trained value. */
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "kern.h"

struct optim {
	struct kern *k;           /* borrowed */
	size_t   n;               /* trained values */
	float   *m, *v;           /* [n] first and second moments, device memory */
	uint64_t t;               /* steps done */
	double   decay, clip;     /* clip 0: never */
};

/* Moments zero.  SFT_SYSTEM: no memory for them. */
int  optim_init(struct optim *o, struct kern *k, size_t n, double decay, double clip, struct err *e);
void optim_release(struct optim *o);

/* Global L2 norm of G [n], before clipping. */
double optim_norm(const struct optim *o, const float *g);

/* One step at rate LR: G, whose norm is NORM, times min(1, clip / (norm + 1e-6)) into P. */
void optim_step(struct optim *o, double lr, double norm, float *p, const float *g);

#endif
