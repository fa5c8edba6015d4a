/* SPDX-License-Identifier: Apache-2.0 */
/* One sequence of a shard, unpacked: nothing in it is believed before it is checked. */
#include <string.h>

#include "hash.h"
#include "mem.h"
#include "shardfmt.h"

/* Bytes still to be read; P is NULL once something did not fit. */
struct cursor {
	const uint8_t *p, *end;
};

static const uint8_t *take(struct cursor *c, size_t n)
{
	const uint8_t *p = c->p;

	if (p == NULL || (size_t)(c->end - p) < n)
		return c->p = NULL;
	c->p += n;
	return p;
}

static uint32_t take_varint(struct cursor *c)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 35; shift += 7) {
		const uint8_t *p = take(c, 1);

		if (p == NULL)
			return 0;
		v |= (uint64_t)(*p & 0x7f) << shift;
		if (*p < 0x80 && v <= UINT32_MAX)
			return (uint32_t)v;
	}
	c->p = NULL;
	return 0;
}

static const char *take_text(struct cursor *c, bool there)
{
	const uint8_t *p;
	uint32_t n;

	if (!there)
		return "";
	n = take_varint(c);
	p = take(c, (size_t)n + 1);
	if (p == NULL || memchr(p, 0, (size_t)n + 1) != p + n) {
		c->p = NULL;
		return "";
	}
	return (const char *)p;
}

/* The runs of the mask; true where they cover N tokens. */
static bool take_mask(struct cursor *c, uint8_t *mask, uint32_t n)
{
	uint32_t runs = take_varint(c), at = 0;

	for (uint32_t r = 0; r < runs; r++) {
		uint32_t len = take_varint(c);

		if (c->p == NULL || len > n - at || (len == 0 && r > 0))
			return false;
		memset(mask + at, (int)(r & 1), len);
		at += len;
	}
	return at == n;
}

static bool take_ids(struct cursor *c, uint32_t *ids, uint32_t n, unsigned width, uint32_t max)
{
	const uint8_t *p = take(c, (size_t)n * width);

	if (p == NULL)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t v = 0;

		for (unsigned k = 0; k < width; k++)
			v |= (uint32_t)*p++ << (8 * k);
		if (v > max)
			return false;
		ids[i] = v;
	}
	return true;
}

/* Ids of one position, ascending, from C to BUF. */
static bool take_rival_ids(struct cursor *c, struct shard_buf *buf, uint32_t max)
{
	uint32_t n = take_varint(c);
	uint64_t id = 0;

	if (c->p == NULL || n == 0 || n > (size_t)(c->end - c->p))
		return false;
	for (uint32_t k = 0; k < n; k++) {
		uint32_t more = take_varint(c);

		id += more;
		if (c->p == NULL || (k > 0 && more == 0) || id > max)
			return false;
		ARRAY_ROOM(buf->id, buf->n_id, buf->id_cap);
		buf->id[buf->n_id++] = (uint32_t)id;
	}
	return true;
}

/* Positions ascend, and are trained ones of a sequence of N tokens. */
static bool take_rivals(struct cursor *c, struct shard_buf *buf, uint32_t n, uint32_t max, struct shard_rivals *out)
{
	uint32_t count = take_varint(c);
	uint64_t at = 0;

	if (c->p == NULL || count == 0 || count >= n)
		return false;
	if (count > buf->at_cap) {
		buf->at = mem_grow(buf->at, count, sizeof *buf->at);
		buf->first = mem_grow(buf->first, (size_t)count + 1, sizeof *buf->first);
		buf->at_cap = count;
	}
	buf->n_id = 0;
	for (uint32_t k = 0; k < count; k++) {
		uint32_t more = take_varint(c);

		at += more;
		if (c->p == NULL || more == 0 || at >= n || !buf->mask[at])
			return false;
		buf->at[k] = (uint32_t)at;
		buf->first[k] = (uint32_t)buf->n_id;
		if (!take_rival_ids(c, buf, max))
			return false;
	}
	buf->first[count] = (uint32_t)buf->n_id;
	*out = (struct shard_rivals){ count, buf->at, buf->first, buf->id };
	return true;
}

/* No rival is the token that stands there. */
static bool rivals_are_others(const struct shard_seq *q)
{
	for (uint32_t k = 0; k < q->rivals.n; k++)
		for (uint32_t i = q->rivals.first[k]; i < q->rivals.first[k + 1]; i++)
			if (q->rivals.id[i] == q->ids[q->rivals.at[k]])
				return false;
	return true;
}

