/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TOKENIZEKEY_H
#define SFT_TOKENIZEKEY_H
/* What a shard is made of, as one number that the shard records: the same number, the same shard. */
#include "tokenize.h"

struct tokenize_input;

struct tokenize_key {
	struct tokenize_input *in;
	size_t n;
	bool known;                 /* every input is a regular file */
	uint64_t key;               /* where KNOWN */
};

/* Reads FILES[0..n-1] to their ends.  The key is of their names and bytes, the tokenizer's file, the chat template and its special tokens
 * (and where the template asks for the time, the day), the options that change what is written, and the version. */
int  tokenize_key_open(struct tokenize_key *k, const struct tokenize *z, const char *const *files, size_t n, const struct tool *t, struct err *e);
void tokenize_key_close(struct tokenize_key *k);

/* Has the shard PATH this key?  False where there is no whole shard. */
bool tokenize_key_is(const struct tokenize_key *k, const char *path);

/* SFT_BADDATA where an input is not what it was when it was hashed. */
int  tokenize_key_held(const struct tokenize_key *k, struct err *e);

/* Members "inputs" and "key" of the shard's info. */
void tokenize_key_put(const struct tokenize_key *k, struct jw *w);

#endif
