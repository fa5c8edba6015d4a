/* SPDX-License-Identifier: Apache-2.0 */
/* The sum over micro-steps against the tree as gradsum.h defines it, bit by bit; several ranks: tests/cli/train/ranks.test. */
#include "gradsum.h"
#include "test.h"

enum { N = 5 };

/* Values whose sum depends on the order. */
static void leaf(uint64_t i, float *out)
{
	for (int j = 0; j < N; j++)
		out[j] = (float)((i * 2654435761u + (uint64_t)j * 40503u) % 1000003u) * (i % 3 ? 1e-3f : -1e4f);
}

static void tree(uint64_t a, uint64_t b, float *out)
{
	uint64_t half = 1;
	float right[N];

	if (b - a == 1) {
		leaf(a, out);
		return;
	}
	while (half * 2 < b - a)
		half *= 2;
	tree(a, a + half, out);
	tree(a + half, b, right);
	for (int j = 0; j < N; j++)
		out[j] += right[j];
}

/* Every number of micro-steps, with one set of buffers, that are as many as was said. */
static void orders(void)
{
	struct pool *pool = pool_open(1);
	struct gradsum g = {0};
	float grad[N], want[N], plain[N];
	bool differ = false;

	CHECK(kern_open(&g.k, "cpu", pool, NULL) == 0);
	g.grad = grad;
	g.n = N;
	for (uint64_t total = 1; total <= 70; total++) {
		memset(plain, 0, sizeof plain);
		CHECK(gradsum_begin(&g, total, NULL) == 0 && g.first == 0 && g.end == total);
		for (uint64_t i = 0; i < total; i++) {
			CHECK(gradsum_room(&g, NULL) == 0 && grad[0] == 0 && grad[N - 1] == 0);
			leaf(i, grad);
			for (int j = 0; j < N; j++)
				plain[j] += grad[j];
			gradsum_add(&g, i);
		}
		gradsum_finish(&g);
		tree(0, total, want);
		CHECK(memcmp(grad, want, sizeof want) == 0);
		CHECK(g.nnodes == 1 && g.nparts == gradsum_parts(NULL, total));
		differ |= memcmp(plain, want, sizeof want) != 0;
	}
	CHECK(differ);                       /* or nothing was tested */
	gradsum_release(&g);
	kern_close(g.k);
	pool_close(pool);
}

static void room(void)
{
	static const struct { uint64_t total; unsigned parts; } as[] = { { 1, 0 }, { 2, 1 }, { 3, 1 }, { 4, 2 }, { 7, 2 }, { 8, 3 }, { 1000, 9 }, { 1024, 10 } };

	for (size_t i = 0; i < sizeof as / sizeof *as; i++)
		CHECK(gradsum_parts(NULL, as[i].total) == as[i].parts);
}

static void shares(void)
{
	uint64_t first, end;

	ranks_share(NULL, 0, 7, &first, &end);
	CHECK(first == 0 && end == 7 && ranks_rank(NULL) == 0 && ranks_size(NULL) == 1);
	CHECK(ranks_any(NULL, true) && !ranks_any(NULL, false) && ranks_agree(NULL, 3, NULL) == 3 && ranks_alike(NULL, 9, NULL) == 0);
}

int main(void)
{
	TEST(orders);
	TEST(room);
	TEST(shares);
	return test_end();
}
