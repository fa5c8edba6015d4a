/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_KEYFATE_H
#define SFT_KEYFATE_H
/* What becomes of records by their keys, where the keys are too many for a table in memory: they are sorted, and the records of one
 * key judged together.  The same verdicts as those of a table. */
#include <stdbool.h>
#include <stdint.h>
#include "err.h"
#include "hash.h"
#include "neardup.h"

/* One of FATE_KEPT, FATE_DUPLICATE, FATE_AGAINST and FATE_GRAM for each record: 2 bits.  Zeroed it is ready; FATE_KEPT is what a record
 * that was never set has. */
struct fates {
	uint8_t *v;
	size_t cap;
};
void fates_set(struct fates *f, uint64_t num, enum neardup_fate fate);
enum neardup_fate fates_get(const struct fates *f, uint64_t num);
void fates_release(struct fates *f);

struct keyfate;
/* MEMORY: bytes at most.  DIR is borrowed. */
struct keyfate *keyfate_new(uint64_t memory, const char *dir);
void keyfate_free(struct keyfate *k);                    /* NULL is fine */
/* Records with key H are to be kept out; one with key H is written already.  Both before those of keyfate_put(). */
int  keyfate_against(struct keyfate *k, struct hash128 h, struct err *e);
int  keyfate_written(struct keyfate *k, struct hash128 h, struct err *e);
/* Record NUM (ascending, but for those in whose place a table had one of each key) of CHARS characters.  OUT: it is kept out already. */
int  keyfate_put(struct keyfate *k, struct hash128 h, uint64_t num, uint64_t chars, bool out, struct err *e);
/* After the last: the fates of all that were put and are not out, and of those that are out where their key is kept out. */
int  keyfate_decide(struct keyfate *k, enum dedup_keep keep, struct fates *f, struct err *e);

#endif
