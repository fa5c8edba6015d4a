/* SPDX-License-Identifier: Apache-2.0 */
/* Scales, marks and texts of pictures; curves thinned without losing a peak. */
#include <math.h>
#include <stdlib.h>

#include "svgcurve.h"
#include "svgheat.h"
#include "svgparallel.h"
#include "svgrange.h"
#include "thin.h"

#include "test.h"

static struct buf b;

static size_t count(const char *text)
{
	size_t n = 0, m = strlen(text);

	for (const char *p = b.p; p && (p = strstr(p, text)) != NULL; p += m)
		n++;
	return n;
}

static void scales_are_nice(void)
{
	static const struct {
		double lo, hi, first, last, step;
		const char *label; /* of the second tick */
	} cases[] = {
		{ 0, 1, 0, 1, 0.2, "0.2" },
		{ 0, 100, 0, 100, 20, "20" },
		{ -0.13, 0.4, -0.2, 0.4, 0.1, "-0.1" },
		{ 3, 3, 2.7, 3.3, 0.1, "2.8" },
		{ 0, 0, -1, 1, 0.5, "-0.5" },
		{ 1e-5, 9e-5, 0, 1e-4, 2e-5, "0.00002" },
		{ 12345, 67890, 10000, 70000, 10000, "20000" },
	};
	struct axis a;
	char text[32];

	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		axis_nice(&a, cases[k].lo, cases[k].hi, 5, 0, 100);
		CHECK(fabs(a.lo - cases[k].first) < 1e-12 * (1 + fabs(a.lo)) &&
		      fabs(a.hi - cases[k].last) < 1e-9 * (1 + fabs(a.hi)));
		CHECK(fabs(a.step - cases[k].step) < 1e-9 * a.step);
		axis_label(&a, a.first + 1, text);
		CHECK_STR(text, cases[k].label);
	}
}

static void scales_hold_any_range(void)
{
	struct axis a;

	for (int k = 0; k < 2000; k++) {
		double lo = (rand() % 2000 - 1000) * pow(10, rand() % 12 - 6),
		       hi = lo + (rand() % 1000) * pow(10, rand() % 12 - 6);

		axis_nice(&a, lo, hi, 6, 10, 110);
		CHECK(a.lo <= lo + 1e-8 * (hi - lo) + 1e-8 * fabs(lo) && a.hi >= hi - 1e-8 * (hi - lo) - 1e-8 * fabs(hi));
		CHECK(a.last - a.first >= 2 && a.last - a.first <= 22);
		CHECK(axis_at(&a, a.lo) == 10 && axis_at(&a, a.hi) == 110 && axis_at(&a, a.hi + 1) == 110);
	}
	axis_nice(&a, NAN, INFINITY, 5, 0, 1);
	CHECK(a.lo == -1 && a.hi == 1 && isnan(axis_at(&a, NAN)));
}

static void logarithmic_scales(void)
{
	struct axis a;
	char text[32];

	axis_log(&a, 0.003, 7.5, 0, 300);
	CHECK(fabs(a.lo - 0.002) < 1e-15 && a.hi == 10);
	CHECK(fabs(axis_tick(&a, a.first + 1) - 0.005) < 1e-15);
	axis_label(&a, a.last - 1, text);
	CHECK_STR(text, "5");
	CHECK(fabs(axis_at(&a, sqrt(0.002 * 10)) - 150) < 1e-9 && axis_at(&a, 0) == 0);
}

static void numbers_are_short(void)
{
	static const double v[] = { 0, -0.001, 1, 1.5, 2.25, -3.999, 100 };

	b.n = 0;
	for (size_t k = 0; k < sizeof v / sizeof *v; k++) {
		svg_number(&b, v[k]);
		buf_ch(&b, ' ');
	}
	CHECK_STR(b.p, "0 0 1 1.5 2.25 -4 100 ");
	b.n = 0;
	svg_number(&b, NAN);
	svg_number(&b, INFINITY);
	CHECK_STR(b.p, "00");
}

