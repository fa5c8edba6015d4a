/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_KAPPAFIGURES_H
#define SFT_KAPPAFIGURES_H
/* All figures of a rating table: coefficients, pairs of raters, labels, raters, intervals, the gate. */
#include "agreeby.h"
#include "json.h"
#include "opt.h"
#include "ratingtable.h"

enum kappa_gate { GATE_AUTO, GATE_COHEN, GATE_FLEISS, GATE_ALPHA, GATE_PERCENT };

/* What is asked for. */
struct kappa_shown {
	int level;                      /* enum agree_level: of alpha in the gate and in intervals */
	int weights;                    /* enum agree_weight: of Cohen's kappa, likewise */
	int gate;                       /* enum kappa_gate */
	const char *min_text;
	double min;                     /* NaN: no gate */
	bool ci;
	int64_t resamples;
	uint64_t seed;
	enum repeat_rule repeat;        /* for the signature */
};

/* The options --level, --weights, --min-kappa, --gate, --ci, --resamples over S, which is set to their defaults; ten at most. */
void kappa_options(struct kappa_shown *s, struct opt table[10]);
/* After parsing: min from its text.  SFT_USAGE. */
int kappa_options_finish(struct kappa_shown *s, uint64_t seed, struct err *e);

enum { CI_PERCENT, CI_COHEN, CI_FLEISS, CI_ALPHA, CI_AC1, NCI };

struct kappa_interval {
	double lo, hi;                  /* NaN: none */
};

struct kappa_figures {
	struct kinds kinds;             /* the items, each kind once: figures are computed from these */
	bool borrowed;                  /* they are the table's */
	struct agree_percent percent;
	struct cohen *cohen;            /* all pairs; NULL where there are too many or raters are anonymous */
	size_t npairs;
	struct coef light;              /* mean of the pairs' kappa */
	struct coef fleiss, scott, alpha[4], gwet[4];   /* by level; by weight */
	struct by_label *label;         /* by category */
	struct by_rater *rater;         /* NULL where raters are anonymous */
	/* With ci: by CI_*; of the pairs' Cohen's kappa and of the labels' agreement, where these are few enough. */
	struct kappa_interval ci[NCI], *pair_ci, *label_ci;
};

/* R is borrowed until kappa_figures_free(). */
void kappa_compute(const struct rating_table *r, const struct kappa_shown *s, struct kappa_figures *f);
void kappa_figures_free(struct kappa_figures *f);
uint64_t kappa_ratings(const struct kappa_figures *f);  /* of all items */

/* The coefficient that the gate looks at; *NAME of it. */
struct coef kappa_gate_value(const struct rating_table *r, const struct kappa_figures *f, const struct kappa_shown *s, const char **name);
/* SFT_GATE with what is missing; 0 where it is met, or there is none. */
int kappa_gate(const struct rating_table *r, const struct kappa_figures *f, const struct kappa_shown *s, struct err *e);

/* Does a rater stand apart from the others (p), or drift (p_drift), at 5%? */
static inline bool rater_apart(const struct by_rater *x) { return x->p < 0.05; }
static inline bool rater_drifts(const struct by_rater *x) { return x->p_drift < 0.05; }

#endif
