/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdbool.h>

#include "cursor.h"
#include "test.h"

static const uint32_t rows10[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 }, odd[] = { 1, 3, 5, 7 };
static const struct cursor_source one[] = { { rows10, 10, 1, 1 } };
static const struct cursor_source two[] = { { rows10, 10, 2, 2 }, { odd, 4, 0.5, 0.5 } };

/* Rows of the next epoch, taken in steps of STEP, to OUT as source * 100 + row; their number. */
static size_t epoch(struct cursor *c, uint64_t step, uint32_t *out)
{
	const struct cursor_item *it;
	uint64_t e = c->place.epoch;
	size_t n, all = 0;

	while (c->place.epoch == e) {
		n = cursor_next(c, step, &it);
		for (size_t i = 0; i < n; i++)
			out[all++] = it[i].source * 100 + it[i].row;
	}
	return all;
}

static void count(const uint32_t *v, size_t n, int *seen)
{
	memset(seen, 0, 200 * sizeof *seen);
	for (size_t i = 0; i < n; i++)
		seen[v[i]]++;
}

static void sequential(void)
{
	const struct cursor_item *it;
	struct cursor c;

	cursor_init(&c, one, 1, CURSOR_SEQUENTIAL, 0);
	CHECK(c.rows == 10 && cursor_steps(&c, 4, 1) == 3 && cursor_steps(&c, 5, 1) == 2);
	CHECK(cursor_next(&c, 4, &it) == 4 && it[0].row == 0 && it[3].row == 3);
	CHECK(cursor_epochs(&c) == 0.4);
	CHECK(cursor_next(&c, 4, &it) == 4 && it[0].row == 4);
	CHECK(cursor_next(&c, 4, &it) == 2 && it[1].row == 9);      /* a step does not cross the end of an epoch */
	CHECK(c.place.epoch == 1 && c.place.at == 0 && cursor_epochs(&c) == 1);
	CHECK(cursor_next(&c, 4, &it) == 4 && it[0].row == 0);      /* and round again */
	cursor_release(&c);
}

static void shuffled(void)
{
	uint32_t a[64], b[64], d[64];
	int seen[200];
	struct cursor c;

	cursor_init(&c, one, 1, CURSOR_SHUFFLED, 7);
	CHECK(epoch(&c, 3, a) == 10 && epoch(&c, 3, b) == 10);
	count(a, 10, seen);
	for (int i = 0; i < 10; i++)
		CHECK(seen[i] == 1);
	CHECK(memcmp(a, b, 10 * sizeof *a) != 0);                   /* each epoch its own order */
	CHECK(memcmp(a, rows10, sizeof rows10) != 0);
	cursor_release(&c);
	cursor_init(&c, one, 1, CURSOR_SHUFFLED, 7);                /* that does not depend on the size of steps */
	CHECK(epoch(&c, 10, d) == 10 && memcmp(a, d, 10 * sizeof *a) == 0);
	cursor_release(&c);
	cursor_init(&c, one, 1, CURSOR_SHUFFLED, 8);
	CHECK(epoch(&c, 10, d) == 10 && memcmp(a, d, 10 * sizeof *a) != 0);
	cursor_release(&c);
}

static void weights(void)
{
	uint32_t a[64], b[64];
	int seen[200], extra = 0, other = 0;
	struct cursor c;

	cursor_init(&c, two, 2, CURSOR_SHUFFLED, 1);
	CHECK(c.rows == 22 && epoch(&c, 5, a) == 22);
	count(a, 22, seen);
	for (int i = 0; i < 10; i++)
		CHECK(seen[i] == 2);
	for (int i = 100; i < 200; i++) {
		CHECK(seen[i] <= 1 && (seen[i] == 0 || i % 2 == 1));
		extra += seen[i];
	}
	CHECK(extra == 2);
	for (int k = 0; k < 8 && !other; k++) {                     /* another share in some later epoch */
		int again[200];

		CHECK(epoch(&c, 5, b) == 22);
		count(b, 22, again);
		other = memcmp(seen + 100, again + 100, 100 * sizeof *seen) != 0;
	}
	CHECK(other);
	cursor_release(&c);
	cursor_init(&c, two, 2, CURSOR_SEQUENTIAL, 1);
	epoch(&c, 22, a);
	epoch(&c, 22, b);
	CHECK(a[20] == 101 && a[21] == 103 && b[20] == 105 && b[21] == 107);
	cursor_release(&c);
}

