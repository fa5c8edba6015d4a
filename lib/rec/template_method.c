/* SPDX-License-Identifier: Apache-2.0 */
/* Methods of strings, dicts, lists, loops and cyclers: those of Python that change nothing. */
#include <string.h>
#include "template_value.h"

static bool given(struct value v)
{
	return v.type != V_ABSENT && v.type != V_NONE;
}

static const struct str *need_str(struct tctx *c, struct value v, const char *method)
{
	if (v.type == V_UNDEF)
		t_undefined(c, v.u);
	if (v.type != V_STR)
		t_raise(c, "%s() argument must be str, not %s", method, v_type(v));
	return v.s;
}

#define CASE_METHOD(name, how) \
	static struct value name(struct tctx *c, struct value self, struct value *a) \
	{ \
		(void)a; \
		return v_str(str_case(c, self.s, how)); \
	}

CASE_METHOD(s_upper, CASE_UPPER)
CASE_METHOD(s_lower, CASE_LOWER)
CASE_METHOD(s_title, CASE_TITLE)
CASE_METHOD(s_capitalize, CASE_CAPITAL)
CASE_METHOD(s_swapcase, CASE_SWAP)
CASE_METHOD(s_casefold, CASE_FOLD)

static struct value strip(struct tctx *c, struct value self, struct value chars, bool left, bool right)
{
	size_t from, to;

	str_strip(self.s, given(chars) ? need_str(c, chars, "strip") : NULL, left, right, &from, &to);
	return v_str(str_slice(c, self.s, from, to));
}

static struct value s_strip(struct tctx *c, struct value self, struct value *a)
{
	return strip(c, self, a[0], true, true);
}

static struct value s_lstrip(struct tctx *c, struct value self, struct value *a)
{
	return strip(c, self, a[0], true, false);
}

static struct value s_rstrip(struct tctx *c, struct value self, struct value *a)
{
	return strip(c, self, a[0], false, true);
}

/* --- splitting --- */

static void add_piece(struct tctx *c, struct value list, const struct str *s, size_t from, size_t to)
{
	list_add(c, list.l, v_str(str_slice(c, s, from, to)));
}

/* At blanks, at most MAX times (-1: always). */
static struct value split_blanks(struct tctx *c, const struct str *s, int64_t max)
{
	struct value out = v_list(c, V_LIST, 0);
	size_t i = 0, from;
	int len;

	for (;;) {
		while (i < s->n && py_isspace(cp_get(s->p + i, s->p + s->n, &len)))
			i += (size_t)len;
		if (i >= s->n)
			return out;
		if (max-- == 0) {
			add_piece(c, out, s, i, s->n);
			return out;
		}
		for (from = i; i < s->n && !py_isspace(cp_get(s->p + i, s->p + s->n, &len)); i += (size_t)len)
			;
		add_piece(c, out, s, from, i);
	}
}

static struct value reversed(struct value list)
{
	for (size_t i = 0; i < list.l->n / 2; i++) {
		struct value v = list.l->v[i];
		list.l->v[i] = list.l->v[list.l->n - 1 - i];
		list.l->v[list.l->n - 1 - i] = v;
	}
	return list;
}

/* The same from the right. */
static struct value rsplit_blanks(struct tctx *c, const struct str *s, int64_t max)
{
	struct value out = v_list(c, V_LIST, 0);
	size_t from, to = s->n;

	for (;;) {
		struct str left = { .p = s->p, .n = to };
		int len;

		str_strip(&left, NULL, false, true, &from, &to);
		if (to == 0)
			break;
		if (max-- == 0) {
			add_piece(c, out, s, 0, to);
			break;
		}
		for (from = to; from > 0; ) {
			size_t prev = from - 1;
			while (prev > 0 && ((unsigned char)s->p[prev] & 0xc0) == 0x80)
				prev--;
			if (py_isspace(cp_get(s->p + prev, s->p + s->n, &len)))
				break;
			from = prev;
		}
		add_piece(c, out, s, from, to);
		to = from;
	}
	return reversed(out);
}

