/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_RECSHARD_H
#define SFT_RECSHARD_H
/* Chat records given to train in place of a shard: sft-tokenize makes a shard of them, which the cache keeps.  Its name is a hash of the
 * records' bytes, the model's vocabulary, the template and the options: another of any makes another shard. */
#include <stdint.h>
#include "err.h"

struct recshard_opts {
	const char *model;
	const char *template;      /* --chat-template, NULL: the model's */
	const char *on_long;       /* as sft-tokenize has it */
	const char *train_on;
	int64_t max_len, pack;     /* 0: not given */
	const char *cache;         /* folder of the suite's caches; NULL: there is none */
};

/* *PATH (mem_free): the shard of FILE, made now if it is not there.  SFT_BADDATA: FILE is no file of chat records; what is wrong with it
 * sft-tokenize has said on standard error. */
int recshard_get(const struct recshard_opts *o, const char *file, char **path, struct err *e);

#endif
