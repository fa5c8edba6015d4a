/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_RATINGTABLE_H
#define SFT_RATINGTABLE_H
/* Ratings from records, long (one a record) or wide (one item a record, one rater a column). */
#include "agree.h"
#include "rec.h"
#include "strmap.h"
#include "words.h"

enum repeat_rule { REPEAT_ERROR, REPEAT_FIRST, REPEAT_LAST };

struct rating_opts {
	const char *item, *rater, *label;        /* long: columns; without a rater column ratings are anonymous */
	const char *raters;                      /* wide: the columns that are raters */
	enum repeat_rule repeat;                 /* a second rating of an item by the same rater */
	const struct text *categories;           /* the only ones there are, in order; NULL: those that occur */
	size_t ncategories;
};

struct rating_table {
	struct ratings t;
	struct strmap item, rater;              /* names, in order of appearance */
	struct text *category;                  /* t.ncat names, in order */
	double *value;
	uint64_t repeats;                       /* second ratings, by the rule */
	bool merged;                            /* categories such as 1 and 1.0 count as one */
	struct strmap label;                    /* owns the category names */
};

/* Empty cells and null are no rating.  SFT_USAGE for options that do not go together, SFT_BADDATA with FILE:LINE. */
int  rating_table_read(struct rating_table *r, struct recin *in, const struct rating_opts *o, struct err *e);
void rating_table_free(struct rating_table *r);

#endif
