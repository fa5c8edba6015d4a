/* SPDX-License-Identifier: Apache-2.0 */
/* Searches: what is drawn, promoted and learned; and that both are ahead of chance on grids of really measured runs. */
#include <math.h>
#include <stdlib.h>

#include "../surrogate.h"
#include "tunestat.h"

#include "test.h"

static const char *const two[] = { "a", "b" }, *const three[] = { "x", "y", "z" };

/* a|b; a number for a only; x|y|z. */
static void space(struct tune_dim d[3])
{
	d[0] = (struct tune_dim){ .name = "first", .word = (const char **)(uintptr_t)two, .levels = 2 };
	d[1] = (struct tune_dim){ .name = "number", .kind = DIM_LOG, .lo = 1e-4, .hi = 1, .when = { { 0, 1 } }, .nwhen = 1 };
	d[1].levels = dim_range_levels(&d[1]);
	d[2] = (struct tune_dim){ .name = "third", .word = (const char **)(uintptr_t)three, .levels = 3 };
}

static void values_of_ranges(void)
{
	struct tune_dim d = { .kind = DIM_LOG, .lo = 1e-4, .hi = 1e-2 };
	struct arena a;

	arena_init(&a);
	CHECK_STR(dim_text(&a, &d, 0), "0.0001");
	CHECK_STR(dim_text(&a, &d, 0.5), "0.001");
	d = (struct tune_dim){ .kind = DIM_INT, .lo = 2, .hi = 5 };
	CHECK(dim_range_levels(&d) == 4);
	CHECK_STR(dim_text(&a, &d, 0), "2");
	CHECK_STR(dim_text(&a, &d, 0.9999), "5");
	d.hi = 100;
	CHECK(dim_range_levels(&d) == DIM_PARTS);
	d = (struct tune_dim){ .kind = DIM_LINEAR, .lo = -1, .hi = 1 };
	CHECK_STR(dim_text(&a, &d, 0.75), "0.5");
	arena_release(&a);
}

static void random_never_repeats(void)
{
	struct tune_dim d[3];
	struct tune_opts o;
	struct tune_search s;
	struct tune_job job[TUNE_ROUND];
	size_t n, all = 0;

	space(d);
	d[1] = (struct tune_dim){ .name = "number", .kind = DIM_INT, .lo = 1, .hi = 4, .levels = 4, .when = { { 0, 1 } }, .nwhen = 1 };
	tune_opts_init(&o);
	o.dim = d;
	o.ndim = 3;
	search_open(&s, &o);
	while ((n = search_round(&s, job)) > 0)
		for (size_t k = 0; k < n; k++) {
			const struct tune_choice *c = s.trial[job[k].trial].choice;

			CHECK((c[1].level >= 0) == (c[0].level == 0) && (c[1].text != NULL) == (c[1].level >= 0));
			search_tell(&s, &job[k], 1);
			all++;
		}
	CHECK(all == 2 * 3 + 3 * 4 - 3 && s.exhausted);        /* 4 numbers x 3 with a, 3 with b */
	search_close(&s);
}

/* The value of a trial: lower for larger numbers, and none for z. */
static double value_of(const struct tune_choice *c)
{
	return c[2].level == 2 ? NAN : c[0].level + (c[1].text ? -log(atof(c[1].text)) / 10 : 0);
}

static void run(struct tune_search *s, double runs)
{
	struct tune_job job[TUNE_ROUND];

	while (runs > 0) {
		size_t n = search_round(s, job);

		for (size_t k = 0; k < n; k++) {
			runs -= search_cost(s, &job[k]);
			search_tell(s, &job[k], value_of(s->trial[job[k].trial].choice) + (double)(s->o.nrungs - job[k].rung));
		}
	}
}

static void halving_keeps_the_best(void)
{
	struct tune_dim d[3];
	struct tune_opts o;
	struct tune_search s;
	size_t reached[3] = {0}, best;

	space(d);
	tune_opts_init(&o);
	o = (struct tune_opts){ .kind = TUNE_ASHA, .dim = d, .ndim = 3, .round = 3, .rung = { 1, 3, 9 }, .nrungs = 3, .keep = 3, .seed = 5 };
	search_open(&s, &o);
	run(&s, 20);
	best = search_best(&s);
	for (size_t i = 0; i < s.n; i++)
		for (size_t k = 0; k < s.trial[i].known; k++)
			reached[k]++;
	/* About one in three; more where those that went on were beaten later. */
	CHECK(reached[0] > 30 && 2 * reached[1] < reached[0] && 2 * reached[2] < reached[1] && reached[2] > 0);
	CHECK(best < s.n && s.trial[best].known == 3);
	for (size_t i = 0; i < s.n; i++) {
		CHECK(!(s.trial[i].known == 3 && s.trial[i].value[2] < s.trial[best].value[2]));
		CHECK(s.trial[i].known == 1 || !isnan(s.trial[i].value[0]));       /* what failed goes nowhere */
	}
	search_close(&s);
}

