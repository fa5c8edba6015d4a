/* SPDX-License-Identifier: Apache-2.0 */
/* 64 bytes of text at a time.  The characters of three bytes are decided by tables in registers wherever all 64 of a row are alike, which
 * is nearly all of Chinese, Japanese and Korean; what is left is looked up one by one.  What is dropped is squeezed out by one instruction. */
#include "unimap.h"

#if defined(__x86_64__)
#pragma GCC target("avx512bw,avx512vl,avx512vbmi,avx512vbmi2,popcnt,bmi")
#include <immintrin.h>

static inline __mmask64 first(size_t n)
{
	return n >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << n) - 1;
}

static inline __mmask64 within(__m512i v, char lo, char span)
{
	return _mm512_cmple_epu8_mask(_mm512_sub_epi8(v, _mm512_set1_epi8(lo)), _mm512_set1_epi8(span));
}

static inline __mmask64 at_least(__m512i v, unsigned char lo)
{
	return _mm512_cmpge_epu8_mask(v, _mm512_set1_epi8((char)lo));
}

/* Up to 64 bytes of text, and where characters begin that are not ASCII. */
struct block {
	__m512i v;
	size_t n;                      /* bytes of whole characters */
	__mmask64 lead, lead3;         /* in these: first bytes of two or more; of three */
};

static inline struct block block_at(const char *s, size_t n)
{
	struct block b = { .v = _mm512_maskz_loadu_epi8(first(n), s), .n = n < 64 ? n : 64 };

	b.lead = at_least(b.v, 0xC0);
	if (b.lead) {
		__mmask64 three = at_least(b.v, 0xE0), four = at_least(b.v, 0xF0);
		__mmask64 cut = n > 64 ? (b.lead & (__mmask64)1 << 63) | (three & (__mmask64)1 << 62) | (four & (__mmask64)1 << 61) : 0;

		if (cut)
			b.n = (size_t)__builtin_ctzll(cut);
		b.lead &= first(b.n);
		b.lead3 = three & ~four & first(b.n);
	}
	return b;
}

/* Those of B's characters of three bytes whose row has a bit in ROWS (unicode.h); the text of the block is at S, N bytes and more. */
static inline __mmask64 in_rows(const struct block *b, const char *s, const uint8_t rows[128])
{
	const __m512i bits = _mm512_set1_epi64((long long)0x8040201008040201);
	__m512i second = _mm512_maskz_loadu_epi8(first(b->n - 1), s + 1);
	__m512i at = _mm512_or_si512(_mm512_slli_epi16(_mm512_and_si512(b->v, _mm512_set1_epi8(0x0F)), 3),
	                             _mm512_and_si512(_mm512_srli_epi16(second, 3), _mm512_set1_epi8(7)));
	__m512i byte = _mm512_permutex2var_epi8(_mm512_loadu_si512(rows), at, _mm512_loadu_si512(rows + 64));

	return _mm512_test_epi8_mask(byte, _mm512_shuffle_epi8(bits, _mm512_and_si512(second, _mm512_set1_epi8(7)))) & b->lead3;
}

size_t unimap_lower_avx512(const struct unicode *u, const char *text, size_t n, char *out)
{
	const char *s = text, *end = text + n;
	char *o = out;

	while (s < end) {
		struct block b = block_at(s, (size_t)(end - s));
		const char *at = NULL;
		uint32_t c = 0;

		_mm512_storeu_si512(o, _mm512_mask_add_epi8(b.v, within(b.v, 'A', 25), b.v, _mm512_set1_epi8(32)));
		if (b.lead)
			b.lead &= ~in_rows(&b, s, u->same_lower);
		for (; b.lead; b.lead &= b.lead - 1) {
			const char *p = s + __builtin_ctzll(b.lead);

			at = p;
			c = utf8_get(&p);
			if ((unicode_class(u, c) & UNI_SAME_LOWER) == 0)
				break;
		}
		if (b.lead == 0) {
			s += b.n;
			o += b.n;
			continue;
		}
		o += at - s;
		o += unimap_lower_rare(u, c, text, at, end, o);
		s = at + utf8_size(at);
	}
	return (size_t)(o - out);
}

/* The bytes of the block that are ASCII word or space characters. */
static inline __mmask64 ascii_kept(__m512i v)
{
	__mmask64 letter = within(_mm512_or_si512(v, _mm512_set1_epi8(0x20)), 'a', 25), digit = within(v, '0', 9);
	__mmask64 space = within(v, '\t', 4) | within(v, 0x1c, 4), low = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('_'));

	return letter | digit | space | low;
}

size_t unimap_keep_avx512(const struct unicode *u, unsigned classes, const char *s, size_t n, char *out)
{
	const uint8_t *rows = u->kept[(classes & UNI_MARK) != 0];
	const char *end = s + n;
	char *o = out;

	while (s < end) {
		struct block b = block_at(s, (size_t)(end - s));
		__mmask64 keep = ascii_kept(b.v);

		if (b.lead) {
			__mmask64 sure = in_rows(&b, s, rows);

			keep |= sure | sure << 1 | sure << 2;
			b.lead &= ~sure;
		}
		for (; b.lead; b.lead &= b.lead - 1) {
			int at = __builtin_ctzll(b.lead);
			const char *p = s + at;

			if (unicode_class(u, utf8_get(&p)) & classes)
				keep |= first((size_t)(p - s)) & ~first((size_t)at);
		}
		keep &= first(b.n);
		_mm512_storeu_si512(o, _mm512_maskz_compress_epi8(keep, b.v));
		o += __builtin_popcountll(keep);
		s += b.n;
	}
	return (size_t)(o - out);
}
#endif
