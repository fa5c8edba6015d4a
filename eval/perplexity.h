/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_PERPLEXITY_H
#define SFT_PERPLEXITY_H
/* How well a model predicts texts: exp of the mean of -log p over the tokens that count. */
#include <stdbool.h>
#include <stdint.h>
#include "err.h"
#include "loaded.h"
#include "pplstats.h"
#include "rec.h"
#include "tool.h"

struct perplexity_opts {
	struct loaded_opts use;
	struct rec_opts rec;            /* output and to are not used */
	const char *template;           /* --chat-template, NULL: the model's */
	bool from_ids;                  /* records have "ids" and maybe "mask" */
	bool from_text;                 /* each line is a text */
	int  train;                     /* enum chat_train: which tokens of a chat count */
	const char *logprobs;           /* --token-logprobs FILE: a JSON array a sequence, the first null */
};

/* Tokens that count: with a mask those it marks, else all but the first of each sequence.  Their bytes are those of the text that they
 * decode to, special tokens being none; not known for ids, nor are words. */
int perplexity_run(const struct perplexity_opts *o, struct tool *t, const char *const *files, size_t n, struct pplstats *out, struct err *e);

#endif
