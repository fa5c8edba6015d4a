/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_BLEU_H
#define SFT_BLEU_H
/* BLEU as sacreBLEU computes it.
 *
 * Papineni et al., "BLEU: a method for automatic evaluation of machine translation", ACL 2002; smoothing: Chen and Cherry,
 * WMT 2014; details: Post, "A call for clarity in reporting BLEU scores", WMT 2018, and sacrebleu 2.6.0. */
#include <stdbool.h>
#include <stdint.h>
#include "grams.h"
#include "intern.h"
#include "shortseg.h"

enum { BLEU_MAX_ORDER = 16 };
enum bleu_smooth { SMOOTH_EXP, SMOOTH_FLOOR, SMOOTH_ADD_K, SMOOTH_NONE };

struct bleu_opts {
	enum bleu_tokenizer tokenize;
	bool lowercase, effective_order;
	enum bleu_smooth smooth;
	double smooth_value;            /* negative: the method's own (floor 0.1, add-k 1) */
	unsigned max_order;             /* 1..BLEU_MAX_ORDER */
};

/* What adds up over segments: answer length, reference length (the closest; the shorter on a tie), matches and n-grams. */
struct bleu_stats {
	double sys_len, ref_len;
	double correct[BLEU_MAX_ORDER], total[BLEU_MAX_ORDER];
};

struct bleu_score {
	double score;                   /* 0-100 */
	double precisions[BLEU_MAX_ORDER];                         /* percent, smoothed */
	double counts[BLEU_MAX_ORDER], totals[BLEU_MAX_ORDER];     /* with add-k, k is added for orders 2 and up */
	double bp, sys_len, ref_len, ratio;
};

struct bleu_scratch {
	struct words words;             /* of the answer */
	struct words other;             /* of a reference */
	struct shortseg brief;          /* of answers up to its length; the rest are of longer ones */
	struct ids hyp, ref;
	struct intern intern;
	struct grams grams;
};

void bleu_segment(struct bleu_scratch *s, const struct bleu_opts *o, struct text hyp, const struct text *ref, size_t nref,
                  struct bleu_stats *out);
/* EFFECTIVE: stop at the highest order that has n-grams (what sentence scores use). */
void bleu_from_stats(const struct bleu_opts *o, bool effective, const struct bleu_stats *sum, struct bleu_score *out);
/* "case:mixed|eff:no|tok:13a|smooth:exp": sacreBLEU's signature without nrefs and version. */
void bleu_signature(const struct bleu_opts *o, struct buf *to);
void bleu_scratch_free(struct bleu_scratch *s);

#endif
