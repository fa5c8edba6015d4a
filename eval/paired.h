/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_PAIRED_H
#define SFT_PAIRED_H
/* Two systems on the same items: their metrics, the difference, and how sure it is. */
#include "metric.h"
#include "pairs.h"
#include "strmap.h"

struct side {
	const char *path;
	struct metric **m;              /* paired.nmetrics */
	double **item;                  /* item[k][i]: the headline of metric k on item i of this side's order */
	uint64_t *hash;                 /* of the references of an item */
	size_t n, cap;
};

struct difference {                     /* of one value of a metric */
	double a, b, a_lo, a_hi, b_lo, b_hi;
	double diff, lo, hi;            /* B - A, 95% by paired bootstrap */
	double p;                       /* accuracy: McNemar's exact test; else paired bootstrap as sacreBLEU */
	double p_holm;                  /* held against the other systems compared with A, and against the other slices */
};

struct paired {
	const char *const *name;        /* metrics */
	size_t nmetrics;
	uint64_t resamples, seed;
	struct side a, b;
	struct strmap id;               /* of A's items, in order; their numbers where there are no ids */
	bool by_id;
	size_t place;
	bool several;                   /* B is one of several systems compared with A */
	struct difference *diff;        /* [metric * METRIC_MAX_VALUES + value], of paired_compute() */
	uint32_t *of_b;                 /* of_b[i]: the place in B of A's item i */
};

struct contest {                        /* of a metric, item by item */
	uint64_t win, tie, loss;        /* B better, alike (or undefined on a side), worse */
	double net;                     /* (win - loss) / items */
	double effect;                  /* Cohen's d_z: mean of the differences of items in favour of B / their deviation; NaN where that is 0 */
	double p;                       /* McNemar's exact (sign) test on wins and losses */
	double odds, odds_lo, odds_hi;  /* wins / losses, 95%; NaN where losses or wins are 0 */
};

int  paired_open(struct paired *p, const char *const *metric, size_t n, const struct metric_opts *o, uint64_t resamples, uint64_t seed,
                 struct err *e);
/* All items of side A (first) and paired_end_a(), then of B.  Items are paired by id where both sides have ids, else by order.
 * SFT_BADDATA for an id that stands twice or on one side only, for unequal counts, and for an item whose references differ. */
int  paired_add_a(struct paired *p, const struct item *it, struct err *e);
int  paired_end_a(struct paired *p, const char *path, struct err *e);
int  paired_add_b(struct paired *p, const struct item *it, const char *path, struct err *e);
int  paired_end_b(struct paired *p, struct err *e);
/* The place in A of the item of B that was added last. */
size_t paired_place(const struct paired *p);
void paired_contest(const struct paired *p, size_t metric, struct contest *out);
/* Fill diff of all metrics; p_holm is p. */
void paired_compute(struct paired *p);
/* The differences of one metric. */
const struct difference *paired_of(const struct paired *p, size_t metric);
/* Several comparisons of one A, with other systems or on slices: for each value of each metric, Holm's correction over the N of them. */
void paired_holm(struct paired *const *p, size_t n);
void paired_close(struct paired *p);

#endif