static const struct str *separator(struct tctx *c, struct value v, const char *method)
{
	const struct str *sep = need_str(c, v, method);

	if (sep->n == 0)
		t_raise(c, "empty separator");
	return sep;
}

/* A: sep, maxsplit. */
static struct value s_split(struct tctx *c, struct value self, struct value *a)
{
	int64_t max = a[1].type == V_ABSENT ? -1 : v_index(c, a[1], "split()");
	struct value out;
	size_t from = 0, at;

	if (!given(a[0]))
		return split_blanks(c, self.s, max);
	out = v_list(c, V_LIST, 0);
	const struct str *sep = separator(c, a[0], "split");
	while (max-- != 0 && (at = str_find(c, self.s, sep, from, self.s->n)) != T_NOARG) {
		add_piece(c, out, self.s, from, at);
		from = at + sep->n;
	}
	add_piece(c, out, self.s, from, self.s->n);
	return out;
}

static struct value s_rsplit(struct tctx *c, struct value self, struct value *a)
{
	int64_t max = a[1].type == V_ABSENT ? -1 : v_index(c, a[1], "rsplit()");
	struct value out;
	size_t to = self.s->n, at;

	if (!given(a[0]))
		return rsplit_blanks(c, self.s, max);
	out = v_list(c, V_LIST, 0);
	const struct str *sep = separator(c, a[0], "rsplit");
	while (max-- != 0 && (at = str_rfind(c, self.s, sep, 0, to)) != T_NOARG) {
		add_piece(c, out, self.s, at + sep->n, to);
		to = at;
	}
	add_piece(c, out, self.s, 0, to);
	return reversed(out);
}

static bool line_end(uint32_t cp)
{
	return (cp >= 10 && cp <= 13) || (cp >= 28 && cp <= 30) || cp == 0x85 || cp == 0x2028 || cp == 0x2029;
}

/* A: keepends. */
static struct value s_splitlines(struct tctx *c, struct value self, struct value *a)
{
	struct value out = v_list(c, V_LIST, 0);
	bool keep = a[0].type != V_ABSENT && v_true(a[0]);
	const struct str *s = self.s;
	size_t from = 0;
	int len;

	for (size_t i = 0; i < s->n;) {
		uint32_t cp = cp_get(s->p + i, s->p + s->n, &len);
		size_t end = i + (size_t)len;
		if (!line_end(cp)) {
			i = end;
			continue;
		}
		if (cp == '\r' && end < s->n && s->p[end] == '\n')
			end++;
		add_piece(c, out, s, from, keep ? end : i);
		from = i = end;
	}
	if (from < s->n)
		add_piece(c, out, s, from, s->n);
	return out;
}

static struct value three(struct tctx *c, const struct str *a, const struct str *b, const struct str *d)
{
	struct value out = v_list(c, V_TUPLE, 3);

	list_add(c, out.l, v_str(a));
	list_add(c, out.l, v_str(b));
	list_add(c, out.l, v_str(d));
	return out;
}

static struct value partition(struct tctx *c, const struct str *s, const struct str *sep, size_t at, bool first)
{
	const struct str *none = str_lit(c, "");

	if (at == T_NOARG)
		return first ? three(c, s, none, none) : three(c, none, none, s);
	return three(c, str_slice(c, s, 0, at), sep, str_slice(c, s, at + sep->n, s->n));
}

static struct value s_partition(struct tctx *c, struct value self, struct value *a)
{
	const struct str *sep = separator(c, a[0], "partition");

	return partition(c, self.s, sep, str_find(c, self.s, sep, 0, self.s->n), true);
}

static struct value s_rpartition(struct tctx *c, struct value self, struct value *a)
{
	const struct str *sep = separator(c, a[0], "rpartition");

	return partition(c, self.s, sep, str_rfind(c, self.s, sep, 0, self.s->n), false);
}

/* --- searching --- */

