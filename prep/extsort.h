/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_EXTSORT_H
#define SFT_EXTSORT_H
/* Sorting any number of small records of one size in bounded memory.
 *
 * The first 8 bytes of a record are its key, a uint64_t.  The order is by key, and among equal keys that of arrival, so it does
 * not depend on the memory there is.  What fits is sorted by radix in one buffer with a second one beside it; what does not
 * goes to a file without a name in sorted runs, which are merged as they are read back (Knuth 5.4). */
#include <stddef.h>
#include <stdint.h>
#include "err.h"

struct extsort;

/* Records of SIZE bytes (8, 16, 24 or 32); the LOW lowest bits of the key do not count (so they may hold what is sorted).
 * MEMORY: bytes at most, at least 64 KiB.  DIR is borrowed: where the runs go. */
struct extsort *extsort_new(size_t size, unsigned low, uint64_t memory, const char *dir);
void extsort_free(struct extsort *s);                     /* NULL is fine */
int  extsort_put(struct extsort *s, const void *rec, struct err *e);
/* After the last, or to begin anew: the next record to be had is the first. */
int  extsort_rewind(struct extsort *s, struct err *e);
/* The next record in order, borrowed until the next call; *REC is NULL behind the last. */
int  extsort_get(struct extsort *s, const void **rec, struct err *e);
/* Empty again. */
void extsort_reset(struct extsort *s);
uint64_t extsort_count(const struct extsort *s);

#endif
