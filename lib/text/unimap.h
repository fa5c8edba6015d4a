/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_UNIMAP_H
#define SFT_UNIMAP_H
/* Inside lib/text: unicode_lower() and unicode_keep() for the machine that runs.  All write the same; the plain ones are the definition. */
#include "unicode.h"

size_t unimap_lower_plain(const struct unicode *u, const char *s, size_t n, char *out);
size_t unimap_keep_plain(const struct unicode *u, unsigned classes, const char *s, size_t n, char *out);

/* Need AVX-512 BW, VL, VBMI and VBMI2; CLASSES must have UNI_WORD and UNI_SPACE. */
size_t unimap_lower_avx512(const struct unicode *u, const char *s, size_t n, char *out);
size_t unimap_keep_avx512(const struct unicode *u, unsigned classes, const char *s, size_t n, char *out);

/* C, which stands at AT in TEXT..END and is not its own lower case, lowered and written to OUT; the bytes written. */
size_t unimap_lower_rare(const struct unicode *u, uint32_t c, const char *text, const char *at, const char *end, char *out);

#endif
