/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_XFORM_H
#define SFT_XFORM_H
/* Rewriting a stretch of text character by character, keeping track of what each byte stands for.
 *
 * Every character put out says what it does to the source, as the reference has it: CHANGE 0 takes the place of the next
 * character, -N that of the next one and removes the N behind it, > 0 is new and stands for what the byte before the current
 * place stands for. */
#include "tokimpl.h"

struct xform {
	struct arena *arena;
	const struct piece *src;
	size_t at;                  /* bytes of the source that are used up */
	bool track;
	char *p;                    /* what has been put out */
	uint32_t *from, *to;
	size_t n, cap;
};

void xform_begin(struct xform *x, struct tok_scratch *s, const struct piece *src);
void xform_put(struct xform *x, uint32_t c, int64_t change);
void xform_copy(struct xform *x, size_t n);         /* the next N bytes (whole characters) as they are */
void xform_skip(struct xform *x, size_t n);         /* the next N bytes are gone */
void xform_end(struct xform *x, struct piece *out); /* OUT may be the source */

/* uninorm.c: the normal forms. */
enum norm_form { FORM_NFC, FORM_NFD, FORM_NFKC, FORM_NFKD };
void uninorm(struct xform *x, enum norm_form form);
bool uninorm_same(const char *p, size_t n);         /* NFC leaves it as it is: a quick look, may say no where it is so */

#endif
