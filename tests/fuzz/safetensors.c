/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a safetensors file: refused, or its tensors lie inside them. */
#include <stdint.h>
#include <stdlib.h>

#include "safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = {0};
	struct safetensors *s;

	if (st_bytes(&s, data, size, &e) != 0)
		return 0;
	for (size_t i = 0; i < st_count(s); i++) {
		const struct tensor *t = st_at(s, i);
		const uint8_t *p = t->data;

		if (p < data || t->bytes > size || p > data + size - t->bytes || st_find(s, t->name) != t)
			abort();
	}
	st_close(s);
	return 0;
}
