/* SPDX-License-Identifier: Apache-2.0 */
/* The sampler against distributions worked out from the definitions: chi-square of 20,000 draws, seeds fixed. */
#include <math.h>
#include <stdbool.h>

#include "sampler.h"
#include "test.h"

enum { V = 8, DRAWS = 20000 };
static const float logits[V] = { 1.0f, 3.0f, 2.0f, 3.0f, -1.0f, 0.0f, 2.5f, -4.0f };

static uint32_t pick(struct sampler *s, const struct sampler_opts *o, const uint32_t *seen, uint32_t n, struct rng *r)
{
	float x[V];

	memcpy(x, logits, sizeof x);
	return sampler_pick(s, o, x, seen, n, r);
}

/* Draws agree with probabilities proportional to exp(logit / temperature) over the ids of ALLOWED, and nothing else is drawn. */
static bool agrees(const struct sampler_opts *o, const uint32_t *allowed, uint32_t n)
{
	uint32_t count[V] = {0};
	double all = 0, chi = 0;
	struct sampler s;
	struct rng r;

	sampler_init(&s, V);
	rng_init(&r, 5, 6);
	for (int i = 0; i < DRAWS; i++)
		count[pick(&s, o, NULL, 0, &r)]++;
	sampler_release(&s);
	for (uint32_t i = 0; i < n; i++)
		all += exp(logits[allowed[i]] / o->temperature);
	for (uint32_t i = 0; i < n; i++) {
		double want = DRAWS * exp(logits[allowed[i]] / o->temperature) / all, d = count[allowed[i]] - want;

		chi += d * d / want;
		count[allowed[i]] = 0;
	}
	for (int i = 0; i < V; i++)
		if (count[i])
			return false;
	return chi < 30;        /* 7 degrees of freedom: one in ten thousand */
}

static void greedy(void)
{
	static const uint32_t seen[] = { 1, 1, 3, 4 };
	struct sampler_opts o = { .top_p = 1, .repeat_penalty = 1 };
	struct sampler s;

	sampler_init(&s, V);
	CHECK(pick(&s, &o, NULL, 0, NULL) == 1);        /* of the two of 3.0 the lower id */
	o.repeat_penalty = 1.5;                         /* 1 and 3 fall to 2.0, once each: 6 is next */
	CHECK(pick(&s, &o, seen, 4, NULL) == 6);
	o.repeat_penalty = 1.1;                         /* 2.73 is still more than 2.5 */
	CHECK(pick(&s, &o, seen, 4, NULL) == 1);
	sampler_release(&s);
}

static void distributions(void)
{
	static const uint32_t all[] = { 0, 1, 2, 3, 4, 5, 6, 7 }, best4[] = { 1, 3, 6, 2 };
	struct sampler_opts o = { .temperature = 1, .top_p = 1, .repeat_penalty = 1 };

	CHECK(agrees(&o, all, V));
	o.temperature = 2.5;
	CHECK(agrees(&o, all, V));
	o.temperature = 0.7;
	o.top_k = 4;
	CHECK(agrees(&o, best4, 4));
	o.top_k = 1;
	CHECK(agrees(&o, best4, 1));
	o.top_k = 100;
	CHECK(agrees(&o, all, V));
}

/* exp: 20.1 20.1 12.2 7.39 2.72 1 .37 .02; shares .314 .314 .191 .116 .043 ... of 63.9 */
static void nucleus(void)
{
	static const uint32_t best[] = { 1, 3, 6, 2, 0 };
	struct sampler_opts o = { .temperature = 1, .top_p = 0.6, .repeat_penalty = 1 };

	CHECK(agrees(&o, best, 2));
	o.top_p = 0.63;
	CHECK(agrees(&o, best, 3));
	o.top_p = 1e-9;
	CHECK(agrees(&o, best, 1));
	o.top_k = 3;                                    /* shares are then .384 .384 .233 */
	o.top_p = 0.76;
	CHECK(agrees(&o, best, 2));
	o.top_p = 0.78;
	CHECK(agrees(&o, best, 3));
	o.top_k = 0;
	o.top_p = 1;
	o.min_p = 0.3;                                  /* 2 has .37 of the best, 0 has .14 */
	CHECK(agrees(&o, best, 4));
	o.top_p = 0.63;
	CHECK(agrees(&o, best, 3));
	o.min_p = 0.7;
	CHECK(agrees(&o, best, 2));
}

