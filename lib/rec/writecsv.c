/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of CSV and TSV, quoted where they must be so that our reader, Python's csv and pandas read back the same. */
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "recout.h"

static bool special(char c, char delimiter)
{
	return c == delimiter || c == '"' || c == '\n' || c == '\r';
}

static bool copy_bytes(char *to, const char *s, size_t n, char delimiter)
{
	for (size_t i = 0; i < n; i++) {
		if (special(s[i], delimiter))
			return false;
		to[i] = s[i];
	}
	return true;
}

#ifdef __SSE2__
static inline bool any_special(__m128i v, char delimiter)
{
	__m128i d = _mm_cmpeq_epi8(v, _mm_set1_epi8(delimiter)), q = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
	__m128i lf = _mm_cmpeq_epi8(v, _mm_set1_epi8('\n')), cr = _mm_cmpeq_epi8(v, _mm_set1_epi8('\r'));

	return _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(d, q), _mm_or_si128(lf, cr))) != 0;
}

/* Copy N bytes to TO; false, with something copied, where they need quotes.  The last bytes are taken with some of those before them, so
 * that they need no loop: most cells of most tables are short. */
static bool copy_plain(char *to, const char *s, size_t n, char delimiter)
{
	__m128i v;

	if (n < 4)
		return copy_bytes(to, s, n, delimiter);
	if (n < 8) {
		int first, last;

		memcpy(&first, s, 4);
		memcpy(&last, s + n - 4, 4);
		memcpy(to, &first, 4);
		memcpy(to + n - 4, &last, 4);
		return !any_special(_mm_unpacklo_epi32(_mm_cvtsi32_si128(first), _mm_cvtsi32_si128(last)), delimiter);
	}
	if (n < 16) {
		memcpy(to, s, 8);
		memcpy(to + n - 8, s + n - 8, 8);
		return !any_special(_mm_unpacklo_epi64(_mm_loadl_epi64((const __m128i *)(const void *)s),
		                                       _mm_loadl_epi64((const __m128i *)(const void *)(s + n - 8))), delimiter);
	}
	for (size_t i = 0; i + 16 <= n; i += 16) {
		v = _mm_loadu_si128((const __m128i *)(const void *)(s + i));
		_mm_storeu_si128((__m128i *)(void *)(to + i), v);
		if (any_special(v, delimiter))
			return false;
	}
	v = _mm_loadu_si128((const __m128i *)(const void *)(s + n - 16));
	_mm_storeu_si128((__m128i *)(void *)(to + n - 16), v);
	return !any_special(v, delimiter);
}
#else
static bool copy_plain(char *to, const char *s, size_t n, char delimiter)
{
	return copy_bytes(to, s, n, delimiter);
}
#endif

static char *put_quoted(char *to, const char *s, size_t n)
{
	const char *end = s + n, *q;

	*to++ = '"';
	while ((q = memchr(s, '"', (size_t)(end - s))) != NULL) {
		memcpy(to, s, (size_t)(q - s));
		to += q - s;
		*to++ = '"';
		*to++ = '"';
		s = q + 1;
	}
	memcpy(to, s, (size_t)(end - s));
	to += end - s;
	*to++ = '"';
	return to;
}

void writecsv_row(struct buf *buf, char delimiter, const struct field *f, uint32_t n)
{
	size_t room = 16;
	char *to;

	for (uint32_t i = 0; i < n; i++)
		room += 2 * f[i].n + 3;
	to = buf_room(buf, room);
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			*to++ = delimiter;
		if (f[i].n == 0 || (f[i].type == FIELD_JSON && f[i].n == 4 && memcmp(f[i].p, "null", 4) == 0))
			continue;                                /* CSV has no null */
		/* A header of one name shows no delimiter: a reader that guesses will take a comma. */
		if (copy_plain(to, f[i].p, f[i].n, delimiter) && (n > 1 || !memchr(f[i].p, ',', f[i].n)))
			to += f[i].n;
		else
			to = put_quoted(to, f[i].p, f[i].n);
	}
	if (n == 1 && to == buf->p + buf->n)                     /* or it would be a blank line */
		to = put_quoted(to, "", 0);
	*to++ = '\n';
	buf->n = (size_t)(to - buf->p);
}

/* A name of letters, digits and the like.  All others are quoted: a reader that guesses delimiter or format by the first
 * line, as ours does, must not be led astray by them. */
static bool plain_name(const char *s, size_t n)
{
	if (n == 0 || s[0] == ' ' || s[n - 1] == ' ' || (n >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0))
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		if (!(c >= 0x80 || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || strchr("_-. ", c)) || c == 0)
			return false;
	}
	return true;
}

void writecsv_header(struct buf *buf, char delimiter, const struct names *names)
{
	for (uint32_t i = 0; i < names->n; i++) {
		char *to = buf_room(buf, 2 * (size_t)names->len[i] + 4), *start = to;

		if (i)
			*to++ = delimiter;
		if (plain_name(names->name[i], names->len[i])) {
			memcpy(to, names->name[i], names->len[i]);
			to += names->len[i];
		} else {
			to = put_quoted(to, names->name[i], names->len[i]);
		}
		buf->n += (size_t)(to - start);
	}
	buf_ch(buf, '\n');
}
