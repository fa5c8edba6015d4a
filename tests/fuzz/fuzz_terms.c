/* SPDX-License-Identifier: Apache-2.0 */
/* The first half as a dictionary, the second as a text: hits lie in the text, in order, and are of terms that are there; so do
 * near misses. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nearterms.h"
#include "termset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void scan_near(const struct termset *s, const struct termscan *w, size_t n)
{
	struct nearscan near = {0};
	struct nearterms *t;
	struct err e = {0};
	size_t hits, end = 0;

	if (nearterms_new(&t, s, 4, NULL, &e) != 0)
		abort();
	hits = nearterms_find(t, &near, w);
	for (size_t i = 0; i < hits; i++) {
		if (near.hit[i].at < end || near.hit[i].n == 0 || near.hit[i].n > n - near.hit[i].at || near.hit[i].term >= termset_count(s))
			abort();
		end = near.hit[i].at + near.hit[i].n;
	}
	nearscan_release(&near);
	nearterms_free(t);
	if (nearterms_new(&t, s, 0, s, &e) == 0) {              /* as confusables, too */
		hits = nearterms_find(t, &near, w);
		for (size_t i = 0; i < hits; i++)
			if (near.hit[i].n > n - near.hit[i].at || !near.hit[i].alike)
				abort();
		nearscan_release(&near);
		nearterms_free(t);
	}
}

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
	scan_near(s, &w, n);
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
