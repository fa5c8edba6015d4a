/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_RATINGREAD_H
#define SFT_RATINGREAD_H
/* Ratings from records: long (one a record), wide (one item a record, one rater a column), or what other tools export. */
#include "ratingtable.h"
#include "rec.h"

enum rating_source { RATINGS_TABLE, RATINGS_LABEL_STUDIO, RATINGS_DOCCANO };

struct rating_opts {
	enum rating_source source;
	const char *item, *rater, *label;        /* long: columns; without a rater column ratings are anonymous.  Exports: see below */
	const char *raters;                      /* wide: the columns that are raters */
};

/* All ratings of IN into R; empty cells and null are no rating.  rating_finish() is the caller's, with IN still open.
 *
 * Label Studio: a task is an item, named by its id, or by ITEM of its data; who completed an annotation is the rater (e-mail, else id);
 * the label is the one choice (a rating or a number, too) of the control called LABEL, which may be left out where there is one.
 * Annotations that were cancelled (skipped), drafts and predictions are no ratings.
 * doccano: a record is an item, named by ITEM (NULL: id, or doc_id); the rater is the column RATER or username, else the file's name
 * without ending, as an export of each member's own labels has them; the label is the one in the list LABEL (NULL: label, labels, cats).
 *
 * SFT_USAGE for options that do not go together, SFT_BADDATA with FILE:LINE: also where something has several labels, or spans. */
int ratings_read(struct rating_table *r, struct recin *in, const struct rating_opts *o, struct err *e);
bool ratings_anonymous(const struct rating_opts *o);     /* nobody will know who rated */

#endif
