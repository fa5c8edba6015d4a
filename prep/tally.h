/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TALLY_H
#define SFT_TALLY_H
/* Counting in bounded memory, whatever comes: lengths, values of a column, and which texts several files share. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "extsort.h"
#include "json.h"
#include "strmap.h"

/* --- lengths --- */

/* How often each length came.  Lengths below 4096 are kept as they are, longer ones to one part in 2048 (a bucket for the first 11
 * bits behind the leading one, as in HdrHistogram), up to 2^32 - 1: 360 KiB, allocated at the first one. */
struct lengths {
	uint64_t *count;
	uint64_t n, sum, min, max;
};
void lengths_add(struct lengths *l, uint64_t v);
void lengths_free(struct lengths *l);
/* The least length that at least a share Q (0..1) of all do not exceed: the ceil(Q n)-th; 0 where there are none. */
uint64_t lengths_quantile(const struct lengths *l, double q);
double   lengths_mean(const struct lengths *l);

/* A histogram for the eye: bins of a width of 1, 2 or 5 times a power of ten, the last one open, such that 99 of 100 lie before it. */
enum { HISTOGRAM_BINS = 16 };
struct histogram {
	uint64_t width, count[HISTOGRAM_BINS];
	size_t n;
};
void lengths_histogram(const struct lengths *l, struct histogram *h);

/* --- values --- */

/* How often each value came, of the first TALLY_MAX distinct ones; records with others are counted together. */
enum { TALLY_MAX = 65536 };
struct tally {
	struct strmap map;             /* value -> count, in order of appearance */
	uint64_t n, others;
};
void tally_add(struct tally *t, const char *value, size_t n);
void tally_free(struct tally *t);
/* The entries by count, then by value: t->map.n of them, for mem_free(). */
const struct strmap_entry **tally_ranked(const struct tally *t);
/* Pielou's evenness: the entropy of the shares over its largest possible value; 1 where there are fewer than two values. */
double tally_evenness(const struct tally *t);

/* --- what files share --- */

enum { SHARED_FILES = 32 };

/* Records by (key, file); equal keys are one text.  Keys are hashes of 64 bits: among 100 million texts two that differ
 * are taken for one in 3 runs of 10,000.  16 bytes a record; what outgrows the memory goes to a file without a name. */
struct shared {
	struct extsort *sort;
	uint64_t twice[SHARED_FILES];                /* records whose text another one before them in their file has */
	uint64_t largest[SHARED_FILES];              /* records of the commonest text */
	uint64_t in[SHARED_FILES][SHARED_FILES];     /* [a][b]: records of b whose text is in a, too */
};
void shared_init(struct shared *s, uint64_t memory, const char *dir);
void shared_release(struct shared *s);
int  shared_put(struct shared *s, uint64_t key, unsigned file, struct err *e);
/* After the last: fills the counts. */
int  shared_count(struct shared *s, struct err *e);

#endif
