/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_NEARTERMS_H
#define SFT_NEARTERMS_H
/* Misspelt terms: one character off a long term, or characters that look (or sound) like the right ones.
 *
 * A term one edit off has one of its halves intact; the halves of all long terms are found in one pass and the rest is
 * compared there.  Look-alikes are found as terms are, in texts whose look-alikes are made one. */
#include "termset.h"

struct nearterms;

/* LETTERS: terms of so many letters or more are looked for one edit off (0: none), up to 64 characters; a letter of a script without blanks
 * counts as two.  ALIKE: a dictionary of single characters, "char <tab> look-alike|...", or NULL.  S is borrowed.
 * SFT_BADDATA where ALIKE holds more than single characters, or such beyond U+FFFF. */
int  nearterms_new(struct nearterms **out, const struct termset *s, uint32_t letters, const struct termset *alike, struct err *e);
void nearterms_free(struct nearterms *n);                /* NULL is fine */

struct nearhit {
	size_t at, n;                  /* bytes of the text */
	uint32_t term;
	bool alike;
};

/* What a thread works with; zeroed it is ready. */
struct nearscan {
	struct nearhit *hit;
	size_t nhits, cap;
};
void nearscan_release(struct nearscan *w);

/* The misspelt terms of a text that termset_scan() went through last, with SCAN: in order, not overlapping.  None is
 * reported inside of a term or variant that was found, across one that is as long, or (one edit off) where terms that were
 * found make it up but for one character.  w->hit[0 .. result - 1] until the next call.
 * Digits are never taken for misspelt: 1 and 2 are different things. */
size_t nearterms_find(const struct nearterms *n, struct nearscan *w, const struct termscan *scan);

#endif
