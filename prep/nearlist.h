/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_NEARLIST_H
#define SFT_NEARLIST_H
/* The two lists that sft-dedup writes beside its output: --clusters (id,cluster) and --pairs (a,b,jaccard, by a and then b).
 * CSV, unless their names say otherwise. */
#include <stdbool.h>
#include <stdint.h>
#include "neardup.h"
#include "rec.h"

struct nearlist {
	struct neardup *d;
	bool named;                    /* records are called by their id, not by their number from 0 */
	struct recout *clusters, *pairs;   /* NULL: not wanted */
	struct extsort *found;
	struct buf name;
};

/* Paths may be NULL. */
int  nearlist_open(struct nearlist *l, struct neardup *d, bool named, const char *clusters, const char *pairs, const struct rec_opts *o,
                   const struct tool *t, struct err *e);
/* For neardup_join(), with L as its context: NULL where no pairs are wanted. */
neardup_pair *nearlist_pair(const struct nearlist *l);
uint64_t nearlist_pair_count(const struct nearlist *l);
/* After neardup_join(): the pairs.  Then the cluster of each record that is in, in order. */
int  nearlist_write_pairs(struct nearlist *l, struct err *e);
int  nearlist_cluster(struct nearlist *l, uint32_t i, struct err *e);
/* Ends both files; where RC is not 0 they are dropped.  Returns RC or what went wrong now. */
int  nearlist_close(struct nearlist *l, int rc, struct err *e);

#endif
