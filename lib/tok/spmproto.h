/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SPMPROTO_H
#define SFT_SPMPROTO_H
/* The few fields of a SentencePiece model that its library keeps to itself, read and written as protocol buffers (numbers of the fields:
 * sentencepiece_model.proto). */
#include <stdbool.h>
#include "err.h"
#include "mem.h"
#include "spm.h"

struct spm_facts {
	bool bpe, byte_fallback;
	bool prefix;                   /* a blank is put in front of a text */
	bool strips;                   /* blanks at the ends are taken away, several become one */
	bool charsmap;                 /* characters are normalised */
	bool suffix;                   /* the blank's mark stands behind a word */
	bool user;                     /* has pieces of kind user-defined */
};
int spm_facts(const struct spm *s, struct spm_facts *f, struct err *e);

/* A BPE model with byte fallback that normalises nothing, written piece by piece: spm_put() for each id in turn, then the end.  KIND as llama.cpp
 * numbers token types, which are SentencePiece's own numbers. */
void spm_put(struct buf *b, const char *text, size_t n, float score, int kind);
void spm_put_end(struct buf *b, bool prefix, int32_t unk, int32_t bos, int32_t eos, int32_t pad);

#endif
