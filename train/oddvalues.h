/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ODDVALUES_H
#define SFT_ODDVALUES_H
/* Weights that are NaN or infinite.  They are no error: a file may have one that nothing comes to use; but whoever gets such a loss wants to know. */
#include "threads.h"
#include "tool.h"
#include "weights.h"

struct odd_values {
	uint64_t n;
	char     first[112];           /* the tensor that has the first one, as the file calls it */
};

/* Those in the vectors (norms, biases: widened at opening anyway), or in ALL tensors, which reads the whole model. */
void odd_values(const struct weights *w, bool all, struct pool *pool, struct odd_values *o);

/* A warning if there are any: in the vectors, with -v in all tensors. */
void odd_values_warn(const struct weights *w, struct pool *pool, const struct tool *t);

#endif
