/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_FOLD_H
#define SFT_FOLD_H
/* An adapter folded into the weights of its model: W + scale B A, and for DoRA each row of that scaled to its magnitude (formulas and
 * order of operations: PEFT's merge_and_unload, in f32). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "adapter.h"
#include "weights.h"

struct fold {
	const struct weights *w;       /* all borrowed */
	const struct lora *l;          /* no prefix; NULL: nothing changes */
	const float *p;                /* its values */
};

/* Does PLACE (as in place_at()) carry an adapter. */
bool fold_changes(const struct fold *f, size_t place);
/* Rows FIRST..FIRST+N-1 of PLACE, which carries one, into OUT [N, cols].  Threads may share F. */
void fold_rows(const struct fold *f, size_t place, uint32_t first, uint32_t n, float *out);

#endif
