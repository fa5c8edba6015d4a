/* SPDX-License-Identifier: Apache-2.0 */
#include "striphtml.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "utf8.h"

/* The character references of HTML 4.01, chapter 24, and &apos; of XML; sorted. */
static const struct entity {
	const char *name;
	uint16_t code;
} entities[] = {
	{ "AElig", 198 }, { "Aacute", 193 }, { "Acirc", 194 }, { "Agrave", 192 }, { "Alpha", 913 }, { "Aring", 197 },
	{ "Atilde", 195 }, { "Auml", 196 }, { "Beta", 914 }, { "Ccedil", 199 }, { "Chi", 935 }, { "Dagger", 8225 }, { "Delta", 916 },
	{ "ETH", 208 }, { "Eacute", 201 }, { "Ecirc", 202 }, { "Egrave", 200 }, { "Epsilon", 917 }, { "Eta", 919 }, { "Euml", 203 },
	{ "Gamma", 915 }, { "Iacute", 205 }, { "Icirc", 206 }, { "Igrave", 204 }, { "Iota", 921 }, { "Iuml", 207 }, { "Kappa", 922 },
	{ "Lambda", 923 }, { "Mu", 924 }, { "Ntilde", 209 }, { "Nu", 925 }, { "OElig", 338 }, { "Oacute", 211 }, { "Ocirc", 212 },
	{ "Ograve", 210 }, { "Omega", 937 }, { "Omicron", 927 }, { "Oslash", 216 }, { "Otilde", 213 }, { "Ouml", 214 },
	{ "Phi", 934 }, { "Pi", 928 }, { "Prime", 8243 }, { "Psi", 936 }, { "Rho", 929 }, { "Scaron", 352 }, { "Sigma", 931 },
	{ "THORN", 222 }, { "Tau", 932 }, { "Theta", 920 }, { "Uacute", 218 }, { "Ucirc", 219 }, { "Ugrave", 217 },
	{ "Upsilon", 933 }, { "Uuml", 220 }, { "Xi", 926 }, { "Yacute", 221 }, { "Yuml", 376 }, { "Zeta", 918 }, { "aacute", 225 },
	{ "acirc", 226 }, { "acute", 180 }, { "aelig", 230 }, { "agrave", 224 }, { "alefsym", 8501 }, { "alpha", 945 }, { "amp", 38 },
	{ "and", 8743 }, { "ang", 8736 }, { "apos", 39 }, { "aring", 229 }, { "asymp", 8776 }, { "atilde", 227 }, { "auml", 228 },
	{ "bdquo", 8222 }, { "beta", 946 }, { "brvbar", 166 }, { "bull", 8226 }, { "cap", 8745 }, { "ccedil", 231 }, { "cedil", 184 },
	{ "cent", 162 }, { "chi", 967 }, { "circ", 710 }, { "clubs", 9827 }, { "cong", 8773 }, { "copy", 169 }, { "crarr", 8629 },
	{ "cup", 8746 }, { "curren", 164 }, { "dArr", 8659 }, { "dagger", 8224 }, { "darr", 8595 }, { "deg", 176 }, { "delta", 948 },
	{ "diams", 9830 }, { "divide", 247 }, { "eacute", 233 }, { "ecirc", 234 }, { "egrave", 232 }, { "empty", 8709 },
	{ "emsp", 8195 }, { "ensp", 8194 }, { "epsilon", 949 }, { "equiv", 8801 }, { "eta", 951 }, { "eth", 240 }, { "euml", 235 },
	{ "euro", 8364 }, { "exist", 8707 }, { "fnof", 402 }, { "forall", 8704 }, { "frac12", 189 }, { "frac14", 188 },
	{ "frac34", 190 }, { "frasl", 8260 }, { "gamma", 947 }, { "ge", 8805 }, { "gt", 62 }, { "hArr", 8660 }, { "harr", 8596 },
	{ "hearts", 9829 }, { "hellip", 8230 }, { "iacute", 237 }, { "icirc", 238 }, { "iexcl", 161 }, { "igrave", 236 },
	{ "image", 8465 }, { "infin", 8734 }, { "int", 8747 }, { "iota", 953 }, { "iquest", 191 }, { "isin", 8712 }, { "iuml", 239 },
	{ "kappa", 954 }, { "lArr", 8656 }, { "lambda", 955 }, { "lang", 9001 }, { "laquo", 171 }, { "larr", 8592 },
	{ "lceil", 8968 }, { "ldquo", 8220 }, { "le", 8804 }, { "lfloor", 8970 }, { "lowast", 8727 }, { "loz", 9674 },
	{ "lrm", 8206 }, { "lsaquo", 8249 }, { "lsquo", 8216 }, { "lt", 60 }, { "macr", 175 }, { "mdash", 8212 }, { "micro", 181 },
	{ "middot", 183 }, { "minus", 8722 }, { "mu", 956 }, { "nabla", 8711 }, { "nbsp", 160 }, { "ndash", 8211 }, { "ne", 8800 },
	{ "ni", 8715 }, { "not", 172 }, { "notin", 8713 }, { "nsub", 8836 }, { "ntilde", 241 }, { "nu", 957 }, { "oacute", 243 },
	{ "ocirc", 244 }, { "oelig", 339 }, { "ograve", 242 }, { "oline", 8254 }, { "omega", 969 }, { "omicron", 959 },
	{ "oplus", 8853 }, { "or", 8744 }, { "ordf", 170 }, { "ordm", 186 }, { "oslash", 248 }, { "otilde", 245 }, { "otimes", 8855 },
	{ "ouml", 246 }, { "para", 182 }, { "part", 8706 }, { "permil", 8240 }, { "perp", 8869 }, { "phi", 966 }, { "pi", 960 },
	{ "piv", 982 }, { "plusmn", 177 }, { "pound", 163 }, { "prime", 8242 }, { "prod", 8719 }, { "prop", 8733 }, { "psi", 968 },
	{ "quot", 34 }, { "rArr", 8658 }, { "radic", 8730 }, { "rang", 9002 }, { "raquo", 187 }, { "rarr", 8594 }, { "rceil", 8969 },
	{ "rdquo", 8221 }, { "real", 8476 }, { "reg", 174 }, { "rfloor", 8971 }, { "rho", 961 }, { "rlm", 8207 }, { "rsaquo", 8250 },
	{ "rsquo", 8217 }, { "sbquo", 8218 }, { "scaron", 353 }, { "sdot", 8901 }, { "sect", 167 }, { "shy", 173 }, { "sigma", 963 },
	{ "sigmaf", 962 }, { "sim", 8764 }, { "spades", 9824 }, { "sub", 8834 }, { "sube", 8838 }, { "sum", 8721 }, { "sup", 8835 },
	{ "sup1", 185 }, { "sup2", 178 }, { "sup3", 179 }, { "supe", 8839 }, { "szlig", 223 }, { "tau", 964 }, { "there4", 8756 },
	{ "theta", 952 }, { "thetasym", 977 }, { "thinsp", 8201 }, { "thorn", 254 }, { "tilde", 732 }, { "times", 215 },
	{ "trade", 8482 }, { "uArr", 8657 }, { "uacute", 250 }, { "uarr", 8593 }, { "ucirc", 251 }, { "ugrave", 249 }, { "uml", 168 },
	{ "upsih", 978 }, { "upsilon", 965 }, { "uuml", 252 }, { "weierp", 8472 }, { "xi", 958 }, { "yacute", 253 }, { "yen", 165 },
	{ "yuml", 255 }, { "zeta", 950 }, { "zwj", 8205 }, { "zwnj", 8204 },
};

