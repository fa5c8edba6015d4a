/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_WORDBREAK_H
#define SFT_WORDBREAK_H
/* Words as Unicode cuts them (UAX 29), those of Chinese, Japanese, Thai, Lao, Khmer and Burmese by ICU's dictionaries.
 * wordbreak.c is the door to ICU's break iterators; nothing else includes them. */
#include <stddef.h>
#include "err.h"

struct wordspan {
	size_t at, n;          /* bytes of the text */
};

struct wordbreak;              /* for one thread */

/* SFT_SYSTEM where ICU has no data for it. */
int  wordbreak_open(struct wordbreak **out, struct err *e);
void wordbreak_close(struct wordbreak *b);              /* NULL is fine */

/* The words of TEXT (valid UTF-8, under 2 GiB): what holds a letter, a digit, kana or an ideograph; blanks and punctuation are none.
 * *V, *COUNT of them, in order, valid until the next call. */
int  wordbreak_words(struct wordbreak *b, const char *text, size_t n, const struct wordspan **v, size_t *count, struct err *e);

#endif
