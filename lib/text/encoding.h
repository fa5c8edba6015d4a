/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ENCODING_H
#define SFT_ENCODING_H
/* Character encodings: which one a text has, and conversion to UTF-8.  encoding.c is the door to ICU's converters and
 * detector. */
#include <stdbool.h>
#include <stddef.h>
#include "err.h"
#include "mem.h"

/* Detect the encoding of a text from its first N bytes (ALL: there are no more), as the man page sft-rec(5) says:
 * a BOM; zero bytes (UTF-16); UTF-8 where at least 90% of the sequences that are not ASCII are valid; then the best
 * of GB18030, Big5, Shift_JIS and EUC-KR; else windows-1252.  A constant string. */
const char *encoding_detect(const char *text, size_t n, bool all);

/* The length of the valid UTF-8 at the beginning of TEXT. */
size_t utf8_prefix(const char *text, size_t n);

/* Length of the UTF-8 sequence that begins at TEXT, or 0 if none does.  N >= 1. */
size_t utf8_length(const char *text, size_t n);

/* --- conversion --- */

/* What stands in the output for bytes that cannot be decoded: never part of UTF-8, so that a check of the output finds it. */
#define ENCODING_BAD '\xff'

struct decoder;

/* NAME as ICU knows it.  *D is NULL, and the status 0, where NAME is UTF-8 or ASCII and nothing needs converting.
 * SFT_USAGE for a name that ICU does not know. */
int  decoder_open(struct decoder **d, const char *name, struct err *e);
/* Append the UTF-8 of N more bytes to OUT; LAST: no more come.  A character that is cut at the end waits for the next call. */
void decoder_add(struct decoder *d, const char *text, size_t n, bool last, struct buf *out);
void decoder_close(struct decoder *d);      /* NULL is fine */

#endif
