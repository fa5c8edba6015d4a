/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_METRIC_CLASS_H
#define SFT_METRIC_CLASS_H
/* What a metric is made of; for metric.c and the metrics themselves. */
#include "metric.h"

struct metric {
	const struct metric_class *c;
	const struct metric_opts *o;
	void *own;                      /* scratch and more, c->size bytes, zeroed */
	size_t width, nvalues;          /* set by c->open, names too */
	const char *const *names;
	double *row, *sum, *rows;       /* statistics of the last item, of all, of each (keep) */
	size_t n, cap, nref;            /* nref: references an item has; SIZE_MAX: it varies */
	bool keep;
	struct text class;              /* of the item that is added: metric_set_class() */
	const struct choice_score *scores;      /* likewise: metric_set_scores() */
	size_t nscores;
};

struct metric_class {
	const char *name;
	const char *version;            /* of the reference implementation whose figures these are */
	size_t size;
	bool lower_is_better, no_reference, scores;
	bool apart;                     /* add looks at nothing but the item, and changes nothing but m->row and scratch */
	const char *(*lacks)(const struct metric_opts *o);      /* may be NULL: needs nothing */
	int  (*open)(struct metric *m, struct err *e);
	int  (*add)(struct metric *m, struct text hyp, const struct text *ref, size_t nref, struct err *e);   /* fills m->row */
	void (*score)(const struct metric *m, const double *sum, size_t n, double *out);
	void (*sample)(struct metric *m, const uint32_t *pick, size_t n, double *out);  /* instead of score, where sums do not do */
	void (*resample)(struct metric *m, const uint8_t *times, const uint32_t *item, size_t n, size_t lanes, double *out);    /* with sample */
	void (*item)(struct metric *m, double *out);
	void (*json)(struct metric *m, struct jw *w);
	void (*item_json)(struct metric *m, struct jw *w);
	void (*signature)(const struct metric *m, struct buf *to);
	bool (*share)(const struct metric *m, size_t v, double *k);     /* may be NULL */
	void (*without)(struct metric *m, double *out);                 /* instead of resampling; see metric_without() */
	void (*close)(struct metric *m);
};

extern const struct metric_class metric_accuracy, metric_bleu, metric_calibration, metric_chrf, metric_compliance, metric_distinct, metric_length, metric_match,
	metric_repetition, metric_rouge, metric_ter, metric_terms;

#endif
