/* SPDX-License-Identifier: Apache-2.0 */
/* Writing token shards. */
#include <string.h>

#include "hash.h"
#include "mem.h"
#include "outfile.h"
#include "shard.h"
#include "shardfmt.h"

struct shard_out {
	struct outfile *f;
	struct buf block;              /* the block being filled */
	struct shard_block *blocks;
	size_t nblocks, blocks_cap;
	struct shard_entry *entry;
	size_t count, entry_cap;
	uint32_t *last;                /* ids of the sequence before */
	size_t nlast, last_cap;
	struct shard_tail tail;
};

static void shard_out_free(struct shard_out *o)
{
	buf_free(&o->block);
	mem_free(o->blocks);
	mem_free(o->entry);
	mem_free(o->last);
	mem_free(o);
}

int shard_create(struct shard_out **out, const char *path, uint64_t vocab_hash, const char *info_json, struct err *e)
{
	struct shard_head head = { .version = SHARD_VERSION, .vocab_hash = vocab_hash };
	struct shard_out *o = mem_new(sizeof *o);
	size_t ninfo = strlen(info_json);
	int rc = 0;

	*out = NULL;
	memcpy(head.magic, SHARD_MAGIC, sizeof head.magic);
	head.ninfo = (uint32_t)ninfo;
	if (ninfo > UINT32_MAX / 2)
		rc = err_set(e, SFT_BADDATA, "the info of a shard has %zu bytes (expected less than 2 GiB)", ninfo);
	if (rc == 0)
		rc = out_open(&o->f, path, e);
	if (rc == 0 && (rc = out_write(o->f, &head, sizeof head, e)) == 0)
		rc = out_write(o->f, info_json, ninfo, e);
	if (rc) {
		shard_drop(o);
		return rc;
	}
	o->tail.crc_head = crc32c(crc32c(0, &head, sizeof head), info_json, ninfo);
	*out = o;
	return 0;
}

static void put_varint(struct buf *b, uint32_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_ch(b, (char)(v | 0x80));
	buf_ch(b, (char)v);
}

static void put_mask(struct buf *b, const uint8_t *mask, uint32_t n)
{
	uint32_t runs = 0, from = 0;
	uint8_t is = 0;

	for (int writing = 0; writing < 2; writing++) {
		if (writing)
			put_varint(b, runs);
		is = 0;
		from = 0;
		for (uint32_t i = 0; i <= n; i++) {
			if (i < n && mask[i] == is)
				continue;
			if (writing)
				put_varint(b, i - from);
			else
				runs++;
			from = i;
			is = !is;
		}
	}
}

static void put_text(struct buf *b, const char *s)
{
	size_t n = strlen(s);

	put_varint(b, (uint32_t)n);
	buf_add(b, s, n + 1);
}

static void put_rivals(struct buf *b, const struct shard_rivals *r)
{
	uint32_t at = 0;

	put_varint(b, r->n);
	for (uint32_t k = 0; k < r->n; k++) {
		uint32_t id = 0;

		put_varint(b, r->at[k] - at);
		put_varint(b, r->first[k + 1] - r->first[k]);
		for (uint32_t i = r->first[k]; i < r->first[k + 1]; i++) {
			put_varint(b, r->id[i] - id);
			id = r->id[i];
		}
		at = r->at[k];
	}
}

static void put_ids(struct buf *b, const uint32_t *ids, uint32_t n, unsigned width)
{
	char *p = buf_room(b, (size_t)n * width);

	for (uint32_t i = 0; i < n; i++)
		for (unsigned k = 0; k < width; k++)
			*p++ = (char)(ids[i] >> (8 * k));
	b->n += (size_t)n * width;
}

