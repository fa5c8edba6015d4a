/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SPLIT_H
#define SFT_SPLIT_H
/* Splitting records into train, val and test.
 *
 * A record's rank is hash(seed, key); the lowest of its class go to val, the highest to test.  So a record keeps its side when
 * rows are added, but for those near the border.  The records are formatted once, into a scratch file, with 24 bytes each in another,
 * and leave it in the batches they came in, on several threads again; the ranks of groups are sorted in two more.  Memory is that of
 * the batches, of the sorts (8 MiB each), of the classes (about 300 bytes each), and of the ranks near a border. */
#include <stdbool.h>
#include <stdint.h>
#include "err.h"
#include "keycols.h"
#include "rec.h"
#include "scratch.h"
#include "splitplan.h"
#include "strmap.h"

enum { SPLIT_BATCH = 2048 };

struct split {
	double val, test;                 /* shares below 1, else counts */
	struct wordlist stratify, group, key;/* at most one name in the first two */
	uint64_t seed;
	const char *scratch_dir;

	struct strmap classes;            /* values of the stratify column: numbers of classes */
	struct split_class *class;
	size_t nclass, class_cap;
	uint64_t groups;                  /* different values of the group column */
	uint64_t count[SIDES];            /* records written to each side */
	uint64_t (*by_class)[SIDES];      /* the same for each class, with stratify */
};

void split_init(struct split *s, const char *scratch_dir);
void split_release(struct split *s);
/* Reads IN to its end and writes to OUT[side], NULL where a side was not asked for.  The same bytes for every number of
 * threads. */
int  split_run(struct split *s, struct recin *in, struct recout *out[SIDES], const struct rec_opts *o, const struct tool *t, struct err *e);

#endif