/* --- any options over a larger vocabulary: the definition of sampler.h, step by step, with nothing of sampler.c --- */

enum { WIDE = 60 };

struct wide {
	float x[WIDE];
	double p[WIDE];                 /* exact probabilities, 0 for what may not be drawn */
	uint32_t seen[12];
};

static void wide_logits(struct wide *w)
{
	struct rng r;

	rng_init(&r, 11, 12);
	for (int i = 0; i < WIDE; i++)
		w->x[i] = (float)(1.5 * rng_normal(&r));
	for (int i = 0; i < 12; i++)                    /* some of them twice */
		w->seen[i] = (uint32_t)(rng_unit(&r) * 20);
}

/* Which id is next likeliest among those left; WIDE: none. */
static int next_likeliest(const double *p, const bool *taken)
{
	int best = WIDE;

	for (int i = 0; i < WIDE; i++)
		if (!taken[i] && p[i] > 0 && (best == WIDE || p[i] > p[best]))
			best = i;
	return best;
}

/* Zero all but the fewest likeliest whose sum is SHARE of what there is, or all but N. */
static void keep(double *p, uint32_t n, double share)
{
	bool taken[WIDE] = {0};
	double all = 0, sum = 0;
	uint32_t count = 0;

	for (int i = 0; i < WIDE; i++)
		all += p[i];
	for (int i; count < n && sum < share * all && (i = next_likeliest(p, taken)) < WIDE; count++) {
		taken[i] = true;
		sum += p[i];
	}
	for (int i = 0; i < WIDE; i++)
		p[i] = taken[i] ? p[i] : 0;
}

static void exact(struct wide *w, const struct sampler_opts *o)
{
	double x[WIDE], all = 0, top = 0;
	bool hit[WIDE] = {0};

	for (int i = 0; i < 12; i++)
		hit[w->seen[i]] = true;
	for (int i = 0; i < WIDE; i++) {
		x[i] = hit[i] ? (w->x[i] > 0 ? w->x[i] / o->repeat_penalty : w->x[i] * o->repeat_penalty) : w->x[i];
		w->p[i] = exp(x[i] / o->temperature);
	}
	if (o->top_k)
		keep(w->p, o->top_k, 2);
	if (o->top_p < 1)
		keep(w->p, WIDE, o->top_p);
	for (int i = 0; i < WIDE; i++)
		top = fmax(top, w->p[i]);
	for (int i = 0; i < WIDE; i++) {
		w->p[i] = w->p[i] < o->min_p * top ? 0 : w->p[i];
		all += w->p[i];
	}
	for (int i = 0; i < WIDE; i++)
		w->p[i] /= all;
}

/* Chi-square of the draws, tokens of fewer than five expected draws taken together; *DEGREES: of freedom.  Infinite where one was drawn that
 * may not be. */
static double chi_square(const struct wide *w, const struct sampler_opts *o, uint64_t seed, int *degrees)
{
	uint32_t count[WIDE] = {0};
	double chi = 0, rest = 0, rest_count = 0;
	struct sampler s;
	struct rng r;

	sampler_init(&s, WIDE);
	rng_init(&r, seed, 1);
	for (int i = 0; i < DRAWS; i++) {
		float x[WIDE];

		memcpy(x, w->x, sizeof x);
		count[sampler_pick(&s, o, x, w->seen, 12, &r)]++;
	}
	sampler_release(&s);
	*degrees = -1;
	for (int i = 0; i < WIDE; i++) {
		double want = DRAWS * w->p[i];

		if (want == 0 && count[i])
			return INFINITY;
		if (want < 5) {
			rest += want;
			rest_count += count[i];
			continue;
		}
		chi += (count[i] - want) * (count[i] - want) / want;
		++*degrees;
	}
	if (rest >= 5) {
		chi += (rest_count - rest) * (rest_count - rest) / rest;
		++*degrees;
	}
	return chi;
}

