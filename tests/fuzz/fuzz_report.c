/* SPDX-License-Identifier: Apache-2.0 */
/* Any JSON object, as each kind of input of a report, and any two texts beside each other: a page comes out and nothing breaks.
 * The first byte says which. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "repexample.h"
#include "utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void draw(const struct json *doc)
{
	static const enum input_kind kinds[] = { INPUT_METRICS, INPUT_COMPARE, INPUT_ERRORS, INPUT_VOTES,
						 INPUT_ROUNDS,  INPUT_DESCRIBE, INPUT_TUNE, INPUT_STATS,   INPUT_SHARD,  INPUT_RUN };
	enum { KINDS = sizeof kinds / sizeof *kinds };
	struct run_log log;
	struct report_opts o = { .examples = 5 };
	struct report_input in[2 * KINDS];
	struct report r = { .o = &o, .in = in, .n = 2 * KINDS };

	run_log_init(&log);
	arena_init(&r.arena);
	for (size_t k = 0; k < r.n; k++)
		in[k] = (struct report_input){ .kind = kinds[k / 2], .path = "a", .name = "a", .doc = doc, .log = &log };
	report_compare(&r);
	report_metrics(&r);
	report_slices(&r);
	report_errors(&r);
	report_confusion(&r);
	report_calibration(&r);
	report_agreement(&r);
	report_rounds(&r);
	report_votes(&r);
	report_runs(&r);
	report_describe(&r);
	report_tune(&r);
	report_data(&r);
	if (r.page.body.n && !utf8_valid(r.page.body.p, r.page.body.n, NULL))
		abort();
	if (r.page.body.n && memmem(r.page.body.p, r.page.body.n, "<script", 7))
		abort();
	page_free(&r.page);
	arena_release(&r.arena);
}

/* The text in two, as reference and answer. */
static void side_by_side(const char *p, size_t n, bool by_char)
{
	struct textdiff *diff = textdiff_new(by_char);
	struct example_view v = { .name = { "a" }, .n = 1, .references = true, .diff = diff };
	struct example x = { .id = { "1", 1 } };
	struct arena a;
	struct buf out = { 0 };
	size_t half = n / 2;

	while (half > 0 && ((unsigned char)p[half] & 0xc0) == 0x80)
		half--;
	arena_init(&a);
	x.reference = example_clip(&a, (struct text){ p, half });
	x.answer[0].text = example_clip(&a, (struct text){ p + half, n - half });
	x.answer[0].there = true;
	example_write(&out, &v, &x);
	if (!utf8_valid(out.p, out.n, NULL) || memmem(out.p, out.n, "<script", 7))
		abort();
	buf_free(&out);
	arena_release(&a);
	textdiff_free(diff);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data + 1;
	const struct json *doc;
	struct json_parser *parser;
	struct arena a;
	size_t n = size ? size - 1 : 0;

	if (n < 1 || n > 20000)
		return 0;
	if (data[0] == 'd' || data[0] == 'c') {
		if (utf8_valid(p, n, NULL))
			side_by_side(p, n, data[0] == 'c');
		return 0;
	}
	parser = json_parser_new();
	arena_init(&a);
	if (json_parse(parser, &a, p, n, &doc, NULL) == 0 && doc->type == JSON_OBJ)
		draw(doc);
	arena_release(&a);
	json_parser_free(parser);
	return 0;
}