/* A place is all of the state. */
static void seek(void)
{
	const struct cursor_item *x, *y;
	struct cursor a, b;
	size_t n;

	cursor_init(&a, two, 2, CURSOR_SHUFFLED, 3);
	cursor_init(&b, two, 2, CURSOR_SHUFFLED, 3);
	for (int k = 0; k < 12; k++) {
		cursor_seek(&b, a.place);
		n = cursor_next(&a, 7, &x);
		CHECK(cursor_next(&b, 7, &y) == n && memcmp(x, y, n * sizeof *x) == 0);
	}
	cursor_release(&a);
	cursor_release(&b);
}

/* Weights that move: from 2 to 0, and from 0 to 1, over three epochs of sources with 10 and 8 rows. */
static const uint32_t rows8[] = { 0, 1, 2, 3, 4, 5, 6, 7 };
static const struct cursor_source moving[] = { { rows10, 10, 2, 0 }, { rows8, 8, 0, 1 } };

static double due(int source, double x)
{
	return source ? 8 * x * x / 6 : 10 * (2 * x - x * x / 3);
}

static void moves(void)
{
	uint32_t a[64], b[64];
	int given[2] = { 0 }, seen[200];
	struct cursor c;
	size_t n;

	CHECK(cursor_moves(moving, 2) && !cursor_moves(two, 2));
	cursor_init(&c, moving, 2, CURSOR_SHUFFLED, 5);
	cursor_set_horizon(&c, 3);
	CHECK(cursor_rows(&c, 0) == 17 + 1 && cursor_rows(&c, 1) == 10 + 4 && cursor_rows(&c, 2) == 3 + 7 && cursor_rows(&c, 3) == 8);
	CHECK(cursor_steps(&c, 4, 1) == 5 && cursor_steps(&c, 4, 3) == 5 + 4 + 3 && cursor_steps(&c, 4, 1.5) == 5 + 2);
	for (uint64_t e = 0; e < 3; e++) {
		n = epoch(&c, 4, a);
		CHECK(n == cursor_rows(&c, e));
		for (size_t i = 0; i < n; i++)
			given[a[i] / 100]++;
		CHECK(fabs(given[0] - due(0, (double)e + 1)) <= 0.5 && fabs(given[1] - due(1, (double)e + 1)) <= 0.5);
	}
	cursor_seek(&c, (struct cursor_place){ 0, 0 });             /* the first pass over a file takes each row once, and so does the second */
	memset(given, 0, sizeof given);
	n = epoch(&c, 5, a);
	n += epoch(&c, 5, a + n);
	for (size_t i = 0; i < n; i++) {
		if (a[i] < 100)
			b[given[0]++] = a[i];
		CHECK(fabs(given[0] - due(0, (double)(i + 1) / (double)n * 2)) < 3);    /* evenly within an epoch, too */
	}
	CHECK(given[0] == 27);
	count(b, 10, seen);
	for (int i = 0; i < 10; i++)
		CHECK(seen[i] == 1);
	count(b + 10, 10, seen);
	for (int i = 0; i < 10; i++)
		CHECK(seen[i] == 1);
	CHECK(memcmp(b, b + 10, 10 * sizeof *b) != 0);
	cursor_set_horizon_rows(&c, 10 * 14);                       /* 14 rows an epoch on average */
	CHECK(fabs(c.horizon - 10) < 1e-12);
	cursor_release(&c);
}

static void moves_seek(void)
{
	const struct cursor_item *x, *y;
	struct cursor a, b;

	cursor_init(&a, moving, 2, CURSOR_SHUFFLED, 3);
	cursor_init(&b, moving, 2, CURSOR_SHUFFLED, 3);
	cursor_set_horizon(&a, 2.5);
	cursor_set_horizon(&b, 2.5);
	for (int k = 0; k < 20; k++) {
		size_t n;

		cursor_seek(&b, a.place);
		n = cursor_next(&a, 4, &x);
		CHECK(cursor_next(&b, 4, &y) == n && memcmp(x, y, n * sizeof *x) == 0);
		CHECK(k < 12 || x->source == 1);                    /* what has come to 0 stays there */
	}
	cursor_release(&a);
	cursor_release(&b);
}

int main(void)
{
	TEST(sequential);
	TEST(shuffled);
	TEST(weights);
	TEST(seek);
	TEST(moves);
	TEST(moves_seek);
	return test_end();
}
