/* SPDX-License-Identifier: Apache-2.0 */
/* The first half as a dictionary, the second as a text: hits lie in the text, in order, and are of terms that are there. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "termset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void scan(const struct termset *s, const char *text, size_t n)
{
	struct termscan w = {0};
	size_t hits = termset_scan(s, &w, text, n), end = 0;

	for (size_t i = 0; i < hits; i++) {
		const struct termhit *h = &w.hit[i];

		if (h->at < end || h->n == 0 || h->n > n - h->at || h->term >= termset_count(s) || h->variant > termset_get(s, h->term)->nvariants)
			abort();
		end = h->at + h->n;
	}
	termscan_release(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct unicode *u;
	const char *text = (const char *)data;
	const char *middle = size ? memchr(text, '\f', size) : NULL;
	size_t n = middle ? (size_t)(middle - text) : size / 2;
	struct termset *s;
	struct err e = {0};

	if (u == NULL)
		u = unicode_open();
	s = termset_new(u);
	if (termset_parse(s, "dictionary", text, n, &e) == 0 && termset_ready(s, &e) == 0) {
		if (utf8_valid(text + n, size - n, NULL))
			scan(s, text + n, size - n);
	} else if (e.msg[0] == '\0') {
		abort();
	}
	termset_free(s);
	return 0;
}
