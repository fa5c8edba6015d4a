/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ERRORTABLE_H
#define SFT_ERRORTABLE_H
/* Failures counted by slice, with a few examples each; then which slices fail more often than the others.
 *
 * A slice of n items with k failures, of N items with K failures in all, has k - n K / N failures in excess of the average.
 * Its p-value is that of Fisher's exact test (one side) against the items outside it, and Holm's correction holds it against
 * all slices that were tested.  Memory: counts and examples by slice, and those are bounded in number. */
#include "slicer.h"
#include "strmap.h"

enum { ERRORS_MAX_VALUES = 10000 };     /* of a dimension; one with more is left out */

struct error_example {
	uint64_t num, line;             /* of the item, from 0; of its file */
	const char *id, *input, *reference, *prediction;        /* cut to some hundred bytes; id and input may be NULL */
};

struct error_slice {
	size_t dim;
	const char *value;              /* NUL-terminated, nvalue bytes; "" for a pattern */
	size_t nvalue;
	uint64_t n, wrong;
	double excess, p, p_holm;       /* p NaN: not tested (fewer items than asked for) */
	struct error_example *example;  /* nexamples of the failures, drawn evenly, in the order of the input */
	size_t nexamples;
};

struct error_skip {
	size_t dim;
	const char *reason;             /* constant text */
};

struct error_table {
	const struct slicer *s;
	uint64_t seed, min_n;
	size_t max_examples;
	uint64_t n, wrong;
	struct error_slice *slice;      /* ranked after errors_rank(): by excess, most first */
	size_t nslices;
	struct error_skip skip[SLICER_MAX_DIMS];
	size_t nskips;
	/* inside */
	struct strmap key;              /* dimension and value -> place in slice[] */
	size_t cap, values[SLICER_MAX_DIMS];
	const struct item *item;        /* being counted */
	bool item_wrong;
};

void errors_init(struct error_table *t, const struct slicer *s, uint64_t min_n, size_t max_examples, uint64_t seed);
/* Count one item; LABEL as for slicer_item(), whose failures these are. */
int  errors_add(struct error_table *t, struct slicer *s, const struct item *it, struct text label, bool wrong, struct err *e);
/* After the last item: leave out dimensions that do not divide the items, test, rank. */
void errors_rank(struct error_table *t);
void errors_release(struct error_table *t);

#endif
