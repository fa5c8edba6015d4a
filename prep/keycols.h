/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_KEYCOLS_H
#define SFT_KEYCOLS_H
/* Lists of column names, what they stand for in records, and keys made of their values. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hash.h"
#include "mem.h"
#include "rec.h"

/* A list of words; free v with mem_free. */
struct wordlist {
	const char **v;
	size_t n, cap;
};

/* Add the parts of "a,b,c" (a comma in a name is written \,); they are copied into A. */
void wordlist_split(struct wordlist *w, const char *list, struct arena *a);
void wordlist_add(struct wordlist *w, const char *word);     /* borrowed */

#define NO_COLUMN UINT32_MAX

/* Put where R stands before the message: its file, and its line too where records name their own columns. */
int err_at(struct err *e, const struct recin *in, const struct rec *r);

/* The columns of W in NAMES, or all of them where W is empty: *N numbers into COL (room for the larger of W->n and
 * NAMES->n).  A name that is not there is an error, or NO_COLUMN where MISSING_OK.
 * ROLE (room as COL; NULL: none are known): "NAME:ROLE", where only NAME is there, is that column and a role of its messages. */
int columns_find(const struct wordlist *w, const struct names *names, bool missing_ok, uint32_t *col, const char **role, size_t *n, struct err *e);

/* Keys: the values of some columns as they are written, hashed.  One per thread. */
struct keyer {
	const struct wordlist *words;        /* none: the whole record, names and all */
	bool missing_ok;                  /* a missing column is an empty value */
	const struct names *names;        /* for which col stands */
	uint32_t *col;
	size_t n;
	uint64_t seed;                    /* of the names, for the whole record */
	struct buf text;
};
void keyer_init(struct keyer *k, const struct wordlist *w, bool missing_ok);
void keyer_release(struct keyer *k);
/* Find the columns of records with NAMES: col[0 .. n - 1].  The others do it themselves. */
int  keyer_columns(struct keyer *k, const struct names *names, struct err *e);
int  keyer_128(struct keyer *k, const struct rec *r, struct hash128 *out, struct err *e);
/* The same values as 64 bits that depend on SEED. */
int  keyer_64(struct keyer *k, const struct rec *r, uint64_t seed, uint64_t *out, struct err *e);
/* The value of the first column, borrowed from R; an empty text where it is missing. */
int  keyer_field(struct keyer *k, const struct rec *r, struct field *out, struct err *e);

#endif
