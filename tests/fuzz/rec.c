/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a rec file (see records.h). */
#include "records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_records(data, size, REC_REC);
	return 0;
}
