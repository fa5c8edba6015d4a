/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_CHRF_H
#define SFT_CHRF_H
/* chrF and chrF++ as sacreBLEU computes them.
 *
 * Popovic, "chrF: character n-gram F-score for automatic MT evaluation", WMT 2015; "chrF++: words helping character
 * n-grams", WMT 2017; sacrebleu 2.6.0. */
#include <stdbool.h>
#include <stdint.h>
#include "grams.h"
#include "intern.h"

enum { CHRF_MAX_ORDER = 32 };   /* character and word orders together */

struct chrf_opts {
	unsigned char_order, word_order;    /* 6 and 0 (chrF++: 2); 1 <= their sum <= CHRF_MAX_ORDER */
	double beta;                        /* 2: recall counts twice */
	bool lowercase, whitespace, eps_smoothing;
};

/* n-grams of the answer (0 where the reference has none of that order), of the reference, matched: per order. */
struct chrf_stats {
	double hyp[CHRF_MAX_ORDER], ref[CHRF_MAX_ORDER], match[CHRF_MAX_ORDER];
};

struct chrf_scratch {
	struct words hyp_words, ref_words;  /* split and cut from punctuation, for word n-grams */
	struct buf hyp_low, ref_low;        /* lower-cased text */
	struct ids hyp_chars, ref_chars, hyp_ids, ref_ids;
	struct intern intern;
	struct grams chars, words;
};

/* The statistics against the reference with the best score (the first on a tie). */
void chrf_segment(struct chrf_scratch *s, const struct chrf_opts *o, struct text hyp, const struct text *ref, size_t nref,
                  struct chrf_stats *out);
double chrf_from_stats(const struct chrf_opts *o, const struct chrf_stats *sum);   /* 0-100 */
void chrf_name(const struct chrf_opts *o, struct buf *to);                         /* "chrF2++" */
void chrf_signature(const struct chrf_opts *o, struct buf *to);
void chrf_scratch_free(struct chrf_scratch *s);

#endif
