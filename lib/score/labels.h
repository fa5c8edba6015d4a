/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_LABELS_H
#define SFT_LABELS_H
/* Classification: counts per label and the scores that follow from them, as scikit-learn defines them (zero_division = 0).
 *
 * Labels are compared byte for byte and ordered by code point, the empty string among them.  MCC: Gorodkin 2004 (R_K). */
#include <stdbool.h>
#include <stdint.h>
#include "strmap.h"
#include "words.h"

struct label_counts {
	uint64_t right, gold, pred;     /* gold and predicted this; gold this; predicted this */
};

struct labels {
	struct strmap name;             /* label -> number in order of appearance */
	struct label_counts *c;
	size_t cap;
	struct strmap cell;             /* (gold, pred) as 8 bytes -> count; gold != pred too */
	uint64_t n, right;
	uint32_t *given, ngiven;        /* only these are scored, in this order (NULL: all, by code point) */
};

struct prf_scores {
	double precision, recall, f1;
};

struct label_scores {
	double accuracy, balanced_accuracy, mcc;
	struct prf_scores micro, macro, weighted;
};

uint32_t labels_id(struct labels *l, struct text label);
void     labels_add(struct labels *l, uint32_t gold, uint32_t pred, bool right);
/* Score only LABEL (call it for each, in order, before labels_add). */
void     labels_give(struct labels *l, struct text label);
/* Numbers of the labels that are scored, in order; *N of them; freed by the caller. */
uint32_t *labels_order(const struct labels *l, size_t *n);
uint64_t labels_cell(const struct labels *l, uint32_t gold, uint32_t pred);
struct prf_scores labels_prf(const struct label_counts *c);
/* Scores from counts C (one per label of L), of N items, RIGHT of them right. */
void     labels_scores(const struct labels *l, const struct label_counts *c, uint64_t n, uint64_t right, const uint32_t *order,
                       size_t norder, struct label_scores *out);
void     labels_free(struct labels *l);

#endif
