/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_UNIMAP_H
#define SFT_UNIMAP_H
/* Inside lib/text: the loops over ASCII text, for the machine that runs. */
#include <stddef.h>

/* The ASCII bytes that S begins with, written to OUT, which has room for 64 bytes more than come out; *PUT bytes.
 * Returns how many bytes of S that was: N, or the place of the first byte that is not ASCII. */
typedef size_t unimap_ascii(const char *s, size_t n, char *out, size_t *put);

unimap_ascii unimap_lower_plain, unimap_keep_plain;       /* keep: word and space characters */
unimap_ascii unimap_lower_avx512, unimap_keep_avx512;     /* need AVX-512 BW and VBMI2 */

#endif
