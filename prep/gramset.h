/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_GRAMSET_H
#define SFT_GRAMSET_H
/* The word n-grams of some texts, and whether another text shares one of them: the overlap by which GPT-3 (Brown et al. 2020,
 * appendix C, n = 13) and datatrove tell that a test set is in the training data.
 *
 * Words are those of textwords.h in lower case; what is between them does not count.  A text of fewer than n words shares
 * none.  Memory: 21 to 43 bytes for each n-gram. */
#include <stdbool.h>
#include "err.h"
#include "keyset.h"
#include "textwords.h"

struct gramset {
	size_t n;                      /* words; 0: no n-grams are wanted */
	struct unicode *unicode;
	struct keyset set;
};
void gramset_init(struct gramset *g, size_t n);
void gramset_release(struct gramset *g);

/* What a thread works with; zeroed it is ready. */
struct gramscan {
	struct textwords words;
	struct buf low;
};
void gramscan_release(struct gramscan *w);

/* The n-grams of TEXT (valid UTF-8) go into G.  SFT_SYSTEM where there is no memory. */
int  gramset_add(struct gramset *g, struct gramscan *w, const char *text, size_t n, struct err *e);
/* Threads may share G while nothing is added. */
bool gramset_shares(const struct gramset *g, struct gramscan *w, const char *text, size_t n);

#endif