/* start and end of Python's find() and its kin, as bytes; false: an empty range from beyond the end. */
static bool window(struct tctx *c, const struct str *s, const struct value *a, size_t *from, size_t *to)
{
	int64_t n = (int64_t)str_ncp(c, s), i = given(a[0]) ? v_index(c, a[0], "find()") : 0, j = given(a[1]) ? v_index(c, a[1], "find()") : n;

	i = i < 0 ? (i + n < 0 ? 0 : i + n) : i;
	j = j < 0 ? (j + n < 0 ? 0 : j + n) : j > n ? n : j;
	if (i > n)
		return false;
	*from = str_at(c, s, (size_t)i);
	*to = str_at(c, s, (size_t)j);
	return true;
}

static struct value place(struct tctx *c, const struct str *s, size_t at, bool must)
{
	struct str head = { .p = s->p, .n = at, .ncp = T_NOARG };

	if (at == T_NOARG && must)
		t_raise(c, "substring not found");
	return at == T_NOARG ? v_int(-1) : v_int((__int128)str_ncp(c, &head));
}

static struct value search(struct tctx *c, struct value self, struct value *a, bool right, bool must)
{
	const struct str *sub = need_str(c, a[0], "find");
	size_t from, to, at = T_NOARG;

	if (window(c, self.s, a + 1, &from, &to))
		at = right ? str_rfind(c, self.s, sub, from, to) : str_find(c, self.s, sub, from, to);
	return place(c, self.s, at, must);
}

static struct value s_find(struct tctx *c, struct value self, struct value *a)
{
	return search(c, self, a, false, false);
}

static struct value s_rfind(struct tctx *c, struct value self, struct value *a)
{
	return search(c, self, a, true, false);
}

static struct value s_index(struct tctx *c, struct value self, struct value *a)
{
	return search(c, self, a, false, true);
}

static struct value s_rindex(struct tctx *c, struct value self, struct value *a)
{
	return search(c, self, a, true, true);
}

static struct value s_count(struct tctx *c, struct value self, struct value *a)
{
	const struct str *sub = need_str(c, a[0], "count");
	size_t from, to, at;
	__int128 n = 0;

	if (!window(c, self.s, a + 1, &from, &to) || from > to)
		return v_int(0);
	if (sub->n == 0) {
		struct str part = { .p = self.s->p + from, .n = to - from, .ncp = T_NOARG };
		return v_int((__int128)str_ncp(c, &part) + 1);
	}
	for (; (at = str_find(c, self.s, sub, from, to)) != T_NOARG; from = at + sub->n)
		n++;
	return v_int(n);
}

static bool matches(const struct str *s, const struct str *part, size_t from, size_t to, bool at_end)
{
	if (from > to || part->n > to - from)
		return false;
	return memcmp(s->p + (at_end ? to - part->n : from), part->p, part->n) == 0;
}

/* A: a string or a tuple of them, start, end. */
static struct value affix(struct tctx *c, struct value self, struct value *a, bool at_end)
{
	const char *name = at_end ? "endswith" : "startswith";
	size_t from, to;

	if (a[0].type == V_UNDEF)
		t_undefined(c, a[0].u);
	if (a[0].type != V_STR && a[0].type != V_TUPLE)
		t_raise(c, "%s first arg must be str or a tuple of str, not %s", name, v_type(a[0]));
	if (!window(c, self.s, a + 1, &from, &to))
		return v_bool(false);
	if (a[0].type == V_STR)
		return v_bool(matches(self.s, a[0].s, from, to, at_end));
	for (size_t i = 0; i < a[0].l->n; i++)
		if (matches(self.s, need_str(c, a[0].l->v[i], name), from, to, at_end))
			return v_bool(true);
	return v_bool(false);
}

static struct value s_startswith(struct tctx *c, struct value self, struct value *a)
{
	return affix(c, self, a, false);
}

static struct value s_endswith(struct tctx *c, struct value self, struct value *a)
{
	return affix(c, self, a, true);
}

/* --- changing --- */

static struct value replace_all(struct tctx *c, const struct str *s, const struct str *old, const struct str *new, int64_t count)
{
	struct sb b = {0};
	size_t from = 0, at;
	int len;

