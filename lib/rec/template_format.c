/* SPDX-License-Identifier: Apache-2.0 */
/* Python's two ways to format: "%s" % x and "{}".format(x), without attribute access. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "template_value.h"

struct spec {
	bool left, plus, space, alt, zero, comma, underscore;
	char align, type;                 /* align: < > ^ = or 0 */
	const struct str *fill;
	int64_t width, prec;              /* -1: not given */
};

static bool one_of(const char *set, char ch)
{
	return ch != 0 && strchr(set, ch) != NULL;
}

static void too_wide(struct tctx *c, int64_t n)
{
	if (n > T_WIDTH_MAX)
		t_raise(c, "a width is too large (limit: %d)", T_WIDTH_MAX);
}

static int64_t read_number(struct tctx *c, const char **p, const char *end)
{
	int64_t n = -1;

	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
		n = (n < 0 ? 0 : n) * 10 + (**p - '0');
		too_wide(c, n);
	}
	return n;
}

/* S within the width of F; DEFLT is the alignment where none is given. */
static void pad(struct tctx *c, struct sb *b, const struct spec *f, const struct str *s, char deflt)
{
	size_t n = str_ncp(c, s), gap = f->width > (int64_t)n ? (size_t)f->width - n : 0;
	char align = f->align ? f->align : deflt;
	size_t left = align == '<' ? 0 : align == '^' ? gap / 2 : gap, sign;
	const struct str *fill = f->fill ? f->fill : str_lit(c, " ");

	if (align == '=') {
		sign = s->n && one_of("+- ", s->p[0]) ? 1 : 0;
		if (s->n > sign + 1 && s->p[sign] == '0' && one_of("xXob", s->p[sign + 1]))
			sign += 2;
		sb_sub(c, b, s, 0, sign);
		sb_fill(c, b, fill, gap);
		sb_sub(c, b, s, sign, s->n);
		return;
	}
	sb_fill(c, b, fill, left);
	sb_strv(c, b, s);
	sb_fill(c, b, fill, gap - left);
}

/* Digits of U in BASE, with a separator each GROUP digits. */
static size_t digits(char *out, unsigned __int128 u, unsigned base, bool upper, char sep, size_t group)
{
	char tmp[200];
	size_t n = 0, len = 0, put = 0;

	do {
		unsigned d = (unsigned)(u % base);
		if (sep && put && put % group == 0)
			tmp[n++] = sep;
		tmp[n++] = (char)(d < 10 ? '0' + d : (upper ? 'A' : 'a') + d - 10);
		put++;
	} while ((u /= base) != 0);
	while (n > 0)
		out[len++] = tmp[--n];
	return len;
}

static const char *sign_of(const struct spec *f, bool neg)
{
	return neg ? "-" : f->plus ? "+" : f->space ? " " : "";
}

/* An int as d, x, X, o or b. */
static const struct str *format_int(struct tctx *c, const struct spec *f, __int128 i)
{
	unsigned __int128 u = i < 0 ? -(unsigned __int128)i : (unsigned __int128)i;
	unsigned base = f->type == 'x' || f->type == 'X' ? 16 : f->type == 'o' ? 8 : f->type == 'b' ? 2 : 10;
	char text[220], sep = f->comma ? ',' : f->underscore ? '_' : 0;
	size_t n = 0, len;
	struct sb b = {0};

	len = digits(text, u, base, f->type == 'X', sep, base == 10 ? 3 : 4);
	sb_lit(c, &b, sign_of(f, i < 0));
	if (f->alt && base != 10) {
		sb_lit(c, &b, "0");
		sb_add(c, &b, &f->type, 1, T_OWN);
	}
	for (n = len; f->prec > (int64_t)n; n++)
		sb_lit(c, &b, "0");
	sb_add(c, &b, text, len, T_OWN);
	return sb_str(c, &b);
}

/* Commas into the whole part of the number in TEXT. */
static void group_digits(struct tctx *c, struct sb *b, const char *text, char sep)
{
	size_t whole = strspn(text, "0123456789");

	for (size_t i = 0; i < whole; i++) {
		if (i && (whole - i) % 3 == 0)
			sb_add(c, b, &sep, 1, T_OWN);
		sb_add(c, b, text + i, 1, T_OWN);
	}
	sb_lit(c, b, text + whole);
}

