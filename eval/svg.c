/* SPDX-License-Identifier: Apache-2.0 */
#include "svg.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "htmlpage.h"
#include "utf8.h"

void svg_number(struct buf *to, double v)
{
	char out[64];
	int n = snprintf(out, sizeof out, "%.2f", isfinite(v) && fabs(v) < 1e9 ? v : 0.0);

	while (out[n - 1] == '0')
		n--;
	if (out[n - 1] == '.')
		n--;
	if (n == 2 && out[0] == '-' && out[1] == '0')
		buf_ch(to, '0');
	else
		buf_add(to, out, (size_t)n);
}

static void put(struct svg *s, const char *name, double v)
{
	buf_fmt(s->to, " %s=\"", name);
	svg_number(s->to, v);
	buf_ch(s->to, '"');
}

static void tip_end(struct svg *s, const char *tip, const char *tag)
{
	if (tip == NULL) {
		buf_str(s->to, "/>");
		return;
	}
	buf_str(s->to, "><title>");
	html_text(s->to, tip, strlen(tip));
	buf_fmt(s->to, "</title></%s>", tag);
}

void svg_begin(struct svg *s, struct buf *to, const char *id, double w, double h, const char *title, const char *desc)
{
	*s = (struct svg){ to, w, h };
	buf_fmt(to, "<svg role=\"img\" aria-labelledby=\"%s-t %s-d\"", id, id);
	put(s, "width", w);
	put(s, "height", h);
	buf_str(to, " viewBox=\"0 0 ");
	svg_number(to, w);
	buf_ch(to, ' ');
	svg_number(to, h);
	buf_fmt(to, "\"><title id=\"%s-t\">", id);
	html_text(to, title, strlen(title));
	buf_fmt(to, "</title><desc id=\"%s-d\">", id);
	html_text(to, desc, strlen(desc));
	buf_str(to, "</desc>\n");
}

void svg_end(struct svg *s)
{
	buf_str(s->to, "</svg>\n");
}

void svg_line(struct svg *s, const char *class, double x1, double y1, double x2, double y2)
{
	buf_fmt(s->to, "<line class=\"%s\"", class);
	put(s, "x1", x1);
	put(s, "y1", y1);
	put(s, "x2", x2);
	put(s, "y2", y2);
	buf_str(s->to, "/>\n");
}

void svg_rect(struct svg *s, const char *class, double x, double y, double w, double h, const char *tip)
{
	buf_fmt(s->to, "<rect class=\"%s\"", class);
	put(s, "x", x);
	put(s, "y", y);
	put(s, "width", w < 0 ? 0 : w);
	put(s, "height", h < 0 ? 0 : h);
	tip_end(s, tip, "rect");
	buf_ch(s->to, '\n');
}

/* Corners of the shapes around 0, in radii; a circle has none. */
static const struct shape {
	int n;
	double x[4], y[4];
} shapes[] = {
	{ 0, { 0 }, { 0 } },
	{ 4, { -0.9, 0.9, 0.9, -0.9 }, { -0.9, -0.9, 0.9, 0.9 } },
	{ 3, { 0, 1.15, -1.15 }, { -1.2, 0.9, 0.9 } },
	{ 4, { 0, 1.3, 0, -1.3 }, { -1.3, 0, 1.3, 0 } },
};

void svg_mark(struct svg *s, const char *class, unsigned k, double x, double y, double r, const char *tip)
{
	const struct shape *shape = &shapes[k % (sizeof shapes / sizeof *shapes)];

	if (shape->n == 0) {
		buf_fmt(s->to, "<circle class=\"%s\"", class);
		put(s, "cx", x);
		put(s, "cy", y);
		put(s, "r", r);
		tip_end(s, tip, "circle");
	} else {
		buf_fmt(s->to, "<polygon class=\"%s\" points=\"", class);
		for (int i = 0; i < shape->n; i++) {
			svg_number(s->to, x + r * shape->x[i]);
			buf_ch(s->to, ',');
			svg_number(s->to, y + r * shape->y[i]);
			buf_str(s->to, i + 1 < shape->n ? " " : "\"");
		}
		tip_end(s, tip, "polygon");
	}
	buf_ch(s->to, '\n');
}

/* --- text --- */

/* Wide for a terminal, and in any font with these characters: Unicode's East Asian Width W and F, in its large blocks. */
static bool is_wide(uint32_t c)
{
	return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf && c != 0x303f) || (c >= 0xac00 && c <= 0xd7a3) ||
	       (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
	       (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd);
}

static size_t char_width(uint32_t c)
{
	if ((c >= 0x300 && c <= 0x36f) || (c >= 0x200b && c <= 0x200f) || (c >= 0xfe00 && c <= 0xfe0f))
		return 0;
	return is_wide(c) ? 2 : 1;
}

size_t svg_width(const char *text, size_t n)
{
	size_t w = 0;

	for (const char *p = text; p < text + n;)
		w += char_width(utf8_get(&p));
	return w;
}

static void text_begin(struct svg *s, const char *class, double x, double y, enum svg_anchor a)
{
	static const char *const anchor[] = { "", " mid", " end" };

	buf_fmt(s->to, "<text class=\"%s%s\"", class, anchor[a]);
	put(s, "x", x);
	put(s, "y", y);
	buf_ch(s->to, '>');
}

void svg_text(struct svg *s, const char *class, double x, double y, enum svg_anchor a, const char *text, size_t n)
{
	text_begin(s, class, x, y, a);
	html_text(s->to, text, n);
	buf_str(s->to, "</text>\n");
}

