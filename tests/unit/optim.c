/* SPDX-License-Identifier: Apache-2.0 */
/* AdamW against its formulas in double; tests/golden has whole runs of torch. */
#include <math.h>

#include "mem.h"
#include "optim.h"
#include "test.h"

enum { N = 37 };

struct adam { double p[N], m[N], v[N]; };

static void reference(struct adam *a, const float *g, double lr, double decay, double clip, int t)
{
	double norm = 0, scale;

	for (int i = 0; i < N; i++)
		norm += (double)g[i] * g[i];
	norm = sqrt(norm);
	scale = clip > 0 && clip / (norm + 1e-6) < 1 ? clip / (norm + 1e-6) : 1;
	for (int i = 0; i < N; i++) {
		double x = g[i] * scale;

		a->p[i] *= 1 - lr * decay;
		a->m[i] = 0.9 * a->m[i] + 0.1 * x;
		a->v[i] = 0.999 * a->v[i] + 0.001 * x * x;
		a->p[i] -= lr * (a->m[i] / (1 - pow(0.9, t))) / (sqrt(a->v[i] / (1 - pow(0.999, t))) + 1e-8);
	}
}

/* Steps with gradients that are clipped and not; the first at rate 0 moves the moments only. */
static void steps(double clip)
{
	static const double rate[] = { 0, 1e-2, 3e-3, 1e-3, 1e-3 };
	struct pool *pool = pool_open(1);
	struct adam a = {0};
	struct optim o;
	struct kern *k;
	struct err e = {0};
	float p[N], g[N];

	CHECK(kern_open(&k, "ref", pool, &e) == 0);
	CHECK(optim_init(&o, k, N, 0.01, clip, &e) == 0);
	for (int i = 0; i < N; i++)
		a.p[i] = p[i] = (float)sin(i + 1);
	for (int t = 1; t <= 5; t++) {
		for (int i = 0; i < N; i++)
			g[i] = (float)(cos(i * t) * (t == 3 ? 0.01 : 2));
		reference(&a, g, rate[t - 1], 0.01, clip, t);
		optim_step(&o, rate[t - 1], optim_norm(&o, g), p, g);
		for (int i = 0; i < N; i++)
			CHECK(fabs(a.p[i] - p[i]) < 1e-6 && fabs(a.v[i] - o.v[i]) <= 1e-6 * a.v[i] && fabs(a.m[i] - o.m[i]) < 1e-6);
		if (t == 1)
			CHECK(p[3] == (float)sin(4) && o.m[3] != 0);
	}
	CHECK(o.t == 5);
	optim_release(&o);
	kern_close(k);
	pool_close(pool);
}

static void clipped(void)   { steps(1); }
static void unclipped(void) { steps(0); }

int main(void)
{
	TEST(clipped);
	TEST(unclipped);
	return test_end();
}
