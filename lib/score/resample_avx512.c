/* SPDX-License-Identifier: Apache-2.0 */
#include "resampleisa.h"

#if defined(__x86_64__)
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512vnni")
#include <immintrin.h>

enum { LANES = RESAMPLE_LANES, BUCKETS = 16 };

/* The count of a number by its upper 4 bits: how many cuts lie below all numbers that have these, and the next, if it lies among them. */
struct buckets {
	uint32_t below[BUCKETS], next[BUCKETS];
	uint32_t more;                  /* from here on that may not be all */
};

static struct buckets buckets_of(const uint32_t *cut)
{
	struct buckets b = { .more = UINT32_MAX };

	for (uint32_t i = 0; i < BUCKETS; i++) {
		uint32_t k = 0;

		while (k < RESAMPLE_CUTS && cut[k] <= i << 28)
			k++;
		b.below[i] = k;
		b.next[i] = k < RESAMPLE_CUTS ? cut[k] : UINT32_MAX;
		if (k + 1 < RESAMPLE_CUTS && cut[k + 1] >> 28 == i && cut[k + 1] < b.more)
			b.more = cut[k + 1];
	}
	return b;
}

/* The few numbers that have passed several cuts of their bucket, one by one. */
static __attribute__((noinline)) __m512i recount(const uint32_t *cut, __m512i u, __m512i c, uint32_t which)
{
	uint32_t number[LANES], count[LANES];

	_mm512_storeu_si512(number, u);
	_mm512_storeu_si512(count, c);
	for (; which; which &= which - 1) {
		int l = __builtin_ctz(which);

		for (count[l] = 0; count[l] < RESAMPLE_CUTS && number[l] >= cut[count[l]]; count[l]++)
			;
	}
	return _mm512_loadu_si512(count);
}

void resample_poisson_avx512(struct resample_draw *d, uint32_t n, uint8_t *times)
{
	const struct buckets b = buckets_of(d->cut);
	const __m512i below = _mm512_loadu_si512(b.below), next = _mm512_loadu_si512(b.next), more = _mm512_set1_epi32((int)b.more);
	const __m512i one = _mm512_set1_epi32(1);
	__m512i s0 = _mm512_loadu_si512(d->rng[0]), s1 = _mm512_loadu_si512(d->rng[1]), s2 = _mm512_loadu_si512(d->rng[2]);
	__m512i s3 = _mm512_loadu_si512(d->rng[3]), sum = _mm512_setzero_si512();

	for (uint32_t i = 0; i < n; i++, times += LANES) {
		__m512i u = _mm512_add_epi32(_mm512_rol_epi32(_mm512_add_epi32(s0, s3), 7), s0), t = _mm512_slli_epi32(s1, 9), at, c;
		__mmask16 rare;

		s2 = _mm512_xor_si512(s2, s0);
		s3 = _mm512_xor_si512(s3, s1);
		s1 = _mm512_xor_si512(s1, s2);
		s0 = _mm512_xor_si512(s0, s3);
		s2 = _mm512_xor_si512(s2, t);
		s3 = _mm512_rol_epi32(s3, 11);
		at = _mm512_srli_epi32(u, 28);
		c = _mm512_permutexvar_epi32(at, below);
		c = _mm512_mask_add_epi32(c, _mm512_cmpge_epu32_mask(u, _mm512_permutexvar_epi32(at, next)), c, one);
		rare = _mm512_cmpge_epu32_mask(u, more);
		if (__builtin_expect(rare, 0))
			c = recount(d->cut, u, c, rare);
		sum = _mm512_add_epi32(sum, c);
		_mm_storeu_si128((__m128i *)times, _mm512_cvtepi32_epi8(c));
	}
	_mm512_storeu_si512(d->sum, sum);
}

/* The counts of 4 items, a row of 16 each, as a column of 4 for each of 16 lanes. */
static inline __m512i columns(const uint8_t *times)
{
	const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
	const __m512i turn = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));

	return _mm512_shuffle_epi8(_mm512_permutexvar_epi32(order, _mm512_loadu_si512(times)), turn);
}

static inline __attribute__((always_inline)) void some(const uint8_t *times, const uint32_t *word, size_t groups, size_t ndigits, int32_t *acc, int k)
{
	__m512i a[8];

	for (int d = 0; d < k; d++)
		a[d] = _mm512_loadu_si512(acc + d * LANES);
	for (size_t g = 0; g < groups; g++, times += 4 * LANES, word += ndigits) {
		__m512i c = columns(times);

		for (int d = 0; d < k; d++)
			a[d] = _mm512_dpbusd_epi32(a[d], c, _mm512_set1_epi32((int)word[d]));
	}
	for (int d = 0; d < k; d++)
		_mm512_storeu_si512(acc + d * LANES, a[d]);
}

void resample_digits_avx512(const uint8_t *times, const uint32_t *word, size_t groups, size_t ndigits, int32_t *acc)
{
	size_t d = 0;

	for (; d + 8 <= ndigits; d += 8)
		some(times, word + d, groups, ndigits, acc + d * LANES, 8);
	for (; d + 4 <= ndigits; d += 4)
		some(times, word + d, groups, ndigits, acc + d * LANES, 4);
	for (; d < ndigits; d++)
		some(times, word + d, groups, ndigits, acc + d * LANES, 1);
}
#endif
