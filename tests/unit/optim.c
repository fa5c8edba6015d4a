/* SPDX-License-Identifier: Apache-2.0 */
/* Optimisers against their formulas in double and against torch; tests/golden has whole runs. */
#include <math.h>
#include <stdlib.h>

#include "json.h"
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
	CHECK(optim_init(&o, k, &(struct optim_part){ 0, 1, N, 1 }, 1, &(struct optim_opts){ OPTIM_ADAMW, 0.01, clip }, &e) == 0);
	for (int i = 0; i < N; i++)
		a.p[i] = p[i] = (float)sin(i + 1);
	for (int t = 1; t <= 5; t++) {
		for (int i = 0; i < N; i++)
			g[i] = (float)(cos(i * t) * (t == 3 ? 0.01 : 2));
		reference(&a, g, rate[t - 1], 0.01, clip, t);
		optim_step(&o, rate[t - 1], optim_norm(&o, g), p, g);
		for (int i = 0; i < N; i++)
			CHECK(fabs(a.p[i] - p[i]) < 1e-6 && fabs(a.v[i] - o.state[1][i]) <= 1e-6 * a.v[i] && fabs(a.m[i] - o.state[0][i]) < 1e-6);
		if (t == 1)
			CHECK(p[3] == (float)sin(4) && o.state[0][3] != 0);
	}
	CHECK(o.t == 5);
	optim_release(&o);
	kern_close(k);
	pool_close(pool);
}

static void clipped(void)   { steps(1); }
static void unclipped(void) { steps(0); }

/* --- against torch and transformers: tests/data/optim --- */

static const struct optim_part parts[] = { { 0, 5, 7, 1 }, { 35, 1, 6, 1 }, { 41, 3, 4, 4 } };
enum { BLOCK = 53 };

static void gradient(int t, float *g)
{
	for (int i = 0; i < BLOCK; i++)
		g[i] = (float)(cos(i * t) * (t == 3 ? 0.01 : 2));
}

/* Ten steps of KIND on DEVICE from sin(i + 1), into P. */
static void ten_steps(const char *device, enum optim_kind kind, float *p)
{
	struct pool *pool = pool_open(2);
	struct optim o;
	struct kern *k;
	struct err e = {0};
	float g[BLOCK];

	CHECK(kern_open(&k, device, pool, &e) == 0);
	CHECK(optim_init(&o, k, parts, 3, &(struct optim_opts){ kind, 0.01, 1 }, &e) == 0 && o.n == BLOCK);
	for (int i = 0; i < BLOCK; i++)
		p[i] = (float)sin(i + 1);
	for (int t = 1; t <= 10; t++) {
		gradient(t, g);
		optim_step(&o, 1e-3, optim_norm(&o, g), p, g);
	}
	optim_release(&o);
	kern_close(k);
	pool_close(pool);
}

static void against(const char *name, enum optim_kind kind)
{
	static const char *const device[] = { "ref", "cpu:generic", "cpu" };
	const struct json *j = NULL;
	struct err e = {0};
	struct arena a;
	char path[512];
	float p[BLOCK];

	arena_init(&a);
	snprintf(path, sizeof path, "%s/optim/expected.json", getenv("DATA") ? getenv("DATA") : "tests/data");
	CHECK(json_file(&a, path, &j, &e) == 0);
	j = json_get(j, name);
	CHECK(j && j->n == BLOCK);
	for (int d = 0; j && d < 3; d++) {
		ten_steps(device[d], kind, p);
		for (size_t i = 0; i < BLOCK; i++)
			CHECK(fabs(p[i] - json_double(&j->item[i])) < 2e-6);
	}
	arena_release(&a);
}

static void adamw(void)     { against("adamw", OPTIM_ADAMW); }
static void sgd(void)       { against("sgd", OPTIM_SGD); }
static void adafactor(void) { against("adafactor", OPTIM_ADAFACTOR); }

/* Lion by its formula, in double. */
static void lion(void)
{
	double p[BLOCK], m[BLOCK] = {0};
	float ours[BLOCK], g[BLOCK];

	for (int i = 0; i < BLOCK; i++)
		p[i] = (float)sin(i + 1);
	for (int t = 1; t <= 10; t++) {
		double norm = 0, scale;

		gradient(t, g);
		for (int i = 0; i < BLOCK; i++)
			norm += (double)g[i] * g[i];
		scale = fmin(1, 1 / (sqrt(norm) + 1e-6));
		for (int i = 0; i < BLOCK; i++) {
			double lr = i < 41 ? 1e-3 : 4e-3, c = 0.9 * m[i] + 0.1 * scale * g[i];

			p[i] = p[i] * (1 - lr * 0.01) - lr * (c > 0 ? 1 : c < 0 ? -1 : 0);
			m[i] = 0.99 * m[i] + 0.01 * scale * g[i];
		}
	}
	for (int d = 0; d < 2; d++) {
		ten_steps(d ? "cpu" : "ref", OPTIM_LION, ours);
		for (int i = 0; i < BLOCK; i++)
			CHECK(fabs(p[i] - ours[i]) < 2e-6);
	}
}

int main(void)
{
	TEST(adamw);
	TEST(sgd);
	TEST(adafactor);
	TEST(lion);
	TEST(clipped);
	TEST(unclipped);
	return test_end();
}
