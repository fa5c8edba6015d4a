/* SPDX-License-Identifier: Apache-2.0 */
#include "pack.h"
#include "test.h"

static void two_sequences(void)
{
	static const uint32_t a[] = { 1, 40, 41, 42 }, d[] = { 7, 8, 9 };
	static const uint8_t mask[] = { 1, 0, 1, 1 };
	static const uint32_t ids[] = { 1, 40, 41, 42, 7, 8, 9 }, pos[] = { 0, 1, 2, 3, 0, 1, 2 };
	static const uint32_t out[] = { 1, 2, 4, 5 }, target[] = { 41, 42, 8, 9 };
	struct pack p = {0};
	struct batch b;

	for (int again = 0; again < 2; again++) {       /* the second time on kept buffers */
		pack_reset(&p);
		pack_add(&p, a, mask, 4, 0.5f, 1);             /* the mask of position 0 counts for nothing */
		pack_add(&p, d, NULL, 3, 2, 2);
		pack_batch(&p, &b);
		CHECK(b.n == 7 && b.nout == 4 && b.nseg == 2);
		CHECK(memcmp(b.ids, ids, sizeof ids) == 0 && memcmp(b.pos, pos, sizeof pos) == 0);
		CHECK(memcmp(b.out, out, sizeof out) == 0 && memcmp(b.target, target, sizeof target) == 0);
		CHECK(b.weight[0] == 0.5f && b.weight[1] == 0.5f && b.weight[2] == 2 && b.weight[3] == 2);
		CHECK(b.seg[1].q0 == 4 && b.seg[1].nq == 3 && b.seg[1].k0 == 4 && b.seg[1].nk == 3 && b.seg[1].np == 0);
	}
	pack_free(&p);
}

static void many(void)
{
	uint32_t ids[100];
	struct pack p = {0};
	struct batch b;

	for (uint32_t i = 0; i < 100; i++)
		ids[i] = i;
	for (int i = 0; i < 50; i++)
		pack_add(&p, ids, NULL, 100, 1, 3);
	pack_batch(&p, &b);
	CHECK(b.n == 5000 && b.nout == 50 * 99 && b.nseg == 50 && b.ids[4999] == 99 && b.out[50 * 99 - 1] == 4998);
	pack_free(&p);
}

int main(void)
{
	TEST(two_sequences);
	TEST(many);
	return test_end();
}
