/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_STATS_H
#define SFT_STATS_H
/* Intervals and tests. */
#include <stddef.h>
#include <stdint.h>

#define STATS_Z95 1.959963984540054      /* the 97.5% quantile of the normal distribution */

/* Wilson's interval for K of N at 95% (E. B. Wilson, JASA 22, 1927); 0..1 where N is 0. */
void stats_wilson(double k, double n, double *lo, double *hi);

/* McNemar's exact test: B items that only the first got right, C that only the second did; the two-sided binomial
 * p-value with one half, 1 where B + C is 0 (McNemar, Psychometrika 12, 1947; the same as the sign test). */
double stats_mcnemar(uint64_t b, uint64_t c);

/* Fisher's exact test, one side: the probability of K or more marked among N drawn from ALL without putting back, of
 * which MARKED are marked (R. A. Fisher, "Statistical methods for research workers", 5th ed. 1934, section 21.02; the
 * upper tail of the hypergeometric distribution).  1 for K at the least that there can be. */
double stats_fisher(uint64_t k, uint64_t n, uint64_t marked, uint64_t all);

/* Holm's step-down correction (S. Holm, Scandinavian Journal of Statistics 6, 1979): the adjusted p-values of p[0..n-1] for
 * all N tests together, in the same places.  NaN stays and counts as no test. */
void stats_holm(double *p, size_t n);

/* Percentile Q (0..1) of N sorted values, linear between neighbours as numpy's default. */
double stats_quantile(const double *sorted, size_t n, double q);
void   stats_sort(double *v, size_t n);

/* The bootstrap (Efron 1979): B resamples of N items with replacement.  SCORE fills the NV values of the items
 * pick[0..n-1]; out[b * nv + v] is value v of resample b.  Resample b depends on SEED, N and b alone, so that two systems
 * asked with one seed see the same resamples (Koehn 2004: paired bootstrap). */
void stats_bootstrap(uint64_t seed, uint32_t n, size_t b, size_t nv, void (*score)(void *ctx, const uint32_t *pick, size_t n, double *out),
                     void *ctx, double *out);

/* The percentile interval at 95% of value V of such resamples, undefined ones (NaN) left out; NaN where all are. */
void stats_interval(const double *samples, size_t b, size_t nv, size_t v, double *lo, double *hi);

/* The jackknife (Quenouille 1956, Tukey 1958): the standard error of a value, from LEFT[i * stride], the value without item i, i < N.  NaN
 * where N < 2 or one of them is undefined. */
double stats_jackknife(const double *left, size_t n, size_t stride);

/* p-value of a paired bootstrap as sacreBLEU's: resampled absolute differences, centred, beyond the one observed.
 * 1 where the systems never differ (sacreBLEU gives 1 / (B + 1) for a system against itself). */
double stats_paired_p(const double *diffs, size_t b, double observed);

#endif
