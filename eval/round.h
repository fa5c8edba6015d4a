/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ROUND_H
#define SFT_ROUND_H
/* A round of annotation: a folder with the sheets of its raters, what came of them, and round.jsonl, which is all that is known of it.
 *
 *   DIR/round.jsonl          below
 *   DIR/sheets/RATER.csv     rater,item, what is shown, label,note; the raters fill in the last two
 *   DIR/sheets/RATER.html    the same as a page, whose export takes the place of the CSV
 *   DIR/disagreements.csv, .html   what is to be settled (gold.h), and what was
 *   DIR/gold.csv             one label for each item
 *
 * round.jsonl has one line about the round ("schema":"sft.round/1"), one for each item in the order of the input
 * ({"item":NAME,"raters":[numbers],"show":[texts]}), and one for each merge that gave other figures than the one before
 * ({"merge":{...}}). */
#include "json.h"
#include "sheetpage.h"
#include "strmap.h"

struct round_item {
	struct text name;
	struct text *show;              /* [nshow] */
	uint32_t *rater;                /* ascending */
	uint32_t nraters;
};

struct round {
	const char *title, *guidelines; /* guidelines NULL: none */
	struct text *rater;
	uint32_t nraters;
	struct sheet_choice *label;
	uint32_t nlabels;
	const char **show;              /* columns that are shown */
	uint32_t nshow;
	struct round_item *item;
	uint32_t nitems, items_cap;
	struct text *merge;             /* each merge as its JSON text, an object */
	uint32_t nmerges, merges_cap;
	struct strmap item_of, rater_of, label_of;      /* numbers by name */
	struct arena arena;             /* all texts */
};

void round_init(struct round *r);
void round_release(struct round *r);

/* "a,b" or, where SPEC begins with @, a file of lines: label, and behind tabs its key (a digit or small letter) and a hint.  SFT_USAGE. */
int round_labels(struct round *r, const char *spec, struct err *e);
/* "ann,bob": they name files.  SFT_USAGE. */
int round_raters(struct round *r, const char *list, struct err *e);
/* A new item, its show (borrowed) with room for nshow; NULL where there is one of that name. */
struct round_item *round_add_item(struct round *r, struct text name);

int round_read(struct round *r, const char *dir, struct err *e);        /* DIR/round.jsonl */
int round_parse(struct round *r, const char *text, size_t n, struct err *e);     /* its content; SFT_BADDATA, "line N: what" */
void round_format(const struct round *r, struct buf *out);

/* "DIR/NAME" in R's arena. */
const char *round_path(struct round *r, const char *dir, const char *name);
/* "sheets/RATER" and ENDING, with DIR before it. */
const char *round_sheet(struct round *r, const char *dir, uint32_t rater, const char *ending);

#endif