	if (old->n == 0) {                     /* before each character and at the end */
		for (; count-- != 0 && from <= s->n; from += (size_t)len) {
			sb_strv(c, &b, new);
			if (from == s->n)
				return v_str(sb_str(c, &b));
			cp_get(s->p + from, s->p + s->n, &len);
			sb_sub(c, &b, s, from, from + (size_t)len);
		}
		sb_sub(c, &b, s, from, s->n);
		return v_str(sb_str(c, &b));
	}
	while (count-- != 0 && (at = str_find(c, s, old, from, s->n)) != T_NOARG) {
		sb_sub(c, &b, s, from, at);
		sb_strv(c, &b, new);
		from = at + old->n;
		t_step(c, 1);
	}
	if (from == 0)
		return v_str(s);
	sb_sub(c, &b, s, from, s->n);
	return v_str(sb_str(c, &b));
}

/* A: old, new, count. */
static struct value s_replace(struct tctx *c, struct value self, struct value *a)
{
	const struct str *new = need_str(c, a[1], "replace");
	struct value out = replace_all(c, self.s, need_str(c, a[0], "replace"), self.s->safe ? str_escape(c, new) : new,
	                               a[2].type == V_ABSENT ? -1 : v_index(c, a[2], "replace()"));

	return v_str(str_safe(c, out.s, self.s->safe));
}

static struct value s_join(struct tctx *c, struct value self, struct value *a)
{
	struct vlist *l = v_iter(c, a[0]);
	struct sb b = {0};

	for (size_t i = 0; i < l->n; i++) {
		if (i)
			sb_strv(c, &b, self.s);
		if (l->v[i].type != V_STR)
			t_raise(c, "sequence item %zu: expected str instance, %s found", i, v_type(l->v[i]));
		sb_strv(c, &b, self.s->safe ? str_escape(c, l->v[i].s) : l->v[i].s);
	}
	return v_str(str_safe(c, sb_str(c, &b), self.s->safe));
}

static size_t missing_width(struct tctx *c, const struct str *s, struct value width)
{
	int64_t w = v_index(c, width, "width"), n = (int64_t)str_ncp(c, s);

	if (w > T_WIDTH_MAX)
		t_raise(c, "a width is too large (limit: %d)", T_WIDTH_MAX);
	return w > n ? (size_t)(w - n) : 0;
}

/* LEFT of PAD before, the rest behind; A: width, fillchar. */
static struct value padded(struct tctx *c, struct value self, struct value *a, int how)
{
	size_t pad = missing_width(c, self.s, a[0]), left;
	const struct str *fill = a[1].type == V_ABSENT ? str_lit(c, " ") : need_str(c, a[1], "fillchar");
	int64_t w = v_index(c, a[0], "width");
	struct sb b = {0};

	if (str_ncp(c, fill) != 1)
		t_raise(c, "The fill character must be exactly one character long");
	left = how < 0 ? 0 : how > 0 ? pad : pad / 2 + (pad & (size_t)w & 1);
	sb_fill(c, &b, fill, left);
	sb_strv(c, &b, self.s);
	sb_fill(c, &b, fill, pad - left);
	return v_str(str_safe(c, sb_str(c, &b), self.s->safe));
}

static struct value s_center(struct tctx *c, struct value self, struct value *a)
{
	return padded(c, self, a, 0);
}

static struct value s_ljust(struct tctx *c, struct value self, struct value *a)
{
	return padded(c, self, a, -1);
}

static struct value s_rjust(struct tctx *c, struct value self, struct value *a)
{
	return padded(c, self, a, 1);
}

static struct value s_zfill(struct tctx *c, struct value self, struct value *a)
{
	bool sign = self.s->n && (self.s->p[0] == '-' || self.s->p[0] == '+');
	struct sb b = {0};

	sb_sub(c, &b, self.s, 0, sign);
	sb_fill(c, &b, str_lit(c, "0"), missing_width(c, self.s, a[0]));
	sb_sub(c, &b, self.s, sign, self.s->n);
	return v_str(sb_str(c, &b));
}

