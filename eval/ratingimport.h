/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_RATINGIMPORT_H
#define SFT_RATINGIMPORT_H
/* Ratings in the exports of Label Studio (JSON, "annotations" within tasks) and doccano (JSONL); the rules are those of ratings_read(). */
#include "ratingread.h"

struct rating_import;

struct rating_import *rating_import_new(struct rating_table *r, const struct rating_opts *o);
void rating_import_free(struct rating_import *m);       /* NULL is fine */
/* All ratings in one record.  SFT_BADDATA, without FILE:LINE. */
int rating_import_record(struct rating_import *m, const struct rec *rec, struct err *e);

#endif
