/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_CHARSMAP_H
#define SFT_CHARSMAP_H
#include "tokimpl.h"

/* What replaces the N bytes of TEXT (the replacement of its shortest prefix that has one): *NOUT bytes, borrowed; NULL: nothing
 * does.  The bytes come from a file and may be no UTF-8. */
const char *charsmap_find(const struct charsmap *m, const char *text, size_t n, size_t *nout);

/* grapheme.c: end of the extended grapheme cluster that begins at P (Unicode Standard Annex 29). */
const char *grapheme_end(const char *p, const char *end);

#endif
