/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TERMUSE_H
#define SFT_TERMUSE_H
/* What the metric "terms" found, for reports.
 *
 * Of the dictionary's terms that stand in the reference (as themselves or as a variant: either way they are meant), each counted
 * once an item: used right where the answer has the term itself and none of its variants; as a variant where it has one of
 * these; missing else.  Case and width are free, as in termset.h. */
#include <stdint.h>
#include "metric.h"
#include "termset.h"

struct termuse {
	uint64_t n, right, variant, missing;
};

/* By class of the dictionary, in the order in which they came, *N of them; borrowed.  NULL for another metric. */
struct termuse_class {
	struct text name;
	struct termuse use;
};
const struct termuse_class *termuse_classes(const struct metric *m, size_t *n);
/* The terms that were wanted, those that went wrong most often first; freed by the caller.  *N of them. */
struct termuse_term {
	const struct term *term;
	struct termuse use;
};
struct termuse_term *termuse_terms(const struct metric *m, size_t *n);

#endif
