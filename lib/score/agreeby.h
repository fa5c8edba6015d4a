/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_AGREEBY_H
#define SFT_AGREEBY_H
/* Agreement label by label and rater by rater: which label people do not see alike, who stands apart, and who drifts. */
#include "agree.h"

/* One category.  Pairs are ordered pairs of ratings of one item, an item of m ratings weighing 1 / (m - 1) each. */
struct by_label {
	double n;                       /* ratings */
	struct coef agreement;          /* of its pairs, the share that meets itself: specific agreement (Cicchetti and Feinstein 1990;
	                                   Fleiss, "Statistical methods for rates and proportions", 1981, ch. 13) */
	struct coef alpha;              /* Krippendorff's, nominal, of this category against all others */
	uint32_t other;                 /* the category it meets most often but itself; itself where there is none */
	double meets;                   /* in how many pairs */
};
/* OUT has t->ncat.  Other stays itself where there are more than 4096 categories. */
void agree_by_label(const struct ratings *t, const double *weight, struct by_label *out);

/* One rater, against the consensus of the others: the category that most of the other raters of an item gave.  Items where the others
 * have no such category (a tie, or nobody) are left out. */
struct by_rater {
	uint64_t n;                     /* ratings */
	uint64_t judged, hits;          /* of them, those with a consensus of others; those that agree with it */
	double rate, lo, hi;            /* hits / judged with Wilson's interval; NaN where nothing is judged */
	double p;                       /* Fisher's exact test, one side: do they miss the consensus more often than the other raters; Holm's
	                                   correction over raters.  NaN: not tested */
	double early, late;             /* the rate over the first and over the second half of what is judged, in the order of rating */
	double p_drift;                 /* the same test of the second half against the first */
	uint32_t says, where;           /* the most frequent miss: gives SAYS where the others have WHERE */
	uint64_t misses;                /* how often; 0: there is none */
};
enum { BY_RATER_MIN = 5 };              /* judged ratings below which a rater (a half) is not tested */

/* OUT has k->t.raters.  place[r] of rating r, counted over all items in their order: when it was made, all different and below PLACES; NULL:
 * they stand in that order.  Not for anonymous ratings.  Time O(places + ratings of kinds log of them). */
void agree_by_rater(const struct kinds *k, const uint32_t *place, size_t places, struct by_rater *out);

#endif