static void texts_are_data(void)
{
	static const char evil[] = "</svg><script>\"&\x01";
	struct svg s;

	b.n = 0;
	svg_begin(&s, &b, "f1", 10, 10, evil, evil);
	svg_text(&s, "tick", 0, 0, SVG_END, evil, strlen(evil));
	svg_rect(&s, "bar", 0, 0, -5, 2, evil);
	svg_end(&s);
	CHECK(count("<script>") == 0 && count("&lt;script&gt;") == 4 && count("</svg>") == 1);
	CHECK(count("role=\"img\" aria-labelledby=\"f1-t f1-d\"") == 1 && count("width=\"0\"") == 1);
}

static void labels_are_cut_by_width(void)
{
	static const char han[] = "\xe8\xb4\xb7\xe6\xac\xbe\xe5\x88\xa9\xe7\x8e\x87",
			  accent[] = "e\xcc\x81t"; /* four wide ones; e, acute, t */
	struct svg s = { &b, 1, 1 };

	CHECK(svg_width(han, sizeof han - 1) == 8 && svg_width(accent, sizeof accent - 1) == 2);
	b.n = 0;
	svg_label(&s, "label", 0, 0, SVG_START, han, sizeof han - 1, 6);
	CHECK(count("\xe8\xb4\xb7\xe6\xac\xbe\xe2\x80\xa6</text>") == 1 &&
	      count("<title>\xe8\xb4\xb7\xe6\xac\xbe\xe5\x88\xa9\xe7\x8e\x87</title>") == 1);
	b.n = 0;
	svg_label(&s, "label", 0, 0, SVG_START, han, sizeof han - 1, 8);
	CHECK(count("<title>") == 0);
}

static void ranges_show_every_row(void)
{
	struct range_row row[] = {
		{ "a", 1, 0, 0.5, 0.4, 0.6, NULL },
		{ NULL, 0, 1, 0.7, NAN, NAN, NULL },
		{ "b", 1, 0, NAN, NAN, NAN, NULL },
		{ "c", 1, 0, -0.2, -0.3, -0.1, "note" },
	};
	struct range_chart c = {
		.id = "f1", .title = "t", .desc = "d", .row = row, .n = 4, .lo = NAN, .hi = NAN, .mark = NAN, .places = 2
	};

	b.n = 0;
	svg_ranges(&b, &c);
	CHECK(count("class=\"bar c0\"") == 2 && count("class=\"bar c1\"") == 1 && count("class=\"whisker\"") == 6);
	CHECK(count(">0.50 [0.40, 0.60]<") >= 1 && count(">0.70<") >= 1 && count(">-<") == 1 && count(">note<") >= 1);
	c.dots = true;
	c.mark = 0;
	c.mark_name = "none";
	b.n = 0;
	svg_ranges(&b, &c);
	CHECK(count("<circle class=\"dot c0\"") == 2 && count("<polygon class=\"dot c1\"") == 1 && count("class=\"mark\"") == 1 &&
	      count(">none<") == 1);
	c.n = 0;
	svg_ranges(&b, &c); /* nothing to show is no reason to fail */
}

static void heat_leaves_out_nothing_that_counts(void)
{
	struct heat_name name[77];
	double v[77 * 77] = { 0 };
	struct heat_chart c = {
		.id = "f1", .title = "t", .desc = "d", .rows = "r", .cols = "c", .name = name, .v = v, .shade = v
	};

	for (size_t i = 0; i < 77; i++) {
		name[i] = (struct heat_name){ "<label>", 7 };
		v[i * 77 + i] = 1;
	}
	v[5] = 0.5;
	v[6] = NAN;
	c.n = 77;
	b.n = 0;
	svg_heat(&b, &c);
	CHECK(count("class=\"hit\"") == 77 && count("class=\"miss\"") == 1 && count("class=\"cell") == 0);
	CHECK(count("<label>") == 0 && count(">&lt;label&gt;</text>") == 2 * 77);
	c.n = 3; /* cells with room for numbers; of the first nine values three count */
	b.n = 0;
	svg_heat(&b, &c);
	CHECK(count("class=\"hit\"") == 1 && count("class=\"miss\"") == 1 && count("class=\"cell") == 2 &&
	      count(">0.50</text>") == 0);
	c.places = 2;
	b.n = 0;
	svg_heat(&b, &c);
	CHECK(count(">0.50</text>") == 1);
}

