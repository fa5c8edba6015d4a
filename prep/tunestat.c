/* SPDX-License-Identifier: Apache-2.0 */
#include "tunestat.h"

#include <math.h>

#include "mem.h"

double stat_explained(const double *value, const int *group, size_t n, size_t groups)
{
	double *sum = mem_new((groups + 1) * sizeof *sum), *count = mem_new((groups + 1) * sizeof *count), mean = 0, within = 0, total = 0, k = 0, share = NAN;

	for (size_t i = 0; i < n; i++) {
		sum[group[i]] += value[i];
		count[group[i]]++;
		mean += value[i] / (double)n;
	}
	for (size_t i = 0; i < n; i++) {
		within += pow(value[i] - sum[group[i]] / count[group[i]], 2);
		total += pow(value[i] - mean, 2);
	}
	for (size_t g = 0; g < groups; g++)
		k += count[g] > 0;
	if (k > 1 && (double)n > k && total > 0)
		share = fmax((total - within - (k - 1) * within / ((double)n - k)) / total, 0);
	mem_free(sum);
	mem_free(count);
	return share;
}

bool stat_pareto(const double *a, double sign_a, const double *b, double sign_b, size_t n, size_t i)
{
	if (isnan(a[i]) || isnan(b[i]))
		return false;
	for (size_t k = 0; k < n; k++) {
		double da = sign_a * (a[k] - a[i]), db = sign_b * (b[k] - b[i]);

		if (da >= 0 && db >= 0 && (da > 0 || db > 0))
			return false;
	}
	return true;
}