/* Is what the caller says about rivals as shard.h has it?  *MAX_ID is raised to the largest. */
static bool rivals_hold(const struct shard_seq *seq, uint32_t *max_id)
{
	const struct shard_rivals *r = &seq->rivals;

	for (uint32_t k = 0; k < r->n; k++) {
		if (r->at[k] >= seq->n || r->at[k] <= (k ? r->at[k - 1] : 0) || !seq->mask[r->at[k]] || r->first[k + 1] <= r->first[k])
			return false;
		for (uint32_t i = r->first[k]; i < r->first[k + 1]; i++) {
			if (r->id[i] == seq->ids[r->at[k]] || (i > r->first[k] && r->id[i] <= r->id[i - 1]))
				return false;
			*max_id = r->id[i] > *max_id ? r->id[i] : *max_id;
		}
	}
	return true;
}

/* Checks what is the caller's; fills the counts of ENTRY and the largest id. */
static int measure(const struct shard_out *o, const struct shard_seq *seq, struct shard_entry *entry, uint32_t *max_id, struct err *e)
{
	*max_id = 0;
	if (seq->n == 0)
		return err_set(e, SFT_BADDATA, "sequence %zu is empty (expected at least 1 token)", o->count);
	if (seq->n > 1u << 28 || strlen(seq->id) > 1u << 28 || strlen(seq->slice) > 1u << 28 || strlen(seq->source) > 1u << 28)
		return err_set(e, SFT_BADDATA, "sequence %zu is too long (expected at most 2^28 tokens, and bytes in a name)", o->count);
	if (o->count >= UINT32_MAX - 1)
		return err_set(e, SFT_BADDATA, "too many sequences for one shard (expected less than 2^32)");
	if (!(seq->weight >= 0.0f && seq->weight <= 3.4e38f))
		return err_set(e, SFT_BADDATA, "sequence %zu has weight %g (expected a number from 0 on)", o->count, (double)seq->weight);
	entry->n = seq->n;
	for (uint32_t i = 0; i < seq->n; i++) {
		if (seq->mask[i] > 1)
			return err_set(e, SFT_BADDATA, "sequence %zu: mask value %u (expected 0 or 1)", o->count, seq->mask[i]);
		if (seq->ids[i] > *max_id)
			*max_id = seq->ids[i];
		entry->trained += i > 0 && seq->mask[i];
	}
	if (!rivals_hold(seq, max_id))
		return err_set(e, SFT_BADDATA, "sequence %zu: its rivals are not ascending ids of ascending trained positions, others than the tokens there", o->count);
	while (entry->shared < seq->n && entry->shared < o->nlast && seq->ids[entry->shared] == o->last[entry->shared])
		entry->shared++;
	return 0;
}

static int close_block(struct shard_out *o, struct err *e)
{
	struct shard_block *b = &o->blocks[o->nblocks - 1];

	b->n = (uint32_t)o->block.n;
	b->crc = crc32c(0, o->block.p, o->block.n);
	o->block.n = 0;
	return out_write(o->f, o->block.p, b->n, e);
}

static void remember(struct shard_out *o, const struct shard_seq *seq)
{
	if (seq->n > o->last_cap) {
		o->last = mem_grow(o->last, seq->n, sizeof *o->last);
		o->last_cap = seq->n;
	}
	memcpy(o->last, seq->ids, (size_t)seq->n * sizeof *o->last);
	o->nlast = seq->n;
}

