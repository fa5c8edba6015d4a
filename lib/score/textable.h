/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TEXTABLE_H
#define SFT_TEXTABLE_H
/* A table of text for people: columns as wide as their widest cell (East Asian wide characters count two), numbers to the
 * right.  Control characters of data are shown as \xNN, so that none reaches a terminal. */
#include <stdbool.h>
#include <stddef.h>
#include "mem.h"

struct textable {                       /* `struct textable t = {0}` is empty */
	struct buf text;                /* the cells, one after the other */
	size_t *end, ncells, cells_cap; /* cell k is text.p[end[k-1]..end[k]) */
	size_t ncols;
	bool right[32];
};

void textable_head(struct textable *t, const char *name, bool right);  /* all columns first, at most 32 */
void textable_cell(struct textable *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void textable_clip(struct textable *t, const char *s, size_t chars);   /* a text's beginning; line breaks are blanks */
void textable_number(struct textable *t, const char *fmt, double v);   /* "-" for NaN */
void textable_row(struct textable *t);                                 /* ends a row: cells not given are empty */
void textable_print(const struct textable *t, struct buf *out);
void textable_free(struct textable *t);

#endif
