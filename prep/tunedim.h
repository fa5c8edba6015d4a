/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TUNEDIM_H
#define SFT_TUNEDIM_H
/* A choice that a search makes: one of some words, or a number of a range.
 *
 * A range is cut into equal parts (of its logarithm where it is one), its levels; an int range of few numbers has a level for each.  A choice may depend
 * on those before it: where its conditions are not met it is not made. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "mem.h"
#include "rng.h"

enum { DIM_LEVELS = 64, DIM_PARTS = 6, DIM_INTS = 12, DIM_WHEN = 4 };

enum dim_kind { DIM_WORDS, DIM_LINEAR, DIM_LOG, DIM_INT };

struct dim_when {
	size_t   dim;                  /* one of DIM_WORDS, before this one */
	uint64_t levels;               /* bit L: its level L will do */
};

struct tune_dim {
	const char *name;              /* "lr", "bank.weight" */
	enum dim_kind kind;
	const char **word;             /* DIM_WORDS: LEVELS of them */
	size_t levels;                 /* 1..DIM_LEVELS */
	double lo, hi;                 /* of a range, both included */
	struct dim_when when[DIM_WHEN];
	size_t nwhen;
};

struct tune_choice {
	int level;                     /* -1: not made */
	const char *text;              /* the value as an option takes it; NULL: not made */
};

/* Levels of a range; at most 12 whole numbers each have their own. */
size_t dim_range_levels(const struct tune_dim *d);
/* Is choice N of DIM to be made after CHOICE[0..N-1]? */
bool dim_active(const struct tune_dim *dim, size_t n, const struct tune_choice *choice);
/* The value at U in [0, 1) of D, in A: numbers with three digits, from "0.001" to "1e-05". */
const char *dim_text(struct arena *a, const struct tune_dim *d, double u);
/* A level drawn by the probabilities P (NULL: all alike), and a value drawn within it. */
struct tune_choice dim_draw(struct arena *a, const struct tune_dim *d, struct rng *r, const double *p);
/* How many combinations of levels DIM[0..N-1] have, conditions not looked at; SIZE_MAX where a range goes beyond its levels, or for very many. */
size_t dim_points(const struct tune_dim *dim, size_t n);

#endif
