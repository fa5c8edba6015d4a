/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SAMPLER_H
#define SFT_SAMPLER_H
/* Choosing the next token from logits, as transformers' generate does it: repeat penalty, temperature, top-k, top-p, min-p, in this
 * order, each over what the one before left. */
#include <stdint.h>
#include "rng.h"

struct sampler_opts {
	double   temperature;     /* 0: the largest logit, ties to the lowest id; nothing else but the penalty then counts */
	uint32_t top_k;           /* 0: all */
	double   top_p;           /* smallest set of the likeliest tokens with at least this probability; 1: all */
	double   min_p;           /* no token with less than this share of the likeliest one's probability; 0: all */
	double   repeat_penalty;  /* logits of tokens seen before are divided by it (multiplied where negative); 1: none */
};

struct sampler {
	uint32_t  vocab;
	uint32_t *heap;           /* [vocab] */
	double   *prob;           /* [vocab] of the candidates, in order */
	uint32_t *mark, stamp;    /* [vocab] ids seen in this call */
};

void     sampler_init(struct sampler *s, uint32_t vocab);
void     sampler_release(struct sampler *s);

/* LOGITS [vocab] are changed by the penalty.  SEEN: N ids, below vocab.  R is drawn from once, and not when greedy. */
uint32_t sampler_pick(struct sampler *s, const struct sampler_opts *o, float *logits, const uint32_t *seen, uint32_t n, struct rng *r);

/* The K likeliest ids in order (ties: lower id first); K <= vocab. */
void     sampler_top(struct sampler *s, const float *logits, uint32_t k, uint32_t *id);
/* log of the sum of exp(logits), in double. */
double   sampler_logsum(const float *logits, uint32_t vocab);

#endif
