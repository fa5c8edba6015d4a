/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_NEARDUP_H
#define SFT_NEARDUP_H
/* Near-duplicates: texts whose shingle sets have a Jaccard similarity of at least a threshold.
 *
 * Candidates come from MinHash signatures and are then compared by their real similarity: a pair is never wrong, and at the
 * threshold at most 2 in 1000 are missed.  Memory: about 600 bytes a text; the texts are in a scratch file. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "keyset.h"
#include "minhash.h"
#include "scratch.h"

/* Told of every pair at or over the threshold, A < B, in no order but always the same one.  Nonzero ends the search. */
typedef int neardup_pair(void *ctx, uint32_t a, uint32_t b, double jaccard, struct err *e);

enum neardup_out { NEARDUP_IN, NEARDUP_SIMILAR, NEARDUP_OTHER };

struct neardup {
	struct shingling how;
	double threshold;
	size_t n, cap;
	uint32_t *sig;                 /* MINHASH_N a text */
	struct {
		uint64_t at;           /* place in the scratch: the text, then its name */
		uint32_t text, id : 31, twin : 1;   /* their bytes; twin: the same text came before */
	} *where;
	uint32_t *parent;              /* union-find: groups of connected texts */
	uint8_t *out;                  /* enum neardup_out of each text: it takes no part in the groups */
	uint32_t against;              /* the first so many texts are those to compare with */
	struct scratch *texts;
	struct keyset seen;            /* different texts, and the first of each, by number */
	uint32_t *first;
	size_t first_cap;
	struct { uint64_t *h; size_t n, cap; } one, other;   /* shingle sets of the pair being looked at */
	uint32_t loaded;               /* which text is in one; UINT32_MAX: none */
	char *buf;
	size_t room;
};

void neardup_init(struct neardup *d, struct shingling how, double threshold, const char *scratch_dir);
void neardup_release(struct neardup *d);
/* The next text, its signature, and what it is called (ID, may be empty).  SFT_SYSTEM at 2^32 - 2 texts, or no memory. */
int  neardup_add(struct neardup *d, const char *text, size_t n, const uint32_t *sig, const char *id, size_t nid, struct err *e);
/* The texts so far are those that the later ones must not be like. */
void neardup_against(struct neardup *d);
/* The text that was added last is out for a reason of the caller's. */
void neardup_exclude(struct neardup *d);
/* After the last and before neardup_join(): puts out what is at or over the threshold with a text to compare with. */
int  neardup_compare(struct neardup *d, struct err *e);
/* After the last: find the groups.  With PAIR every pair is looked for; without it those whose texts are in one group already
 * are passed over, which keeps many copies of one text from costing the square of their number. */
int  neardup_join(struct neardup *d, neardup_pair *pair, void *ctx, struct err *e);
/* The first text of the group of I, which is not out. */
uint32_t neardup_group(struct neardup *d, uint32_t i);
/* The name of text I; valid until the next call on D. */
int  neardup_id(struct neardup *d, uint32_t i, const char **id, size_t *n, struct err *e);

#endif
