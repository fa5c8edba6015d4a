/* SPDX-License-Identifier: Apache-2.0 */
/* The counts of a bootstrap: sums, moments, seeds; and the sums over them, bit by bit. */
#include "resample.h"

#include <math.h>
#include <stdlib.h>

#include "mem.h"
#include "metric.h"
#include "test.h"

enum { L = RESAMPLE_LANES };

struct seen {
	uint32_t n;
	size_t resamples;
	bool whole;                     /* every resample has N items */
	double square, cross;           /* of counts, and of neighbours' counts, about 1 */
	uint64_t over[8];               /* counts over k */
	uint64_t hash;
};

static void look(void *ctx, const uint8_t *times, size_t first, size_t lanes)
{
	struct seen *s = ctx;

	CHECK(first == s->resamples);
	for (size_t l = 0; l < lanes; l++, s->resamples++) {
		uint64_t sum = 0;

		for (uint32_t i = 0; i < s->n; i++) {
			int c = times[i * L + l], d = times[(i + 1) % s->n * L + l];

			sum += (uint64_t)c;
			s->square += (c - 1) * (c - 1);
			s->cross += (c - 1) * (d - 1);
			for (int k = 0; k < 8; k++)
				s->over[k] += c > k;
			s->hash = s->hash * 31 + (uint64_t)c;
		}
		s->whole &= sum == s->n;
	}
}

static struct seen draw(uint64_t seed, uint32_t n, size_t b)
{
	struct seen s = { .n = n, .whole = true };

	resample(seed, n, b, 1, look, &s);
	CHECK(s.whole && s.resamples == b);
	return s;
}

/* Multinomial counts have variance 1 - 1/N and covariance -1/N, and each is binomial. */
static void moments(void)
{
	static const uint32_t size[] = { 2, 3, 17, 100, 1000 };

	for (size_t k = 0; k < sizeof size / sizeof *size; k++) {
		uint32_t n = size[k];
		size_t b = 400000 / n;
		struct seen s = draw(7, n, b);
		double all = (double)n * (double)b, p = 1.0 / n, tail = 1, term = pow(1 - p, n);

		CHECK(fabs(s.square / all - (1 - p)) < 0.015);
		CHECK(fabs(s.cross / all + p) < 0.015);
		for (uint32_t c = 0; c < 8 && c < n; c++) {
			tail -= term;
			term *= (double)(n - c) / (c + 1) * p / (1 - p);
			CHECK(fabs((double)s.over[c] / all - tail) < 5 * sqrt(tail * (1 - tail) / all) + 1e-6);
		}
	}
}

static void seeds(void)
{
	CHECK(draw(1, 50, 40).hash == draw(1, 50, 40).hash);
	CHECK(draw(1, 50, 40).hash != draw(2, 50, 40).hash);
	CHECK(draw(3, 1, 20).square == 0);
	CHECK(draw(9, 5000, 48).hash == 0x3056892c21994680u);      /* on every machine */
}

/* The same additions in the same order, one after the other; of counts, whose sums are exact, too. */
static void sums(void)
{
	enum { N = 103, W = 13 };
	double rows[N * W], sum[W * L], want[W * L];
	uint8_t times[N * L];
	uint32_t item[N];

	srand(5);
	for (size_t i = 0; i < N * L; i++)
		times[i] = (uint8_t)(rand() % 9 ? rand() % 6 : RESAMPLE_MOST);
	for (uint32_t i = 0; i < N; i++)
		item[i] = (i * 29 + 3) % N;
	for (int whole = 0; whole < 2; whole++)
		for (int named = 0; named < 2; named++)
			for (size_t n = N - 4; n <= N; n++) {
				struct resample_rows *r;

				for (size_t i = 0; i < N * W; i++)      /* the columns of counts are of one to four bytes */
					rows[i] = whole ? rand() % (1 << (1 + i % W * 27 / (W - 1))) : (double)rand() / 7;
				memset(want, 0, sizeof want);
				for (size_t i = 0; i < n; i++)
					for (size_t k = 0; k < W; k++)
						for (size_t l = 0; l < L; l++)
							want[k * L + l] += rows[(named ? item[i] : i) * W + k] * times[i * L + l];
				r = resample_rows_new(rows, named ? item : NULL, n, W);
				resample_sums(r, times, sum);
				resample_rows_free(r);
				CHECK(memcmp(sum, want, sizeof sum) == 0);
			}
}

/* More items than 31 bits hold the sum of. */
static void many(void)
{
	enum { N = 140001 };
	double *rows = mem_grow(NULL, N, sizeof *rows), sum[L];
	uint8_t *times = mem_grow(NULL, N, L);
	struct resample_rows *r;

	for (size_t i = 0; i < N; i++)
		rows[i] = 127;
	memset(times, RESAMPLE_MOST, (size_t)N * L);
	r = resample_rows_new(rows, NULL, N, 1);
	resample_sums(r, times, sum);
	for (size_t l = 0; l < L; l++)
		CHECK(sum[l] == 127.0 * RESAMPLE_MOST * N);
	resample_rows_free(r);
	mem_free(times);
	mem_free(rows);
}

static struct text text_of(const char *s)
{
	return (struct text){ s, strlen(s) };
}

/* What a metric makes of counts is what it makes of the items as often as they are counted. */
static void metrics(void)
{
	static const char *const say[] = { "a b c d", "a b d", "c a a b", "d", "a b c e f", "yes" };
	static const char *const names[] = { "accuracy", "bleu", "rouge", "chrf" };
	uint8_t times[6 * L];
	struct metric_opts o;
	uint32_t pick[64];

	metric_opts_init(&o);
	for (size_t i = 0; i < sizeof times; i++)
		times[i] = (uint8_t)((i / L + i % L) % 3);    /* 6 in all, in each lane */
	for (size_t k = 0; k < 4; k++) {
		double got[L * METRIC_MAX_VALUES], want[METRIC_MAX_VALUES];
		const char *const *value;
		struct metric_draws *d;
		struct metric *m;

		CHECK(metric_open(&m, names[k], &o, true, NULL) == 0);
		for (int i = 0; i < 6; i++) {
			struct text ref = text_of(say[i & ~1]);
			CHECK(metric_add(m, text_of(say[i]), &ref, 1, NULL) == 0);
		}
		d = metric_draws_open(m, NULL, 0);
		for (size_t l = 0; l < L; l++) {
			size_t n = 0, nv = metric_values(m, &value);

			for (uint32_t i = 0; i < 6; i++)
				for (int c = 0; c < times[i * L + l]; c++)
					pick[n++] = i;
			metric_draws_score(d, times, L, got);
			metric_score(m, pick, n, want);
			for (size_t v = 0; v < nv; v++)
				CHECK(fabs(got[l * nv + v] - want[v]) < 1e-12);
		}
		metric_draws_close(d);
		metric_close(m);
	}
}

int main(void)
{
	TEST(moments);
	TEST(seeds);
	TEST(sums);
	TEST(many);
	TEST(metrics);
	return test_end();
}
