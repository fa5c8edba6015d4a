/* SPDX-License-Identifier: Apache-2.0 */
/* HTML stays in the room that it has, and what comes out of it is valid where it was. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "mem.h"
#include "striphtml.h"
#include "utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *out = mem_grow(NULL, STRIPHTML_ROOM(size), 1);
	size_t n = striphtml((const char *)data, size, out);

	if (n > STRIPHTML_ROOM(size) || (utf8_valid((const char *)data, size, NULL) && !utf8_valid(out, n, NULL)))
		abort();
	mem_free(out);
	return 0;
}
