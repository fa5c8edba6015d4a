/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_WEAKSLICES_H
#define SFT_WEAKSLICES_H
/* Errors by slice, as sft eval errors --json writes them: {"slices":[{"slice","n","error_rate"},...]}. */
#include <stddef.h>
#include "err.h"
#include "mem.h"

enum { WEAK_MAX_SLICES = 4096 };

struct weak_slice {
	const char *name;
	double n, rate;
};

struct weak_slices {
	struct weak_slice *v;          /* in the arena, at least one, names differ */
	size_t n;
	double errors, all;            /* sums of n x rate and of n: the mean rate is errors / all */
};

/* SFT_BADDATA "PATH: ..." for what is no such file, SFT_SYSTEM where it cannot be read. */
int weak_read(struct weak_slices *w, const char *path, struct arena *a, struct err *e);

#endif