static struct value s_removeprefix(struct tctx *c, struct value self, struct value *a)
{
	const struct str *p = need_str(c, a[0], "removeprefix");

	return matches(self.s, p, 0, self.s->n, false) ? v_str(str_slice(c, self.s, p->n, self.s->n)) : self;
}

static struct value s_removesuffix(struct tctx *c, struct value self, struct value *a)
{
	const struct str *p = need_str(c, a[0], "removesuffix");

	return p->n && matches(self.s, p, 0, self.s->n, true) ? v_str(str_slice(c, self.s, 0, self.s->n - p->n)) : self;
}

static struct value s_expandtabs(struct tctx *c, struct value self, struct value *a)
{
	int64_t tab = a[0].type == V_ABSENT ? 8 : v_index(c, a[0], "expandtabs()");
	const struct str *s = self.s, *blank = str_lit(c, " ");
	struct sb b = {0};
	int64_t column = 0;
	int len;

	if (tab > T_WIDTH_MAX)
		t_raise(c, "a width is too large (limit: %d)", T_WIDTH_MAX);
	for (size_t i = 0; i < s->n; i += (size_t)len) {
		uint32_t cp = cp_get(s->p + i, s->p + s->n, &len);
		if (cp == '\t') {
			int64_t n = tab > 0 ? tab - column % tab : 0;
			sb_fill(c, &b, blank, (size_t)n);
			column += n;
			continue;
		}
		column = cp == '\n' || cp == '\r' ? 0 : column + 1;
		sb_sub(c, &b, s, i, i + (size_t)len);
	}
	return v_str(sb_str(c, &b));
}

static struct value s_format(struct tctx *c, struct value self, const struct args *a)
{
	return format_braces(c, self.s, a);
}

/* --- asking --- */

static bool all_are(const struct str *s, enum cclass k, enum cclass other)
{
	int len;

	for (size_t i = 0; i < s->n; i += (size_t)len) {
		uint32_t cp = cp_get(s->p + i, s->p + s->n, &len);
		if (!cp_is(cp, k) && !cp_is(cp, other))
			return false;
	}
	return s->n > 0;
}

#define CLASS_METHOD(name, a_class, b_class) \
	static struct value name(struct tctx *c, struct value self, struct value *a) \
	{ \
		(void)c; (void)a; \
		return v_bool(all_are(self.s, a_class, b_class)); \
	}

CLASS_METHOD(s_isalpha, CC_ALPHA, CC_ALPHA)
CLASS_METHOD(s_isdigit, CC_DIGIT, CC_DIGIT)
CLASS_METHOD(s_isdecimal, CC_DECIMAL, CC_DECIMAL)
CLASS_METHOD(s_isnumeric, CC_NUMERIC, CC_NUMERIC)
CLASS_METHOD(s_isalnum, CC_ALPHA, CC_NUMERIC)

static struct value s_isprintable(struct tctx *c, struct value self, struct value *a)
{
	(void)c; (void)a;
	return v_bool(self.s->n == 0 || all_are(self.s, CC_PRINT, CC_PRINT));
}

static struct value s_isascii(struct tctx *c, struct value self, struct value *a)
{
	(void)a;
	return v_bool(str_ncp(c, self.s) == self.s->n);
}

static struct value s_isspace(struct tctx *c, struct value self, struct value *a)
{
	size_t from, to;

	(void)c; (void)a;
	str_strip(self.s, NULL, true, false, &from, &to);
	return v_bool(self.s->n > 0 && from == to);
}

static struct value s_isidentifier(struct tctx *c, struct value self, struct value *a)
{
	const struct str *s = self.s;
	int len;

	(void)c; (void)a;
	for (size_t i = 0; i < s->n; i += (size_t)len)
		if (!cp_is(cp_get(s->p + i, s->p + s->n, &len), i ? CC_IDENT : CC_IDSTART))
			return v_bool(false);
	return v_bool(s->n > 0);
}

