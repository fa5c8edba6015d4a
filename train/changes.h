/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_CHANGES_H
#define SFT_CHANGES_H
/* What training has changed: the Frobenius norm of each matrix's update, and the part of each attention head in it.
 *
 * The update of LoRA is scale B A, which is never formed: |B A|^2 = sum over i, j of (B^T B)[i][j] (A A^T)[i][j], both rank x rank.
 * A head's part is that of its rows of q, k and v, and of its columns of o: the same with its rows of B, or its columns of A.  DoRA and
 * trained weights are taken row by row as the difference from the base.  A prefix has no base: what counts is its keys and values. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "threads.h"
#include "weights.h"

/* Of one matrix (or vector, where all weights were trained); of a prefix the keys or the values of a layer. */
struct change {
	char name[48];             /* "q_proj", "input_layernorm", "prefix_key" */
	enum param p;
	uint32_t layer, expert;    /* layer UINT32_MAX: of the model as a whole */
	double square;             /* of the norm */
	uint32_t nheads;           /* heads that its rows or columns belong to; 0: none */
	double *head;              /* [nheads] squares, which add up to SQUARE */
};

struct changes {
	const char *method;        /* "lora", "dora", "prefix", "full" */
	char *path, *base;         /* what was looked at, and what it changes */
	uint32_t layers, heads, kv_heads;
	struct change *v;          /* n, layer by layer */
	size_t n;
	double square;             /* of all together */
	double *head;              /* [layers, heads] squares: its own in q and o; keys and values in equal parts to the heads that read them */
	double in_heads;           /* their sum; <= square */
};

/* Is PATH what changes_measure() takes: a run with a best/, or a folder of an adapter. */
bool changes_are_in(const char *path);
/* PATH: a run (its best/ is looked at), an adapter's folder, or a model trained whole.  BASE: the model it began from; NULL: as the run or the
 * adapter names it.  Of the base only the configuration is read for LoRA and prefixes.  SFT_USAGE where the base is not named or not there. */
int  changes_measure(struct changes *c, const char *path, const char *base, struct pool *pool, struct err *e);
void changes_free(struct changes *c);

#endif
