/* SPDX-License-Identifier: Apache-2.0 */
/* The patterns of tokenizer.json are Oniguruma's (Ruby's syntax), with Unicode 16.  PCRE2 gets them with every class written out
 * as ranges (its own tables may be of another version, and its \s, \w and \b differ; classes in classes and && it does not
 * know), and with what it spells differently respelt.  Where that is too large for PCRE2, large classes are written once and
 * called, which costs stack on long matches. */
#include <string.h>
#include <strings.h>

#include "strmap.h"
#include "tokimpl.h"
#include "uniclass.h"
#include "utf8.h"

enum { CHARS = 0x110000, MAX_DEPTH = 20, LARGE = 400 };

/* A set of characters. */
struct set {
	uint64_t w[CHARS / 64];
};

struct translator {
	const char *p, *end;
	bool calls;                 /* large classes are written once and called */
	struct buf out, define;     /* the pattern; the classes written out */
	struct strmap classes;      /* class as text -> its number */
	struct err *e;
};

static void set_range(struct set *s, uint32_t first, uint32_t last)
{
	for (uint32_t c = first; c <= last && c < CHARS; c++)
		s->w[c / 64] |= (uint64_t)1 << c % 64;
}

static void set_invert(struct set *s)
{
	for (size_t i = 0; i < CHARS / 64; i++)
		s->w[i] = ~s->w[i];
}

static int malformed(struct translator *t, const char *what)
{
	return err_set(t->e, SFT_BADDATA, "a pattern %s", what);
}

/* --- named classes --- */

/* Categories CATS, characters with one of FLAGS, RANGES: what is in one of them, or in none (INVERT), goes into S. */
static void add_class(struct set *s, unsigned cats, unsigned flags, const struct uni_range *ranges, unsigned n, bool invert)
{
	for (uint32_t c = 0; c < CHARS; c++) {
		unsigned u = uni_of(c);
		bool in = (UC_BIT(u) & cats) || (u & flags) || (ranges && uni_in(ranges, n, c));

		if (in != invert)
			s->w[c / 64] |= (uint64_t)1 << c % 64;
	}
}

