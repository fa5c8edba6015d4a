/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_DATA_H
#define SFT_DATA_H
/* The token shards of a run (chat records become shards: recshard.h), as rows that the cursor deals out.  A row is one sequence, or where the shard has a pack plan one row of it. */
#include <stddef.h>
#include <stdint.h>
#include "cursor.h"
#include "err.h"
#include "recshard.h"
#include "shard.h"

struct data_file {
	char *path;
	struct shard *shard;
	uint32_t *row;              /* rows with a trained token: the others teach nothing */
};

struct data {
	struct data_file *file;     /* n of them */
	struct cursor_source *src;  /* [n], for cursor_init */
	size_t   n;
	uint64_t rows, untrained;   /* rows in use; rows left out */
	uint64_t tokens, trained;   /* of the rows in use, weights not counted */
	uint32_t max_len;           /* longest sequence */
	uint32_t max_row;           /* most tokens of a row */
	uint64_t print;             /* fingerprint: hash of the numbers, lengths and weights of all sequences */
};

struct data_opts {
	uint32_t vocab;                       /* of the model: ids must be below it */
	uint64_t vocab_hash;                  /* of its tokenizer, 0 where it has none: a shard made with another is refused */
	const struct recshard_opts *records;  /* for files that are no shards; NULL: those are refused */
};

/* SPEC: FILE, FILE:WEIGHT, or FILE:WEIGHT-WEIGHT, one that moves over the run.  No file with a trained token: SFT_BADDATA. */
int  data_open(struct data *d, const char *const *spec, size_t n, const struct data_opts *o, struct err *e);
void data_close(struct data *d);

/* File F of D alone: a view, borrowed and not to be closed.  Its figures of tokens are its own. */
struct data data_view(const struct data *d, size_t f);

/* Sequences of a row: numbers in its shard. */
struct data_row {
	const char *path;
	const struct shard *shard;
	const uint32_t *seq;
	uint32_t n;
};
/* Borrowed from D and from IT, which must stay where it is. */
struct data_row data_row(const struct data *d, const struct cursor_item *it);

#endif
