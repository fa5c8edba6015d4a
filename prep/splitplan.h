/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SPLITPLAN_H
#define SFT_SPLITPLAN_H
/* How many records go where, and which ones: the arithmetic of splitting, without files. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"

enum side { SIDE_TRAIN, SIDE_VAL, SIDE_TEST, SIDES };

/* Records of one class (with --stratify; else there is one class), and of them those for val and test. */
struct split_class {
	uint64_t n, val, test;
};

/* A share of N (below 1: ceil(N x F), computed in doubles as scikit-learn's train_test_split does) or a count (1 and more). */
uint64_t split_size(uint64_t n, double f);

/* Sets val and test of C[0..k-1] so that they add up to ceil(n x VAL) and ceil(n x TEST).  Over classes by largest remainder:
 * each gets the whole part of its quota, and those with the largest fractions one more, ties to the larger class, then the
 * earlier one.  Quotas of test are of what val leaves.  SFT_BADDATA if there are not as many records. */
int split_sizes(struct split_class *c, size_t k, double val, double test, struct err *e);

/* A place in the ranking of a class: by hash, then by number. */
struct split_rank {
	uint64_t hash, num;
};

/* The sides of one class: up to VAL_LAST go to val, from TEST_FIRST on to test. */
struct split_cut {
	bool val, test;                    /* there are any */
	struct split_rank val_last, test_first;
};
enum side split_side(const struct split_cut *c, struct split_rank r);

/* Finding the cuts of many classes without keeping every rank: a histogram of each class first, of about 64 ranks a bin, then
 * only the ranks in the bins where a cut falls.  Feed all ranks to split_count(), then all of them again to
 * split_collect(), in any order. */
struct split_finder;
struct split_finder *split_finder_new(const struct split_class *c, size_t k);
void split_count(struct split_finder *f, uint32_t class, struct split_rank r);
void split_collect(struct split_finder *f, uint32_t class, struct split_rank r);
/* The cuts, one per class; valid until split_finder_free. */
const struct split_cut *split_cuts(struct split_finder *f);
void split_finder_free(struct split_finder *f);

/* Groups stay whole.  A group's rank is the hash of its value (two values of one hash would be one group); each side of them is a
 * stretch of ranks.  In ascending order they go to val while that brings its size nearer to what is wanted, in descending
 * order to test likewise; groups that are too large to begin with are passed over, and where all are, the first is taken.  Each size
 * is met to within one group. */
struct split_taker {
	uint64_t want, have;               /* records */
	bool any, seen, full;              /* a group was taken; was offered; no more are wanted */
	uint64_t first, last;              /* ranks of the first taken (or offered) and the last */
};
/* Offers T the next group, of SIZE records. */
void split_offer(struct split_taker *t, uint64_t rank, uint64_t size);
/* After the last: is the group of RANK T's? */
bool split_took(const struct split_taker *t, uint64_t rank);

#endif
