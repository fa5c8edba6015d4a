/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TER_H
#define SFT_TER_H
/* TER, the translation edit rate, as sacreBLEU computes it: edits and block shifts that turn the answer into the reference,
 * per word of the reference.
 *
 * Snover et al., "A study of translation edit rate with targeted human annotation", AMTA 2006; the search for shifts, its
 * limits and its order of preference are those of sacrebleu 2.6.0 (lib_ter.py), itself after Tercom. */
#include <stdint.h>
#include "err.h"
#include "intern.h"
#include "words.h"

struct ter_stats {
	double edits;           /* fewest over the references */
	double ref_len;         /* mean over the references, in words */
};

struct ter_scratch {
	struct words hyp_words, ref_words;
	struct buf again;       /* a reference, tokenised once */
	struct ids hyp, ref, shifted, best;
	struct intern intern;
	double ratio;           /* words of the reference per word of the answer */
	size_t beam, stride;    /* half the width of the beam; cells kept of a row */
	int32_t *first;         /* row 0: 0, 1, 2... */
	int32_t *cost;          /* the other rows, within the beam; and two more for trials */
	char *op;
	size_t cost_cap;
	int32_t *align;         /* per word of the reference: the word of the answer it stands at */
	uint32_t *hyp_err, *ref_err;   /* wrong words before position i */
	size_t align_cap;
};

/* SFT_SYSTEM where a segment is so long that its table does not fit memory. */
int ter_segment(struct ter_scratch *s, const struct ter_words *o, struct text hyp, const struct text *ref, size_t nref,
                struct ter_stats *out, struct err *e);
double ter_from_stats(const struct ter_stats *sum);      /* percent; lower is better */
void ter_signature(const struct ter_words *o, struct buf *to);
void ter_scratch_free(struct ter_scratch *s);

#endif
