/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_DECODE_H
#define SFT_DECODE_H
/* Generation and the scoring of choices over model.h's forward pass, with a cache of keys and values.
 *
 * Prompts that are decoded together run in step, one token of each a pass.  What they all begin with is computed once, and so is what
 * a prompt has in common with the one before it: the cache keeps the rows of the last beginning.  Results do not depend on the
 * number of threads. */
#include <stdbool.h>
#include <stdint.h>
#include "err.h"
#include "model.h"
#include "sampler.h"

enum { DECODE_TOGETHER = 16 };      /* most requests of one decode_run() */

struct decode_opts {
	uint32_t max_tokens;            /* of each answer, at least 1 */
	struct sampler_opts sample;
	uint64_t seed;
	const uint32_t *stop;           /* ids that end an answer, nstop of them; none: it ends at max_tokens */
	uint32_t nstop;
	uint32_t top;                   /* alternatives kept for each token (at most the vocabulary) */
	bool     logprobs;              /* keep log-probabilities (of the model: before penalty and temperature) */
	/* Asked after each token, which it may end the answer with (stop texts); may be NULL. */
	bool   (*ends)(void *ctx, const uint32_t *ids, uint32_t n);
	void    *ctx;
};

struct decode_request {
	const uint32_t *prompt;         /* n tokens, at least 1 */
	uint32_t n;
	uint64_t number;                /* of the record: what it draws depends on (seed, number) alone */
	/* the answer (decode_request_free): */
	uint32_t *ids;                  /* [count] with the stop token, if one came */
	uint32_t count;
	bool     stopped;               /* the last of ids is a stop token */
	float    *logp;                 /* [count] */
	uint32_t *top;                  /* [count * opts.top] ids, and */
	float    *top_logp;             /* their log-probabilities */
};

struct decoder;

int  decode_open(struct decoder **d, struct model *m, struct err *e);
void decode_close(struct decoder *d);

/* Answers to N requests, N <= DECODE_TOGETHER.  SFT_BADDATA: a token outside the vocabulary; SFT_SYSTEM: no memory. */
int  decode_run(struct decoder *d, const struct decode_opts *o, struct decode_request *r, uint32_t n, struct err *e);
void decode_request_free(struct decode_request *r);

struct decode_choice {
	const uint32_t *ids;            /* n tokens, at least 1 */
	uint32_t n;
	double   score;                 /* out: sum of the log-probabilities of its tokens after the prompt */
};
/* All choices are scored in one pass (or few, where they are many tokens), as continuations that share the prompt's keys. */
int  decode_choices(struct decoder *d, const uint32_t *prompt, uint32_t n, struct decode_choice *c, uint32_t nchoices, struct err *e);
/* *BEST: the choice with the highest score / DIVIDE[it] (over 0; NULL: 1 for all), the first of equals, as decode_choices() would have it to
 * rounding.  Only the tokens of those that could still be the best are computed; only c[*best].score is sure to be set. */
int  decode_best(struct decoder *d, const uint32_t *prompt, uint32_t n, struct decode_choice *c, uint32_t nchoices, const double *divide, uint32_t *best,
                 struct err *e);

#endif