static void parallel_lines_go_through_what_was_chosen(void)
{
	static const struct parallel_text words[] = { { "<b>", 3 }, { "full", 4 } };
	static const struct parallel_axis axis[] = {
		{ .name = { "lr", 2 }, .lo = 0.001, .hi = 1, .log = true },
		{ .name = { "method", 6 }, .word = words, .nwords = 2 },
		{ .name = { "loss", 4 }, .lo = 1, .hi = 5 },
	};
	static const double at[] = { 0.001, 0, 1, 1, 1, 5, 0.01, NAN, 2 }, good[] = { 1, 0, 0.5 };
	struct parallel_chart c = {
		.id = "f1", .title = "t", .desc = "d", .axis = axis, .naxes = 3, .at = at, .good = good, .n = 3
	};

	b.n = 0;
	svg_parallel(&b, &c);
	CHECK(count("<path class=\"curve c1\"") == 1 && count("<path class=\"curve c0 p0\"") == 1 && count("<path class=\"curve c0 p2\"") == 1);
	CHECK(count("M20 264L150 40L280 264") == 1 && count("M20 40L150 264L280 40") == 1); /* least and first, most and last */
	CHECK(count(">none</text>") == 1 && count("L150 288L") == 1);
	CHECK(count(">&lt;b&gt;</text>") == 1 && count("<b>") == 0);
}

static void curves_break_where_there_is_nothing(void)
{
	const double x[] = { 1, 2, 3, 4 }, y[] = { 5, NAN, 7, 8 };
	const struct curve curve = { .x = x, .y = y, .n = 4, .points = true };
	const struct curve_line line = { 3, 0, "best" };
	struct curve_chart c = { .id = "f1",
				 .title = "t",
				 .desc = "d",
				 .xname = "x",
				 .yname = "y",
				 .curve = &curve,
				 .n = 1,
				 .line = &line,
				 .nlines = 1 };
	const double v[] = { 3, 0, 5, 1, 1, 0 };
	struct column_chart k = { .id = "f2",
				  .title = "t",
				  .desc = "d",
				  .xname = "x",
				  .yname = "y",
				  .from = 0,
				  .to = 1,
				  .v = v,
				  .bins = 3,
				  .nseries = 2 };

	b.n = 0;
	svg_curves(&b, &c);
	CHECK(count("<circle") == 3 && count(">best</text>") == 1);
	CHECK(count("M") == 2 && count("L") == 1); /* one point, a gap, a line */
	c.n = 0;
	svg_curves(&b, &c);
	b.n = 0;
	svg_columns(&b, &k);
	CHECK(count("class=\"bar c0\"") == 2 && count("class=\"bar c1\"") == 2);
}

static void thinning_keeps_peaks(void)
{
	static double x[THIN_POINTS], y[THIN_POINTS];
	static struct thin t;
	double most = 0, least = 1;
	size_t n;

	memset(&t, 0, sizeof t);
	for (int k = 0; k < 1000003; k++)
		thin_add(&t, k, k == 777777 ? 9 : k == 123456 ? -9 : 0.5 + 0.4 * sin(k));
	n = thin_points(&t, x, y);
	CHECK(n > THIN_BUCKETS / 2 && n <= THIN_POINTS && t.count == 1000003);
	for (size_t k = 0; k < n; k++) {
		CHECK(k == 0 || x[k] > x[k - 1]);
		most = y[k] > most ? y[k] : most;
		least = y[k] < least ? y[k] : least;
		CHECK(y[k] != 9 || x[k] == 777777);
		CHECK(y[k] != -9 || x[k] == 123456);
	}
	CHECK(most == 9 && least == -9);
	memset(&t, 0, sizeof t);
	for (int k = 0; k < THIN_BUCKETS; k++)
		thin_add(&t, k, k);
	CHECK(thin_points(&t, x, y) == THIN_BUCKETS && y[77] == 77);
}

int main(void)
{
	TEST(scales_are_nice);
	TEST(scales_hold_any_range);
	TEST(logarithmic_scales);
	TEST(numbers_are_short);
	TEST(texts_are_data);
	TEST(labels_are_cut_by_width);
	TEST(ranges_show_every_row);
	TEST(heat_leaves_out_nothing_that_counts);
	TEST(parallel_lines_go_through_what_was_chosen);
	TEST(curves_break_where_there_is_nothing);
	TEST(thinning_keeps_peaks);
	buf_free(&b);
	return test_end();
}
