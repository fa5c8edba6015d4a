/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_CSVLINE_H
#define SFT_CSVLINE_H
/* Figures as CSV, for spreadsheets: cell by cell, RFC 4180 with LF; numbers as short as they read back the same. */
#include "mem.h"
#include "words.h"

struct csvline {                        /* `struct csvline c = { &out, false }` */
	struct buf *to;
	bool begun;                     /* the line has a cell */
};

void csv_text(struct csvline *c, const char *s, size_t n);
void csv_str(struct csvline *c, const char *s);         /* NULL: an empty cell */
void csv_uint(struct csvline *c, uint64_t v);
void csv_real(struct csvline *c, double v);             /* NaN: an empty cell */
void csv_end(struct csvline *c);
/* A whole line of N names: the header. */
void csv_head(struct csvline *c, const char *const *name, size_t n);

#endif
