/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TERMRIVALS_H
#define SFT_TERMRIVALS_H
/* What could stand in the place of a dictionary's term, and would be wrong: its variants, and the other terms of its class that begin with the
 * first half of its characters (rounded up, case and width folded). */
#include "termset.h"

struct termrivals;

/* SET is ready (termset_ready), and borrowed.  Threads may share the result. */
struct termrivals *termrivals_new(const struct termset *set);
void termrivals_free(struct termrivals *r);              /* NULL is fine */

struct termrival_list {                                  /* zeroed it is empty */
	const struct term_form **form;                   /* [n], borrowed from the set */
	size_t n, cap;
};
void termrival_list_release(struct termrival_list *l);

/* Those of TERM into L, in place of what it held: variants first, then terms, those nearest in the order of their characters first. */
void termrivals_of(const struct termrivals *r, uint32_t term, struct termrival_list *l);

#endif
