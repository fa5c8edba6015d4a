/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_VOCABHASH_H
#define SFT_VOCABHASH_H
#include <stdbool.h>
#include <stdint.h>
#include "err.h"

/* Does PATH, a model, have a tokenizer with it?  Not so a folder without tokenizer files, or a GGUF file of weights only. */
bool vocab_there(const char *path);

/* tok_hash of the tokenizer that PATH, a model, has with it; 0 where it has none (as vocab_there() says).
 * SFT_BADDATA: it is broken. */
int vocab_hash(const char *path, uint64_t *hash, struct err *e);

#endif
