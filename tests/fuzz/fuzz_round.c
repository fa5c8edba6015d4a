/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as round.jsonl: what is read is written and read again as the same, and its sheets are pages that hold no markup of the
 * data's. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "roundsheet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_again(const struct round *r)
{
	struct round again;
	struct buf one = { 0 }, two = { 0 };
	struct err e = { 0 };

	round_init(&again);
	round_format(r, &one);
	if (round_parse(&again, one.p, one.n, &e) != 0)
		abort();
	round_format(&again, &two);
	if (one.n != two.n || memcmp(one.p, two.p, one.n) != 0)
		abort();
	round_release(&again);
	buf_free(&one);
	buf_free(&two);
}

static size_t scripts(const struct buf *b)
{
	size_t n = 0;

	for (const char *p = b->p; (p = memmem(p, (size_t)(b->p + b->n - p), "<script", 7)) != NULL; p++)
		n++;
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct round r;
	struct round_orders o;
	struct buf out = { 0 };
	struct err e = { 0 };

	round_init(&r);
	if (round_parse(&r, (const char *)data, size, &e) == 0) {
		same_again(&r);
		round_orders(&r, 0, &o);
		for (uint32_t k = 0; k < r.nraters && k < 3; k++) {
			out.n = 0;
			round_sheet_csv(&r, &o, k, &out);
			out.n = 0;
			round_sheet_page(&r, &o, k, &out);
			if (scripts(&out) != 2)         /* the data and the code */
				abort();
		}
		round_orders_free(&o);
	} else if (e.msg[0] == '\0') {
		abort();
	}
	buf_free(&out);
	round_release(&r);
	return 0;
}
