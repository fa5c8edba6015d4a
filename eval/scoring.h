/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SCORING_H
#define SFT_SCORING_H
/* Several metrics over one stream of items in one pass, whole and by group; then their figures as JSON or as a table. */
#include <stdio.h>
#include "metric.h"
#include "outfile.h"
#include "pairs.h"
#include "strmap.h"

struct scored {                         /* the metrics over the items of one group */
	struct metric **m;              /* scoring.nmetrics */
};

struct scoring {
	const struct metric_opts *o;
	const char *const *name;        /* metrics asked for */
	size_t nmetrics;
	bool keep;                      /* statistics per item, for intervals */
	uint64_t resamples, seed;
	uint64_t n;
	struct scored all;
	const char *by;                 /* column, NULL without groups */
	struct strmap group_name;       /* value -> place in group[] */
	struct scored *group;
	size_t groups_cap;
	struct scored *measure;         /* a set of metrics a thread, which measure and keep nothing */
	int nmeasure;
	size_t width;                   /* of what they measure of an item */
};

/* O, NAME and BY are borrowed.  RESAMPLES 0: no intervals.  SFT_USAGE for an unknown metric or one named twice. */
int  scoring_open(struct scoring *s, const char *const *name, size_t n, const struct metric_opts *o, const char *by,
                  uint64_t resamples, uint64_t seed, struct err *e);
/* Before items are measured: N threads will. */
int  scoring_threads(struct scoring *s, int n, struct err *e);
/* What can be known of an item apart from the others, into ROW (scoring_width() numbers); any thread, 0..n-1, at the same time. */
size_t scoring_width(const struct scoring *s);
int  scoring_measure(const struct scoring *s, int thread, const struct item *it, double *row, struct err *e);
/* The next item; ROW: what was measured of it. */
int  scoring_add(struct scoring *s, const struct item *it, const double *row, struct err *e);
/* One line of --items for the item added last: {"id",...,"bleu":..}. */
void scoring_item(struct scoring *s, const struct item *it, struct buf *line);
void scoring_close(struct scoring *s);

/* The object of --json ("schema":"sft.eval/1"), the table, and CSV. */
void scoring_json(struct scoring *s, struct buf *out);
void scoring_table(struct scoring *s, struct buf *out);
/* A line per group and value: group, metric, value, low, high, n; group is empty for all items together. */
void scoring_csv(struct scoring *s, struct buf *out);

/* Is "NAME=VALUE" met?  SFT_GATE with a message where not, SFT_USAGE where there is no such value. */
int  scoring_gate(struct scoring *s, const char *gate, struct err *e);

#endif
