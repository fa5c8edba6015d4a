/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_PPLSTATS_H
#define SFT_PPLSTATS_H
/* Perplexity and its relatives from the log-probabilities of tokens: sums over sequences, five numbers kept of each for intervals.
 *
 *   nll = -sum of log p (natural);  perplexity = exp(nll / tokens);  bits_per_token = nll / tokens / ln 2;
 *   bits_per_byte = nll / bytes / ln 2;  perplexity_byte = exp(nll / bytes);  perplexity_word = exp(nll / words) */
#include <stdbool.h>
#include <stdint.h>
#include "words.h"

struct pplstats {                       /* `struct pplstats p = {0}` is empty */
	double *rows, *sum;             /* of each sequence; of all */
	size_t n, cap;
	bool no_bytes, no_words;        /* of some sequence they are not known */
};

/* One sequence: TOKENS that count, of BYTES bytes of text and WORDS words (NaN: not known). */
void ppl_add(struct pplstats *p, double nll, double tokens, double bytes, double words);
/* The words of T, as str.split() of Python has them. */
double ppl_words(struct text t);
uint64_t ppl_tokens(const struct pplstats *p);
void ppl_free(struct pplstats *p);

/* The members of the object metrics.perplexity, and lines for people; with intervals by a bootstrap over sequences where RESAMPLES. */
struct jw;
void ppl_json(const struct pplstats *p, uint64_t resamples, uint64_t seed, struct jw *w);
void ppl_text(const struct pplstats *p, uint64_t resamples, uint64_t seed, struct buf *out);
void ppl_csv(const struct pplstats *p, uint64_t resamples, uint64_t seed, struct buf *out);

#endif
