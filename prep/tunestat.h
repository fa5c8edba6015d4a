/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TUNESTAT_H
#define SFT_TUNESTAT_H
/* What mattered, and what is worth having, among trials. */
#include <stdbool.h>
#include <stddef.h>

/* The share of the variance of VALUE[0..n-1] that their groups explain, GROUP[i] in 0..groups-1, chance taken off: epsilon squared (T. Kelley, PNAS 21,
 * 1935), (SSB - (k - 1) MSW) / SST for k groups that have items, at least 0.  That is the main effect of a functional analysis of variance whose marginals are
 * the means of bins.  NaN where fewer than two groups have items, or no group has more than one. */
double stat_explained(const double *value, const int *group, size_t n, size_t groups);

/* Is pair I of (A, B) such that no other is at least as good in both and better in one?  SIGN +1: more is better, -1: less is.  Pairs with NaN are not. */
bool stat_pareto(const double *a, double sign_a, const double *b, double sign_b, size_t n, size_t i);

#endif
