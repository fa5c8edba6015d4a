/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TUNEDB_H
#define SFT_TUNEDB_H
/* The results of a search as an SQLite file, for queries.  tunedb.c is the door to SQLite; nothing else includes it.
 *
 *     trials (trial, value, failed, rung, steps, tokens, trained_tokens, seconds, folder)    the furthest rung of each
 *     choices (trial, name, value)
 *     rungs (trial, rung, value, quality, diversity, failed, steps, tokens, trained_tokens, seconds)
 *
 * It is an index: all of it stands in the folders of the trials too, and it is made anew from them whenever a search is opened. */
#include "tunetrial.h"

struct tunedb;

/* A new file PATH, empty, in place of one that may be there. */
int  tunedb_open(struct tunedb **db, const char *path, struct err *e);
/* T as it is now.  Durable with tunedb_keep(), and with tunedb_close(). */
int  tunedb_put(struct tunedb *db, struct tune_space *s, const struct trial *t, struct err *e);
int  tunedb_keep(struct tunedb *db, struct err *e);
int  tunedb_close(struct tunedb *db, struct err *e);     /* NULL is fine */

#endif
