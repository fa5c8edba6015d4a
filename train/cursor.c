/* SPDX-License-Identifier: Apache-2.0 */
#include "cursor.h"

#include <math.h>
#include <string.h>

#include "drift.h"
#include "mem.h"
#include "rng.h"

/* Streams of random numbers: the order of an epoch, which rows of source I make up the share of a weight, and the order of a pass over it. */
static uint64_t stream_order(uint64_t epoch)              { return rng_mix(0x6f72646572) + epoch; }
static uint64_t stream_share(uint64_t epoch, uint64_t i)  { return rng_mix(rng_mix(0x7368617265) + i) + epoch; }

static uint64_t stream_pass(uint64_t pass, uint64_t i)    { return rng_mix(rng_mix(0x70617373) + i) + pass; }

static uint64_t source_whole(const struct cursor_source *s) { return (uint64_t)s->weight; }
static uint32_t source_extra(const struct cursor_source *s)
{
	return (uint32_t)lround((s->weight - floor(s->weight)) * s->n);
}

void cursor_init(struct cursor *c, const struct cursor_source *src, size_t nsrc, enum cursor_order order, uint64_t seed)
{
	memset(c, 0, sizeof *c);
	c->src = src;
	c->nsrc = nsrc;
	c->order = order;
	c->seed = seed;
	for (size_t i = 0; i < nsrc; i++) {
		double most = src[i].weight > src[i].end ? src[i].weight : src[i].end;

		c->rows += cursor_moves(src, nsrc) ? (uint64_t)ceil(most * src[i].n) + 1 : source_whole(&src[i]) * src[i].n + source_extra(&src[i]);
	}
	c->item = mem_grow(NULL, c->rows ? c->rows : 1, sizeof *c->item);
	if (!cursor_moves(src, nsrc))
		return;
	c->pass = mem_new(nsrc * sizeof *c->pass);
	c->shuffled = mem_new(nsrc * sizeof *c->shuffled);
	for (size_t i = 0; i < nsrc; i++)
		c->shuffled[i] = mem_grow(NULL, src[i].n ? src[i].n : 1, sizeof **c->shuffled);
}

bool cursor_moves(const struct cursor_source *src, size_t nsrc)
{
	for (size_t i = 0; i < nsrc; i++)
		if (src[i].weight != src[i].end)
			return true;
	return false;
}

void cursor_set_horizon(struct cursor *c, double epochs)
{
	c->horizon = epochs;
}

void cursor_set_horizon_rows(struct cursor *c, uint64_t rows)
{
	double mean = 0;                /* of an epoch */

	for (size_t i = 0; i < c->nsrc; i++)
		mean += (c->src[i].weight + c->src[i].end) / 2 * c->src[i].n;
	c->horizon = (double)rows / mean;
}

void cursor_release(struct cursor *c)
{
	for (size_t i = 0; c->shuffled && i < c->nsrc; i++)
		mem_free(c->shuffled[i]);
	mem_free(c->shuffled);
	mem_free(c->pass);
	mem_free(c->item);
	memset(c, 0, sizeof *c);
}

/* --- weights that move --- */

static struct drift drift_of(const struct cursor *c, size_t i)
{
	return (struct drift){ c->src[i].weight, c->src[i].end, c->horizon, c->src[i].n };
}

/* Row number K of source I, counted from the start of the run. */
static uint32_t row_of_run(struct cursor *c, size_t i, uint64_t k)
{
	uint64_t pass = k / c->src[i].n;
	struct rng r;

	if (c->pass[i] != pass + 1) {
		rng_init(&r, c->seed, stream_pass(pass, i));
		rng_permutation(&r, c->shuffled[i], c->src[i].n);
		c->pass[i] = pass + 1;
	}
	return c->src[i].row[c->shuffled[i][k % c->src[i].n]];
}

/* What is due in EPOCH, in the order in which it is. */
static void list_due(struct cursor *c, uint64_t epoch)
{
	struct cursor_item *item = c->item;
	uint64_t *next = mem_new(c->nsrc * sizeof *next), *end = mem_new(c->nsrc * sizeof *end);
	double *when = mem_new(c->nsrc * sizeof *when);

	for (size_t i = 0; i < c->nsrc; i++) {
		struct drift d = drift_of(c, i);

		next[i] = drift_due(&d, (double)epoch);
		end[i] = drift_due(&d, (double)epoch + 1);
		when[i] = next[i] < end[i] ? drift_when(&d, next[i]) : INFINITY;
	}
	for (;;) {
		struct drift d;
		size_t first = c->nsrc;

		for (size_t i = 0; i < c->nsrc; i++)
			if (next[i] < end[i] && (first == c->nsrc || when[i] < when[first]))
				first = i;
		if (first == c->nsrc)
			break;
		*item++ = (struct cursor_item){ (uint32_t)first, row_of_run(c, first, next[first]) };
		d = drift_of(c, first);
		when[first] = drift_when(&d, ++next[first]);
	}
	mem_free(next);
	mem_free(end);
	mem_free(when);
}