static const struct str *format_float(struct tctx *c, const struct spec *f, double v)
{
	char text[4000], fmt[16], type = f->type ? f->type : 'r', kind = type == '%' ? 'f' : type == 'n' ? 'g' : type;
	int64_t prec = f->prec < 0 ? 6 : f->prec > 3000 ? 3000 : f->prec;
	struct sb b = {0};

	if (f->prec > 3000)
		t_raise(c, "a precision is too large (limit: 3000)");
	sb_lit(c, &b, sign_of(f, signbit(v) && !isnan(v)));
	v = fabs(v);
	if (type == '%')
		v *= 100;
	if (type == 'r' && f->prec < 0) {
		text[py_float(text, v)] = 0;
	} else {
		if (type == 'r')
			kind = 'g';
		snprintf(fmt, sizeof fmt, "%%%s.*%c", f->alt ? "#" : "", kind);
		snprintf(text, sizeof text, fmt, (int)prec, v);
		if (type == 'r' && strcspn(text, ".en") == strlen(text))
			strcat(text, ".0");
	}
	if (f->comma || f->underscore)
		group_digits(c, &b, text, f->comma ? ',' : '_');
	else
		sb_add(c, &b, text, strlen(text), T_OWN);
	if (type == '%')
		sb_lit(c, &b, "%");
	return sb_str(c, &b);
}

static const struct str *cut(struct tctx *c, const struct str *s, int64_t prec)
{
	return prec >= 0 && prec < (int64_t)str_ncp(c, s) ? str_slice(c, s, 0, str_at(c, s, (size_t)prec)) : s;
}

/* --- percent --- */

static struct value next_arg(struct tctx *c, struct value arg, size_t *at)
{
	struct value v = arg;

	if (arg.type == V_TUPLE) {
		if (*at >= arg.l->n)
			t_raise(c, "not enough arguments for format string");
		v = arg.l->v[*at];
	} else if (*at > 0) {
		t_raise(c, "not enough arguments for format string");
	}
	(*at)++;
	return v;
}

static const struct str *percent_char(struct tctx *c, struct value v)
{
	char text[4];

	if (v.type == V_STR && str_ncp(c, v.s) == 1)
		return v.s;
	if (v.type != V_INT || v.i < 0 || v.i > 0x10ffff || (v.i >= 0xd800 && v.i < 0xe000))
		t_raise(c, "%%c requires int or char");
	return str_new(c, text, (size_t)cp_put(text, (uint32_t)v.i), T_OWN);
}

static void percent_one(struct tctx *c, struct sb *b, struct spec *f, struct value v)
{
	__int128 i;
	double d;

	if (v.type == V_UNDEF && f->type != 's' && f->type != 'r')
		t_undefined(c, v.u);
	if (f->zero && f->type != 's' && f->type != 'r' && f->type != 'a' && f->type != 'c' && !f->left) {
		f->align = '=';
		f->fill = str_lit(c, "0");
	} else {
		f->align = f->left ? '<' : '>';
	}
	switch (f->type) {
	case 's': pad(c, b, f, cut(c, v_text(c, v), f->prec), '>'); return;
	case 'r': case 'a': pad(c, b, f, cut(c, v_repr(c, v), f->prec), '>'); return;
	case 'c': pad(c, b, f, percent_char(c, v), '>'); return;
	case 'd': case 'i': case 'u':
		if (v.type == V_FLOAT && isfinite(v.f) && fabs(v.f) < 0x1p126)
			v = v_int((__int128)v.f);
		f->type = 'd';
		/* fall through */
	case 'x': case 'X': case 'o':
		if (!v_integer(v, &i))
			t_raise(c, "%%%c format: %s is required, not %s", f->type, f->type == 'd' ? "a real number" : "an integer", v_type(v));
		pad(c, b, f, format_int(c, f, i), '>');
		return;
	case 'f': case 'F': case 'e': case 'E': case 'g': case 'G':
		if (!v_number(v, &d))
			t_raise(c, "must be real number, not %s", v_type(v));
		pad(c, b, f, format_float(c, f, d), '>');
		return;
	default:
		t_raise(c, "unsupported format character '%c'", f->type);
	}
}

/* Flags, width, precision; P stands behind the '%'. */
static void percent_spec(struct tctx *c, struct spec *f, const char **p, const char *end, struct value arg, size_t *at)
{
	*f = (struct spec){ .width = -1, .prec = -1 };
	for (; *p < end && one_of("-+ #0", **p) && **p; (*p)++) {
		f->left |= **p == '-';
		f->plus |= **p == '+';
		f->space |= **p == ' ';
		f->alt |= **p == '#';
		f->zero |= **p == '0';
	}
	if (*p < end && **p == '*') {
		(*p)++;
		f->width = v_index(c, next_arg(c, arg, at), "* wants int");
		f->left |= f->width < 0;
		f->width = f->width < 0 ? (f->width < -T_WIDTH_MAX ? T_WIDTH_MAX + 1 : -f->width) : f->width;
		too_wide(c, f->width);
	} else {
		f->width = read_number(c, p, end);
	}
	if (*p < end && **p == '.') {
		(*p)++;
		f->prec = read_number(c, p, end);
		f->prec = f->prec < 0 ? 0 : f->prec;
	}
	while (*p < end && (**p == 'l' || **p == 'h' || **p == 'L'))
		(*p)++;
	if (*p >= end)
		t_raise(c, "incomplete format");
	f->type = *(*p)++;
}

