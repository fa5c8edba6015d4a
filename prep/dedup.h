/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_DEDUP_H
#define SFT_DEDUP_H
/* Exact duplicates: records with the same values in some columns (or in all of them).
 *
 * Keeping the first needs one pass and a table of 12-byte hashes.  Keeping the last or the longest needs two: the records
 * go to a scratch file, and per key the number of its record so far is kept (and its length), 16 bytes more.
 * Where the table would outgrow the memory allowed, its keys go to a file to be sorted, as do those of all records that follow,
 * and these are written in a second pass (keyfate.h).  The output is the same, and its order is that of the input. */
#include <stdbool.h>
#include <stdint.h>
#include "err.h"
#include "gramset.h"
#include "keycols.h"
#include "keyfate.h"
#include "keyset.h"
#include "neardup.h"
#include "rec.h"
#include "scratch.h"

enum { DEDUP_BATCH = 2048 };

struct dedup {
	struct wordlist key;                 /* columns; none: the whole record */
	enum dedup_keep keep;
	uint64_t memory;                  /* bytes for the tables of keys */
	const char *scratch_dir;

	struct keyset against;            /* keys of the records to keep out */
	struct gramset grams;             /* n-grams of their key columns */
	struct keyset seen;
	struct keyfate *sorted;           /* NULL: the tables have not outgrown the memory */
	struct hash128 before;            /* key of the record before */
	uint64_t read, neighbours;        /* neighbours: the same key as the record before */
	uint64_t fate[FATES];             /* how many records met each */
};

/* NGRAM: words of the n-grams that no kept record may share with one to keep out; 0: whole keys alone count. */
void dedup_init(struct dedup *d, enum dedup_keep keep, size_t ngram, uint64_t memory, const char *scratch_dir);
void dedup_release(struct dedup *d);
/* Keys (and n-grams) of the records of FILE: what has one of them is dropped. */
int  dedup_against(struct dedup *d, const char *file, const struct rec_opts *o, const struct tool *t, struct err *e);
/* Reads IN to its end; the same bytes for every number of threads. */
int  dedup_run(struct dedup *d, struct recin *in, struct recout *out, const struct rec_opts *o, const struct tool *t, struct err *e);
/* More than half dropped, most of them beside a record of the same key: turns of dialogues rather than duplicates. */
bool dedup_looks_like_turns(const struct dedup *d);

/* --- for all kinds of duplicates --- */

/* FILE of --against, opened as the input's options have it, but for format and rejects. */
int  dedup_open_against(struct recin **in, const char *file, const struct rec_opts *o, const struct tool *t, struct err *e);
/* The n-grams of R's key columns into G; whether they share one with G (after keyer_128() of K on R). */
int  dedup_add_grams(struct gramset *g, struct gramscan *w, struct keyer *k, const struct rec *r, struct err *e);
bool dedup_shares_gram(const struct gramset *g, struct gramscan *w, const struct keyer *k, const struct rec *r);
/* Characters of all fields of R: what --keep longest goes by. */
uint64_t dedup_chars(const struct rec *r);

#endif
