/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ROUNDSHEET_H
#define SFT_ROUNDSHEET_H
/* What the people of a round are given. */
#include "gold.h"
#include "round.h"

/* The items of each rater in a random order of the rater's own, by SEED: rater k's are order[begin[k]..begin[k + 1] - 1]. */
struct round_orders {
	size_t *begin;
	uint32_t *order;
};
void round_orders(const struct round *r, uint64_t seed, struct round_orders *o);
void round_orders_free(struct round_orders *o);

/* The sheet of rater K as CSV and as a page. */
void round_sheet_csv(const struct round *r, const struct round_orders *o, uint32_t k, struct buf *out);
void round_sheet_page(const struct round *r, const struct round_orders *o, uint32_t k, struct buf *out);

/* What raters said to an item besides labels: notes[item], n 0 for none. */
struct round_notes {
	const struct round *r;
	const struct text *notes;
};
/* What is shown and what was noted, for the tables of gold.h; COLS->name is R's. */
void round_columns(struct round *r, struct round_notes *notes, struct gold_columns *cols);
/* The items not rated alike as a page to settle them on: its export has the columns that gold_read() wants. */
void round_settle_page(const struct round_notes *notes, const struct gold *g, const struct rating_table *t, struct buf *out);

#endif
