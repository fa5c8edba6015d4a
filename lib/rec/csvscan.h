/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_CSVSCAN_H
#define SFT_CSVSCAN_H
/* The CSV scanner: one row of a text in memory, cut into cells in place.  It allocates nothing and copies nothing.
 *
 * The rules (man page sft-rec(5)): a cell that begins with the quote runs to the closing quote, a doubled quote
 * inside is one quote; a quote elsewhere is data; text behind a closing quote belongs to the cell, as Python and pandas
 * have it; ESCAPE makes the next character data, in quotes and outside; CR, LF and CRLF end a row. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rec.h"

/* The first byte of SET in [S, END), else END. */
typedef const char *csv_find(const char *s, const char *end, const char set[4]);
/* The fastest for long cells on the machine that runs; NULL: what csv_scan() has itself. */
csv_find *csv_find_best(void);

struct csv_dialect {
	char delimiter;
	int quote, escape;          /* a byte, or -1: none */
	csv_find *far;              /* for all but the first bytes of a cell; may be NULL */
};

/* Bytes behind the text that must be readable: the scanner looks at 16 at a time. */
enum { CSV_PAD = 16 };

enum csv_result {
	CSV_ROW,                    /* a row, cells in place */
	CSV_MORE,                   /* the text ends inside the row and is not all: come again with more */
	CSV_UNCLOSED                /* the text is all there is, and a quote is still open */
};

/* Where the scan of a row stopped whose text ended: its last cell is gone on with there, so that a long row is scanned once. */
struct csv_part {
	const char *text;           /* the row's, at that time; NULL: it begins */
	size_t cell, at, lines;     /* offsets of the cell and of where to go on; line ends in the cell before that */
	int kind;
};

struct csv_row {
	struct field *cell;         /* caller's array; cells from MAX on are counted only */
	uint32_t max, n;            /* n: cells found */
	size_t   bytes;             /* of the row, its line end included */
	size_t   lines;             /* line ends inside cells */
	bool     escaped;           /* some cell must go through csv_unescape() */
	bool     blank;             /* one cell, not quoted, nothing but blanks in it */
	struct csv_part part;       /* after CSV_MORE; zeroed for a new row */
};

/* Scan the row that begins at TEXT; N bytes are there, ALL says that no more come.  Cells point into TEXT.
 * N is at least 1.  After CSV_MORE, ROW is given again with more of the same text, which may lie elsewhere now. */
enum csv_result csv_scan(const struct csv_dialect *d, const char *text, size_t n, bool all, struct csv_row *row);

/* Take quotes and escapes out of the cells of a row that csv_scan() marked as escaped.  The cells' bytes must be writable. */
void csv_unescape(const struct csv_dialect *d, struct csv_row *row);

/* Lines that end in TEXT: LF, CRLF, and CR alone. */
size_t csv_count_lines(const char *text, size_t n);

#endif
