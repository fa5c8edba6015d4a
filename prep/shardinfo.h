/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SHARDINFO_H
#define SFT_SHARDINFO_H
/* What a token shard says about its making: the JSON object in its head. */
#include <stdint.h>

#include "json.h"
#include "shard.h"
#include "tool.h"

/* Opens the object: schema, tool, version and the command line without what changes no byte of the shard (-j, -o, what is told
 * to the user).  COMMAND stands before its options where the tool has several, else NULL.  The caller adds members and closes it. */
void shardinfo_begin(struct jw *w, const struct tool *t, const char *command);

/* "KEY": the 16 hexadecimal digits of HASH. */
void shardinfo_hash(struct jw *w, const char *key, uint64_t hash);

/* What S says, as one value written anew: the bytes of a stranger's file go nowhere as they are. */
void shardinfo_copy(struct jw *w, const struct shard *s);

#endif
