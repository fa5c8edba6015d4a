/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SHEETPAGE_H
#define SFT_SHEETPAGE_H
/* A sheet as one offline page: people label, vote or settle rows by keyboard, and export CSV (eval/pages/sheet.html, .css, .js).
 *
 * The CSV has the columns WHO_COLUMN (unless NULL), ID_COLUMN, ANSWER_COLUMN and note, a line for each row in the order of the
 * sheet, empty where there is no answer. */
#include "json.h"
#include "words.h"

struct sheet_choice {
	struct text label;
	struct text hint;               /* under it; n 0: none */
	char key;                       /* 0: none */
};

struct sheet {
	const char *title;
	const char *guidelines;         /* shown above; NULL: none */
	const char *who;                /* who answers; NULL: the page asks, where there is a WHO_COLUMN */
	const char *file;               /* name of the export, without .csv; NULL: who answers */
	const char *who_column, *id_column, *answer_column;
	const struct sheet_choice *choice;
	size_t nchoices;
	size_t rows;
	/* Row I as an object: "id"; "parts" and, to stand side by side, "sides", lists of [name, text]; where there is an answer already,
	 * "label" and "note". */
	void (*row)(void *ctx, size_t i, struct jw *w);
	void *ctx;
};

/* Keys for choices that have none: 1 to 9, 0, then a to z, in order; those beyond have none and are found by name. */
void sheet_keys(struct sheet_choice *choice, size_t n);

/* The page, appended to OUT.  It depends on the sheet alone; so does the name under which a browser keeps its answers. */
void sheet_page(const struct sheet *s, struct buf *out);

/* [NAME, TEXT], for rows. */
void sheet_part(struct jw *w, const char *name, struct text text);

#endif
