/* SPDX-License-Identifier: Apache-2.0 */
#include "bradley.h"

#include <math.h>
#include <string.h>

#include "mem.h"

/* Is every system reached from every other along wins? */
static bool connected(size_t n, const double *wins)
{
	bool *reach = mem_new(n * n * sizeof *reach), all = true;

	for (size_t k = 0; k < n * n; k++)
		reach[k] = wins[k] > 0;
	for (size_t k = 0; k < n; k++)
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; reach[i * n + k] && j < n; j++)
				reach[i * n + j] |= reach[k * n + j];
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			all &= i == j || reach[i * n + j];
	mem_free(reach);
	return all;
}

/* log(1 + exp(x)) */
static double softplus(double x)
{
	return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

static double loss(size_t n, const double *wins, const double *s)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			if (i != j && wins[i * n + j] > 0)
				sum += wins[i * n + j] * softplus(s[j] - s[i]);
	return sum;
}

/* GRADIENT of the likelihood, and INFO: the information matrix with 1 / n added to every cell, which makes it regular. */
static void derivatives(size_t n, const double *wins, const double *s, double *gradient, double *info)
{
	memset(gradient, 0, n * sizeof *gradient);
	for (size_t k = 0; k < n * n; k++)
		info[k] = 1 / (double)n;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++) {
			double games = wins[i * n + j] + wins[j * n + i], p = 1 / (1 + exp(s[j] - s[i]));

			if (i == j || games == 0)
				continue;
			gradient[i] += wins[i * n + j] - games * p;
			info[i * n + i] += games * p * (1 - p);
			info[i * n + j] -= games * p * (1 - p);
		}
}

/* The inverse of a symmetric positive definite matrix, in place (Gauss-Jordan). */
static void invert(size_t n, double *a)
{
	for (size_t k = 0; k < n; k++) {
		double pivot = a[k * n + k];

		a[k * n + k] = 1;
		for (size_t j = 0; j < n; j++)
			a[k * n + j] /= pivot;
		for (size_t i = 0; i < n; i++) {
			double f = a[i * n + k];

			if (i == k)
				continue;
			a[i * n + k] = 0;
			for (size_t j = 0; j < n; j++)
				a[i * n + j] -= f * a[k * n + j];
		}
	}
}

/* One step of Newton's method, halved until the likelihood does not fall; the largest change. */
static double newton(size_t n, const double *wins, double *s, double *gradient, double *info, double *trial)
{
	double before = loss(n, wins, s), largest = 0, size = 1;

	derivatives(n, wins, s, gradient, info);
	invert(n, info);
	for (int halving = 0; halving < 60; halving++, size /= 2) {
		largest = 0;
		for (size_t i = 0; i < n; i++) {
			double step = 0;

			for (size_t j = 0; j < n; j++)
				step += info[i * n + j] * gradient[j];
			trial[i] = s[i] + size * step;
			largest = fabs(size * step) > largest ? fabs(size * step) : largest;
		}
		if (largest < 1e-9 || loss(n, wins, trial) <= before)
			break;
	}
	memcpy(s, trial, n * sizeof *s);
	return largest;
}

bool bradley_terry(size_t n, const double *wins, double *strength, double *se, double *nll)
{
	double *gradient, *info, *trial, mean = 0;

	if (!connected(n, wins))
		return false;
	gradient = mem_new(n * sizeof *gradient);
	trial = mem_new(n * sizeof *trial);
	info = mem_new(n * n * sizeof *info);
	memset(strength, 0, n * sizeof *strength);
	for (int step = 0; step < 200 && newton(n, wins, strength, gradient, info, trial) > 1e-13; step++)
		;
	for (size_t i = 0; i < n; i++)
		mean += strength[i] / (double)n;
	for (size_t i = 0; i < n; i++)
		strength[i] -= mean;
	derivatives(n, wins, strength, gradient, info);
	invert(n, info);
	for (size_t i = 0; i < n; i++)          /* without the 1 / n that was added */
		se[i] = sqrt(fmax(0, info[i * n + i] - 1 / (double)n));
	*nll = loss(n, wins, strength);
	mem_free(gradient);
	mem_free(trial);
	mem_free(info);
	return true;
}
