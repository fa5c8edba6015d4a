/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_RATINGTABLE_H
#define SFT_RATINGTABLE_H
/* Ratings by name, gathered one by one, and what becomes of them: struct ratings with the names beside it.
 *
 *     rating_table_init(&r);
 *     for each rating: rating_add(&r, rating_item(&r, ...), rating_rater(&r, ...), label, file, line);
 *     rating_finish(&r, &rule, e);        then r.t and the names
 *     rating_table_free(&r);
 *
 * or, of a wide table, rating_row() for each item.
 *
 * Memory: of wide tables 4 bytes an item and about 30 a rating of each different row; else about 16 bytes a rating where they come item by
 * item in the order of raters, and 32 where not; and the names. */
#include "agree.h"
#include "err.h"
#include "strmap.h"
#include "words.h"

enum repeat_rule { REPEAT_ERROR, REPEAT_FIRST, REPEAT_LAST };

struct rating_rule {
	enum repeat_rule repeat;                 /* a second rating of an item by the same rater */
	const struct text *categories;           /* the only ones there are, in order; NULL: those that occur */
	size_t ncategories;
	bool anonymous;                          /* nobody knows who rated: raters given are not read */
};

struct rating_entry;
struct rating_run;

struct rating_place {                           /* where a label stands first */
	const char *file;
	uint64_t line;
};

struct rating_table {
	struct ratings t;                       /* of wide tables without start and r until rating_expand() */
	struct kinds kinds;                     /* of wide tables; else without items */
	struct strmap item, rater;              /* names, in order of appearance; item is empty where items have numbers only */
	struct text *category;                  /* t.ncat names, in order */
	double *value;
	uint32_t *place;                        /* of t.r[k] among all ratings as they were read; NULL: k */
	uint64_t repeats;                       /* second ratings, by the rule */
	bool merged;                            /* categories such as 1 and 1.0 count as one */
	struct strmap label;                    /* owns the category names */
	struct rating_place *first;             /* of each label */
	size_t first_cap;

	struct rating_entry *v;                 /* until rating_finish() */
	size_t n, cap;                          /* ratings that were read */
	bool unsorted;                          /* ratings did not come item by item, each in the order of raters */
	uint32_t items;
	uint32_t memo[64];                      /* labels seen lately, by a poor hash: label + 1 */
	struct rating_memo *rows;               /* short rows seen lately, and their kinds */
	struct rating_run *run;                 /* entries of one file */
	size_t nruns, runs_cap;
};

void rating_table_init(struct rating_table *r);
void rating_table_free(struct rating_table *r);

/* The number of an item (a rater) of that name, a new one if need be.  Names of raters are text. */
uint32_t rating_item(struct rating_table *r, struct text name);
uint32_t rating_rater(struct rating_table *r, struct text name);
/* A new item that has no name but its number, from 0; not together with rating_item(). */
uint32_t rating_next_item(struct rating_table *r);
/* FILE (borrowed until rating_finish()) and LINE are for messages. */
void rating_add(struct rating_table *r, uint32_t item, uint32_t rater, struct text label, const char *file, uint64_t line);

/* A row of a wide table, the next item: N labels (rating_label()) by raters in their order, as cat.  Not together with rating_add(). */
uint32_t rating_label(struct rating_table *r, struct text label, const char *file, uint64_t line);
void rating_row(struct rating_table *r, const struct rating *row, size_t n);

/* SFT_BADDATA: no ratings; fewer than two raters; with FILE:LINE a label that is no category, a second rating where the rule says error. */
int rating_finish(struct rating_table *r, const struct rating_rule *o, struct err *e);

/* After it: t.start and t.r of a wide table, for who looks at single ratings. */
void rating_expand(struct rating_table *r);

/* Name of item I; TMP holds it where it is a number. */
struct text rating_item_name(const struct rating_table *r, uint32_t i, char tmp[24]);
/* Name of rater I; "r1", "r2"... in TMP where nobody knows. */
struct text rating_rater_name(const struct rating_table *r, uint32_t i, char tmp[24]);

#endif