void svg_textf(struct svg *s, const char *class, double x, double y, enum svg_anchor a, const char *fmt, ...)
{
	char out[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out, sizeof out, fmt, ap);
	va_end(ap);
	svg_text(s, class, x, y, a, out, strlen(out));
}

void svg_tip(struct buf *to, const char *text, size_t n)
{
	const char *p = text;

	for (size_t k = 0; k < SVG_TIP && p < text + n; k++)
		p += utf8_size(p);
	html_text(to, text, (size_t)(p - text));
	if (p < text + n)
		buf_str(to, "\xe2\x80\xa6");
}

void svg_label(struct svg *s, const char *class, double x, double y, enum svg_anchor a, const char *text, size_t n, size_t wide)
{
	const char *p = text, *end = text + n;
	size_t w = 0;

	if (svg_width(text, n) <= wide) {
		svg_text(s, class, x, y, a, text, n);
		return;
	}
	while (p < end) {
		const char *next = p;
		size_t c = char_width(utf8_get(&next));

		if (w + c + 1 > wide)
			break;
		w += c;
		p = next;
	}
	text_begin(s, class, x, y, a);
	buf_str(s->to, "<title>");
	svg_tip(s->to, text, n);
	buf_str(s->to, "</title>");
	html_text(s->to, text, (size_t)(p - text));
	buf_str(s->to, "\xe2\x80\xa6</text>\n");
}

void svg_polyline(struct svg *s, const char *class, const double *x, const double *y, size_t n)
{
	bool pen = false, any = false;

	for (size_t i = 0; i < n; i++) {
		if (!isfinite(x[i]) || !isfinite(y[i])) {
			pen = false;
			continue;
		}
		if (!any)
			buf_fmt(s->to, "<path class=\"%s\" d=\"", class);
		any = true;
		buf_ch(s->to, pen ? 'L' : 'M');
		svg_number(s->to, x[i]);
		buf_ch(s->to, ' ');
		svg_number(s->to, y[i]);
		pen = true;
	}
	if (any)
		buf_str(s->to, "\"/>\n");
}

/* --- scales --- */

/* The nearest 1, 2, 5 or 10 times a power of ten. */
static double nice(double x)
{
	double power = pow(10, floor(log10(x))), f = x / power;

	return (f < 1.5 ? 1 : f < 3 ? 2 : f < 7 ? 5 : 10) * power;
}

static void put_ticks(struct axis *a, double lo, double hi, int ticks)
{
	a->step = nice((hi - lo) / ticks);
	a->places = (int)-floor(log10(a->step) + 1e-9);
	if (a->places < 0)
		a->places = 0;
}

void axis_within(struct axis *a, double lo, double hi, int ticks, double from, double to)
{
	*a = (struct axis){ .lo = lo, .hi = hi, .from = from, .to = to };
	put_ticks(a, lo, hi, ticks);
	a->first = (int64_t)ceil(lo / a->step - 1e-9);
	a->last = (int64_t)floor(hi / a->step + 1e-9);
}

void axis_nice(struct axis *a, double lo, double hi, int ticks, double from, double to)
{
	if (!isfinite(lo) || !isfinite(hi))
		lo = hi = isfinite(lo) ? lo : isfinite(hi) ? hi : 0;
	if (!(hi - lo > 1e-9 * (fabs(lo) + fabs(hi)))) {
		double around = lo == 0 ? 1 : 0.1 * fabs(lo);

		lo -= around;
		hi += around;
	}
	*a = (struct axis){ .from = from, .to = to };
	put_ticks(a, lo, hi, ticks);
	a->first = (int64_t)floor(lo / a->step + 1e-9);
	a->last = (int64_t)ceil(hi / a->step - 1e-9);
	a->lo = (double)a->first * a->step;
	a->hi = (double)a->last * a->step;
}

/* 1, 2, 5, 10, 20...: tick K of a logarithmic scale. */
static double log_tick(int64_t k)
{
	static const double of[] = { 1, 2, 5 };
	int64_t decade = k >= 0 ? k / 3 : -((2 - k) / 3);

	return of[k - 3 * decade] * pow(10, (double)decade);
}

void axis_log(struct axis *a, double lo, double hi, double from, double to)
{
	*a = (struct axis){ .from = from, .to = to, .log = true };
	a->first = 3 * (int64_t)floor(log10(lo));
	while (log_tick(a->first + 1) <= lo)
		a->first++;
	for (a->last = a->first + 1; log_tick(a->last) < hi;)
		a->last++;
	a->lo = log_tick(a->first);
	a->hi = log_tick(a->last);
}

double axis_at(const struct axis *a, double v)
{
	double share = a->log ? log(v / a->lo) / log(a->hi / a->lo) : (v - a->lo) / (a->hi - a->lo);

	if (isnan(v))
		return v;
	return a->from + (!(share > 0) ? 0 : share > 1 ? 1 : share) * (a->to - a->from);
}

double axis_tick(const struct axis *a, int64_t k)
{
	return a->log ? log_tick(k) : (double)k * a->step;
}

void axis_label(const struct axis *a, int64_t k, char out[32])
{
	double v = axis_tick(a, k);

	if (a->log || fabs(v) >= 1e6 || a->places > 6)
		snprintf(out, 32, "%.4g", v);
	else
		snprintf(out, 32, "%.*f", a->places, v);
}
