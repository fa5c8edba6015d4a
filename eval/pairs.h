/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_PAIRS_H
#define SFT_PAIRS_H
/* Answers and their references, item by item: from records (predictions, label tables) or from parallel plain files. */
#include <stdbool.h>
#include <stdint.h>
#include "evalopts.h"

struct item {
	struct text hyp;
	const struct text *ref;         
	size_t nref;                    /* 0 only where nothing looks at references */
	struct text id;                 /* p NULL: the item has none */
	struct text group;              /* of --by; p NULL: none was asked for, or the record lacks the column */
	struct text class;              /* of --class; empty without */
	const struct choice_score *score;       /* column scores, where o->m.scores */
	size_t nscores;
	const struct rec *rec;          /* all of it; NULL for plain lines */
	uint64_t num;                   /* from 0 */
	uint64_t line;
	const char *file;
};

struct pairs;

/* FILES as one stream of records.  BY (may be NULL): the column of item.group. */
int  pairs_records(struct pairs **p, const char *const *files, size_t n, const struct eval_opts *o, const char *by,
                   const struct tool *t, struct err *e);
/* Plain lines: line i of every reference file belongs to line i of HYP. */
int  pairs_lines(struct pairs **p, const char *hyp, const struct opt_list *refs, struct err *e);

/* The next item, borrowed until the next call; *MORE false at the end.  SFT_BADDATA with FILE:LINE for a record without
 * answer or reference and for files of unequal length. */
int  pairs_next(struct pairs *p, struct item *it, bool *more, struct err *e);
bool pairs_table(const struct pairs *p);        /* a label table (CSV, TSV) */
/* Up to MAX items with all that they point to, but file, in A: they live until the caller resets it; fewer where texts are long.  *N = 0 at
 * the end.  Not together with pairs_next(). */
int  pairs_batch(struct pairs *p, struct arena *a, struct item *out, size_t max, size_t *n, struct err *e);
/* Ends reading; writes --stats, where it was asked for. */
int  pairs_close(struct pairs *p, const struct tool *t, struct err *e);
void pairs_abandon(struct pairs *p);            /* after an error; NULL is fine */

#endif
