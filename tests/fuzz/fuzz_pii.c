/* SPDX-License-Identifier: Apache-2.0 */
/* Masking leaves valid text valid and JSON JSON. */
#include <stdint.h>
#include <stdlib.h>

#include "json.h"
#include "pii.h"
#include "utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool parses(const char *text, size_t n)
{
	struct json_parser *p = json_parser_new();
	const struct json *v;
	struct arena a;
	struct err e;
	bool good;

	arena_init(&a);
	good = json_parse(p, &a, text, n, &v, &e) == 0;
	arena_release(&a);
	json_parser_free(p);
	return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct buf once = {0}, twice = {0};
	struct pii w = {0};

	if (pii_mask(&w, text, size, &once)) {
		if (utf8_valid(text, size, NULL) && !utf8_valid(once.p, once.n, NULL))
			abort();
		if (once.n > size + 8 * (size_t)(w.count[0] + w.count[1] + w.count[2] + w.count[3] + w.count[4]))
			abort();
	}
	if (parses(text, size) && pii_mask_json(&w, text, size, &twice) && !parses(twice.p, twice.n))
		abort();
	pii_release(&w);
	buf_free(&once);
	buf_free(&twice);
	return 0;
}
