/* SPDX-License-Identifier: Apache-2.0 */
/* Filters on text and single values. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "template_value.h"

static bool given(struct value v)
{
	return v.type != V_ABSENT && v.type != V_NONE;
}

/* soft_str(): a string stays what it is. */
static const struct str *soft(struct tctx *c, struct value v)
{
	if (v.type == V_UNDEF && v.u->why == UNDEF_UNSAFE)
		t_undefined(c, v.u);
	return v_text(c, v);
}

static struct value f_upper(struct tctx *c, struct value self, struct value *a)
{
	(void)a;
	return v_str(str_case(c, soft(c, self), CASE_UPPER));
}

static struct value f_lower(struct tctx *c, struct value self, struct value *a)
{
	(void)a;
	return v_str(str_case(c, soft(c, self), CASE_LOWER));
}

static struct value f_capitalize(struct tctx *c, struct value self, struct value *a)
{
	(void)a;
	return v_str(str_case(c, soft(c, self), CASE_CAPITAL));
}

static bool word_break(uint32_t cp)
{
	return cp == '-' || cp == '(' || cp == '{' || cp == '[' || cp == '<' || py_isspace(cp);
}

/* Jinja's own: words begin after blanks and opening brackets; the first letter is raised, the rest lowered. */
static struct value f_title(struct tctx *c, struct value self, struct value *a)
{
	const struct str *s = soft(c, self);
	struct sb b = {0};
	size_t from = 0, head;
	int len;

	(void)a;
	while (from < s->n) {
		size_t to = from;
		bool sep = word_break(cp_get(s->p + from, s->p + s->n, &len));

		head = from + (size_t)len;
		while (to < s->n && word_break(cp_get(s->p + to, s->p + s->n, &len)) == sep)
			to += (size_t)len;
		if (sep) {
			sb_sub(c, &b, s, from, to);
		} else {
			sb_strv(c, &b, str_case(c, str_slice(c, s, from, head), CASE_UPPER));
			sb_strv(c, &b, str_case(c, str_slice(c, s, head, to), CASE_LOWER));
		}
		from = to;
	}
	return v_str(sb_str(c, &b));
}

static struct value f_trim(struct tctx *c, struct value self, struct value *a)
{
	const struct str *s = soft(c, self);
	size_t from, to;

	if (given(a[0]) && a[0].type != V_STR)
		t_raise(c, "strip arg must be None or str");
	str_strip(s, given(a[0]) ? a[0].s : NULL, true, true, &from, &to);
	return v_str(str_slice(c, s, from, to));
}

static struct value f_string(struct tctx *c, struct value self, struct value *a)
{
	(void)a;
	return v_str(soft(c, self));
}

static struct value f_safe(struct tctx *c, struct value self, struct value *a)
{
	(void)a;
	return v_str(str_safe(c, soft(c, self), true));
}

static struct value f_escape(struct tctx *c, struct value self, struct value *a)
{
	(void)a;
	return v_str(str_escape(c, soft(c, self)));
}

static struct value f_forceescape(struct tctx *c, struct value self, struct value *a)
{
	(void)a;
	return v_str(str_escape(c, str_safe(c, soft(c, self), false)));
}

static struct value f_default(struct tctx *c, struct value self, struct value *a)
{
	if (self.type == V_UNDEF || (a[1].type != V_ABSENT && v_true(a[1]) && !v_true(self)))
		return a[0].type == V_ABSENT ? v_lit(c, "") : a[0];
	return self;
}

static struct value f_int(struct tctx *c, struct value self, struct value *a)
{
	struct value deflt = a[0].type == V_ABSENT ? v_int(0) : a[0];
	int64_t base = a[1].type == V_ABSENT ? 10 : v_index(c, a[1], "int()");
	__int128 i;
	double f;

	if (self.type == V_UNDEF)
		t_undefined(c, self.u);
	if (base < 2 || base > 36)
		t_raise(c, "int() base must be >= 2 and <= 36, or 0");
	if (v_integer(self, &i))
		return v_int(i);
	if (self.type == V_STR && py_parse_int(self.s->p, self.s->n, (int)base, &i))
		return v_int(i);
	if (self.type == V_STR ? !py_parse_float(self.s->p, self.s->n, &f) : !v_number(self, &f))
		return deflt;
	if (!isfinite(f))
		return deflt;
	if (fabs(f) >= 0x1p126)
		t_raise(c, "a whole number grows too large (limit: 127 bits)");
	return v_int((__int128)f);
}

static struct value f_float(struct tctx *c, struct value self, struct value *a)
{
	double f;

	if (self.type == V_UNDEF)
		t_undefined(c, self.u);
	if (self.type == V_STR ? py_parse_float(self.s->p, self.s->n, &f) : v_number(self, &f))
		return v_float(f);
	return a[0].type == V_ABSENT ? v_float(0) : a[0];
}

