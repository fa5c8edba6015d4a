/* SPDX-License-Identifier: Apache-2.0 */
/* The mappings of unicode.h that run over every byte of a data set: tables and plain loops, no ICU. */
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "unimap.h"

/* --- ASCII, 16 bytes at a time --- */

#ifdef __SSE2__
typedef __m128i block;

static inline block block_get(const char *s)
{
	return _mm_loadu_si128((const __m128i *)(const void *)s);
}

static inline void block_put(char *to, block v)
{
	_mm_storeu_si128((__m128i *)(void *)to, v);
}

/* 0xff where LO <= byte <= LO + SPAN. */
static inline block within(block v, char lo, char span)
{
	block x = _mm_sub_epi8(v, _mm_set1_epi8(lo));

	return _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(span)), x);
}

static inline block block_lower(block v)
{
	return _mm_add_epi8(v, _mm_and_si128(within(v, 'A', 25), _mm_set1_epi8(32)));
}

/* A bit for each byte that is not ASCII. */
static inline unsigned block_high(block v)
{
	return (unsigned)_mm_movemask_epi8(v);
}

/* A bit for each byte that is not an ASCII word or space character. */
static inline unsigned block_other(block v)
{
	block letter = within(_mm_or_si128(v, _mm_set1_epi8(0x20)), 'a', 25), digit = within(v, '0', 9);
	block space = _mm_or_si128(within(v, '\t', 4), within(v, 0x1c, 4));
	block keep = _mm_or_si128(_mm_or_si128(letter, digit), _mm_or_si128(space, _mm_cmpeq_epi8(v, _mm_set1_epi8('_'))));

	return (unsigned)_mm_movemask_epi8(keep) ^ 0xffff;
}
#else
typedef struct { unsigned char b[16]; } block;

static inline block block_get(const char *s)
{
	block v;

	memcpy(v.b, s, 16);
	return v;
}

static inline void block_put(char *to, block v)
{
	memcpy(to, v.b, 16);
}

static inline block block_lower(block v)
{
	for (int i = 0; i < 16; i++)
		v.b[i] = (unsigned char)(v.b[i] + ((unsigned char)(v.b[i] - 'A') < 26 ? 32 : 0));
	return v;
}

static inline unsigned block_high(block v)
{
	unsigned mask = 0;

	for (int i = 0; i < 16; i++)
		mask |= (unsigned)(v.b[i] >> 7) << i;
	return mask;
}

