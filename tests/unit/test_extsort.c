/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting beyond memory against qsort; groups of near-duplicates with little memory against the same with plenty. */
#include "extsort.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "neardup.h"
#include "rng.h"
#include "test.h"

struct item {
	uint64_t key, num, more[2];
};

static unsigned low;

static int by_key(const void *x, const void *y)
{
	const struct item *a = x, *b = y;
	uint64_t p = a->key >> low, q = b->key >> low;

	if (p != q)
		return p < q ? -1 : 1;
	return a->num < b->num ? -1 : a->num > b->num;
}

/* Keys drawn by KIND: few, many, alike but for one byte. */
static uint64_t draw(struct rng *r, int kind)
{
	return kind == 0 ? rng_below(r, 100) : kind == 1 ? rng_u64(r) : 0x1122334455667788u ^ rng_below(r, 256) << 32;
}

static void sort_one(size_t size, size_t n, uint64_t memory, int kind)
{
	struct extsort *s = extsort_new(size, low, memory, "/tmp");
	struct item *want = mem_new((n + 1) * sizeof *want);
	struct rng r;
	struct err e = {0};
	bool same = true;

	rng_init(&r, n, size + (uint64_t)kind);
	for (size_t i = 0; i < n; i++) {
		want[i] = (struct item){ draw(&r, kind), i, { ~i, i * i } };
		if (size == 8)                         /* the number is in the low bits */
			want[i].key = want[i].key >> 32 << 32 | i;
		CHECK(extsort_put(s, &want[i], &e) == 0);
	}
	qsort(want, n, sizeof *want, by_key);
	for (int round = 0; round < 2; round++) {
		const void *p = NULL;

		CHECK(extsort_rewind(s, &e) == 0 && extsort_count(s) == n);
		for (size_t i = 0; i < n && same; i++)
			same = extsort_get(s, &p, &e) == 0 && p && memcmp(p, &want[i], size) == 0;
		CHECK(same && extsort_get(s, &p, &e) == 0 && p == NULL);
	}
	extsort_free(s);
	mem_free(want);
}

static void sorting(void)
{
	static const size_t sizes[] = { 8, 16, 24, 32 }, counts[] = { 0, 1, 2, 1365, 1366, 30000, 150000 };

	for (size_t i = 0; i < 4; i++)
		for (size_t k = 0; k < 7; k++)
			for (int kind = 0; kind < 3; kind++) {
				low = sizes[i] == 8 ? 32 : kind == 1 ? 8 : 0;
				sort_one(sizes[i], counts[k], k < 6 ? 64 << 10 : 1 << 20, kind);
			}
}

static void again(void)
{
	struct extsort *s = extsort_new(8, 0, 64 << 10, "/tmp");
	struct err e = {0};
	const void *p;

	for (uint64_t round = 1; round < 4; round++) {
		for (uint64_t i = 20000 * round; i-- > 0; )
			CHECK(extsort_put(s, &i, &e) == 0);
		CHECK(extsort_rewind(s, &e) == 0);
		for (uint64_t i = 0; i < 20000 * round; i++)
			CHECK(extsort_get(s, &p, &e) == 0 && p && memcmp(p, &i, sizeof i) == 0);
		extsort_reset(s);
		CHECK(extsort_count(s) == 0);
	}
	extsort_free(s);
	s = extsort_new(8, 0, 64 << 10, "/nowhere");
	for (uint64_t i = 0; i < 600000 && e.code == 0; i++)
		extsort_put(s, &i, &e);
	CHECK(e.code == 0 ? extsort_rewind(s, &e) == SFT_SYSTEM : e.code == SFT_SYSTEM);
	extsort_free(s);
}

/* --- near-duplicates --- */

enum { TEXTS = 4000, OTHERS = 100 };

struct found {
	uint64_t sum;                  /* of all pairs */
	uint64_t n;
};

