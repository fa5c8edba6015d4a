/* SPDX-License-Identifier: Apache-2.0 */
#include "shortseg.h"

#include <string.h>

#include "hash.h"

/* --- words --- */

/* The first N <= 16 bytes of P, where 16 may be read. */
static inline void load16(const char *p, size_t n, uint64_t *a, uint64_t *b)
{
	static const uint8_t keep[32] = { 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 };
	uint64_t x[2], m[2];

	memcpy(x, p, 16);
	memcpy(m, keep + 16 - n, 16);
	*a = x[0] & m[0];
	*b = x[1] & m[1];
}

static inline void key_of(struct text w, const char *end, uint64_t *a, uint64_t *b)
{
	char copy[16] = { 0 };

	if (w.n > 16) {
		*a = hash64(w.p, w.n, 0);
		*b = 0;
	} else if (end - w.p >= 16) {
		load16(w.p, w.n, a, b);
	} else {
		if (w.n)
			memcpy(copy, w.p, w.n);
		load16(copy, 16, a, b);
	}
}

/* The slot of W, which may be free. */
static inline struct shortseg_slot *probe(struct shortseg *s, struct text w, uint64_t a, uint64_t b)
{
	size_t i = ((a ^ (b << 29 | b >> 35) ^ w.n) * 0x9e3779b97f4a7c15u) >> 57;

	_Static_assert(SHORTSEG_SLOTS == 1 << (64 - 57), "the top bits are a slot");
	for (;; i = (i + 1) % SHORTSEG_SLOTS) {
		struct shortseg_slot *x = &s->slot[i];

		if (x->epoch != s->epoch || (x->a == a && x->b == b && x->word.n == w.n && (w.n <= 16 || memcmp(x->word.p, w.p, w.n) == 0)))
			return x;
	}
}

bool shortseg_answer(struct shortseg *s, const struct words *w)
{
	if (w->n > SHORTSEG_WORDS)
		return false;
	if (++s->epoch == 0) {
		memset(s->slot, 0, sizeof s->slot);
		s->epoch = 1;
	}
	s->answer = w->n;
	for (size_t i = 0; i < w->n; i++) {
		struct shortseg_slot *x;
		uint64_t a, b;

		key_of(w->w[i], w->end, &a, &b);
		x = probe(s, w->w[i], a, b);
		if (x->epoch != s->epoch)
			*x = (struct shortseg_slot){ a, b, 0, w->w[i], s->epoch };
		x->places |= 1ull << i;
	}
	return true;
}

void shortseg_reference(struct shortseg *s, const struct words *w)
{
	if (w->n + SHORTSEG_ORDERS > s->cap) {
		s->cap = w->n + w->n / 2 + 64;
		s->mask = mem_grow(s->mask, s->cap, sizeof *s->mask);
	}
	for (size_t i = 0; i < w->n; i++) {
		const struct shortseg_slot *x;
		uint64_t a, b;

		key_of(w->w[i], w->end, &a, &b);
		x = probe(s, w->w[i], a, b);
		s->mask[i] = x->epoch == s->epoch ? x->places : 0;
	}
	memset(s->mask + w->n, 0, SHORTSEG_ORDERS * sizeof *s->mask);
	s->n = w->n;
}

/* --- matches --- */

static inline __attribute__((always_inline)) void grams(const struct shortseg *s, unsigned max, uint64_t *taken)
{
	uint64_t used[SHORTSEG_ORDERS] = { 0 };

	for (size_t j = 0; j < s->n; j++) {
		uint64_t at = s->mask[j];

		for (unsigned o = 0; o < max; o++) {
			uint64_t left = at & ~used[o];

			used[o] |= left & (0 - left);
			at &= s->mask[j + o + 1] >> (o + 1);
		}
	}
	for (unsigned o = 0; o < max; o++)
		taken[o] |= used[o];
}

void shortseg_grams(const struct shortseg *s, unsigned max, uint64_t *taken)
{
	switch (max) {                          /* the common ones with the sets in registers */
	case 1: grams(s, 1, taken); break;
	case 2: grams(s, 2, taken); break;
	case 4: grams(s, 4, taken); break;
	default: grams(s, max, taken);
	}
}

size_t shortseg_lcs(const struct shortseg *s)
{
	uint64_t v = UINT64_MAX;

	if (s->answer == 0)
		return 0;
	for (size_t j = 0; j < s->n; j++)
		v = (v + (v & s->mask[j])) | (v & ~s->mask[j]);
	return (size_t)__builtin_popcountll(~v & (UINT64_MAX >> (64 - s->answer)));
}

void shortseg_free(struct shortseg *s)
{
	mem_free(s->mask);
	memset(s, 0, sizeof *s);
}
