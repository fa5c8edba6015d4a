/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ADDCOLS_H
#define SFT_ADDCOLS_H
/* Records with columns added at their end; a column that is there already gets the new value in its place. */
#include <pthread.h>
#include "mem.h"
#include "names.h"
#include "rec.h"

struct addcols {
	const char *const *name;       /* borrowed */
	size_t n;
	pthread_mutex_t lock;          /* of the sets */
	struct namesets sets;
};

/* What a thread remembers of the names that it met last.  Zeroed it is ready; release with mem_free(at). */
struct addcols_last {
	const struct names *in, *out;
	uint32_t *at;                  /* place of each added column in OUT */
};

void addcols_init(struct addcols *c, const char *const *name, size_t n);
void addcols_release(struct addcols *c);
/* The names of IN with those of C; IN NULL gives NULL. */
const struct names *addcols_names(struct addcols *c, const struct names *in);
/* *OUT is R with MORE[0 .. c->n - 1] in the columns of C; its fields are in A. */
void addcols_set(struct addcols *c, struct addcols_last *l, const struct rec *r, const struct field *more, struct arena *a, struct rec *out);

#endif
