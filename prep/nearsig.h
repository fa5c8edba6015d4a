/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_NEARSIG_H
#define SFT_NEARSIG_H
/* Signature files, and the verdicts that come of them: what goes to and fro where a set is deduplicated shard by shard.
 *
 * sft-dedup --signatures writes for one shard what neardup.h needs of each record; --join reads those of all shards and writes for
 * each of them a file of verdicts, a byte a record; --drop applies one to its shard.  The formats are in sft-signatures(5). */
#include <stdbool.h>
#include <stdint.h>
#include "err.h"
#include "neardup.h"

/* What a file says of itself. */
struct nearsig_about {
	struct neardup_how how;
	bool ids;                      /* records have names */
	uint64_t rules;                /* hash of the columns that were compared: files to be joined agree in it */
	uint64_t records;
	uint64_t digest;               /* nearsig_digest() over all records */
};

/* DIGEST of the records so far, with one more whose fields hash to H. */
static inline uint64_t nearsig_digest(uint64_t digest, uint64_t h)
{
	return (digest ^ h) * 0x9E3779B97F4A7C15u + (digest >> 29);
}

/* The records of D from d->against on, to PATH (packed where it ends in .gz or .zst), after neardup_compare(). */
int  nearsig_write(struct neardup *d, const char *path, const struct nearsig_about *about, struct err *e);

struct nearsig;
/* SFT_BADDATA where PATH is no signature file of this version. */
int  nearsig_open(struct nearsig **s, const char *path, struct err *e);
const struct nearsig_about *nearsig_about(const struct nearsig *s);
/* The next record, borrowed until the next call.  False in *MORE at the end, where all of them have come and nothing follows; every
 * byte was checked against a checksum before it is believed, and lengths and text (UTF-8) for themselves. */
int  nearsig_next(struct nearsig *s, struct neardup_item *r, bool *more, struct err *e);
void nearsig_close(struct nearsig *s);                   /* NULL is fine */

/* Verdicts on ABOUT's records: FATE[0..about->records - 1]. */
int  nearsig_put_fates(const char *path, const struct nearsig_about *about, const uint8_t *fate, struct err *e);
/* *FATE is for mem_free.  SFT_BADDATA where PATH is no whole file of verdicts; *RECORDS and *DIGEST tell whose they are. */
int  nearsig_get_fates(const char *path, uint8_t **fate, uint64_t *records, uint64_t *digest, struct err *e);

#endif
