/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ROUNDMERGED_H
#define SFT_ROUNDMERGED_H
/* What came back from the raters of a round. */
#include "gold.h"
#include "kappafigures.h"
#include "round.h"

struct round_label {
	uint32_t item, rater, label;
	const char *file;
	uint64_t line;
};

struct round_labels {
	struct round *r;
	struct round_label *v;          /* in the order in which they were read */
	size_t n, cap;
	struct buf *note;               /* by item: "ann: what she noted; bob: ..." */
};

void round_labels_init(struct round_labels *l, struct round *r);
void round_labels_free(struct round_labels *l);

/* One sheet that came back: the columns item and label, and where there are, rater (else the file's name without ending) and note.
 * An empty label is none.  SFT_BADDATA with FILE:LINE: a rater or an item that the round has not, an item that the rater was not given,
 * another label. */
int round_labels_read(struct round_labels *l, const char *path, const struct rec_opts *o, const struct tool *t, struct err *e);

/* The notes of each item, for the caller to free; the texts are A's. */
struct text *round_labels_notes(const struct round_labels *l, struct arena *a);

/* One merge for the history, as a JSON object: numbers of items, ratings, labels that are missing, coefficients, the gate, and what
 * became of the items. */
void round_merge_json(const struct rating_table *t, const struct kappa_figures *f, const struct kappa_shown *s, const struct gold *g, uint64_t lacks,
                      struct buf *out);

#endif
