/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_KAPPAOUT_H
#define SFT_KAPPAOUT_H
/* All coefficients of a rating table, and how they are shown. */
#include "json.h"
#include "ratingtable.h"

struct kappa_figures {
	struct agree_percent percent;
	struct cohen *cohen;            /* all pairs; NULL where there are too many or raters are anonymous */
	size_t npairs;
	struct coef light;              /* mean of the pairs' kappa */
	struct coef fleiss, scott, alpha[4], gwet[4];   /* by level; by weight */
};

enum kappa_gate { GATE_AUTO, GATE_COHEN, GATE_FLEISS, GATE_ALPHA, GATE_PERCENT };

struct kappa_shown {
	enum agree_level level;         /* of alpha in the gate and in intervals */
	enum agree_weight weights;      /* of Cohen's kappa, likewise */
	enum kappa_gate gate;
	double min;                     /* NaN: no gate */
	uint64_t resamples, seed;       /* 0: no intervals */
	enum repeat_rule repeat;
};

void kappa_compute(const struct rating_table *r, struct kappa_figures *f);
void kappa_figures_free(struct kappa_figures *f);
/* The coefficient that the gate looks at; *NAME of it. */
struct coef kappa_gate_value(const struct rating_table *r, const struct kappa_figures *f, const struct kappa_shown *s, const char **name);

void kappa_json(const struct rating_table *r, const struct kappa_figures *f, const struct kappa_shown *s, struct buf *out);
void kappa_table(const struct rating_table *r, const struct kappa_figures *f, const struct kappa_shown *s, struct buf *out);

#endif
