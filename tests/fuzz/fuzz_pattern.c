/* SPDX-License-Identifier: Apache-2.0 */
/* "/PATTERN/REPLACEMENT/flags", NUL, text: any pattern on any valid text ends, within its limits. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strn((const char *)data, size);
	size_t head = strlen(text);
	const char *subject = head < size ? text + head + 1 : "";
	size_t n = head < size ? size - head - 1 : 0;
	struct pattern_parts q;
	struct pattern *p = NULL;
	struct replacement *r = NULL;
	struct matcher *m = matcher_new();
	struct buf out = {0};
	struct arena a;
	struct err e = {0};
	uint64_t count;

	arena_init(&a);
	for (size_t i = 0; i < n; i++)                     /* the contract is valid UTF-8: keep to ASCII */
		text[head + 1 + i] &= 0x7f;
	if (n < 4096 && pattern_split(text, 2, &a, &q, &e) == 0 && pattern_new(&p, q.pattern, q.npattern, q.flags, &e) == 0 &&
	    replacement_new(&r, p, q.replacement, q.nreplacement, &e) == 0)
		(void)pattern_replace(p, m, r, subject, n, &out, &count, &e);
	buf_free(&out);
	replacement_free(r);
	pattern_free(p);
	matcher_free(m);
	arena_release(&a);
	mem_free(text);
	return 0;
}