int shard_check_block(const struct shard *s, uint32_t b, struct err *e)
{
	const struct shard_block *k = &s->block[b];

	if (atomic_load_explicit(&s->checked[b], memory_order_relaxed))
		return 0;
	if (crc32c(0, s->map.p + k->at, k->n) != k->crc)
		return err_set(e, SFT_BADDATA, "block %u of the shard is damaged (its checksum is wrong)", b);
	atomic_store_explicit(&s->checked[b], 1, memory_order_relaxed);
	return 0;
}

/* Sequence I's bytes in its block. */
static struct cursor bytes_of(const struct shard *s, uint64_t i)
{
	const struct shard_entry *n = &s->entry[i];
	const struct shard_block *k = &s->block[n->block];
	bool last = i + 1 == s->tail.count || n[1].block != n->block;

	return (struct cursor){ s->map.p + k->at + n->at, s->map.p + k->at + (last ? k->n : n[1].at) };
}

/* The ids are the last thing of a sequence. */
const uint8_t *shard_raw_ids(const struct shard *s, uint64_t i, uint32_t *n, unsigned *width, struct err *e)
{
	struct cursor c = bytes_of(s, i);

	if (shard_check_block(s, s->entry[i].block, e) != 0)
		return NULL;
	*n = s->entry[i].n;
	*width = (*c.p & 3u) + 1;
	if ((uint64_t)*n * *width >= (uint64_t)(c.end - c.p)) {
		err_set(e, SFT_BADDATA, "sequence %llu of the shard is not what its index says", (unsigned long long)i);
		return NULL;
	}
	return c.end - (size_t)*n * *width;
}

static void buf_fit(struct shard_buf *buf, uint32_t n)
{
	if (n <= buf->cap)
		return;
	buf->ids = mem_grow(buf->ids, n, sizeof *buf->ids);
	buf->mask = mem_grow(buf->mask, n, 1);
	buf->cap = n;
}

int shard_get(const struct shard *s, uint64_t i, struct shard_buf *buf, struct shard_seq *seq, struct err *e)
{
	const struct shard_entry *n = &s->entry[i];
	struct cursor c = bytes_of(s, i);
	const uint8_t *flags, *w;
	uint32_t trained = 0, len;
	int rc = shard_check_block(s, n->block, e);

	if (rc)
		return rc;
	*seq = (struct shard_seq){ .n = n->n, .trained = n->trained, .weight = 1.0f };
	flags = take(&c, 1);
	len = take_varint(&c);
	if (c.p == NULL || len != n->n || *flags >> (s->head.version == 1 ? 6 : 7) || len > (size_t)(c.end - c.p))
		goto bad;
	buf_fit(buf, len);
	if (!take_mask(&c, buf->mask, len))
		goto bad;
	if (*flags & SHARD_WEIGHT) {
		if ((w = take(&c, sizeof seq->weight)) == NULL)
			goto bad;
		memcpy(&seq->weight, w, sizeof seq->weight);
	}
	seq->id = take_text(&c, *flags & SHARD_ID);
	seq->slice = take_text(&c, *flags & SHARD_SLICE);
	seq->source = take_text(&c, *flags & SHARD_SOURCE);
	if ((*flags & SHARD_RIVALS) && !take_rivals(&c, buf, len, s->tail.max_id, &seq->rivals))
		goto bad;
	if (!take_ids(&c, buf->ids, len, (*flags & 3u) + 1, s->tail.max_id) || c.p != c.end ||
	    !(seq->weight >= 0.0f && seq->weight <= 3.4e38f))
		goto bad;
	for (uint32_t t = 1; t < len; t++)
		trained += buf->mask[t];
	if (trained != n->trained)
		goto bad;
	seq->ids = buf->ids;
	seq->mask = buf->mask;
	if (rivals_are_others(seq))
		return 0;
bad:
	return err_set(e, SFT_BADDATA, "sequence %llu of the shard is not what its index says", (unsigned long long)i);
}

void shard_buf_free(struct shard_buf *buf)
{
	mem_free(buf->ids);
	mem_free(buf->mask);
	mem_free(buf->at);
	mem_free(buf->first);
	mem_free(buf->id);
	*buf = (struct shard_buf){0};
}
