/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of items' numbers over resamples: in double, or, where all are counts, of their digits to the base 128 in whole numbers. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "mem.h"
#include "resampleisa.h"

enum { LANES = RESAMPLE_LANES, VECS = LANES / 8, BITS = 7, MOST_DIGITS = 4 };
enum { BLOCK = 1 << 15 };               /* groups of 4 items whose sums, at most 127 x 127 an item, fit 31 bits */

struct resample_rows {
	const double *rows;
	const uint32_t *item;
	size_t n, width;
	uint32_t *word;                 /* of counts: [group][digit], a byte of each of 4 items; else NULL */
	uint8_t *digits;                /* how many a column has */
	size_t ndigits;                 /* of all */
};

/* Lanes side by side; GCC makes of these what the instruction set at hand has. */
typedef uint8_t u8x8 __attribute__((vector_size(8)));
typedef int32_t i32x8 __attribute__((vector_size(32)));
typedef double f64x8 __attribute__((vector_size(64)));

static const double *row_of(const struct resample_rows *r, size_t i)
{
	return r->rows + (r->item ? r->item[i] : i) * r->width;
}

/* How many digits each column takes; false: not all are counts. */
static bool count_digits(struct resample_rows *r)
{
	uint32_t *most = mem_new(r->width * sizeof *most);
	bool whole = true;

	for (size_t i = 0; i < r->n && whole; i++) {
		const double *row = row_of(r, i);

		for (size_t k = 0; k < r->width; k++) {
			whole &= row[k] >= 0 && row[k] < 1 << BITS * MOST_DIGITS && row[k] == floor(row[k]);
			if (whole)
				most[k] |= (uint32_t)row[k];
		}
	}
	for (size_t k = 0; k < r->width; k++) {
		r->digits[k] = 1;
		for (uint32_t m = most[k] >> BITS; m; m >>= BITS)
			r->digits[k]++;
		r->ndigits += r->digits[k];
	}
	mem_free(most);
	return whole;
}

static void put_digits(struct resample_rows *r)
{
	r->word = mem_new((r->n + 3) / 4 * r->ndigits * sizeof *r->word + 1);
	for (size_t i = 0; i < r->n; i++) {
		const double *row = row_of(r, i);
		uint32_t *word = r->word + i / 4 * r->ndigits;

		for (size_t k = 0; k < r->width; k++) {
			uint32_t x = (uint32_t)row[k];

			for (int d = 0; d < r->digits[k]; d++, x >>= BITS)
				*word++ |= (x & ((1u << BITS) - 1)) << i % 4 * 8;
		}
	}
}

struct resample_rows *resample_rows_new(const double *rows, const uint32_t *item, size_t n, size_t width)
{
	struct resample_rows *r = mem_new(sizeof *r);

	*r = (struct resample_rows){ .rows = rows, .item = item, .n = n, .width = width, .digits = mem_new(width + 1) };
	if (count_digits(r))
		put_digits(r);
	return r;
}

void resample_rows_free(struct resample_rows *r)
{
	if (r == NULL)
		return;
	mem_free(r->word);
	mem_free(r->digits);
	mem_free(r);
}

/* --- counts --- */

static inline __attribute__((always_inline)) void digits(const uint8_t *times, const uint32_t *word, size_t groups, size_t ndigits, int32_t *restrict acc)
{
	for (size_t g = 0; g < groups; g++, times += 4 * LANES, word += ndigits)
		for (size_t d = 0; d < ndigits; d++)
			for (int j = 0; j < 4; j++) {
				int16_t x = (int16_t)(word[d] >> 8 * j & 0xFF);

				for (size_t l = 0; l < LANES; l++)
					acc[d * LANES + l] += (int16_t)(times[(size_t)j * LANES + l] * x);
			}
}

/* --- any numbers --- */

