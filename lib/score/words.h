/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_WORDS_H
#define SFT_WORDS_H
/* Text to words, exactly as the reference implementations split it.
 *
 * sacreBLEU's regular-expression passes consume neighbouring characters; words_bleu() gives the words that they give,
 * in one pass (the reasoning stands in words.c).  All text is valid UTF-8. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "mem.h"

struct wordbreak;

struct text {
	const char *p;          /* UTF-8, not NUL-terminated */
	size_t n;
};

/* Scratch, reused from text to text: `struct words w = {0}`.  The words borrow from the text given or from the buffers
 * here, and are valid until the next words_*() call on the same struct. */
struct words {
	struct text *w;
	size_t n, cap;
	const char *end;                /* from any word to here bytes may be read */
	struct buf low, clean;
	struct wordbreak *breaks;       /* of words_icu() */
};

enum bleu_tokenizer { BLEU_13A, BLEU_ZH, BLEU_CHAR, BLEU_INTL, BLEU_NONE };
enum rouge_tokenizer { ROUGE_DEFAULT, ROUGE_CHAR, ROUGE_CJK, ROUGE_ICU };

/* The words of sacrebleu.BLEU: lower-cased if asked, right-stripped, tokenised, split at white space. */
void words_bleu(struct words *w, enum bleu_tokenizer tok, bool lowercase, struct text t);
/* The tokens of rouge_score (golden README, "rouge"), or the words_icu() of the lower-cased text; STEM is for the default tokenizer
 * only.  Fails as words_icu(). */
int  words_rouge(struct words *w, enum rouge_tokenizer tok, bool stem, struct text t, struct err *e);
/* The words that wordbreak.h cuts: SFT_SYSTEM without ICU's data, SFT_BADDATA for a text of 2 GiB. */
int  words_icu(struct words *w, struct text t, struct err *e);
/* Tercom's words, as sacrebleu.TER cuts them; all off: lower-cased and split at white space. */
struct ter_words {
	bool normalized, no_punct, asian_support, case_sensitive;
};
void words_ter(struct words *w, const struct ter_words *o, struct text t);
/* str.split() of Python: runs of what is not Unicode white space. */
void words_split(struct words *w, struct text t);
void words_free(struct words *w);

/* str.lower() of Python into TO (emptied first); ASCII text costs one pass. */
void text_lower(struct buf *to, struct text t);
/* Without white space at the end, at both ends (str.rstrip, str.strip). */
struct text text_rstrip(struct text t);
struct text text_strip(struct text t);
/* The code point at T[*at], which moves on; U+FFFD, one byte, for what is no UTF-8. */
uint32_t text_next(struct text t, size_t *at);
bool text_is_space(uint32_t cp);         /* str.isspace of Python for one code point */
bool text_equal(struct text a, struct text b);

#endif
