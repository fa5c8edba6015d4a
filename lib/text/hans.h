/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_HANS_H
#define SFT_HANS_H
/* Traditional Chinese to Simplified, with phrases and regional words.  hans.c is the door to OpenCC; nothing else includes it.
 *
 * What becomes of a text depends on the characters in it that are traditional alone and simplified alone (each by what OpenCC makes of
 * it by itself):
 *   none is traditional            nothing: it is simplified, or the same in both;
 *   at least as many traditional   Taiwan's words and characters (tw2sp), then Hong Kong's characters (hk2s);
 *   more simplified                characters and phrases alone (t2s).
 * In all of them one character of OpenCC's that the mainland does not write is put right (hans.c).
 * The distinction is needed because tw2sp takes simplified text for traditional where characters serve both: it makes U+5E7A of the
 * U+4E48 that every simplified text is full of, and words of its own of the mainland's. */
#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "mem.h"

struct hans;

/* Loads OpenCC's tables (tens of milliseconds, some megabytes).  SFT_SYSTEM where they cannot be read. */
int  hans_open(struct hans **out, struct err *e);
void hans_close(struct hans *h);                  /* NULL is fine */

/* The N bytes at S (valid UTF-8) as simplified Chinese, appended to OUT; *CHANGED false and nothing appended where that is what they
 * are.  Threads may share H.  SFT_SYSTEM where OpenCC fails. */
int hans_simplify(const struct hans *h, const char *s, size_t n, struct buf *out, bool *changed, struct err *e);

#endif