/* --- weights that stay --- */

/* The rows of source I that EPOCH takes, from ITEM on; returns their end. */
static struct cursor_item *list_source(const struct cursor *c, uint64_t epoch, size_t i, struct cursor_item *item)
{
	const struct cursor_source *s = &c->src[i];
	uint32_t extra = source_extra(s), *pick;
	struct rng r;

	for (uint64_t k = 0; k < source_whole(s); k++)
		for (uint32_t j = 0; j < s->n; j++)
			*item++ = (struct cursor_item){ (uint32_t)i, s->row[j] };
	if (extra == 0)
		return item;
	pick = mem_grow(NULL, s->n, sizeof *pick);
	if (c->order == CURSOR_SHUFFLED) {
		rng_init(&r, c->seed, stream_share(epoch, i));
		rng_permutation(&r, pick, s->n);
	} else {
		for (uint32_t j = 0; j < s->n; j++)
			pick[j] = (uint32_t)((epoch * extra + j) % s->n);
	}
	for (uint32_t j = 0; j < extra; j++)
		*item++ = (struct cursor_item){ (uint32_t)i, s->row[pick[j]] };
	mem_free(pick);
	return item;
}

static void list_epoch(struct cursor *c, uint64_t epoch)
{
	struct cursor_item *end = c->item, t;
	struct rng r;

	c->listed = epoch + 1;
	if (c->pass) {
		list_due(c, epoch);
		return;
	}
	for (size_t i = 0; i < c->nsrc; i++)
		end = list_source(c, epoch, i, end);
	if (c->order == CURSOR_SHUFFLED) {
		rng_init(&r, c->seed, stream_order(epoch));
		for (uint64_t i = c->rows; i > 1; i--) {
			uint64_t j = rng_below(&r, i);

			t = c->item[j];
			c->item[j] = c->item[i - 1];
			c->item[i - 1] = t;
		}
	}
}

uint64_t cursor_rows(const struct cursor *c, uint64_t epoch)
{
	uint64_t n = 0;

	for (size_t i = 0; c->pass && i < c->nsrc; i++) {
		struct drift d = drift_of(c, i);

		n += drift_due(&d, (double)epoch + 1) - drift_due(&d, (double)epoch);
	}
	return c->pass ? n : c->rows;
}

size_t cursor_next(struct cursor *c, uint64_t want, const struct cursor_item **item)
{
	uint64_t rows, n;

	while ((rows = cursor_rows(c, c->place.epoch)) == 0)    /* the weights of that time are small */
		c->place.epoch++;
	if (c->listed != c->place.epoch + 1)
		list_epoch(c, c->place.epoch);
	n = rows - c->place.at < want ? rows - c->place.at : want;
	*item = c->item + c->place.at;
	c->place.at += n;
	if (c->place.at == rows)
		c->place = (struct cursor_place){ c->place.epoch + 1, 0 };
	return n;
}

void cursor_seek(struct cursor *c, struct cursor_place place)
{
	c->place = place;
}

double cursor_epochs(const struct cursor *c)
{
	uint64_t rows = cursor_rows(c, c->place.epoch);

	return (double)c->place.epoch + (rows ? (double)c->place.at / (double)rows : 0);
}

static uint64_t epoch_steps(const struct cursor *c, uint64_t epoch, uint64_t rows)
{
	return (cursor_rows(c, epoch) + rows - 1) / rows;
}

uint64_t cursor_steps(const struct cursor *c, uint64_t rows, double epochs)
{
	uint64_t whole = (uint64_t)epochs, steps = 0;

	if (c->pass == NULL)
		return (uint64_t)ceil(epochs * (double)epoch_steps(c, 0, rows));
	for (uint64_t k = 0; k < whole; k++)
		steps += epoch_steps(c, k, rows);
	return steps + (uint64_t)ceil((epochs - (double)whole) * (double)epoch_steps(c, whole, rows));
}
