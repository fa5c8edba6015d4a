/* SPDX-License-Identifier: Apache-2.0 */
/* The sampler against distributions worked out from the definitions: chi-square of 20,000 draws. */
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
	TEST(seeds);
	return test_end();
}
