/* SPDX-License-Identifier: Apache-2.0 */
#include "cursor.h"

#include <math.h>
#include <string.h>

#include "mem.h"
#include "rng.h"

/* Streams of random numbers: the order of an epoch, and which rows of source I make up the share of a weight. */
static uint64_t stream_order(uint64_t epoch)              { return rng_mix(0x6f72646572) + epoch; }
static uint64_t stream_share(uint64_t epoch, uint64_t i)  { return rng_mix(rng_mix(0x7368617265) + i) + epoch; }

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
	for (size_t i = 0; i < nsrc; i++)
		c->rows += source_whole(&src[i]) * src[i].n + source_extra(&src[i]);
	c->item = mem_grow(NULL, c->rows ? c->rows : 1, sizeof *c->item);
}

void cursor_release(struct cursor *c)
{
	mem_free(c->item);
	memset(c, 0, sizeof *c);
}

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
	c->listed = epoch + 1;
}

size_t cursor_next(struct cursor *c, uint64_t want, const struct cursor_item **item)
{
	uint64_t n;

	if (c->listed != c->place.epoch + 1)
		list_epoch(c, c->place.epoch);
	n = c->rows - c->place.at < want ? c->rows - c->place.at : want;
	*item = c->item + c->place.at;
	c->place.at += n;
	if (c->place.at == c->rows)
		c->place = (struct cursor_place){ c->place.epoch + 1, 0 };
	return n;
}

void cursor_seek(struct cursor *c, struct cursor_place place)
{
	c->place = place;
}

double cursor_epochs(const struct cursor *c)
{
	return (double)c->place.epoch + (c->rows ? (double)c->place.at / (double)c->rows : 0);
}

uint64_t cursor_steps(const struct cursor *c, uint64_t rows)
{
	return (c->rows + rows - 1) / rows;
}