/* Items 4 at a time, so that a sum is loaded and stored once for 4 additions; always in the order of the items. */
static inline __attribute__((always_inline)) void sums(const struct resample_rows *in, const uint8_t *times, double *restrict sum)
{
	for (size_t i = 0; i < in->n; i += 4) {
		size_t m = in->n - i < 4 ? in->n - i : 4;
		const double *r[4];
		f64x8 t[4][VECS];

		for (size_t j = 0; j < 4; j++) {
			r[j] = row_of(in, j < m ? i + j : i);
			for (int v = 0; v < VECS; v++) {
				u8x8 c = { 0 };

				if (j < m)
					memcpy(&c, times + (i + j) * LANES + 8 * v, sizeof c);
				t[j][v] = __builtin_convertvector(__builtin_convertvector(c, i32x8), f64x8);
			}
		}
		for (size_t k = 0; k < in->width; k++)
			for (int v = 0; v < VECS; v++) {
				f64x8 s;

				memcpy(&s, sum + k * LANES + 8 * v, sizeof s);
				s = (((s + r[0][k] * t[0][v]) + r[1][k] * t[1][v]) + r[2][k] * t[2][v]) + r[3][k] * t[3][v];
				memcpy(sum + k * LANES + 8 * v, &s, sizeof s);
			}
	}
}

/* --- the instruction set at hand --- */

#if defined(__x86_64__)
#define FOR(isa, name) \
	__attribute__((target(isa), noinline)) static void sums_##name(const struct resample_rows *r, const uint8_t *times, double *sum) \
	{ \
		sums(r, times, sum); \
	}
FOR("avx2", avx2)
FOR("avx512f,avx512bw,avx512vl,prefer-vector-width=512", avx512)
#undef FOR
__attribute__((target("avx2"), noinline)) static void digits_avx2(const uint8_t *times, const uint32_t *word, size_t groups, size_t ndigits, int32_t *acc)
{
	digits(times, word, groups, ndigits, acc);
}

static bool has_avx512(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}
#endif

static void any_sums(const struct resample_rows *r, const uint8_t *times, double *sum)
{
#if defined(__x86_64__)
	if (has_avx512()) {
		sums_avx512(r, times, sum);
		return;
	}
	if (__builtin_cpu_supports("avx2")) {
		sums_avx2(r, times, sum);
		return;
	}
#endif
	sums(r, times, sum);
}

static void some_digits(const uint8_t *times, const uint32_t *word, size_t groups, size_t ndigits, int32_t *acc)
{
#if defined(__x86_64__)
	if (has_avx512() && __builtin_cpu_supports("avx512vnni")) {
		resample_digits_avx512(times, word, groups, ndigits, acc);
		return;
	}
	if (__builtin_cpu_supports("avx2")) {
		digits_avx2(times, word, groups, ndigits, acc);
		return;
	}
#endif
	digits(times, word, groups, ndigits, acc);
}

/* The sums of digits ACC, put together and added to SUM. */
static void put_together(const struct resample_rows *r, const int32_t *acc, double *sum)
{
	for (size_t k = 0; k < r->width; k++)
		for (int d = 0; d < r->digits[k]; d++, acc += LANES)
			for (size_t l = 0; l < LANES; l++)
				sum[k * LANES + l] += ldexp(acc[l], BITS * d);
}

static void count_sums(const struct resample_rows *r, const uint8_t *times, double *sum)
{
	size_t size = r->ndigits * LANES * sizeof(int32_t), groups = r->n / 4;
	int32_t *acc = mem_new(size + 1);
	uint8_t last[4 * LANES] = { 0 };

	for (size_t g = 0; g < groups; g += BLOCK) {
		some_digits(times + g * 4 * LANES, r->word + g * r->ndigits, groups - g < BLOCK ? groups - g : BLOCK, r->ndigits, acc);
		put_together(r, acc, sum);
		memset(acc, 0, size);
	}
	memcpy(last, times + groups * 4 * LANES, r->n % 4 * LANES);
	if (r->n % 4) {
		some_digits(last, r->word + groups * r->ndigits, 1, r->ndigits, acc);
		put_together(r, acc, sum);
	}
	mem_free(acc);
}

void resample_sums(const struct resample_rows *r, const uint8_t *times, double *sum)
{
	memset(sum, 0, r->width * LANES * sizeof *sum);
	if (r->word)
		count_sums(r, times, sum);
	else
		any_sums(r, times, sum);
}
