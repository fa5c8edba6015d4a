/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_CURSOR_H
#define SFT_CURSOR_H
/* Which rows of the data come next.  A row is a sequence of a shard, or a row of its pack plan.
 *
 * An epoch takes every row of every file, a file of weight w w times over: its whole part as often as it says, and of the rest a share
 * (weight 0.25: a quarter of the rows, others each epoch).  `shuffled` permutes the epoch as a whole, by seed and number of the epoch;
 * `sequential` keeps the order of the files and of their rows.  All that is random follows from (seed, epoch): two numbers are the state.
 *
 * Where the weight of a file moves over the run (drift.h), every file goes through its own rows pass after pass, each pass shuffled, and gives them when
 * they are due; epochs are then of different lengths, and so many rows as the weights of that time say. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cursor_order { CURSOR_SHUFFLED, CURSOR_SEQUENTIAL };

struct cursor_source {
	const uint32_t *row;      /* n rows that may be used (borrowed) */
	uint32_t n;
	double   weight, end;     /* at the start of the run, and at its end: equal and > 0, or one of them > 0 */
};

struct cursor_item {
	uint32_t source, row;
};

struct cursor_place {
	uint64_t epoch;           /* whole epochs done */
	uint64_t at;              /* rows of this epoch done */
};

struct cursor {
	const struct cursor_source *src;
	size_t   nsrc;
	enum cursor_order order;
	uint64_t seed;
	struct cursor_place place;
	struct cursor_item *item; /* [rows]: the epoch being read */
	uint64_t rows;            /* of an epoch; where weights move no epoch has more */
	uint64_t listed;          /* epoch + 1 that item[] holds, 0: none */
	double   horizon;         /* epochs over which weights move; 0: they do not */
	uint64_t *pass;           /* [nsrc] weights move: the pass + 1 that shuffled[] holds of each source */
	uint32_t **shuffled;      /* [nsrc][n] */
};

/* Do weights move?  Then cursor_set_horizon() is needed before anything else but cursor_init(). */
bool cursor_moves(const struct cursor_source *src, size_t nsrc);
/* SRC is borrowed.  Rows of an epoch may be 0: the caller refuses that.  Weights that move need CURSOR_SHUFFLED, and one that does not end at 0. */
void cursor_init(struct cursor *c, const struct cursor_source *src, size_t nsrc, enum cursor_order order, uint64_t seed);
void cursor_release(struct cursor *c);

/* Weights move over EPOCHS (> 0), or over as many as it takes to deal out ROWS rows. */
void cursor_set_horizon(struct cursor *c, double epochs);
void cursor_set_horizon_rows(struct cursor *c, uint64_t rows);

/* Up to WANT rows, never over the end of an epoch; at least 1.  *ITEM is valid until the next call. */
size_t cursor_next(struct cursor *c, uint64_t want, const struct cursor_item **item);
void   cursor_seek(struct cursor *c, struct cursor_place place);
double cursor_epochs(const struct cursor *c);             /* epochs done, a fraction */
uint64_t cursor_rows(const struct cursor *c, uint64_t epoch);
/* Steps of ROWS rows that so many epochs from the first on take: the last of each may be short. */
uint64_t cursor_steps(const struct cursor *c, uint64_t rows, double epochs);

#endif
