/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_NEARDUP_H
#define SFT_NEARDUP_H
/* Groups of records that are the same: by a key, or by texts whose shingle sets have a Jaccard similarity of at least a threshold.
 *
 * Candidates come from MinHash signatures (nearband.h) and are then compared by their real similarity: a pair is never wrong,
 * and at the threshold at most 2 in 1000 are missed.
 *
 * A record takes 128 bytes for its signature, 40 for its entry and 24 for each of text and key while equal ones are looked for;
 * what outgrows the memory allowed is in files without a name, as the texts are.  5 bytes of each record stay in memory whatever
 * is allowed, 9 with neardup_choose() for the last and 13 for the longest.  Nothing that comes out depends on the memory. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "extsort.h"
#include "hash.h"
#include "minhash.h"
#include "scratch.h"

enum dedup_keep { KEEP_FIRST, KEEP_LAST, KEEP_LONGEST };

struct neardup_how {
	bool texts, keys;              /* what makes records the same: one or both */
	struct shingling shingles;
	double threshold;
};

/* Is a record kept out, and why?  The one that is named first prevails. */
enum neardup_out { NEARDUP_IN, NEARDUP_KEY, NEARDUP_GRAM, NEARDUP_SIMILAR };

struct neardup_item {
	const char *text;              /* lower case, blanks joined (how.texts), and its signature */
	size_t n;
	const uint8_t *sig;
	struct hash128 key;            /* how.keys */
	const char *id;                /* what it is called; may be empty */
	size_t nid;
	uint32_t chars;                /* of all its fields */
	enum neardup_out out;          /* for a reason of the caller's */
};

/* Told of every pair at or over the threshold, A < B, in no order but always the same one.  Nonzero ends the search. */
typedef int neardup_pair(void *ctx, uint32_t a, uint32_t b, double jaccard, struct err *e);

/* What becomes of a record. */
enum neardup_fate { FATE_KEPT, FATE_DUPLICATE, FATE_NEAR, FATE_AGAINST, FATE_GRAM, FATE_NEAR_AGAINST, FATES };

struct neardup {
	struct neardup_how how;
	uint64_t memory;
	const char *dir;
	uint32_t n, cap;
	uint32_t *parent;              /* union-find; the root of a group is its first record */
	uint8_t *state;                /* enum neardup_out, and the flags of neardup.c */
	uint32_t against;              /* the first so many are those to compare with */
	struct scratch *sig, *entry, *texts;
	struct extsort *same_text, *same_key;
	uint32_t *stays;               /* neardup_choose(): of each group, by its root; NULL: the root */
	struct { uint64_t *h; size_t n, cap; } one, other;   /* shingle sets of the pair being looked at */
	uint32_t loaded;               /* which record's text is in one; UINT32_MAX: none */
	char *buf;
	size_t room;
	uint8_t sig_room[MINHASH_N];
};

void neardup_init(struct neardup *d, const struct neardup_how *how, uint64_t memory, const char *scratch_dir);
void neardup_release(struct neardup *d);
/* The next record; *R is copied.  SFT_SYSTEM at 2^32 - 2 of them. */
int  neardup_add(struct neardup *d, const struct neardup_item *r, struct err *e);
/* The records so far are those that the later ones must not be like. */
void neardup_against(struct neardup *d);
/* After the last: puts out what has the key of a record to compare with, or a text at or over the threshold with one of theirs. */
int  neardup_compare(struct neardup *d, struct err *e);
/* After that: find the groups.  With PAIR every pair is looked for; without it those whose texts are in one group already
 * are passed over, which keeps many copies of one text from costing the square of their number. */
int  neardup_join(struct neardup *d, neardup_pair *pair, void *ctx, struct err *e);
/* The first record of the group of I, which is not out. */
uint32_t neardup_group(struct neardup *d, uint32_t i);
enum neardup_out neardup_out(const struct neardup *d, uint32_t i);

/* After neardup_join(): which record of each group stays (of the longest the first), and then what becomes of each.  A record
 * that goes is a duplicate where another has its key, else nearly one. */
int  neardup_choose(struct neardup *d, enum dedup_keep keep, struct err *e);
enum neardup_fate neardup_fate(struct neardup *d, uint32_t i);
/* Why a record is dropped, as --rejects has it; NULL for FATE_KEPT. */
extern const char *const neardup_reasons[FATES];

/* Record I as it was added, borrowed until the next call on D; after neardup_compare(). */
int  neardup_get(struct neardup *d, uint32_t i, struct neardup_item *r, struct err *e);

/* --- for nearband.c --- */

/* The texts of such a record need no comparing: it is out, or an equal text came before it. */
bool neardup_idle(const struct neardup *d, uint32_t i);
bool neardup_is_twin(const struct neardup *d, uint32_t i);
void neardup_unite(struct neardup *d, uint32_t a, uint32_t b);
void neardup_put_out(struct neardup *d, uint32_t i, enum neardup_out why);
int  neardup_jaccard(struct neardup *d, uint32_t a, uint32_t b, double *out, struct err *e);

#endif
