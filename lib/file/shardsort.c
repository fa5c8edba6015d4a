/* SPDX-License-Identifier: Apache-2.0 */
/* Sequences in the order of their ids: sorted where they lie in the file, nothing unpacked. */
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "shardfmt.h"

struct item {
	const uint8_t *ids;
	uint32_t n : 29, width : 3;    /* ids, bytes of each */
	uint32_t i;
};

static uint32_t id_at(const struct item *s, uint32_t k)
{
	const uint8_t *p = s->ids + (size_t)k * s->width;
	uint32_t id = p[0];

	for (unsigned b = 1; b < s->width; b++)
		id |= (uint32_t)p[b] << (8 * b);
	return id;
}

/* First ids that A and B have in common, N at most; eight bytes at a time, which may be a few too few. */
static uint32_t skip_common(const struct item *a, const struct item *b, uint32_t n)
{
	size_t at = 0, bytes = (size_t)n * a->width;

	if (a->width != b->width)
		return 0;
	for (; at + 8 <= bytes; at += 8) {
		uint64_t x, y;

		memcpy(&x, a->ids + at, 8);
		memcpy(&y, b->ids + at, 8);
		if (x != y)
			break;
	}
	return (uint32_t)(at / a->width);
}

static int compare(const void *pa, const void *pb)
{
	const struct item *a = pa, *b = pb;
	uint32_t n = a->n < b->n ? a->n : b->n;

	for (uint32_t k = skip_common(a, b, n); k < n; k++) {
		uint32_t x = id_at(a, k), y = id_at(b, k);

		if (x != y)
			return x < y ? -1 : 1;
	}
	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	return a->i < b->i ? -1 : 1;
}

int shard_order(const struct shard *s, uint32_t *order, struct err *e)
{
	uint64_t count = shard_count(s);
	struct item *item = mem_try((count + 1) * sizeof *item);
	int rc = 0;

	if (item == NULL)
		return err_set(e, SFT_SYSTEM, "no memory to sort %llu sequences", (unsigned long long)count);
	for (uint64_t i = 0; rc == 0 && i < count; i++) {
		uint32_t n = 0;
		unsigned width = 1;

		item[i].ids = shard_raw_ids(s, i, &n, &width, e);
		if (item[i].ids == NULL)
			rc = SFT_BADDATA;
		item[i].n = n & 0x1fffffff;
		item[i].width = width & 7;
		item[i].i = (uint32_t)i;
	}
	if (rc == 0)
		qsort(item, count, sizeof *item, compare);
	for (uint64_t i = 0; rc == 0 && i < count; i++)
		order[i] = item[i].i;
	mem_free(item);
	return rc;
}
