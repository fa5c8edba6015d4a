/* SPDX-License-Identifier: Apache-2.0 */
#include "keyset.h"
#include "mem.h"
#include "rng.h"
#include "scratch.h"
#include "splitplan.h"

#include <stdlib.h>

#include "test.h"

static void sizes(void)
{
	struct err e = {0};
	struct split_class one = { .n = 70 }, c[3] = { { .n = 50 }, { .n = 30 }, { .n = 21 } };

	CHECK(split_size(100, 0.07) == 8);        /* 100 * 0.07 is 7.000000000000001: scikit-learn has 8 too */
	CHECK(split_size(100, 0.1) == 10);
	CHECK(split_size(3, 0.1) == 1);
	CHECK(split_size(0, 0.1) == 0);
	CHECK(split_size(10, 3) == 3);
	CHECK(split_sizes(&one, 1, 0.1, 5, &e) == 0 && one.val == 7 && one.test == 5);
	CHECK(split_sizes(c, 3, 0.1, 0.2, &e) == 0);
	CHECK(c[0].val == 6 && c[1].val == 3 && c[2].val == 2);         /* 11: quotas 5.4, 3.3, 2.3: the largest remainder is the first */
	CHECK(c[0].test + c[1].test + c[2].test == 21);
	CHECK(split_sizes(&one, 1, 60, 11, &e) == SFT_BADDATA);
	CHECK(split_sizes(&one, 1, 70, 0, &e) == 0 && one.val == 70);
}

static void quotas(void)
{
	struct rng r;
	struct err e = {0};
	struct split_class c[40];

	rng_init(&r, 1, 2);
	for (int round = 0; round < 300; round++) {
		size_t k = 1 + (size_t)rng_below(&r, 40);
		uint64_t n = 0, val = 0, test = 0;
		double f = rng_unit(&r) * 0.5, g = rng_unit(&r) * 0.4;

		for (size_t i = 0; i < k; i++)
			n += c[i].n = 1 + rng_below(&r, 1 + rng_below(&r, 200));
		if (split_size(n, f) + split_size(n, g) > n)
			continue;
		CHECK(split_sizes(c, k, f, g, &e) == 0);
		for (size_t i = 0; i < k; i++) {
			double quota = (double)split_size(n, f) * (double)c[i].n / (double)n;

			CHECK(c[i].val + c[i].test <= c[i].n);
			CHECK((double)c[i].val > quota - 1 && (double)c[i].val < quota + 1);
			val += c[i].val;
			test += c[i].test;
		}
		CHECK(val == split_size(n, f) && test == split_size(n, g));
	}
}

struct item {
	uint32_t class;
	struct split_rank rank;
};

static int by_rank(const void *a, const void *b)
{
	const struct item *p = a, *q = b;

	if (p->class != q->class)
		return p->class < q->class ? -1 : 1;
	if (p->rank.hash != q->rank.hash)
		return p->rank.hash < q->rank.hash ? -1 : 1;
	return p->rank.num < q->rank.num ? -1 : 1;
}

/* The sides by the finder are those by sorting, equal hashes and classes of all sizes included. */
static void cuts(void)
{
	enum { N = 20000, K = 7 };
	struct item *v = mem_new(N * sizeof *v);
	struct split_class c[K] = {{0}};
	struct split_finder *f;
	const struct split_cut *cut;
	struct rng r;
	struct err e = {0};
	size_t at = 0;

	rng_init(&r, 3, 0);
	for (size_t i = 0; i < N; i++) {
		uint32_t class = rng_below(&r, 2) ? 0 : (uint32_t)rng_below(&r, 1 + rng_below(&r, K));

		v[i] = (struct item){ class, { rng_below(&r, 3) ? rng_u64(&r) : rng_mix(rng_below(&r, 20)), i } };
		c[class].n++;
	}
	CHECK(split_sizes(c, K, 0.13, 0.29, &e) == 0);
	f = split_finder_new(c, K);
	for (size_t i = 0; i < N; i++)
		split_count(f, v[i].class, v[i].rank);
	for (size_t i = N; i-- > 0; )
		split_collect(f, v[i].class, v[i].rank);
	cut = split_cuts(f);
	qsort(v, N, sizeof *v, by_rank);
	for (uint32_t k = 0; k < K; k++)
		for (uint64_t i = 0; i < c[k].n; i++, at++) {
			enum side want = i < c[k].val ? SIDE_VAL : i >= c[k].n - c[k].test ? SIDE_TEST : SIDE_TRAIN;

			CHECK(v[at].class == k && split_side(&cut[k], v[at].rank) == want);
		}
	split_finder_free(f);
	mem_free(v);
}

struct group {
	uint64_t rank, size;
	enum side side;
};

static int by_group(const void *a, const void *b)
{
	const struct group *p = a, *q = b;

	return p->rank < q->rank ? -1 : p->rank > q->rank;
}

static void take_all(struct group *g, size_t k, uint64_t val, uint64_t test)
{
	struct split_taker v = { .want = val }, t = { .want = test };

	qsort(g, k, sizeof *g, by_group);
	for (size_t i = 0; i < k; i++)
		split_offer(&v, g[i].rank, g[i].size);
	for (size_t i = k; i-- > 0; )
		if (!split_took(&v, g[i].rank))
			split_offer(&t, g[i].rank, g[i].size);
	for (size_t i = 0; i < k; i++) {
		CHECK(!split_took(&v, g[i].rank) || !split_took(&t, g[i].rank));
		g[i].side = split_took(&v, g[i].rank) ? SIDE_VAL : split_took(&t, g[i].rank) ? SIDE_TEST : SIDE_TRAIN;
	}
}

