/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_STRIPHTML_H
#define SFT_STRIPHTML_H
#include <stddef.h>

/* Room for what striphtml() makes of N bytes: a name of five bytes may stand for six. */
#define STRIPHTML_ROOM(n) ((n) + (n) / 4 + 16)

/* The text of the HTML in S: tags, comments, declarations, scripts and styles taken out, character references decoded as Python's
 * html.unescape() does: all names of the HTML standard, the longest that fits, those of old without their semicolon too; numbers
 * of controls and noncharacters stand for nothing, those beyond Unicode for U+FFFD.  A block element or <br> leaves a line break, a
 * table cell a space, unless there is one already.  What only looks like a tag ("a < b", "<3", a '<' without a '>') stays.
 * Writes at most STRIPHTML_ROOM(n) bytes; S is valid UTF-8, and so is what comes out.  Time O(N). */
size_t striphtml(const char *s, size_t n, char *out);

#endif
