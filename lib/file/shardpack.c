/* SPDX-License-Identifier: Apache-2.0 */
/* The pack plan: best fit, longest first.  Rows with the same room left wait in one stack; a tree over the rooms finds the
 * smallest that is enough. */
#include <string.h>

#include "mem.h"
#include "shardfmt.h"

static const uint32_t NONE = UINT32_MAX;

struct rooms {
	uint32_t leaves;               /* power of two over pack */
	uint8_t *any;                  /* heap order, 1-based: is there a row below this node */
	uint32_t *top;                 /* by room: newest row, NONE */
	uint32_t *under;               /* by row: the one under it in its stack */
};

static void push(struct rooms *r, uint32_t room, uint32_t row)
{
	r->under[row] = r->top[room];
	r->top[room] = row;
	for (uint32_t i = room + r->leaves; i > 0 && !r->any[i]; i /= 2)
		r->any[i] = 1;
}

static void pop(struct rooms *r, uint32_t room)
{
	r->top[room] = r->under[r->top[room]];
	if (r->top[room] != NONE)
		return;
	r->any[room + r->leaves] = 0;
	for (uint32_t i = (room + r->leaves) / 2; i > 0; i /= 2)
		r->any[i] = r->any[2 * i] | r->any[2 * i + 1];
}

/* Smallest room >= NEED that has a row, or NONE. */
static uint32_t best_room(const struct rooms *r, uint32_t need)
{
	uint32_t i = need + r->leaves;

	if (need >= r->leaves)
		return NONE;
	while (!r->any[i]) {           /* up and to the right until something is there */
		while (i & 1)
			i /= 2;
		if (i == 0)
			return NONE;
		i++;
	}
	while (i < r->leaves)
		i = r->any[2 * i] ? 2 * i : 2 * i + 1;
	return i - r->leaves;
}

/* Sequence numbers, longest first, equal lengths in order: a counting sort. */
static uint32_t *by_length(const struct shard_entry *entry, uint64_t count, uint32_t pack)
{
	uint64_t *at = mem_new(((size_t)pack + 2) * sizeof *at);
	uint32_t *order = mem_new((count + 1) * sizeof *order);

	for (uint64_t i = 0; i < count; i++)
		at[pack - entry[i].n + 1]++;
	for (uint64_t k = 1; k <= pack; k++)
		at[k] += at[k - 1];
	for (uint64_t i = 0; i < count; i++)
		order[at[pack - entry[i].n]++] = (uint32_t)i;
	mem_free(at);
	return order;
}

/* Which row each sequence goes to; returns the number of rows. */
static uint64_t fill_rows(const struct shard_entry *entry, uint64_t count, uint32_t pack, uint32_t *row_of)
{
	struct rooms r = { .leaves = 1 };
	uint32_t *order = by_length(entry, count, pack), nrows = 0;

	while (r.leaves <= pack)
		r.leaves *= 2;
	r.any = mem_new(2 * (size_t)r.leaves);
	r.top = mem_new(((size_t)pack + 1) * sizeof *r.top);
	r.under = mem_new((count + 1) * sizeof *r.under);
	memset(r.top, 0xff, ((size_t)pack + 1) * sizeof *r.top);
	for (uint64_t k = 0; k < count; k++) {
		uint32_t i = order[k], room = best_room(&r, entry[i].n), row;

		if (room == NONE) {
			row = nrows++;
			room = pack;
		} else {
			row = r.top[room];
			pop(&r, room);
		}
		row_of[i] = row;
		push(&r, room - entry[i].n, row);
	}
	mem_free(order);
	mem_free(r.any);
	mem_free(r.top);
	mem_free(r.under);
	return nrows;
}

void shardpack_plan(const struct shard_entry *entry, uint64_t count, uint32_t pack, uint64_t **row, uint32_t **seq, uint64_t *nrows)
{
	uint32_t *row_of = mem_new((count + 1) * sizeof *row_of), *rank, next = 0;
	uint64_t *at;

	*nrows = fill_rows(entry, count, pack, row_of);
	/* Rows are numbered by their first sequence, so that a plan follows the data's order. */
	rank = mem_new((*nrows + 1) * sizeof *rank);
	memset(rank, 0xff, (*nrows + 1) * sizeof *rank);
	for (uint64_t i = 0; i < count; i++)
		if (rank[row_of[i]] == NONE)
			rank[row_of[i]] = next++;
	*row = mem_new((*nrows + 2) * sizeof **row);
	*seq = mem_new((count + 1) * sizeof **seq);
	at = *row + 1;                 /* at[r] walks from the start of row r to its end, which is where row[r + 1] belongs */
	for (uint64_t i = 0; i < count; i++)
		if (rank[row_of[i]] + 1 < *nrows)
			at[rank[row_of[i]] + 1]++;
	for (uint64_t r = 1; r < *nrows; r++)
		at[r] += at[r - 1];
	for (uint64_t i = 0; i < count; i++)
		(*seq)[at[rank[row_of[i]]]++] = (uint32_t)i;
	mem_free(rank);
	mem_free(row_of);
}