static void policy_learns(void)
{
	struct tune_dim d[3];
	struct tune_opts o;
	struct tune_search s;
	const double *p;

	space(d);
	tune_opts_init(&o);
	o.kind = TUNE_POLICY;
	o.dim = d;
	o.ndim = 3;
	search_open(&s, &o);
	run(&s, 60);
	policy_learn(s.policy, &s);
	CHECK(policy_levels(s.policy, 0)[0] > 0.8);                /* a, not b */
	CHECK(policy_levels(s.policy, 2)[2] < 0.2);                /* not z, which fails */
	p = policy_levels(s.policy, 1);
	CHECK(p[DIM_PARTS - 1] + p[DIM_PARTS - 2] > 0.5);          /* large numbers */
	for (size_t i = 0; i < 3; i++) {
		double h = 0, sum = 0;

		p = policy_levels(s.policy, i);
		for (size_t k = 0; k < d[i].levels; k++) {
			h -= p[k] * log(p[k]);
			sum += p[k];
		}
		CHECK(fabs(sum - 1) < 1e-12 && h >= o.entropy * log((double)d[i].levels) - 1e-9);
	}
	search_close(&s);
}

/* The same results give the same trials, also where a search is opened again and told what is known. */
static void the_same_again(void)
{
	for (int kind = TUNE_RANDOM; kind <= TUNE_POLICY; kind++) {
		struct tune_dim d[3];
		struct tune_opts o;
		struct tune_search a, b;

		space(d);
		tune_opts_init(&o);
		o.kind = (enum tune_kind)kind;
		o.dim = d;
		o.ndim = 3;
		o.rung[1] = 3;
		o.nrungs = kind == TUNE_ASHA ? 2 : 1;
		search_open(&a, &o);
		search_open(&b, &o);
		run(&a, 30);
		run(&b, 10);
		run(&b, 20);
		for (size_t i = 0; i < a.n && i < b.n; i++)
			for (size_t k = 0; k < 3; k++) {
				const char *x = a.trial[i].choice[k].text, *y = b.trial[i].choice[k].text;

				CHECK_STR(x ? x : "", y ? y : "");
			}
		search_close(&a);
		search_close(&b);
	}
}

static void what_mattered(void)
{
	static const double v[] = { 1, 2, 3, 4, 11, 12, 13, 14 };
	static const int good[] = { 0, 0, 0, 0, 1, 1, 1, 1 }, bad[] = { 0, 1, 1, 0, 0, 1, 1, 0 }, one[] = { 0, 0, 0, 0, 0, 0, 0, 0 }, all[] = { 0, 1, 2, 3, 4, 5, 6, 7 };

	/* SST 210, SSW 10, MSW 10/6: (200 - 10/6) / 210. */
	CHECK(fabs(stat_explained(v, good, 8, 2) - (200 - 10.0 / 6) / 210) < 1e-12);
	CHECK(stat_explained(v, bad, 8, 2) == 0);
	CHECK(isnan(stat_explained(v, one, 8, 2)) && isnan(stat_explained(v, all, 8, 8)) && isnan(stat_explained(v, good, 0, 2)));
}

static void front(void)
{
	static const double a[] = { 1, 2, 3, 2, NAN }, b[] = { 3, 2, 1, 1, 9 };

	CHECK(stat_pareto(a, 1, b, 1, 5, 0) && stat_pareto(a, 1, b, 1, 5, 1) && stat_pareto(a, 1, b, 1, 5, 2));
	CHECK(!stat_pareto(a, 1, b, 1, 5, 3) && !stat_pareto(a, 1, b, 1, 5, 4));
	CHECK(stat_pareto(a, -1, b, 1, 5, 0) && !stat_pareto(a, -1, b, 1, 5, 1));
}

/* Median regret over 20 seeds at equal budgets: both are ahead of random search on each grid. */
static void ahead_of_chance(void)
{
	static const char *const grids[] = { "cards", "words" };
	static const double budget[] = { 15, 25, 40 };
	enum { SEEDS = 20 };

	for (size_t g = 0; g < 2; g++) {
		struct surrogate s;
		char path[1000];

		snprintf(path, sizeof path, "%s/tune/%s.csv", getenv("DATA") ? getenv("DATA") : "tests/data", grids[g]);
		CHECK(surrogate_open(&s, path));
		for (size_t b = 0; b < 3 && s.n; b++) {
			double median[3];

			for (int kind = TUNE_RANDOM; kind <= TUNE_POLICY; kind++) {
				struct tune_opts o;
				double r[SEEDS];

				tune_opts_init(&o);
				o.kind = (enum tune_kind)kind;
				surrogate_regrets(&s, o, budget[b], r, SEEDS);
				median[kind] = (r[SEEDS / 2 - 1] + r[SEEDS / 2]) / 2;
			}
			CHECK(median[TUNE_ASHA] < median[TUNE_RANDOM]);
			CHECK(median[TUNE_POLICY] < median[TUNE_RANDOM]);
		}
		surrogate_close(&s);
	}
}

int main(void)
{
	TEST(values_of_ranges);
	TEST(random_never_repeats);
	TEST(halving_keeps_the_best);
	TEST(policy_learns);
	TEST(the_same_again);
	TEST(what_mattered);
	TEST(front);
	TEST(ahead_of_chance);
	return test_end();
}