/* The bound is exceeded by one right sampler in about 30,000 (Wilson and Hilferty's cube, four deviations). */
static double bound(int degrees)
{
	double a = 2.0 / (9 * degrees);

	return degrees * pow(1 - a + 4 * sqrt(a), 3);
}

static void every_option(void)
{
	static const struct sampler_opts how[] = {
		{ .temperature = 1, .top_p = 1, .repeat_penalty = 1 },
		{ .temperature = 0.6, .top_p = 1, .repeat_penalty = 1 },
		{ .temperature = 1.7, .top_p = 1, .repeat_penalty = 1 },
		{ .temperature = 1, .top_k = 17, .top_p = 1, .repeat_penalty = 1 },
		{ .temperature = 1, .top_p = 0.8, .repeat_penalty = 1 },
		{ .temperature = 1, .top_p = 1, .min_p = 0.1, .repeat_penalty = 1 },
		{ .temperature = 1, .top_p = 1, .repeat_penalty = 1.8 },
		{ .temperature = 1, .top_p = 1, .repeat_penalty = 0.7 },
		{ .temperature = 1.3, .top_p = 0.9, .repeat_penalty = 1.3 },
		{ .temperature = 0.9, .top_k = 30, .top_p = 0.95, .min_p = 0.03, .repeat_penalty = 1.2 },
	};
	struct wide w;
	int degrees;

	wide_logits(&w);
	for (size_t i = 0; i < sizeof how / sizeof *how; i++) {
		exact(&w, &how[i]);
		for (uint64_t seed = 0; seed < 3; seed++) {
			double chi = chi_square(&w, &how[i], seed, &degrees);

			if (degrees < 3 || !(chi < bound(degrees))) {
				printf("# options %zu, seed %d: %.1f with %d degrees of freedom\n", i, (int)seed, chi, degrees);
				CHECK(!"chi-square");
			}
		}
	}
	exact(&w, &how[6]);                              /* the test sees an option left out */
	CHECK(chi_square(&w, &how[0], 0, &degrees) > 2 * bound(degrees));
	exact(&w, &how[1]);
	CHECK(chi_square(&w, &how[0], 0, &degrees) > 2 * bound(degrees));
}

static void seeds(void)
{
	struct sampler_opts o = { .temperature = 1, .top_p = 0.95, .repeat_penalty = 1 };
	uint32_t a[50], b[50], top[V];
	struct sampler s;
	struct rng r;

	sampler_init(&s, V);
	for (int k = 0; k < 2; k++) {
		rng_init(&r, 1, 2);
		for (int i = 0; i < 50; i++)
			(k ? b : a)[i] = pick(&s, &o, NULL, 0, &r);
	}
	CHECK(memcmp(a, b, sizeof a) == 0);
	rng_init(&r, 1, 3);
	for (int i = 0; i < 50; i++)
		b[i] = pick(&s, &o, NULL, 0, &r);
	CHECK(memcmp(a, b, sizeof a) != 0);
	sampler_top(&s, logits, V, top);
	CHECK(top[0] == 1 && top[1] == 3 && top[2] == 6 && top[7] == 7);
	CHECK(fabs(sampler_logsum(logits, V) - 4.1572) < 1e-3);
	sampler_release(&s);
}

int main(void)
{
	TEST(greedy);
	TEST(distributions);
	TEST(nucleus);
	TEST(every_option);
	TEST(seeds);
	return test_end();
}