static inline unsigned block_other(block v)
{
	unsigned mask = 0;

	for (int i = 0; i < 16; i++) {
		unsigned char c = v.b[i], l = c | 0x20;
		bool keep = (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '_' || (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x20);

		mask |= (unsigned)!keep << i;
	}
	return mask;
}
#endif

/* The ASCII bytes that S begins with, written to OUT, which has room for 16 bytes more than come out; *PUT bytes.  Returns how many bytes
 * of S that was: N, or the place of the first byte that is not ASCII. */
static size_t lower_ascii(const char *s, size_t n, char *out, size_t *put)
{
	size_t i = 0;

	for (; i + 16 <= n; i += 16) {
		block v = block_get(s + i);
		unsigned high = block_high(v);

		block_put(out + i, block_lower(v));
		if (high)
			return *put = i + (size_t)__builtin_ctz(high);
	}
	for (; i < n && (unsigned char)s[i] < 0x80; i++)
		out[i] = (char)(s[i] + ((unsigned char)(s[i] - 'A') < 26 ? 32 : 0));
	return *put = i;
}

/* The same for word and space characters.  After a byte that is dropped the next 16 are looked at from there, so that each costs one turn. */
static size_t keep_ascii(const char *s, size_t n, char *out, size_t *put)
{
	const char *from = s, *end = s + n;
	char *o = out;

	while (s < end) {
		char last[16] = {0};
		size_t left = (size_t)(end - s);
		block v = left >= 16 ? block_get(s) : block_get(memcpy(last, s, left));
		unsigned other = block_other(v) | (left < 16 ? ~0u << left : ~0u << 16);
		unsigned kept = (unsigned)__builtin_ctz(other);

		block_put(o, v);
		s += kept;
		o += kept;
		if (kept == 16 || s == end)
			continue;
		if ((unsigned char)*s >= 0x80)
			break;
		s++;
	}
	*put = (size_t)(o - out);
	return (size_t)(s - from);
}

/* Is there a character of three bytes at S, and one byte more?  Most of what is not ASCII is of that kind in many data sets, and
 * is worth a path without branches: what the table says of it decides by how much the output moves on. */
static inline bool three_bytes(const char *s, const char *end)
{
	return ((unsigned char)*s & 0xF0) == 0xE0 && end - s >= 4;
}

static inline uint32_t get_three(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	return (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
}

bool unicode_final_sigma(const char *text, const char *at, const char *end)
{
	const char *p = at;
	uint32_t c = 0;

	do {
		if (p == text)
			return false;
		c = utf8_before(&p);
	} while (unicode_case_ignorable(c));
	if (!unicode_cased(c))
		return false;
	for (p = at + 2; p < end; ) {
		c = utf8_get(&p);
		if (!unicode_case_ignorable(c))
			return !unicode_cased(c);
	}
	return true;
}

size_t unimap_lower_rare(const struct unicode *u, uint32_t c, const char *text, const char *at, const char *end, char *out)
{
	if (c == 0x130) {                                  /* i and a combining dot above */
		memcpy(out, "i\xCC\x87", 3);
		return 3;
	}
	if (c == 0x3A3)
		return utf8_put(out, unicode_final_sigma(text, at, end) ? 0x3C2 : 0x3C3);
	return utf8_put(out, c < 0x10000 ? u->low[c] : unicode_lower_of(c));
}

/* The characters from *S on that are not ASCII, lowered; *S ends behind them. */
static char *lower_high(const struct unicode *u, const char *text, const char **from, const char *end, char *o)
{
	const char *s = *from;

	while (s < end && (unsigned char)*s >= 0x80) {
		const char *at = s;
		uint32_t c;

		if (three_bytes(s, end) && (u->cls[get_three(s)] & UNI_SAME_LOWER)) {
			memcpy(o, s, 4);                           /* the fourth is written over */
			o += 3;
			s += 3;
			continue;
		}
		c = utf8_get(&s);
		if (unicode_class(u, c) & UNI_SAME_LOWER) {
			for (; at < s; at++)
				*o++ = *at;
		} else {
			o += unimap_lower_rare(u, c, text, at, end, o);
		}
	}
	*from = s;
	return o;
}

size_t unimap_lower_plain(const struct unicode *u, const char *text, size_t n, char *out)
{
	const char *s = text, *end = text + n;
	char *o = out;

	while (s < end) {
		size_t put;

		s += lower_ascii(s, (size_t)(end - s), o, &put);
		o = lower_high(u, text, &s, end, o + put);
	}
	return (size_t)(o - out);
}

size_t unicode_lower(const struct unicode *u, const char *text, size_t n, char *out)
{
	return u->lower(u, text, n, out);
}

/* What the loops over ASCII look for; no ASCII is a mark. */
static bool usual_classes(unsigned classes)
{
	return (classes & (UNI_WORD | UNI_SPACE)) == (UNI_WORD | UNI_SPACE);
}

/* The characters from *S on that are not ASCII and of CLASSES; *S ends behind them. */
static char *keep_high(const struct unicode *u, unsigned classes, const char **from, const char *end, char *o)
{
	const char *s = *from;

	while (s < end && (unsigned char)*s >= 0x80) {
		const char *at = s;

		if (three_bytes(s, end)) {
			memcpy(o, s, 4);
			o += 3 * ((u->cls[get_three(s)] & classes) != 0);
			s += 3;
			continue;
		}
		if ((unicode_class(u, utf8_get(&s)) & classes) == 0)
			continue;
		for (; at < s; at++)
			*o++ = *at;
	}
	*from = s;
	return o;
}

size_t unimap_keep_plain(const struct unicode *u, unsigned classes, const char *s, size_t n, char *out)
{
	const char *end = s + n;
	char *o = out;
	bool usual = usual_classes(classes);

	while (s < end) {
		size_t put;

		if (usual) {
			s += keep_ascii(s, (size_t)(end - s), o, &put);
			o += put;
		}
		for (; !usual && s < end && (unsigned char)*s < 0x80; s++) {
			*o = *s;
			o += (u->cls[(unsigned char)*s] & classes) != 0;
		}
		o = keep_high(u, classes, &s, end, o);
	}
	return (size_t)(o - out);
}

size_t unicode_keep(const struct unicode *u, unsigned classes, const char *s, size_t n, char *out)
{
	return usual_classes(classes) ? u->keep(u, classes, s, n, out) : unimap_keep_plain(u, classes, s, n, out);
}

size_t unicode_squeeze(const struct unicode *u, const char *s, size_t n, char *out)
{
	const char *end = s + n;
	char *o = out;
	bool gap = false;

	while (s < end) {
		const char *at = s;
		uint32_t c = utf8_get(&s);

		if (unicode_class(u, c) & UNI_SPACE) {
			gap = true;
			continue;
		}
		if (gap && o > out)
			*o++ = ' ';
		gap = false;
		for (; at < s; at++)
			*o++ = *at;
	}
	return (size_t)(o - out);
}

/* O behind the character MARK (U+3099 or U+309A) that stands at its end, composed with the one before where there is a composite. */
static char *compose_sound(char *out, char *o, uint32_t mark)
{
	const char *p = o;
	uint32_t c;

	if (o == out || (c = unicode_compose(utf8_before(&p), mark)) == 0)
		return o + utf8_put(o, mark);
	o = out + (p - out);
	return o + utf8_put(o, c);
}

size_t unicode_fold_width(const struct unicode *u, const char *s, size_t n, char *out)
{
	const char *end = s + n;
	char *o = out;

	while (s < end) {
		size_t run = utf8_ascii(s, (size_t)(end - s));
		const char *at;
		uint32_t c;

		memcpy(o, s, run);
		s += run;
		o += run;
		if (s >= end)
			break;
		at = s;
		c = utf8_get(&s);
		if (c == 0x3000) {
			*o++ = ' ';
		} else if (c >= 0xFF00 && c <= 0xFFFF) {
			c = u->narrow[c & 0xFF];
			o = c == 0x3099 || c == 0x309A ? compose_sound(out, o, c) : o + utf8_put(o, c);
		} else {
			for (; at < s; at++)
				*o++ = *at;
		}
	}
	return (size_t)(o - out);
}

/* --- validity: the table of the Unicode standard, 3.9, "Well-formed UTF-8 byte sequences" --- */

/* Bytes of the well-formed sequence at S (first byte >= 0x80), or 0. */
static size_t sequence(const unsigned char *s, size_t n)
{
	unsigned char lo = 0x80, hi = 0xBF, b = s[0];
	size_t len = b >= 0xF0 ? 4 : b >= 0xE0 ? 3 : 2;

	if (b < 0xC2 || b > 0xF4 || n < len)
		return 0;
	if (b == 0xE0)
		lo = 0xA0;
	else if (b == 0xED)
		hi = 0x9F;
	else if (b == 0xF0)
		lo = 0x90;
	else if (b == 0xF4)
		hi = 0x8F;
	if (s[1] < lo || s[1] > hi)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((s[i] & 0xC0) != 0x80)
			return 0;
	return len;
}

bool utf8_valid(const char *s, size_t n, size_t *at)
{
	size_t i = 0, len;

	while ((i += utf8_ascii(s + i, n - i)) < n) {
		if ((len = sequence((const unsigned char *)s + i, n - i)) == 0)
			break;
		i += len;
	}
	if (at)
		*at = i;
	return i == n;
}
