/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TEXTDIFF_H
#define SFT_TEXTDIFF_H
/* Where two texts differ, word by word or character by character: what does not belong to one longest common subsequence.
 * Words are runs of letters, marks and digits; white space runs and other characters stand by themselves, and so does each
 * character of a script that writes no blanks between words (Han, kana, Thai, Lao, Khmer, Burmese). */
#include <stdbool.h>
#include <stddef.h>
#include "mem.h"
#include "words.h"

struct diff_span {
	struct text text; /* borrowed from the text given */
	bool same;        /* stands in the other text too */
};

struct diff_side { /* a text in spans, alternately same and not; valid until the next textdiff() */
	struct diff_span *span;
	size_t n, cap;
};

struct textdiff;
struct textdiff *textdiff_new(bool by_char);
void textdiff_free(struct textdiff *d); /* NULL is fine */

/* Valid UTF-8.  Time and memory grow with the product of the tokens of both, 64 at a time: callers clip. */
void textdiff(struct textdiff *d, struct text a, struct text b, const struct diff_side **of_a, const struct diff_side **of_b);

#endif
