/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SHARDFMT_H
#define SFT_SHARDFMT_H
/* Token shards on disk, version 2; little-endian.  Private to lib/file/shard*.c; sft-shard(5) is the page.
 *
 *   head    struct shard_head, then the info (JSON), crc32c of both
 *   blocks  payloads of whole sequences, one after the other; their checksums are in the block table
 *   tables  zero bytes to a multiple of 8; struct shard_block[nblocks]; struct shard_entry[count]; zero bytes to a multiple of 8;
 *           with a plan uint64_t row[nrows + 1], then uint32_t seq[count]
 *   tail    struct shard_tail, the last 96 bytes
 *
 * A sequence in a block:
 *   flags   1 byte: bits 0-1 bytes of an id less one; then which of weight, id, slice, source, rivals are there
 *   n, runs varints; then RUNS varints: lengths of the mask's runs, the first of 0s (perhaps none), then of 1s, and so on
 *   weight  f32, if there
 *   id, slice, source, those that are there: varint length, bytes, NUL
 *   rivals  if there: varint positions; of each varint distance from the one before (the first from 0), varint ids, of each varint
 *           distance from the one before (the first from 0)
 *   ids     n times 1..4 bytes
 * Version 1 has no rivals, and zero for rivals in its tail.  Varints are LEB128, at most 5 bytes. */
#include <stdatomic.h>
#include <stdint.h>

#include "mapfile.h"
#include "shard.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "shards are mapped as they lie: little-endian machines only"
#endif

#define SHARD_MAGIC "\x89SFTSHD\n"
#define SHARD_END   "SFTSHEND"

enum {
	SHARD_VERSION = 2,
	SHARD_WEIGHT = 1 << 2, SHARD_ID = 1 << 3, SHARD_SLICE = 1 << 4, SHARD_SOURCE = 1 << 5, SHARD_RIVALS = 1 << 6,
	SHARD_BLOCK = 1 << 18          /* a block is closed when it holds this many bytes */
};

struct shard_head {
	char     magic[8];
	uint32_t version, ninfo;       /* bytes of the info */
	uint64_t vocab_hash;
};

struct shard_block {
	uint64_t at;                   /* offset in the file */
	uint32_t n, crc;               /* bytes, crc32c of them */
	uint32_t first, reserved;      /* its first sequence; zero */
};

struct shard_entry {
	uint32_t block, at;            /* block number, offset in it */
	uint32_t n, trained;           /* tokens, trained ones */
	uint32_t shared;               /* first tokens that are the predecessor's too */
};

struct shard_tail {
	uint64_t tables;               /* where the blocks end: offset of the zero bytes before the tables */
	uint64_t count, tokens, trained, nblocks, nrows;
	uint64_t length;               /* of the whole file */
	uint32_t pack, max_id, max_len;
	uint32_t crc_head;             /* of head and info */
	uint32_t crc_tables;           /* zero bytes included */
	uint32_t rivals;               /* sequences that have some */
	uint32_t reserved;             /* zero */
	uint32_t crc;                  /* of the tail up to here */
	char     end[8];
};
_Static_assert(sizeof(struct shard_head) == 24 && sizeof(struct shard_block) == 24 && sizeof(struct shard_entry) == 20 &&
               sizeof(struct shard_tail) == 96, "the file's layout");

struct shard {
	struct mapfile map;
	struct shard_head head;
	struct shard_tail tail;
	char *info;
	const struct shard_block *block;
	const struct shard_entry *entry;
	const uint64_t *row;           /* NULL: no plan */
	const uint32_t *seq;
	_Atomic uint8_t *checked;      /* by block: its checksum was found right */
};

/* shardseq.c: block B's checksum, once; SFT_BADDATA. */
int shard_check_block(const struct shard *s, uint32_t b, struct err *e);
/* Where the N ids of sequence I lie, WIDTH bytes each; NULL (with the error): the block is damaged or they do not fit in it. */
const uint8_t *shard_raw_ids(const struct shard *s, uint64_t i, uint32_t *n, unsigned *width, struct err *e);

/* Rows of at most PACK tokens for COUNT sequences of LEN tokens: best fit, longest first.  *ROW (nrows + 1 offsets into *SEQ)
 * and *SEQ (COUNT sequence numbers) are for mem_free.  No sequence may be longer than PACK.  Time O(count log pack). */
void shardpack_plan(const struct shard_entry *entry, uint64_t count, uint32_t pack, uint64_t **row, uint32_t **seq, uint64_t *nrows);

#endif
