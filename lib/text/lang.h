/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_LANG_H
#define SFT_LANG_H
/* Which language a text is in.
 *
 * The script that most of it is written in decides, where one language alone writes it (a few that share one: the commonest).  Han is
 * Japanese with kana, Korean with Hangul, Cantonese by characters that it alone uses against those of Mandarin, else Chinese.  In Latin,
 * Cyrillic, Arabic and Devanagari it is the likeliest of those that langtab.c knows, by words, triples and pairs of characters taken as
 * independent (naive Bayes), from the first LANG_ENOUGH letters. */
#include <stdbool.h>
#include <stddef.h>

#include "mem.h"
#include "unicode.h"

enum { LANG_ENOUGH = 4096, LANG_MAX = 128 };

/* Not known: a text without letters. */
#define LANG_UNKNOWN 0

struct lang;

/* U is borrowed.  Opening takes some milliseconds; threads may share it. */
struct lang *lang_open(const struct unicode *u);
void lang_close(struct lang *l);                       /* NULL is fine */

/* All of them: numbers below lang_count(), ISO 639 codes ("en", "yue"); LANG_UNKNOWN is "und". */
int lang_count(const struct lang *l);
const char *lang_code(const struct lang *l, int language);
/* The number of CODE, or -1. */
int lang_find(const struct lang *l, const char *code);

/* What a thread works with; zeroed it is ready. */
struct langwork {
	uint64_t letters[64];          /* by script; an ideograph, about a word, for 4, a syllable for 2 */
	int score[64];                 /* by language of langtab.c */
	unsigned scored;
	int cantonese, mandarin;
	struct buf low;
};
void langwork_release(struct langwork *w);

/* One text in several pieces: begin, add each (valid UTF-8), then the answer. */
void lang_begin(struct langwork *w);
void lang_add(const struct lang *l, struct langwork *w, const char *s, size_t n);
int  lang_end(const struct lang *l, const struct langwork *w);

#endif
