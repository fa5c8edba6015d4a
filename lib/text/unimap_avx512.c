/* SPDX-License-Identifier: Apache-2.0 */
/* 64 bytes of ASCII at a time; what is dropped is squeezed out by one instruction (VBMI2). */
#include "unimap.h"

#if defined(__x86_64__)
#pragma GCC target("avx512bw,avx512vl,avx512vbmi2,popcnt,bmi")
#include <immintrin.h>
#include <stdint.h>

static inline __mmask64 first(size_t n)
{
	return n >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << n) - 1;
}

static inline __mmask64 within(__m512i v, char lo, char span)
{
	return _mm512_cmple_epu8_mask(_mm512_sub_epi8(v, _mm512_set1_epi8(lo)), _mm512_set1_epi8(span));
}

size_t unimap_lower_avx512(const char *s, size_t n, char *out, size_t *put)
{
	size_t i = 0;

	for (; i < n; i += 64) {
		__m512i v = _mm512_maskz_loadu_epi8(first(n - i), s + i);
		__mmask64 high = _mm512_movepi8_mask(v);

		_mm512_storeu_si512(out + i, _mm512_mask_add_epi8(v, within(v, 'A', 25), v, _mm512_set1_epi8(32)));
		if (high)
			return *put = i + (size_t)__builtin_ctzll(high);
	}
	return *put = n;
}

size_t unimap_keep_avx512(const char *s, size_t n, char *out, size_t *put)
{
	char *o = out;

	for (size_t i = 0; i < n; i += 64) {
		__mmask64 there = first(n - i);
		__m512i v = _mm512_maskz_loadu_epi8(there, s + i);
		__mmask64 high = _mm512_movepi8_mask(v);
		__mmask64 letter = within(_mm512_or_si512(v, _mm512_set1_epi8(0x20)), 'a', 25), digit = within(v, '0', 9);
		__mmask64 space = within(v, '\t', 4) | within(v, 0x1c, 4), low = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('_'));
		__mmask64 keep = (letter | digit | space | low) & there;

		if (high)
			keep &= (high & -high) - 1;
		_mm512_storeu_si512(o, _mm512_maskz_compress_epi8(keep, v));
		o += __builtin_popcountll(keep);
		if (high) {
			*put = (size_t)(o - out);
			return i + (size_t)__builtin_ctzll(high);
		}
	}
	*put = (size_t)(o - out);
	return n;
}
#endif
