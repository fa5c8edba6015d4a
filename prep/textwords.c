/* SPDX-License-Identifier: Apache-2.0 */
#include "textwords.h"

#include "hash.h"
#include "termset.h"

void textwords_release(struct textwords *w)
{
	mem_free(w->v);
	mem_free(w->gram);
	*w = (struct textwords){0};
}

size_t textwords_split(struct textwords *w, const struct unicode *u, const char *text, size_t n)
{
	const char *s = text, *end = text + n;
	bool open = false, run = false;        /* a word ends here; it is one of a script with blanks */

	w->n = 0;
	while (s < end) {
		const char *at = s;
		uint32_t c = utf8_get(&s);
		unsigned class = unicode_class(u, c);
		bool spaced = termscan_spaced(u, c);

		if (c == '_' || (class & (UNI_WORD | UNI_MARK)) == 0) {
			open = false;
			continue;
		}
		if (!open || !((class & UNI_MARK) || (spaced && run))) {
			ARRAY_ROOM(w->v, w->n, w->cap);
			w->v[w->n++] = (struct textword){ (size_t)(at - text), 0, 0 };
			open = true;
			run = spaced;
		}
		w->v[w->n - 1].n += (size_t)(s - at);
		w->v[w->n - 1].chars++;
	}
	return w->n;
}

/* Polynomials in a fixed odd base over the words' hashes, modulo 2^64: equal runs have equal ones, different ones agree by chance. */
static const uint64_t base = 0x9E3779B97F4A7C15u;

size_t textwords_grams(struct textwords *w, const char *text, size_t n)
{
	uint64_t h = 0, out = 1;               /* out: base^n, what the word that leaves has been multiplied by */

	if (w->n < n)
		return 0;
	if (w->gram_cap < w->n) {
		w->gram_cap = w->n * 2;
		w->gram = mem_grow(w->gram, w->gram_cap, sizeof *w->gram);
	}
	for (size_t i = 0; i < w->n; i++)
		w->gram[i] = hash64(text + w->v[i].at, w->v[i].n, 0);
	for (size_t i = 0; i < n; i++) {
		h = h * base + w->gram[i];
		out *= base;
	}
	for (size_t i = 0; ; i++) {
		uint64_t leaves = w->gram[i];

		w->gram[i] = h;
		if (i + n == w->n)
			return i + 1;
		h = h * base + w->gram[i + n] - leaves * out;
	}
}