struct value format_percent(struct tctx *c, const struct str *fmt, struct value arg)
{
	const char *p = fmt->p, *end = p + fmt->n;
	struct sb b = {0};
	size_t at = 0;
	struct spec f;

	while (p < end) {
		const char *q = memchr(p, '%', (size_t)(end - p)), *close;
		struct value v = { .type = V_ABSENT };

		q = q ? q : end;
		sb_sub(c, &b, fmt, (size_t)(p - fmt->p), (size_t)(q - fmt->p));
		if (q == end)
			break;
		p = q + 1;
		if (p < end && *p == '(') {
			close = memchr(p, ')', (size_t)(end - p));
			if (close == NULL || arg.type != V_MAP)
				t_raise(c, close ? "format requires a mapping" : "incomplete format key");
			struct str key = { .p = p + 1, .n = (size_t)(close - p - 1), .ncp = T_NOARG };
			struct value *found = map_find(c, arg.m, v_str(&key));
			if (found == NULL)
				t_raise(c, "the format names a key that is not there");
			v = *found;
			p = close + 1;
		}
		percent_spec(c, &f, &p, end, arg, &at);
		if (f.type == '%') {
			sb_lit(c, &b, "%");
			continue;
		}
		if (v.type == V_ABSENT)
			v = next_arg(c, arg, &at);
		if (fmt->safe && v.type == V_STR)
			v = v_str(str_escape(c, v.s));
		percent_one(c, &b, &f, v);
	}
	if (arg.type == V_TUPLE ? at < arg.l->n : at == 0 && arg.type != V_MAP && arg.type != V_LIST)
		t_raise(c, "not all arguments converted during string formatting");
	return v_str(str_safe(c, sb_str(c, &b), fmt->safe));
}

/* --- braces --- */

static void parse_spec(struct tctx *c, struct spec *f, const char *p, size_t n)
{
	const char *end = p + n, *next = p;
	int len = 0;

	*f = (struct spec){ .width = -1, .prec = -1 };
	if (p < end) {
		cp_get(p, end, &len);
		next = p + len;
	}
	if (next < end && one_of("<>^=", *next)) {
		f->fill = str_new(c, p, (size_t)len, T_OWN);
		f->align = *next;
		p = next + 1;
	} else if (p < end && one_of("<>^=", *p)) {
		f->align = *p++;
	}
	if (p < end && one_of("+- ", *p)) {
		f->plus = *p == '+';
		f->space = *p++ == ' ';
	}
	if (p < end && *p == '#')
		f->alt = *p++ == '#';
	if (p < end && *p == '0') {
		f->zero = true;
		p++;
	}
	f->width = read_number(c, &p, end);
	if (p < end && (*p == ',' || *p == '_')) {
		f->comma = *p == ',';
		f->underscore = *p++ == '_';
	}
	if (p < end && *p == '.') {
		p++;
		if ((f->prec = read_number(c, &p, end)) < 0)
			t_raise(c, "Format specifier missing precision");
	}
	if (p < end)
		f->type = *p++;
	if (p < end)
		t_raise(c, "Invalid format specifier");
	if (f->zero && !f->fill) {
		f->fill = str_lit(c, "0");
		f->align = f->align ? f->align : '=';
	}
}

struct value format_spec(struct tctx *c, struct value v, const char *spec, size_t n)
{
	struct spec f;
	struct sb b = {0};
	__int128 i;
	double d;

	if (n == 0)
		return v_str(v_text(c, v));
	parse_spec(c, &f, spec, n);
	if (v.type == V_STR) {
		if (f.type && f.type != 's')
			t_raise(c, "Unknown format code '%c' for object of type 'str'", f.type);
		pad(c, &b, &f, cut(c, v.s, f.prec), '<');
		return v_str(sb_str(c, &b));
	}
	if (v_integer(v, &i) && (!f.type || one_of("dxXobnc", f.type))) {
		if (v.type == V_BOOL && !f.type)
			pad(c, &b, &f, v_text(c, v), '<');
		else if (f.type == 'c')
			pad(c, &b, &f, percent_char(c, v_int(i)), '<');
		else
			pad(c, &b, &f, format_int(c, &f, i), '>');
	} else if (v_number(v, &d) && (!f.type || one_of("fFeEgGn%", f.type))) {
		pad(c, &b, &f, format_float(c, &f, d), '>');
	} else {
		if (v.type == V_INT || v.type == V_FLOAT)
			t_raise(c, "Unknown format code '%c' for object of type '%s'", f.type, v_type(v));
		t_raise(c, "unsupported format string passed to %s.__format__", v_type(v));
	}
	return v_str(sb_str(c, &b));
}

