/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_GRADSUM_H
#define SFT_GRADSUM_H
/* The gradient of a step: the sum over its micro-steps, by a tree that depends on nothing but their number.
 *
 * Micro-steps are numbered 0 .. M-1.  The tree of [a, b) is the sum of the trees of its two parts, split at the largest power of two below
 * b - a.  A rank has a run of micro-steps, sums the whole subtrees in it as they come, and at the end the ranks finish the tree together: each
 * takes a slice of all subtrees' sums, adds them up in the tree's order, and gives the result to the others.  So N ranks that take A micro-steps
 * each get the bits of one that takes N * A, and a step of one micro-step is that micro-step's gradient.
 *
 * Memory: a block like the gradient for each subtree that waits for its neighbour, at most log2 M (one rank), and a few MiB for what
 * ranks exchange. */
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "kern.h"
#include "ranks.h"

/* The sum of micro-steps index << level .. ((index + 1) << level) - 1, of those that there are. */
struct sum_node {
	uint64_t index;
	unsigned level;
};
enum { SUM_NODES = 128 };                 /* more than any run falls into */

/* `struct gradsum g = {0}` with the first four set is ready. */
struct gradsum {
	struct kern  *k;                  /* all borrowed */
	struct ranks *ranks;
	float  *grad;                     /* [n] device memory */
	size_t  n;
	/* ours: */
	uint64_t total, first, end;       /* micro-steps of the step; of this rank */
	struct sum_node node[SUM_NODES];  /* nnodes subtrees, left to right: the last one's sum is in grad, that of another in its part */
	unsigned nnodes;
	float   *part[SUM_NODES];         /* the first nparts are there */
	unsigned nparts;
	float   *send, *recv, *slice;     /* host memory of room values in all */
	size_t   room;
};

/* A step of TOTAL micro-steps; this rank has g->first .. g->end - 1.  SFT_SYSTEM: no memory. */
int  gradsum_begin(struct gradsum *g, uint64_t total, struct err *e);
/* Makes grad zero for the next micro-step.  SFT_SYSTEM: no memory for what it held. */
int  gradsum_room(struct gradsum *g, struct err *e);
/* grad holds the gradient of micro-step I, the next of this rank. */
void gradsum_add(struct gradsum *g, uint64_t i);
/* All have theirs: grad becomes the gradient of the step, on all ranks.  Called by all. */
void gradsum_finish(struct gradsum *g);
void gradsum_release(struct gradsum *g);

/* Blocks like the gradient that a step of TOTAL micro-steps takes on the rank that takes most. */
unsigned gradsum_parts(const struct ranks *r, uint64_t total);

#endif