static struct value f_abs(struct tctx *c, struct value self, struct value *a)
{
	__int128 i;

	(void)a;
	if (self.type == V_UNDEF)
		t_undefined(c, self.u);
	if (v_integer(self, &i))
		return i < 0 ? op_unary(c, '-', self) : v_int(i);
	if (self.type != V_FLOAT)
		t_raise(c, "bad operand type for abs(): '%s'", v_type(self));
	return v_float(fabs(self.f));
}

/* Python's round(): half to even, on the exact decimal value. */
static double round_to(double f, int64_t places)
{
	char text[800];

	if (!isfinite(f) || places > 300)
		return f;
	if (places < 0) {
		double p = pow(10, (double)(places < -400 ? 400 : -places));
		return isinf(p) ? copysign(0, f) : rint(f / p) * p;
	}
	snprintf(text, sizeof text, "%.*f", (int)places, f);
	return strtod(text, NULL);
}

static struct value f_round(struct tctx *c, struct value self, struct value *a)
{
	int64_t places = a[0].type == V_ABSENT ? 0 : v_index(c, a[0], "round()");
	const char *how = "common";
	double f, p;

	if (self.type == V_UNDEF)
		t_undefined(c, self.u);
	if (a[1].type == V_STR)
		how = a[1].s->p;
	if (!v_number(self, &f))
		t_raise(c, "type %s doesn't define __round__ method", v_type(self));
	if (a[1].type == V_ABSENT || str_is(a[1].type == V_STR ? a[1].s : str_lit(c, ""), "common"))
		return self.type == V_FLOAT ? v_float(round_to(f, places)) : places >= 0 ? v_int(self.type == V_INT ? self.i : self.b) : v_int((__int128)round_to(f, places));
	p = pow(10, (double)places);
	if (strncmp(how, "ceil", 4) == 0)
		return v_float(ceil(f * p) / p);
	if (strncmp(how, "floor", 5) == 0)
		return v_float(floor(f * p) / p);
	t_raise(c, "method must be common, ceil or floor");
}

static struct value f_replace(struct tctx *c, struct value self, struct value *a)
{
	const struct str *s = str_safe(c, v_text(c, self), false), *old = v_text(c, a[0]), *new = v_text(c, a[1]);
	struct args args = { .pos = (struct value[]){ v_str(str_safe(c, old, false)), v_str(str_safe(c, new, false)), a[2] }, .npos = given(a[2]) ? 3 : 2 };

	return call_func(c, func_find(str_methods, "replace", 7), v_str(s), &args);
}

static struct value method0(struct tctx *c, const struct str *s, const char *name, struct value arg)
{
	struct args args = { .pos = &arg, .npos = arg.type != V_ABSENT };

	return call_func(c, func_find(str_methods, name, strlen(name)), v_str(s), &args);
}

static const struct str *indention(struct tctx *c, struct value width)
{
	struct sb b = {0};
	int64_t n;

	if (width.type == V_STR)
		return width.s;
	n = width.type == V_ABSENT ? 4 : v_index(c, width, "indent()");
	if (n > T_WIDTH_MAX)
		t_raise(c, "a width is too large (limit: %d)", T_WIDTH_MAX);
	sb_fill(c, &b, str_lit(c, " "), n < 0 ? 0 : (size_t)n);
	return sb_str(c, &b);
}

/* A: width=4, first=False, blank=False. */
static struct value f_indent(struct tctx *c, struct value self, struct value *a)
{
	const struct str *pad = indention(c, a[0]);
	struct vlist *lines;
	struct sb b = {0};

	if (self.type == V_UNDEF)
		t_undefined(c, self.u);
	if (self.type != V_STR)
		t_raise(c, "unsupported operand type(s) for +=: '%s' and 'str'", v_type(self));
	lines = v_iter(c, method0(c, str_concat(c, str_safe(c, self.s, false), str_lit(c, "\n")), "splitlines", (struct value){ .type = V_ABSENT }));
	if (a[1].type != V_ABSENT && v_true(a[1]))
		sb_strv(c, &b, pad);
	for (size_t i = 0; i < lines->n; i++) {
		if (i) {
			sb_lit(c, &b, "\n");
			if (lines->v[i].s->n || (a[2].type != V_ABSENT && v_true(a[2])))
				sb_strv(c, &b, pad);
		}
		sb_strv(c, &b, lines->v[i].s);
	}
	return v_str(str_safe(c, sb_str(c, &b), self.s->safe));
}

