/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ABVOTES_H
#define SFT_ABVOTES_H
/* Votes between systems, read from filled-in sheets or from tables of battles, and what follows from them. */
#include "agree.h"
#include "rec.h"
#include "strmap.h"

enum ab_winner { AB_LEFT, AB_RIGHT, AB_TIE };

struct ab_vote {
	uint32_t row, voter;
	uint16_t left, right;           /* systems */
	enum ab_winner winner;
};

struct ab_votes {
	struct strmap system, voter, row;       /* names in order of appearance */
	struct ab_vote *v;
	size_t n, cap;
	uint64_t empty;                 /* rows that nobody voted on in a sheet */
	uint64_t left, right, ties;     /* votes by place */
	bool named;                     /* voters are known: by a column, or as several files */
	uint64_t *key;                  /* by row: left << 16 | right of the key; rows beyond nkey: none */
	size_t nkey, key_cap;
	double *wins;                   /* ab_count(): how often system i beat j, [i * systems + j], ties not in it */
	double *tied;                   /* ties of i and j, likewise */
};

/* Rows of a key (row, left, right).  SFT_BADDATA with FILE:LINE. */
int  ab_read_key(struct ab_votes *v, struct recin *in, struct err *e);
/* Sheets, or votes of another origin:
 *   row, winner                     with a key: the winner is left, right or tie; empty: no vote
 *   model_a, model_b, winner        a, b or tie, or the system's name
 *   id, winner                      systems A and B
 * A column voter names who voted; without it, each of several files is a voter.  SEVERAL: there is more than one file.
 * SFT_BADDATA with FILE:LINE, also where a voter votes on a row twice. */
int  ab_read_votes(struct ab_votes *v, struct recin *in, bool several, struct err *e);
/* After reading: fill wins and tied.  SFT_BADDATA where there are no votes or fewer than two systems. */
int  ab_count(struct ab_votes *v, struct err *e);
/* Left, right and tie as ratings of rows by voters; where fewer than two voters are known or share no row, T->items is 0.
 * Release with ratings_release(). */
void ab_ratings(const struct ab_votes *v, struct ratings *t);
void ab_votes_free(struct ab_votes *v);

#endif
