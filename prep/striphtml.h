/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_STRIPHTML_H
#define SFT_STRIPHTML_H
#include <stddef.h>

/* The text of the HTML in S: tags, comments, declarations, scripts and styles taken out, character references decoded (numbers,
 * the names of HTML 4 and &apos;, with their semicolon).  A block element or <br> leaves a line break, a table cell a
 * space, unless there is one already.  What only looks like a tag ("a < b", "<3", a '<' without a '>') stays.
 * Writes at most N bytes; S is valid UTF-8, and so is what comes out.  Time O(N). */
size_t html_text(const char *s, size_t n, char *out);

#endif
