/* SPDX-License-Identifier: Apache-2.0 */
/* Values as text: Python's str() and repr(), numbers as Python reads and prints them, and tojson as Hugging Face has it (json.dumps). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "json.h"
#include "template_value.h"

size_t py_int(char out[48], __int128 i)
{
	char digits[48];
	size_t n = 0, len = 0;
	unsigned __int128 u = i < 0 ? -(unsigned __int128)i : (unsigned __int128)i;

	do
		digits[n++] = (char)('0' + (int)(u % 10));
	while ((u /= 10) != 0);
	if (i < 0)
		out[len++] = '-';
	while (n > 0)
		out[len++] = digits[--n];
	out[len] = 0;
	return len;
}

size_t py_float(char out[40], double f)
{
	if (isnan(f))
		return (size_t)snprintf(out, 40, "nan");
	if (isinf(f))
		return (size_t)snprintf(out, 40, "%sinf", f < 0 ? "-" : "");
	size_t n = json_double_text(out, f);
	out[n] = 0;
	return n;
}

static int digit_value(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	ch |= 32;
	return ch >= 'a' && ch <= 'z' ? ch - 'a' + 10 : 99;
}

/* int(text, base): blanks around it, a sign, single underscores between digits. */
bool py_parse_int(const char *s, size_t n, int base, __int128 *out)
{
	struct str t = { .p = s, .n = n };
	size_t i, to, from;
	bool neg = false, digit = false;
	__int128 v = 0;

	str_strip(&t, NULL, true, true, &i, &to);
	if (i < to && (s[i] == '-' || s[i] == '+'))
		neg = s[i++] == '-';
	if (to - i > 2 && s[i] == '0' && ((base == 16 && (s[i + 1] | 32) == 'x') || (base == 8 && (s[i + 1] | 32) == 'o') || (base == 2 && (s[i + 1] | 32) == 'b')))
		i += 2;
	for (from = i; i < to; i++) {
		int d = digit_value(s[i]);
		if (s[i] == '_' && digit && i + 1 < to) {
			digit = false;
			continue;
		}
		if (d >= base || __builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, d, &v))
			return false;
		digit = true;
	}
	*out = neg ? -v : v;
	return digit && i > from;
}

bool py_parse_float(const char *s, size_t n, double *out)
{
	struct str t = { .p = s, .n = n };
	size_t from, to, len = 0;
	char text[400], *end;

	str_strip(&t, NULL, true, true, &from, &to);
	if (to - from >= sizeof text)
		return false;
	for (size_t i = from; i < to; i++) {
		if (s[i] == '_' && i > from && i + 1 < to && digit_value(s[i - 1]) < 10 && digit_value(s[i + 1]) < 10)
			continue;
		if ((s[i] | 32) == 'x' || s[i] == '(')     /* strtod reads hexadecimal and nan(...), Python does not */
			return false;
		text[len++] = s[i];
	}
	text[len] = 0;
	*out = strtod(text, &end);
	return len > 0 && *end == 0;
}

/* --- repr --- */

static void write_escape(struct tctx *c, struct sb *b, uint32_t cp, int32_t msg)
{
	char out[16];
	int n;

	if (cp == '\n' || cp == '\r' || cp == '\t')
		n = snprintf(out, sizeof out, "\\%c", cp == '\n' ? 'n' : cp == '\r' ? 'r' : 't');
	else if (cp < 0x100)
		n = snprintf(out, sizeof out, "\\x%02x", cp);
	else
		n = snprintf(out, sizeof out, cp < 0x10000 ? "\\u%04x" : "\\U%08x", cp);
	sb_add(c, b, out, (size_t)n, msg);
}

static void repr_str(struct tctx *c, struct sb *b, const struct str *s)
{
	char quote = memchr(s->p, '\'', s->n) && !memchr(s->p, '"', s->n) ? '"' : '\'';
	size_t at = 0;
	int len;

	sb_add(c, b, &quote, 1, T_OWN);
	for (size_t i = 0; i < s->n; i += (size_t)len) {
		uint32_t cp = cp_get(s->p + i, s->p + s->n, &len);
		bool slash = cp == '\\' || cp == (uint32_t)quote;

		if (!slash && (cp < 127 ? cp >= 32 : cp_is(cp, CC_PRINT)))
			continue;
		sb_sub(c, b, s, at, i);
		at = i;
		if (slash) {
			sb_add(c, b, "\\", 1, str_origin(s, i));
			continue;
		}
		write_escape(c, b, cp, str_origin(s, i));
		at = i + (size_t)len;
	}
	sb_sub(c, b, s, at, s->n);
	sb_add(c, b, &quote, 1, T_OWN);
}

static void write_repr(struct tctx *c, struct sb *b, struct value v);

static void repr_items(struct tctx *c, struct sb *b, const struct vlist *l, const char *open, const char *close)
{
	t_nest(c);
	sb_lit(c, b, open);
	for (size_t i = 0; i < l->n; i++) {
		if (i)
			sb_lit(c, b, ", ");
		write_repr(c, b, l->v[i]);
	}
	sb_lit(c, b, close);
	c->depth--;
}

