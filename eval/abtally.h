/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ABTALLY_H
#define SFT_ABTALLY_H
/* The figures of votes, and their output.
 *
 * Of each pair: wins, ties, the win rate without ties (Wilson's interval), with ties as half, of all votes; the sign test on the
 * votes that are no ties.  Over all: Bradley-Terry strengths with standard errors and 95% intervals, as natural logarithms
 * and on the scale of Elo (1000 + 400 / ln 10 times the strength).  With several voters: percent agreement and Krippendorff's alpha
 * (nominal) over left, right and tie. */
#include "abvotes.h"

struct ab_tally {
	const struct ab_votes *v;
	size_t n;                       /* systems */
	bool finite;                    /* Bradley-Terry has a solution: the following are filled */
	double *strength, *se, nll;
	uint32_t *order;                /* systems, strongest first; by win rate where there is no solution */
	bool shared;                    /* voters share rows: the following are filled */
	struct agree_percent percent;
	struct coef alpha;
};

void ab_tally(struct ab_tally *t, const struct ab_votes *v);
void ab_tally_free(struct ab_tally *t);
void ab_tally_json(const struct ab_tally *t, struct buf *out);  /* "schema":"sft.ab/1" */
void ab_tally_csv(const struct ab_tally *t, struct buf *out);   /* a line per pair */
void ab_tally_text(const struct ab_tally *t, struct buf *out);

#endif
