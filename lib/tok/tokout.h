/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TOKOUT_H
#define SFT_TOKOUT_H
/* A tokenizer in the other form: what a GGUF file says about its vocabulary, or the files of a Hugging Face folder.
 *
 * The ids are the same on every text when this suite reads the form again, and tok_hash() is.  Where a form cannot say what the tokenizer does, that
 * is SFT_BADDATA with the thing it cannot say: nothing is left out in silence.  llama.cpp reads the same ids, but for what only this suite's own
 * keys say:
 *   sft.tokenizer.normalizer  "nfc": texts are put in that form first; llama.cpp takes them as they come
 *   sft.tokenizer.merges      of `llama` vocabularies: the order of merges that have one score */
#include <stdbool.h>
#include <stdint.h>
#include "err.h"
#include "ggufout.h"
#include "tok.h"

/* The keys tokenizer.* for a model of ROWS token embeddings: rows without a token are "[PADn]", unused.  Byte-level BPE becomes `gpt2` with the name
 * of its pre-tokenizer, SentencePiece BPE (tokenizer.model, or tokenizer.json with byte_fallback) `llama`. */
int tok_to_gguf(const struct tok *t, uint32_t rows, struct gguf_meta *m, struct err *e);

/* Are texts put in a normal form that llama.cpp would leave as they are. */
bool tok_normalizes(const struct tok *t);

/* The files for T, which came from a GGUF file, in the folder DIR: tokenizer.json for byte-level BPE and where merges have an order
 * of their own, tokenizer.model for SentencePiece BPE by scores;
 * tokenizer_config.json with the special tokens and the chat template.  Each whole or not at all, synced. */
int tok_to_folder(const struct tok *t, const char *dir, struct err *e);

#endif
