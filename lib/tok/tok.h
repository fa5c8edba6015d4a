/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TOK_H
#define SFT_TOK_H
/* Tokenizers: one interface over tokenizer.json (Hugging Face), GGUF vocabularies and SentencePiece models.
 * Ids equal those of the reference implementation on every text.  A tokenizer is immutable once open: threads share it,
 * each with its own tok_scratch. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "mem.h"

struct tok;
struct tok_scratch;

/* PATH: a folder with tokenizer.json or tokenizer.model, one of these files, any *.model, or a GGUF file. */
int  tok_open(struct tok **t, const char *path, struct err *e);
void tok_close(struct tok *t);
struct tok_scratch *tok_scratch_new(const struct tok *t);
void tok_scratch_free(struct tok_scratch *s);

struct tok_ids {
	uint32_t *id;
	uint32_t *start, *end;      /* byte offsets of each token in the text (when asked for) */
	size_t n, cap;
};
void tok_ids_free(struct tok_ids *ids);

enum {
	TOK_SPECIAL = 1,            /* names of special tokens in the text become special tokens (--parse-special) */
	TOK_ADD     = 2,            /* add what the tokenizer adds (BOS...) (--add-special) */
	TOK_OFFSETS = 4
};
/* Ids of TEXT are appended to OUT.  SFT_BADDATA: invalid UTF-8, or a text the tokenizer cannot express. */
int tok_encode(const struct tok *t, struct tok_scratch *s, const char *text, size_t n, unsigned flags, struct tok_ids *out, struct err *e);

/* A rendered chat: stretches of text, each either the template's own words (special and added tokens match) or what a message
 * says (only ordinary text: it can forge no control token nor any added token that the template writes).
 * The whole is one text to the pre-tokenizer where the reference would see it so. */
struct tok_span {
	size_t start, end;          /* bytes of the text */
	bool   content;             /* what a message says */
};
/* SOURCE: the Jinja source of the template that writes the chats, where it is not the model's own (which counts after tok_open()).
 * An added token that stands in it, or in the template's words of the very text, is one that the template writes.
 * Before threads share T. */
void tok_use_template(struct tok *t, const char *source);
int tok_encode_chat(const struct tok *t, struct tok_scratch *s, const char *text, size_t n,
                    const struct tok_span *spans, size_t nspans, struct tok_ids *out, struct err *e);

enum { TOK_SKIP_SPECIAL = 1 };
/* The text of IDS appended to OUT (bytes that are no UTF-8 become U+FFFD, as the reference does).  SFT_BADDATA: an id outside the vocabulary. */
int tok_decode(const struct tok *t, const uint32_t *ids, size_t n, unsigned flags, struct buf *out, struct err *e);

/* Text that the tokens so far give for certain, for streaming output and stop texts: see generate. */
uint32_t tok_vocab_size(const struct tok *t);           /* largest id + 1 */
const char *tok_name(const struct tok *t, uint32_t id, size_t *n);   /* the token as the file has it; NULL outside */
int32_t  tok_find(const struct tok *t, const char *name, size_t n);  /* id of the token so written, or -1 */
bool     tok_is_special(const struct tok *t, uint32_t id);
uint64_t tok_hash(const struct tok *t);                 /* of vocabulary (id, bytes, type) and merges: the GGUF and the folder of one model agree.  Made when asked for: 2 ms */
/* Hash of the file it was opened from (of a GGUF file all but the tensors): another normaliser or pre-tokenizer changes it too. */
uint64_t tok_source(const struct tok *t);

/* What the model's files say beside the vocabulary; -1 or NULL where they say nothing. */
int32_t tok_bos(const struct tok *t);
int32_t tok_eos(const struct tok *t);
const char *tok_bos_text(const struct tok *t);
const char *tok_eos_text(const struct tok *t);
const char *tok_pad_text(const struct tok *t);
uint64_t tok_context(const struct tok *t);              /* longest sequence the model was made for, in tokens; 0: not said */
/* Tokens that end a turn: eos and what generation_config.json or the GGUF names beside it. */
const uint32_t *tok_stops(const struct tok *t, size_t *n);
const char *tok_chat_template(const struct tok *t);     /* Jinja source, or NULL */

#endif
