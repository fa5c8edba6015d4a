/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a rec file (see records.h), as they are and with the sums of their blocks mended, so that what is behind the sums is
 * tried too. */
#include "recfmt.h"
#include "records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mend_sums(uint8_t *p, size_t n)
{
	struct recfmt_head h;

	for (size_t at = RECFMT_FILE; at + RECFMT_HEAD <= n; at += RECFMT_HEAD + h.bytes) {
		recfmt_head_get(p + at, &h);
		if (h.bytes > n - at - RECFMT_HEAD)
			break;
		recfmt_put64(p + at + 16, recfmt_sum(p + at, p + at + RECFMT_HEAD, h.bytes));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = mem_new(size);

	fuzz_records(data, size, REC_REC);
	memcpy(copy, data, size);
	mend_sums(copy, size);
	fuzz_records(copy, size, REC_REC);
	mem_free(copy);
	return 0;
}
