/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of a mix: permutations, shares, draws and their orders. */
#include <stdlib.h>

#include "mix.h"
#include "perm.h"
#include "rng.h"

#include "test.h"

static void permutations(void)
{
	static uint8_t seen[3000];
	struct perm p, q;
	uint64_t same = 0, fixed = 0;

	for (uint64_t n = 1; n <= 3000; n += n < 70 ? 1 : 293) {
		memset(seen, 0, sizeof seen);
		perm_init(&p, n, 7, n);
		for (uint64_t i = 0; i < n; i++) {
			uint64_t x = perm_at(&p, i);

			CHECK(x < n && !seen[x]);
			seen[x] = 1;
		}
	}
	perm_init(&p, 1000, 1, 0);
	perm_init(&q, 1000, 2, 0);
	for (uint64_t i = 0; i < 1000; i++) {
		same += perm_at(&p, i) == perm_at(&q, i);
		fixed += perm_at(&p, i) == i;
	}
	CHECK(same < 10 && fixed < 10);
	perm_init(&p, UINT64_MAX, 1, 0);
	CHECK(perm_at(&p, 5) != 5);
}

static void shares(void)
{
	uint64_t out[50];
	double w[50];
	struct rng r;

	mix_share(10, (double[]){ 1, 1, 1 }, 3, out);
	CHECK(out[0] == 4 && out[1] == 3 && out[2] == 3);
	mix_share(7, (double[]){ 0, 2, 0.5 }, 3, out);
	CHECK(out[0] == 0 && out[1] == 6 && out[2] == 1);
	mix_share(0, (double[]){ 1 }, 1, out);
	CHECK(out[0] == 0);
	rng_init(&r, 3, 0);
	for (int round = 0; round < 2000; round++) {
		size_t n = 1 + rng_below(&r, 50);
		uint64_t total = rng_below(&r, round % 2 ? 100 : 1000000007), sum = 0;
		double all = 0;

		for (size_t i = 0; i < n; i++)
			all += w[i] = rng_unit(&r) + 1e-9;
		mix_share(total, w, n, out);
		for (size_t i = 0; i < n; i++) {
			double exact = (double)total * w[i] / all;

			sum += out[i];
			CHECK((double)out[i] < exact + 1 && (double)out[i] > exact - 1);
		}
		CHECK(sum == total);
	}
}

/* Every draw of an order: each record of a source about as often as any other of its stratum. */
static void draws(enum mix_order order)
{
	struct mix m;
	struct err e = {0};
	struct mix_stratum strata[] = {
		{ .source = 0, .factor = 1, .n = 90 }, { .source = 0, .factor = 3, .n = 10 },
		{ .source = 1, .factor = 1, .n = 7 }, { .source = 1, .factor = 3, .n = 0 },
	};
	int count[4][100] = {{0}};
	struct mix_walk *w;

	mix_init(&m, "/tmp");
	CHECK(mix_add(&m, "a:3", &e) == 0 && mix_add(&m, "b", &e) == 0);
	m.total = 240;
	m.order = order;
	m.stratum = mem_new(sizeof strata);
	memcpy(m.stratum, strata, sizeof strata);
	m.nstrata = 4;
	m.source[0].n = 100;
	m.source[1].n = 7;
	m.source[1].stratum = 2;
	m.source[0].nstrata = m.source[1].nstrata = 2;
	CHECK(mix_plan(&m, &e) == 0);
	CHECK(m.source[0].draw == 180 && m.source[1].draw == 60);
	CHECK(m.stratum[0].draw == 135 && m.stratum[1].draw == 45 && m.stratum[2].draw == 60 && m.stratum[3].draw == 0);
	w = mix_walk_new(&m);
	for (uint64_t i = 0; i < m.total; i++) {
		uint32_t source, stratum;
		uint64_t k, record;

		mix_walk_next(w, &source, &k);
		mix_draw(&m, source, k, &stratum, &record);
		CHECK(stratum < 4 && record < m.stratum[stratum].n && m.stratum[stratum].source == source);
		count[stratum][record]++;
	}
	mix_walk_free(w);
	for (int i = 0; i < 90; i++)
		CHECK(count[0][i] == 1 || count[0][i] == 2);
	for (int i = 0; i < 10; i++)
		CHECK(count[1][i] == 4 || count[1][i] == 5);
	for (int i = 0; i < 7; i++)
		CHECK(count[2][i] == 8 || count[2][i] == 9);
	mix_release(&m);
}

static void shuffled(void)
{
	draws(MIX_SHUFFLED);
}

static void progressive(void)
{
	draws(MIX_PROGRESSIVE);
}

int main(void)
{
	TEST(permutations);
	TEST(shares);
	TEST(shuffled);
	TEST(progressive);
	return test_end();
}