/* A: length=255, killwords=False, end='...', leeway=5. */
static struct value f_truncate(struct tctx *c, struct value self, struct value *a)
{
	const struct str *s, *end = a[2].type == V_STR ? a[2].s : str_lit(c, "..."), *blank = str_lit(c, " ");
	int64_t length = a[0].type == V_ABSENT ? 255 : v_index(c, a[0], "truncate()"), leeway = given(a[3]) ? v_index(c, a[3], "truncate()") : 5;
	int64_t n = (int64_t)v_len(c, self), cut = length - (int64_t)str_ncp(c, end);
	size_t to, space;

	if (cut < 0)
		t_raise(c, "expected length >= %zu, got %lld", str_ncp(c, end), (long long)length);
	if (leeway < 0)
		t_raise(c, "expected leeway >= 0, got %lld", (long long)leeway);
	if (n <= length || n - length <= leeway)
		return self;
	if (self.type != V_STR)
		t_raise(c, "truncate() of a '%s' object", v_type(self));
	s = self.s;
	to = str_at(c, s, (size_t)cut);
	if (a[1].type == V_ABSENT || !v_true(a[1])) {
		space = str_rfind(c, s, blank, 0, to);
		if (space != T_NOARG)
			to = space;
	}
	return v_str(str_concat(c, str_slice(c, s, 0, to), end));
}

static struct value f_wordcount(struct tctx *c, struct value self, struct value *a)
{
	const struct str *s = soft(c, self);
	bool inside = false;
	__int128 n = 0;
	int len;

	(void)a;
	t_step(c, s->n / 16);
	for (size_t i = 0; i < s->n; i += (size_t)len) {
		bool word = cp_is(cp_get(s->p + i, s->p + s->n, &len), CC_WORD);
		n += word && !inside;
		inside = word;
	}
	return v_int(n);
}

static struct value f_center(struct tctx *c, struct value self, struct value *a)
{
	return method0(c, soft(c, self), "center", a[0].type == V_ABSENT ? v_int(80) : a[0]);
}

static struct value f_format(struct tctx *c, struct value self, const struct args *a)
{
	struct value arg;

	if (a->npos && a->nkw)
		t_raise(c, "can't handle positional and keyword arguments at the same time");
	if (a->nkw) {
		arg = v_map(c);
		for (size_t i = 0; i < a->nkw; i++)
			map_put(c, arg.m, v_str(a->kw[i].name), a->kw[i].v);
	} else {
		arg = v_list(c, V_TUPLE, a->npos);
		for (size_t i = 0; i < a->npos; i++)
			list_add(c, arg.l, a->pos[i]);
	}
	return format_percent(c, soft(c, self), arg);
}

/* A path keeps its slashes; a part of a query has + for blanks. */
static void url_quote(struct tctx *c, struct sb *b, const struct str *s, bool path)
{
	char text[4];

	for (size_t i = 0; i < s->n; i++) {
		unsigned char ch = (unsigned char)s->p[i];
		if (((ch | 32) >= 'a' && (ch | 32) <= 'z') || (ch >= '0' && ch <= '9') || (ch && strchr("_.-~", ch)) || (path && ch == '/')) {
			sb_sub(c, b, s, i, i + 1);
		} else if (ch == ' ' && !path) {
			sb_add(c, b, "+", 1, str_origin(s, i));
		} else {
			snprintf(text, sizeof text, "%%%02X", ch);
			sb_add(c, b, text, 3, str_origin(s, i));
		}
	}
}

static struct value f_urlencode(struct tctx *c, struct value self, struct value *a)
{
	struct sb b = {0};
	struct vlist *l;

	(void)a;
	if (self.type == V_STR || !v_iterable(self)) {
		url_quote(c, &b, soft(c, self), true);
		return v_str(sb_str(c, &b));
	}
	l = self.type == V_MAP ? NULL : v_iter(c, self);
	for (size_t i = 0; i < (l ? l->n : self.m->n); i++) {
		struct vlist *pair = l ? v_iter(c, l->v[i]) : NULL;
		if (pair && pair->n != 2)
			t_raise(c, "urlencode needs pairs");
		if (i)
			sb_lit(c, &b, "&");
		url_quote(c, &b, v_text(c, pair ? pair->v[0] : self.m->e[i].k), false);
		sb_lit(c, &b, "=");
		url_quote(c, &b, v_text(c, pair ? pair->v[1] : self.m->e[i].v), false);
	}
	return v_str(sb_str(c, &b));
}