int shard_put(struct shard_out *o, const struct shard_seq *seq, struct err *e)
{
	struct shard_entry entry = {0};
	struct buf *b = &o->block;
	uint32_t max_id;
	unsigned width, flags;
	int rc = measure(o, seq, &entry, &max_id, e);

	if (rc)
		return rc;
	if (b->n == 0) {
		ARRAY_ROOM(o->blocks, o->nblocks, o->blocks_cap);
		o->blocks[o->nblocks++] = (struct shard_block){ .at = out_tell(o->f), .first = (uint32_t)o->count };
	}
	entry.block = (uint32_t)(o->nblocks - 1);
	entry.at = (uint32_t)b->n;
	width = max_id < 1u << 8 ? 1 : max_id < 1u << 16 ? 2 : max_id < 1u << 24 ? 3 : 4;
	flags = (width - 1) | (seq->weight != 1.0f ? SHARD_WEIGHT : 0) | (*seq->id ? SHARD_ID : 0) | (*seq->slice ? SHARD_SLICE : 0) |
	        (*seq->source ? SHARD_SOURCE : 0) | (seq->rivals.n ? SHARD_RIVALS : 0);
	buf_ch(b, (char)flags);
	put_varint(b, seq->n);
	put_mask(b, seq->mask, seq->n);
	if (flags & SHARD_WEIGHT)
		buf_add(b, &seq->weight, sizeof seq->weight);
	if (flags & SHARD_ID)
		put_text(b, seq->id);
	if (flags & SHARD_SLICE)
		put_text(b, seq->slice);
	if (flags & SHARD_SOURCE)
		put_text(b, seq->source);
	if (flags & SHARD_RIVALS)
		put_rivals(b, &seq->rivals);
	put_ids(b, seq->ids, seq->n, width);
	ARRAY_ROOM(o->entry, o->count, o->entry_cap);
	o->entry[o->count++] = entry;
	remember(o, seq);
	o->tail.tokens += entry.n;
	o->tail.trained += entry.trained;
	o->tail.rivals += seq->rivals.n > 0;
	if (max_id > o->tail.max_id)
		o->tail.max_id = max_id;
	if (entry.n > o->tail.max_len)
		o->tail.max_len = entry.n;
	return b->n >= SHARD_BLOCK ? close_block(o, e) : 0;
}

/* A table: written, and added to the tables' checksum. */
static int put_table(struct shard_out *o, const void *p, size_t n, struct err *e)
{
	if (n == 0)
		return 0;
	o->tail.crc_tables = crc32c(o->tail.crc_tables, p, n);
	return out_write(o->f, p, n, e);
}

static int put_plan(struct shard_out *o, uint32_t pack, struct err *e)
{
	uint64_t *row;
	uint32_t *seq;
	int rc;

	for (size_t i = 0; i < o->count; i++)
		if (o->entry[i].n > pack)
			return err_set(e, SFT_BADDATA, "sequence %zu has %u tokens (expected at most the %u of a packed row)", i,
			               o->entry[i].n, pack);
	shardpack_plan(o->entry, o->count, pack, &row, &seq, &o->tail.nrows);
	o->tail.pack = pack;
	rc = put_table(o, row, (o->tail.nrows + 1) * sizeof *row, e);
	if (rc == 0)
		rc = put_table(o, seq, o->count * sizeof *seq, e);
	mem_free(row);
	mem_free(seq);
	return rc;
}

static int put_tables(struct shard_out *o, uint32_t pack, struct err *e)
{
	static const char zero[8];
	struct shard_tail *t = &o->tail;
	int rc;

	t->tables = out_tell(o->f);
	t->count = o->count;
	t->nblocks = o->nblocks;
	rc = put_table(o, zero, (8 - t->tables % 8) % 8, e);
	if (rc == 0)
		rc = put_table(o, o->blocks, o->nblocks * sizeof *o->blocks, e);
	if (rc == 0)
		rc = put_table(o, o->entry, o->count * sizeof *o->entry, e);
	if (rc == 0 && o->count % 2)    /* 20 bytes an entry: the rows begin at a multiple of 8 */
		rc = put_table(o, zero, 4, e);
	if (rc == 0 && pack > 0 && o->count > 0)
		rc = put_plan(o, pack, e);
	if (rc)
		return rc;
	t->length = out_tell(o->f) + sizeof *t;
	t->crc = crc32c(0, t, offsetof(struct shard_tail, crc));
	memcpy(t->end, SHARD_END, sizeof t->end);
	return out_write(o->f, t, sizeof *t, e);
}

int shard_finish(struct shard_out *o, uint32_t pack, struct err *e)
{
	int rc = o->block.n ? close_block(o, e) : 0;

	if (rc == 0)
		rc = put_tables(o, pack, e);
	if (rc) {
		shard_drop(o);
		return rc;
	}
	rc = out_close(o->f, true, e);
	shard_out_free(o);
	return rc;
}

void shard_drop(struct shard_out *o)
{
	if (o == NULL)
		return;
	out_abandon(o->f);
	shard_out_free(o);
}
