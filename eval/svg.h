/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SVG_H
#define SFT_SVG_H
/* Pictures as inline SVG: marks appended to a buffer, for a page of HTML.
 *
 * Lengths are CSS pixels, y grows downwards.  Nothing here names a colour: a mark has a class (or several, parted by blanks; a
 * constant of the program, never data), and the page's style sheet says what it looks like in light, dark and print.  Texts are
 * data and are escaped. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "mem.h"

struct svg {
	struct buf *to;
	double w, h;
};

enum svg_anchor { SVG_START, SVG_MIDDLE, SVG_END };

/* Begin a picture of W x H.  ID (a constant or a number made into one) names its title and description for screen readers:
 * role="img" with <title> and <desc>. */
void svg_begin(struct svg *s, struct buf *to, const char *id, double w, double h, const char *title, const char *desc);
void svg_end(struct svg *s);

void svg_line(struct svg *s, const char *class, double x1, double y1, double x2, double y2);
/* TIP (may be NULL): shown where the pointer rests. */
void svg_rect(struct svg *s, const char *class, double x, double y, double w, double h, const char *tip);
/* A mark of series K: circle, square, triangle, diamond..., so that series differ by more than colour. */
void svg_mark(struct svg *s, const char *class, unsigned k, double x, double y, double r, const char *tip);
void svg_text(struct svg *s, const char *class, double x, double y, enum svg_anchor a, const char *text, size_t n);
void svg_textf(struct svg *s, const char *class, double x, double y, enum svg_anchor a, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));
/* TEXT of at most WIDE columns (svg_width); a longer one is cut with "...", and said whole where the pointer rests. */
void svg_label(struct svg *s, const char *class, double x, double y, enum svg_anchor a, const char *text, size_t n, size_t wide);
/* TEXT as a tip says it: its first SVG_TIP characters. */
enum { SVG_TIP = 200 };
void svg_tip(struct buf *to, const char *text, size_t n);
/* A broken line through N points; it is interrupted where a value is not finite. */
void svg_polyline(struct svg *s, const char *class, const double *x, const double *y, size_t n);

/* Columns that N bytes of UTF-8 take: two for East Asian wide characters, none for combining marks. */
size_t svg_width(const char *text, size_t n);
/* V with at most two digits after the point, as short as that is. */
void svg_number(struct buf *to, double v);

/* A scale: values LO..HI lie at FROM..TO pixels; ticks K from FIRST to LAST, at K x STEP, or on a logarithmic scale at 1, 2 and 5
 * times the powers of ten. */
struct axis {
	double lo, hi, from, to, step;
	int64_t first, last;
	int places; /* digits of its ticks behind the point */
	bool log;
};

/* A scale that holds LO..HI (equal or not finite: one around them) and begins and ends at a tick; about TICKS of them at steps of
 * 1, 2 or 5 times a power of ten (P. Heckbert, "Nice numbers for graph labels", Graphics Gems, 1990). */
void axis_nice(struct axis *a, double lo, double hi, int ticks, double from, double to);
/* The same ticks within exactly LO..HI (LO < HI). */
void axis_within(struct axis *a, double lo, double hi, int ticks, double from, double to);
/* A logarithmic scale that holds 0 < LO < HI and begins and ends at a tick. */
void axis_log(struct axis *a, double lo, double hi, double from, double to);
double axis_at(const struct axis *a, double v);    /* pixels; values beyond the ends lie at the ends */
double axis_tick(const struct axis *a, int64_t k); /* the value of tick K */
void axis_label(const struct axis *a, int64_t k, char out[32]);

#endif