static struct value f_filesizeformat(struct tctx *c, struct value self, struct value *a)
{
	static const char *const units[2][8] = {
		{ "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB" }, { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB" }
	};
	bool binary = a[0].type != V_ABSENT && v_true(a[0]);
	double base = binary ? 1024 : 1000, bytes, unit = base;
	struct value f = f_float(c, self, (struct value[]){ v_none() });
	char text[400];
	int i = 0;

	if (f.type != V_FLOAT)
		t_raise(c, "float() argument must be a string or a real number, not '%s'", v_type(self));
	bytes = f.f;
	if (bytes == 1)
		return v_lit(c, "1 Byte");
	if (bytes < base) {
		snprintf(text, sizeof text, "%.0f Bytes", trunc(bytes));
	} else {
		for (unit = base * base; i < 7 && bytes >= unit; i++)
			unit *= base;
		snprintf(text, sizeof text, "%.1f %s", base * bytes / unit, units[binary][i]);
	}
	return v_str(str_new(c, text, strlen(text), T_OWN));
}

/* A tag or comment of HTML at I: its end, or I. */
static size_t tag_end(const struct str *s, size_t i)
{
	const char *p = s->p + i, *end = s->p + s->n, *q;

	if (*p != '<')
		return i;
	if (end - p >= 4 && memcmp(p, "<!--", 4) == 0)
		return (q = memmem(p, (size_t)(end - p), "-->", 3)) != NULL ? (size_t)(q + 3 - s->p) : i;
	return (q = memchr(p, '>', (size_t)(end - p))) != NULL ? (size_t)(q + 1 - s->p) : i;
}

static struct value f_striptags(struct tctx *c, struct value self, struct value *a)
{
	static const char *const names[] = { "&amp;", "&lt;", "&gt;", "&#39;", "&#34;", "&quot;", NULL }, chars[] = "&<>'\"\"";
	const struct str *s = soft(c, self);
	struct sb b = {0};
	bool blank = false;
	int len;

	(void)a;
	for (size_t i = 0; i < s->n;) {
		size_t skip = tag_end(s, i);
		int k = 0;
		if (skip > i) {
			i = skip;
			continue;
		}
		if (py_isspace(cp_get(s->p + i, s->p + s->n, &len))) {
			blank = b.n > 0;
			i += (size_t)len;
			continue;
		}
		if (blank)
			sb_lit(c, &b, " ");
		blank = false;
		while (names[k] && strncmp(s->p + i, names[k], strlen(names[k]) < s->n - i ? strlen(names[k]) : s->n - i) != 0)
			k++;
		if (names[k] && strlen(names[k]) <= s->n - i) {
			sb_add(c, &b, &chars[k], 1, str_origin(s, i));
			i += strlen(names[k]);
		} else {
			sb_sub(c, &b, s, i, i + (size_t)len);
			i += (size_t)len;
		}
	}
	return v_str(sb_str(c, &b));
}

static struct value f_xmlattr(struct tctx *c, struct value self, struct value *a)
{
	struct sb b = {0};

	if (self.type != V_MAP)
		t_raise(c, "'%s' object has no attribute 'items'", v_type(self));
	for (size_t i = 0; i < self.m->n; i++) {
		struct pair *e = &self.m->e[i];
		if (e->v.type == V_NONE || e->v.type == V_UNDEF)
			continue;
		if (b.n || a[0].type == V_ABSENT || v_true(a[0]))
			sb_lit(c, &b, " ");
		sb_strv(c, &b, str_escape(c, v_text(c, e->k)));
		sb_lit(c, &b, "=\"");
		sb_strv(c, &b, str_escape(c, v_text(c, e->v)));
		sb_lit(c, &b, "\"");
	}
	return v_str(sb_str(c, &b));
}

const struct func text_filters[] = {
	{ "upper", "", f_upper, NULL },
	{ "lower", "", f_lower, NULL },
	{ "capitalize", "", f_capitalize, NULL },
	{ "title", "", f_title, NULL },
	{ "trim", "chars", f_trim, NULL },
	{ "tojson", "ensure_ascii indent separators sort_keys", f_tojson, NULL },
	{ "default", "default_value boolean", f_default, NULL },
	{ "d", "default_value boolean", f_default, NULL },
	{ "string", "", f_string, NULL },
	{ "safe", "", f_safe, NULL },
	{ "escape", "", f_escape, NULL },
	{ "e", "", f_escape, NULL },
	{ "forceescape", "", f_forceescape, NULL },
	{ "int", "default base", f_int, NULL },
	{ "float", "default", f_float, NULL },
	{ "abs", "", f_abs, NULL },
	{ "round", "precision method", f_round, NULL },
	{ "replace", "!old !new count", f_replace, NULL },
	{ "indent", "width first blank", f_indent, NULL },
	{ "truncate", "length killwords end leeway", f_truncate, NULL },
	{ "wordcount", "", f_wordcount, NULL },
	{ "center", "width", f_center, NULL },
	{ "format", NULL, NULL, f_format },
	{ "urlencode", "", f_urlencode, NULL },
	{ "filesizeformat", "binary", f_filesizeformat, NULL },
	{ "striptags", "", f_striptags, NULL },
	{ "xmlattr", "autospace", f_xmlattr, NULL },
	{ NULL, NULL, NULL, NULL }
};
