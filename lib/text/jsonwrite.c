/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON writer. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "json.h"

void jw_init(struct jw *w, struct buf *to)
{
	memset(w, 0, sizeof *w);
	w->to = to;
	w->first[0] = true;
}

/* Before a value or key: the comma that may belong there. */
static void lead(struct jw *w)
{
	int d = w->depth < 63 ? w->depth : 63;

	if (w->after_key)
		w->after_key = false;
	else if (w->first[d])
		w->first[d] = false;
	else if (w->depth > 0)
		buf_add(w->to, ", ", w->python ? 2 : 1);
}

static void open_bracket(struct jw *w, char c)
{
	lead(w);
	buf_ch(w->to, c);
	w->depth++;
	w->first[w->depth < 63 ? w->depth : 63] = true;
}

static void close_bracket(struct jw *w, char c)
{
	w->depth--;
	w->first[w->depth < 63 ? w->depth : 63] = false;
	w->after_key = false;
	buf_ch(w->to, c);
}

void jw_obj(struct jw *w)     { open_bracket(w, '{'); }
void jw_obj_end(struct jw *w) { close_bracket(w, '}'); }
void jw_arr(struct jw *w)     { open_bracket(w, '['); }
void jw_arr_end(struct jw *w) { close_bracket(w, ']'); }

void jw_keyn(struct jw *w, const char *key, size_t n)
{
	lead(w);
	json_quote(w->to, key, n);
	buf_add(w->to, ": ", w->python ? 2 : 1);
	w->after_key = true;
}

void jw_key(struct jw *w, const char *key)
{
	jw_keyn(w, key, strlen(key));
}

void jw_strn(struct jw *w, const char *s, size_t n)
{
	lead(w);
	json_quote(w->to, s, n);
}

void jw_str(struct jw *w, const char *s)
{
	jw_strn(w, s, strlen(s));
}

void jw_raw(struct jw *w, const char *json, size_t n)
{
	lead(w);
	buf_add(w->to, json, n);
}

void jw_int(struct jw *w, int64_t v)
{
	lead(w);
	buf_fmt(w->to, "%lld", (long long)v);
}

void jw_uint(struct jw *w, uint64_t v)
{
	lead(w);
	buf_fmt(w->to, "%llu", (unsigned long long)v);
}

void jw_double(struct jw *w, double v)
{
	char text[32];

	if (isfinite(v))
		jw_raw(w, text, json_double_text(text, v));
	else
		jw_null(w);
}

void jw_number(struct jw *w, double v)
{
	if (v == floor(v) && fabs(v) < 9e15)
		jw_int(w, (int64_t)v);
	else
		jw_double(w, v);
}

void jw_bool(struct jw *w, bool v)
{
	jw_raw(w, v ? "true" : "false", v ? 4 : 5);
}

void jw_null(struct jw *w)
{
	jw_raw(w, "null", 4);
}

void jw_value(struct jw *w, const struct json *v)
{
	switch (v->type) {
	case JSON_NULL:
		jw_null(w);
		break;
	case JSON_BOOL:
		jw_bool(w, v->b);
		break;
	case JSON_NUM:
		jw_raw(w, v->s, v->n);
		break;
	case JSON_STR:
		jw_strn(w, v->s, v->n);
		break;
	case JSON_ARR:
		jw_arr(w);
		for (size_t i = 0; i < v->n; i++)
			jw_value(w, v->item + i);
		jw_arr_end(w);
		break;
	case JSON_OBJ:
		jw_obj(w);
		for (size_t i = 0; i < v->n; i++) {
			jw_keyn(w, v->member[i].key, v->member[i].nkey);
			jw_value(w, &v->member[i].value);
		}
		jw_obj_end(w);
		break;
	}
}

/* 8 bytes of which none is a quote, a backslash or a control character? */
static bool plain8(const char *s)
{
	const uint64_t ones = 0x0101010101010101u, high = ones << 7;
	uint64_t v, q, b;

	memcpy(&v, s, 8);
	q = v ^ (ones * '"');
	b = v ^ (ones * '\\');
	return ((((v - ones * 0x20) | (q - ones) | (b - ones)) & ~v) & high) == 0
	    && ((((q - ones) & ~q) | ((b - ones) & ~b)) & high) == 0;
}

void json_quote(struct buf *to, const char *s, size_t n)
{
	static const char letter[32] = { ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't' };
	size_t from = 0, i = 0;

	buf_room(to, n + 2);
	buf_ch(to, '"');
	while (i < n) {
		unsigned char c = (unsigned char)s[i];

		if (i + 8 <= n && plain8(s + i)) {
			i += 8;
			continue;
		}
		if (c >= 0x20 && c != '"' && c != '\\') {
			i++;
			continue;
		}
		buf_add(to, s + from, i - from);
		if (c >= 0x20 || letter[c]) {
			buf_ch(to, '\\');
			buf_ch(to, c >= 0x20 ? (char)c : letter[c]);
		} else {
			buf_fmt(to, "\\u%04x", c);
		}
		from = ++i;
	}
	buf_add(to, s + from, n - from);
	buf_ch(to, '"');
}
