/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ABSHEET_H
#define SFT_ABSHEET_H
/* A blind sheet: answers of two systems side by side, without their names, for people to vote on.
 *
 * Rows stand in a random order.  Each pair of systems has each of its two on the left in half of its rows (to within one).
 * Answers are held in memory: a sheet is for people to read. */
#include "pairs.h"
#include "strmap.h"

enum { AB_MAX_SYSTEMS = 64 };

struct ab_system {
	const char *name;               /* of its file, without folder and ending */
	const char *path;
	struct text *answer;            /* by item */
};

struct ab_sheet {
	struct ab_system system[AB_MAX_SYSTEMS];
	size_t nsystems;
	struct strmap id;               /* of the items, in the order of the first file; numbers where there are no ids */
	bool by_id;
	struct text *input;             /* by item; p NULL: none */
	size_t n, cap;
	struct arena arena;
};

struct ab_row {
	uint32_t item;
	uint16_t left, right;           /* systems */
};

void ab_init(struct ab_sheet *s);
void ab_release(struct ab_sheet *s);
/* All answers of one more system; the first decides the items, the others must have the same ones (more than one file: SFT_BADDATA as for
 * compare).  INPUT as for inputs_new(). */
int  ab_read(struct ab_sheet *s, struct pairs *in, const char *path, const char *input, struct err *e);
/* The rows for ITEMS of the items (0: all), drawn by SEED: for each item all pairs of systems, or one, in turn (ONE).
 * *N of them, freed by the caller. */
struct ab_row *ab_rows(const struct ab_sheet *s, uint64_t seed, uint64_t items, bool one, size_t *n);
/* CSV: row,input,left,right,winner (empty), note (empty); and the key: row,id,left,right with the systems. */
void ab_sheet_csv(const struct ab_sheet *s, const struct ab_row *row, size_t n, struct buf *out);
/* The same rows as a page to vote in: it asks for the voter's name and exports row,winner and voter. */
void ab_sheet_page(const struct ab_sheet *s, const struct ab_row *row, size_t n, const char *title, const char *guidelines, struct buf *out);
void ab_key_csv(const struct ab_sheet *s, const struct ab_row *row, size_t n, struct buf *out);

#endif
