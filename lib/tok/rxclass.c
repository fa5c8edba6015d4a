/* SPDX-License-Identifier: Apache-2.0 */
/* The patterns of tokenizer.json are Oniguruma's, with Unicode 16.  PCRE2 gets them with every class written out as ranges
 * (its own tables may be of another version, and its \s and \w differ), and with what it spells differently respelt. */
#include <string.h>
#include <strings.h>

#include "tokimpl.h"
#include "uniclass.h"
#include "utf8.h"

static const char *const cat_names[] = { "Cn", "Cc", "Cf", "Co", "Cs", "Ll", "Lm", "Lo", "Lt", "Lu", "Mc", "Me", "Mn", "Nd", "Nl", "No",
	"Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "Sc", "Sk", "Sm", "So", "Zl", "Zp", "Zs" };

/* A class: categories, or flags of uniclass.h, or a set of ranges. */
struct class {
	unsigned cats, flags;
	const struct uni_range *set;
	unsigned nset;
	bool negated;
};

static bool in_class(const struct class *k, uint32_t c)
{
	unsigned u = uni_of(c);
	bool in = (UC_BIT(u) & k->cats) || (u & k->flags) || (k->set && uni_in(k->set, k->nset, c));

	return in != k->negated;
}

/* "L", "Lu", "Letter", "Han", "Script=Han"...; false: not known. */
static bool class_named(const char *s, size_t n, struct class *k)
{
	static const struct { const char *name; unsigned cats; } longer[] = {
		{ "Letter", UC_L }, { "Mark", UC_M }, { "Number", UC_N }, { "Punctuation", UC_P }, { "Symbol", UC_S },
		{ "Separator", 1u << UC_ZL | 1u << UC_ZP | 1u << UC_ZS }, { "Digit", 1u << UC_ND }
	};

	for (size_t i = 0; i < sizeof longer / sizeof *longer; i++)
		if (strlen(longer[i].name) == n && strncasecmp(longer[i].name, s, n) == 0) {
			k->cats = longer[i].cats;
			return true;
		}
	if ((n == 3 && strncasecmp(s, "Han", 3) == 0) || (n == 10 && strncasecmp(s, "Script=Han", 10) == 0)) {
		k->set = uni_han;
		k->nset = uni_han_n;
		return true;
	}
	for (unsigned i = 0; i < sizeof cat_names / sizeof *cat_names; i++)
		if ((n == 1 && cat_names[i][0] == *s) || (n == 2 && memcmp(cat_names[i], s, 2) == 0))
			k->cats |= 1u << i;
	return k->cats != 0;
}

/* The ranges of K in the syntax of a bracket. */
static void put_ranges(struct buf *out, const struct class *k)
{
	for (uint32_t c = 0; c < 0x110000; c++) {
		uint32_t first = c;

		if (c == 0xD800)
			c = first = 0xE000;    /* no surrogates in UTF */
		if (!in_class(k, c))
			continue;
		while (c + 1 < 0x110000 && c + 1 != 0xD800 && in_class(k, c + 1))
			c++;
		buf_fmt(out, "\\x{%X}-\\x{%X}", (unsigned)first, (unsigned)c);
	}
}

static void put_class(struct buf *out, const struct class *k, bool inside)
{
	if (!inside)
		buf_ch(out, '[');
	put_ranges(out, k);
	if (!inside)
		buf_ch(out, ']');
}

/* \p{Name}, \P{Name}, \p{^Name} at P (behind the backslash): its end, or NULL. */
static const char *property(const char *p, const char *end, struct class *k)
{
	const char *close, *name = p + 1;
	bool negated = *p == 'P';

	if (name < end && *name != '{') {
		close = name + 1;
		if (!class_named(name, 1, k))
			return NULL;
	} else {
		close = memchr(p, '}', (size_t)(end - p));
		if (close == NULL)
			return NULL;
		name++;
		if (name < close && *name == '^') {
			negated = !negated;
			name++;
		}
		if (!class_named(name, (size_t)(close - name), k))
			return NULL;
		close++;
	}
	k->negated = negated;
	return close;
}

/* The escape at P, behind the backslash; its end, or NULL with a message. */
static const char *escape(const char *p, const char *end, bool inside, struct buf *out, struct err *e)
{
	struct class k = {0};
	const char *next;

	if (p == end) {
		err_set(e, SFT_BADDATA, "a pattern ends in a backslash");
		return NULL;
	}
	switch (*p) {
	case 'p': case 'P':
		if ((next = property(p, end, &k)) == NULL) {
			err_set(e, SFT_BADDATA, "a pattern has an unknown class '\\%.*s'", (int)(end - p < 20 ? end - p : 20), p);
			return NULL;
		}
		put_class(out, &k, inside);
		return next;
	case 's': case 'S': k.flags = UC_SPACE; k.negated = *p == 'S'; break;
	case 'w': case 'W': k.flags = UC_WORD; k.negated = *p == 'W'; break;
	case 'd': case 'D': k.cats = 1u << UC_ND; k.negated = *p == 'D'; break;
	case 'h':
		buf_str(out, inside ? "0-9A-Fa-f" : "[0-9A-Fa-f]");
		return p + 1;
	default:
		buf_ch(out, '\\');
		next = p + utf8_size(p);
		buf_add(out, p, (size_t)(next - p));
		return next;
	}
	put_class(out, &k, inside);
	return p + 1;
}

/* (?m: is Ruby's "dot matches a line break", PCRE2's (?s:.  P is at the bracket. */
static void group_options(const char *p, const char *end, char **s)
{
	for (p += 2; p < end && ((*p >= 'a' && *p <= 'z') || *p == '-'); p++, (*s)++)
		if (*p == 'm')
			**s = 's';
}

int pattern_translate(const char *regex, size_t n, struct pattern **out, struct err *e)
{
	struct buf b = {0};
	char *copy = mem_strn(regex, n);
	const char *p = copy, *end = copy + n;
	bool inside = false;
	int rc = 0;

	for (char *s = copy; (s = strstr(s, "(?")) != NULL && s + 2 < end; s += 2) {
		char *opt = s + 2;

		group_options(s, end, &opt);
	}
	while (rc == 0 && p && p < end) {
		char c = *p;

		if (c == '\\') {
			p = escape(p + 1, end, inside, &b, e);
			rc = p ? 0 : SFT_BADDATA;
			continue;
		}
		if (inside && (c == '[' || (c == '&' && p + 1 < end && p[1] == '&')) && !(c == '[' && p + 1 < end && p[1] == ':')) {
			rc = err_set(e, SFT_BADDATA, "a pattern has a class inside a class, which is not known here");
			break;
		}
		if (c == '[' && !inside) {
			inside = true;
			buf_ch(&b, *p++);
			if (p < end && *p == '^')
				buf_ch(&b, *p++);
			if (p < end && *p == ']')
				buf_ch(&b, *p++);
			continue;
		}
		if (inside && c == '[') {      /* [:alpha:] */
			const char *close = strstr(p, ":]");

			if (close == NULL)
				close = end - 2;
			buf_add(&b, p, (size_t)(close + 2 - p));
			p = close + 2;
			continue;
		}
		if (c == ']')
			inside = false;
		buf_ch(&b, c);
		p++;
	}
	if (rc == 0 && (rc = pattern_new(out, b.p ? b.p : "", b.n, PATTERN_MULTILINE, e)) != 0)
		rc = err_set(e, SFT_BADDATA, "a pattern is malformed");
	buf_free(&b);
	mem_free(copy);
	return rc;
}
