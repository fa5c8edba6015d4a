/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_KAPPAOUT_H
#define SFT_KAPPAOUT_H
/* Figures of agreement as JSON, as a table for people, as CSV. */
#include "kappafigures.h"

void kappa_json(const struct rating_table *r, const struct kappa_figures *f, const struct kappa_shown *s, struct buf *out);
/* The members of "metrics.kappa" alone, inside an object that W has open. */
void kappa_members(const struct rating_table *r, const struct kappa_figures *f, const struct kappa_shown *s, struct jw *w);
void kappa_table(const struct rating_table *r, const struct kappa_figures *f, const struct kappa_shown *s, struct buf *out);
/* figure,name,other,value,low,high,n,note: a line for each coefficient, pair of raters, label and rater. */
void kappa_csv(const struct rating_table *r, const struct kappa_figures *f, const struct kappa_shown *s, struct buf *out);

extern const char *const kappa_level[4], *const kappa_weight[4];

#endif