static int by_name(const void *key, const void *entry)
{
	return strcmp(key, ((const struct entity *)entry)->name);
}

/* What stands for itself in HTML's table for 0x80..0x9F: these numbers mean windows-1252 (HTML standard, 13.2.5.80). */
static const uint16_t windows[32] = {
	0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D, 0x017D, 0x8F,
	0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D, 0x017E, 0x0178
};

/* "#65" or "#x41" of N bytes as a code point; 0 where it is none that can be written. */
static uint32_t number(const char *s, size_t n)
{
	bool hex = n > 1 && (s[1] | 0x20) == 'x';
	uint32_t c = 0;
	size_t i = hex ? 2 : 1;

	if (i >= n)
		return 0;
	for (; i < n; i++) {
		unsigned d = (unsigned char)s[i];

		if (d >= '0' && d <= '9')
			d -= '0';
		else if (hex && (d | 0x20) >= 'a' && (d | 0x20) <= 'f')
			d = (d | 0x20) - 'a' + 10;
		else
			return 0;
		c = c * (hex ? 16 : 10) + d;
		if (c > 0x10FFFF)
			return 0;
	}
	if (c >= 0x80 && c < 0xA0)
		return windows[c - 0x80];
	return c >= 0xD800 && c <= 0xDFFF ? 0 : c;
}

/* Decode the reference at S ('&'); bytes used, 0 if it is none. */
static size_t reference(const char *s, const char *end, char **out)
{
	char name[16];
	size_t n = 1;
	uint32_t c = 0;
	const struct entity *found;

	while (s + n < end && n < sizeof name && s[n] != ';' && s[n] != '&')
		n++;
	if (s + n >= end || s[n] != ';' || n == 1 || n >= sizeof name)
		return 0;
	memcpy(name, s + 1, n - 1);
	name[n - 1] = '\0';
	if (name[0] == '#')
		c = number(name, n - 1);
	else if ((found = bsearch(name, entities, sizeof entities / sizeof *entities, sizeof *entities, by_name)) != NULL)
		c = found->code;
	if (c == 0)
		return 0;
	*out += utf8_put(*out, c);
	return n + 1;
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

size_t html_text(const char *s, size_t n, char *out)
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