/* "L", "Lu", "Letter", "Han"... into S; false: not known. */
static bool add_named(struct set *s, const char *name, size_t n, bool invert)
{
	static const char *const cats[] = { "Cn", "Cc", "Cf", "Co", "Cs", "Ll", "Lm", "Lo", "Lt", "Lu", "Mc", "Me", "Mn", "Nd", "Nl", "No",
		"Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "Sc", "Sk", "Sm", "So", "Zl", "Zp", "Zs" };
	static const struct { const char *name; unsigned cats; } longer[] = {
		{ "Letter", UC_L }, { "Mark", UC_M }, { "Number", UC_N }, { "Punctuation", UC_P }, { "Symbol", UC_S },
		{ "Separator", 1u << UC_ZL | 1u << UC_ZP | 1u << UC_ZS }, { "Digit", 1u << UC_ND }, { "Alpha", UC_L | UC_M | 1u << UC_NL },
		{ "Lower", 1u << UC_LL }, { "Upper", 1u << UC_LU }, { "Any", ~0u }
	};
	unsigned found = 0;

	for (size_t i = 0; i < sizeof longer / sizeof *longer; i++)
		if (strlen(longer[i].name) == n && strncasecmp(longer[i].name, name, n) == 0)
			found = longer[i].cats;
	if (n == 3 && strncasecmp(name, "Han", 3) == 0) {
		add_class(s, 0, 0, uni_han, uni_han_n, invert);
		return true;
	}
	if (n == 5 && strncasecmp(name, "Space", 5) == 0) {
		add_class(s, 0, UC_SPACE, NULL, 0, invert);
		return true;
	}
	for (unsigned i = 0; n <= 2 && i < sizeof cats / sizeof *cats; i++)
		if ((n == 1 && cats[i][0] == *name) || (n == 2 && memcmp(cats[i], name, 2) == 0))
			found |= 1u << i;
	if (found)
		add_class(s, found, 0, NULL, 0, invert);
	return found != 0;
}

/* {Name}, {^Name} or a letter at t->p, behind \p or \P. */
static int property(struct translator *t, struct set *s, bool invert)
{
	const char *name = t->p, *close;

	if (name < t->end && *name != '{') {
		t->p++;
		return add_named(s, name, 1, invert) ? 0 : malformed(t, "has an unknown class");
	}
	close = name < t->end ? memchr(name, '}', (size_t)(t->end - name)) : NULL;
	if (close == NULL)
		return malformed(t, "has a class that is not closed");
	t->p = close + 1;
	if (*++name == '^') {
		name++;
		invert = !invert;
	}
	if (add_named(s, name, (size_t)(close - name), invert))
		return 0;
	return err_set(t->e, SFT_BADDATA, "a pattern has an unknown class '%.*s'", (int)(close - name), name);
}

/* The class escape C (s, S, w, W, d, D, h, H, p, P), t->p behind it; *IS false: it is none. */
static int class_escape(struct translator *t, char c, struct set *s, bool *is)
{
	static const struct uni_range hex[] = { { '0', '9' }, { 'A', 'F' }, { 'a', 'f' } };
	bool invert = c >= 'A' && c <= 'Z';

	*is = true;
	switch (c | 0x20) {
	case 's': add_class(s, 0, UC_SPACE, NULL, 0, invert); return 0;
	case 'w': add_class(s, 0, UC_WORD, NULL, 0, invert); return 0;
	case 'd': add_class(s, 1u << UC_ND, 0, NULL, 0, invert); return 0;
	case 'h': add_class(s, 0, 0, hex, 3, invert); return 0;
	case 'p': return property(t, s, invert);
	}
	*is = false;
	return 0;
}

/* --- brackets --- */

static int hex_number(struct translator *t, int least, int most, uint32_t *c)
{
	int n = 0;

	for (*c = 0; n < most && t->p < t->end && strchr("0123456789abcdefABCDEF", *t->p) && *t->p; n++, t->p++)
		*c = *c * 16 + (uint32_t)(*t->p <= '9' ? *t->p - '0' : (*t->p | 0x20) - 'a' + 10);
	return n >= least && *c < CHARS ? 0 : malformed(t, "has a malformed escape");
}

/* The character of the escape C, t->p behind it. */
static int char_escape(struct translator *t, char c, uint32_t *out)
{
	static const char from[] = "nrtfvae0", to[] = "\n\r\t\f\v\a\033\0";
	const char *k = c ? strchr(from, c) : NULL;
	int rc;

	if (k) {
		*out = (unsigned char)to[k - from];
		return 0;
	}
	if (c == 'u')
		return hex_number(t, 4, 4, out);
	if (c != 'x') {
		t->p--;
		*out = utf8_get(&t->p);
		return 0;
	}
	if (t->p == t->end || *t->p != '{')
		return hex_number(t, 1, 2, out);
	t->p++;
	if ((rc = hex_number(t, 1, 8, out)) == 0 && (t->p == t->end || *t->p++ != '}'))
		rc = malformed(t, "has a malformed escape");
	return rc;
}

/* A single character or a class inside a bracket: *ONE says which; a class goes into S. */
static int bracket_item(struct translator *t, struct set *s, uint32_t *c, bool *one)
{
	bool is;
	char esc;
	int rc;

	*one = true;
	if (*t->p != '\\') {
		*c = utf8_get(&t->p);
		return 0;
	}
	if (++t->p == t->end)
		return malformed(t, "ends in a backslash");
	esc = *t->p++;
	if (esc == 'b') {
		*c = '\b';
		return 0;
	}
	rc = class_escape(t, esc, s, &is);
	*one = !is;
	return rc || is ? rc : char_escape(t, esc, c);
}

/* [:name:] at t->p; false where it is none. */
static bool posix(struct translator *t, struct set *s)
{
	const char *name = t->p + 2, *close;
	bool invert;

	if (t->end - t->p < 5 || t->p[1] != ':' || (close = memmem(name, (size_t)(t->end - name), ":]", 2)) == NULL)
		return false;
	invert = *name == '^';
	if (!add_named(s, name + invert, (size_t)(close - name - invert), invert))
		return false;
	t->p = close + 2;
	return true;
}

/* A bracket, t->p behind its [. */
static int bracket(struct translator *t, struct set *s, int depth)
{
	struct set *all = NULL;        /* what stood before && */
	bool invert = false, first = true;
	int rc = 0;

	if (depth > MAX_DEPTH)
		return malformed(t, "has classes nested too deep");
	if (t->p < t->end && *t->p == '^') {
		invert = true;
		t->p++;
	}
	for (; rc == 0 && t->p < t->end && (*t->p != ']' || first); first = false) {
		uint32_t c = 0, last = 0;
		bool one, to;

		if (*t->p == '[' && posix(t, s))
			continue;
		if (*t->p == '[') {
			struct set *inner = mem_new(sizeof *inner);

			t->p++;
			rc = bracket(t, inner, depth + 1);
			for (size_t i = 0; i < CHARS / 64; i++)
				s->w[i] |= inner->w[i];
			mem_free(inner);
			continue;
		}
		if (t->end - t->p > 2 && t->p[0] == '&' && t->p[1] == '&') {
			t->p += 2;
			if (all)
				for (size_t i = 0; i < CHARS / 64; i++)
					all->w[i] &= s->w[i];
			else
				memcpy(all = mem_new(sizeof *all), s, sizeof *s);
			memset(s, 0, sizeof *s);
			continue;
		}
		if ((rc = bracket_item(t, s, &c, &one)) != 0 || !one)
			continue;
		last = c;
		if (t->end - t->p > 1 && t->p[0] == '-' && t->p[1] != ']' && t->p[1] != '[') {
			t->p++;
			rc = bracket_item(t, s, &last, &to);
			if (rc == 0 && !to) {      /* [a-\w]: three things */
				set_range(s, '-', '-');
				last = c;
			}
		}
		if (rc == 0 && last < c)
			rc = malformed(t, "has a range that runs backwards");
		set_range(s, c, last);
	}
	if (rc == 0 && t->p == t->end)
		rc = malformed(t, "has a class that is not closed");
	t->p++;
	for (size_t i = 0; all && i < CHARS / 64; i++)
		s->w[i] &= all->w[i];
	mem_free(all);
	if (invert)
		set_invert(s);
	return rc;
}

/* --- writing --- */

static bool has(const struct set *s, uint32_t c)
{
	return s->w[c / 64] >> c % 64 & 1;
}

static void put_set(struct translator *t, const struct set *s)
{
	struct buf b = {0};
	struct strmap_entry *known;
	bool added;

	for (uint32_t c = 0; c < CHARS; c++) {
		uint32_t first;

		if (c == 0xD800)
			c = 0xE000;            /* no surrogates in UTF */
		if (!has(s, c))
			continue;
		for (first = c; c + 1 < CHARS && c + 1 != 0xD800 && has(s, c + 1); c++)
			;
		if (first == c)
			buf_fmt(&b, "\\x{%X}", (unsigned)c);
		else
			buf_fmt(&b, "\\x{%X}-\\x{%X}", (unsigned)first, (unsigned)c);
	}
	if (b.n == 0)
		buf_str(&t->out, "(?!)");
	else if (b.n < LARGE || !t->calls)
		buf_fmt(&t->out, "[%s]", b.p);
	else {
		known = strmap_put(&t->classes, b.p, b.n, t->classes.n, &added);
		if (added)
			buf_fmt(&t->define, "(?<c%u>[%s])", (unsigned)known->value, b.p);
		buf_fmt(&t->out, "(?&c%u)", (unsigned)known->value);
	}
	buf_free(&b);
}

/* \b and \B by the reference's word characters. */
static void put_boundary(struct translator *t, bool at, struct set *word)
{
	add_class(word, 0, UC_WORD, NULL, 0, false);
	buf_str(&t->out, "(?:(?<=");
	put_set(t, word);
	buf_str(&t->out, at ? ")(?!" : ")(?=");
	put_set(t, word);
	buf_str(&t->out, ")|(?<!");
	put_set(t, word);
	buf_str(&t->out, at ? ")(?=" : ")(?!");
	put_set(t, word);
	buf_str(&t->out, "))");
}

/* An escape outside of brackets, t->p behind the backslash. */
static int escape(struct translator *t, struct set *s)
{
	const char *start = t->p;
	bool is;
	int rc;

	if (t->p == t->end)
		return malformed(t, "ends in a backslash");
	if (*start == 'b' || *start == 'B') {
		t->p++;
		put_boundary(t, *start == 'b', s);
		return 0;
	}
	t->p++;
	if ((rc = class_escape(t, *start, s, &is)) != 0)
		return rc;
	if (is) {
		put_set(t, s);
		return 0;
	}
	if (*start == 'u') {
		uint32_t c;

		if ((rc = hex_number(t, 4, 4, &c)) == 0)
			buf_fmt(&t->out, "\\x{%X}", (unsigned)c);
		return rc;
	}
	t->p = start;
	utf8_get(&t->p);
	buf_ch(&t->out, '\\');
	buf_add(&t->out, start, (size_t)(t->p - start));
	return 0;
}

/* "(?" at t->p: options are copied, m becoming s (Ruby's "a dot matches a line break"). */
static void group_options(struct translator *t)
{
	buf_str(&t->out, "(?");
	for (t->p += 2; t->p < t->end && (*t->p == 'i' || *t->p == 'm' || *t->p == 'x' || *t->p == '-'); t->p++)
		buf_ch(&t->out, *t->p == 'm' ? 's' : *t->p);
}

static int translate(struct translator *t, struct set *s)
{
	int rc = 0;

	while (rc == 0 && t->p < t->end) {
		memset(s, 0, sizeof *s);
		if (*t->p == '\\') {
			t->p++;
			rc = escape(t, s);
		} else if (*t->p == '[') {
			t->p++;
			if ((rc = bracket(t, s, 0)) == 0)
				put_set(t, s);
		} else if (t->end - t->p > 2 && t->p[0] == '(' && t->p[1] == '?') {
			group_options(t);
		} else {
			buf_ch(&t->out, *t->p++);
		}
	}
	return rc;
}

static int try_translate(const char *regex, size_t n, bool calls, struct pattern **out, struct err *e)
{
	struct translator t = { .p = regex, .end = regex + n, .calls = calls, .e = e };
	struct set *s = mem_new(sizeof *s);
	struct buf whole = {0};
	struct err inner = {0};
	int rc = translate(&t, s);

	if (rc == 0) {
		if (t.define.n) {
			buf_str(&whole, "(?(DEFINE)");
			buf_add(&whole, t.define.p, t.define.n);
			buf_ch(&whole, ')');
		}
		buf_add(&whole, t.out.p ? t.out.p : "", t.out.n);
		if (pattern_new(out, whole.p ? whole.p : "", whole.n, PATTERN_MULTILINE, &inner) != 0)
			rc = err_set(e, SFT_BADDATA, "a pattern cannot be used: %.200s", inner.msg);
	}
	mem_free(s);
	buf_free(&t.out);
	buf_free(&t.define);
	buf_free(&whole);
	strmap_free(&t.classes);
	return rc;
}

int pattern_translate(const char *regex, size_t n, struct pattern **out, struct err *e)
{
	return try_translate(regex, n, false, out, e) == 0 ? 0 : try_translate(regex, n, true, out, e);
}
