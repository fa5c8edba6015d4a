/* SPDX-License-Identifier: Apache-2.0 */
#include "minhash.h"

#include <math.h>
#include <stdlib.h>

#include "mem.h"
#include "test.h"

static void shingling(void)
{
	struct shingling chars = { 3, false }, words = { 2, true };
	uint64_t *h = NULL, *g = NULL;
	size_t cap = 0, gcap = 0;

	CHECK(shingle_hashes(&chars, "日本語x", 10, &h, &cap) == 2);
	CHECK(shingle_hashes(&chars, "本語x", 7, &g, &gcap) == 1 && g[0] == h[1]);
	CHECK(shingle_hashes(&chars, "ab", 2, &h, &cap) == 1);
	CHECK(shingle_hashes(&chars, "", 0, &h, &cap) == 1);
	CHECK(shingle_hashes(&words, "a b c", 5, &h, &cap) == 2);
	CHECK(shingle_hashes(&words, "b c", 3, &g, &gcap) == 1 && g[0] == h[1]);
	CHECK(shingle_hashes(&words, "a", 1, &h, &cap) == 1);
	CHECK(shingle_hashes(&chars, "aaaaaa", 6, &h, &cap) == 4 && shingle_set(&h, 4, &cap) == 1);
	mem_free(h);
	mem_free(g);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Sorted, each once; equal upper halves too. */
static void sets(void)
{
	static uint64_t want[9000];
	uint64_t *h = NULL;
	size_t cap = 0;

	for (size_t n = 0; n < 9000; n = n * 2 + 1)
		for (int kind = 0; kind < 3; kind++) {
			size_t k = 0, got;

			h = mem_grow(h, n + 1, sizeof *h);
			cap = n + 1;
			for (size_t i = 0; i < n; i++)
				want[i] = h[i] = kind == 0 ? (uint64_t)rand() << 40 ^ (uint64_t)rand() : kind == 1 ? (uint64_t)rand() % 50 : (uint64_t)(rand() % 3) << 33 | (unsigned)rand();
			qsort(want, n, sizeof *want, by_value);
			for (size_t i = 0; i < n; i++)
				if (i == 0 || want[i] != want[i - 1])
					want[k++] = want[i];
			got = shingle_set(&h, n, &cap);
			CHECK(got == k && memcmp(h, want, k * sizeof *h) == 0);
		}
	mem_free(h);
}

/* No two of many short texts have one hash. */
static void hashes(void)
{
	enum { N = 200000 };
	struct shingling one = { 16, false };
	uint64_t *h = NULL, *all = mem_new(2 * N * sizeof *all);
	size_t cap = 0, room = 2 * N;

	for (unsigned i = 0; i < N; i++) {
		char text[20];
		int n = i < 100000 ? snprintf(text, sizeof text, "%x", i) : snprintf(text, sizeof text, "%u %x", i * 7, i);

		CHECK(shingle_hashes(&one, text, (size_t)n, &h, &cap) == 1);
		all[i] = h[0];
	}
	CHECK(shingle_set(&all, N, &room) == N);
	mem_free(h);
	mem_free(all);
}

static void similarity(void)
{
	uint64_t a[] = { 1, 2, 3, 4 }, b[] = { 3, 4, 5 };

	CHECK(shingle_jaccard(a, 4, b, 3) == 0.4);
	CHECK(shingle_jaccard(a, 4, a, 4) == 1);
	CHECK(shingle_jaccard(a, 2, b, 3) == 0);
}

/* The share of equal numbers is near the similarity: within 5 standard deviations over 20 pairs. */
static void signatures(void)
{
	static uint64_t h[2000];
	uint8_t a[MINHASH_N], b[MINHASH_N];
	struct minhash *m = minhash_new();
	double expect = 0.5 + 0.5 / 256;
	int same = 0;

	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < 2000; i++)
			h[i] = ((uint64_t)rand() << 33) ^ ((uint64_t)rand() << 11) ^ (uint64_t)rand();
		minhash_sign(m, h, 1500, a);              /* 1000 of 2000 in common */
		minhash_sign(m, h + 500, 1500, b);
		for (int k = 0; k < MINHASH_N; k++)
			same += a[k] == b[k];
	}
	minhash_free(m);
	CHECK(fabs(same / (20.0 * MINHASH_N) - expect) < 5 * sqrt(0.25 / (20 * MINHASH_N)));
}

static void bands(void)
{
	for (double t = 0.05; t < 1; t += 0.05) {
		unsigned n, rows;

		minhash_bands(t, &n, &rows);
		CHECK(n * rows <= MINHASH_N && rows >= 1 && pow(1 - pow(t, rows), n) <= 0.002);
	}
}

int main(void)
{
	TEST(shingling);
	TEST(sets);
	TEST(hashes);
	TEST(similarity);
	TEST(signatures);
	TEST(bands);
	return test_end();
}
