/* SPDX-License-Identifier: Apache-2.0 */
#include "stats.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "mem.h"
#include "rng.h"

void stats_wilson(double k, double n, double *lo, double *hi)
{
	const double z = STATS_Z95;
	double p, mid, half;

	*lo = 0;
	*hi = 1;
	if (n <= 0)
		return;
	p = k / n;
	mid = (p + z * z / (2 * n)) / (1 + z * z / n);
	half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n);
	*lo = k > 0 ? mid - half : 0;           /* exactly 0 and 1 at the ends, where rounding would show */
	*hi = k < n ? mid + half : 1;
}

double stats_mcnemar(uint64_t b, uint64_t c)
{
	double n = (double)(b + c), k = (double)(b < c ? b : c), term, sum = 0;

	if (b + c == 0)
		return 1;
	term = exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) - n * log(2));
	for (double i = k; i >= 0 && term > sum * 1e-18; i--) {
		sum += term;
		term *= i / (n - i + 1);
	}
	return 2 * sum < 1 ? 2 * sum : 1;
}

/* log of N over K */
static double log_choose(double n, double k)
{
	return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1);
}

double stats_fisher(uint64_t k, uint64_t n, uint64_t marked, uint64_t all)
{
	uint64_t least = n + marked > all ? n + marked - all : 0, most = n < marked ? n : marked;
	double term, sum = 0, rest = (double)all - (double)n - (double)marked;

	if (k <= least)
		return 1;
	if (k > most)
		return 0;
	term = exp(log_choose((double)marked, (double)k) + log_choose((double)(all - marked), (double)(n - k)) - log_choose((double)all, (double)n));
	for (double i = (double)k; i <= (double)most; i++) {
		double ratio = ((double)n - i) * ((double)marked - i) / ((i + 1) * (rest + i + 1));

		sum += term;
		if (ratio < 1 && term * ratio < sum * 1e-18)
			break;
		term *= ratio;
	}
	return sum < 1 ? sum : 1;
}

struct ranked {
	double p;
	size_t at;
};

static int smaller_p(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return x->p != y->p ? (x->p > y->p) - (x->p < y->p) : (x->at > y->at) - (x->at < y->at);
}

void stats_holm(double *p, size_t n)
{
	struct ranked *r = mem_grow(NULL, n ? n : 1, sizeof *r);
	double worst = 0;
	size_t m = 0;

	for (size_t i = 0; i < n; i++)
		if (!isnan(p[i]))
			r[m++] = (struct ranked){ p[i], i };
	qsort(r, m, sizeof *r, smaller_p);
	for (size_t i = 0; i < m; i++) {
		double adjusted = r[i].p * (double)(m - i);

		worst = adjusted > worst ? adjusted : worst;
		p[r[i].at] = worst < 1 ? worst : 1;
	}
	mem_free(r);
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void stats_sort(double *v, size_t n)
{
	qsort(v, n, sizeof *v, ascending);
}

double stats_quantile(const double *sorted, size_t n, double q)
{
	double at = q * (double)(n - 1);
	size_t i = (size_t)at;

	if (n == 0)
		return NAN;
	if (i + 1 >= n)
		return sorted[n - 1];
	return sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]);
}

void stats_bootstrap(uint64_t seed, uint32_t n, size_t b, size_t nv, void (*score)(void *ctx, const uint32_t *pick, size_t n, double *out),
                     void *ctx, double *out)
{
	uint32_t *pick = mem_grow(NULL, n ? n : 1, sizeof *pick);
	struct rng r;

	for (size_t k = 0; k < b; k++) {
		rng_init(&r, seed, 0x62736d70u + k);
		for (uint32_t i = 0; i < n; i++)
			pick[i] = (uint32_t)rng_below(&r, n);
		score(ctx, pick, n, out + k * nv);
	}
	mem_free(pick);
}

void stats_interval(const double *samples, size_t b, size_t nv, size_t v, double *lo, double *hi)
{
	double *x = mem_grow(NULL, b ? b : 1, sizeof *x);
	size_t n = 0;

	for (size_t k = 0; k < b; k++)
		if (!isnan(samples[k * nv + v]))
			x[n++] = samples[k * nv + v];
	stats_sort(x, n);
	*lo = stats_quantile(x, n, 0.025);
	*hi = stats_quantile(x, n, 0.975);
	mem_free(x);
}

double stats_jackknife(const double *left, size_t n, size_t stride)
{
	double mean = 0, sum = 0;

	if (n < 2)
		return NAN;
	for (size_t i = 0; i < n; i++)
		mean += left[i * stride] / (double)n;
	for (size_t i = 0; i < n; i++)
		sum += (left[i * stride] - mean) * (left[i * stride] - mean);
	return sqrt(sum * (double)(n - 1) / (double)n);
}

double stats_paired_p(const double *diffs, size_t b, double observed)
{
	double mean = 0;
	size_t beyond = 0;
	bool differ = observed != 0;

	for (size_t k = 0; k < b; k++) {
		mean += fabs(diffs[k]);
		differ |= diffs[k] != 0;
	}
	if (!differ)
		return 1;
	mean /= (double)b;
	for (size_t k = 0; k < b; k++)
		beyond += fabs(diffs[k]) - mean > fabs(observed);
	return ((double)beyond + 1) / ((double)b + 1);
}
