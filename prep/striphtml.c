/* SPDX-License-Identifier: Apache-2.0 */
#include "striphtml.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "htmlnames.h"
#include "utf8.h"

/* What stands for itself in HTML's table for 0x80..0x9F: these numbers mean windows-1252 (HTML standard, 13.2.5.80). */
static const uint16_t windows[32] = {
	0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D, 0x017D, 0x8F,
	0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D, 0x017E, 0x0178
};

/* Is C a control character or one that Unicode gives to nobody?  What is numbered so stands for nothing. */
static bool no_character(uint32_t c)
{
	return (c < 0x20 && c != '\t' && c != '\n' && c != '\f' && c != '\r') || c == 0x7F || (c >= 0xFDD0 && c <= 0xFDEF) ||
	       (c & 0xFFFE) == 0xFFFE;
}

static void put_number(uint32_t c, char **out)
{
	if (c >= 0x80 && c < 0xA0)
		c = windows[c - 0x80];
	else if (c == 0 || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		c = 0xFFFD;
	else if (no_character(c))
		return;
	*out += utf8_put(*out, c);
}

/* "&#65;" or "&#x41;" at S, the semicolon as it may be: bytes used, 0 if it is none. */
static size_t number(const char *s, const char *end, char **out)
{
	bool hex = end - s > 2 && (s[2] | 0x20) == 'x';
	const char *first = s + (hex ? 3 : 2), *p = first;
	uint32_t c = 0;

	for (; p < end; p++) {
		unsigned d = (unsigned char)*p;

		if (d >= '0' && d <= '9')
			d -= '0';
		else if (hex && (d | 0x20) >= 'a' && (d | 0x20) <= 'f')
			d = (d | 0x20) - 'a' + 10;
		else
			break;
		c = c > 0x10FFFF ? c : c * (hex ? 16 : 10) + d;
	}
	if (p == first)
		return 0;
	put_number(c, out);
	return (size_t)(p - s) + (p < end && *p == ';');
}

static const char *name_of(unsigned i)
{
	return html_names + html_name_at[i];
}

/* The first of the names FROM..TO whose byte AT is not below C; they agree on the bytes before. */
static unsigned bound(unsigned from, unsigned to, size_t at, int c)
{
	while (from < to) {
		unsigned middle = from + (to - from) / 2;

		if ((unsigned char)name_of(middle)[at] < c)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* The longest name behind the '&' at S: bytes used, 0 if there is none. */
static size_t named_reference(const char *s, const char *end, char **out)
{
	unsigned from = 0, to = html_names_n, found = 0;
	size_t len = 0, n;

	for (size_t i = 0; s + 1 + i < end; i++) {
		int c = (unsigned char)s[1 + i];

		from = bound(from, to, i, c);
		to = bound(from, to, i, c + 1);
		if (c == 0 || from == to)
			break;
		if (name_of(from)[i + 1] == '\0') {
			found = from;
			len = i + 1;
		}
	}
	if (len == 0)
		return 0;
	n = strlen(name_of(found) + len + 1);
	memcpy(*out, name_of(found) + len + 1, n);
	*out += n;
	return len + 1;
}

/* Decode the reference at S ('&'); bytes used, 0 if it is none. */
static size_t reference(const char *s, const char *end, char **out)
{
	return end - s > 1 && s[1] == '#' ? number(s, end, out) : named_reference(s, end, out);
}

/* --- tags --- */

/* The flags keep the time linear: what was once looked for to the end in vain is not looked for again. */
struct html {
	const char *end, *last; /* the last '>' */
	bool plain;             /* a quote was left open somewhere: quotes mean nothing any more */
	bool no_comment, no_cdata;
};

static bool letter(char c)
{
	return (unsigned)((c | 0x20) - 'a') < 26;
}

/* Behind the '>' that closes the tag at S, quoted values skipped; NULL if none does. */
static const char *tag_end(struct html *h, const char *s)
{
	const char *p = s;

	while (!h->plain && p < h->end) {
		if (*p == '>')
			return p + 1;
		if (*p == '=' && p + 1 < h->end && (p[1] == '"' || p[1] == '\'')) {
			p = memchr(p + 2, p[1], (size_t)(h->end - p - 2));
			if (p == NULL)
				break;
		}
		p++;
	}
	h->plain = true;
	p = memchr(s, '>', (size_t)(h->end - s));
	return p ? p + 1 : NULL;
}

static bool named(const char *s, size_t n, const char *const *names)
{
	for (; *names; names++)
		if (strlen(*names) == n && strncasecmp(s, *names, n) == 0)
			return true;
	return false;
}

/* Behind "</NAME ...>" at or after S; the end where there is none. */
static const char *skip_element(struct html *h, const char *s, const char *name, size_t n)
{
	while ((s = memchr(s, '<', (size_t)(h->end - s))) != NULL) {
		if ((size_t)(h->end - s) > n + 2 && s[1] == '/' && strncasecmp(s + 2, name, n) == 0 && !letter(s[n + 2])) {
			s = tag_end(h, s);
			return s ? s : h->end;
		}
		s++;
	}
	return h->end;
}

static void put_gap(char gap, const char *begin, char **out)
{
	if (*out > begin && (*out)[-1] != '\n' && (*out)[-1] != gap)
		*(*out)++ = gap;
}

/* An element's tag at S ("<p", "</p"): its effect on OUT, and the place behind it; NULL if it is no tag. */
static const char *element(struct html *h, const char *s, const char *begin, char **out)
{
	static const char *const blocks[] = {
		"p", "br", "div", "li", "ul", "ol", "dl", "dt", "dd", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "pre",
		"blockquote", "section", "article", "header", "footer", "form", "option", "title", NULL
	};
	static const char *const cells[] = { "td", "th", NULL };
	static const char *const hidden[] = { "script", "style", NULL };
	bool closing = s[1] == '/';
	const char *name = s + 1 + closing, *p = name, *behind;
	size_t n;

	while (p < h->end && (letter(*p) || (*p >= '0' && *p <= '9')))
		p++;
	n = (size_t)(p - name);
	if ((behind = tag_end(h, p)) == NULL)
		return NULL;
	if (named(name, n, blocks))
		put_gap('\n', begin, out);
	else if (named(name, n, cells))
		put_gap(' ', begin, out);
	else if (!closing && behind[-2] != '/' && named(name, n, hidden))
		return skip_element(h, behind, name, n);
	return behind;
}

/* The place of the 3 characters WHAT at or after S. */
static const char *find(const struct html *h, const char *s, const char *what, bool *never)
{
	const char *p = *never ? NULL : memmem(s, (size_t)(h->end - s), what, 3);

	*never = p == NULL;
	return p;
}

/* "<!--", "<![CDATA[", "<!doctype", "<?xml" at S; NULL: text. */
static const char *declaration(struct html *h, const char *s, char **out)
{
	const char *p;
	size_t left = (size_t)(h->end - s);

	if (left >= 4 && memcmp(s, "<!--", 4) == 0)
		return (p = find(h, s + 4, "-->", &h->no_comment)) ? p + 3 : NULL;
	if (left >= 9 && memcmp(s, "<![CDATA[", 9) == 0) {
		if ((p = find(h, s + 9, "]]>", &h->no_cdata)) == NULL)
			return NULL;
		memmove(*out, s + 9, (size_t)(p - s - 9));
		*out += p - s - 9;
		return p + 3;
	}
	return letter(s[2]) ? tag_end(h, s) : NULL;
}

static const char *markup(struct html *h, const char *s, const char *begin, char **out)
{
	if (h->end - s < 3)
		return NULL;
	if (letter(s[1]) || (s[1] == '/' && letter(s[2])))
		return element(h, s, begin, out);
	if (s[1] == '!' || s[1] == '?')
		return declaration(h, s, out);
	return NULL;
}

size_t striphtml(const char *s, size_t n, char *out)
{
	struct html h = { .end = s + n, .last = n ? memrchr(s, '>', n) : NULL };
	char *o = out;

	while (s < h.end) {
		const char *p = NULL;
		size_t used = 0;

		if (*s == '<' && h.last && s < h.last)
			p = markup(&h, s, out, &o);
		else if (*s == '&')
			used = reference(s, h.end, &o);
		if (p)
			s = p;
		else if (used)
			s += used;
		else
			*o++ = *s++;
	}
	return (size_t)(o - out);
}
