/* SPDX-License-Identifier: Apache-2.0 */
/* The mappings of unicode.h that run over every byte of a data set: tables and plain loops, no ICU. */
#include <string.h>

#include "unicode.h"

/* ASCII is handled in blocks of this many bytes, which the compiler turns into vector code. */
enum { BLOCK = 16 };

static bool ascii_block(const char *s)
{
	uint64_t a, b;

	memcpy(&a, s, 8);
	memcpy(&b, s + 8, 8);
	return ((a | b) & 0x8080808080808080u) == 0;
}

static void lower_block(const char *s, char *out)
{
	for (int i = 0; i < BLOCK; i++) {
		unsigned char c = (unsigned char)s[i];
		out[i] = (char)(c + ((unsigned char)(c - 'A') < 26 ? 32 : 0));
	}
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

static size_t lower_rare(const struct unicode *u, uint32_t c, const char *text, const char *at, const char *end, char *out)
{
	if (c == 0x130) {                                  /* i and a combining dot above */
		memcpy(out, "i\xCC\x87", 3);
		return 3;
	}
	if (c == 0x3A3)
		return utf8_put(out, unicode_final_sigma(text, at, end) ? 0x3C2 : 0x3C3);
	return utf8_put(out, c < 0x10000 ? u->low[c] : unicode_lower_of(c));
}

size_t unicode_lower(const struct unicode *u, const char *text, size_t n, char *out)
{
	const char *s = text, *end = text + n;
	char *o = out;

	while (s < end) {
		const char *at = s;
		uint32_t c;

		while (end - s >= BLOCK && ascii_block(s)) {
			lower_block(s, o);
			s += BLOCK;
			o += BLOCK;
		}
		for (; s < end && (unsigned char)*s < 0x80; s++)
			*o++ = (char)((unsigned char)*s + ((unsigned char)(*s - 'A') < 26 ? 32 : 0));
		while (s < end && (unsigned char)*s >= 0x80) {
			at = s;
			c = utf8_get(&s);
			if (c < 0x10000 && u->low[c] == c) {        /* most of the world's letters have no case */
				memcpy(o, at, (size_t)(s - at));
				o += s - at;
			} else {
				o += lower_rare(u, c, text, at, end, o);
			}
		}
	}
	return (size_t)(o - out);
}

size_t unicode_keep(const struct unicode *u, unsigned classes, const char *s, size_t n, char *out)
{
	const char *end = s + n;
	char *o = out;

	while (s < end) {
		for (; s < end && (unsigned char)*s < 0x80; s++) {
			*o = *s;
			o += (u->cls[(unsigned char)*s] & classes) != 0;
		}
		while (s < end && (unsigned char)*s >= 0x80) {
			const char *at = s;
			uint32_t c = utf8_get(&s);
			size_t len = (size_t)(s - at);

			for (size_t i = 0; i < len; i++)
				o[i] = at[i];
			o += unicode_class(u, c) & classes ? len : 0;
		}
	}
	return (size_t)(o - out);
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
