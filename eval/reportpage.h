/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_REPORTPAGE_H
#define SFT_REPORTPAGE_H
/* The page of a report as it grows: sections with their place in the contents, pictures with the table behind each, and what is
 * said at the top.  Texts are data and are escaped; classes and ids are constants of the program. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "json.h"
#include "mem.h"

struct page { /* `struct page p = {0}` is empty */
	struct buf body, contents, summary;
	bool open;         /* a section is */
	bool heads, first; /* in a table: among its heads; the next cell is its row's first */
	unsigned figures;
	char id[24]; /* of the last figure */
	struct buf tmp;
};

enum verdict { SAY_NOTE, SAY_GOOD, SAY_BAD };

void page_free(struct page *p);

/* A section with a heading and an entry in the contents; ends the one before. */
void page_section(struct page *p, const char *id, const char *heading);
void page_subheading(struct page *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void page_para(struct page *p, const char *class, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A line of the summary at the top. */
void page_say(struct page *p, enum verdict v, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* A picture: the caption now, then one svg with id p->id; what is wider than the page scrolls, with the keyboard too. */
void page_figure(struct page *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void page_figure_end(struct page *p);
/* Names of N series with their colours and marks; nothing for one. */
void page_legend(struct page *p, const char *const *name, size_t n);

/* What is folded until it is asked for. */
void page_details(struct page *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void page_details_end(struct page *p);

/* A table: its heads, then its cells row by row.  The first cell of a row is its head. */
void page_table(struct page *p, const char *caption);
void page_head(struct page *p, const char *name, bool number);
void page_row(struct page *p);
void page_cell(struct page *p, bool number, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Data: at most PAGE_CELL characters of it. */
enum { PAGE_CELL = 400 };
void page_cell_text(struct page *p, const char *text, size_t n);
void page_cell_json(struct page *p, const struct json *v); /* a string's text, other values as they are written; NULL: empty */
void page_number(struct page *p, int places, double v); /* "-" where V is no number */
void page_table_end(struct page *p);

/* Command lines: a list of lists of words, each as a shell would take it. */
void page_commands(struct page *p, const struct json *list);

/* The whole document. */
struct page_about {
	const char *title, *subtitle; /* subtitle may be NULL */
};
void page_write(const struct page *p, const struct page_about *a, struct buf *out);

/* Data within a line: isolated from the direction of what stands around it, with characters that have no picture shown by number.
 */
void page_text(struct buf *to, const char *text, size_t n);

/* Names of files may be any bytes: those of B that are no UTF-8 are replaced by U+FFFD. */
void page_mend(struct buf *b);

#endif