static void repr_map(struct tctx *c, struct sb *b, const struct vmap *m, const char *open, const char *close)
{
	t_nest(c);
	sb_lit(c, b, open);
	for (size_t i = 0; i < m->n; i++) {
		if (i)
			sb_lit(c, b, ", ");
		write_repr(c, b, m->e[i].k);
		sb_lit(c, b, ": ");
		write_repr(c, b, m->e[i].v);
	}
	sb_lit(c, b, close);
	c->depth--;
}

static void repr_range(struct tctx *c, struct sb *b, const struct vlist *l)
{
	char text[100];

	if (l->step == 1)
		snprintf(text, sizeof text, "range(%lld, %lld)", (long long)l->start, (long long)l->stop);
	else
		snprintf(text, sizeof text, "range(%lld, %lld, %lld)", (long long)l->start, (long long)l->stop, (long long)l->step);
	sb_lit(c, b, text);
}

static void write_repr(struct tctx *c, struct sb *b, struct value v)
{
	char text[48];

	t_step(c, 1);
	switch (v.type) {
	case V_ABSENT: case V_UNDEF: sb_lit(c, b, "Undefined"); return;
	case V_NONE: sb_lit(c, b, "None"); return;
	case V_BOOL: sb_lit(c, b, v.b ? "True" : "False"); return;
	case V_INT: sb_add(c, b, text, py_int(text, v.i), T_OWN); return;
	case V_FLOAT: sb_add(c, b, text, py_float(text, v.f), T_OWN); return;
	case V_STR:
		sb_lit(c, b, v.s->safe ? "Markup(" : "");
		repr_str(c, b, v.s);
		sb_lit(c, b, v.s->safe ? ")" : "");
		return;
	case V_LIST: repr_items(c, b, v.l, "[", "]"); return;
	case V_TUPLE: repr_items(c, b, v.l, "(", v.l->n == 1 ? ",)" : ")"); return;
	case V_KEYS: repr_items(c, b, v.l, "dict_keys([", "])"); return;
	case V_VALUES: repr_items(c, b, v.l, "dict_values([", "])"); return;
	case V_ITEMS: repr_items(c, b, v.l, "dict_items([", "])"); return;
	case V_RANGE: repr_range(c, b, v.l); return;
	case V_MAP: repr_map(c, b, v.m, "{", "}"); return;
	case V_LOOP:
		sb_lit(c, b, "<LoopContext ");
		sb_add(c, b, text, py_int(text, (__int128)v.loop->at + 1), T_OWN);
		sb_lit(c, b, "/");
		sb_add(c, b, text, py_int(text, (__int128)v.loop->items->n), T_OWN);
		sb_lit(c, b, ">");
		return;
	case V_NS: repr_map(c, b, v.m, "<Namespace {", "}>"); return;
	default:
		sb_lit(c, b, "<");
		sb_lit(c, b, v_type(v));
		sb_lit(c, b, ">");
	}
}

void v_write(struct tctx *c, struct sb *b, struct value v)
{
	if (v.type == V_STR)
		sb_strv(c, b, v.s);
	else if (v.type == V_JOINER || v.type == V_CYCLER || v.type == V_FUNC || v.type != V_UNDEF)
		write_repr(c, b, v);
}

const struct str *v_text(struct tctx *c, struct value v)
{
	struct sb b = {0};

	if (v.type == V_STR)
		return v.s;
	v_write(c, &b, v);
	return sb_str(c, &b);
}

const struct str *v_repr(struct tctx *c, struct value v)
{
	struct sb b = {0};

	write_repr(c, &b, v);
	return sb_str(c, &b);
}

/* --- tojson --- */

struct dumper {
	struct tctx *c;
	struct sb b;
	bool ascii, sorted, pretty;
	const struct str *indent, *comma, *colon;
	size_t level;
};

static void dump_char(struct dumper *d, uint32_t cp, int32_t msg)
{
	static const char from[] = "\"\\\n\r\t\f\b", to[] = "\"\\nrtfb";
	const char *q = cp && cp < 128 ? strchr(from, (int)cp) : NULL;
	char out[16];

	if (q)
		snprintf(out, sizeof out, "\\%c", to[q - from]);
	else if (cp < 0x10000)
		snprintf(out, sizeof out, "\\u%04x", cp);
	else
		snprintf(out, sizeof out, "\\u%04x\\u%04x", 0xd800 + ((cp - 0x10000) >> 10), 0xdc00 + (cp & 0x3ff));
	sb_add(d->c, &d->b, out, strlen(out), msg);
}

static void dump_str(struct dumper *d, const struct str *s)
{
	size_t at = 0;
	int len;

	sb_lit(d->c, &d->b, "\"");
	for (size_t i = 0; i < s->n; i += (size_t)len) {
		uint32_t cp = cp_get(s->p + i, s->p + s->n, &len);
		if (cp >= 32 && cp != '"' && cp != '\\' && !(d->ascii && cp > 126))
			continue;
		sb_sub(d->c, &d->b, s, at, i);
		dump_char(d, cp, str_origin(s, i));
		at = i + (size_t)len;
	}
	sb_sub(d->c, &d->b, s, at, s->n);
	sb_lit(d->c, &d->b, "\"");
}