/* No letter of another case, and at least one of this. */
static bool one_case(const struct str *s, enum cclass want, enum cclass not)
{
	bool any = false;
	int len;

	for (size_t i = 0; i < s->n; i += (size_t)len) {
		uint32_t cp = cp_get(s->p + i, s->p + s->n, &len);
		if (cp_is(cp, not) || cp_is(cp, CC_TITLE))
			return false;
		any |= cp_is(cp, want);
	}
	return any;
}

static struct value s_isupper(struct tctx *c, struct value self, struct value *a)
{
	(void)c; (void)a;
	return v_bool(one_case(self.s, CC_UPPER, CC_LOWER));
}

static struct value s_islower(struct tctx *c, struct value self, struct value *a)
{
	(void)c; (void)a;
	return v_bool(one_case(self.s, CC_LOWER, CC_UPPER));
}

static struct value s_istitle(struct tctx *c, struct value self, struct value *a)
{
	const struct str *s = self.s;
	bool inside = false, any = false;
	int len;

	(void)c; (void)a;
	for (size_t i = 0; i < s->n; i += (size_t)len) {
		uint32_t cp = cp_get(s->p + i, s->p + s->n, &len);
		bool head = cp_is(cp, CC_UPPER) || cp_is(cp, CC_TITLE), low = cp_is(cp, CC_LOWER);
		if ((head && inside) || (low && !inside))
			return v_bool(false);
		any |= head;
		inside = head || low;
	}
	return v_bool(any);
}

const struct func str_methods[] = {
	{ "strip", "chars", s_strip, NULL },
	{ "lstrip", "chars", s_lstrip, NULL },
	{ "rstrip", "chars", s_rstrip, NULL },
	{ "split", "sep maxsplit", s_split, NULL },
	{ "rsplit", "sep maxsplit", s_rsplit, NULL },
	{ "splitlines", "keepends", s_splitlines, NULL },
	{ "startswith", "!prefix start end", s_startswith, NULL },
	{ "endswith", "!suffix start end", s_endswith, NULL },
	{ "replace", "!old !new count", s_replace, NULL },
	{ "join", "!iterable", s_join, NULL },
	{ "upper", "", s_upper, NULL },
	{ "lower", "", s_lower, NULL },
	{ "title", "", s_title, NULL },
	{ "capitalize", "", s_capitalize, NULL },
	{ "swapcase", "", s_swapcase, NULL },
	{ "casefold", "", s_casefold, NULL },
	{ "find", "!sub start end", s_find, NULL },
	{ "rfind", "!sub start end", s_rfind, NULL },
	{ "index", "!sub start end", s_index, NULL },
	{ "rindex", "!sub start end", s_rindex, NULL },
	{ "count", "!sub start end", s_count, NULL },
	{ "format", NULL, NULL, s_format },
	{ "partition", "!sep", s_partition, NULL },
	{ "rpartition", "!sep", s_rpartition, NULL },
	{ "removeprefix", "!prefix", s_removeprefix, NULL },
	{ "removesuffix", "!suffix", s_removesuffix, NULL },
	{ "center", "!width fillchar", s_center, NULL },
	{ "ljust", "!width fillchar", s_ljust, NULL },
	{ "rjust", "!width fillchar", s_rjust, NULL },
	{ "zfill", "!width", s_zfill, NULL },
	{ "expandtabs", "tabsize", s_expandtabs, NULL },
	{ "isalpha", "", s_isalpha, NULL },
	{ "isdigit", "", s_isdigit, NULL },
	{ "isdecimal", "", s_isdecimal, NULL },
	{ "isnumeric", "", s_isnumeric, NULL },
	{ "isalnum", "", s_isalnum, NULL },
	{ "isspace", "", s_isspace, NULL },
	{ "isprintable", "", s_isprintable, NULL },
	{ "isascii", "", s_isascii, NULL },
	{ "isidentifier", "", s_isidentifier, NULL },
	{ "isupper", "", s_isupper, NULL },
	{ "islower", "", s_islower, NULL },
	{ "istitle", "", s_istitle, NULL },
	{ NULL, NULL, NULL, NULL }
};
