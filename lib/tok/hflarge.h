/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_HFLARGE_H
#define SFT_HFLARGE_H
/* The two members of tokenizer.json that are nearly all of it, model.vocab (where it is an object) and model.merges, read from the text itself:
 * 150,000 tokens and as many pairs go into tables at once, without a tree of their values.
 *
 * Only what is plain and right is read here, as programs write it: ids without a gap worth speaking of, no token and no id twice, each token
 * of each pair in the vocabulary.  Anything else is left to the tree (hfjson.c), which takes what is odd and finds words for what is wrong. */
#include "tokimpl.h"

struct hf_large {
	bool vocab, merges;     /* what was read: it is empty in REST, and in T */
	struct buf rest;        /* the document with both emptied; to be freed by the caller */
};

/* TEXT of N bytes.  False: not plain; T and LARGE are as they were. */
bool hf_large_read(struct tok *t, struct hf_large *large, const char *text, size_t n);
void hf_large_drop(struct tok *t, struct hf_large *large);      /* all of it again: nothing was read */

#endif
