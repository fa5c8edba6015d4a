/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_WEIGHTOUT_H
#define SFT_WEIGHTOUT_H
/* The values of a model's weights, some of them changed, to a file: in bands of rows, so that no matrix is ever whole in memory. */
#include <stdbool.h>
#include <stdint.h>
#include "err.h"
#include "outfile.h"
#include "threads.h"
#include "weights.h"

/* The values that differ from those of the model's file. */
struct weight_values {
	const void *ctx;
	/* Does PLACE (as in place_at()) have values of its own. */
	bool (*changed)(const void *ctx, size_t place);
	/* Rows FIRST..FIRST+N-1 of PLACE into OUT [N, cols].  Called by several threads at once. */
	void (*rows)(const void *ctx, size_t place, uint32_t first, uint32_t n, float *out);
};

struct weightout {
	const struct weights *w;       /* borrowed, as the next two */
	const struct weight_values *v; /* NULL: none changed */
	struct pool *pool;
	float *f32;                    /* ours: a band */
	void  *out;                    /* the same in the type that is written */
};

int  weightout_open(struct weightout *o, const struct weights *w, const struct weight_values *v, struct pool *pool, struct err *e);
void weightout_release(struct weightout *o);
bool weightout_changed(const struct weightout *o, size_t place);

/* Rows FIRST..FIRST+N-1 of PLACE as values, those that differ, into OUT [N, cols]. */
void weightout_rows(const struct weightout *o, size_t place, uint32_t first, uint32_t n, float *out);

/* How it is written. */
struct weight_form {
	const char *name;              /* for messages */
	enum dtype  type;              /* what dtype_from_f32() can make, or the file's own where the place is not changed */
	uint32_t    pairs;             /* not 0: in each head of so many rows, rotated pairs are put next to each other (see param_paired()) */
};

/* Which of our rows is row R of such a file; PAIRS 0: R itself. */
uint32_t weight_pair_row(uint32_t pairs, uint32_t r);

/* All of PLACE to F.  Bit by bit as in the file where nothing changes and the type stays.  Values are rounded once; one that the type cannot
 * hold (f16 ends at 65504) is SFT_BADDATA and names the tensor. */
int  weightout_put(struct weightout *o, size_t place, const struct weight_form *form, struct outfile *f, struct err *e);

#endif