/* The argument that FIELD (a name, a number or nothing) names; [key] subscripts are followed, attributes are not. */
static struct value field_value(struct tctx *c, const struct str *field, const struct args *a, size_t *next)
{
	size_t end = 0;
	__int128 i;
	struct value v = { .type = V_ABSENT };

	while (end < field->n && field->p[end] != '.' && field->p[end] != '[')
		end++;
	if (field->n == 0 || (end > 0 && py_parse_int(field->p, end, 10, &i))) {
		if (*next == T_NOARG ? field->n == 0 : *next > 0 && field->n > 0)
			t_raise(c, "cannot switch between automatic field numbering and manual field specification");
		size_t at = field->n == 0 ? (*next)++ : i < 0 || i > 100000 ? T_NOARG : (size_t)i;
		if (field->n > 0)
			*next = T_NOARG;
		if (at >= a->npos)
			t_raise(c, "Replacement index out of range for positional args tuple");
		v = a->pos[at];
	} else {
		for (size_t k = 0; k < a->nkw; k++)
			if (a->kw[k].name->n == end && memcmp(a->kw[k].name->p, field->p, end) == 0)
				v = a->kw[k].v;
		if (v.type == V_ABSENT)
			t_raise(c, "the format names an argument that is not there: '%.*s'", (int)(end & 255), field->p);
	}
	while (end < field->n && field->p[end] == '[') {
		const char *close = memchr(field->p + end, ']', field->n - end);
		if (close == NULL)
			t_raise(c, "Missing ']' in format string");
		const struct str *key = str_slice(c, field, end + 1, (size_t)(close - field->p));
		v = v_getitem(c, v, py_parse_int(key->p, key->n, 10, &i) ? v_int(i) : v_str(key));
		if (v.type == V_UNDEF)
			t_undefined(c, v.u);
		end = (size_t)(close + 1 - field->p);
	}
	if (end < field->n)
		t_raise(c, "a format must not look at attributes");
	return v;
}

/* The end of the replacement field that begins behind P's '{': its '}', nested ones counted. */
static const char *field_end(const char *p, const char *end)
{
	int depth = 1;

	for (; p < end; p++) {
		depth += *p == '{';
		depth -= *p == '}';
		if (depth == 0)
			return p;
	}
	return NULL;
}

static void replacement(struct tctx *c, struct sb *b, const struct str *fmt, size_t from, size_t to, const struct args *a, size_t *next, int nested)
{
	size_t name = from, spec;
	char conv = 0;
	struct value v;
	struct sb inner = {0};

	while (name < to && fmt->p[name] != '!' && fmt->p[name] != ':')
		name++;
	v = field_value(c, str_slice(c, fmt, from, name), a, next);
	spec = name;
	if (spec + 1 < to && fmt->p[spec] == '!') {
		conv = fmt->p[spec + 1];
		spec += 2;
	}
	if (conv == 'r' || conv == 'a')
		v = v_str(v_repr(c, v));
	else if (conv == 's')
		v = v_str(v_text(c, v));
	else if (conv)
		t_raise(c, "Unknown conversion specifier %c", conv);
	spec += spec < to;
	for (size_t i = spec; i < to; i++) {
		if (fmt->p[i] == '{') {
			const char *close = field_end(fmt->p + i + 1, fmt->p + to);
			if (close == NULL || nested)
				t_raise(c, "Max string recursion exceeded");
			replacement(c, &inner, fmt, i + 1, (size_t)(close - fmt->p), a, next, 1);
			i = (size_t)(close - fmt->p);
		} else {
			sb_sub(c, &inner, fmt, i, i + 1);
		}
	}
	v = format_spec(c, v, inner.p ? inner.p : "", inner.n);
	sb_strv(c, b, fmt->safe ? str_escape(c, v.s) : v.s);
}

struct value format_braces(struct tctx *c, const struct str *fmt, const struct args *a)
{
	struct sb b = {0};
	size_t next = 0;

	for (size_t i = 0; i < fmt->n; i++) {
		char ch = fmt->p[i];

		if (ch != '{' && ch != '}') {
			sb_sub(c, &b, fmt, i, i + 1);
			continue;
		}
		if (i + 1 < fmt->n && fmt->p[i + 1] == ch) {
			sb_sub(c, &b, fmt, i, i + 1);
			i++;
			continue;
		}
		const char *close = ch == '{' ? field_end(fmt->p + i + 1, fmt->p + fmt->n) : NULL;
		if (close == NULL)
			t_raise(c, "Single '%c' encountered in format string", ch);
		replacement(c, &b, fmt, i + 1, (size_t)(close - fmt->p), a, &next, 0);
		i = (size_t)(close - fmt->p);
	}
	return v_str(str_safe(c, sb_str(c, &b), fmt->safe));
}
