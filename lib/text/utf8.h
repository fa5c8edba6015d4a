/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_UTF8_H
#define SFT_UTF8_H
/* Stepping through UTF-8.  "Valid" text has been checked by whoever read it (records, JSON, options). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The code point at S of valid text, and S moved behind it. */
static inline uint32_t utf8_get(const char **s)
{
	const unsigned char *p = (const unsigned char *)*s;

	if (p[0] < 0x80) {
		*s += 1;
		return p[0];
	}
	if (p[0] < 0xE0) {
		*s += 2;
		return (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu);
	}
	if (p[0] < 0xF0) {
		*s += 3;
		return (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
	}
	*s += 4;
	return (p[0] & 0x07u) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
}

/* Bytes of the character at S of valid text. */
static inline size_t utf8_size(const char *s)
{
	unsigned char b = (unsigned char)*s;

	return b < 0x80 ? 1 : b < 0xE0 ? 2 : b < 0xF0 ? 3 : 4;
}

/* The code point that ends before S (S is not the beginning of the valid text), and S moved to it. */
static inline uint32_t utf8_before(const char **s)
{
	const char *p;

	do
		--*s;
	while (((unsigned char)**s & 0xC0) == 0x80);
	p = *s;
	return utf8_get(&p);
}

/* C written at TO (room for 4); bytes written. */
static inline size_t utf8_put(char *to, uint32_t c)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xC0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xE0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 0x3F));
		to[2] = (char)(0x80 | (c & 0x3F));
		return 3;
	}
	to[0] = (char)(0xF0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 0x3F));
	to[2] = (char)(0x80 | (c >> 6 & 0x3F));
	to[3] = (char)(0x80 | (c & 0x3F));
	return 4;
}

/* Leading bytes of S that are ASCII. */
static inline size_t utf8_ascii(const char *s, size_t n)
{
	size_t i = 0;

	for (uint64_t w; i + 8 <= n; i += 8) {
		memcpy(&w, s + i, 8);
		if (w & 0x8080808080808080u)
			return i + (size_t)(__builtin_ctzll(w & 0x8080808080808080u) >> 3);
	}
	while (i < n && (unsigned char)s[i] < 0x80)
		i++;
	return i;
}

/* Characters (code points) of valid text. */
static inline size_t utf8_count(const char *s, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		k += ((unsigned char)s[i] & 0xC0) != 0x80;
	return k;
}

/* Is S well-formed (no surrogates, no overlong forms, at most U+10FFFF)?  *AT (may be NULL): the first bad byte. */
bool utf8_valid(const char *s, size_t n, size_t *at);

#endif
