/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SHARD_H
#define SFT_SHARD_H
/* Token shards: what `tokenize` writes and `train` reads.  man 5 sft-shard has the format.
 *
 * A shard holds sequences: token ids, which of them the loss counts, and where they came from.  It is mapped, every block has
 * a checksum, and a shard whose end is missing is not a shard. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"

/* What must not be said: at N positions of a sequence the token ids that would go on to a rival of the term that stands there
 * (sft-shard(5), "Rivals").  AT ascends; each of its positions is trained, and none is 0.  Those of AT[k] are ID[FIRST[k]] to
 * ID[FIRST[k + 1] - 1]: at least one, ascending, never the token that stands there. */
struct shard_rivals {
	uint32_t n;
	const uint32_t *at, *first, *id;   /* n; n + 1; first[n] at least; not looked at where n is 0 */
};

struct shard_seq {
	const uint32_t *ids;        /* n token ids */
	const uint8_t  *mask;       /* n bytes: 1 = the loss counts this token as a target */
	uint32_t        n;          /* tokens, at least 1 */
	uint32_t        trained;    /* tokens with mask 1 at positions >= 1 (position 0 is never predicted) */
	float           weight;     /* of the record, 1 where it has none */
	const char     *id, *slice, *source;   /* NUL-terminated, "" where the record has none */
	struct shard_rivals rivals; /* n = 0: none (no `tokenize --terms`, or no term in it) */
};

/* --- reading --- */
struct shard;

/* Maps PATH, checks header, index and end.  Block checksums are checked by shard_verify, and by the reader the first time it
 * touches a block. */
int  shard_open(struct shard **s, const char *path, struct err *e);
void shard_close(struct shard *s);
uint64_t shard_count(const struct shard *s);
uint64_t shard_tokens(const struct shard *s);
uint64_t shard_trained(const struct shard *s);
uint32_t shard_max_id(const struct shard *s);           /* largest token id in it, rivals' included */
uint32_t shard_with_rivals(const struct shard *s);      /* sequences that have rivals */
uint32_t shard_max_len(const struct shard *s);          /* longest sequence */
uint64_t shard_vocab_hash(const struct shard *s);       /* 0: tokenised elsewhere (--from ids) */
const char *shard_info_json(const struct shard *s);     /* the JSON in the header: tool, command, template hash, options */
bool shard_is(const char *path);
/* Length and trained tokens of sequence I without unpacking it. */
uint32_t shard_len(const struct shard *s, uint64_t i);
uint32_t shard_seq_trained(const struct shard *s, uint64_t i);
/* How many of its first tokens are also the first of sequence I - 1 (0 for the first sequence). */
uint32_t shard_shared(const struct shard *s, uint64_t i);
/* Sequence I unpacked into BUF (which keeps ids, mask and rivals; reused by the next call with the same BUF).  SFT_BADDATA: checksum.
 * A zeroed BUF is ready. */
struct shard_buf {
	uint32_t *ids;
	uint8_t *mask;
	size_t cap;
	uint32_t *at, *first, *id;  /* of rivals; id has n_id */
	size_t at_cap, id_cap, n_id;
};
int  shard_get(const struct shard *s, uint64_t i, struct shard_buf *buf, struct shard_seq *seq, struct err *e);
void shard_buf_free(struct shard_buf *buf);
/* ORDER[0..count-1]: the sequences in the order of their ids, compared one by one, a shorter one before what it begins, equal ones as
 * they stand: those with a common beginning follow each other.  16 bytes of memory a sequence.  SFT_BADDATA: checksum. */
int  shard_order(const struct shard *s, uint32_t *order, struct err *e);
/* The pack plan (`tokenize --pack N`): rows of sequences, in order; count 0 where there is none.  Each sequence is in one row. */
uint32_t shard_pack(const struct shard *s);             /* most tokens of a row, 0: no plan */
uint64_t shard_rows(const struct shard *s);
void shard_row(const struct shard *s, uint64_t row, const uint32_t **seqs, uint32_t *n);
int  shard_verify(const struct shard *s, struct err *e);   /* every byte */

/* --- writing --- */
struct shard_out;
int  shard_create(struct shard_out **o, const char *path, uint64_t vocab_hash, const char *info_json, struct err *e);
int  shard_put(struct shard_out *o, const struct shard_seq *seq, struct err *e);     /* `trained` is computed */
/* PACK > 0: plan rows of at most PACK tokens (best fit); a longer sequence is SFT_BADDATA.  Synced and renamed: whole or not at
 * all; O is gone after this, also on failure. */
int  shard_finish(struct shard_out *o, uint32_t pack, struct err *e);
void shard_drop(struct shard_out *o);

#endif
