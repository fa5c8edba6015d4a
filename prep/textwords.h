/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TEXTWORDS_H
#define SFT_TEXTWORDS_H
/* The words of a text: runs of letters, digits and combining marks; in scripts that put no blanks between words (Chinese,
 * Japanese, Thai...) and in Korean each character is one. */
#include <stddef.h>
#include <stdint.h>
#include "unicode.h"

struct textword {
	size_t at, n;                  /* bytes of the text */
	size_t chars;
};

/* What a thread works with; zeroed it is ready. */
struct textwords {
	struct textword *v;            /* n words, in order */
	size_t n, cap;
	uint64_t *gram;                /* of textwords_grams() */
	size_t gram_cap;
};
void textwords_release(struct textwords *w);

/* Splits TEXT (valid UTF-8) into w->v; returns how many words.  Valid until the next call. */
size_t textwords_split(struct textwords *w, const struct unicode *u, const char *text, size_t n);
/* Hashes of the runs of N words (1 or more) of the text that was split last: w->gram[i] of words i .. i + N - 1; returns how many.
 * Only the words count, not what is between them.  O(words + N). */
size_t textwords_grams(struct textwords *w, const char *text, size_t n);

#endif