static void dump(struct dumper *d, struct value v);

static void newline(struct dumper *d)
{
	if (!d->pretty)
		return;
	sb_lit(d->c, &d->b, "\n");
	sb_fill(d->c, &d->b, d->indent, d->level);
}

static void dump_list(struct dumper *d, const struct vlist *l)
{
	t_nest(d->c);
	sb_lit(d->c, &d->b, "[");
	d->level++;
	for (size_t i = 0; i < l->n; i++) {
		if (i)
			sb_strv(d->c, &d->b, d->comma);
		newline(d);
		dump(d, l->v[i]);
	}
	d->level--;
	if (l->n)
		newline(d);
	sb_lit(d->c, &d->b, "]");
	d->c->depth--;
}

static void dump_number(struct dumper *d, struct value v)
{
	char text[48];

	if (v.type == V_FLOAT && !isfinite(v.f))
		snprintf(text, sizeof text, "%s", isnan(v.f) ? "NaN" : v.f < 0 ? "-Infinity" : "Infinity");
	else if (v.type == V_FLOAT)
		py_float(text, v.f);
	else
		py_int(text, v.i);
	sb_lit(d->c, &d->b, text);
}

static void dump_key(struct dumper *d, struct value k)
{
	if (k.type == V_STR) {
		dump_str(d, k.s);
		return;
	}
	if (k.type != V_NONE && k.type != V_BOOL && k.type != V_INT && k.type != V_FLOAT)
		t_raise(d->c, "keys must be str, int, float, bool or None, not %s", v_type(k));
	sb_lit(d->c, &d->b, "\"");
	dump(d, k);
	sb_lit(d->c, &d->b, "\"");
}

/* Entries of M in the order of their keys (insertion sort: few keys; the steps are counted). */
static const struct pair *sorted_pairs(struct tctx *c, const struct vmap *m)
{
	struct pair *e = t_get(c, m->n * sizeof *e + 1);

	for (size_t i = 0; i < m->n; i++) {
		size_t j = i;
		for (; j > 0 && v_compare(c, m->e[i].k, e[j - 1].k, "<") < 0; j--)
			e[j] = e[j - 1];
		e[j] = m->e[i];
	}
	return e;
}

static void dump_map(struct dumper *d, const struct vmap *m)
{
	const struct pair *e = d->sorted ? sorted_pairs(d->c, m) : m->e;

	t_nest(d->c);
	sb_lit(d->c, &d->b, "{");
	d->level++;
	for (size_t i = 0; i < m->n; i++) {
		if (i)
			sb_strv(d->c, &d->b, d->comma);
		newline(d);
		dump_key(d, e[i].k);
		sb_strv(d->c, &d->b, d->colon);
		dump(d, e[i].v);
	}
	d->level--;
	if (m->n)
		newline(d);
	sb_lit(d->c, &d->b, "}");
	d->c->depth--;
}

static void dump(struct dumper *d, struct value v)
{
	t_step(d->c, 1);
	switch (v.type) {
	case V_NONE: sb_lit(d->c, &d->b, "null"); return;
	case V_BOOL: sb_lit(d->c, &d->b, v.b ? "true" : "false"); return;
	case V_INT: case V_FLOAT: dump_number(d, v); return;
	case V_STR: dump_str(d, v.s); return;
	case V_LIST: case V_TUPLE: dump_list(d, v.l); return;
	case V_MAP: dump_map(d, v.m); return;
	default: t_raise(d->c, "Object of type %s is not JSON serializable", v_type(v));
	}
}

/* A: ensure_ascii, indent, separators, sort_keys. */
struct value f_tojson(struct tctx *c, struct value self, struct value *a)
{
	struct dumper d = { .c = c, .ascii = v_true(a[0]), .sorted = v_true(a[3]) };
	__int128 n;

	d.pretty = a[1].type != V_ABSENT && a[1].type != V_NONE;
	if (d.pretty && a[1].type == V_STR) {
		d.indent = a[1].s;
	} else if (d.pretty) {
		struct sb pad = {0};
		if (!v_integer(a[1], &n))
			t_raise(c, "can't multiply sequence by non-int of type '%s'", v_type(a[1]));
		sb_fill(c, &pad, str_lit(c, " "), n < 0 ? 0 : n > T_WIDTH_MAX ? T_WIDTH_MAX : (size_t)n);
		d.indent = sb_str(c, &pad);
	}
	d.comma = str_lit(c, d.pretty ? "," : ", ");
	d.colon = str_lit(c, ": ");
	if (a[2].type != V_ABSENT && a[2].type != V_NONE) {
		struct vlist *l = v_iter(c, a[2]);
		if (l->n != 2 || l->v[0].type != V_STR || l->v[1].type != V_STR)
			t_raise(c, "separators must be two strings");
		d.comma = l->v[0].s;
		d.colon = l->v[1].s;
	}
	dump(&d, self);
	return v_str(sb_str(c, &d.b));
}