static int count_pair(void *ctx, uint32_t a, uint32_t b, double jaccard, struct err *e)
{
	struct found *f = ctx;

	(void)e;
	f->sum += rng_mix((uint64_t)a << 32 | b) * (uint64_t)(jaccard * 1e6);
	f->n++;
	return 0;
}

static char texts[TEXTS][200];

/* A new one, or one before it with another letter. */
static void make_text(struct rng *r, uint32_t i)
{
	char *to = texts[i];

	if (i && rng_below(r, 3) == 0) {
		memcpy(to, texts[rng_below(r, i)], sizeof texts[i]);
		to[rng_below(r, strlen(to))] = (char)('a' + rng_below(r, 26));
		return;
	}
	*to = '\0';
	for (uint64_t k = 3 + rng_below(r, 8); k > 0; k--)
		sprintf(to + strlen(to), "w%d ", (int)rng_below(r, 200));
}

static void group_all(uint64_t memory, uint8_t *fate, uint32_t *group, struct found *f)
{
	const struct neardup_how how = { true, true, { 5, false }, 0.7 };
	struct minhash *m = minhash_new();
	struct neardup d;
	struct rng r;
	struct err e = {0};
	uint64_t *h = NULL;
	size_t cap = 0, n;

	rng_init(&r, 4, 4);
	neardup_init(&d, &how, memory, "/tmp");
	for (uint32_t i = 0; i < TEXTS; i++) {
		uint8_t sig[MINHASH_N];
		uint64_t k = rng_below(&r, 20000);
		struct neardup_item item = { .sig = sig, .id = "", .chars = (uint32_t)rng_below(&r, 9), .key = hash128(&k, sizeof k, 0) };

		make_text(&r, i);
		item.text = texts[i];
		item.n = strlen(item.text);
		item.out = i >= OTHERS && rng_below(&r, 50) == 0 ? NEARDUP_GRAM : NEARDUP_IN;
		n = shingle_hashes(&how.shingles, item.text, item.n, &h, &cap);
		minhash_sign(m, h, n, sig);
		if (i == OTHERS)
			neardup_against(&d);
		CHECK(neardup_add(&d, &item, &e) == 0);
	}
	CHECK(neardup_compare(&d, &e) == 0 && neardup_join(&d, f ? count_pair : NULL, f, &e) == 0 && neardup_choose(&d, KEEP_LONGEST, &e) == 0);
	for (uint32_t i = OTHERS; i < TEXTS; i++) {
		fate[i] = (uint8_t)neardup_fate(&d, i);
		group[i] = neardup_group(&d, i);
		CHECK(neardup_out(&d, i) ? group[i] == i : neardup_out(&d, group[i]) == NEARDUP_IN);
	}
	neardup_release(&d);
	minhash_free(m);
	mem_free(h);
}

static void little_memory(void)
{
	static uint8_t fate[3][TEXTS];
	static uint32_t group[3][TEXTS];
	struct found pairs[2] = {{0}};
	int met[FATES] = {0};

	group_all(1 << 30, fate[0], group[0], &pairs[0]);
	group_all(256 << 10, fate[1], group[1], &pairs[1]);
	group_all(256 << 10, fate[2], group[2], NULL);
	CHECK(memcmp(fate[0], fate[1], sizeof fate[0]) == 0 && memcmp(group[0], group[1], sizeof group[0]) == 0);
	CHECK(memcmp(fate[0], fate[2], sizeof fate[0]) == 0 && memcmp(group[0], group[2], sizeof group[0]) == 0);
	CHECK(pairs[0].n > 500 && pairs[0].n == pairs[1].n && pairs[0].sum == pairs[1].sum);
	for (int i = OTHERS; i < TEXTS; i++)
		met[fate[0][i]]++;
	for (int f = 0; f < FATES; f++)
		CHECK(met[f] > 0);
}

int main(void)
{
	TEST(sorting);
	TEST(again);
	TEST(little_memory);
	return test_end();
}
