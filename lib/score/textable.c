/* SPDX-License-Identifier: Apache-2.0 */
#include "textable.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "words.h"

static void end_cell(struct textable *t)
{
	ARRAY_ROOM(t->end, t->ncells, t->cells_cap);
	t->end[t->ncells++] = t->text.n;
}

/* S with what would move a cursor made visible. */
static void put(struct textable *t, const char *s, size_t n)
{
	struct text x = { s, n };

	for (size_t at = 0, next = 0; at < n; at = next) {
		uint32_t c = text_next(x, &next);

		if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
			buf_fmt(&t->text, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
		else
			buf_add(&t->text, s + at, next - at);
	}
}

void textable_head(struct textable *t, const char *name, bool right)
{
	t->right[t->ncols++] = right;
	put(t, name, strlen(name));
	end_cell(t);
}

void textable_cell(struct textable *t, const char *fmt, ...)
{
	struct buf b = { 0 };
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n > 0) {
		vsnprintf(buf_room(&b, (size_t)n), (size_t)n + 1, fmt, again);
		put(t, b.p, (size_t)n);
	}
	va_end(again);
	buf_free(&b);
	end_cell(t);
}

void textable_clip(struct textable *t, const char *s, size_t chars)
{
	struct text x = { s, strlen(s) };
	size_t at = 0, next = 0;

	for (; at < x.n && chars > 0; chars--, at = next) {
		uint32_t c = text_next(x, &next);

		if (c == '\n' || c == '\r' || c == '\t')
			buf_ch(&t->text, ' ');
		else
			put(t, s + at, next - at);
	}
	if (at < x.n)
		buf_str(&t->text, "\xe2\x80\xa6");
	end_cell(t);
}

void textable_number(struct textable *t, const char *fmt, double v)
{
	char out[64];

	if (isnan(v))
		snprintf(out, sizeof out, "-");
	else
		snprintf(out, sizeof out, fmt, v);
	textable_cell(t, "%s", out);
}

void textable_row(struct textable *t)
{
	while (t->ncells % t->ncols)
		end_cell(t);
}

/* Columns of a terminal; the ranges are those of Unicode's East_Asian_Width W and F that matter in text. */
static size_t width(const char *s, size_t n)
{
	struct text x = { s, n };
	size_t w = 0;

	for (size_t at = 0; at < n;) {
		uint32_t c = text_next(x, &at);
		bool wide = (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf && c != 0x303f) || (c >= 0xac00 && c <= 0xd7a3) ||
		            (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
		            (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd);
		bool none = (c >= 0x300 && c <= 0x36f) || (c >= 0x200b && c <= 0x200f) || (c >= 0xfe00 && c <= 0xfe0f);
		w += none ? 0 : wide ? 2 : 1;
	}
	return w;
}

void textable_print(const struct textable *t, struct buf *out)
{
	size_t w[32] = { 0 };

	for (size_t k = 0; k < t->ncells; k++) {
		size_t from = k ? t->end[k - 1] : 0, have = width(t->text.p + from, t->end[k] - from);
		if (have > w[k % t->ncols])
			w[k % t->ncols] = have;
	}
	for (size_t k = 0; k < t->ncells; k++) {
		size_t from = k ? t->end[k - 1] : 0, n = t->end[k] - from, col = k % t->ncols, pad = w[col] - width(t->text.p + from, n);
		bool last = col + 1 == t->ncols;

		if (t->right[col])
			buf_fmt(out, "%*s", (int)pad, "");
		buf_add(out, t->text.p + from, n);
		if (!last) {
			buf_fmt(out, "%*s", (int)(t->right[col] ? 2 : pad + 2), "");
			continue;
		}
		while (out->n && out->p[out->n - 1] == ' ')     /* an empty cell at the end */
			out->n--;
		buf_ch(out, '\n');
	}
}

void textable_free(struct textable *t)
{
	buf_free(&t->text);
	mem_free(t->end);
	memset(t, 0, sizeof *t);
}
