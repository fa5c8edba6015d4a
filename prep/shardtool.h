/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SHARDTOOL_H
#define SFT_SHARDTOOL_H
/* Looking at token shards: figures, contents, checks. */
#include <stdbool.h>

#include "outfile.h"
#include "rec.h"
#include "shard.h"
#include "tok.h"
#include "tool.h"

/* Figures of FILE appended to OUT: a JSON object on a line, or a table. */
int shardtool_info(const char *file, bool json, struct buf *out, struct err *e);

/* The sequences of FILE as JSON lines to OUT: ids and mask, or with TOK their text.  Names and weights as the shard has them.
 * SFT_BADDATA where the shard was made with another tokenizer than TOK. */
int shardtool_cat(const char *file, const struct tok *tok, struct outfile *out, struct err *e);

/* Every byte of FILE.  SFT_GATE with what is wrong where it is no whole shard; SFT_SYSTEM where it cannot be read. */
int shardtool_verify(const char *file, uint64_t *sequences, struct err *e);

#endif
