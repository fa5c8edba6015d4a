/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TURNS_H
#define SFT_TURNS_H
/* Tables of turns: rows that say who said what in which dialogue, gathered into one chat record a dialogue.
 *
 * Rows of a dialogue may stand anywhere.  All rows are read before the first dialogue comes out; they wait in a scratch file, and
 * memory holds at most 48 bytes a row, about 150 a dialogue, and one dialogue at a time (at most --max-record bytes).
 * Dialogues come in the order of their first rows, turns in that of their numbers, else of the rows.  Turns in a row of one
 * speaker, or of speakers with one role, are joined by line feeds; what follows the last answer is cut. */
#include <stdbool.h>
#include <stdint.h>
#include "names.h"
#include "recspill.h"
#include "strmap.h"
#include "talk.h"

struct turns_opts {
	const char *dialogue, *turn, *speaker, *text;   /* columns; turn NULL: in the order of the rows */
	const char *roles;                              /* "SPEAKER=ROLE,..."; NULL: none */
	const char *slice;                              /* column that must say the same in all turns; NULL: none */
	uint64_t max;                                   /* bytes of a dialogue */
};

enum { TURN_COLUMNS = 4 };                              /* dialogue, turn, speaker, text */

struct turns {
	struct turns_opts o;
	struct recspill rows;
	struct buf packed;
	struct dialogue *d;                             /* by place in ids */
	struct turn *t;
	struct speaker *s;                              /* by place in speakers */
	size_t nd, d_cap, nt, t_cap, ns, s_cap;
	struct strmap ids, speakers, given, left_out;   /* left_out: columns that differ within a dialogue */
	int other;                                      /* role of "*" in --roles; 0: none */
	const struct names *names;                      /* for which col stands */
	int col[TURN_COLUMNS];
	size_t at;                                      /* the next dialogue */
	struct namesets sets;
	struct arena a;
	uint64_t merged, cut;                           /* turns joined to the one before; turns behind the last answer */
};

/* DIR: where the scratch file goes.  SFT_USAGE where --roles is no list of SPEAKER=ROLE. */
int  turns_init(struct turns *t, const struct turns_opts *o, const char *dir, struct err *e);
void turns_release(struct turns *t);
/* Row R.  SFT_BADDATA where it is no turn: with *KEPT it makes its dialogue bad, which turns_next() says again; else it has
 * no dialogue. */
int  turns_add(struct turns *t, const struct rec *r, bool *kept, struct fault *f);
/* After the last row.  Speakers that have no role are named in UNKNOWN (empty: none), with the place of the first. */
int  turns_ready(struct turns *t, struct buf *unknown, struct err *e);
/* The next dialogue as chat record OUT, in A; *MORE is false at the end.  SFT_BADDATA with a reason: OUT is then
 * {"id", "turns": [rows]}. */
int  turns_next(struct turns *t, struct arena *a, struct rec *out, bool *more, struct fault *f);

#endif
