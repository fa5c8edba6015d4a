/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_MIX_H
#define SFT_MIX_H
/* Mixing: so many records of each source, in some order.
 *
 * All sources are read once, as one stream; their records go, formatted, to a file without a name, with an index.  Then the
 * numbers to draw are fixed (exactly: largest remainders), and the records are fetched in the order of the mix.  A source of
 * which more is drawn than it has goes round again: every record once before one comes twice.  What is drawn of the last
 * round is chosen at random.  Memory does not grow with the records, but for 8 bytes each with weak slices. */
#include "addcols.h"
#include "rec.h"
#include "scratch.h"
#include "strmap.h"

enum mix_order { MIX_SHUFFLED, MIX_PROGRESSIVE, MIX_SEQUENTIAL };

/* Records that are drawn alike: those of a source, or those of it in one of the weak slices. */
struct mix_stratum {
	uint32_t source;
	double factor;                 /* how much oftener than others of its source */
	uint64_t n;                    /* records there are */
	uint64_t draw;                 /* records wanted */
	uint64_t first;                /* place of its first record among all, grouped by stratum */
	uint64_t start;                /* of its draws among those of its source */
};

struct mix_source {
	const char *file;
	double weight;
	uint64_t n, draw, start;       /* start: of its draws among all */
	uint32_t stratum, nstrata;     /* its strata */
	uint64_t first;                /* number of its first record */
};

struct mix_slice {
	const char *name;
	double factor;
	uint64_t n, draw;
};

struct mix {
	struct mix_source *source;
	size_t n;
	uint64_t total;                /* wanted; 0: as many as need none to come twice */
	enum mix_order order;
	uint64_t seed;
	bool label;                    /* add the field `source` */
	const char *slice_column;
	double limit;                  /* highest factor of a slice */
	struct mix_slice *slice;       /* weak ones */
	size_t nslices;
	struct strmap by_slice;        /* name -> place in slice */
	struct mix_stratum *stratum;   /* source by source; in each, the rest first, then the slices in order */
	uint32_t nstrata;
	const char *scratch_dir;
	struct arena arena;
	struct addcols cols, plain;    /* with `source`; without, to keep names */
};

void mix_init(struct mix *m, const char *scratch_dir);
void mix_release(struct mix *m);
/* "FILE:WEIGHT" or "FILE" (weight 1).  SFT_USAGE for a weight that is not over 0 and for a file named twice. */
int  mix_add(struct mix *m, const char *operand, struct err *e);
/* The slices of an errors file, {"slices":[{"slice","n","error_rate"}]}: a slice whose rate is over the mean of all (by n) is
 * drawn rate / mean times as often as its source's other records, at most LIMIT times. */
int  mix_weak(struct mix *m, const char *path, struct err *e);

/* IN: all sources, in the order of mix_add(). */
int  mix_run(struct mix *m, struct recin *in, struct recout *out, const struct tool *t, struct err *e);

/* --- the parts, for tests --- */

/* Share N out by WEIGHT[0..n-1], each to within one of its exact part; the sum is N. */
void mix_share(uint64_t total, const double *weight, size_t n, uint64_t *out);
/* What is drawn of sources and strata, their sizes given. */
int  mix_plan(struct mix *m, struct err *e);

/* An order: the next draw is number K of *SOURCE. */
struct mix_walk;
struct mix_walk *mix_walk_new(const struct mix *m);
void mix_walk_next(struct mix_walk *w, uint32_t *source, uint64_t *k);
void mix_walk_free(struct mix_walk *w);
/* Draw K of a source: which record of which stratum. */
void mix_draw(const struct mix *m, uint32_t source, uint64_t k, uint32_t *stratum, uint64_t *record);

#endif
