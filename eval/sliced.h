/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SLICED_H
#define SFT_SLICED_H
/* Two systems on the same items, all of them and by the value of a column. */
#include "paired.h"

struct sliced {
	struct paired all;
	const char *by;                 /* column of A's records; NULL: no slices */
	struct strmap name;             /* value -> place in slice[] */
	struct paired *slice;
	size_t slices_cap;
	uint32_t *slice_of;             /* by item of A */
	size_t n, cap;
};

/* What paired_open() takes, and the column; all borrowed. */
int  sliced_open(struct sliced *s, const char *by, const char *const *metric, size_t n, const struct metric_opts *o, uint64_t resamples,
                 uint64_t seed, struct err *e);
/* All of A, then all of B.  An item is in the slice that A's record names, "" where it lacks the column; SFT_BADDATA where all do. */
int  sliced_read_a(struct sliced *s, struct pairs *in, const char *path, const struct metric_opts *o, struct err *e);
int  sliced_read_b(struct sliced *s, struct pairs *in, const char *path, struct err *e);
/* paired_compute() of all and of each slice. */
void sliced_compute(struct sliced *s);
/* Holm's corrections where several systems are compared with A: over the N systems, on all items; over the systems and slices together,
 * on the slices. */
void sliced_correct(struct sliced *c, size_t n);
void sliced_close(struct sliced *s);

#endif
