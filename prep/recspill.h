/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_RECSPILL_H
#define SFT_RECSPILL_H
/* Records as bytes in a scratch file, and back.  Names and file names are kept by pointer: they must live as long as the
 * spill (those of a recin do until it is closed). */
#include "err.h"
#include "mem.h"
#include "rec.h"
#include "scratch.h"

struct recspill {
	struct scratch *to;
	const struct names **names;
	const char **file;
	size_t nnames, names_cap, nfiles, files_cap;
};

void recspill_init(struct recspill *s, const char *dir);
void recspill_release(struct recspill *s);
int  recspill_put(struct recspill *s, const struct rec *r, struct buf *scratch, struct err *e);
int  recspill_rewind(struct recspill *s, struct err *e);
/* The next record; its fields are valid until the next call.  *R has room for fields in A.  False in *MORE at the end. */
int  recspill_get(struct recspill *s, struct rec *r, struct arena *a, bool *more, struct err *e);

/* The other way to read: the place that the next record put will have, and the record at a place, all of it in A; after recspill_rewind(). */
uint64_t recspill_place(const struct recspill *s);
int  recspill_at(struct recspill *s, uint64_t place, struct rec *r, struct arena *a, struct err *e);

#endif
