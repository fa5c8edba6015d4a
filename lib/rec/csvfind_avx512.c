/* SPDX-License-Identifier: Apache-2.0 */
/* csv_find() 64 bytes at a time, for cells that are long. */
#include "csvscan.h"

#if defined(__x86_64__)
#pragma GCC target("avx512bw,avx512vl")
#include <immintrin.h>

static const char *find_avx512(const char *s, const char *end, const char set[4])
{
	const __m512i a = _mm512_set1_epi8(set[0]), b = _mm512_set1_epi8(set[1]), c = _mm512_set1_epi8(set[2]), d = _mm512_set1_epi8(set[3]);

	for (; s < end; s += 64) {
		size_t left = (size_t)(end - s);
		__m512i v = _mm512_maskz_loadu_epi8(left >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << left) - 1, s);
		__mmask64 hit = _mm512_cmpeq_epi8_mask(v, a) | _mm512_cmpeq_epi8_mask(v, b) | _mm512_cmpeq_epi8_mask(v, c) | _mm512_cmpeq_epi8_mask(v, d);

		if (hit) {                               /* or a NUL behind the end, where a NUL is looked for */
			s += __builtin_ctzll(hit);
			break;
		}
	}
	return s < end ? s : end;
}

csv_find *csv_find_best(void)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") ? find_avx512 : NULL;
}
#else
csv_find *csv_find_best(void)
{
	return NULL;
}
#endif