static void groups(void)
{
	struct group g[60], big[3] = { { 1, 100, SIDE_TRAIN }, { 2, 3, SIDE_TRAIN }, { 3, 100, SIDE_TRAIN } };
	struct rng r;

	rng_init(&r, 5, 0);
	for (int round = 0; round < 500; round++) {
		uint64_t largest = 0, n = 0, count[SIDES] = {0}, val, test;

		for (size_t i = 0; i < 60; i++) {
			g[i] = (struct group){ rng_u64(&r), 1 + rng_below(&r, 9), SIDE_TRAIN };
			n += g[i].size;
			largest = g[i].size > largest ? g[i].size : largest;
		}
		val = rng_below(&r, n / 2);
		test = rng_below(&r, n / 3);
		take_all(g, 60, val, test);
		for (size_t i = 0; i < 60; i++)
			count[g[i].side] += g[i].size;
		CHECK(count[SIDE_VAL] + largest > val && count[SIDE_VAL] < val + largest);
		CHECK(count[SIDE_TEST] + largest > test && count[SIDE_TEST] < test + largest);
		CHECK(count[SIDE_TRAIN] + count[SIDE_VAL] + count[SIDE_TEST] == n && (val || count[SIDE_VAL] == 0));
	}
	take_all(big, 2, 3, 0);                        /* the first is too large: the next is taken */
	CHECK(big[0].side == SIDE_TRAIN && big[1].side == SIDE_VAL);
	take_all(big, 1, 3, 0);                        /* there is no other */
	CHECK(big[0].side == SIDE_VAL);
	take_all(big, 3, 2, 2);                        /* val has the one that fits: the others are too large for test, which has the last */
	CHECK(big[0].side == SIDE_TRAIN && big[1].side == SIDE_VAL && big[2].side == SIDE_TEST);
}

static void keys(void)
{
	struct keyset k;
	struct err e = {0};
	bool added;
	uint32_t number;

	keyset_init(&k, true);
	for (uint64_t i = 0; i < 100000; i++) {
		uint64_t x = i % 60000;
		struct hash128 h = { rng_mix(x), x == 0 ? 0 : rng_mix(x / 7) };   /* many share the low half */

		if (x == 0)
			h.hi = 0;
		CHECK(keyset_add(&k, h, &added, &number, &e) == 0);
		CHECK(added == (i < 60000) && number == x);
	}
	CHECK(k.n == 60000 && k.n * 8 <= keyset_slots(&k) * 7);
	CHECK(keyset_has(&k, (struct hash128){0}));
	CHECK(!keyset_has(&k, (struct hash128){ 1, 1 }));
	keyset_release(&k);
}

/* N numbers of 8 bytes, in pieces of changing size, read twice. */
static void spilled(uint64_t n)
{
	struct scratch *s = scratch_new("/tmp");
	struct err e = {0};
	uint64_t piece[5000];
	const void *p;

	for (uint64_t i = 0, k; i < n; i += k) {
		k = 1 + i % 5000;
		k = k > n - i ? n - i : k;
		for (uint64_t a = 0; a < k; a++)
			piece[a] = i + a;
		CHECK(scratch_write(s, piece, k * 8, &e) == 0);
	}
	CHECK(scratch_size(s) == n * 8);
	for (int round = 0; round < 2; round++) {
		CHECK(scratch_rewind(s, &e) == 0);
		for (uint64_t i = 0, k; i < n; i += k) {
			k = 1 + i % 3333;
			k = k > n - i ? n - i : k;
			CHECK(scratch_read(s, k * 8, &p, &e) == 0);
			for (uint64_t a = 0; a < k; a++) {
				uint64_t x;
				memcpy(&x, (const char *)p + a * 8, 8);
				CHECK(x == i + a);
			}
		}
		CHECK(scratch_left(s) == 0);
	}
	CHECK(scratch_read(s, 1, &p, &e) == SFT_SYSTEM);
	scratch_free(s);
}

/* What is done with goes; what stands around it stays, wherever its pages begin. */
static void done_with(uint64_t from, uint64_t n)
{
	static char all[6 << 20], back[sizeof all];
	struct scratch *s = scratch_new("/tmp");
	struct err e = {0};

	for (size_t i = 0; i < sizeof all; i++)
		all[i] = (char)(i % 251);
	CHECK(scratch_write(s, all, sizeof all / 2, &e) == 0 && scratch_write(s, all + sizeof all / 2, sizeof all / 2, &e) == 0);
	CHECK(scratch_rewind(s, &e) == 0);
	scratch_done(s, from, n);
	CHECK(scratch_size(s) == sizeof all);
	CHECK(scratch_at(s, 0, sizeof all, back, &e) == 0);
	CHECK(memcmp(all, back, from) == 0);
	CHECK(memcmp(all + from + n, back + from + n, sizeof all - from - n) == 0);
	scratch_free(s);
}

static void scratch_files(void)
{
	done_with(5000001, 123457);
	done_with(4097, 4094);
	done_with(0, 6 << 20);
	spilled(1000);
	spilled(1000000);
	spilled(0);
}

static void no_folder(void)
{
	struct scratch *s = scratch_new("/nowhere");
	struct err e = {0};
	char *p = mem_new(3 << 20);

	CHECK(scratch_write(s, p, 3 << 20, &e) == 0);
	CHECK(scratch_write(s, p, 3 << 20, &e) == SFT_SYSTEM);
	CHECK_STR(e.msg, "/nowhere: No such file or directory");
	scratch_free(s);
	mem_free(p);
}

int main(void)
{
	TEST(sizes);
	TEST(quotas);
	TEST(cuts);
	TEST(groups);
	TEST(keys);
	TEST(scratch_files);
	TEST(no_folder);
	return test_end();
}
