/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_METRIC_H
#define SFT_METRIC_H
/* The metrics on an answer and its references, behind one door: eval reports them, train stops early on one.
 *
 *   metric_open(&m, "bleu", &opts, false, &e);
 *   for each item: metric_add(m, hyp, ref, nref, &e);
 *   metric_score(m, NULL, 0, values);               // values[0] is the headline
 *   metric_close(m);
 *
 * What is kept is statistics, never text: a few numbers per metric, and with KEEP a few per item, from which any sample of
 * the items can be scored (bootstrap). */
#include <stdbool.h>
#include <stdint.h>
#include "answer.h"
#include "bleu.h"
#include "chrf.h"
#include "err.h"
#include "json.h"
#include "labels.h"
#include "rouge.h"
#include "ter.h"

enum { METRIC_MAX_VALUES = 16 };

struct compliance_rules;
struct termset;

struct metric_opts {
	struct bleu_opts bleu;
	struct chrf_opts chrf;
	struct ter_words ter;
	struct rouge_opts rouge;
	struct match_rule match;
	const struct text *labels;      /* accuracy: score only these, in this order; NULL: all */
	size_t nlabels;
	const struct compliance_rules *rules;   /* compliance: needed there */
	const struct termset *terms;            /* terms: needed there */
	bool scores;                            /* calibration: items come with the scores of their choices; needed there */
};

/* The defaults of the reference implementations; exact match. */
void metric_opts_init(struct metric_opts *o);

struct metric;

/* NULL-terminated, in the order of the alphabet: "accuracy", "bleu"... */
const char *const *metric_names(void);
/* The same as one text, "accuracy, bleu, ...". */
const char *metric_list(void);
/* What the metric NAME needs that O lacks, as a message; NULL: nothing. */
const char *metric_lacks(const char *name, const struct metric_opts *o);

/* O is borrowed while the metric is open.  SFT_USAGE with the nearest name where there is no metric NAME, and where
 * metric_lacks() something; SFT_SYSTEM. */
int  metric_open(struct metric **m, const char *name, const struct metric_opts *o, bool keep, struct err *e);
void metric_close(struct metric *m);            /* NULL is fine */

/* A choice among answers and its score, the logarithm of a weight. */
struct choice_score {
	struct text choice;
	double score;
};
/* The choices of the item that is added next (calibration); borrowed until it is added. */
void metric_set_scores(struct metric *m, const struct choice_score *s, size_t n);
/* The class of the item that is added next (compliance by class); borrowed until it is added. */
void metric_set_class(struct metric *m, struct text class);
/* Does the metric NAME look at answers alone?  NREF may be 0 then. */
bool metric_without_reference(const char *name);
/* Does it look at the scores of choices? */
bool metric_with_scores(const char *name);
/* One item: NREF >= 1 references.  The texts are read, not kept. */
int  metric_add(struct metric *m, struct text hyp, const struct text *ref, size_t nref, struct err *e);

/* The same in two steps, for metrics whose statistics depend on nothing but the item (bleu, chrf, rouge, ter): measured by one of several
 * metrics with the same options, on any thread; added to another in the order of the items. */
bool metric_apart(const struct metric *m);
/* Fill ROW (metric_width() numbers) and add nothing.  Fails as metric_add(). */
int  metric_measure(struct metric *m, struct text hyp, const struct text *ref, size_t nref, double *row, struct err *e);
size_t metric_width(const struct metric *m);
void metric_take(struct metric *m, const double *row, size_t nref);

const char *metric_name(const struct metric *m);
uint64_t metric_count(const struct metric *m);
bool     metric_lower_is_better(const struct metric *m);
/* Its values: how many, their names ("rouge1", "rouge2"...: unique over all metrics). */
size_t   metric_values(const struct metric *m, const char *const **names);
/* The values of the items pick[0..n-1], or of all where PICK is NULL.  A sample needs KEEP. */
void     metric_score(struct metric *m, const uint32_t *pick, size_t n, double *out);
/* The same of resamples (resample.h): the items of M (KEEP), in the order ITEM[0..N-1] (NULL: all, in their own), made ready once.  M and
 * ITEM are borrowed. */
struct metric_draws;
struct metric_draws *metric_draws_open(struct metric *m, const uint32_t *item, size_t n);
void     metric_draws_close(struct metric_draws *d);
/* May several threads score at once? */
bool     metric_draws_apart(const struct metric_draws *d);
/* out[lane * values + v], lane < LANES. */
void     metric_draws_score(struct metric_draws *d, const uint8_t *times, size_t lanes, double *out);
/* The values of the last item added alone (accuracy: 1 right, 0 wrong). */
void     metric_item(struct metric *m, double *out);
/* A metric of which resamples say nothing, since an item that comes twice adds nothing new (distinct): then true, and where OUT is
 * not NULL out[i * values + v] is value v of all items but item i, for the jackknife (stats.h). */
bool     metric_without(struct metric *m, double *out);
/* Is value V a share of items (K of n)? */
bool     metric_share(const struct metric *m, size_t v, double *k);

/* Accuracy: its labels, and the numbers of those that are scored, in order; borrowed.  NULL for other metrics. */
const struct labels *metric_labels(struct metric *m, const uint32_t **order, size_t *n);

/* The members of this metric's JSON object, as golden/eval names them; the value for the last item added; sacreBLEU's
 * kind of signature, with bs and seed where RESAMPLES is not 0. */
void     metric_json(struct metric *m, struct jw *w);
void     metric_item_json(struct metric *m, struct jw *w);
void     metric_signature(const struct metric *m, uint64_t resamples, uint64_t seed, struct buf *to);
/* The member "signature": an object of name and signature of each of M[0..n-1]. */
void     metric_signatures_json(struct metric *const *m, const char *const *name, size_t n, uint64_t resamples, uint64_t seed, struct jw *w);

#endif
