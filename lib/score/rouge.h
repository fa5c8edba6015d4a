/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ROUGE_H
#define SFT_ROUGE_H
/* ROUGE-1..9, -L and -Lsum as Google's rouge_score computes them.
 *
 * Lin, "ROUGE: a package for automatic evaluation of summaries", 2004; rouge_score 0.1.2 (union LCS with clipped counts,
 * sentences end at LF, per type the reference with the best F1). */
#include <stdbool.h>
#include "err.h"
#include "grams.h"
#include "intern.h"
#include "lcs.h"
#include "shortseg.h"

enum { ROUGE_MAX_TYPES = 11, ROUGE_L = 10, ROUGE_LSUM = 11 };

struct rouge_opts {
	enum rouge_tokenizer tokenizer;
	bool stem;
	unsigned type[ROUGE_MAX_TYPES];  /* 1..9: n-grams; ROUGE_L; ROUGE_LSUM */
	unsigned ntypes;
};

struct prf {
	double p, r, f;
};

struct sentences {                      /* the ids of sentence k: ids.v[end[k-1]..end[k]-1] */
	struct ids ids;
	size_t *end, n, cap;
};

struct rouge_scratch {
	struct words words;
	struct shortseg brief;          /* of answers up to its length; ids, intern, grams and lcs are of longer ones */
	struct ids hyp, ref;
	struct intern intern;
	struct grams grams;
	struct lcs lcs;
	struct words sum_words;         /* rougeLsum: the answer, sentence by sentence */
	struct buf sum_text;
	struct sentences sum_hyp, sum_ref;
	struct intern sum_intern;
	uint32_t *count;                /* per word of the answer: occurrences left in answer and reference */
	bool *hit;
	size_t count_cap, hit_cap;
};

/* "rouge1,rouge2,rougeL,rougeLsum" into O->type; SFT_USAGE names what is no type. */
int rouge_parse_types(const char *list, struct rouge_opts *o, struct err *e);
void rouge_type_name(unsigned type, char name[16]);
/* OUT: one per type.  Fails as words_rouge(). */
int  rouge_segment(struct rouge_scratch *s, const struct rouge_opts *o, struct text hyp, const struct text *ref, size_t nref,
                   struct prf *out, struct err *e);
void rouge_signature(const struct rouge_opts *o, struct buf *to);
void rouge_scratch_free(struct rouge_scratch *s);

#endif
